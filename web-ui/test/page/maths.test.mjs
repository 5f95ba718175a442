import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { PHONE, launch, openPage } from '../browser.mjs';
import { ScriptedServer } from '../scripted-server.mjs';
import { answered, ask, assertNoAxeFindings, assertNothingSticksOut, waitUntilReady } from '../specs.mjs';

const TEXT = `The roots of $ax^2 + bx + c = 0$ in \\(\\mathbb{R}\\), for $5 or $6:

$$
x = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}
$$

\\[ \\begin{aligned} a &= b + c + d + e + f + g + h + i + j + k + l + m + n + o + p + q + r + s \\\\ &= \\boxed{t} \\end{aligned} \\]

Broken: $\\frac{1$ and \\(\\nothing{x}\\); code: \`$y$\`.
`;
let browser;
let server;
let page;

before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => {
  server = await new ScriptedServer().start();
  server.scripts = [{ pieces: TEXT.match(/[^]{1,4}/g) }];
});
afterEach(async () => {
  await page.context().close();
  await server.stop();
});

async function show(options) {
  page = await openPage(browser, server.url, options);
  await waitUntilReady(page);
  await ask(page, 'maths');
  await answered(page);
}

test('formulas are drawn as MathML; prices, code and broken ones stay text; KaTeX comes with the first one', async () => {
  page = await openPage(browser, server.url);
  await waitUntilReady(page);
  assert.ok(!server.paths.includes('/vendor/katex.js'));
  await ask(page, 'maths');
  await answered(page);
  assert.ok(server.paths.includes('/vendor/katex.js'));
  assert.equal(await page.locator('.md math').count(), 4);
  assert.equal(await page.locator('.md math[display=block]').count(), 2);
  const text = await page.locator('.md').innerText();
  assert.match(text, /for \$5 or \$6:/);
  assert.match(text, /Broken: \$\\frac\{1\$ and \\\(\\nothing\{x\}\\\); code: \$y\$\./);
  assert.match(text, /ℝ/);
  assert.equal(await page.locator('.md mfrac msqrt').count(), 1);
  assert.deepEqual(await page.locator('.md mtable [class]').evaluateAll(cells => cells.slice(0, 2).map(cell => cell.className)), ['cell-right', 'cell-left']);
  assert.doesNotMatch(await page.locator('.md').first().evaluate(element => element.textContent), /\\mathbb/);
  assert.deepEqual(page.problems, []);
});

test('a formula that was drawn stays the same element while the text goes on', async () => {
  page = await openPage(browser, server.url);
  await waitUntilReady(page);
  const kept = await page.evaluate(async () => {
    const { AnswerBody } = await import('/js/answer-body.js');
    const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
    const body = new AnswerBody();
    document.getElementById('thread').hidden = false;
    document.getElementById('thread').append(body.element);
    const text = 'So $x^2$ and ';
    body.grow(text);
    while (!body.element.querySelector('math')) await frame();
    const math = body.element.querySelector('math');
    const rest = 'then **more** text.\n\nA paragraph with $x^2$.\n';
    for (let end = 1; end <= rest.length; end++) {
      body.grow(text + rest.slice(0, end));
      await frame();
      if (!math.isConnected) return `gone after ${rest.slice(0, end)}`;
    }
    body.finish(text + rest);
    return math.isConnected && body.element.querySelectorAll('math').length;
  });
  assert.equal(kept, 2);
});

test('formulas fit a phone, and axe finds nothing in either theme', async () => {
  for (const colorScheme of ['light', 'dark']) {
    if (page) await page.context().close();
    await show({ viewport: PHONE, colorScheme, hasTouch: true, isMobile: true });
    await assertNothingSticksOut(page);
    const wide = page.locator('.tex-block[data-wide]').last();
    assert.ok(await wide.evaluate(box => box.scrollWidth > box.clientWidth), 'it scrolls in its own box');
    await wide.focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(() => document.activeElement.scrollLeft > 0);
    await assertNoAxeFindings(page, `maths, ${colorScheme}`);
  }
});

test('code of rarer languages is coloured too, each with a file of its own', async () => {
  server.scripts = [{ pieces: ['```dockerfile\nFROM debian\n```\n\n', '```hs\nmain :: IO ()\n```\n\n', '```klingon\nqapla\n```\n\n', '```java\nrecord A() {}\n```\n'] }];
  page = await openPage(browser, server.url);
  await waitUntilReady(page);
  await ask(page, 'code');
  await answered(page);
  await page.locator('code.language-java[data-highlighted]').waitFor();
  assert.deepEqual(await page.locator('code[data-highlighted]').evaluateAll(blocks => blocks.map(block => block.className)), [
    'language-dockerfile', 'language-hs', 'language-java',
  ]);
  assert.deepEqual(server.paths.filter(path => path.startsWith('/vendor/languages/')), ['/vendor/languages/dockerfile.js', '/vendor/languages/haskell.js']);
  assert.deepEqual(page.problems, []);
});
