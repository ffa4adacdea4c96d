// Charts that answer: fetched when a reader first touches one. The pictures stay as they were drawn;
// what is pointed at is read from the table under the chart, through textContent only.
(function () {
  "use strict";
  var NS = "http://www.w3.org/2000/svg";
  var doc = document;
  var view = window.gonogo;
  var days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

  function all(selector, scope) {
    return Array.prototype.slice.call((scope || doc).querySelectorAll(selector));
  }
  function numbers(text) { return text ? text.split(" ").map(Number) : []; }
  function shape(name, attributes, parent) {
    var made = doc.createElementNS(NS, name);
    for (var key in attributes) made.setAttribute(key, attributes[key]);
    if (parent) parent.appendChild(made);
    return made;
  }
  function two(n) { return (n < 10 ? "0" : "") + n; }

  // ---- what a chart knows of itself
  var figures = all("figure[data-kind]").map(function (node) {
    var table = node.querySelector("details table");
    var f = {
      node: node,
      kind: node.dataset.kind,
      domain: numbers(node.dataset.domain),
      places: numbers(node.dataset.places),
      heads: table ? all("thead th", table).map(function (h) { return h.textContent; }) : [],
      rows: table ? all("tbody tr", table).sort(function (a, b) {
        return (a.dataset.i || 0) - (b.dataset.i || 0);  // as written, however it is sorted now
      }) : [],
      shaded: all(".shaded a", node)
    };
    if (f.kind === "log") f.places = f.rows.map(function (row) { return view.valueOf(row.cells[1]); });
    if (f.kind === "time") for (var i = 1; i < f.places.length; i++) f.places[i] += f.places[i - 1];
    f.sides = all(".picture > [data-plot]", node).map(function (box) {
      var p = numbers(box.dataset.plot);
      return { svg: box.querySelector("svg"), x: p[0], y: p[1], w: p[2], h: p[3] };
    });
    return f;
  });
  function sideOf(f) {
    return f.sides.filter(function (s) { return s.svg && s.svg.getClientRects().length; })[0];
  }
  function span(f) { return f.kind === "time" && zoom ? zoom : f.domain; }

  // ---- the rows at a point of the plot: {rows, at} with `at` the x of the cursor, null for none
  function cellText(cell) { return cell.firstChild ? cell.firstChild.textContent : ""; }
  function timeAt(f, side, x) {
    var s = span(f);
    return s[0] + (x - side.x) / side.w * (s[1] - s[0]);
  }
  function timeX(f, side, t) {
    var s = span(f);
    return side.x + (t - s[0]) / (s[1] - s[0]) * side.w;
  }
  function lastAtOrBefore(f, t) {
    var found = null;
    f.places.forEach(function (p) { if (p <= t && (found === null || p > found)) found = p; });
    return found;
  }
  function step(f) {
    var least = Infinity;
    for (var i = 1; i < f.places.length; i++) {
      var d = Math.abs(f.places[i] - f.places[i - 1]);
      if (d) least = Math.min(least, d);
    }
    return least;
  }
  function rowsWith(f, place) {
    return f.rows.filter(function (row, i) { return f.places[i] === place; });
  }
  function hit(f, side, p) {
    var fx = (p.x - side.x) / side.w, fy = (p.y - side.y) / side.h;
    if (fx < 0 || fx > 1 || fy < 0 || fy > 1) return null;
    if (f.kind === "time") {
      var t = timeAt(f, side, p.x), place = lastAtOrBefore(f, t);
      if (place === null || t - place > 1.5 * step(f)) return null;
      return { rows: rowsWith(f, place), at: timeX(f, side, Math.min(place + step(f) / 2, f.domain[1])), place: place };
    }
    if (f.kind === "names") {
      // Bands as drawn: 0.35 of a step between them, 0.2 at either end.
      var band = Math.floor(fy * (f.domain[0] + 0.05) - 0.2 + 0.175);
      return { rows: rowsWith(f, band), at: null, place: band };
    }
    if (f.kind === "grid") {
      var cell = Math.floor(fy * f.domain[1]) * f.domain[0] + Math.floor(fx * f.domain[0]);
      return { rows: rowsWith(f, cell), at: null, place: cell };
    }
    return { rows: [], at: p.x, place: f.domain[0] * Math.pow(f.domain[1] / f.domain[0], fx) };
  }
  function shares(f, upper) {
    var groups = [], of = {};
    f.rows.forEach(function (row, i) {
      var name = cellText(row.cells[0]), n = view.valueOf(row.cells[2]);
      if (!of[name]) { of[name] = { all: 0, in: 0 }; groups.push(name); }
      of[name].all += n;
      if (f.places[i] <= upper) of[name].in += n;
    });
    return groups.map(function (name) {
      return [name, (100 * of[name].in / of[name].all).toFixed(1) + " %"];
    });
  }
  function duration(us) {
    return us < 1e6 ? (us / 1e3).toPrecision(3) + " ms" : (us / 1e6).toPrecision(3) + " s";
  }

  // ---- the tooltip, which a screen reader hears when keys move it
  var tip = doc.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  doc.getElementById("content").appendChild(tip);
  function line(label, value) {
    var row = doc.createElement("p"), b = doc.createElement("b");
    row.textContent = label + " ";
    b.textContent = value;
    row.appendChild(b);
    return row;
  }
  function fill(f, found) {
    tip.textContent = "";
    var head = doc.createElement("strong");
    tip.appendChild(head);
    if (f.kind === "log") {
      head.textContent = "within " + duration(found.place);
      shares(f, found.place).forEach(function (s) { tip.appendChild(line(s[0], s[1])); });
      return;
    }
    var first = found.rows[0], skip = f.kind === "grid" ? 2 : 1;
    head.textContent = cellText(first.cells[0]);
    if (skip === 2) head.textContent += " " + two(view.valueOf(first.cells[1])) + ":00";
    if (found.rows.length === 1) {
      for (var i = skip; i < first.cells.length; i++) tip.appendChild(line(f.heads[i], cellText(first.cells[i])));
    } else {
      found.rows.slice(0, 12).forEach(function (row) {
        var rest = Array.prototype.slice.call(row.cells, 2).map(cellText);
        tip.appendChild(line(cellText(row.cells[1]), rest.join(" · ")));
      });
    }
    if (leads(f, found)) tip.appendChild(line(shade(f, found.place) ? "Excursion:" : "Trace:", "click to open"));
  }
  // Where a click leads: to the shaded excursion, or to where the row itself leads.
  function leads(f, found) {
    if (!found) return null;
    var row = f.kind === "time" ? null : found.rows[0];
    return shade(f, found.place) || (row && row.querySelector("a[href]"));
  }
  function shade(f, t) {
    if (f.kind !== "time") return null;
    return f.shaded.filter(function (a) {
      return t + step(f) > Number(a.dataset.from) && t < Number(a.dataset.until);
    })[0] || null;
  }
  function show(f, side, found, x, y) {
    if (!found || (!found.rows.length && f.kind !== "log")) return hide();
    fill(f, found);
    tip.hidden = false;
    var box = tip.getBoundingClientRect();
    var left = x + 16 + box.width > innerWidth ? x - 16 - box.width : x + 16;
    tip.style.left = Math.max(8, left) + scrollX + "px";
    tip.style.top = Math.max(8, Math.min(y - 12, innerHeight - box.height - 8)) + scrollY + "px";
    cursor(side, found.at);
  }
  var mark = null;
  function cursor(side, x) {
    if (mark) mark.remove();
    mark = x === null ? null : shape("line", { "class": "cursor", x1: x, x2: x, y1: side.y, y2: side.y + side.h }, side.svg);
  }
  function hide() {
    tip.hidden = true;
    if (mark) mark.remove();
    mark = null;
  }

  // ---- zoom: every chart over time on the page shows the same stretch
  var zoom = null, count = 0;
  function leaves(svg) {
    return all("path, rect, line, circle, text", svg).filter(function (n) {
      return !n.closest("defs") && !n.matches(".cursor, .brush, .later");
    });
  }
  function remember(side) {
    side.leaves = leaves(side.svg).map(function (node) {
      var box = node.getBBox(), what = "move";
      // Names of moments stand above the plot in a muted colour and go with their lines.
      var moment = node.tagName === "text" && box.y + box.height <= side.y && colour(node) === "var(--muted)";
      if (moment) what = "move";
      else if (node.tagName === "text") what = box.y >= side.y && box.x >= side.x - 4 && box.x < side.x + side.w ? "hide" : "keep";
      else if (box.y + box.height < side.y - 2) what = "keep";
      else if (box.y >= side.y + side.h - 1) what = box.width > 0.9 * side.w ? "keep" : "hide";
      else if (box.x + box.width < side.x || box.x > side.x + side.w) what = "keep";
      var place = moment ? "x" : node.tagName === "circle" ? "cx" : "";
      return { node: node, what: what, place: place, at: place && Number(node.getAttribute(place)) };
    });
    side.clip = "zoom-" + ++count;
    side.port = shape("rect", {}, shape("clipPath", { id: side.clip }, shape("defs", {}, side.svg)));
  }
  function draw(f, side) {
    all(".later", side.svg).forEach(function (n) { n.remove(); });
    if (!side.leaves) remember(side);
    var s = zoom || f.domain, width = f.domain[1] - f.domain[0];
    var k = width / (s[1] - s[0]), from = (s[0] - f.domain[0]) / width;
    var shift = side.x - k * (side.x + from * side.w);
    // The clip is in the coordinates that the transform starts from.
    var port = { x: side.x + from * side.w, y: side.y - 2, width: side.w / k, height: side.h + 4 };
    for (var key in port) side.port.setAttribute(key, port[key]);
    side.leaves.forEach(function (leaf) {
      var node = leaf.node;
      if (leaf.what === "hide") return node.classList.toggle("gone", !!zoom);
      if (leaf.what === "keep") return undefined;
      if (leaf.place) {
        var x = leaf.at * k + shift;
        node.setAttribute(leaf.place, x);
        return node.classList.toggle("gone", x < side.x - 1 || x > side.x + side.w + 1);
      }
      if (!zoom) { node.removeAttribute("transform"); node.removeAttribute("clip-path"); return undefined; }
      node.setAttribute("transform", "matrix(" + k + " 0 0 1 " + shift + " 0)");
      node.setAttribute("vector-effect", "non-scaling-stroke");
      node.setAttribute("clip-path", "url(#" + side.clip + ")");
      return undefined;
    });
    if (zoom) ticks(side, s);
  }
  function ticks(side, s) {
    var wanted = side.w / 90;
    var size = [300, 900, 1800, 3600, 10800, 21600, 43200, 86400, 172800, 604800].filter(function (n) {
      return (s[1] - s[0]) / n <= wanted;
    })[0] || 2419200;
    for (var t = Math.ceil(s[0] / size) * size; t < s[1]; t += size) {
      var d = new Date(t * 1000), x = side.x + (t - s[0]) / (s[1] - s[0]) * side.w;
      if (x > side.x + side.w - 30) break;
      var text = shape("text", { "class": "later", x: x + 4, y: side.y + side.h + 14, fill: "var(--muted)" }, side.svg);
      text.textContent = t % 86400 ? two(d.getUTCHours()) + ":" + two(d.getUTCMinutes()) : days[d.getUTCDay()] + " " + d.getUTCDate();
      shape("line", { "class": "later", x1: x, x2: x, y1: side.y + side.h, y2: side.y + side.h + 7, stroke: "var(--line-strong)" }, side.svg);
    }
  }
  function zoomTo(to, quiet) {
    var charts = figures.filter(function (f) { return f.kind === "time"; });
    if (to) {
      var low = Math.min.apply(null, charts.map(function (f) { return f.domain[0]; }));
      var high = Math.max.apply(null, charts.map(function (f) { return f.domain[1]; }));
      to = [Math.max(low, Math.round(to[0])), Math.min(high, Math.round(to[1]))];
      if (to[1] - to[0] < 900) return;
      if (to[0] === low && to[1] === high) to = null;
    }
    zoom = to;
    hide();
    charts.forEach(function (f) {
      var side = sideOf(f);
      if (side) draw(f, side);
    });
    if (!quiet) view.keep("zoom", zoom ? [zoom.join("-")] : []);
  }
  addEventListener("resize", function () { if (zoom) zoomTo(zoom, true); });

  // ---- a legend's entries are switches; `off` holds those that are, as figure:place
  var off = [];
  function colour(node) {
    for (var n = node; n && n.tagName !== "svg"; n = n.parentElement) {
      var found = [n.getAttribute("stroke"), n.getAttribute("fill")].filter(function (c) {
        return c && c.indexOf("var(") === 0 && c !== "var(--card)";
      })[0];
      if (found) return found;
    }
    return null;
  }
  function legend(f, side) {
    var shapes = leaves(side.svg).filter(function (n) { return n.tagName !== "text"; }).map(function (n) {
      return { node: n, box: n.getBBox(), colour: colour(n) };
    });
    var keys = leaves(side.svg).map(function (text) {
      if (text.tagName !== "text") return null;
      var b = text.getBBox(), middle = b.y + b.height / 2;
      if (b.y + b.height > side.y) return null;
      var key = shapes.filter(function (s) {
        var gap = b.x - (s.box.x + s.box.width);
        return gap >= -1 && gap < 14 && s.box.width < 20 && Math.abs(s.box.y + s.box.height / 2 - middle) < 6;
      })[0];
      return key && key.colour && { text: text, colour: key.colour, key: key.node };
    }).filter(Boolean);
    if (keys.length < 2) return;
    side.svg.setAttribute("role", "group");
    f.keys = f.keys || [];
    keys.forEach(function (k, index) {
      var name = f.node.id + ":" + index;
      k.text.classList.add("switchable");
      k.text.setAttribute("role", "button");
      k.text.setAttribute("tabindex", "0");
      function paint() {
        var on = off.indexOf(name) < 0;
        k.text.setAttribute("aria-pressed", String(on));
        shapes.forEach(function (s) {
          if (s.colour === k.colour && s.node !== k.key) s.node.classList.toggle("off", !on);
        });
      }
      function toggle() {
        off = off.indexOf(name) < 0 ? off.concat(name) : off.filter(function (n) { return n !== name; });
        view.keep("off", off);
        f.keys.forEach(function (again) { again(); });
      }
      f.keys.push(paint);
      paint();
      k.text.addEventListener("click", toggle);
      k.text.addEventListener("keydown", function (e) {
        if (e.key !== "Enter" && e.key !== " ") return;
        e.preventDefault();
        e.stopPropagation();
        toggle();
      });
    });
  }

  // ---- pointing, dragging, keys
  function point(side, event) {
    return at(side, event.clientX, event.clientY);
  }
  function at(side, x, y) {
    return new DOMPoint(x, y).matrixTransform(side.svg.getScreenCTM().inverse());
  }
  function ready(f) {
    var side = sideOf(f);
    if (side && !side.ready) {
      side.ready = true;
      legend(f, side);
      if (zoom && f.kind === "time") draw(f, side);
    }
    return side;
  }
  figures.forEach(function (f) {
    var box = f.node.querySelector(".picture"), start = null, brush = null, here = null;
    box.addEventListener("pointerenter", function () { ready(f); });
    box.addEventListener("pointermove", function (e) {
      var side = ready(f);
      if (!side) return;
      var p = point(side, e);
      if (start !== null) {
        var a = Math.max(side.x, Math.min(start, p.x)), b = Math.min(side.x + side.w, Math.max(start, p.x));
        brush.setAttribute("x", a);
        brush.setAttribute("width", Math.max(0, b - a));
        return hide();
      }
      look(side, e.clientX, e.clientY);
    });
    function look(side, x, y) {
      var found = hit(f, side, at(side, x, y));
      box.classList.toggle("linked", !!leads(f, found));
      show(f, side, found, x, y);
    }
    box.addEventListener("pointerleave", function () { if (start === null) hide(); });
    box.addEventListener("pointerdown", function (e) {
      var side = ready(f);
      if (!side || f.kind !== "time" || e.pointerType === "touch" || e.button) return;
      var p = point(side, e);
      if (!hit(f, side, p)) return;
      start = p.x;
      brush = shape("rect", { "class": "brush", y: side.y, height: side.h, x: p.x, width: 0 }, side.svg);
      box.setPointerCapture(e.pointerId);
      e.preventDefault();
    });
    function end(e) {
      if (start === null) return;
      var side = sideOf(f), p = point(side, e), a = start;
      start = null;
      brush.remove();
      if (Math.abs(p.x - a) > 6) {
        zoomTo([timeAt(f, side, Math.min(a, p.x)), timeAt(f, side, Math.max(a, p.x))]);
      } else {
        var link = leads(f, hit(f, side, p));
        if (link) location.href = link.href;
      }
    }
    box.addEventListener("click", function (e) {
      var side = ready(f);
      if (!side || f.kind === "time") return;
      var link = leads(f, hit(f, side, point(side, e)));
      if (link) location.href = link.href;
    });
    box.addEventListener("pointerup", end);
    box.addEventListener("pointercancel", function () { if (brush) brush.remove(); start = null; });
    box.addEventListener("dblclick", function () { if (f.kind === "time") zoomTo(null); });
    box.addEventListener("blur", function () { here = null; hide(); });
    box.addEventListener("keydown", function (e) {
      var side = ready(f);
      if (!side || e.target !== box || e.ctrlKey || e.metaKey || e.altKey) return;
      var s = span(f), stops = f.places.filter(function (p, i, list) {
        return list.indexOf(p) === i && (f.kind !== "time" || (p >= s[0] && p < s[1]));
      }).sort(function (a, b) { return a - b; });
      if (e.key === "ArrowRight" || e.key === "ArrowLeft" || e.key === "Home" || e.key === "End") {
        var last = stops.length - 1, next = e.key === "ArrowRight" ? 1 : -1;
        here = e.key === "Home" ? 0 : e.key === "End" ? last : here === null ? 0 : Math.max(0, Math.min(last, here + next));
        var place = stops[here], found = { rows: rowsWith(f, place), place: place, at: null };
        if (f.kind === "time") found.at = timeX(f, side, Math.min(place + step(f) / 2, f.domain[1]));
        if (f.kind === "log") found.at = side.x + side.w * Math.log(place / s[0]) / Math.log(s[1] / s[0]);
        var r = box.getBoundingClientRect();
        show(f, side, found, r.left + r.width / 2, r.top + 24);
        view.tell(Array.prototype.map.call(tip.children, function (n) { return n.textContent; }).join(", "));
      } else if (e.key === "Enter" && here !== null) {
        var to = leads(f, { rows: rowsWith(f, stops[here]), place: stops[here] });
        if (to) location.href = to.href;
      } else if (e.key === "+" && f.kind === "time") {
        var middle = here === null ? (s[0] + s[1]) / 2 : stops[here], half = (s[1] - s[0]) / 4;
        zoomTo([middle - half, middle + half]);
        here = null;
      } else if ((e.key === "0" || e.key === "Escape") && f.kind === "time") {
        zoomTo(null);
      } else {
        return;
      }
      e.preventDefault();
      e.stopPropagation();
    });
    if (box === doc.activeElement) ready(f);
    if (box.matches(":hover") && ready(f) && view.pointer) look(ready(f), view.pointer[0], view.pointer[1]);
  });

  function switchOff() {
    off = view.kept("off");
    figures.forEach(function (f) {
      if (off.some(function (name) { return name.indexOf(f.node.id + ":") === 0; })) ready(f);
      (f.keys || []).forEach(function (paint) { paint(); });
    });
  }
  addEventListener("resize", switchOff);
  function follow() {
    switchOff();
    var asked = (view.kept("zoom")[0] || "").split("-").map(Number);
    if (asked.length === 2 && asked[0] < asked[1]) zoomTo(asked, true);
    else if (zoom) zoomTo(null, true);
  }
  addEventListener("hashchange", follow);
  follow();
})();
