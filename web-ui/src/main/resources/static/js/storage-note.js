import { announce } from './announcer.js';
import { byId } from './dom.js';

const TEXTS = {
  unavailable: 'The server cannot store chats right now. You can chat all the same: what you say is kept in this browser, and stored when that works again.',
  none: 'This server does not store chats. They are kept in this browser only.',
};

/**
 * Says where chats are kept when it is not on the server.
 * @param {import('./library.js').Library} library
 */
export function bindStorageNote(library) {
  const note = byId('storage-note');
  library.addEventListener('change', () => {
    byId('side-foot').hidden = library.storage === 'none';
    const text = TEXTS[library.storage] ?? '';
    if (note.textContent === text) return;
    if (text !== '') announce(text);
    else if (library.storage === 'ready') announce('Chats are stored again.');
    note.textContent = text;
    note.hidden = text === '';
  });
}
