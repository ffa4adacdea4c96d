"""Where the rows of a chart's table stand, against positions worked out by hand."""

from __future__ import annotations

from gonogo.charts.axes import Axis, axis_of
from gonogo.charts.model import Drawing
from gonogo.charts.render import drawings
from synthetic import synthetic_result


def axes(zone: str = "UTC") -> dict[str, tuple[Drawing, Axis]]:
    found = drawings(synthetic_result())
    return {d.id: (d, axis_of(d, d.view.to_dict(validate=False), zone)) for d in found}


def test_a_row_of_a_time_chart_begins_where_its_bin_begins() -> None:
    drawing, axis = axes()["latency-over-time"]
    starts = drawing.table.data["start"]
    assert axis.kind == "time"
    assert list(axis.rows) == starts  # in UTC the wall clock is the epoch
    assert axis.domain == (starts[0], starts[-1] + 3600)


def test_the_wall_clock_of_the_zone_counts() -> None:
    _, utc = axes()["error-rate"]
    _, india = axes("Asia/Kolkata")["error-rate"]
    assert {b - a for a, b in zip(utc.rows, india.rows, strict=True)} == {5 * 3600 + 1800}


def test_rows_of_names_and_of_the_week_have_their_band() -> None:
    found = axes()
    drawing, tools = found["tool-outcomes"]
    assert tools == Axis("names", (drawing.table.height,), tuple(range(drawing.table.height)))
    drawing, models = found["latency-by-model"]
    # A heading of its own stands above the models and above the releases, and has no row.
    kinds = drawing.table.data["kind"]
    first = kinds.index("Release")
    assert models.rows == tuple(i + 1 + (i >= first) for i in range(len(kinds)))
    drawing, heat = found["latency-heatmap"]
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    cells = zip(drawing.table.data["weekday"], drawing.table.data["hour"], strict=True)
    assert heat.rows == tuple(24 * days.index(str(d)) + int(h or 0) for d, h in cells)


def test_every_chart_of_the_week_answers_but_those_that_cannot() -> None:
    silent = {name for name, (_, axis) in axes().items() if not axis.kind}
    assert silent == set()
    for name, (drawing, axis) in axes().items():
        assert axis.kind == "log" or len(axis.rows) == drawing.table.height, name
