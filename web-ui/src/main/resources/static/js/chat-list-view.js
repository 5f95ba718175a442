import { announce } from './announcer.js';
import { ChatMenu } from './chat-menu.js';
import { isLocal } from './conversation.js';
import { dayGroup } from './days.js';
import { byId, el, icon, isComposing } from './dom.js';
import { addressOf } from './router.js';

/**
 * The list of chats at the side: by day, or what a search has found. It is one stop of the Tab key; the arrows go from
 * chat to chat.
 */
export class ChatListView {
  #list = byId('chat-list');
  #note = byId('chat-list-note');
  #library;
  #search;
  #actions;
  #menu = new ChatMenu();
  #rows = new Map();
  #groups = new Map();
  #frame = 0;
  #end = el('div.list-end', { ariaHidden: 'true' });
  #announced = '';
  /** A title is being written, which moving its row would end. */
  #isNaming = false;

  /**
   * @param {import('./library.js').Library} library
   * @param {import('./chat-search.js').ChatSearch} search
   * @param {{rename: (id: string, title: string) => void, remove: (id: string) => void}} actions
   */
  constructor(library, search, actions) {
    this.#library = library;
    this.#search = search;
    this.#actions = actions;
    for (const source of [library, search]) source.addEventListener('change', () => this.#showSoon());
    this.#list.addEventListener('keydown', event => this.#key(event));
    this.#list.addEventListener('click', event => this.#clicked(event));
    this.#list.after(this.#end);
    const seesEnd = new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && this.#more(), { root: byId('chat-scroller'), rootMargin: '400px' });
    seesEnd.observe(this.#end);
    this.#show();
  }

  #more() {
    return this.#search.words === '' ? this.#library.more() : this.#search.more();
  }

  #showSoon() {
    this.#frame ||= setTimeout(() => {
      this.#frame = 0;
      this.#show();
    });
  }

  #show() {
    if (this.#isNaming) return;
    const searches = this.#search.words !== '';
    const chats = searches ? this.#search.found : this.#library.chats;
    const now = new Date();
    const known = new Set(chats.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (known.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    const groups = new Map();
    for (const chat of chats) {
      const name = searches ? 'Found' : isLocal(chat.id) ? 'In this browser only' : dayGroup(Date.parse(chat.updated_at), now);
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(this.#row(chat).element);
    }
    this.#placeGroups(groups);
    this.#rove();
    this.#say(chats.length);
    // Where the end is still in view the observer says nothing more.
    if (this.#end.getBoundingClientRect().top < innerHeight + 400) this.#more();
  }

  #row(chat) {
    let row = this.#rows.get(chat.id);
    if (!row) {
      row = new Row(chat.id);
      this.#rows.set(chat.id, row);
    }
    row.refresh(chat, {
      isOpen: chat.id === this.#library.openId,
      isUnread: this.#library.unread.has(chat.id),
      words: this.#search.words,
    });
    return row;
  }

  #placeGroups(groups) {
    const focused = this.#list.contains(document.activeElement) ? document.activeElement : null;
    for (const [name, group] of this.#groups) {
      if (groups.has(name)) continue;
      group.section.remove();
      this.#groups.delete(name);
    }
    let at = 0;
    for (const [name, rows] of groups) {
      let group = this.#groups.get(name);
      if (!group) {
        const list = el('ul', { ariaLabel: name });
        group = { list, section: el('section.chat-group', {}, el('h2.chat-day', {}, name), list) };
        this.#groups.set(name, group);
      }
      placeAt(this.#list, group.section, at++);
      rows.forEach((row, i) => placeAt(group.list, row, i));
    }
    // A row that was moved has lost it.
    if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
  }

  /** One row takes the Tab key: the one with the focus, else the open one, else the first. */
  #rove(to) {
    const links = [...this.#list.querySelectorAll('.chat-link')];
    const one = to ?? links.find(link => link === document.activeElement) ?? links.find(link => link.ariaCurrent) ?? links[0];
    for (const link of links) {
      const index = link === one ? 0 : -1;
      if (link.tabIndex === index) continue;
      link.tabIndex = index;
      link.nextElementSibling.tabIndex = index;
    }
  }

  #say(count) {
    const { words, searching, isPartial } = this.#search;
    const { storage } = this.#library;
    let note = '';
    if (words !== '') {
      if (!searching && count === 0) note = 'Nothing was found.';
      if (isPartial) note += ' The server is away: only titles were looked through.';
    } else if (count === 0) {
      note = { ready: 'Your chats appear here.', unreachable: 'The chats cannot be read right now.', unavailable: 'The chats cannot be read right now.' }[storage] ?? '';
    }
    this.#note.textContent = note;
    this.#note.hidden = note === '';
    const said = words === '' || searching ? '' : `${count === 0 ? 'Nothing' : `${count}${this.#search.hasMore ? ' or more' : ''} ${count === 1 ? 'chat' : 'chats'}`} found.`;
    if (said !== this.#announced && said !== '') announce(said);
    this.#announced = said;
  }

  #clicked(event) {
    const row = event.target.closest('.chat-row');
    const button = event.target.closest('.chat-more');
    if (button) this.#menu.open(button, { id: row.dataset.id }, { rename: () => this.rename(row.dataset.id), remove: () => this.#remove(row) });
  }

  #key(event) {
    const row = event.target.closest('.chat-row');
    if (!row || event.target.matches('input') || event.altKey || event.ctrlKey || event.metaKey) return;
    const links = [...this.#list.querySelectorAll('.chat-link')];
    const at = links.indexOf(row.firstElementChild);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (links[to]) {
      this.#rove(links[to]);
      links[to].focus();
    } else if (event.key === 'F2') {
      this.rename(row.dataset.id);
    } else if (event.key === 'Delete') {
      this.#remove(row);
    } else if (to === undefined) {
      return;
    }
    event.preventDefault();
  }

  /** The focus goes to the next chat, or else to the search. */
  #remove(row) {
    const links = [...this.#list.querySelectorAll('.chat-link')];
    const at = links.indexOf(row.querySelector('.chat-link'));
    const next = links[at + 1] ?? links[at - 1] ?? byId('search');
    this.#actions.remove(row.dataset.id);
    next.tabIndex = 0;
    next.focus();
  }

  /**
   * Puts the focus on a chat, if it is listed.
   * @param {string} id
   */
  focus(id) {
    this.#show();
    const link = this.#rows.get(id)?.element.querySelector('.chat-link');
    if (!link) return;
    this.#rove(link);
    link.focus();
  }

  /** @param {string} id */
  rename(id) {
    const row = this.#rows.get(id);
    if (!row || this.#isNaming) return;
    this.#isNaming = true;
    row.rename(title => {
      this.#isNaming = false;
      if (title !== null) this.#actions.rename(id, title);
      this.#showSoon();
    });
  }
}

class Row {
  element;
  #title = el('span.chat-title', { dir: 'auto' });
  #snippet = el('span.chat-snippet', { dir: 'auto' });
  #state = el('span.chat-state', { hidden: true });
  #link;
  #more = el('button.chat-more.quiet.round', { type: 'button', ariaHasPopup: 'menu', ariaExpanded: 'false', tabIndex: -1 }, icon('more'));
  #name = '';
  #shown = '';

  constructor(id) {
    this.#link = el('a.chat-link', { href: addressOf(id), tabIndex: -1 }, this.#title, this.#state, this.#snippet);
    this.element = el('li.chat-row', {}, this.#link, this.#more);
    this.element.dataset.id = id;
  }

  refresh({ title, running, snippet }, { isOpen, isUnread, words }) {
    const looks = JSON.stringify([title, running, snippet, isOpen, isUnread, words]);
    if (looks === this.#shown) return;
    this.#shown = looks;
    this.#name = title || 'New chat';
    this.#title.replaceChildren(...withMarks(this.#name, words));
    this.#link.title = this.#name;
    this.#snippet.hidden = !snippet;
    this.#snippet.replaceChildren(...(snippet ? withMarks(snippet, words) : []));
    this.#more.ariaLabel = `Options of ${this.#name}`;
    this.#link.ariaCurrent = isOpen ? 'page' : null;
    this.#state.hidden = !running && !isUnread;
    this.#state.classList.toggle('running', Boolean(running));
    const state = running ? ' (is being answered)' : isUnread ? ' (has a new answer)' : '';
    this.#state.replaceChildren(el('span.unseen', {}, state));
  }

  /** @param {(title: string|null) => void} onNamed told the new title, or null where it stays */
  rename(onNamed) {
    const input = el('input.chat-rename', { value: this.#name, maxLength: 200, dir: 'auto', ariaLabel: 'Title of the chat' });
    let isOver = false;
    const end = isKept => {
      // What takes the focus away ends it too.
      if (isOver) return;
      isOver = true;
      const title = input.value.trim();
      input.before(this.#link);
      if (document.activeElement === input) this.#link.focus();
      input.remove();
      this.#more.hidden = false;
      onNamed(isKept && title !== '' && title !== this.#name ? title : null);
    };
    input.addEventListener('keydown', event => {
      if ((event.key !== 'Enter' && event.key !== 'Escape') || isComposing(event)) return;
      event.preventDefault();
      event.stopPropagation();
      end(event.key === 'Enter');
    });
    input.addEventListener('blur', () => end(true));
    this.#more.hidden = true;
    this.#link.replaceWith(input);
    input.focus();
    input.select();
  }
}

function placeAt(parent, child, index) {
  if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
}

/** The text with the words that were looked for marked in it. */
function withMarks(text, words) {
  const at = words === '' ? -1 : text.toLowerCase().indexOf(words.toLowerCase());
  if (at < 0) return [text];
  return [text.slice(0, at), el('mark', {}, text.slice(at, at + words.length)), text.slice(at + words.length)];
}
