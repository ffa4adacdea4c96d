"""Static rendering: a Vega-Lite specification to SVG, and that SVG made fit for a page."""

from __future__ import annotations

import json
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html import escape
from typing import Any, Final

_NS: Final = "{http://www.w3.org/2000/svg}"
PHONE: Final = "phone"
"""Name of the parameter that is true in the narrow variant; label expressions may use it."""
_KEPT: Final = (
    "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray",
    "stroke-linecap", "stroke-linejoin", "opacity", "font-size", "font-weight", "font-style",
    "text-anchor",
)  # fmt: skip
_DEFAULTS: Final = {
    ("opacity", "1"), ("stroke-width", "1"), ("font-size", "11px"), ("text-anchor", "start"),
    ("stroke-linejoin", "miter"), ("stroke-linecap", "butt"), ("font-weight", "normal"),
    ("fill-opacity", "1"), ("stroke-opacity", "1"), ("fill", "transparent"),
}  # fmt: skip
_NUMBER: Final = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?")
_COMMAND: Final = re.compile(r"([MLHVhvCAZ])([^A-Za-z]*(?:e[-+]?\d[^A-Za-z]*)*)")
_TRANSLATE: Final = re.compile(r"translate\(([^,)]+),([^,)]+)\)")
_RENDERER: Final = threading.Lock()
"""vl-convert keeps a lock of its own while it makes Python objects: two threads can block for ever,
one with that lock and one with the interpreter's. One renders at a time anyway."""
_CIRCLE: Final = re.compile(r"^M([\d.]+),0A\1,\1,0,1,1,-\1,0A\1,\1,0,1,1,\1,0(?:Z)?$")


def compiled(spec: dict[str, Any]) -> dict[str, Any]:
    """A Vega-Lite specification as Vega. Thread-safe, as is `to_svg`."""
    # Here and not at the top: importing the renderer costs time that `--help` should not pay.
    import vl_convert

    text = json.dumps(spec)
    with _RENDERER:
        found: dict[str, Any] = vl_convert.vegalite_to_vega(text)
    return found


def to_svg(vega: dict[str, Any], name: str, description: str) -> str:
    """Render a Vega specification and clean it.

    `name` prefixes ids, `description` is the accessible name. The interpreter's lock is free while
    the renderer works.
    """
    import vl_convert

    text = json.dumps(vega)
    with _RENDERER:
        raw = vl_convert.vega_to_svg(text, allowed_base_urls=[])
    return clean(raw, name, description)


def both_widths(
    spec: dict[str, Any], narrow: dict[str, Any], name: str, spoken: str
) -> tuple[str, str]:
    """(wide, narrow) SVG of a Vega-Lite specification that has a parameter `phone`.

    Compiled once and rendered twice: what depends on the width is an expression in the
    specification. `narrow` holds the size of the narrow variant.
    """
    vega = compiled(spec)
    wide = to_svg(vega, f"{name}-w", spoken)
    signals = [s for s in vega["signals"] if s["name"] != PHONE]
    signals.append({"name": PHONE, "value": True})
    return wide, to_svg(vega | narrow | {"signals": signals}, f"{name}-n", spoken)


def warm_up() -> None:
    """Let the renderer do what it does only once, so that the first chart need not wait for it."""
    spec = {
        "data": {"values": [{"a": 0}]},
        "params": [{"name": PHONE, "value": False}],
        "mark": "line",
        "encoding": {"x": {"field": "a", "type": "temporal"}, "y": {"field": "a"}},
    }
    both_widths(spec, {}, "", "")


