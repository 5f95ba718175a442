import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { eventually, launch, openPage } from '../browser.mjs';
import { ScriptedServer } from '../scripted-server.mjs';
import { answered, ask, assertNoAxeFindings, firstText, waitUntilReady } from '../specs.mjs';
import { DOCUMENT } from '../texts.mjs';

let browser;
let server;
let page;

before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => {
  server = await new ScriptedServer().start();
  page = await openPage(browser, server.url);
  await waitUntilReady(page);
});
afterEach(async () => {
  await page.context().close();
  await server.stop();
  assert.deepEqual(page.problems, []);
});

const LONG = Array.from({ length: 60 }, (_, i) => `Paragraph ${i} of a long answer, with some words in it.\n\n`);
const fromEnd = () => page.$eval('#scroller', e => e.scrollHeight - e.scrollTop - e.clientHeight);

test('draws a Markdown answer, with a blinking cursor while it comes', async () => {
  let end;
  server.scripts = [{ pieces: DOCUMENT.match(/[^]{1,5}/g), everyMs: 2, lasts: new Promise(resolve => (end = resolve)) }];
  await ask(page, 'Tell me');
  await page.waitForFunction(() => document.querySelector('.cursor')?.getAnimations()[0]?.animationName === 'blink');
  end();
  await answered(page);
  assert.equal(await page.locator('.cursor').count(), 0);
  assert.equal(await page.locator('.md h3.depth-1').innerText(), 'A title');
  assert.equal(await page.locator('.md > ol > li').count(), 3);
  assert.equal(await page.locator('.md td[align=right]').first().innerText(), '2');
  const link = page.locator('.md a');
  assert.equal(await link.getAttribute('rel'), 'noopener noreferrer nofollow');
  assert.equal(await link.getAttribute('target'), '_blank');
  assert.equal(await page.locator('.stats').innerText().then(text => /51\.5 tokens\/s/.test(text)), true);
});

test('draws only the open block again: blocks that are complete stay the same elements', async () => {
  server.scripts = [{ pieces: ['First paragraph.\n\nSecond\n', 'goes ', 'on.\n\n'], everyMs: 200, stays: true }];
  await ask(page, 'Tell me');
  await page.locator('.md p', { hasText: 'Second' }).waitFor();
  await page.evaluate(() => {
    window.first = document.querySelector('.md > p');
    window.changes = 0;
    new MutationObserver(records => (window.changes += records.length)).observe(window.first, { childList: true, subtree: true, characterData: true });
  });
  await page.locator('.md p', { hasText: 'goes on.' }).waitFor();
  assert.deepEqual(await page.evaluate(() => [window.first.isConnected, window.changes]), [true, 0]);
});

test('draws at most once a frame, however many pieces come', async () => {
  server.scripts = [{ pieces: Array.from({ length: 3000 }, () => 'word ') }];
  await page.evaluate(() => {
    window.frames = 0;
    window.draws = 0;
    const count = () => {
      window.frames++;
      requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
    new MutationObserver(() => window.draws++).observe(document.getElementById('thread'), { childList: true, subtree: true, characterData: true });
  });
  await ask(page, 'Tell me');
  await answered(page);
  const { frames, draws } = await page.evaluate(() => ({ frames: window.frames, draws: window.draws }));
  assert.ok(draws <= frames + 5, `${draws} drawings in ${frames} frames`);
});

test('code has its language, colours and a copy button; the highlighter is fetched only then', async () => {
  server.scripts = [{ pieces: ['No code.'] }, { pieces: ['```js\nconst a = 1 < 2;\n```\n\nDone.'] }];
  await ask(page, 'Tell me');
  await answered(page);
  assert.ok(!server.paths.includes('/vendor/highlight.js'));
  await ask(page, 'Show me');
  await page.locator('.hljs-keyword', { hasText: 'const' }).waitFor();
  assert.ok(server.paths.includes('/vendor/highlight.js'));
  assert.equal(await page.innerText('.code-language'), 'js');
  await page.click('.code-copy');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'const a = 1 < 2;\n');
});

test('copies the answer as Markdown', async () => {
  server.scripts = [{ pieces: ['Some **bold** text'] }];
  await ask(page, 'Tell me');
  await answered(page);
  await page.getByRole('button', { name: 'Copy answer' }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'Some **bold** text');
});

