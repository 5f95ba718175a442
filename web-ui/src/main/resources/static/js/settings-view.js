import { byId } from './dom.js';
import { showProblem } from './problem.js';
import { SAMPLING, parseSampling } from './settings.js';
import { closeOnBackdrop, openSheet } from './sheet.js';
import { THEMES, currentTheme, setTheme } from './theme.js';

const SAVE_AFTER_MS = 400;

/**
 * The settings dialog and the theme button. Every change counts at once. System prompt and sampling are those of the
 * open chat, or those that new chats begin with.
 */
export class SettingsView {
  #settings;
  #chat;
  #onOpen;
  #dialog = byId('settings');
  #timer = 0;
  #changes = null;

  /**
   * @param {import('./settings.js').Settings} settings
   * @param {import('./chat.js').Chat} chat
   * @param {() => void} onOpen
   */
  constructor(settings, chat, onOpen) {
    this.#settings = settings;
    this.#chat = chat;
    this.#onOpen = onOpen;
    byId('open-settings').addEventListener('click', () => this.open());
    closeOnBackdrop(this.#dialog);
    this.#dialog.addEventListener('close', () => this.#store());
    bindTheme();

    for (const radio of document.querySelectorAll('input[name=scope]')) radio.addEventListener('change', () => this.#fill());
    byId('system').addEventListener('input', event => this.#set({ system: event.target.value }));
    byId('single-keys').addEventListener('change', event => settings.set({ singleKeys: event.target.checked }));
    for (const name of Object.keys(SAMPLING)) {
      byId(name).addEventListener('input', event => this.#readSampling(name, event.target));
    }
    byId('reset-settings').addEventListener('click', () => {
      this.#set({ system: '', sampling: {} });
      settings.set({ singleKeys: true });
      this.#fill();
    });
    chat.addEventListener('opened', () => this.#dialog.open && this.#dialog.close());
    this.#fill();
  }

  /** Shows the dialog, with the open chat's settings where there is one. */
  open() {
    const hasChat = this.#chat.conversation !== null && this.#chat.state === 'open';
    byId('scope').hidden = !hasChat;
    document.querySelector(`input[name=scope][value=${hasChat ? 'chat' : 'new'}]`).checked = true;
    this.#fill();
    this.#onOpen();
    openSheet(this.#dialog);
  }

  get #isOfChat() {
    return document.querySelector('input[name=scope]:checked').value === 'chat' && this.#chat.conversation !== null;
  }

  get #values() {
    if (!this.#isOfChat) return this.#settings;
    const { system_prompt: system, settings: sampling } = { ...this.#chat.conversation, ...this.#changes };
    return { system, sampling };
  }

  #set({ system, sampling }) {
    if (!this.#isOfChat) return this.#settings.set({ ...(system !== undefined && { system }), ...(sampling && { sampling }) });
    this.#changes = { ...this.#changes, ...(system !== undefined && { system_prompt: system }), ...(sampling && { settings: sampling }) };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#store(), SAVE_AFTER_MS);
  }

  #store() {
    clearTimeout(this.#timer);
    const changes = this.#changes;
    this.#changes = null;
    if (changes) this.#chat.change(changes);
  }

  #fill() {
    this.#store();
    const { system, sampling } = this.#values;
    byId('system').value = system;
    byId('system-about').textContent = this.#isOfChat ? 'Said to the model in front of this chat.' : 'Said to the model in front of every new chat.';
    byId('single-keys').checked = this.#settings.singleKeys;
    for (const name of Object.keys(SAMPLING)) {
      byId(name).value = sampling[name] ?? '';
      markProblem(byId(name), '');
    }
  }

  #readSampling(name, input) {
    try {
      const value = parseSampling(name, input.value);
      const sampling = { ...this.#values.sampling };
      if (value === null) delete sampling[name];
      else sampling[name] = value;
      this.#set({ sampling });
      markProblem(input, '');
    } catch (error) {
      markProblem(input, error.message);
    }
  }
}

function markProblem(input, text) {
  input.ariaInvalid = text === '' ? null : 'true';
  showProblem(input.closest('.field'), text);
}

function bindTheme() {
  const button = byId('theme');
  const radios = document.querySelectorAll('input[name=theme]');
  const show = () => {
    const theme = currentTheme();
    button.dataset.theme = theme;
    button.ariaLabel = `Theme: ${theme}`;
    button.title = `Theme: ${theme} (Alt+T)`;
    for (const radio of radios) radio.checked = radio.value === theme;
  };
  button.addEventListener('click', () => setTheme(THEMES[(THEMES.indexOf(currentTheme()) + 1) % THEMES.length]));
  for (const radio of radios) radio.addEventListener('change', () => setTheme(radio.value));
  document.addEventListener('themechange', show);
  show();
}
