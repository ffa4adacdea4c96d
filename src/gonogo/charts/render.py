"""From a result to finished charts: drawn one after the other, rendered two at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gonogo.charts import svg, theme
from gonogo.charts.model import Chart, Drawing
from gonogo.results import ReadinessResult

_THREADS = 2  # more do not help: cleaning holds the interpreter lock


def drawings(result: ReadinessResult) -> list[Drawing]:
    """The charts of a result before rendering, in page order; those without data are left out."""
    # Altair takes a good part of a second to import, which a light import of this package must not.
    from gonogo.charts.gallery import GALLERY
    from gonogo.charts.timeline import timeline

    base = timeline(result)
    found = (make(result, base) for make in GALLERY)
    return [d for d in found if d is not None]


def specification(drawing: Drawing, validate: bool = False) -> dict[str, Any]:
    """The complete Vega-Lite specification of a drawing at its wide size.

    `validate` checks it against Altair's schema, which costs more than the rest of the drawing and
    is for tests.
    """
    spec: dict[str, Any] = drawing.view.to_dict(validate=validate)
    return spec | {
        "params": [{"name": theme.PHONE, "value": False}],
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


def finished(drawing: Drawing, spec: dict[str, Any]) -> Chart:
    """The chart of a drawing and its specification; thread-safe.

    Compiled once and rendered twice: what depends on the width is an expression in the spec.
    """
    vega = svg.compiled(spec)
    spoken = f"{drawing.title}. {drawing.caption}"
    wide = svg.to_svg(vega, f"{drawing.id}-w", spoken)
    signals = [s for s in vega["signals"] if s["name"] != theme.PHONE]
    signals.append({"name": theme.PHONE, "value": True})
    narrow = vega | size(drawing, narrow=True) | {"signals": signals}
    return Chart(
        id=drawing.id, page=drawing.page, title=drawing.title, subtitle=drawing.subtitle,
        caption=drawing.caption, svg_wide=wide, table=drawing.table, span=drawing.span,
        svg_narrow=svg.to_svg(narrow, f"{drawing.id}-n", spoken),
    )  # fmt: skip


def render(result: ReadinessResult) -> list[Chart]:
    """Every chart whose data are there, in page order; the same result gives the same bytes."""
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="charts") as pool:
        jobs = [pool.submit(finished, d, specification(d)) for d in drawings(result)]
        return [job.result() for job in jobs]
