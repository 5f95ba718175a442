/**
 * Bytes as people read them: `63 MB`.
 * @param {number} bytes
 * @returns {string}
 */
export function formatBytes(bytes) {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e6) return `${Math.round(bytes / 1e6)} MB`;
  return `${Math.ceil(bytes / 1e3)} kB`;
}

/**
 * Seconds: `0.31 s`, `12.4 s`, `2 min 5 s`.
 * @param {number} seconds
 * @returns {string}
 */
export function formatSeconds(seconds) {
  if (seconds >= 60) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
}

/**
 * A fraction as a percentage: `42 %`.
 * @param {number} fraction 0 to 1
 * @returns {string}
 */
export function formatPercent(fraction) {
  return `${Math.floor(fraction * 100 + 1e-9)} %`; // 0.57 * 100 is a hair less than 57
}

/**
 * Milliseconds: `180 ms`, `1.2 s`.
 * @param {number} ms
 * @returns {string}
 */
export function formatMs(ms) {
  return Math.round(ms) < 1_000 ? `${Math.round(ms)} ms` : `${Number((ms / 1_000).toFixed(1))} s`;
}

/**
 * A long time, to the two largest units: `45 s`, `13 min`, `3 h 12 min`, `4 d 3 h`.
 * @param {number} seconds
 * @returns {string}
 */
export function formatDuration(seconds) {
  const [minutes, hours, days] = [60, 3_600, 86_400].map(unit => Math.floor(seconds / unit));
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min` : `${Math.floor(seconds)} s`;
}

/**
 * How fast an answer is written: `41.2 tokens/s`.
 * @param {number} tokensPerSecond
 * @returns {string}
 */
export function formatRate(tokensPerSecond) {
  return `${tokensPerSecond.toFixed(1)} tokens/s`;
}

/**
 * A whole number: `12,000`.
 * @param {number} count
 * @returns {string}
 */
export function formatCount(count) {
  return count.toLocaleString('en', { maximumFractionDigits: 0 });
}

/**
 * A number in few letters: `12K`, `1.5M`.
 * @param {number} count
 * @returns {string}
 */
export function formatShort(count) {
  return count.toLocaleString('en', { notation: 'compact' });
}

/**
 * What stands under an answer, as separate phrases.
 * @param {import('./conversation.js').Stats} stats
 * @returns {string[]}
 */
export function describeStats(stats) {
  const parts = [];
  if (stats.tokens !== null) {
    parts.push(`${stats.estimated ? '≈ ' : ''}${stats.tokens} ${stats.tokens === 1 ? 'token' : 'tokens'}`);
  }
  parts.push(formatSeconds(stats.seconds));
  if (stats.perSecond !== null) parts.push(formatRate(stats.perSecond));
  if (stats.firstToken !== null) parts.push(`first token ${formatSeconds(stats.firstToken)}`);
  return parts;
}
