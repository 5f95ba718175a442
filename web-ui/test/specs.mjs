// What the page must do with any server, real or scripted. No expectation about the answers' words.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { findings } from './axe.mjs';
import { DESKTOP, PHONE, openPage, openTab } from './browser.mjs';

const ANSWER = '.answer:last-of-type';

/** Waits until the page says that the model is ready. */
export async function waitUntilReady(page, timeout = 180_000) {
  await page.locator('.picker-button .dot[data-state=ready]').waitFor({ timeout });
  await page.locator('#status').waitFor({ state: 'hidden', timeout: 60_000 });
}

export async function ask(page, text) {
  await page.fill('#input', text);
  await page.locator('#send:not([disabled])').waitFor();
  await page.press('#input', 'Enter');
}

/** Waits until the last answer has ended, and its formulas are drawn. */
export async function answered(page, timeout = 120_000) {
  await page.locator(`${ANSWER}:not(.running)`).waitFor({ timeout });
  await page.waitForFunction(() => !document.querySelector('.md :is(.tex-inline, .tex-block):not([data-tex])'));
  return page.locator(`${ANSWER} .md`).innerText();
}

/** The text of the answer that is being written, once it is so long. */
export async function grownText(page, length, timeout = 120_000) {
  const selector = `${ANSWER} .md`;
  await page.waitForFunction(([selector, length]) => document.querySelector(selector)?.textContent.length >= length, [selector, length], { timeout });
  return page.locator(selector).textContent();
}

async function exportOpenChat(page) {
  await page.focus('.chat-link[aria-current=page]');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Export as JSON' }).click();
}

export async function firstText(page, timeout = 120_000) {
  await page.waitForFunction(selector => document.querySelector(selector)?.textContent.trim().length > 0, `${ANSWER}.running .md`, { timeout });
}

/**
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @param {{question: string, long: string}} prompts
 */
