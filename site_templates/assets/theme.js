// Runs before the first paint: the reader's own choice of theme, the mark that scripts work, and
// the mark of a page whose period ended over eight days before the reader's clock.
(function () {
  var root = document.documentElement;
  root.classList.add("js");
  var ended = document.querySelector('meta[name="gonogo-ended"]');
  if (ended && Date.now() - 1000 * Number(ended.content) > 8 * 86400000) root.classList.add("old");
  try {
    var theme = localStorage.getItem("gonogo-theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch (e) { /* storage may be forbidden, as on file:// in some browsers */ }
})();
