import { byId } from './dom.js';
import { load, save } from './store.js';

const KEY = 'sidebar';
const narrow = matchMedia('(max-width: 860px)');

/** The side with the chats: beside the page, or over it where there is no room. */
export class Sidebar {
  #side = byId('sidebar');
  #toggles = document.querySelectorAll('[data-toggles=sidebar]');
  #isOpen = load(KEY) !== 'closed';

  constructor() {
    for (const toggle of this.#toggles) toggle.addEventListener('click', () => this.toggle());
    byId('backdrop').addEventListener('click', () => this.#close());
    this.#side.addEventListener('keydown', event => {
      if (event.key !== 'Escape' || !this.isOverlay || event.defaultPrevented) return;
      event.preventDefault();
      this.#close();
    });
    narrow.addEventListener('change', () => this.#set(!narrow.matches && load(KEY) !== 'closed'));
    this.#set(!narrow.matches && this.#isOpen);
  }

  /** Whether it lies over the page now. */
  get isOverlay() {
    return narrow.matches && this.#isOpen;
  }

  toggle() {
    if (this.#isOpen) return this.#close();
    this.#set(true);
    if (!narrow.matches) save(KEY, null);
    byId('close-sidebar').focus();
  }

  /** Opens it and goes to the search. */
  search() {
    this.#set(true);
    byId('search').focus();
    byId('search').select();
  }

  /** One has chosen something in it: it makes room where it lies over the page. */
  chosen() {
    if (this.isOverlay) this.#set(false);
  }

  #close() {
    const hadFocus = this.#side.contains(document.activeElement);
    if (!narrow.matches) save(KEY, 'closed');
    this.#set(false);
    if (hadFocus) byId('open-sidebar').focus();
  }

  #set(isOpen) {
    this.#isOpen = isOpen;
    this.#side.inert = !isOpen;
    document.documentElement.dataset.sidebar = isOpen ? 'open' : 'closed';
    byId('backdrop').hidden = !this.isOverlay;
    byId('page').inert = this.isOverlay;
    for (const toggle of this.#toggles) toggle.ariaExpanded = String(isOpen);
  }
}
