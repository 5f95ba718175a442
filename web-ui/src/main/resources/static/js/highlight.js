import { safeFragment } from './safe-dom.js';

const LONGEST = 50_000;
let loading = null;

/**
 * Colours the code blocks below `root` that name a language and have no colours yet. The highlighter is fetched when
 * the first such block comes.
 * @param {Element} root
 */
export async function highlightCode(root) {
  const blocks = [...root.querySelectorAll('pre > code[class*="language-"]:not([data-highlighted])')];
  if (blocks.length === 0) return;
  loading ??= import('../vendor/highlight.js').then(module => module.default);
  const highlighter = await loading.catch(() => {
    loading = null;
    return null;
  });
  if (!highlighter) return;
  for (const block of blocks) {
    const language = /language-(\S+)/.exec(block.className)?.[1];
    const isOpen = block.querySelector('.cursor') !== null;
    if (isOpen || block.dataset.highlighted !== undefined || !highlighter.getLanguage(language)) continue;
    const code = block.textContent;
    if (code.length > LONGEST) continue;
    block.dataset.highlighted = '';
    block.replaceChildren(safeFragment(highlighter.highlight(code, { language, ignoreIllegals: true }).value));
  }
}
