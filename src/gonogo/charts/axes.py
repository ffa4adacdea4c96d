"""Where on a chart the rows of its table stand, for readers who point at it.

Read off the finished specification, so that a chart need not say it twice. A page's script turns
it back: a point of the plot to the rows that were drawn there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from gonogo.charts.model import Drawing
from gonogo.charts.timeline import DAYS, Clock, column

Kind = Literal["", "time", "names", "grid", "log"]


@dataclass(frozen=True)
class Axis:
    """How points of a plot become rows of the table.

    `kind` "time": `domain` is the first and last wall second of the x axis, `rows` the wall second
    at which each row begins. "names": `domain` is the number of bands from top to bottom, `rows`
    the band of each row. "grid": weekday times 24 plus hour. "log": `domain` holds the ends of a
    logarithmic x axis in microseconds; the second column of the table says where its rows end.
    "" where pointing tells nothing.
    """

    kind: Kind = ""
    domain: tuple[float, ...] = ()
    rows: tuple[int, ...] = ()


def _channels(view: Any, name: str) -> Iterator[dict[str, Any]]:
    """Every encoding of the channel `name`, layers walked through."""
    if isinstance(view, dict):
        found = view.get("encoding", {}).get(name)
        if isinstance(found, dict):
            yield found
        for layer in view.get("layer", ()):
            yield from _channels(layer, name)


def _scale(spec: dict[str, Any], channel: str) -> dict[str, Any]:
    scales = (c.get("scale") or {} for c in _channels(spec, channel))
    return next((s for s in scales if s.get("domain") or s.get("domainMin") is not None), {})


def axis_of(drawing: Drawing, spec: dict[str, Any], zone: str) -> Axis:
    """The axis of a chart from its Vega-Lite specification; `zone` is that of its times."""
    x, y = _scale(spec, "x"), _scale(spec, "y")
    table = drawing.table
    if x.get("type") == "utc":
        clock = Clock(zone)
        times = next((c.key for c in table.columns if c.unit == "time"), None)
        starts = column(table, times) if times else []
        if not starts or None in starts:
            return Axis()
        walls = tuple(clock.wall(s) // 1000 for s in starts)
        return Axis("time", (x["domainMin"] / 1000, x["domainMax"] / 1000), walls)
    if x.get("type") == "log":
        return Axis("log", tuple(1000 * end for end in x["domain"]))
    if drawing.id == "latency-heatmap":
        cells = zip(column(table, "weekday"), column(table, "hour"), strict=True)
        return Axis("grid", (24, 7), tuple(24 * DAYS.index(d) + h for d, h in cells))
    names = y.get("domain") or ()
    keys = drawing.keys or (tuple(names) if len(names) == table.height else ())
    if names and keys and isinstance(names[0], str):
        return Axis("names", (len(names),), tuple(names.index(k) for k in keys))
    return Axis()
