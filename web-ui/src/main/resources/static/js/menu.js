import { el, icon } from './dom.js';

/**
 * A menu that belongs to the button which opened it.
 */
export class Menu {
  #menu;
  #button = null;

  /** @param {HTMLElement} element with the role of a menu, shown as a popover */
  constructor(element) {
    this.#menu = element;
    element.addEventListener('keydown', event => this.#move(event));
    element.addEventListener('toggle', ({ newState }) => newState === 'closed' && this.#closed());
  }

  /**
   * @param {HTMLElement} button
   * @param {HTMLElement[]} entries of which at least one is an item
   */
  open(button, entries) {
    if (this.#button) this.#button.ariaExpanded = 'false';
    this.#button = button;
    button.ariaExpanded = 'true';
    this.#menu.replaceChildren(...entries);
    this.#menu.showPopover();
    this.#place(button.getBoundingClientRect());
    this.#items[0].focus();
  }

  /**
   * @param {string} sign in front of it
   * @param {string} label
   * @param {() => void} run
   * @param {string} [kind] class of its own
   */
  item(sign, label, run, kind = '') {
    const choose = () => {
      const button = this.#button;
      this.#button = null;
      this.#menu.hidePopover();
      if (button) button.ariaExpanded = 'false';
      run();
    };
    return el(`button.menu-item${kind && `.${kind}`}`, { type: 'button', role: 'menuitem', onclick: choose }, icon(sign), label);
  }

  /**
   * @param {string} label
   * @param {string} href of what is downloaded
   */
  link(label, href) {
    return el('a.menu-item', { role: 'menuitem', href, download: '', onclick: () => this.#menu.hidePopover() }, icon('save'), label);
  }

  /**
   * @param {string} sign in front of it
   * @param {string} label
   * @param {string} href where it leads, away from the page
   */
  way(sign, label, href) {
    return el('a.menu-item', { role: 'menuitem', href }, icon(sign), label);
  }

  get #items() {
    return [...this.#menu.querySelectorAll('[role=menuitem]')];
  }

  #place({ right, top, bottom }) {
    const { offsetWidth: width, offsetHeight: height } = this.#menu;
    const below = bottom + 4 + height <= innerHeight;
    this.#menu.style.left = `${Math.max(8, Math.min(right - width, innerWidth - width - 8))}px`;
    this.#menu.style.top = `${below ? bottom + 4 : Math.max(8, top - height - 4)}px`;
  }

  #move(event) {
    const items = this.#items;
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === 'Tab') this.#menu.hidePopover();
    if (to === undefined) return;
    event.preventDefault();
    items.at(to % items.length).focus();
  }

  #closed() {
    const button = this.#button;
    this.#button = null;
    if (button === null) return;
    button.ariaExpanded = 'false';
    if (button.isConnected && (document.activeElement === document.body || this.#menu.contains(document.activeElement))) button.focus();
  }
}