export function essentials(browser, url, { question, long }) {
  const withPage = (run, options) => async () => {
    const page = await openPage(browser(), url(), options);
    try {
      await waitUntilReady(page);
      await run(page);
      assert.deepEqual(page.problems, []);
    } finally {
      await page.context().close();
    }
  };

  return {
    'chats, and says tokens, time and speed': withPage(async page => {
      await ask(page, question);
      const text = await answered(page);
      assert.ok(text.trim().length > 0, 'an answer with text');
      assert.equal(await page.locator('.cursor').count(), 0);
      const stats = await page.locator(`${ANSWER} .stats`).innerText();
      assert.match(stats, /\d+ tokens?.*\d s.*first token/s);
      assert.equal(await page.inputValue('#input'), '');
    }),
    'stops an answer, keeps its text, and can be asked again': withPage(async page => {
      await ask(page, long);
      await firstText(page);
      await page.locator('#send[aria-label=Stop]').click();
      const text = await answered(page, 60_000);
      await page.waitForTimeout(500);
      assert.equal(await page.locator(`${ANSWER} .md`).innerText(), text, 'nothing comes after Stop');
      await page.locator(`${ANSWER} .notice`, { hasText: 'stopped' }).waitFor();
      await ask(page, question);
      assert.ok((await answered(page)).length > 0);
      assert.equal(await page.locator('.message').count(), 4);
    }),
    'shows the conversation and the draft again after a reload': withPage(async page => {
      await ask(page, question);
      const text = await answered(page);
      await page.fill('#input', 'a thought that is not complete');
      await page.reload();
      assert.equal(await answered(page), text);
      assert.equal(await page.inputValue('#input'), 'a thought that is not complete');
    }),
    'an answer goes on while the page is reloaded, and is shown from where it is': withPage(async page => {
      await ask(page, long);
      const before = await grownText(page, 20);
      await page.reload();
      await page.locator(`${ANSWER} .md`).waitFor();
      const after = await grownText(page, before.length + 20);
      assert.ok(after.startsWith(before.slice(0, 15)), `${after} begins as ${before}`);
      await page.keyboard.press('Escape');
      await answered(page, 60_000);
    }),
    'a second tab shows the same answer growing, and can stop it': withPage(async page => {
      await ask(page, long);
      await firstText(page);
      const other = await openTab(page);
      await grownText(other, 30);
      assert.equal(await other.locator('.message').count(), 2);
      await other.locator('#send[aria-label=Stop]').click();
      const text = await answered(other, 60_000);
      assert.equal(await answered(page, 60_000), text);
      for (const tab of [page, other]) await tab.locator(`${ANSWER} .notice`, { hasText: 'stopped' }).waitFor();
      assert.deepEqual(other.problems, []);
    }),
    'answers again and edits as branches, and goes from one to the other': withPage(async page => {
      await ask(page, question);
      await answered(page);
      await page.keyboard.press('Alt+KeyR');
      await page.locator('.branch-at', { hasText: '2 / 2' }).waitFor();
      await answered(page);
      await page.getByRole('button', { name: 'Previous answer' }).click();
      await page.locator('.answer .branch-at', { hasText: '1 / 2' }).waitFor();
      assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Next answer', 'the focus stays at the arrows');
      await page.keyboard.press('Alt+KeyE');
      await page.locator('.edit-box textarea').fill('Say only: yes.');
      await page.keyboard.press('Enter');
      await page.locator('.question .branch-at', { hasText: '2 / 2' }).waitFor();
      await answered(page);
      assert.equal(await page.innerText('.said'), 'Say only: yes.');
      const kept = page.waitForResponse(response => response.request().method() === 'PATCH');
      await page.getByRole('button', { name: 'Previous question' }).click();
      await page.locator('.said', { hasText: question }).waitFor();
      await kept;
      await page.reload();
      await page.locator('.question .branch-at', { hasText: '1 / 2' }).waitFor();
    }),
    'puts an answer in other words, keeps the old one, and goes on from there': withPage(async page => {
      await ask(page, question);
      const text = await answered(page);
      await page.getByRole('button', { name: 'Edit answer' }).click();
      await page.getByRole('textbox', { name: 'The answer in other words' }).fill('My own words are these:');
      await page.keyboard.press('Control+Enter');
      await page.locator('.answer .branch-at', { hasText: '2 / 2' }).waitFor();
      await page.getByRole('button', { name: 'Continue the answer' }).click();
      await page.locator(`${ANSWER} .stats`, { hasText: 'token' }).waitFor();
      assert.ok((await answered(page)).startsWith('My own words are these:'));
      await page.getByRole('button', { name: 'Previous answer' }).click();
      await page.locator('.answer .branch-at', { hasText: '1 / 2' }).waitFor();
      assert.equal(await answered(page), text);
    }),
    'finds a chat by its words, renames it, deletes it, and brings it back': withPage(async page => {
      const word = `zebra${Date.now() % 100_000}`;
      await ask(page, `Please say the word ${word} and nothing else.`);
      await answered(page);
      await page.keyboard.press('Alt+KeyN');
      await page.locator('#welcome').waitFor();
      await page.keyboard.press('Control+KeyK');
      await page.keyboard.type(word);
      await page.locator('.chat-row mark', { hasText: word }).first().waitFor();
      assert.equal(await page.locator('.chat-row').count(), 1);
      await page.locator('.chat-link').click();
      await page.locator('.said', { hasText: word }).waitFor();
      await page.fill('#search', '');
      await page.focus('.chat-link[aria-current=page]');
      await page.keyboard.press('F2');
      await page.keyboard.type(`Stripes ${word}`);
      await page.keyboard.press('Enter');
      await page.locator('.chat-link[aria-current=page]', { hasText: `Stripes ${word}` }).waitFor();
      await page.keyboard.press('Delete');
      await page.locator('.toast', { hasText: 'was deleted' }).waitFor();
      await page.locator('#welcome').waitFor();
      assert.equal(await page.locator('.chat-link', { hasText: word }).count(), 0);
      await page.getByRole('button', { name: 'Undo' }).click();
      await page.locator('.said', { hasText: word }).waitFor();
      await page.locator('.chat-link[aria-current=page]', { hasText: word }).waitFor();
    }),
    'what was exported can be brought in': withPage(async page => {
      await ask(page, question);
      const text = await answered(page);
      const [download] = await Promise.all([page.waitForEvent('download'), exportOpenChat(page)]);
      const path = await download.path();
      const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.click('#import')]);
      const before = new URL(page.url()).hash;
      await chooser.setFiles({ name: 'chat.json', mimeType: 'application/json', buffer: await readFile(path) });
      await page.locator('.toast', { hasText: 'brought in' }).waitFor();
      await page.waitForFunction(hash => location.hash !== hash, before);
      assert.equal(await answered(page), text);
    }),
    'has a dark and a light theme, remembers the choice, and axe finds nothing in either': withPage(async page => {
      await ask(page, question);
      await answered(page);
      const grounds = [];
      for (const theme of ['light', 'dark']) {
        while ((await page.getAttribute('#theme', 'data-theme')) !== theme) await page.click('#theme');
        await page.reload();
        await waitUntilReady(page);
        assert.equal(await page.getAttribute('html', 'data-theme'), theme);
        grounds.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
        await assertNoAxeFindings(page, theme);
      }
      assert.notEqual(grounds[0], grounds[1]);
    }, { viewport: DESKTOP }),
    'fits a phone': withPage(async page => {
      await ask(page, question);
      await answered(page);
      await assertNothingSticksOut(page);
      await page.click('#open-settings');
      const sheet = await page.locator('#settings').boundingBox();
      assert.deepEqual([sheet.x, sheet.width], [0, PHONE.width]);
      await assertNothingSticksOut(page);
      await assertNoAxeFindings(page, 'phone');
    }, { viewport: PHONE, hasTouch: true, isMobile: true }),
  };
}

export async function assertNothingSticksOut(page) {
  const widths = await page.evaluate(() => [document.documentElement, document.getElementById('scroller')].map(e => e.scrollWidth - e.clientWidth));
  assert.deepEqual(widths, [0, 0]);
  for (const name of ['#input', '#send', '#open-settings', ':is(#new-chat, #side-new-chat):visible']) {
    const box = await page.locator(name).first().boundingBox();
    assert.ok(box && box.x >= 0 && box.x + box.width <= page.viewportSize().width, `${name} is in view`);
  }
}

export async function assertNoAxeFindings(page, where) {
  assert.deepEqual(await findings(page), [], `axe, ${where}`);
}
