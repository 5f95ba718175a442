// Where maths is in a Markdown text: `$…$`, `\(…\)`, and set apart `$$…$$`, `\[…\]`. Pure, and linear in the text's
// length: each opening mark looks no further than the next mark of its kind.

/** A closing mark, or what ends the search for it: another opening mark, or the paragraph's end. */
const ENDS = {
  '$': /\\[^\n]|[$\n]/g,
  '$$': /\\[^\n]|\$\$|\n[ \t]*\n/g,
  '\\(': /\\[^\n]|\n[ \t]*\n/g,
  '\\[': /\\[^\n]|\n[ \t]*\n/g,
};
const CLOSING = { '$': '$', '$$': '$$', '\\(': '\\)', '\\[': '\\]' };
/** A line that may begin a formula, or an empty one, at which the search ends. */
const LINE = /\n(?: {0,3}(?=\$\$|\\\[)|([ \t]*\n))/g;
/** How far to look for the next formula at once; marked asks again from there. */
const VIEW = 1_000;
/** A word of a sentence, as in "5 and 6", but not in "5 x" or "5 \text{ if } x". */
const PROSE = /^[\d.,]+\s[^\\^_=+<>{}]*[A-Za-z]{2}/;
const CODE_SPAN = /(?<!`)(`+)(?!`)[^]*?(?<!`)\1(?!`)/g;

function openingMark(text) {
  const first = text[0];
  if (first === '$') return text[1] === '$' ? '$$' : '$';
  return first === '\\' && (text[1] === '(' || text[1] === '[') ? text.slice(0, 2) : null;
}

/**
 * The maths that a text begins with.
 * @param {string} text
 * @param {string} before the character in front of it
 * @returns {{raw: string, isBlock: boolean, isClosed: boolean}|null}
 */
function mathAt(text, before) {
  const mark = openingMark(text);
  if (mark === null) return null;
  const isBlock = mark === '$$' || mark === '\\[';
  if (mark === '$' && (/[\w$\\]/.test(before) || /^\$\s/.test(text))) return null;
  const ends = ENDS[mark];
  ends.lastIndex = mark.length;
  for (let end = ends.exec(text); end !== null; end = ends.exec(text)) {
    if (end[0] === CLOSING[mark]) {
      const raw = text.slice(0, ends.lastIndex);
      const tex = raw.slice(mark.length, -mark.length);
      if (tex.trim() === '' || (mark === '$' && !isFormula(tex, text[ends.lastIndex]))) return null;
      return { raw, isBlock, isClosed: true };
    }
    if (end[0] === mark || end[0].startsWith('\n')) break;
  }
  return mark[0] === '\\' ? { raw: untilBlankLine(text), isBlock, isClosed: false } : null;
}

/** Whether what stands between two dollar signs is meant as maths and not as two prices. */
function isFormula(tex, after = '') {
  return !/\s$/.test(tex) && !/\w/.test(after) && !PROSE.test(tex);
}

function untilBlankLine(text) {
  const end = text.search(/\n[ \t]*(?:\n|$)/);
  return end < 0 ? text : text.slice(0, end);
}

/** Maths in lines of its own, or what will be once its end is written. */
function mathBlockAt(text) {
  const indent = /^ {0,3}/.exec(text)[0].length;
  const body = text.slice(indent);
  const mark = openingMark(body);
  if (mark !== '$$' && mark !== '\\[') return null;
  const math = mathAt(body, '');
  if (math?.isClosed) {
    const rest = /^[ \t]*[.,;:]?[ \t]*(?:\n+|$)/.exec(body.slice(math.raw.length));
    return rest && { ...math, raw: text.slice(0, indent + math.raw.length + rest[0].length), tex: math.raw, tail: rest[0].trim() };
  }
  if (mark === '$$' && !/^\$\$(?:[^\s$]|[ \t]*(?:\n|$))/.test(body)) return null;
  const open = untilBlankLine(body);
  return { raw: text.slice(0, indent) + open, tex: open, isBlock: true, isClosed: false };
}

/** All marks of a paragraph, in front of `end`, that may begin maths, with the maths or null. */
function* mathsOf(text, end = text.length) {
  const marks = /[$\\]/g;
  const view = text.slice(0, end);
  for (let mark = marks.exec(view); mark !== null; mark = marks.exec(view)) {
    const at = mark.index;
    const rest = text.slice(at);
    const startsLine = /(?:^|\n) {0,3}$/.test(text.slice(Math.max(0, at - 4), at));
    const math = (startsLine && mathBlockAt(rest)) || mathAt(rest, text[at - 1] ?? '');
    const length = math?.raw.length ?? (mark[0] === '\\' ? 2 : 1);
    yield { at, math, length };
    marks.lastIndex = at + length;
  }
}

/**
 * Whether the text ends inside a formula, so that what looks like Markdown there is none.
 * @param {string} text without code blocks
 * @returns {boolean}
 */
export function endsInMath(text) {
  const paragraph = text.split(/\n[ \t]*\n/).at(-1).replace(CODE_SPAN, code => 'c'.repeat(code.length));
  let dollar = -1;
  for (const { at, math } of mathsOf(paragraph)) {
    if (math && !math.isClosed) return true;
    if (paragraph[at] === '$') dollar = math ? -1 : at;
  }
  const last = dollar < 0 ? '' : paragraph.slice(dollar);
  return /^\$[^\s$\d]/.test(last) && !last.includes('\n') && /[\\^_{]/.test(last);
}

/** The text with all formulas blanked, of the same length: a `*` in a formula is no emphasis. */
export function maskMath(text) {
  let masked = '';
  let end = 0;
  for (const { at, math, length } of mathsOf(text)) {
    if (math === null) continue;
    masked += text.slice(end, at) + 'm'.repeat(length);
    end = at + length;
  }
  return masked + text.slice(end);
}

/**
 * Extensions for marked. Their tokens are of type `math` or `mathBlock`.
 * @param {(math: {raw: string, tex: string, isBlock: boolean, isClosed: boolean}) => string} toHtml
 */
export function mathExtensions(toHtml) {
  return [
    {
      name: 'mathBlock',
      level: 'block',
      start(source) {
        LINE.lastIndex = 0;
        for (let line = LINE.exec(source); line !== null && line[1] === undefined; line = LINE.exec(source)) {
          if (mathBlockAt(source.slice(line.index + 1))) return line.index + 1;
        }
        return undefined;
      },
      tokenizer(source) {
        const math = mathBlockAt(source);
        return math ? { type: 'mathBlock', ...math } : undefined;
      },
      renderer: math => `<p>${toHtml(math)}${math.tail ?? ''}</p>\n`,
    },
    {
      name: 'math',
      level: 'inline',
      start(source) {
        for (const { at, math } of mathsOf(source, VIEW)) {
          if (math) return at;
        }
        return source.length > VIEW ? VIEW : undefined;
      },
      tokenizer(source, tokens) {
        const math = mathAt(source, tokens.at(-1)?.raw.at(-1) ?? '');
        return math ? { type: 'math', ...math, tex: math.raw } : undefined;
      },
      renderer: toHtml,
    },
  ];
}
