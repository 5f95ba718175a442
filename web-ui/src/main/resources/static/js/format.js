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
  return `${Math.floor(fraction * 100)} %`;
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
  if (stats.perSecond !== null) parts.push(`${stats.perSecond.toFixed(1)} tokens/s`);
  if (stats.firstToken !== null) parts.push(`first token ${formatSeconds(stats.firstToken)}`);
  return parts;
}
