/** How far back one looks. */
export const SPAN_MS = 600_000;

/** What the server measured in the last ten minutes, as far as it has told. */
export class RecentPoints {
  /** @type {import('./server-api.js').Point[]} the oldest first */
  all = [];

  /** When the newest one was, as the server writes it; empty where there is none. */
  get newestAt() {
    return this.all.at(-1)?.at ?? '';
  }

  /**
   * Takes those that are newer than all others, and lets go of those that are too old now.
   * @param {import('./server-api.js').Point[]} points the oldest first
   */
  add(points) {
    for (const point of points) {
      if (!(point.time <= this.all.at(-1)?.time)) this.all.push(point);
    }
    const end = this.all.at(-1)?.time;
    this.all = this.all.filter(({ time }) => time >= end - SPAN_MS);
  }
}
