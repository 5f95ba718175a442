import { byId } from './dom.js';
import { toast } from './toast.js';

/**
 * The way to the overview of the server. It is fetched when somebody asks for it first: few people look after a server, and
 * all others' page shall not be larger for it.
 */
export class Overview {
  #session;
  #view = null;

  /** @param {import('./session.js').Session} session */
  constructor(session) {
    this.#session = session;
    byId('open-overview').addEventListener('click', () => {
      byId('settings').close();
      this.open();
    });
  }

  /** Offers itself in the settings where nobody signs in; otherwise it is in the menu of an administrator's account. */
  offer() {
    byId('overview-field').hidden = this.#session.account !== null;
  }

  /** Shows the overview. */
  async open() {
    this.#view ??= fetchView().catch(() => null);
    const view = await this.#view;
    if (view === null) {
      this.#view = null;
      toast('The overview could not be fetched. Reload the page to try again.');
    } else if (this.#session.state === 'in') {
      view.open();
    }
  }
}

async function fetchView() {
  const [{ OverviewView }] = await Promise.all([import('./overview-view.js'), fetchStyle()]);
  return new OverviewView();
}

function fetchStyle() {
  const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: 'css/overview.css' });
  document.head.append(link);
  return new Promise((resolve, reject) => Object.assign(link, { onload: resolve, onerror: reject }));
}
