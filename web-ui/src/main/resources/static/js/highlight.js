import { Background } from './background.js';
import { CODE } from './markdown-pieces.js';
import { safeRuns } from './safe-dom.js';

const worker = new Background(new URL('./highlight-worker.js', import.meta.url));

/**
 * Colours the code blocks below `root` that name a language and have no colours yet. The highlighter is fetched, beside
 * the page, when the first such block comes.
 * @param {Element} root
 */
export function highlightCode(root) {
  for (const block of root.querySelectorAll('pre > code[class*="language-"]:not([data-highlighted])')) colour(block);
}

async function colour(block) {
  const language = /language-(\S+)/.exec(block.className)[1];
  const code = block.textContent;
  if (code.length > CODE || isOpen(block)) return;
  const runs = await worker.ask({ code, language }).catch(() => null);
  if (runs === null || isOpen(block) || block.dataset.highlighted !== undefined || block.textContent !== code) return;
  block.dataset.highlighted = '';
  block.replaceChildren(safeRuns(runs));
}

/** Whether the block is still being written. */
function isOpen(block) {
  return block.querySelector('.cursor') !== null;
}
