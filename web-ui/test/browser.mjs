// Debian's Chromium through playwright-core.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';
if (!existsSync(executablePath)) {
  throw new Error(
    `The page's tests need Chromium: ${executablePath} (expected: an executable). Install the package "chromium", or name yours in the variable CHROMIUM.`,
  );
}

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740 };

export function launch() {
  return chromium.launch({ executablePath, args: ARGS });
}

/**
 * A page in a fresh context that remembers everything that must never happen: errors, broken CSP rules, dialogs, and
 * requests to anywhere but the server.
 */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, colorScheme: 'light', ...options });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(url).origin });
  return watched(await context.newPage(), url);
}

/** Another tab of the same browser at the same address. */
export async function openTab(page) {
  const { origin } = new URL(page.url());
  return watched(await page.context().newPage(), `${origin}/`, page.url());
}

/** Waits until something holds, which the page comes to at its own pace. */
export async function eventually(page, holds, what) {
  for (const began = Date.now(); !(await holds()); await page.waitForTimeout(20)) {
    if (Date.now() - began > 60_000) throw new Error(`it never came to this: ${what}`);
  }
}

async function watched(page, url, address = url) {
  page.problems = [];
  // A machine that is busy with other things is slow, not wrong.
  page.setDefaultTimeout(120_000);
  page.on('pageerror', error => page.problems.push(`error: ${error.message}`));
  page.on('console', message => {
    if (/Content Security Policy|Refused to|Uncaught/i.test(message.text())) page.problems.push(`console: ${message.text()}`);
  });
  page.on('dialog', dialog => {
    page.problems.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('request', request => {
    if (!request.url().startsWith(url) && !/^(?:data|blob):/.test(request.url())) page.problems.push(`request: ${request.url()}`);
  });
  await page.goto(address);
  return page;
}
