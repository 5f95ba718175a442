// Takes the README's picture from a running product: CHASQUI_URL=http://127.0.0.1:8080 npm run screenshot
import { fileURLToPath } from 'node:url';
import { DESKTOP, launch, openPage } from './browser.mjs';
import { answered, ask, waitUntilReady } from './specs.mjs';

const url = new URL('/', process.env.CHASQUI_URL ?? 'http://127.0.0.1:8080').href;
const path = fileURLToPath(new URL('../../docs/images/chat.png', import.meta.url));
/** Chats that stand in the list: title, and how many days ago. */
const CHATS = [
  ['Rope bridges of the Andes', 0],
  ['Sourdough for beginners', 0],
  ['E-mail that moves the meeting', 1],
  ['Quicksort and mergesort, compared', 1],
  ['Trip to Cusco in June', 3],
  ['A record for geographic points', 3],
  ['Names for a small dog', 12],
  ['Regular expressions for dates', 12],
  ['Why the sky is blue', 45],
];
const QUESTIONS = [
  'Write a Python function that checks whether a word is a palindrome. Explain it in two sentences.',
  'Write a short JavaScript function that reverses a string and explain it.',
];

async function importChats() {
  const conversations = CHATS.map(([title, days]) => ({
    title,
    updated_at: new Date(Date.now() - days * 86_400_000 - 3_600_000).toISOString(),
    messages: [{ id: 'q', role: 'user', content: title }, { id: 'a', parent_id: 'q', role: 'assistant', content: 'Gladly.' }],
  }));
  const response = await fetch(new URL('/api/conversations/import', url), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ conversations }),
  });
  if (!response.ok) throw new Error(await response.text());
}

const browser = await launch();
try {
  await importChats();
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
  await page.focus('.chat-link[aria-current=page]');
  await page.keyboard.press('F2');
  await page.keyboard.type('Two short functions');
  await page.keyboard.press('Enter');
  await page.locator('.chat-link[aria-current=page]', { hasText: 'Two short' }).waitFor();
  await page.focus('#input');
  await page.locator('#scroller').evaluate(scroller => (scroller.scrollTop = 0));
  await page.locator('.hljs-keyword').last().waitFor();
  await page.mouse.move(0, 400);
  await page.waitForTimeout(100);
  await page.screenshot({ path });
  console.log(path);
} finally {
  await browser.close();
}
