/**
 * Writes a text only where it is another, so that what one reads or has marked stays as it is.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
