import { isLocal } from './conversation.js';
import { byId, el } from './dom.js';
import { loadLocal } from './kept-chats.js';
import { Menu } from './menu.js';
import { exportAddress } from './stored-chats.js';

/**
 * The menu of a chat in the list: rename, export, delete.
 */
export class ChatMenu {
  #menu = new Menu(byId('chat-menu'));

  /**
   * @param {HTMLElement} button which the menu belongs to
   * @param {{id: string}} chat
   * @param {{rename: () => void, remove: () => void}} actions
   */
  open(button, { id }, { rename, remove }) {
    const menu = this.#menu;
    menu.open(button, [
      menu.item('edit', 'Rename', rename),
      ...(isLocal(id) ? [menu.item('save', 'Export as JSON', () => exportLocal(id))] : [
        menu.link('Export as JSON', exportAddress(id, 'json')),
        menu.link('Export as Markdown', exportAddress(id, 'markdown'))]),
      menu.item('remove', 'Delete', remove, 'danger'),
    ]);
  }
}

function exportLocal(id) {
  const { conversation, messages } = loadLocal(id);
  const file = { format: 'chasqui-conversations', version: 1, conversations: [{ ...conversation, messages }] };
  const href = URL.createObjectURL(new Blob([JSON.stringify(file)], { type: 'application/json' }));
  el('a', { href, download: `${id}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
