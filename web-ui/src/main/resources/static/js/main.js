import { Chat } from './chat.js';
import { Composer } from './composer.js';
import { byId, el } from './dom.js';
import { HealthWatch } from './health.js';
import { ModelPicker } from './model-picker.js';
import { Settings } from './settings.js';
import { bindSettings } from './settings-view.js';
import { bindShortcuts } from './shortcuts.js';
import { StatusView } from './status-view.js';
import { ThreadView, copyText } from './thread-view.js';

const STARTERS = [
  'Explain how rope bridges were built in the Andes',
  'Write a Java record for a geographic point, with validation',
  'Draft a short, friendly e-mail that moves a meeting to Thursday',
  'Compare quicksort and mergesort in a table',
];

const settings = new Settings();
const health = new HealthWatch();
const picker = new ModelPicker(settings, health);
const chat = new Chat(() => ({ model: picker.model, system: settings.system, sampling: settings.sampling }));
const thread = new ThreadView(chat);
const composer = new Composer(chat, () => thread.toEnd());
new StatusView(health);

const newChat = () => {
  chat.clear();
  composer.focus();
};
const copyLast = () => {
  if (chat.lastAnswer?.content) copyText(chat.lastAnswer.content, null);
};

bindSettings(settings);
bindShortcuts({ chat, composer, settings, copyLast, newChat });
byId('new-chat').addEventListener('click', newChat);
byId('starters').append(
  ...STARTERS.map(text => el('li', {}, el('button.starter', { type: 'button', onclick: () => composer.suggest(text) }, text))),
);
health.addEventListener('change', () => composer.setReady(health.current.phase === 'ready'));
// A failed request often means that the server's state has changed.
chat.addEventListener('change', ({ detail }) => detail.status === 'failed' && health.check());

await health.start();
if (matchMedia('(pointer: fine)').matches) composer.focus();
