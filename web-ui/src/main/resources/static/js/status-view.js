import { announce } from './announcer.js';
import { byId } from './dom.js';
import { describeHealth } from './health.js';
import { TimeLeft, roughTime } from './time-left.js';

/** The card above the composer that says why one has to wait. */
export class StatusView {
  #card = byId('status');
  #phase = '';
  #timeLeft = new TimeLeft();

  /** @param {import('./health.js').HealthWatch} health */
  constructor(health) {
    health.addEventListener('change', () => this.#show(health.current));
  }

  #show(health) {
    const { title, detail } = describeHealth(health);
    this.#card.hidden = health.phase === 'ready' || health.phase === 'connecting';
    this.#card.dataset.phase = health.phase;
    byId('status-title').textContent = title;
    const fraction = progressOf(health);
    const seconds = fraction === null ? null : this.#timeLeft.after(`${health.phase} ${health.model}`, fraction, performance.now());
    byId('status-detail').textContent = [detail, seconds === null ? '' : `${roughTime(seconds)} left`].filter(part => part !== '').join(' · ');
    this.#showProgress(fraction);
    if (health.phase === this.#phase) return;
    // The first look that finds everything ready is no news.
    if (health.phase !== 'ready') announce(`${title}. ${detail}`);
    else if (this.#phase !== '') announce('The model is ready.');
    this.#phase = health.phase;
  }

  #showProgress(fraction) {
    const bar = byId('status-progress');
    bar.hidden = fraction === null;
    if (bar.hidden) return;
    bar.ariaValueNow = String(Math.round(fraction * 100));
    byId('status-fill').style.width = `${fraction * 100}%`;
  }
}

/** How far a download or a load is; null where that is not known, or there is none. */
function progressOf({ phase, progress, bytesDone, bytesTotal }) {
  if (phase !== 'loading' && phase !== 'downloading') return null;
  return progress ?? (bytesTotal ? bytesDone / bytesTotal : null);
}
