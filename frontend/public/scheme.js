// Sets the colour scheme before anything is painted. A file of its own because
// the Content-Security-Policy allows no script inside the page.
(() => {
  let wanted = 'auto';
  try {
    wanted = localStorage.getItem('waypost.scheme') || 'auto';
  } catch {}
  const dark = wanted === 'dark' || (wanted === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
