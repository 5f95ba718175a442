import { announce } from './announcer.js';
import { byId } from './dom.js';
import { describeHealth } from './health.js';

/** The card above the composer that says why one has to wait. */
export class StatusView {
  #card = byId('status');
  #phase = '';

  /** @param {import('./health.js').HealthWatch} health */
  constructor(health) {
    health.addEventListener('change', () => this.#show(health.current));
  }

  #show(health) {
    const { title, detail } = describeHealth(health);
    this.#card.hidden = health.phase === 'ready' || health.phase === 'connecting';
    this.#card.dataset.phase = health.phase;
    byId('status-title').textContent = title;
    byId('status-detail').textContent = detail;
    this.#showProgress(health);
    if (health.phase === this.#phase) return;
    // The first look that finds everything ready is no news.
    if (health.phase !== 'ready') announce(`${title}. ${detail}`);
    else if (this.#phase !== '') announce('The model is ready.');
    this.#phase = health.phase;
  }

  #showProgress({ phase, progress, bytesDone, bytesTotal }) {
    const bar = byId('status-progress');
    const fraction = progress ?? (bytesTotal ? bytesDone / bytesTotal : null);
    bar.hidden = fraction === null || (phase !== 'loading' && phase !== 'downloading');
    if (bar.hidden) return;
    bar.ariaValueNow = String(Math.round(fraction * 100));
    byId('status-fill').style.width = `${fraction * 100}%`;
  }
}
