/**
 * An element: `el('button.icon', { type: 'button', onclick }, 'text', child)`. Keys are properties of the element.
 * @param {string} tag name and classes
 * @param {object} [properties]
 * @param {...(Node|string|null|false)} children null and false are left out
 * @returns {HTMLElement}
 */
export function el(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name);
  if (classes.length > 0) element.className = classes.join(' ');
  Object.assign(element, properties);
  element.append(...children.filter(child => child !== null && child !== false));
  return element;
}

/**
 * Whether a key belongs to an input method, which is putting a word together: its Enter and its Escape are not ours.
 * @param {KeyboardEvent} event
 */
export function isComposing({ isComposing: composes, keyCode }) {
  // Safari ends the composition first and then tells of the key, with this code.
  return composes || keyCode === 229;
}

const SVG = 'http://www.w3.org/2000/svg';
const ICONS = {
  send: 'M12 19V5m-6 6 6-6 6 6',
  stop: 'M8 8h8v8H8z',
  copy: 'M9 9h10v10H9zM5 15V5h10',
  check: 'm5 13 4 4L19 7',
  retry: 'M19 12a7 7 0 1 1-2.1-5M19 4v4h-4',
  resume: 'M6 12h11m-4-5 5 5-5 5',
  edit: 'M4 20h4L19 9l-4-4L4 16zM13.5 6.5l4 4',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
  back: 'm14 7-5 5 5 5',
  forth: 'm10 7 5 5-5 5',
  close: 'm6 6 12 12M18 6 6 18',
  save: 'M12 4v11m-5-5 5 5 5-5M5 20h14',
  person: 'M12 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M5 19.5c.8-3.3 3.5-5 7-5s6.2 1.7 7 5',
  remove: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  eye: 'M3 12c2.3-4 5.3-6 9-6s6.7 2 9 6c-2.3 4-5.3 6-9 6s-6.7-2-9-6m9-2.6a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2',
  key: 'M8 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7m3.5 3.5H20m-3 0v3.5',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  updown: 'm8 9.5 4-4 4 4m-8 5 4 4 4-4',
  connect: 'M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1',
  chart: 'M5 4v15h15M9 15v-4m4 4V7m4 8v-6',
  leave: 'M10 4H5v16h5M10 12h10m-4-4 4 4-4 4',
};

/**
 * A drawn sign for a button; its meaning must be in the button's label.
 * @param {keyof ICONS} name
 * @returns {SVGElement}
 */
export function icon(name) {
  return draw('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' }, draw('path', { d: ICONS[name] }));
}

/**
 * An element of a drawing.
 * @param {string} name
 * @param {object} attributes
 * @param {...(Node|string)} children
 * @returns {SVGElement}
 */
export function draw(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/**
 * The element of the page with this id.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`#${id} is not in the page`);
  return element;
}
