// Takes the README's picture from a running product: CHASQUI_URL=http://127.0.0.1:8080 npm run screenshot
import { fileURLToPath } from 'node:url';
import { DESKTOP, launch, openPage } from './browser.mjs';
import { answered, ask, waitUntilReady } from './specs.mjs';

const url = new URL('/', process.env.CHASQUI_URL ?? 'http://127.0.0.1:8080').href;
const path = fileURLToPath(new URL('../../docs/images/chat.png', import.meta.url));
const QUESTIONS = [
  'Write a Python function that checks whether a word is a palindrome. Explain it in two sentences.',
  'Write a short JavaScript function that reverses a string and explain it.',
];

const browser = await launch();
try {
  const page = await openPage(browser, url, { viewport: DESKTOP });
  await waitUntilReady(page);
  await page.click('#open-settings');
  await page.fill('#temperature', '0');
  await page.fill('#max_tokens', '300');
  await page.keyboard.press('Escape');
  for (const question of QUESTIONS) {
    await ask(page, question);
    await answered(page);
  }
  await page.locator('#scroller').evaluate(scroller => (scroller.scrollTop = 0));
  await page.locator('.hljs-keyword').last().waitFor();
  await page.mouse.move(0, 400);
  await page.waitForTimeout(100);
  await page.screenshot({ path });
  console.log(path);
} finally {
  await browser.close();
}