test('says how long the first word is waited for where that takes long, and nothing once it is there', async () => {
  let begin;
  server.scripts = [{ hold: new Promise(resolve => (begin = resolve)), pieces: ['At last.'], stays: true }];
  await ask(page, 'Slowly, please');
  await page.locator('.answer.running').waitFor();
  assert.ok(await page.locator('.first-wait').isHidden(), 'not at once');
  await page.locator('.first-wait', { hasText: /^Waiting for the first word: [3-9] s$/ }).waitFor();
  const said = await page.innerText('.first-wait');
  await eventually(page, async () => (await page.innerText('.first-wait')) !== said, 'the seconds go on');
  await assertNoAxeFindings(page, 'waiting');
  begin();
  await page.locator('.answer .md', { hasText: 'At last.' }).waitFor();
  await page.locator('.first-wait').waitFor({ state: 'hidden' });
});

test('reasoning is folded, and opens', async () => {
  let thought;
  server.scripts = [{ reasoning: ['Let me ', 'think.'], pieces: ['So.'], thinks: new Promise(resolve => (thought = resolve)) }];
  await ask(page, 'Why?');
  await page.locator('summary', { hasText: 'Thinking…' }).waitFor();
  await page.waitForTimeout(150);
  thought();
  assert.equal(await answered(page), 'So.');
  assert.match(await page.innerText('summary'), /^Thought for/);
  assert.equal(await page.locator('.reasoning-text').isVisible(), false);
  await page.click('summary');
  await eventually(page, async () => (await page.innerText('.reasoning-text')) === 'Let me think.', 'is drawn when it is seen');
});

test('follows the end of an answer, unless the reader has scrolled up', async () => {
  server.scripts = [{ pieces: LONG, everyMs: 25 }];
  await ask(page, 'At length');
  await page.locator('.md p', { hasText: 'Paragraph 20 ' }).waitFor();
  await eventually(page, async () => (await fromEnd()) < 40, 'follows');
  await page.mouse.move(640, 300);
  await page.mouse.wheel(0, -250);
  await page.locator('#to-end').waitFor();
  const before = await page.$eval('#scroller', e => e.scrollTop);
  await page.waitForTimeout(300);
  assert.equal(await page.$eval('#scroller', e => e.scrollTop), before, 'stays where the reader is');
  await page.click('#to-end');
  await eventually(page, async () => (await fromEnd()) < 40, 'follows again');
  await answered(page);
  await eventually(page, async () => (await fromEnd()) < 40, 'shows the end');
});

test('Stop ends the work on the server; Escape does too', async () => {
  server.scripts = [{ pieces: ['One', ' two'], stays: true }];
  for (const [i, stop] of [() => page.click('#send'), () => page.keyboard.press('Escape')].entries()) {
    await ask(page, 'Go on');
    await firstText(page);
    await stop();
    assert.equal(await answered(page, 60_000), 'One two');
    const [{ messages }] = server.chats.all.values();
    assert.equal(messages.filter(({ status }) => status === 'stopped').length, i + 1);
  }
});

test('regenerates the last answer', async () => {
  server.scripts = [{ pieces: ['First'] }, { pieces: ['Second'] }];
  await ask(page, 'Tell me');
  await answered(page);
  await page.getByRole('button', { name: 'Answer again' }).click();
  await page.locator('.md', { hasText: 'Second' }).waitFor();
  await answered(page);
  assert.equal(await page.locator('.message').count(), 2);
  assert.deepEqual(server.requests[1].messages, [{ role: 'user', content: 'Tell me' }]);
});

test('Enter sends, Shift+Enter makes a new line', async () => {
  await page.focus('#input');
  await page.keyboard.type('one');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('two');
  await page.keyboard.press('Enter');
  await answered(page);
  assert.equal(server.requests[0].messages[0].content, 'one\ntwo');
  assert.equal(await page.innerText('.said'), 'one\ntwo');
});

test('a request has the history, the system prompt and the sampling that were set, and they are kept', async () => {
  await page.click('#open-settings');
  await page.fill('#system', 'Be brief.');
  await page.fill('#temperature', '0.2');
  await page.fill('#max_tokens', '0');
  await page.locator('.problem', { hasText: 'whole number from 1' }).waitFor();
  await page.fill('#max_tokens', '64');
  assert.equal(await page.locator('.problem').count(), 0);
  await page.keyboard.press('Escape');
  await ask(page, 'one');
  await answered(page);
  await page.reload();
  await ask(page, 'two');
  await answered(page);
  assert.deepEqual(server.requests[1], {
    model: 'tiny-model',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'two' },
    ],
    temperature: 0.2,
    max_tokens: 64,
  });
});

