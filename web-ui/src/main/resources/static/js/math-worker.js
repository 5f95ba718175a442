// TeX to MathML, beside the page.
import '../vendor/katex.js';

const OPTIONS = {
  output: 'mathml',
  throwOnError: true,
  strict: 'ignore',
  maxSize: 20,
  // Links, pictures and HTML in a formula make it a broken one.
  trust: ({ command }) => {
    throw new Error(`${command} is not for here`);
  },
};
const LONGEST = 100_000;

/** Where the letters of a style begin in Unicode: capitals, small ones, digits. Browsers know only these. */
const STYLES = {
  'bold': [0x1d400, 0x1d41a, 0x1d7ce],
  'italic': [0x1d434, 0x1d44e],
  'bold-italic': [0x1d468, 0x1d482],
  'script': [0x1d49c, 0x1d4b6],
  'fraktur': [0x1d504, 0x1d51e],
  'double-struck': [0x1d538, 0x1d552, 0x1d7d8],
  'sans-serif': [0x1d5a0, 0x1d5ba, 0x1d7e2],
  'monospace': [0x1d670, 0x1d68a, 0x1d7f6],
};
/** Letters that Unicode had before. */
const OLDER = {
  'italic': { h: 'ℎ' },
  'script': { B: 'ℬ', E: 'ℰ', F: 'ℱ', H: 'ℋ', I: 'ℐ', L: 'ℒ', M: 'ℳ', R: 'ℛ', e: 'ℯ', g: 'ℊ', o: 'ℴ' },
  'fraktur': { C: 'ℭ', H: 'ℌ', I: 'ℑ', R: 'ℜ', Z: 'ℨ' },
  'double-struck': { C: 'ℂ', H: 'ℍ', N: 'ℕ', P: 'ℙ', Q: 'ℚ', R: 'ℝ', Z: 'ℤ' },
};

function styled(letter, style) {
  const older = OLDER[style]?.[letter];
  if (older) return older;
  const [capitals, small, digits] = STYLES[style];
  const code = letter.charCodeAt(0);
  if (code <= 0x39) return digits ? String.fromCodePoint(digits + code - 0x30) : letter;
  return String.fromCodePoint(code >= 0x61 ? small + code - 0x61 : capitals + code - 0x41);
}

function toMathMl(tex, isBlock) {
  return globalThis.katex
    .renderToString(tex, { ...OPTIONS, displayMode: isBlock })
    .replace(/^<span class="katex">|<\/span>$/g, '')
    .replace(/<annotation[^>]*>[^<]*<\/annotation>|<\/?semantics>|<mtd class ="(?:mtr-glue|mml-eqn-num)"><\/mtd>/g, '')
    .replace(/<(m[ino]|mtext) mathvariant="([a-z-]+)">([^<]*)</g, (all, tag, style, text) => {
      if (!(style in STYLES)) return all;
      // An entity is no run of letters.
      return `<${tag}>${text.replace(/&\w+;|[A-Za-z0-9]/g, letter => (letter.length === 1 ? styled(letter, style) : letter))}<`;
    });
}

onmessage = ({ data: { tex, isBlock } }) => {
  let mathMl = null;
  try {
    mathMl = toMathMl(tex, isBlock);
  } catch {
    // It stays text.
  }
  postMessage(mathMl === null || mathMl.length > LONGEST ? null : mathMl);
};
postMessage('ready');
