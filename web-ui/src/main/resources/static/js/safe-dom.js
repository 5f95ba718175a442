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
const CLASS = /^(?:hljs-[\w-]+|language-[\w+#.-]+|depth-[1-6]|raw|[a-z]+_)$/;

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
