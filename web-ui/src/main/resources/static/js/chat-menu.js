import { isLocal } from './conversation.js';
import { byId, el, icon } from './dom.js';
import { loadLocal } from './kept-chats.js';
import { exportAddress } from './stored-chats.js';

/**
 * The menu of a chat in the list: rename, export, delete.
 */
export class ChatMenu {
  #menu = byId('chat-menu');
  #button = null;

  constructor() {
    this.#menu.addEventListener('keydown', event => this.#move(event));
    this.#menu.addEventListener('toggle', ({ newState }) => newState === 'closed' && this.#closed());
  }

  /**
   * @param {HTMLElement} button which the menu belongs to
   * @param {{id: string}} chat
   * @param {{rename: () => void, remove: () => void}} actions
   */
  open(button, { id }, { rename, remove }) {
    this.#button = button;
    button.ariaExpanded = 'true';
    this.#menu.replaceChildren(
      this.#item('edit', 'Rename', rename),
      ...(isLocal(id) ? [this.#localExport(id)] : [
        this.#link('Export as JSON', exportAddress(id, 'json')),
        this.#link('Export as Markdown', exportAddress(id, 'markdown'))]),
      this.#item('remove', 'Delete', remove, 'danger'),
    );
    this.#menu.showPopover();
    this.#place(button.getBoundingClientRect());
    this.#menu.firstElementChild.focus();
  }

  #item(sign, label, run, kind = '') {
    const choose = () => {
      this.#button = null;
      this.#menu.hidePopover();
      run();
    };
    return el(`button.menu-item${kind && `.${kind}`}`, { type: 'button', role: 'menuitem', onclick: choose }, icon(sign), label);
  }

  #link(label, href) {
    return el('a.menu-item', { role: 'menuitem', href, download: '', onclick: () => this.#menu.hidePopover() }, icon('save'), label);
  }

  #localExport(id) {
    return this.#item('save', 'Export as JSON', () => {
      const { conversation, messages } = loadLocal(id);
      const file = { format: 'chasqui-conversations', version: 1, conversations: [{ ...conversation, messages }] };
      const href = URL.createObjectURL(new Blob([JSON.stringify(file)], { type: 'application/json' }));
      el('a', { href, download: `${id}.json` }).click();
      setTimeout(() => URL.revokeObjectURL(href), 60_000);
    });
  }

  #place({ right, top, bottom }) {
    const { offsetWidth: width, offsetHeight: height } = this.#menu;
    const below = bottom + 4 + height <= innerHeight;
    this.#menu.style.left = `${Math.max(8, Math.min(right - width, innerWidth - width - 8))}px`;
    this.#menu.style.top = `${below ? bottom + 4 : Math.max(8, top - height - 4)}px`;
  }

  #move(event) {
    const items = [...this.#menu.children];
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
    for (const open of document.querySelectorAll('.chat-more[aria-expanded=true]')) open.ariaExpanded = 'false';
    if (button?.isConnected && (document.activeElement === document.body || this.#menu.contains(document.activeElement))) button.focus();
  }
}
