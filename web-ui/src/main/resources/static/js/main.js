import { AccountMenu } from './account-menu.js';
import { AccountsView } from './accounts-view.js';
import { Chat } from './chat.js';
import { ChatListView } from './chat-list-view.js';
import { ChatSearch } from './chat-search.js';
import { copyText } from './clipboard.js';
import { Composer } from './composer.js';
import { byId, el } from './dom.js';
import { DurableStream } from './durable-stream.js';
import { admitted, health, session } from './entrance.js';
import { KeysView } from './keys-view.js';
import { Library } from './library.js';
import { ModelChoice } from './model-choice.js';
import { ModelList } from './model-list.js';
import { ModelPicker } from './model-picker.js';
import { ModelsView } from './models-view.js';
import { Overview } from './overview.js';
import { PageTitle } from './page-title.js';
import { Router } from './router.js';
import { Settings } from './settings.js';
import { SettingsView } from './settings-view.js';
import { bindShortcuts } from './shortcuts.js';
import { Sidebar } from './sidebar.js';
import { takeReason } from './sign-in-elsewhere.js';
import { StatusView } from './status-view.js';
import { bindStorageNote } from './storage-note.js';
import { nextTask } from './tasks.js';
import { ThreadView } from './thread-view.js';
import { toast } from './toast.js';
import { bindTransfer } from './transfer.js';

const STARTERS = [
  'Explain how rope bridges were built in the Andes',
  'Write a Java record for a geographic point, with validation',
  'Draft a short, friendly e-mail that moves a meeting to Thursday',
  'Compare quicksort and mergesort in a table',
];
/** How long the durable stream may take to open before the chats are read without it. */
const STREAM_MS = 1_000;

// What is kept and what is asked for depends on who is there.
await admitted;
// The page is put together in several tasks, so that none is long on a slow machine.
await nextTask();
const settings = new Settings();
const models = new ModelList();
const chat = new Chat(() => ({ model: choice.name, chosen: settings.model, system: settings.system, sampling: settings.sampling }), () => library.canStore);
const choice = new ModelChoice(settings, chat, health, models);
const modelsView = new ModelsView(models, choice);
new ModelPicker(choice, health, models, () => modelsView.open());
await nextTask();
const library = new Library(id => chat.isWriting(id));
const stream = new DurableStream();
const router = new Router();
const sidebar = new Sidebar();
const search = new ChatSearch(library);
const thread = new ThreadView(chat, { onTakenBack: text => composer.suggest(text), onAsked: () => composer.focus() });
await nextTask();
const composer = new Composer(chat, () => thread.toEnd());
const keysView = new KeysView();
const overview = new Overview(session);
const settingsView = new SettingsView(settings, chat, () => {
  keysView.offer();
  overview.offer();
});
const pageTitle = new PageTitle(chat);
const accountsView = new AccountsView(session);
new AccountMenu(session, health, { keys: () => keysView.open(), accounts: () => accountsView.open(), overview: () => overview.open() });
new StatusView(health);

const newChat = () => {
  router.go(null);
  sidebar.chosen();
  composer.focus();
};
const copyLast = () => {
  if (chat.lastAnswer?.content) copyText(chat.lastAnswer.content, null);
};
/** Goes to the chat so many places further down the list. */
const goBy = step => {
  const { chats } = library;
  const at = chats.findIndex(({ id }) => id === chat.conversation?.id);
  const to = at < 0 ? chats[0] : chats[at + step];
  if (to) router.go(to.id);
};
const failed = error => toast(error.message);
const remove = async id => {
  const title = library.get(id)?.title || 'New chat';
  try {
    const restore = await library.remove(id);
    search.drop(id);
    if (id === chat.conversation?.id) router.go(null);
    toast(`“${title}” was deleted.`, {
      label: 'Undo',
      run: () => restore().then(() => {
        router.go(id);
        chatList.focus(id);
      }, failed),
    });
  } catch (error) {
    failed(error);
  }
};

function route() {
  const id = router.chatId;
  if (id === null) chat.openNew();
  else chat.open(id);
  sidebar.chosen();
}

function showIdentity() {
  const { conversation } = chat;
  const title = conversation?.title || library.get(conversation?.id)?.title || '';
  pageTitle.show(title);
  byId('chat-title').textContent = title || (chat.state === 'new' ? 'New chat' : 'Chat');
}

/** What may have changed while the page did not listen is read anew. */
function readAll() {
  return Promise.all([library.read(), chat.refresh()]);
}

/** The models' states change with the server's, and whoever comes back has missed some. A stranger may not ask. */
function readModels() {
  if (session.state === 'in' && health.current.phase !== 'away') models.refresh();
}

router.addEventListener('change', route);
for (const type of ['opened', 'identity']) {
  chat.addEventListener(type, () => {
    const id = chat.conversation?.id ?? null;
    router.settle(id);
    library.opened(id);
    showIdentity();
  });
}
chat.addEventListener('conversation', () => {
  if (chat.isLocal) library.noteLocal();
  else if (!stream.isOpen && chat.state === 'open') library.put(chat.conversation);
  showIdentity();
});
/** What was looked for when the chat was chosen. */
let sought = '';
chat.addEventListener('opened', () => (sought = search.words));
chat.addEventListener('messages', () => {
  if (sought === '' || chat.messages.length === 0) return;
  thread.seek(sought);
  sought = '';
});
chat.addEventListener('problem', ({ detail }) => failed(detail));
// A failed request often means that the server's state has changed.
chat.addEventListener('change', ({ detail }) => ['failed', 'unsent'].includes(detail.status) && health.check());
library.addEventListener('moved', ({ detail: { id, storedId } }) => chat.moved(id, storedId));
library.addEventListener('change', () => {
  if (library.storage === 'none') stream.end();
  else if (library.storage === 'ready') stream.hurry();
});
stream.addEventListener('told', ({ detail }) => {
  library.take(detail);
  chat.take(detail);
});
stream.addEventListener('anew', readAll);
stream.addEventListener('state', () => {
  // A stream that breaks off is the first sign that the server is away.
  if (!stream.isOpen) health.check();
  else if (library.storage !== 'ready' && library.storage !== 'unknown') readAll();
  else if (chat.isStale) chat.refresh();
});
health.addEventListener('change', () => {
  composer.setReady(health.current.phase === 'ready');
  if (health.current.phase !== 'away') stream.hurry();
  readModels();
});

stream.addEventListener('refused', () => session.check());
session.addEventListener('change', () => {
  const isIn = session.state === 'in';
  pageTitle.hide(!isIn);
  readModels();
  if (isIn) stream.resume();
  else stream.pause();
});

await nextTask();
bindStorageNote(library);
bindTransfer(library, id => router.go(id));
const chatList = new ChatListView(library, search, {
  rename: (id, title) => library.rename(id, title).then(showIdentity, failed),
  remove,
});
bindShortcuts({ chat, composer, settings, sidebar, copyLast, editLast: () => thread.editLast(), newChat, openSettings: () => settingsView.open(), goBy });
for (const id of ['new-chat', 'side-new-chat']) byId(id).addEventListener('click', newChat);
byId('search').addEventListener('input', event => search.look(event.target.value));
byId('starters').append(
  ...STARTERS.map(text => el('li', {}, el('button.starter', { type: 'button', onclick: () => composer.suggest(text) }, text))),
);

await nextTask();
route();
stream.start();
setTimeout(() => stream.isOpen || readAll(), STREAM_MS);
health.tell();
const cameBack = takeReason();
if (cameBack !== '') toast(cameBack);
if (matchMedia('(pointer: fine)').matches) composer.focus();
