"""Upright lines on time charts where a release or a prompt version was called first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt

from gonogo.charts import theme
from gonogo.charts.labels import label
from gonogo.charts.marks import data
from gonogo.charts.model import Rows
from gonogo.charts.timeline import Clock, column
from gonogo.results import ReadinessResult

ROOM: Final = 14
"""Pixels that the names take above the plot."""
_MOST: Final = 8
"""Values of one dimension; more of them would be a fence, so none of them is marked."""
_APART: Final = 0.16
"""Share of the axis between two names; of lines that are closer only the first has its name."""
_LONGEST: Final = 14
_SPOKEN: Final = {"release": "release", "prompt_version": "prompt"}


@dataclass(frozen=True)
class Markers:
    """Lines within one axis: `rows` {t} and `names` {t, text}; `words` for a subtitle, or ""."""

    rows: Rows
    names: Rows
    words: str

    @property
    def top(self) -> int:
        """Room above the plot in pixels."""
        return ROOM if self.names else 0

    @property
    def legend(self) -> dict[str, int]:
        """What a legend above the plot needs, to leave room for the names."""
        return {"offset": theme.LEGEND_OFFSET + ROOM} if self.names else {}

    @property
    def data(self) -> dict[str, Rows]:
        return {"came": self.rows, "came_names": self.names} if self.rows else {}

    def layers(self, x: Any) -> list[Any]:
        """A dotted line for each, and the names above the plot; nothing where nothing came."""
        if not self.rows:
            return []
        rule = data("came").mark_rule(color=theme.MUTED, strokeDash=[1, 3], strokeWidth=1.2)
        text = data("came_names").mark_text(
            color=theme.MUTED, baseline="bottom", fontSize=10, clip=False
        )
        return [rule.encode(x), text.encode(x, alt.YValue(-3), alt.Text("text:N"))]


def markers(result: ReadinessResult, clock: Clock, start: int, end: int) -> Markers:
    """What came between two wall milliseconds."""
    table = result.tables.get("first_seen")
    if table is None:
        return Markers([], [], "")
    keys = ("time", "dimension", "value")
    found = [
        (clock.wall(time), dimension, str(value))
        for time, dimension, value in zip(*(column(table, k) for k in keys), strict=True)
        if dimension in _SPOKEN and start < clock.wall(time) < end
    ]
    often = Counter(dimension for _, dimension, _ in found)
    order = list(_SPOKEN)
    found = [f for f in found if often[f[1]] <= _MOST]
    found.sort(key=lambda f: (f[0], order.index(f[1]), f[2]))
    times = sorted({f[0] for f in found})
    names: Rows = []
    for t in times:
        if names and t - names[-1]["t"] < _APART * (end - start):
            continue
        text = " · ".join(label(value, _LONGEST) for at, _, value in found if at == t)
        names.append({"t": t, "text": label(text, 2 * _LONGEST)})
    return Markers([{"t": t} for t in times], names, _words(found))


def _words(found: Sequence[tuple[int, str, str]]) -> str:
    told = []
    for dimension, spoken in _SPOKEN.items():
        values = [label(value, 24) for _, of, value in found if of == dimension]
        if values:
            more = f" and {len(values) - 3} more" if len(values) > 3 else ""
            told.append(f"{spoken} {', '.join(values[:3])}{more}")
    return f"dotted: first call of {', '.join(told)}" if told else ""
