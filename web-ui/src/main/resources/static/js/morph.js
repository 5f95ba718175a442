/**
 * Makes the children of `parent`, from number `from` on, equal to those of `fresh`, touching as little as it can: what
 * is selected stays selected, what is scrolled stays scrolled, and nothing flickers. `fresh` is used up.
 * @param {Node} parent
 * @param {Node} fresh
 * @param {number} [from]
 */
export function morph(parent, fresh, from = 0) {
  const wanted = [...fresh.childNodes];
  wanted.forEach((node, i) => {
    const present = parent.childNodes[from + i];
    if (!present) parent.appendChild(node);
    else if (present.nodeName !== node.nodeName) present.replaceWith(node);
    else if (present.nodeType === Node.TEXT_NODE) morphText(present, node.data);
    else if (!isDrawn(present, node)) {
      morphAttributes(present, node);
      morph(present, node);
    }
  });
  while (parent.childNodes.length > from + wanted.length) parent.lastChild.remove();
}

function morphText(present, text) {
  if (text.startsWith(present.data)) present.appendData(text.slice(present.data.length));
  else present.data = text;
}

function morphAttributes(present, node) {
  for (const { name } of [...present.attributes]) {
    if (!node.hasAttribute(name)) present.removeAttribute(name);
  }
  for (const { name, value } of node.attributes) {
    if (present.getAttribute(name) !== value) present.setAttribute(name, value);
  }
}

/** Colours of code and formulas are put on afterwards; where the text is the same it need not lose them. */
function isDrawn(present, node) {
  const { highlighted, tex } = present.dataset ?? {};
  return (highlighted !== undefined && present.textContent === node.textContent) || (tex !== undefined && tex === node.textContent);
}
