// Each is made once, when it is needed: a formatter costs more than all that it writes for a list.
const made = new Map();

function written(date, how) {
  const name = Object.keys(how).join();
  if (!made.has(name)) made.set(name, new Intl.DateTimeFormat('en', how));
  return made.get(name).format(date);
}

/**
 * The heading under which something of that time stands in a list, the newest first: by day, then by month.
 * @param {number} time in milliseconds
 * @param {Date} now
 * @returns {string}
 */
export function dayGroup(time, now) {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  if (time >= midnight) return 'Today';
  const then = new Date(time);
  const days = Math.round((midnight - new Date(then.getFullYear(), then.getMonth(), then.getDate()).getTime()) / 86_400_000);
  if (days === 1) return 'Yesterday';
  if (days < 7) return written(then, { weekday: 'long' });
  if (days < 30) return 'Last 30 days';
  return written(then, { month: 'long', year: 'numeric' });
}

/**
 * A day, as `Dec 3, 2026`.
 * @param {string} time as the server gives it
 */
export const dayOf = time => written(new Date(time), { day: 'numeric', month: 'short', year: 'numeric' });

/**
 * When something was, to the minute where that is today: `today, 14:05`.
 * @param {string} time as the server gives it
 */
export function momentOf(time) {
  const then = new Date(time);
  if (then.toDateString() !== new Date().toDateString()) return dayOf(time);
  return `today, ${written(then, { hour: '2-digit', minute: '2-digit', hour12: false })}`;
}

/**
 * A day of the calendar, wherever one is: `Dec 3`.
 * @param {string} day as `2026-12-03`
 */
export const calendarDay = day => written(new Date(day), { day: 'numeric', month: 'short', timeZone: 'UTC' });