test('New chat forgets the conversation, also for the next reload', async () => {
  await ask(page, 'one');
  await answered(page);
  await page.click('#side-new-chat');
  await page.locator('#welcome').waitFor();
  await page.reload();
  await page.locator('#welcome').waitFor();
  await ask(page, 'two');
  await answered(page);
  assert.equal(server.requests[1].messages.length, 1);
});

test('an answer that reached its longest length says so and can go on', async () => {
  server.scripts = [{ pieces: ['The quick '], finish: 'length' }, { pieces: ['brown fox'] }];
  await ask(page, 'Tell me');
  await page.locator('.notice', { hasText: 'longest length' }).waitFor();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.locator('.md', { hasText: 'The quick brown fox' }).waitFor();
  await answered(page);
  assert.deepEqual(server.requests[1].messages.at(-1), { role: 'assistant', content: 'The quick ' });
  assert.match(await page.innerText('.stats'), /^2 tokens/);
});

test('an answer is put in other words as a branch, the old one stays, and Continue goes on from the new one', async () => {
  server.scripts = [{ pieces: ['The sky is *green*.'] }, { pieces: [' At noon.'] }];
  await ask(page, 'Tell me');
  await answered(page);
  await page.getByRole('button', { name: 'Edit answer' }).click();
  const box = page.getByRole('textbox', { name: 'The answer in other words' });
  assert.equal(await box.inputValue(), 'The sky is *green*.');
  await box.fill('The sky\nis **blue**.');
  await page.keyboard.press('Escape');
  assert.equal(await answered(page), 'The sky is green.', 'Escape leaves it as it was');
  assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Edit answer');
  await page.keyboard.press('Enter');
  await box.fill('The sky');
  await box.press('End');
  await box.press('Enter');
  await page.keyboard.type('is **blue**.');
  await page.keyboard.press('Control+Enter');
  await page.locator('.answer .branch-at', { hasText: '2 / 2' }).waitFor();
  assert.equal((await answered(page)).replace('\n', ' '), 'The sky is blue.');
  assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Edit answer', 'the focus stays');
  assert.equal(server.requests.length, 1, 'nothing was generated');
  await page.reload();
  await page.locator('.answer .branch-at', { hasText: '2 / 2' }).waitFor();
  await page.getByRole('button', { name: 'Continue the answer' }).click();
  await page.locator('.md', { hasText: 'is blue. At noon.' }).waitFor();
  assert.deepEqual(server.requests[1].messages.at(-1), { role: 'assistant', content: 'The sky\nis **blue**.' });
  await page.getByRole('button', { name: 'Previous answer' }).click();
  await page.locator('.md', { hasText: 'The sky is green.' }).waitFor();
});

test('other words for an answer that the server does not take stay in their box', async () => {
  await ask(page, 'Tell me');
  await answered(page);
  await page.getByRole('button', { name: 'Edit answer' }).click();
  await page.getByRole('textbox', { name: 'The answer in other words' }).fill('Much better');
  server.chats.available = false;
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('.toast', { hasText: 'The database cannot be reached.' }).waitFor();
  assert.equal(await page.inputValue('.edit-box textarea'), 'Much better');
  server.chats.available = true;
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('.answer .md', { hasText: 'Much better' }).waitFor();
});

test('Enter and Escape of an input method neither send nor stop anything', async () => {
  server.scripts = [{ pieces: ['One'], stays: true }];
  const composed = (selector, key) => page.dispatchEvent(selector, 'keydown', { key, isComposing: true, bubbles: true, cancelable: true });
  await page.fill('#input', 'にほん');
  await composed('#input', 'Enter');
  await page.waitForTimeout(100);
  assert.equal(server.requests.length, 0);
  assert.equal(await page.inputValue('#input'), 'にほん');
  await page.press('#input', 'Enter');
  await firstText(page);
  await composed('#input', 'Escape');
  await page.waitForTimeout(100);
  assert.equal(await page.locator('.answer.running').count(), 1);
  await page.keyboard.press('Escape');
  await answered(page);
  await page.getByRole('button', { name: 'Edit question' }).click();
  await composed('.edit-box textarea', 'Enter');
  await composed('.edit-box textarea', 'Escape');
  assert.equal(await page.inputValue('.edit-box textarea'), 'にほん');
});

test('the page\'s title says that an answer is being written', async () => {
  let end;
  server.scripts = [{ pieces: ['One'], lasts: new Promise(resolve => (end = resolve)) }];
  await ask(page, 'Tell me');
  await page.waitForFunction(() => document.title === '… Tell me · Chasqui');
  end();
  await page.waitForFunction(() => document.title === 'Tell me · Chasqui');
});
