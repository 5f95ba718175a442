import DOMPurify from '../vendor/dompurify.js';

// The only place of the page that turns HTML text into elements.

const purify = DOMPurify(window);

const RULES = {
  ALLOWED_TAGS: [
    'a', 'b', 'blockquote', 'br', 'code', 'del', 'em', 'h3', 'h4', 'h5', 'h6', 'hr', 'i', 'kbd', 'li', 'mark', 'ol',
    'p', 'pre', 's', 'span', 'strong', 'sub', 'sup', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul',
  ],
  ALLOWED_ATTR: ['href', 'title', 'class', 'align', 'start'],
  ADD_URI_SAFE_ATTR: ['align', 'start'],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ALLOWED_NAMESPACES: ['http://www.w3.org/1999/xhtml'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

/** Classes of our own renderer and of the highlighter, so that text never borrows another part's looks. */
const CLASS = /^(?:hljs-[\w-]+|language-[\w+#.-]+|depth-[1-6]|raw|tex-(?:inline|block|open)|[a-z]+_)$/;

purify.addHook('uponSanitizeAttribute', (element, attribute) => {
  if (attribute.attrName !== 'class') return;
  attribute.attrValue = attribute.attrValue.split(/\s+/).filter(name => CLASS.test(name)).join(' ');
  attribute.keepAttr = attribute.attrValue !== '';
});

purify.addHook('afterSanitizeAttributes', element => {
  if (element.nodeName === 'A' && element.hasAttribute('href')) {
    element.setAttribute('target', '_blank');
    element.setAttribute('rel', 'noopener noreferrer nofollow');
  }
});

/**
 * Elements from HTML that may come from anywhere: nothing in them runs, loads, or has an id.
 * @param {string} html
 * @returns {DocumentFragment}
 */
export function safeFragment(html) {
  return purify.sanitize(html, RULES);
}

/**
 * Text of which parts have classes, as the highlighter gives them to words of code.
 * @param {[string, string][]} runs each with its classes, which may be none, and its text
 * @returns {DocumentFragment}
 */
export function safeRuns(runs) {
  const fragment = new DocumentFragment();
  for (const [classes, text] of runs) {
    const known = classes.split(' ').filter(name => CLASS.test(name)).join(' ');
    if (known === '') {
      fragment.append(text);
    } else {
      const span = document.createElement('span');
      span.className = known;
      span.textContent = text;
      fragment.append(span);
    }
  }
  return fragment;
}

const mathPurify = DOMPurify(window);

/** What KaTeX writes, without what could link, colour, or borrow a style. */
const MATH_RULES = {
  ALLOWED_TAGS: [
    '#text', 'math', 'menclose', 'mfrac', 'mi', 'mmultiscripts', 'mn', 'mo', 'mover', 'mpadded', 'mphantom', 'mprescripts', 'mroot', 'mrow',
    'ms', 'mspace', 'msqrt', 'mstyle', 'msub', 'msubsup', 'msup', 'mtable', 'mtd', 'mtext', 'mtr', 'munder', 'munderover',
  ],
  ALLOWED_ATTR: [
    'accent', 'accentunder', 'columnalign', 'columnspacing', 'depth', 'display', 'displaystyle', 'fence', 'form', 'height', 'largeop',
    'linethickness', 'lspace', 'mathvariant', 'maxsize', 'minsize', 'movablelimits', 'notation', 'rspace', 'scriptlevel', 'separator',
    'stretchy', 'symmetric', 'voffset', 'width',
  ],
  ALLOWED_NAMESPACES: ['http://www.w3.org/1999/xhtml', 'http://www.w3.org/1998/Math/MathML'],
  ALLOWED_URI_REGEXP: /^[^:]*$/,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  KEEP_CONTENT: false,
  RETURN_DOM_FRAGMENT: true,
};

/** Words of MathML, and lengths that stay near the line: nothing is drawn over other parts of the page. */
const MATH_VALUE = /^(?:[a-z]+(?:[ -][a-z]+)*|-?[0-2]?\d?(?:\.\d+)?(?:em|ex|pt|px|mu|%)?(?: 0?\.?\d{1,2}(?:em)?)*)$/;

mathPurify.addHook('uponSanitizeAttribute', (element, attribute) => {
  if (!MATH_VALUE.test(attribute.attrValue)) attribute.keepAttr = false;
});

/**
 * MathML elements from KaTeX's text, wherever its TeX came from. Browsers do not align columns by MathML's own
 * attribute, so cells get classes.
 * @param {string} mathMl
 * @returns {DocumentFragment}
 */
export function safeMath(mathMl) {
  const fragment = mathPurify.sanitize(mathMl, MATH_RULES);
  for (const table of fragment.querySelectorAll('mtable[columnalign]')) {
    const sides = table.getAttribute('columnalign').split(' ');
    for (const row of table.children) {
      [...row.children].forEach((cell, i) => cell.setAttribute('class', `cell-${sides[i] ?? 'center'}`));
    }
  }
  return fragment;
}
