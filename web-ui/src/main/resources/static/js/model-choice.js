/**
 * Which model is talked to: the open chat's own, or the one that new chats begin with. Event: `change`, when another one
 * may be.
 */
export class ModelChoice extends EventTarget {
  #settings;
  #chat;
  #health;
  #models;

  /**
   * @param {import('./settings.js').Settings} settings
   * @param {import('./chat.js').Chat} chat
   * @param {import('./health.js').HealthWatch} health
   * @param {import('./model-list.js').ModelList} models
   */
  constructor(settings, chat, health, models) {
    super();
    this.#settings = settings;
    this.#chat = chat;
    this.#health = health;
    this.#models = models;
    const tell = () => this.dispatchEvent(new Event('change'));
    for (const source of [settings, health, models]) source.addEventListener('change', tell);
    for (const type of ['opened', 'identity', 'conversation']) chat.addEventListener(type, tell);
  }

  /** As it was chosen, here or for the open chat; empty for the server's default. */
  get chosen() {
    const { conversation } = this.#chat;
    return conversation === null ? this.#settings.model : (conversation.model ?? '');
  }

  /** The name to put into a request. */
  get name() {
    return this.chosen || this.#health.current.model || this.#models.models[0]?.name || 'default';
  }

  /**
   * Talks to this model from now on, in the open chat and in new ones.
   * @param {string} name
   */
  choose(name) {
    if (this.#chat.conversation !== null && this.#chat.canGoOn) this.#chat.change({ model: name });
    this.#settings.set({ model: name });
  }
}