def clean(svg: str, name: str, description: str) -> str:
    """Only shapes and text of an SVG by Vega, small, with prefixed ids and an accessible name.

    Elements and attributes outside a short list are dropped, so no script, style, link or image
    can pass; text is escaped anew. Coordinates keep one decimal.

    Raises:
        xml.etree.ElementTree.ParseError: not well-formed XML.
    """
    root = ET.fromstring(svg)
    clips = {c.get("id", ""): c for c in root.iter(f"{_NS}clipPath")}
    cleaner = _Cleaner(name, clips)
    body = "".join(cleaner.children(root, 0.0, 0.0))
    defs = f"<defs>{''.join(cleaner.clips)}</defs>" if cleaner.clips else ""
    width, height = (_n(float(root.get(k, "0"))) for k in ("width", "height"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" '
        f'aria-label="{escape(description)}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" overflow="visible" fill="none" font-size="11">'
        f"{defs}{body}</svg>"
    )


class _Cleaner:
    def __init__(self, name: str, sources: dict[str, ET.Element]) -> None:
        self.name = name
        self.clips: list[str] = []
        self._sources = sources

    def children(self, parent: ET.Element, dx: float, dy: float) -> Iterator[str]:
        """Markup of an element's children, moved by (dx, dy); equal neighbours share a group."""
        run: tuple[str, str] | None = None
        held: list[str] = []
        for style, tag, markup in self._flat(parent, dx, dy):
            if (style, tag) != run:
                yield from _run(run, held)
                run, held = (style, tag), []
            held.append(markup)
        yield from _run(run, held)

    def _flat(self, parent: ET.Element, dx: float, dy: float) -> Iterator[tuple[str, str, str]]:
        """Leaves below `parent`: (style attributes, tag, own attributes or whole markup)."""
        for element in parent:
            tag = element.tag.removeprefix(_NS)
            if element.get("display") == "none":
                continue
            if tag == "g":
                x, y = _moved(element.get("transform"))
                clip_id = element.get("clip-path", "").removeprefix("url(#").removesuffix(")")
                if clip_id:
                    clipped = self._clip(clip_id, dx + x, dy + y)
                    inner = "".join(self.children(element, dx + x, dy + y))
                    if inner:
                        yield "", "", f'<g clip-path="url(#{clipped})">{inner}</g>'
                else:
                    yield from self._flat(element, dx + x, dy + y)
            elif tag in ("path", "text", "line", "rect"):
                leaf = _leaf(tag, element, dx, dy)
                if leaf is not None:
                    yield _style(element), leaf[0], leaf[1]

    def _clip(self, source: str, dx: float, dy: float) -> str:
        name = f"{self.name}-clip{len(self.clips) + 1}"
        shapes = "".join(
            f"<{leaf[0]}{leaf[1]}/>"
            for shape in self._sources.get(source, ())
            if (leaf := _leaf(shape.tag.removeprefix(_NS), shape, dx, dy, clip=True))
        )
        self.clips.append(f'<clipPath id="{name}">{shapes}</clipPath>')
        return name


def _run(run: tuple[str, str] | None, held: list[str]) -> Iterator[str]:
    """Elements of one tag and style: paths become one path, others share a group."""
    if run is None:
        return
    style, tag = run
    if not tag:
        yield from held
    elif tag == "path" and " opacity=" not in style:
        yield f'<path{style} d="{"".join(held)}"/>'
    else:
        if tag == "path":
            held = [f' d="{d}"' for d in held]
        close = "</text>" if tag == "text" else "/>"
        if len(held) == 1:
            yield f"<{tag}{style}{held[0]}{close}"
        else:
            # A group's opacity would act on the group as a whole, which is the same only for
            # shapes that do not overlap; it stays with the shapes.
            own = "".join(re.findall(r' opacity="[^"]*"', style))
            yield f"<g{style.replace(own, '')}>"
            yield from (f"<{tag}{own}{markup}{close}" for markup in held)
            yield "</g>"


def _style(element: ET.Element) -> str:
    found = "".join(
        f' {key}="{escape(value)}"'
        for key in _KEPT
        if (value := element.get(key)) is not None and (key, value) not in _DEFAULTS
    )
    if element.tag == f"{_NS}text" and element.get("stroke"):
        found += ' paint-order="stroke"'
    return found


def _leaf(
    tag: str, element: ET.Element, dx: float, dy: float, clip: bool = False
) -> tuple[str, str] | None:
    """(tag, markup of its own attributes) of a shape or text; None for an invisible one.

    The markup of a path is its bare data; that of a text ends with its content.
    """
    paints = (element.get("fill", "none"), element.get("stroke", "none"))
    if not clip and all(p in ("none", "transparent") for p in paints):
        return None
    x, y = _moved(element.get("transform"))
    x, y = x + dx, y + dy
    found: tuple[str, str] | None
    if tag == "text":
        content = escape("".join(element.itertext()), quote=False)
        found = (tag, f' x="{_n(x)}" y="{_n(y)}">{content}') if content else None
    elif tag == "line":
        x2, y2 = (float(element.get(k, "0")) for k in ("x2", "y2"))
        found = tag, f' x1="{_n(x)}" y1="{_n(y)}" x2="{_n(x + x2)}" y2="{_n(y + y2)}"'
    elif tag == "rect":
        x, y = x + float(element.get("x", "0")), y + float(element.get("y", "0"))
        w, h = (float(element.get(k, "0")) for k in ("width", "height"))
        found = tag, f' x="{_n(x)}" y="{_n(y)}" width="{_n(w)}" height="{_n(h)}"'
    else:
        found = _path(element.get("d", ""), x, y)
        if clip and found is not None and found[0] == "path":
            found = "path", f' d="{found[1]}"'
    return found


def _path(d: str, x: float, y: float) -> tuple[str, str] | None:
    circle = _CIRCLE.match(d)
    if circle:
        return "circle", f' cx="{_n(x)}" cy="{_n(y)}" r="{_n(float(circle[1]))}"'
    rounded = _rounded(d, x, y)
    if rounded is not None:
        return rounded
    return ("path", moved) if (moved := _relative(d, x, y)) else None


def _rounded(d: str, dx: float, dy: float) -> tuple[str, str] | None:
    """A rectangle with round corners, which Vega writes as four lines and four curves."""
    if d.count("C") != 4 or d.count("L") != 4:
        return None
    numbers = [float(v) for v in _NUMBER.findall(d)]
    xs, ys = numbers[::2], numbers[1::2]
    x, y, radius = min(xs), min(ys), xs[0] - min(xs)
    size = f'width="{_n(max(xs) - x)}" height="{_n(max(ys) - y)}" rx="{_n(radius)}"'
    return "rect", f' x="{_n(x + dx)}" y="{_n(y + dy)}" {size}'


def _relative(d: str, dx: float, dy: float) -> str:
    """Path data with relative commands and one decimal; rounding errors do not add up."""
    out: list[str] = []
    x = y = 0.0
    at = start = (0, 0)  # where the pen is, in tenths, as written
    for command, rest in _COMMAND.findall(d):
        v = [float(n) for n in _NUMBER.findall(rest)]
        if command == "Z":
            out.append("z")
            at = start
            x, y = at[0] / 10 - dx, at[1] / 10 - dy
            continue
        if command in "hv":
            x, y = (x + v[0], y) if command == "h" else (x, y + v[0])
        elif command in "HV":
            x, y = (v[0], y) if command == "H" else (x, v[0])
        else:
            x, y = v[-2], v[-1]
        to = (round((x + dx) * 10), round((y + dy) * 10))
        if command == "M":
            out.append(f"M{_t(to[0])} {_t(to[1])}")
            start = to
        elif command in "LHVhv":
            out.append(_line(to[0] - at[0], to[1] - at[1]))
        elif command == "C":
            points = [round((n + (dy if i % 2 else dx)) * 10) - at[i % 2] for i, n in enumerate(v)]
            out.append("c" + _join(points))
        else:
            radii, flags = (
                _join([round(v[0] * 10), round(v[1] * 10)]),
                f"{v[2]:g} {v[3]:g} {v[4]:g}",
            )
            out.append(f"a{radii} {flags} {_join([to[0] - at[0], to[1] - at[1]])}")
        at = to
    return "".join(out)


def _line(dx: int, dy: int) -> str:
    if dy == 0:
        return f"h{_t(dx)}" if dx else ""
    return f"v{_t(dy)}" if dx == 0 else "l" + _join([dx, dy])


def _join(tenths: list[int]) -> str:
    """Numbers with the fewest separators: a minus sign is one."""
    return "".join(t if i == 0 or t[0] == "-" else f" {t}" for i, t in enumerate(map(_t, tenths)))


def _t(tenths: int) -> str:
    """Tenths as the shortest decimal text: 5 -> .5, 20 -> 2, -31 -> -3.1."""
    whole, part = divmod(abs(tenths), 10)
    text = f"{whole or ''}.{part}" if part else str(whole)
    return f"-{text}" if tenths < 0 else text


def _n(value: float) -> str:
    return _t(round(value * 10))


def _moved(transform: str | None) -> tuple[float, float]:
    found = _TRANSLATE.match(transform or "")
    return (float(found[1]), float(found[2])) if found else (0.0, 0.0)
