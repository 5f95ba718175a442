// What the page must do with any server, real or scripted. No expectation about the answers' words.
import assert from 'node:assert/strict';
import { findings } from './axe.mjs';
import { DESKTOP, PHONE, openPage } from './browser.mjs';

const ANSWER = '.answer:last-of-type';

/** Waits until the page says that the model is ready. */
export async function waitUntilReady(page, timeout = 180_000) {
  await page.locator('.picker-button .dot[data-state=ready]').waitFor({ timeout });
  await page.locator('#status').waitFor({ state: 'hidden', timeout: 10_000 });
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

export async function firstText(page, timeout = 60_000) {
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
      const text = await answered(page, 5_000);
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
    'keeps what had arrived when it is reloaded in mid-answer, and can answer again': withPage(async page => {
      await ask(page, long);
      await firstText(page);
      await page.reload();
      await waitUntilReady(page);
      assert.ok((await answered(page)).trim().length > 0);
      await page.locator(`${ANSWER} .notice`, { hasText: 'interrupted' }).waitFor();
      await page.getByRole('button', { name: 'Regenerate' }).click();
      await firstText(page);
      await page.keyboard.press('Escape');
      await answered(page, 5_000);
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
  for (const id of ['input', 'send', 'new-chat', 'open-settings']) {
    const box = await page.locator(`#${id}`).boundingBox();
    assert.ok(box && box.x >= 0 && box.x + box.width <= page.viewportSize().width, `#${id} is in view`);
  }
}

export async function assertNoAxeFindings(page, where) {
  assert.deepEqual(await findings(page), [], `axe, ${where}`);
}
