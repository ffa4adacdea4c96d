"""The parts that charts are made of: labels, ticks, areas, path data, sparklines."""

from __future__ import annotations

import math
import re
import threading
import time
import unicodedata
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import altair as alt
import pytest
from altair.utils.schemapi import debug_mode
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import ValidationError

from gonogo.charts import sparkline
from gonogo.charts.labels import label, unique_labels
from gonogo.charts.marks import data, layer, log_steps, over_limit, steps
from gonogo.charts.timeline import Clock, Timeline, floor, ticks, wall_text
from gonogo.results import Column, Scalar, Table
from gonogo.vega import svg
from gonogo.vega.svg import clean

HOUR, DAY = 3600, 86_400
MON = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp())


def base(starts: list[int], zone: str = "UTC", partial: int = 0, **columns: list[int]) -> Timeline:
    """A timeline of hours whose last `partial` rows are not complete."""
    flags = [i >= len(starts) - partial for i in range(len(starts))]
    cells: dict[str, list[Scalar]] = {"start": list(starts), "partial": list(flags)}
    cells |= {k: list(v) for k, v in columns.items()}
    shown = (Column(key="start", title="", unit="time"),)
    table = Table(id="hours", title="", columns=shown, data=cells)
    clock = Clock(zone)
    return Timeline(table, HOUR, clock, [clock.wall(s) for s in starts], flags)


# --- labels -----------------------------------------------------------------------------------


@given(st.text(max_size=300), st.integers(8, 40))
def test_a_label_is_short_printable_and_stable(text: str, longest: int) -> None:
    found = label(text, longest)
    assert 0 < len(found) <= longest
    assert not any(unicodedata.category(c)[0] == "C" for c in found)
    assert label(found, longest) == found


@given(st.lists(st.text(max_size=40), max_size=12))
def test_unique_labels_differ_and_keep_their_number(names: list[str]) -> None:
    found = unique_labels(names, 16, taken=["Model"])
    assert len(found) == len(names)
    assert len({*found, "Model"}) == len(names) + 1
    assert all(len(f) <= 16 for f in found)


def test_a_long_label_keeps_its_end_where_versions_are() -> None:
    assert label("provider/some-very-long-model-20260302", 20) == "provider/so…20260302"
    assert label("z" + "\u0336" * 50, 20) == "z\u0336\u0336"
    assert label("  a\t\nb ") == "a b"
    assert label("\u202e") == "(blank)"


# --- axes -------------------------------------------------------------------------------------


@given(st.floats(-1, 20), st.floats(1e-6, 1e9), st.integers(3, 6))
def test_steps_enclose_the_data_evenly_and_are_few(share: float, size: float, count: int) -> None:
    low = share * size
    found = steps(low, low + size, count)
    gap = found[1] - found[0]
    tolerance = 1e-6 * size
    assert found[0] <= low + tolerance
    assert found[-1] >= low + size - tolerance
    assert 2 <= len(found) <= count + 3
    assert all(b - a == pytest.approx(gap, rel=1e-3) for a, b in pairwise(found))


@given(st.floats(1e-3, 1e3), st.floats(6, 1e7))
def test_logarithmic_steps_enclose_the_data_and_are_few(low: float, ratio: float) -> None:
    found = log_steps(low, low * ratio)
    assert found[0] <= low * 1.001
    assert found[-1] >= low * ratio * 0.999
    assert len(found) == 1 or found[1] > low * 0.999
    assert found[-2] < low * ratio
    assert 2 <= len(found) <= 12


def test_logarithmic_steps_are_round() -> None:
    assert log_steps(0.7, 31.0) == [0.5, 1, 2, 5, 10, 20, 50]
    assert log_steps(1.0, 10.0) == [1, 2, 5, 10]
    assert log_steps(0.05, 90.0) == [0.03, 0.1, 0.3, 1, 3, 10, 30, 100]
    assert log_steps(0.002, 90.0) == [0.001, 0.01, 0.1, 1, 10, 100]


def test_steps_are_round() -> None:
    assert steps(0, 9.4) == [0, 2, 4, 6, 8, 10]
    assert steps(0, 1, 4) == [0, 0.25, 0.5, 0.75, 1]
    assert steps(0, 0) == [0, 1]


