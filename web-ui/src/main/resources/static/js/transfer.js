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
  try {
    const chats = await library.bringIn(file.name, await file.text());
    toast(chats.length === 1 ? `“${chats[0].title}” was brought in.` : `${chats.length} chats were brought in.`);
    if (chats.length > 0) open(chats[0].id);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(`${file.name} was not brought in. ${error.message}`);
  }
}
