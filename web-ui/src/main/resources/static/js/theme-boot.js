// Runs before the first paint, so that a remembered theme or a closed side never flashes. A classic script: modules run
// too late. Nor does the page itself flash, which may be seen once it is known who is there.
document.documentElement.dataset.access = 'unknown';
try {
  const theme = JSON.parse(localStorage.getItem('chasqui.theme'));
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
  if (JSON.parse(localStorage.getItem('chasqui.sidebar')) === 'closed') document.documentElement.dataset.sidebar = 'closed';
} catch {
  // The system's theme, and the side open where there is room.
}
