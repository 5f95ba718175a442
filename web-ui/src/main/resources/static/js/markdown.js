import { Lexer, Marked } from '../vendor/marked.js';
import { endsInMath, maskMath, mathExtensions } from './math-syntax.js';

// Markdown to HTML text. Pure: no DOM. Raw HTML in the source stays visible text; `safe-dom.js` is the second wall.

/** Tags that models like to write inside text and that are harmless without attributes. */
const PLAIN_TAG = /^<\/?(?:br|sub|sup|kbd|mark)\s*\/?>$/i;
const LANGUAGE = /^[\w+#.-]{1,30}/;
const SAFE_SCHEMES = new Set(['http:', 'https:', 'mailto:']);

/**
 * An address that a link may have, or null: absolute, and only http, https or mailto.
 * @param {string} href
 * @returns {string|null}
 */
export function safeHref(href) {
  try {
    return SAFE_SCHEMES.has(new URL(href).protocol) ? href : null;
  } catch {
    return null;
  }
}

/** Text as HTML; entities that the text already has stay entities, as Markdown wants it. */
function escapeText(text) {
  return escapeAll(text.replace(/&(?=#\d{1,7};|#x[\da-f]{1,6};|\w{1,32};)/gi, '\u0000')).replaceAll('\u0000', '&');
}

function escapeAll(text) {
  const names = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, character => names[character]);
}

function link(href, content, title) {
  const address = safeHref(href);
  if (address === null) return content;
  return `<a href="${escapeText(address)}"${title ? ` title="${escapeText(title)}"` : ''}>${content}</a>`;
}

const renderer = {
  html({ text, block }) {
    if (block) return `<p class="raw">${escapeAll(text.trimEnd())}</p>\n`;
    return PLAIN_TAG.test(text) ? text : escapeAll(text);
  },
  text(token) {
    return token.tokens ? this.parser.parseInline(token.tokens) : escapeText(token.text);
  },
  link({ href, title, tokens }) {
    return link(href, this.parser.parseInline(tokens), title);
  },
  image({ href, text }) {
    const name = escapeText(text || 'image');
    return safeHref(href) === null ? `[${name}]` : link(href, `${name} (image)`, href);
  },
  heading({ tokens, depth }) {
    // The page has h1, each message an h2.
    const level = Math.min(depth + 2, 6);
    return `<h${level} class="depth-${depth}">${this.parser.parseInline(tokens)}</h${level}>\n`;
  },
  code({ text, lang }) {
    const language = LANGUAGE.exec(lang ?? '')?.[0].toLowerCase();
    return `<pre><code${language ? ` class="language-${language}"` : ''}>${escapeAll(text)}\n</code></pre>\n`;
  },
  checkbox({ checked }) {
    return checked ? '☑ ' : '☐ ';
  },
};

/** A formula as its own text; `math.js` draws it. One without its end stays text. */
function formula({ tex, isBlock, isClosed }) {
  const kind = isClosed ? (isBlock ? 'tex-block' : 'tex-inline') : 'tex-open';
  return `<span class="${kind}">${escapeAll(tex)}</span>`;
}

const marked = new Marked({ gfm: true, renderer, extensions: mathExtensions(formula), hooks: { emStrongMask: maskMath } });

/**
 * The HTML of a whole Markdown text.
 * @param {string} source
 * @returns {string}
 */
export function toHtml(source) {
  return marked.parse(source.replaceAll('\u0000', '\uFFFD'));
}

/**
 * The blocks that a text consists of, without what is in them.
 * @param {string} source
 * @returns {{type: string, raw: string}[]}
 */
export function blocksOf(source) {
  return new Lexer(marked.defaults).blockTokens(source);
}

/**
 * The text with what is half written made good, so that it does not flicker: markers that open something are closed,
 * and markers at the end that may become anything are left out.
 * @param {string} source the unsettled end of a text
 * @returns {string}
 */
export function mend(source) {
  const start = source.lastIndexOf('\n') + 1;
  let line = source.slice(start);
  const fence = openFence(source.slice(0, start));
  if (fence !== null) {
    // Inside a code block all text is text, but the last line may be the closing fence to be.
    return fence.startsWith(line.trim()) ? source.slice(0, start) : source;
  }
  if (endsInMath(source)) return source;
  if (/^\s*(?:[-*+=#>|`~_]{1,6}|\d+[.)]?)\s*$/.test(line)) return source.slice(0, start);
  line = line.replace(/!?\[([^\][]*)(?:\]\([^()\s]*)?$/, '$1').replace(/(?:\*{1,3}|_{1,3}|~{1,2}|`+)$/, marker => {
    return isOpen(line.slice(0, -marker.length), marker) ? marker : '';
  });
  for (const marker of ['`', '**', '~~']) {
    if (isOpen(line, marker)) line = line.trimEnd() + marker;
  }
  return source.slice(0, start) + line;
}

/** The fence of the code block that these lines leave open, or null. */
function openFence(lines) {
  let open = null;
  for (const [, fence, rest] of lines.matchAll(/^\s*(`{3,}|~{3,})(.*)$/gm)) {
    if (open === null) open = fence;
    else if (fence.startsWith(open) && rest.trim() === '') open = null;
  }
  return open;
}

function isOpen(line, marker) {
  return line.split(marker).length % 2 === 0;
}
