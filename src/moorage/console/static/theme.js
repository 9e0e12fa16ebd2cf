// Runs before the first paint, so that no page flashes in the other colours.
try {
  const theme = localStorage.getItem("moorage-theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {} // storage is blocked
