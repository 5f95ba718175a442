import { askFirst } from './ask-first.js';
import { linkedSites, unlinkSite } from './auth-api.js';
import { byId, el, icon } from './dom.js';
import { localChats, unsentCount } from './kept-chats.js';
import { Menu } from './menu.js';
import { PasswordSheet } from './password-sheet.js';
import { ROLES } from './roles.js';
import { waysTo } from './sign-in-elsewhere.js';
import { toast } from './toast.js';

/** How long the menu waits to be told which sites are connected. */
const LINKS_MS = 1_000;

/**
 * Who is signed in, at the foot of the side, and what can be done about it. Where nobody has to sign in it is not there.
 */
export class AccountMenu {
  #session;
  #health;
  #open;
  #password;
  #isOpening = false;
  #face = el('span.account-face', { ariaHidden: 'true' });
  #name = el('span.account-name', { dir: 'auto' });
  #role = el('span.account-role');
  #button = el('button.account-button', { id: 'account', type: 'button', ariaHasPopup: 'menu', ariaExpanded: 'false', hidden: true }, this.#face, this.#name, this.#role, icon('updown'));
  #popover = el('div.menu', { id: 'account-menu', role: 'menu', ariaLabel: 'Account', popover: 'auto' });
  #menu = new Menu(this.#popover);

  /**
   * @param {import('./session.js').Session} session
   * @param {import('./health.js').HealthWatch} health
   * @param {{keys: () => void, accounts: () => void, overview: () => void}} open shows the API keys, everybody's accounts, and the server
   */
  constructor(session, health, open) {
    this.#session = session;
    this.#health = health;
    this.#open = open;
    this.#password = new PasswordSheet(session);
    byId('sidebar').append(this.#button, this.#popover);
    this.#button.addEventListener('click', () => this.#showMenu());
    session.addEventListener('change', () => this.#show());
    this.#show();
  }

  #show() {
    const { account } = this.#session;
    this.#button.hidden = account === null;
    if (account === null) return;
    const name = account.name || account.email;
    this.#face.textContent = [...name][0].toUpperCase();
    this.#name.textContent = name;
    this.#button.title = account.email;
    this.#role.textContent = ROLES[account.role] ?? account.role;
  }

  async #showMenu() {
    if (this.#isOpening) return;
    const menu = this.#menu;
    const { account, csrfToken } = this.#session;
    const ways = waysTo(this.#health.current.sites, csrfToken);
    // Where it cannot be told in time, connecting once more does no harm.
    this.#isOpening = ways.length > 0;
    const linked = this.#isOpening ? await linkedSites(AbortSignal.timeout(LINKS_MS)).catch(() => []) : [];
    this.#isOpening = false;
    menu.open(this.#button, [
      el('p.menu-head', { role: 'presentation', dir: 'auto' }, account.email),
      menu.item('lock', account.has_password === false ? 'Set a password' : 'Change password', () => this.#password.open()),
      menu.item('key', 'API keys', this.#open.keys),
      ...(account.role === 'admin' ? [menu.item('person', 'Accounts', this.#open.accounts), menu.item('chart', 'Server', this.#open.overview)] : []),
      ...ways.map(({ site, name, href }) =>
        linked.includes(site) ? menu.item('connect', `Disconnect ${name}`, () => this.#unlink(site, name)) : menu.way('connect', `Connect ${name}`, href)),
      menu.item('leave', 'Sign out', () => this.#signOut(false)),
      menu.item('leave', 'Sign out everywhere', () => this.#signOut(true)),
    ]);
  }

  async #unlink(site, name) {
    const question = { title: `Disconnect ${name}?`, text: `You cannot sign in with ${name} any more, until you connect it again.`, yes: 'Disconnect', no: 'Keep' };
    if (!(await askFirst(question))) return;
    try {
      await unlinkSite(site);
      toast(`${name} is disconnected.`);
    } catch (error) {
      toast(error.message);
    }
  }

  async #signOut(everywhere) {
    const lost = whatIsLost();
    const question = { title: 'Sign out?', text: `${lost} in this browser only. Signing out removes it.`, yes: 'Sign out', no: 'Stay' };
    if (lost !== '' && !(await askFirst(question))) return;
    try {
      await this.#session.signOut(everywhere);
    } catch (error) {
      toast(`You are still signed in. ${error.message}`);
    }
  }
}

/** What the server does not have, in words; empty for nothing. Signing out removes all that this browser keeps. */
function whatIsLost() {
  const count = localChats().length;
  if (count > 0) return count === 1 ? 'One chat is' : `${count} chats are`;
  return unsentCount() > 0 ? 'A question that was not sent is' : '';
}