@pytest.mark.parametrize("days", [0.1, 1, 3, 7, 14, 18, 40, 100, 400, 4000])
@pytest.mark.parametrize("offset", [0, 7 * HOUR, 3 * DAY + 61])
def test_time_axes_have_a_few_ticks_inside(days: float, offset: int) -> None:
    start = (MON + offset) * 1000
    end = start + int(days * DAY * 1000)
    values = ticks(start, end).values
    assert len(values) <= 10
    assert all(start <= v < end for v in values)
    assert values == sorted(set(values))
    if days >= 1:
        assert len(values) >= 3
        assert all(v % (HOUR * 1000) == 0 for v in values)
    if 18 < days < 126:
        assert {datetime.fromtimestamp(v / 1000, UTC).weekday() for v in values} == {0}
    if days > 126:
        assert {datetime.fromtimestamp(v / 1000, UTC).day for v in values} == {1}


def test_wall_time_is_what_the_clock_in_the_zone_shows() -> None:
    kolkata = Clock("Asia/Kolkata").wall(MON)
    assert wall_text(kolkata) == "Mon 2 Mar, 05:30"
    # Clocks in Berlin went forward at 01:00 UTC on 29 March 2026.
    before = int(datetime(2026, 3, 29, 0, 30, tzinfo=UTC).timestamp())
    berlin = Clock("Europe/Berlin")
    assert [wall_text(berlin.wall(before + i * HOUR)) for i in range(2)] == [
        "Sun 29 Mar, 01:30", "Sun 29 Mar, 03:30"
    ]  # fmt: skip
    assert wall_text(berlin.wall(before), hours=False) == "Sun 29 Mar"


def test_wide_bins_add_up_and_know_when_they_are_cut() -> None:
    starts = [MON + i * HOUR for i in range(24 * 7)]
    line = base(starts, partial=1, hit=[1] * len(starts), all=[2] * len(starts))
    bins = line.rebin("hit", "all")
    assert {b.end - b.start for b in bins} == {12 * HOUR * 1000}
    assert [b.num for b in bins] == [12] * 14
    assert sum(b.den for b in bins) == 2 * len(starts)
    assert [b.partial for b in bins] == [False] * 13 + [True]
    assert bins[0].epoch == MON


