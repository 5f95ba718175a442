import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { DESKTOP, PHONE, launch, openPage } from '../browser.mjs';
import { ScriptedServer } from '../scripted-server.mjs';
import { answered, ask, assertNoAxeFindings, assertNothingSticksOut, firstText, waitUntilReady } from '../specs.mjs';
import { DOCUMENT } from '../texts.mjs';

let browser;
let server;
let page;

before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await new ScriptedServer().start()));
afterEach(async () => {
  await page.context().close();
  await server.stop();
  assert.deepEqual(page.problems, []);
});

async function open(options) {
  page = await openPage(browser, server.url, options);
  await waitUntilReady(page);
}

for (const colorScheme of ['light', 'dark']) {
  for (const viewport of [DESKTOP, PHONE]) {
    test(`axe finds nothing: ${colorScheme}, ${viewport.width} px`, async () => {
      server.scripts = [{ reasoning: ['Hm.'], pieces: [DOCUMENT] }, { pieces: ['cut'], stays: true }];
      await open({ colorScheme, viewport });
      await assertNoAxeFindings(page, 'welcome');
      await ask(page, 'Tell me');
      await answered(page);
      await page.locator('.hljs-keyword').first().waitFor();
      await page.click('summary');
      await assertNoAxeFindings(page, 'answer');
      await assertNothingSticksOut(page);
      await ask(page, 'More');
      await firstText(page);
      await assertNoAxeFindings(page, 'streaming');
      await page.keyboard.press('Escape');
      await page.locator('.notice').last().waitFor();
      await assertNoAxeFindings(page, 'stopped');
      await page.keyboard.press('Alt+KeyS');
      await page.fill('#temperature', '9');
      await assertNoAxeFindings(page, 'settings');
      await page.keyboard.press('Escape');
      await page.evaluate(() => document.activeElement.blur());
      await page.keyboard.press('?');
      await page.locator('#shortcuts[open]').waitFor();
      await assertNoAxeFindings(page, 'shortcuts');
    });
  }
}

test('an answer is announced once, not with every token', async () => {
  server.scripts = [{ pieces: Array.from({ length: 60 }, (_, i) => `word${i} `), everyMs: 10 }];
  await open();
  await page.evaluate(() => {
    window.announced = [];
    const announcer = document.getElementById('announcer');
    new MutationObserver(() => window.announced.push(announcer.textContent)).observe(announcer, { childList: true, characterData: true, subtree: true });
  });
  await ask(page, 'Tell me');
  await answered(page);
  const announced = await page.evaluate(() => window.announced);
  assert.equal(announced.length, 1);
  assert.match(announced[0], /^Answer: word0 .*word59/);
});

test('everything works by keyboard, and focus is always seen', async () => {
  server.scripts = [{ pieces: ['```js\nlet a;\n```\n'] }];
  await open();
  await ask(page, 'Tell me');
  await answered(page);
  await page.focus('.skip');
  const reached = [];
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    const seen = await page.evaluate(() => {
      const e = document.activeElement;
      if (e === document.body) return null;
      const shown = getComputedStyle(e.closest('.composer textarea, .side-search input')?.parentElement ?? e);
      return { name: e.ariaLabel || e.id || e.textContent.trim().slice(0, 20), outline: shown.outlineStyle !== 'none' && parseFloat(shown.outlineWidth) > 0 };
    });
    if (seen === null) break;
    assert.ok(seen.outline, `${seen.name} shows its focus`);
    reached.push(seen.name);
  }
  for (const name of ['New chat', 'Settings', 'Copy', 'Copy answer', 'Answer again', 'input']) {
    assert.ok(reached.some(each => each.startsWith(name) || each.endsWith(name.toLowerCase().replace(' ', '-'))), `${name} in ${reached}`);
  }
  await page.keyboard.press('Alt+KeyN');
  await page.locator('#welcome').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'input');
});

test('shortcuts of a single key can be switched off', async () => {
  await open();
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'input');
  await page.keyboard.type('what? and/or');
  assert.equal(await page.inputValue('#input'), 'what? and/or');
  await page.keyboard.press('Alt+KeyS');
  await page.uncheck('#single-keys');
  await page.keyboard.press('Escape');
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('?');
  assert.equal(await page.locator('#shortcuts[open]').count(), 0);
});

test('nothing moves for those who want less motion', async () => {
  server.scripts = [{ pieces: ['a'], stays: true }];
  await open({ reducedMotion: 'reduce' });
  await ask(page, 'Tell me');
  await page.locator('.cursor').waitFor();
  assert.deepEqual(await page.evaluate(() => document.getAnimations().length), 0);
});

test('the system theme is followed, and a remembered one is there before the first paint', async () => {
  await open({ colorScheme: 'dark' });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await ground();
  assert.notEqual(dark, light);
  await page.click('#open-settings');
  await page.locator('label', { has: page.locator('input[value=dark]') }).click();
  assert.equal(await ground(), dark);
  await page.route('**/js/main.js', route => route.abort());
  await page.reload();
  assert.equal(await ground(), dark, 'without the page\'s modules');
});

test('prints the chat and nothing else, in light colours', async () => {
  await open({ colorScheme: 'dark' });
  await ask(page, 'hi');
  await answered(page);
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  for (const id of ['sidebar', 'composer', 'model-picker', 'theme']) assert.equal(await page.locator(`#${id}`).isVisible(), false, id);
  assert.ok(await page.locator('.answer .md').isVisible());
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector('.answer .md')).color), 'rgb(29, 33, 41)');
});

test('with forced colours one still sees what is chosen, how far a load is, and what can be pressed', async () => {
  server.scripts = [{ pieces: ['a'], stays: true }];
  await open({ forcedColors: 'active', colorScheme: 'dark' });
  const ground = selector => page.locator(selector).first().evaluate(element => getComputedStyle(element).backgroundColor);
  await page.keyboard.press('Alt+KeyS');
  assert.notEqual(await ground('.segments input:checked + span'), await ground('.segments input:not(:checked) + span'));
  await page.keyboard.press('Escape');
  await ask(page, 'Tell me');
  await page.locator('.cursor').waitFor();
  const canvas = await ground('body');
  for (const seen of ['.cursor', '#send', '.dot[data-state=ready]']) assert.notEqual(await ground(seen), canvas, seen);
  assert.notEqual(await page.locator('.said').evaluate(element => getComputedStyle(element).borderTopStyle), 'none');
  await page.keyboard.press('Escape');
  await answered(page);
  server.health = { status: 'loading', model: 'tiny-model', progress: 0.4 };
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await page.locator('#status-fill').waitFor();
  assert.notEqual(await ground('#status-fill'), canvas);
});

test('a text has the direction of its own words, whichever stand around it', async () => {
  server.scripts = [{ pieces: ['שלום עולם\n\n- אחת\n\nHello\n\n```\ncode\n```\n'] }];
  await open();
  const right = 'مرحبا، كيف الحال؟';
  await page.fill('#input', right);
  const direction = selector => page.locator(selector).first().evaluate(element => getComputedStyle(element).direction);
  assert.equal(await direction('#input'), 'rtl');
  await page.press('#input', 'Enter');
  await answered(page);
  assert.equal(await direction('.said'), 'rtl');
  assert.deepEqual(await page.locator('.md > *').evaluateAll(blocks => blocks.map(block => getComputedStyle(block).direction)), ['rtl', 'rtl', 'ltr', 'ltr']);
  assert.equal(await direction('.chat-title'), 'rtl');
  await assertNothingSticksOut(page);
});
