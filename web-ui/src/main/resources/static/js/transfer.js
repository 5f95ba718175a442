import { ApiError } from './api.js';
import { byId } from './dom.js';
import { toast } from './toast.js';

const LARGEST = 100_000_000;

/**
 * The buttons that bring chats in from a file, and out into one.
 * @param {import('./library.js').Library} library
 * @param {(id: string) => void} open opens a chat
 */
export function bindTransfer(library, open) {
  const chooser = byId('import-file');
  byId('import').addEventListener('click', () => chooser.click());
  chooser.addEventListener('change', async () => {
    const file = chooser.files[0];
    chooser.value = '';
    if (file) await bringIn(library, file, open);
  });
}

async function bringIn(library, file, open) {
  if (file.size > LARGEST) return toast(`${file.name} is too large to be brought in.`);
  const chats = [];
  try {
    for await (const some of library.bringIn(file.name, await file.text())) chats.push(...some);
    toast(chats.length === 1 ? `“${chats[0].title}” was brought in.` : `${chats.length} chats were brought in.`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const far = chats.length === 0 ? 'was not brought in' : `was brought in up to chat ${chats.length} and no further`;
    toast(`${file.name} ${far}. ${error.message}`);
  }
  if (chats.length > 0) open(chats[0].id);
}