def test_weeks_start_on_monday() -> None:
    for days in range(20):
        wall = (MON + days * DAY) * 1000
        assert floor(wall, 7 * DAY) == (MON + days // 7 * 7 * DAY) * 1000


def test_gaps_get_an_empty_row_and_neighbours_do_not() -> None:
    line = base([MON, MON + HOUR, MON + 4 * HOUR], v=[1, 2, 3])
    rows = line.rows({"v": [1, 2, 3]})
    assert [r["v"] for r in rows] == [1, 2, None, 3]
    assert [r["t"] for r in rows] == sorted(r["t"] for r in rows)
    assert rows[0]["t"] == (MON + HOUR // 2) * 1000


# --- areas over a limit -----------------------------------------------------------------------


def test_areas_begin_and_end_where_the_line_crosses_the_limit() -> None:
    rows = over_limit([(0, 1.0), (10, 3.0), (20, 1.0), (30, 1.0)], 2.0)
    assert [(r["t"], r["v"]) for r in rows] == [(5, 2.0), (10, 3.0), (15, 2.0), (20, None)]


def test_areas_begin_where_the_line_crosses_the_limit_of_a_logarithmic_axis() -> None:
    # From 1 over 10 to 100: half-way on the page.
    rows = over_limit([(0, 1.0), (10, 100.0), (20, 1.0)], 10.0, math.log)
    assert [(r["t"], r["v"]) for r in rows] == [(5, 10.0), (10, 100.0), (15, 10.0), (20, None)]


def test_areas_break_at_gaps_and_below_the_limit() -> None:
    rows = over_limit([(0, 3.0), (10, None), (20, 3.0), (30, 4.0), (40, 0.0), (50, 0.0)], 2.0)
    runs: list[list[float]] = [[]]
    for row in rows:
        if row["v"] is None:
            runs.append([])
        else:
            runs[-1].append(row["v"])
    assert [r for r in runs if r] == [[3.0, 4.0, 2.0]]


@given(st.lists(st.one_of(st.none(), st.floats(0, 10)), max_size=30), st.floats(1, 9))
def test_areas_never_lie_below_the_limit(values: list[float | None], limit: float) -> None:
    points = [(i * 100, v) for i, v in enumerate(values)]
    rows = over_limit(points, limit)
    assert all(r["v"] is None or r["v"] >= limit for r in rows)
    drawn = {r["t"] for r in rows if r["v"] is not None}
    for (t0, v0), (t1, v1) in pairwise(points):
        if v0 is not None and v1 is not None and v0 > limit and v1 > limit:
            assert {t0, t1} <= drawn


# --- cleaning ---------------------------------------------------------------------------------


def cleaned(body: str) -> str:
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50">'
    return clean(f"{head}{body}</svg>", "x", "told")


def absolute(d: str) -> list[tuple[float, float]]:
    """Points of path data with M, l, h, v and z."""
    x = y = 0.0
    start = (0.0, 0.0)
    points = []
    for command, rest in re.findall(r"([Mlhvz])([^Mlhvz]*)", d):
        n = [float(v) for v in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", rest)]
        if command == "M":
            x, y = n
            start = (x, y)
        elif command == "l":
            x, y = x + n[0], y + n[1]
        elif command == "h":
            x += n[0]
        elif command == "v":
            y += n[0]
        else:
            x, y = start
        points.append((x, y))
    return points


coordinate = st.floats(-2000, 2000).map(lambda v: round(v, 3))


@given(st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=60), coordinate)
def test_relative_paths_stay_within_a_twentieth_of_a_pixel(
    points: list[tuple[float, float]], shift: float
) -> None:
    d = "M" + "L".join(f"{x},{y}" for x, y in points)
    svg = cleaned(f'<g transform="translate({shift},1.5)"><path d="{d}" stroke="red"/></g>')
    found = absolute(re.findall(r' d="([^"]*)"', svg)[0])
    # Steps that vanish at one decimal are not written, so positions are compared as a set.
    for x, y in points:
        assert any(abs(x + shift - a) < 0.0501 and abs(y + 1.5 - b) < 0.0501 for a, b in found)


def test_only_listed_elements_and_attributes_pass() -> None:
    svg = cleaned(
        '<script>alert(1)</script><style>*{}</style><image href="http://x/"/><foreignObject/>'
        '<a href="javascript:alert(1)"><path d="M0,0L1,1" stroke="red"/></a>'
        '<path d="M0,0L2,2" stroke="red" style="x" onclick="y" class="z"/>'
        '<text fill="red" transform="translate(3,4)">a &lt;b&gt; &amp;</text>'
        '<path d="M0,0L9,9"/><path d="M0,0L9,9" stroke="red" display="none"/>'
    )
    root = ET.fromstring(svg)
    inner = [(e.tag.split("}")[1], sorted(e.attrib)) for e in list(root.iter())[1:]]
    assert inner == [("path", ["d", "stroke"]), ("text", ["fill", "x", "y"])]
    assert root[1].text == "a <b> &"
    assert root.get("aria-label") == "told"


def test_description_is_escaped() -> None:
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
    svg = clean(head, "x", 'a"><script>&')
    assert ET.fromstring(svg).get("aria-label") == 'a"><script>&'
    assert "<script" not in svg


def test_clip_paths_are_renamed_and_moved_with_their_group() -> None:
    svg = cleaned(
        '<g transform="translate(10,20)"><g clip-path="url(#clip7)">'
        '<path d="M0,0L5,5" stroke="red"/></g></g>'
        '<defs><clipPath id="clip7"><rect x="0" y="0" width="50" height="30"/></clipPath></defs>'
    )
    assert '<clipPath id="x-clip1"><rect x="10" y="20" width="50" height="30"/></clipPath>' in svg
    assert '<g clip-path="url(#x-clip1)"><path stroke="red" d="M10 20l5 5"/></g>' in svg


def test_neighbours_of_one_style_share_their_attributes() -> None:
    bars = "".join(f'<path d="M{i},0h1v2h-1Z" fill="red"/>' for i in range(3))
    assert cleaned(bars).count("<path") == 1
    pale = "".join(f'<path d="M{i},0h1v2h-1Z" fill="red" opacity="0.5"/>' for i in range(3))
    # Half-transparent shapes that overlap would look different as one path.
    assert cleaned(pale).count("<path") == 3
    words = "".join(f'<text fill="red" font-size="11px">{i}</text>' for i in range(3))
    assert cleaned(words).count('fill="red"') == 1


def test_circles_and_round_corners_are_written_as_such() -> None:
    dot = '<path transform="translate(5,6)" d="M2,0A2,2,0,1,1,-2,0A2,2,0,1,1,2,0" fill="red"/>'
    assert '<circle fill="red" cx="5" cy="6" r="2"/>' in cleaned(dot)
    corner = "M3,1L7,1C8,1,9,2,9,3L9,5C9,6,8,7,7,7L3,7C2,7,1,6,1,5L1,3C1,2,2,1,3,1Z"
    assert '<rect fill="red" x="1" y="1" width="8" height="6" rx="2"/>' in cleaned(
        f'<path d="{corner}" fill="red"/>'
    )


def test_other_arcs_and_curves_survive() -> None:
    arc = cleaned('<path d="M0,0A5,5,0,0,1,10,0" stroke="red"/>')
    assert 'd="M0 0a5 5 0 0 1 10 0"' in arc
    curve = cleaned('<path d="M1,1C2,2,3,3,4,1" stroke="red"/>')
    assert 'd="M1 1c1 1 2 2 3 0"' in curve


# --- sparklines -------------------------------------------------------------------------------


def lines(svg: str) -> str:
    found = ET.fromstring(svg).findall(".//path[@class='spark-line']")
    return found[0].get("d", "")


def test_a_sparkline_rises_with_its_values() -> None:
    svg = sparkline([1, 2, 3])
    assert lines(svg) == "M0.0,26.0L60.0,14.0L120.0,2.0"
    assert 'aria-hidden="true"' in svg
    assert "style=" not in svg
    assert len(svg) < 1000


def test_a_sparkline_breaks_at_gaps_and_shows_lone_points() -> None:
    assert lines(sparkline([1, 2, None, 2, 1])).count("M") == 2
    assert lines(sparkline([None, 5, None])) == "M60.0,14.0L60.0,14.0"
    assert lines(sparkline([None, 1, 2])).count("M") == 1


def test_nothing_known_makes_no_sparkline() -> None:
    assert sparkline([]) == ""
    assert sparkline([None, None]) == ""
    assert sparkline([float("nan"), float("inf")]) == ""


@given(st.lists(st.one_of(st.none(), st.floats(-1e12, 1e12)), min_size=1, max_size=400))
def test_sparklines_stay_inside_and_small(values: list[float | None]) -> None:
    svg = sparkline(values)
    if svg:
        assert len(svg) < 3000
        numbers = [tuple(map(float, p)) for p in re.findall(r"(-?[\d.]+),(-?[\d.]+)", lines(svg))]
        assert all(0 <= x <= 120 and 0 <= y <= 28 for x, y in numbers)


def test_the_renderer_is_never_entered_by_two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, met = threading.Semaphore(1), []

    def alone(*_: object, **__: object) -> Any:
        met.append(inside.acquire(blocking=False))
        time.sleep(0.002)
        inside.release()
        return '<svg xmlns="http://www.w3.org/2000/svg"/>'

    monkeypatch.setattr("vl_convert.vegalite_to_vega", alone)
    monkeypatch.setattr("vl_convert.vega_to_svg", alone)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: svg.compiled({}) if i % 2 else svg.to_svg({}, "", ""), range(24)))
    assert met == [True] * 24


def test_layers_stand_in_their_order_and_are_held_against_the_schema() -> None:
    first, second = data("rows").mark_rule(), data("limit").mark_text(dx=6)
    expected = alt.layer(first, second).to_dict()
    del expected["config"]  # of Altair's theme, which ours replaces
    assert layer(first, second).to_dict() == expected
    with debug_mode(False):
        wrong = layer(first, data("limit").mark_line(strokeWidth="wide"))
    with pytest.raises(ValidationError):
        wrong.to_dict()
