import { Background } from './background.js';
import { safeMath } from './safe-dom.js';

// Draws formulas. Each is the text of its own span until KaTeX, fetched with the first one, has answered from beside
// the page; one that it does not take, or that is too long, stays text.

const LONGEST = 4_000;
const MOST_KEPT = 1_000;
/** Characters of a formula that may not fit a phone, so that it must be reached by keyboard to be scrolled. */
const WIDE = 24;

const worker = new Background(new URL('./math-worker.js', import.meta.url));
/** What is known of a formula by its text: elements to copy, or null where it stays text. */
const known = new Map();
const asked = new Map();

/**
 * Draws the formulas below an element that are not drawn yet: at once where they are known, else when they are.
 * @param {Element} root
 */
export function drawMath(root) {
  for (const span of root.querySelectorAll('.tex-inline:not([data-tex]), .tex-block:not([data-tex])')) {
    const source = span.textContent;
    if (known.has(source)) put(span, source);
    else request(source, span.className === 'tex-block').then(() => {
      if (span.isConnected && span.dataset.tex === undefined && span.textContent === source && known.has(source)) put(span, source);
    });
  }
}

function put(span, source) {
  const math = known.get(source);
  span.dataset.tex = source;
  if (math === null) return;
  span.replaceChildren(math.cloneNode(true));
  if (span.textContent.length > WIDE) {
    span.dataset.wide = '';
    span.tabIndex = 0;
  }
}

function request(source, isBlock) {
  let answer = asked.get(source);
  if (!answer) {
    const marks = source.startsWith('$') && !source.startsWith('$$') ? 1 : 2;
    const tex = source.slice(marks, -marks);
    answer = (source.length > LONGEST ? Promise.resolve(null) : worker.ask({ tex, isBlock }))
      .then(mathMl => remember(source, mathMl === null ? null : safeMath(mathMl)))
      // Nothing is known of it; the next drawing asks again.
      .catch(() => {})
      .finally(() => asked.delete(source));
    asked.set(source, answer);
  }
  return answer;
}

function remember(source, math) {
  if (known.size >= MOST_KEPT) known.delete(known.keys().next().value);
  known.set(source, math);
}
