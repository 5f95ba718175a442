// Texts of a megabyte: pasted, sent, answered, opened.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { eventually, launch, openPage } from '../browser.mjs';
import { ScriptedServer } from '../scripted-server.mjs';
import { answered, ask, assertNoAxeFindings, waitUntilReady } from '../specs.mjs';

let browser;
let server;
let page;

before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => {
  server = await new ScriptedServer().start();
});
afterEach(async () => {
  await page.context().close();
  await server.stop();
  assert.deepEqual(page.problems, []);
});

async function open(hash = '') {
  page = await openPage(browser, server.url);
  if (hash) await page.goto(server.url + hash);
  await waitUntilReady(page);
}

const paste = text =>
  page.evaluate(pasted => {
    const data = new DataTransfer();
    data.setData('text/plain', pasted);
    document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);
const LINES = 'A line of a report, with some numbers: 12, 14 and 17.\n'.repeat(18_000);

test('a long text that is pasted stands beside the box, is kept over a reload, and goes with what is written', async () => {
  await open();
  await page.focus('#input');
  await paste(LINES);
  await page.locator('.pasted', { hasText: 'A line of a report' }).waitFor();
  assert.equal(await page.inputValue('#input'), '');
  await assertNoAxeFindings(page, 'pasted');
  await page.keyboard.type('What is the sum?');
  await paste('short');
  await eventually(page, () => page.evaluate(() => localStorage.getItem('chasqui.drafts')?.includes('sum?')), 'the draft is kept');
  await page.reload();
  await waitUntilReady(page);
  assert.match(await page.innerText('.pasted-about'), /^pasted · 97\d kB$/);
  await page.press('#input', 'Enter');
  await answered(page);
  assert.ok(server.requests[0].messages[0].content === `What is the sum?\n\n${LINES}`);
  assert.equal(await page.locator('.pasted').count(), 0);
  assert.match(await page.innerText('.said'), /^What is the sum\?\s+A line of a report[^]{500,1500}…$/);
  await page.getByRole('button', { name: /^Show all \(97\d kB\)$/ }).click();
  assert.ok((await page.evaluate(() => document.querySelector('.said').textContent)) === server.requests[0].messages[0].content);
  await page.getByRole('button', { name: 'Show less' }).click();
  assert.ok((await page.innerText('.said')).length < 2_000);
  await page.getByRole('button', { name: 'Edit question' }).click();
  await page.locator('.edit-box', { hasText: 'more, which stay as they are' }).waitFor();
  const box = page.getByRole('textbox', { name: 'Your question in other words' });
  await box.fill((await box.inputValue()).replace('sum', 'mean'));
  await box.press('Enter');
  await eventually(page, () => server.requests.length === 2, 'asked again');
  assert.ok(server.requests[1].messages[0].content === `What is the mean?\n\n${LINES}`.trim());
  await answered(page);
});

test('a pasted text can be taken out, and one that no message can hold is refused', async () => {
  await open();
  await page.focus('#input');
  await paste(LINES);
  await page.getByRole('button', { name: /^Take “A line/ }).click();
  assert.equal(await page.locator('.pasted').count(), 0);
  assert.ok(await page.locator('#send').isDisabled());
  await page.focus('#input');
  await paste(LINES + LINES);
  await page.locator('.toast', { hasText: 'too long for one message: 2 MB (expected: at most 1 MB)' }).waitFor();
  assert.equal(await page.locator('.pasted').count(), 0);
});

const CODE = Array.from({ length: 4_000 }, (_, i) => `let value${i} = "text ${i}"; // and more`).join('\n');
const ANSWER = `# Much

${'It depends on **three things**, and `each` has a reason.\n\n'.repeat(2_000)}
\`\`\`js
${CODE}
\`\`\`

${Array.from({ length: 3_000 }, (_, i) => `${i + 1}. Thing *${i + 1}*\n`).join('')}
| a | b |
|---|--:|
${'| one | 2 |\n'.repeat(3_000)}
See [the end].

[the end]: https://example.org/end
`;

/** Waits until everything is drawn. */
const drawn = () => page.locator('.md a[href="https://example.org/end"]').waitFor({ state: 'attached' });

test('a long answer is drawn in pieces, whether it comes or is opened, and nothing of it is missing', async () => {
  const chat = server.chats.add({ title: 'Long', turns: ['At length', ANSWER] });
  server.scripts = [{ pieces: ANSWER.match(/[^]{1,2000}/g), everyMs: 1 }];
  const texts = [];
  for (const hash of ['', `#/c/${chat.id}`]) {
    if (page) await page.context().close();
    await open(hash);
    if (hash === '') await ask(page, 'At length');
    await drawn();
    assert.equal(await page.locator('.md h3').count(), 1);
    assert.equal(await page.locator('.md p strong').count(), 2_000);
    assert.equal(await page.locator('.md ol > li').count(), 3_000);
    assert.equal(await page.locator('.md tbody tr').count(), 3_000);
    assert.equal(await page.locator('.code-head').count(), 1, 'one head for all of the code');
    assert.ok((await page.locator('.code').count()) > 3);
    const lastItem = await page.locator('.md ol').last().evaluate(list => (list.start ?? 1) + list.children.length - 1);
    assert.equal(lastItem, 3_000, 'numbers go on');
    await page.locator('.code-copy').click();
    await page.locator('.code-copy', { hasText: 'Copied' }).waitFor();
    assert.ok((await page.evaluate(() => navigator.clipboard.readText())) === `${CODE}\n`);
    texts.push(await page.evaluate(() => document.querySelector('.md').textContent));
  }
  assert.ok(texts[0] === texts[1]);
});

test('a long chat is drawn in many small tasks, and taken away when it is left', async () => {
  const chat = server.chats.add({ title: 'Long', turns: [LINES, ANSWER.repeat(2)] });
  await open();
  await page.evaluate(() => {
    window.drawnAtOnce = [];
    // A part comes empty.
    const count = node => (node.nodeType === Node.ELEMENT_NODE && !node.matches('.part') ? 1 + node.querySelectorAll('*').length : 0);
    const all = records => records.flatMap(({ addedNodes }) => [...addedNodes]).reduce((sum, node) => sum + count(node), 0);
    new MutationObserver(records => window.drawnAtOnce.push(all(records))).observe(document.getElementById('thread'), { childList: true, subtree: true });
  });
  await page.evaluate(id => (location.hash = `#/c/${id}`), chat.id);
  await page.waitForFunction(() => document.querySelectorAll('.md a[href="https://example.org/end"]').length === 2);
  const drawnAtOnce = await page.evaluate(() => window.drawnAtOnce);
  const whole = await page.evaluate(() => document.querySelectorAll('.md *').length);
  const most = Math.max(...drawnAtOnce);
  assert.ok(most < whole / 3, `${most} of ${whole} elements at once`);
  await page.keyboard.press('Alt+KeyN');
  await page.locator('#welcome').waitFor();
  await page.waitForFunction(() => document.getElementById('thread').childElementCount === 0);
});

const distanceToEnd = () => page.locator('#scroller').evaluate(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight);

test('a long text that is opened shows its begin while it is drawn, and then its end', async () => {
  const chat = server.chats.add({ title: 'Long', turns: ['At length', ANSWER.repeat(3)] });
  await open();
  await page.evaluate(() => {
    window.tops = [];
    new MutationObserver(() => {
      const title = document.querySelector('.answer h3');
      if (document.querySelectorAll('.md a[href="https://example.org/end"]').length < 3 && title) window.tops.push(title.getBoundingClientRect().top);
    }).observe(document.getElementById('thread'), { childList: true, subtree: true });
  });
  await page.evaluate(id => (location.hash = `#/c/${id}`), chat.id);
  await page.waitForFunction(() => document.querySelectorAll('.md a[href="https://example.org/end"]').length === 3);
  const tops = await page.evaluate(() => window.tops.slice(5));
  assert.ok(tops.length > 10, `drawn in ${tops.length} steps`);
  assert.ok(tops.every(top => top >= 0 && top < 400), `its title stays in view: ${tops}`);
  await eventually(page, async () => (await distanceToEnd()) < 40, 'the end is in view');
});

test('whoever scrolls while a long text is drawn stays where he is', async () => {
  const chat = server.chats.add({ title: 'Long', turns: ['At length', ANSWER.repeat(3)] });
  await open();
  await page.evaluate(id => (location.hash = `#/c/${id}`), chat.id);
  await page.locator('.answer h3').first().waitFor();
  await page.mouse.move(700, 300);
  await page.mouse.wheel(0, 100);
  await page.waitForFunction(() => document.querySelectorAll('.md a[href="https://example.org/end"]').length === 3);
  await page.waitForTimeout(300);
  assert.ok((await distanceToEnd()) > 10_000, `${await distanceToEnd()} px from the end`);
  await page.locator('#to-end').click();
  await eventually(page, async () => (await distanceToEnd()) < 40, 'the end is in view');
});
