// Comfort on top of a page that is complete without it: theme, sorting, copying, shortcuts, links.
// Text reaches the page through textContent only.
(function () {
  "use strict";
  var doc = document;
  var root = doc.documentElement;

  function all(selector, scope) {
    return Array.prototype.slice.call((scope || doc).querySelectorAll(selector));
  }
  function load(key) {
    try { return localStorage.getItem("gonogo-" + key); } catch (e) { return null; }
  }
  function save(key, value) {
    try { localStorage.setItem("gonogo-" + key, value); } catch (e) { /* not kept, still works */ }
  }

  // ---- theme
  function isDark() {
    if (root.dataset.theme) return root.dataset.theme === "dark";
    return matchMedia("(prefers-color-scheme: dark)").matches;
  }
  function switchTheme() {
    root.dataset.theme = isDark() ? "light" : "dark";
    save("theme", root.dataset.theme);
    say(root.dataset.theme === "dark" ? "Dark theme" : "Light theme");
  }
  all("[data-theme-switch]").forEach(function (b) { b.addEventListener("click", switchTheme); });

  // ---- how old what an old page tells is, to the day (theme.js decides that it is shown)
  var ended = doc.querySelector('meta[name="gonogo-ended"]');
  if (ended && root.classList.contains("old")) {
    var days = Math.floor((Date.now() - 1000 * Number(ended.content)) / 86400000);
    all("[data-age]").forEach(function (e) { e.textContent = days + " days"; });
  }

  // ---- short messages, also for screen readers
  var toast = doc.querySelector(".toast");
  var timer;
  function say(text) {
    toast.textContent = text;
    toast.hidden = false;
    clearTimeout(timer);
    timer = setTimeout(function () { toast.hidden = true; }, 1800);
  }

  // ---- tables: a click on a head sorts, missing values always last
  function key(row, column, given) {
    var cell = row.cells[column];
    // Times that the rows came in the order of have no numbers of their own.
    if (given) return (given === "ascending" ? 1 : -1) * row.dataset.i;
    if (cell.classList.contains("n") && !isNaN(valueOf(cell))) return valueOf(cell);
    if (cell.hasAttribute("data-v")) return parseFloat(cell.getAttribute("data-v"));
    return cell.textContent.trim().toLowerCase();
  }
  // A number that is shown as it is stands in the cell alone; NaN where there is none.
  function valueOf(cell) {
    var text = cell.hasAttribute("data-v") ? cell.getAttribute("data-v") : cell.textContent;
    return parseFloat(text);
  }
  function missing(value) {
    return value === "" || value === "–" || (typeof value === "number" && isNaN(value));
  }
  // The rows of a card that are folded away are rows of the same table.
  function family(table) {
    var box = table.closest(".card > .scroll, .card > .more");
    return box && !table.closest("figure, .excursion") ? all("table.sortable", box.parentElement) : [table];
  }
  function sort(head, column) {
    var table = head.closest("table");
    var tables = family(table), rows = [], sizes = [];
    tables.forEach(function (t) {
      var own = all("tr", t.tBodies[0]);
      sizes.push(own.length);
      rows = rows.concat(own);
    });
    var numeric = head.classList.contains("n");
    var now = head.getAttribute("aria-sort");
    var up = now === "none" || !now ? !numeric : now === "descending";
    rows.forEach(function (row, i) { if (!row.dataset.i) row.dataset.i = i; });
    tables.forEach(function (t) {
      all("th[aria-sort]", t.tHead).forEach(function (h) { h.setAttribute("aria-sort", "none"); });
      t.tHead.rows[0].cells[column].setAttribute("aria-sort", up ? "ascending" : "descending");
    });
    rows
      .map(function (row, i) { return { row: row, key: key(row, column, head.dataset.given), i: i }; })
      .sort(function (a, b) {
        var gone = missing(a.key) - missing(b.key);
        if (gone) return gone;
        var order;
        if (typeof a.key === "number" && typeof b.key === "number") order = a.key - b.key;
        else order = String(a.key).localeCompare(String(b.key), "en", { numeric: true });
        return (up ? order : -order) || a.i - b.i;
      })
      .forEach(function (item, i) {
        var at = 0;
        for (var seen = sizes[0]; i >= seen; seen += sizes[at]) at++;
        tables[at].tBodies[0].appendChild(item.row);
      });
    table.dataset.by = column + ":" + (up ? "up" : "down");
  }
  // Where a table stands: the id of its card, and which of the tables there it is.
  function placeOf(table) {
    var box = table.closest("[id]");
    return box.id + ":" + all("table", box).indexOf(table);
  }
  all("table.sortable").forEach(function (table) {
    if (!table.tHead || table.tBodies[0].rows.length < 2) return;
    all("th", table.tHead).forEach(function (head, column) {
      var button = doc.createElement("button");
      button.type = "button";
      button.className = "sort";
      while (head.firstChild) button.appendChild(head.firstChild);
      head.appendChild(button);
      if (!head.hasAttribute("aria-sort")) head.setAttribute("aria-sort", "none");
      button.addEventListener("click", function () {
        sort(head, column);
        keep("sort", all("table[data-by]").map(function (t) { return placeOf(t) + ":" + t.dataset.by; }));
      });
    });
  });

  // ---- what a reader has chosen stands in the address: #/zoom=...&find=...&sort=...&pick=...
  function state() {
    return new URLSearchParams(location.hash.indexOf("#/") === 0 ? location.hash.slice(2) : "");
  }
  function kept(name) { return state().getAll(name); }
  function keep(name, values) {
    var now = state();
    now.delete(name);
    values.forEach(function (value) { now.append(name, value); });
    var text = now.toString();
    history.replaceState(null, "", text ? "#/" + text : location.pathname + location.search);
  }
  var spoken = doc.querySelector(".spoken");
  window.gonogo = {
    keep: keep,
    kept: kept,
    valueOf: valueOf,
    tell: function (text) { spoken.textContent = text; }
  };

  // ---- tables: a filter, and the totals of what it leaves, from numerators and denominators
  function pretty(value, unit) {
    if (unit === "ratio") return (100 * value).toLocaleString("en", { maximumSignificantDigits: 4 }) + " %";
    if (unit === "nano_usd") return "$" + (value / 1e9).toLocaleString("en", { maximumSignificantDigits: 4 });
    if (unit === "us") return value < 1e6 ? (value / 1e3).toPrecision(3) + " ms" : (value / 1e6).toPrecision(3) + " s";
    if (unit === "score") return (value / 1e6).toPrecision(3);
    if (unit === "milli_tps") return (value / 1e3).toPrecision(3) + " tok/s";
    return value.toLocaleString("en", { maximumFractionDigits: 2 });
  }
  function total(rows, column, unit) {
    var sum = 0, num = 0, den = 0, parts = false, known = 0;
    rows.forEach(function (row) {
      var cell = row.cells[column];
      if (cell.dataset.d) { parts = true; num += Number(cell.dataset.n); den += Number(cell.dataset.d); }
      else if (!isNaN(valueOf(cell))) { known++; sum += valueOf(cell); }
    });
    if (parts) return den ? pretty(num / den, unit) : "–";
    return known ? pretty(sum, unit) : "–";
  }
  function filter(input) {
    var card = input.closest(".card"), tables = all("table", card), wanted = input.value.trim().toLowerCase();
    var rows = tables.reduce(function (found, t) { return found.concat(all("tbody tr", t)); }, []);
    var shown = rows.filter(function (row) {
      row.hidden = !!wanted && row.textContent.toLowerCase().indexOf(wanted) < 0;
      return !row.hidden;
    });
    all("details", card).forEach(function (d) { if (wanted) d.open = true; });
    var foot = tables[0].tFoot;
    if (foot) foot.remove();
    if (!wanted) return;
    var line = tables[0].createTFoot().insertRow();
    all("th", tables[0].tHead).forEach(function (head, i) {
      var cell = doc.createElement(i ? "td" : "th");
      if (!i) cell.scope = "row";
      cell.className = head.classList.contains("n") ? "n" : "";
      if (!i) cell.textContent = shown.length + " of " + rows.length + " rows";
      else if (head.dataset.total) cell.textContent = total(shown, i, head.dataset.total);
      line.appendChild(cell);
    });
  }
  all("input.find").forEach(function (input) {
    input.addEventListener("input", function () {
      filter(input);
      keep("find", all("input.find").filter(function (i) { return i.value; }).map(function (i) {
        return i.getAttribute("aria-controls") + ":" + i.value;
      }));
    });
  });

  // ---- charts as tables
  function keepTables() {
    keep("table", all("figure > details[open]").map(function (d) { return d.parentElement.id; }));
  }
  all("figure > details > summary").forEach(function (summary) {
    summary.addEventListener("click", function () { setTimeout(keepTables); });
  });

  // ---- and is taken up again from there
  function restore() {
    if (location.hash && location.hash.indexOf("#/")) return;
    kept("pick").forEach(function (id) {
      var card = doc.getElementById(id);
      if (card && card.parentElement.classList.contains("switch")) choose(card);
    });
    kept("table").forEach(function (id) {
      var figure = doc.getElementById(id), fold = figure && figure.querySelector("details");
      if (fold) fold.open = true;
    });
    kept("sort").forEach(function (asked) {
      var p = asked.split(":"), box = doc.getElementById(p[0]), table = box && all("table", box)[p[1]];
      var head = table && table.tHead && table.tHead.rows[0].cells[p[2]];
      if (!head || !table.classList.contains("sortable")) return;
      sort(head, Number(p[2]));
      if (table.dataset.by !== p[2] + ":" + p[3]) sort(head, Number(p[2]));
    });
    var wanted = {};
    kept("find").forEach(function (asked) {
      var at = asked.indexOf(":");
      wanted[asked.slice(0, at)] = asked.slice(at + 1);
    });
    all("input.find").forEach(function (input) {
      var value = wanted[input.getAttribute("aria-controls")] || "";
      if (input.value === value) return;
      input.value = value;
      var card = input.closest(".card");
      if (value && card.parentElement.classList.contains("switch")) choose(card);
      filter(input);
    });
    if (kept("zoom").length || kept("off").length) enliven();
  }

  // ---- charts come to life when they are first touched
  var charts = root.dataset.charts;
  function enliven() {
    if (!charts) return;
    var script = doc.createElement("script");
    script.src = charts;
    charts = "";
    doc.head.appendChild(script);
  }
  all("figure[data-kind] .picture").forEach(function (box) {
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", box.parentElement.querySelector("h3").textContent + ": arrow keys read its values");
    ["pointerenter", "focusin"].forEach(function (name) { box.addEventListener(name, enliven, { once: true }); });
    // Where the pointer rests is told, so that the first touch is answered too.
    box.addEventListener("pointermove", function (e) { window.gonogo.pointer = [e.clientX, e.clientY]; });
  });

  // ---- copying
  function copy(text) {
    if (!navigator.clipboard) return copyOld(text);
    return navigator.clipboard.writeText(text).catch(function () { return copyOld(text); });
  }
  function copyOld(text) {
    var area = doc.createElement("textarea");
    area.value = text;
    area.setAttribute("readonly", "");
    area.className = "sr";
    doc.body.appendChild(area);
    area.select();
    var done = doc.execCommand("copy");
    area.remove();
    return done ? Promise.resolve() : Promise.reject(new Error("copy refused"));
  }
  all("[data-copy]").forEach(function (button) {
    button.addEventListener("click", function () {
      var from = doc.getElementById(button.getAttribute("data-copy"));
      copy(from.textContent.trim() + "\n").then(
        function () { say("Copied"); },
        function () { say("The browser refused to copy"); }
      );
    });
  });

  // ---- one of several tables that answer one question
  function choose(card) {
    var group = card.parentElement;
    group.classList.add("picked");
    all(":scope > .card", group).forEach(function (c) { c.classList.toggle("chosen", c === card); });
    all(":scope > .choices > a", group).forEach(function (a) {
      a.classList.toggle("chosen", a.hash === "#" + card.id);
    });
  }

  all(".choices > a").forEach(function (a) {
    a.addEventListener("click", function (event) {
      choose(doc.getElementById(decodeURIComponent(a.hash.slice(1))));
      keep("pick", all(".switch.picked > .chosen.card").map(function (c) { return c.id; }));
      event.preventDefault();
    });
  });

  // ---- a link to a folded part opens it
  function reveal() {
    var id;
    try { id = decodeURIComponent(location.hash.slice(1)); } catch (e) { return; }
    var target = id && doc.getElementById(id);
    if (!target) return;
    for (var node = target; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") node.open = true;
      if (node.parentElement && node.parentElement.classList.contains("switch")) choose(node);
    }
    target.scrollIntoView();
  }
  addEventListener("hashchange", reveal);
  reveal();
  addEventListener("hashchange", restore);
  restore();

  // ---- shortcuts; single keys can be turned off in the help
  var help = doc.getElementById("keys");
  var wanted = doc.getElementById("keys-on");
  wanted.checked = load("keys") !== "off";
  wanted.addEventListener("change", function () { save("keys", wanted.checked ? "on" : "off"); });
  function showHelp() { if (!help.open) help.showModal(); }
  all("[data-close]").forEach(function (b) { b.addEventListener("click", function () { help.close(); }); });
  all("[data-help]").forEach(function (b) { b.addEventListener("click", showHelp); });

  var pages = all(".nav a");
  var current = doc.querySelector(".nav a[aria-current]");
  current.parentElement.scrollLeft = current.offsetLeft - 60;
  function go(index) { if (pages[index]) location.href = pages[index].href; }
  function here() {
    for (var i = 0; i < pages.length; i++) if (pages[i].hasAttribute("aria-current")) return i;
    return 0;
  }
  function toggleTables() {
    var folds = all("details.more");
    var open = folds.some(function (d) { return !d.open; });
    folds.forEach(function (d) { d.open = open; });
    keepTables();
  }
  function findNext() {
    var fields = all("input.find").filter(function (f) { return f.getClientRects().length; });
    var below = fields.filter(function (f) { return f.getBoundingClientRect().top > 0; });
    if (fields.length) (below[0] || fields[0]).focus();
  }
  addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.target.closest && event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (event.key === "?") { showHelp(); event.preventDefault(); return; }
    if (!wanted.checked) return;
    if (event.key >= "1" && event.key <= "9") go(Number(event.key) - 1);
    else if (event.key === "[") go(here() - 1);
    else if (event.key === "]") go(here() + 1);
    else if (event.key === "t") switchTheme();
    else if (event.key === "o") toggleTables();
    else if (event.key === "/") { findNext(); event.preventDefault(); }
  });
})();
