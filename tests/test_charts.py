"""Charts of a whole result: what is drawn, what it says, and that its SVG is safe to inline."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import vl_convert

from gonogo.charts import TOKENS, Chart, render
from gonogo.charts.model import Drawing
from gonogo.charts.render import drawings, finished, job, specification
from gonogo.results import ReadinessResult, Table
from gonogo.vega import workers
from synthetic import synthetic_result

SVG = "{http://www.w3.org/2000/svg}"
TAGS = {"svg", "defs", "clipPath", "g", "path", "rect", "line", "circle", "text"}
HOUR = 3600
EXPECTED = {
    "error-budget": "readiness",
    "latency-over-time": "latency",
    "latency-distribution": "latency",
    "latency-heatmap": "latency",
    "latency-by-model": "latency",
    "ttft-over-time": "latency",
    "ttft-distribution": "latency",
    "error-rate": "errors",
    "error-classes": "errors",
    "guardrail-rate": "quality",
    "guardrail-rules": "quality",
    "retrieval-hit-rate": "quality",
    "tool-outcomes": "quality",
    "tool-error-rate": "quality",
    "cost-over-time": "cost",
    "calls-over-time": "data",
}


@pytest.fixture(scope="module")
def week() -> ReadinessResult:
    return synthetic_result()


@pytest.fixture(scope="module")
def charts(week: ReadinessResult) -> dict[str, Chart]:
    return {c.id: c for c in render(week)}


def with_tables(**tables: Table) -> ReadinessResult:
    return synthetic_result(tables=synthetic_result().tables | tables)


def changed(table: Table, **columns: list[Any]) -> Table:
    return table.model_copy(update={"data": table.data | columns})


def rendered(result: ReadinessResult, *ids: str) -> dict[str, Chart]:
    """Some of the charts of a result."""
    wanted = [d for d in drawings(result) if d.id in ids]
    jobs = [job(d) for d in wanted]
    pairs = workers.draw(jobs)
    return {d.id: finished(d, j.spec, p) for d, j, p in zip(wanted, jobs, pairs, strict=True)}


def texts(svg: str) -> list[str]:
    return [t.text or "" for t in ET.fromstring(svg).iter(f"{SVG}text")]


def test_a_complete_result_has_every_chart_on_its_page(charts: dict[str, Chart]) -> None:
    assert {c.id: c.page for c in charts.values()} == EXPECTED


def test_every_chart_has_words_with_numbers_and_a_table(charts: dict[str, Chart]) -> None:
    for chart in charts.values():
        assert chart.title
        assert chart.subtitle.endswith(".")
        assert re.search(r"\d", chart.caption), chart.id
        assert chart.table.height > 0
        for column in chart.table.columns:
            needs = {column.num, column.den} if column.num else {column.key}
            assert needs <= set(chart.table.data), (chart.id, column.key)
            assert all(len(v) == chart.table.height for v in chart.table.data.values())


def test_specifications_satisfy_the_schema_and_compile_without_a_warning(
    week: ReadinessResult, capfd: pytest.CaptureFixture[str]
) -> None:
    for drawing in drawings(week):
        spec = specification(drawing, validate=True)
        assert spec == specification(drawing)
        vl_convert.vegalite_to_svg(spec, show_warnings=True)
    out, err = capfd.readouterr()
    assert out + err == ""


def test_a_warning_of_the_compiler_would_be_seen(
    week: ReadinessResult, capfd: pytest.CaptureFixture[str]
) -> None:
    spec = specification(next(d for d in drawings(week) if d.id == "error-rate"))
    spec["layer"][2]["encoding"]["y"]["scale"] = {"domain": [0, 77]}
    vl_convert.vegalite_to_svg(spec, show_warnings=True)
    assert "Conflicting scale property" in "".join(capfd.readouterr())


@pytest.mark.parametrize("variant", ["svg_wide", "svg_narrow"])
def test_svgs_hold_shapes_and_text_and_nothing_else(charts: dict[str, Chart], variant: str) -> None:
    for chart in charts.values():
        svg = getattr(chart, variant)
        root = ET.fromstring(svg)
        assert root.get("role") == "img"
        assert root.get("aria-label") == f"{chart.title}. {chart.caption}"
        width = 324 if variant == "svg_narrow" else {"full": 1012, "half": 476}[chart.span]
        assert root.get("width") == str(width)
        assert root.get("viewBox") == f"0 0 {width} {root.get('height')}"
        for element in root.iter():
            assert element.tag.removeprefix(SVG) in TAGS
            for key, value in element.attrib.items():
                assert not key.startswith("on")
                assert "style" not in key
                assert "href" not in key
                assert "://" not in value or key == "aria-label"
        assert "font-family" not in svg


def test_ids_are_prefixed_and_never_meet_on_a_page(charts: dict[str, Chart]) -> None:
    seen: set[str] = set()
    for chart in charts.values():
        for svg in (chart.svg_wide, chart.svg_narrow):
            ids = re.findall(r'\bid="([^"]+)"', svg)
            assert all(i.startswith(chart.id) for i in ids)
            assert not seen & set(ids)
            seen |= set(ids)
            assert set(re.findall(r"url\(#([^)]+)\)", svg)) == set(ids)
    assert seen


def test_colours_are_tokens_that_the_docstring_names(charts: dict[str, Chart]) -> None:
    used = {
        token
        for chart in charts.values()
        for svg in (chart.svg_wide, chart.svg_narrow)
        for token in re.findall(r"var\(--([a-z0-9]+)\)", svg)
    }
    assert used <= set(TOKENS)
    assert {"p50", "p95", "p99", "bad", "ink", "muted", "grid", "card", "h0", "h6"} <= used
    for chart in charts.values():
        paints = re.findall(r'\b(?:fill|stroke)="([^"]+)"', chart.svg_wide)
        assert all(p == "none" or p.startswith("var(--") for p in paints)


def test_charts_are_light(charts: dict[str, Chart]) -> None:
    by_page: dict[str, str] = {}
    for chart in charts.values():
        both = chart.svg_wide + chart.svg_narrow
        assert len(gzip.compress(both.encode())) < 6_000, chart.id
        by_page[chart.page] = by_page.get(chart.page, "") + both
    # Of the 40 KB that a page may weigh, its charts take less than half.
    assert all(len(gzip.compress(page.encode())) < 18_000 for page in by_page.values())


def test_the_same_result_gives_the_same_bytes_in_another_process_zone_and_hash_seed(
    charts: dict[str, Chart],
) -> None:
    code = (
        "import sys, hashlib; sys.path.insert(0, sys.argv[1])\n"
        "def text(c): return c.svg_wide + c.svg_narrow + c.caption\n"
        "from synthetic import synthetic_result\n"
        "from gonogo.charts import render\n"
        "found = ''.join(map(text, render(synthetic_result())))\n"
        "print(hashlib.sha256(found.encode()).hexdigest())"
    )
    for seed, zone, locale in (("1", "Asia/Kolkata", "C"), ("77", "America/New_York", "C.UTF-8")):
        done = subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).parent)],
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        here = "".join(c.svg_wide + c.svg_narrow + c.caption for c in charts.values())
        assert done.stdout.strip() == hashlib.sha256(here.encode()).hexdigest()


def test_importing_the_package_does_not_import_altair_or_the_renderer() -> None:
    code = "import sys, gonogo.charts; print({'altair', 'vl_convert'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_warming_up_twice_starts_one_thread_and_ends() -> None:
    code = (
        "import threading\nfrom gonogo.charts import warm_up\n"
        "warm_up(); warm_up()\n"
        "threads = [t for t in threading.enumerate() if t.name == 'charts-warm-up']\n"
        "[t.join() for t in threads]\n"
        "import sys; print(len(threads), 'altair' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "True"]


# --- what is left out -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "chart"),
    [
        ("guardrails", "guardrail-rules"), ("tools", "tool-outcomes"),
        ("latency_distribution", "latency-distribution"), ("heatmap", "latency-heatmap"),
        ("cost_by_model", "cost-over-time"), ("objective_bins", "error-budget"),
    ],
)  # fmt: skip
def test_without_its_table_a_chart_is_left_out_and_no_other(table: str, chart: str) -> None:
    tables = {k: t for k, t in synthetic_result().tables.items() if k != table}
    found = {d.id for d in drawings(synthetic_result(tables=tables))}
    assert found == set(EXPECTED) - {chart}


def test_without_hours_the_days_are_drawn() -> None:
    tables = {k: t for k, t in synthetic_result().tables.items() if k != "hours"}
    found = {d.id: d for d in drawings(synthetic_result(tables=tables))}
    assert "by day" in found["latency-over-time"].subtitle
    assert found["calls-over-time"].title == "Calls per day"


def test_nothing_known_gives_no_chart_and_no_error() -> None:
    assert render(synthetic_result(tables={})) == []
    keep = {"start", "partial", "value", "model", "error_class", "group", "upper", "weekday",
            "hour", "name", "stage", "tool", "objective"}  # fmt: skip
    for blank in (None, 0):
        tables = {
            k: changed(t, **{c: [blank] * t.height for c in t.data if c not in keep})
            for k, t in synthetic_result().tables.items()
        }
        assert drawings(synthetic_result(tables=tables)) == []
    empty = {k: changed(t, **{c: [] for c in t.data}) for k, t in synthetic_result().tables.items()}
    assert drawings(synthetic_result(tables=empty)) == []


def test_one_hour_of_traffic_draws_no_lines_over_time() -> None:
    hours = synthetic_result().tables["hours"]
    one = with_tables(hours=changed(hours, **{k: v[5:6] for k, v in hours.data.items()}))
    found = {d.id for d in drawings(one)}
    assert not found & {"latency-over-time", "error-rate", "guardrail-rate", "calls-over-time"}
    assert "latency-distribution" in found


# --- what the words say -----------------------------------------------------------------------


def test_the_latency_caption_names_the_slowest_complete_hour(charts: dict[str, Chart]) -> None:
    assert charts["latency-over-time"].caption.startswith(
        "The slowest hour was Wed 4 Mar, 15:00, with a p95 of 7.39 s."
    )
    hours = synthetic_result().tables["hours"].data
    p95 = [v for v in hours["latency_p95"] if isinstance(v, int)]
    over = sum(v > 2_800_000 for v in p95)
    assert (
        f"p95 was over 2.8 s in {over} of {len(p95)} hours." in charts["latency-over-time"].caption
    )


def test_shares_beside_a_limit_are_never_rounded_across_it(week: ReadinessResult) -> None:
    objective = next(o for o in week.objectives if o.id == "latency.p95")
    close = objective.model_copy(update={"good": 94_999, "total": 100_000})
    found = {d.id: d for d in drawings(synthetic_result(objectives=(close,)))}
    assert found["latency-distribution"].caption.startswith("94.999 % of 100,000 calls")


def test_the_error_caption_counts_failures(charts: dict[str, Chart]) -> None:
    hours = synthetic_result().tables["hours"].data
    errors = sum(v for v in hours["errors"] if isinstance(v, int))
    known = sum(v for v in hours["error_known"] if isinstance(v, int))
    assert charts["error-rate"].caption.startswith(f"{errors} of {known:,} calls failed (0.98 %)")
    assert "Wed 4 Mar, 10:00" in charts["error-rate"].caption


def test_most_calls_failing_is_drawn_up_to_one_hundred_percent(week: ReadinessResult) -> None:
    hours = week.tables["hours"]
    known = [int(v or 0) for v in hours.data["error_known"]]
    failing = with_tables(hours=changed(hours, errors=[n * 867 // 1000 for n in known]))
    chart = rendered(failing, "error-rate")["error-rate"]
    assert "100 %" in texts(chart.svg_wide)
    assert "calls failed (8" in chart.caption


def test_wilson_intervals_are_drawn_and_told(week: ReadinessResult) -> None:
    found = {d.id: d for d in drawings(week)}
    rows = found["retrieval-hit-rate"].data["rate"]
    assert all(0 <= r["low"] < r["v"] < r["high"] <= 1 for r in rows)
    first = found["guardrail-rules"].table.data
    # 83 of 10,213 by Wilson's formula, z = 1.96, computed by hand: 0.656 % to 1.006 %.
    at = first["name"].index("prompt_injection")
    assert (first["triggered"][at], first["calls"][at]) == (83, 10_213)
    assert first["interval"][at] == "0.66 % to 1.01 %"


def test_an_overspent_budget_says_by_how_much_and_when(charts: dict[str, Chart]) -> None:
    chart = charts["error-budget"]
    bins = synthetic_result().tables["objective_bins"].data
    bad = sum(
        int(t or 0) - int(g or 0)
        for o, g, t in zip(bins["objective"], bins["good"], bins["total"], strict=True)
        if o == "latency.p95"
    )
    assert chart.caption.startswith(f"{bad} bad events of 9,795")
    over = Fraction(bad * 1000, 50 * 9795) - 1
    assert f"overspent by {float(over * 100):.2f} %" in chart.caption
    assert "It ran out in the hour from Sat 7 Mar, 13:00." in chart.caption


def test_a_budget_with_something_left_says_what(week: ReadinessResult) -> None:
    calm = next(o for o in week.objectives if o.id == "error_rate")
    found = {d.id: d for d in drawings(synthetic_result(objectives=(calm,)))}["error-budget"]
    assert "is left." in found.caption
    assert found.data["last"][0]["v"] > 0


def test_a_budget_overspent_many_times_is_cut_at_minus_one_hundred_percent(
    week: ReadinessResult,
) -> None:
    bins = week.tables["objective_bins"]
    failed = with_tables(objective_bins=changed(bins, good=[0] * bins.height))
    found = {d.id: d for d in drawings(failed)}["error-budget"]
    assert min(r["v"] for r in found.data["left"]) == -1
    assert "overspent by 1,900 %" in found.caption


# --- limits, excursions, time -----------------------------------------------------------------


def test_the_limit_is_drawn_where_an_objective_has_one(week: ReadinessResult) -> None:
    def limits(result: ReadinessResult) -> dict[str, list[str]]:
        return {d.id: [r["text"] for r in d.data.get("limit", [])] for d in drawings(result)}

    with_them = limits(week)
    assert with_them["latency-over-time"] == ["≤ 2.8 s"]
    assert with_them["ttft-over-time"] == ["≤ 1.5 s"]
    assert with_them["error-rate"] == ["≤ 1.5 %"]
    assert with_them["retrieval-hit-rate"] == ["≥ 90 %"]
    assert not any(limits(synthetic_result(objectives=(), excursions=())).values())
    some = [o.model_copy(update={"selector": {"model": "atlas-mini"}}) for o in week.objectives]
    assert not any(limits(synthetic_result(objectives=tuple(some))).values())


def test_one_slow_hour_does_not_flatten_the_others(week: ReadinessResult) -> None:
    def drawn(slowest: int) -> tuple[Drawing, dict[str, Any]]:
        hours = week.tables["hours"]
        slow = {
            key: [*values[:80], slowest, *values[81:]]
            for key, values in hours.data.items()
            if key in ("latency_p50", "latency_p95", "latency_p99")
        }
        slowed = with_tables(hours=hours.model_copy(update={"data": {**hours.data, **slow}}))
        drawing = {d.id: d for d in drawings(slowed)}["latency-over-time"]
        channels = [layer["encoding"].get("y", {}) for layer in specification(drawing)["layer"]]
        scales = [channel["scale"] for channel in channels if "scale" in channel]
        assert all(scale == scales[0] for scale in scales)
        return drawing, scales[0]

    even, linear = drawn(9_000_000)
    assert "log scale" not in even.subtitle
    assert "type" not in linear
    assert linear["domain"][0] == 0
    spiked, log = drawn(60_000_000)
    assert "; log scale;" in spiked.subtitle
    assert log["type"] == "log"
    lowest = min(r["p50"] for r in spiked.data["bins"] if r["p50"] is not None)
    assert 0 < log["domain"][0] <= lowest < log["domain"][0] * 10
    assert log["domain"][1] == 100
    never, still = drawn(0)
    assert "type" not in still  # of nothing there is no logarithm
    assert "log scale" not in never.subtitle


def test_a_limit_far_above_the_data_does_not_squash_them(week: ReadinessResult) -> None:
    lax = [o.model_copy(update={"limit": "60000000"}) for o in week.objectives if o.unit == "us"]
    found = {d.id: d for d in drawings(synthetic_result(objectives=tuple(lax)))}[
        "latency-over-time"
    ]
    assert found.data["limit"] == []
    assert "the limit, 1 min, is off the scale" in found.subtitle
    chart = {c.id: c for c in render(synthetic_result(objectives=tuple(lax)))}["latency-over-time"]
    assert "60 s" not in texts(chart.svg_wide)


def test_excursions_of_the_drawn_objective_are_washed(week: ReadinessResult) -> None:
    found = {d.id: d for d in drawings(week)}
    onset = 1_772_618_400_000  # Wed 4 Mar 2026, 10:00 UTC
    for chart in ("latency-over-time", "error-rate"):
        assert found[chart].data["wash"] == [{"t": onset, "t2": onset + 6 * HOUR * 1000}]
        assert "shaded" in found[chart].subtitle
    assert found["ttft-over-time"].data["wash"] == []
    assert "shaded" not in found["ttft-over-time"].subtitle


def test_time_is_told_in_the_declared_zone(week: ReadinessResult) -> None:
    period = week.period.model_copy(update={"timezone": "Asia/Kolkata"})
    found = {d.id: d for d in drawings(synthetic_result(period=period))}
    latency = found["latency-over-time"]
    assert "Asia/Kolkata" in latency.subtitle
    assert "Wed 4 Mar, 20:30" in latency.caption
    first = int(week.tables["hours"].data["start"][0] or 0)
    assert latency.data["bins"][0]["t"] == (first + 5 * HOUR + 1800 + 1800) * 1000
    assert latency.table.data["start"][0] == first


def test_partial_bins_are_marked(week: ReadinessResult) -> None:
    found = {d.id: d for d in drawings(week)}
    assert {r["s"] for r in found["latency-over-time"].data["partial"]} == {"p50", "p95", "p99"}
    assert "not complete" in found["latency-over-time"].subtitle
    assert len(found["calls-over-time"].data["partial"]) == 1
    assert found["cost-over-time"].data["partial"]
    hours = week.tables["hours"]
    whole = with_tables(hours=changed(hours, partial=[False] * hours.height))
    whole_found = {d.id: d for d in drawings(whole)}
    assert whole_found["latency-over-time"].data["partial"] == []
    assert "not complete" not in whole_found["latency-over-time"].subtitle


def test_a_gap_breaks_the_line_and_is_named(week: ReadinessResult) -> None:
    hours = week.tables["hours"]
    kept = [i for i in range(hours.height) if not 30 <= i < 34]
    gap = changed(hours, **{k: [v[i] for i in kept] for k, v in hours.data.items()})
    found = {d.id: d for d in drawings(with_tables(hours=gap))}
    rows = found["latency-over-time"].data["bins"]
    assert [r["p95"] for r in rows].count(None) == 1
    assert "4 hours without any call" in found["calls-over-time"].caption
    assert "no hour without a call" in {d.id: d for d in drawings(week)}["calls-over-time"].caption


# --- hostile log text -------------------------------------------------------------------------

HOSTILE = "</text><script>alert(1)</script><image href='http://evil.example/x'/>"


def renamed(week: ReadinessResult, name: Any) -> ReadinessResult:
    """The week with every name in every table wrapped by `name`."""
    keys = ("model", "value", "tool", "name", "stage", "error_class", "group")
    return synthetic_result(
        tables={
            k: changed(
                t,
                **{
                    c: [v if v == "all calls" else name(v) for v in t.data[c]]
                    for c in keys
                    if c in t.data
                },
            )
            for k, t in week.tables.items()
        }
    )


def test_markup_in_names_stays_text(week: ReadinessResult) -> None:
    found = render(renamed(week, lambda v: HOSTILE + v))
    assert {c.id for c in found} == set(EXPECTED)
    shown = ""
    for chart in found:
        for svg in (chart.svg_wide, chart.svg_narrow):
            root = ET.fromstring(svg)
            assert {e.tag.removeprefix(SVG) for e in root.iter()} <= TAGS
            assert "<script" not in svg
            assert "<image" not in svg
            shown += " ".join(texts(svg))
    assert "</text><script" in shown


def test_names_lose_bidi_control_and_surrogate_characters(week: ReadinessResult) -> None:
    bad = "\u202e\u2066\u200b\x00\x1b[31m\ud800\ufeff"
    found = render(renamed(week, lambda v: bad + v))
    assert {c.id for c in found} == set(EXPECTED)
    for chart in found:
        text = chart.svg_wide + chart.svg_narrow + chart.caption + chart.subtitle
        assert not set(bad) - set("[31m") & set(text)
        text.encode()


def test_very_long_names_are_cut_and_stay_apart(week: ReadinessResult) -> None:
    names = ("tool-outcomes", "latency-by-model", "error-classes", "cost-over-time")
    found = rendered(renamed(week, lambda v: "x" * 100_000 + v), *names)
    assert set(found) == set(names)
    labels = [t for t in texts(found["tool-outcomes"].svg_wide) if "x…" in t]
    assert len(labels) == len(set(labels)) == 5
    for chart in found.values():
        assert max(map(len, texts(chart.svg_narrow))) <= 28
        assert len(chart.caption) < 400


def test_names_that_look_alike_keep_their_own_marks(week: ReadinessResult) -> None:
    lookalikes = renamed(week, lambda v: v[:1] + "\u200b" * len(v))
    found = rendered(lookalikes, "latency-by-model")["latency-by-model"]
    labels = texts(found.svg_wide)
    assert {"a", "a·2", "o"} <= set(labels)


def test_a_name_that_is_an_expression_is_only_a_name(week: ReadinessResult) -> None:
    names = ("datum.value", "'+alert(1)+'", '"\\', "__proto__", "null")
    tools = week.tables["tools"]
    found = rendered(with_tables(tools=changed(tools, tool=list(names))), "tool-outcomes")
    assert set(names) <= set(texts(found["tool-outcomes"].svg_wide))
