"""From a result to finished charts: specified one after the other, rendered two at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

from gonogo.charts import theme
from gonogo.charts.model import Chart, Drawing
from gonogo.results import ReadinessResult
from gonogo.vega import workers
from gonogo.vega.svg import PHONE
from gonogo.vega.workers import Job, Pair


def drawings(result: ReadinessResult) -> list[Drawing]:
    """The charts of a result before rendering, in page order; those without data are left out."""
    # Altair takes a good part of a second to import, which a light import of this package must not.
    from altair.utils.schemapi import debug_mode

    from gonogo.charts.gallery import GALLERY
    from gonogo.charts.timeline import timeline
    from gonogo.charts.waterfall import timelines

    base = timeline(result)
    # Else each part of a chart is held against the schema as it is made; see `specification`.
    with debug_mode(False):
        found = [make(result, base) for make in GALLERY]
        return [*(d for d in found if d is not None), *timelines(result)]


def specification(drawing: Drawing, validate: bool = False) -> dict[str, Any]:
    """The complete Vega-Lite specification of a drawing at its wide size.

    `validate` checks it against Altair's schema, which costs more than the rest of the drawing and
    is for tests.
    """
    spec: dict[str, Any] = drawing.view.to_dict(validate=validate)
    return spec | {
        "params": [{"name": PHONE, "value": False}],
        "datasets": drawing.data,
        "config": theme.CONFIG,
        "autosize": {"type": "none"},
        **size(drawing, narrow=False),
    }


def size(drawing: Drawing, narrow: bool) -> dict[str, Any]:
    """width, height and padding of a specification (Vega-Lite or Vega) in one of its variants."""
    m = drawing.margins[narrow]
    width = theme.NARROW if narrow else theme.WIDE[drawing.span]
    # A legend that wraps on a phone must not eat the plot.
    height = drawing.narrow_height + m.top - drawing.margins[0].top if narrow else drawing.height
    return {
        "width": width - m.left - m.right,
        "height": height - m.top - m.bottom,
        "padding": {"left": m.left, "right": m.right, "top": m.top, "bottom": m.bottom},
    }


def job(drawing: Drawing) -> Job:
    """What is to be rendered of a drawing."""
    spoken = f"{drawing.title}. {drawing.caption}"
    return Job(specification(drawing), size(drawing, narrow=True), drawing.id, spoken)


def _plot(drawing: Drawing, narrow: bool) -> tuple[int, int, int, int]:
    found, margins = size(drawing, narrow), drawing.margins[narrow]
    return (margins.left, margins.top, found["width"], found["height"])


def finished(drawing: Drawing, spec: dict[str, Any], pair: Pair, zone: str = "UTC") -> Chart:
    """The chart of a drawing, its specification and its two SVGs; `zone` is that of its times."""
    from gonogo.charts.axes import axis_of

    wide, narrow = pair
    axis = axis_of(drawing, spec, zone)
    return Chart(
        id=drawing.id, page=drawing.page, title=drawing.title, subtitle=drawing.subtitle,
        caption=drawing.caption, svg_wide=wide, table=drawing.table, span=drawing.span,
        svg_narrow=narrow, kind=axis.kind, domain=axis.domain, places=axis.rows,
        plots=(_plot(drawing, narrow=False), _plot(drawing, narrow=True)),
        objective=drawing.objective,
    )  # fmt: skip


def render(result: ReadinessResult) -> list[Chart]:
    """Every chart whose data are there, in page order; the same result gives the same bytes."""
    return list(under_way(result))


def under_way(result: ReadinessResult) -> Iterator[Chart]:
    """The same, begun at once: the caller may do something else before it asks for the first."""
    drawn, jobs = drawings(result), list[Job]()

    def made() -> Iterator[Job]:
        for drawing in drawn:
            jobs.append(job(drawing))
            yield jobs[-1]

    pairs, zone = workers.under_way(made()), result.period.timezone
    return (
        finished(drawing, asked.spec, pair, zone)
        for pair, drawing, asked in zip(pairs, drawn, jobs, strict=True)
    )


@cache
def warm_up() -> threading.Thread:
    """Start the renderers, and the imports of the first chart in the background."""
    workers.start()

    def work() -> None:
        import altair  # noqa: F401

    thread = threading.Thread(target=work, name="charts-warm-up")
    thread.start()
    return thread
