// Runs before the first paint, so that a remembered theme never flashes. A classic script: modules run too late.
try {
  const theme = JSON.parse(localStorage.getItem('chasqui.theme'));
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
} catch {
  // The system's theme.
}
