// Runs before the first paint: the reader's own choice of theme, and the mark that scripts work.
(function () {
  var root = document.documentElement;
  root.classList.add("js");
  try {
    var theme = localStorage.getItem("gonogo-theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch (e) { /* storage may be forbidden, as on file:// in some browsers */ }
})();
