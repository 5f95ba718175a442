// Made once: a formatter costs more than all that it writes for a list.
const WEEKDAY = new Intl.DateTimeFormat('en', { weekday: 'long' });
const MONTH = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric' });

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
  if (days < 7) return WEEKDAY.format(then);
  if (days < 30) return 'Last 30 days';
  return MONTH.format(then);
}
