"""What a chart is: before rendering (`Drawing`) and after (`Chart`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from gonogo.results import Table

Page = Literal[
    "readiness", "latency", "errors", "quality", "evaluation", "cost", "breaches", "data"
]
Span = Literal["full", "half"]
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Chart:
    """One chart as the page shows it.

    `caption` is the finding in words. `table` is the frame that was drawn. `span` is the place
    that `svg_wide` was drawn for. Texts are cleaned but not escaped; the SVGs are safe to inline.

    `kind`, `domain` and `places` say where the rows of the table stand (see axes.Axis); `plots` is
    the area of the plot in each of the two SVGs: left, top, width, height. `objective` is the one
    whose excursions are shaded.
    """

    id: str
    page: Page
    title: str
    subtitle: str
    caption: str
    svg_wide: str
    svg_narrow: str
    table: Table
    span: Span = "full"
    kind: str = ""
    domain: tuple[float, ...] = ()
    places: tuple[int, ...] = ()
    plots: tuple[tuple[int, int, int, int], ...] = ()
    objective: str = ""


@dataclass(frozen=True)
class Margins:
    """Room around the plot in pixels: axis labels, legend, limit labels."""

    left: int = 40
    right: int = 14
    top: int = 10
    bottom: int = 24


@dataclass(frozen=True)
class Drawing:
    """A chart before it is rendered.

    `view` is an Altair chart over named data; `data` holds those tables, times as epoch
    milliseconds of the local wall clock. Heights are of the whole picture, in pixels. Margins are
    given and not measured: measuring text is what rendering spends most of its time on.
    """

    id: str
    page: Page
    title: str
    subtitle: str
    caption: str
    view: Any
    data: dict[str, Rows]
    table: Table
    span: Span = "full"
    height: int = 300
    narrow_height: int = 260
    margins: tuple[Margins, Margins] = (Margins(), Margins())
    """on a desktop and on a phone"""
    keys: tuple[str, ...] = ()
    """the name on the y axis at which each row of the table stands; as the names go where empty"""
    objective: str = ""
    """id of the objective whose excursions are shaded"""
