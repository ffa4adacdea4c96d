"""What happened in the calls worth opening: the lines of their traces, and the chart of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from gonogo.charts.render import finished, job
from gonogo.charts.waterfall import MOST, timelines
from gonogo.cli import main
from gonogo.results import Step, TraceLine, Witness
from gonogo.rollup import siblings
from gonogo.vega import workers
from hostile_result import excursion
from synthetic import synthetic_result

START = 1_795_392_000  # Mon 2026-11-23T00:00Z
HOSTILE = "</text><script>alert(1)</script>"


def request(i: int) -> list[dict[str, Any]]:
    """One request of two minutes past the last: an agent's span around a retrieval, a call of the
    model and a tool, each a line with a start of its own."""
    bad, trace = 200 <= i < 240 and i % 8 != 0, f"trace-{i}"
    at = START + 120 * i
    model_ms = 900 + i  # no two alike, so that the worst is one
    lines: list[dict[str, Any]] = [
        {"span_id": "a", "operation": "invoke_agent", "is_call": False, "timestamp": at,
         "latency_ms": 3000},
        {"span_id": "r", "parent_span_id": "a", "operation": "retrieve", "timestamp": at + 0.25,
         "latency_ms": 40, "retrieval": {"hit": True, "index_version": "i7", "latency_ms": 40}},
        {"span_id": "c", "parent_span_id": "a", "operation": "chat", "model": "m",
         "timestamp": at + 0.5, "latency_ms": model_ms, "status": "error" if bad else "ok"},
        {"span_id": "t", "parent_span_id": "a", "operation": "execute_tool", "timestamp": at + 2,
         "latency_ms": 125,
         "tool_calls": [{"name": "search", "status": "error" if bad else "ok",
                         "latency_ms": 125}]},
    ]  # fmt: skip
    return [{"trace_id": trace, **line} for line in lines]


def written(folder: Path, *files: list[dict[str, Any]]) -> Path:
    folder.mkdir()
    for n, lines in enumerate(files):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{n}.jsonl").write_text(text)
    return folder


def excursions(logs: Path, state: Path) -> list[dict[str, Any]]:
    config = state.with_suffix(".toml")
    config.write_text('[slo]\n"error_rate" = "<= 1%"\n')
    done = CliRunner().invoke(
        main,
        ["check", str(logs), "-c", str(config), "--format", "json", "--state", str(state)],
        catch_exceptions=False,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)["excursions"]
    return found


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    return [line for i in range(600) for line in request(i)]


def test_lines_of_a_trace_are_told_with_the_time_at_which_they_began(
    tmp_path: Path, lines: list[dict[str, Any]]
) -> None:
    (found,) = excursions(written(tmp_path / "logs", lines), tmp_path / "state")
    worst, _, control = found["witnesses"]
    # The longest of the bad is the last of them: request 239.
    assert worst["trace_id"] == "trace-239"
    assert worst["duration_us"] == 1_139_000
    expected = [
        ("invoke_agent", -500_000, 3_000_000, False),
        ("retrieval i7", -250_000, 40_000, False),
        ("tool search", 1_500_000, 125_000, True),
    ]
    told = [(b["name"], b["offset_us"], b["duration_us"], b["failed"]) for b in worst["beside"]]
    assert told == expected
    assert worst["beside_left_out"] == 0
    assert [b["failed"] for b in control["beside"]] == [False, False, False]


def test_in_which_files_and_order_the_lines_of_a_trace_come_does_not_matter(
    tmp_path: Path, lines: list[dict[str, Any]]
) -> None:
    whole = excursions(written(tmp_path / "one", lines), tmp_path / "a")
    # Files of one kind of span each; the calls come last, when the other files have been read.
    kinds = [[x for x in lines if x["span_id"] in ids] for ids in ("t", "ra", "c")]
    assert excursions(written(tmp_path / "three", *kinds), tmp_path / "b") == whole
    # Of Parquet each file is read by itself.
    columns = tmp_path / "columns"
    columns.mkdir()
    for n, kind in enumerate(kinds):
        pl.from_dicts(kind, infer_schema_length=None).write_parquet(columns / f"{n}.parquet")
    assert excursions(columns, tmp_path / "d") == whole
    assert excursions(written(tmp_path / "turned", lines[::-1]), tmp_path / "c") == whole


def test_a_trace_id_that_everything_shares_tells_the_longest_lines_and_how_many_more(
    tmp_path: Path, lines: list[dict[str, Any]]
) -> None:
    same = [line | {"trace_id": "all", "span_id": f"{i}"} for i, line in enumerate(lines)]
    for line in same:
        line.pop("parent_span_id", None)
    (found,) = excursions(written(tmp_path / "logs", same), tmp_path / "state")
    worst = found["witnesses"][0]
    began = next(x for x in same if x["latency_ms"] == 1139)["timestamp"]
    near = [x for x in same if abs(x["timestamp"] - began) <= siblings.REACH / 1e6]
    assert len(worst["beside"]) == siblings.MOST
    assert worst["beside_left_out"] == len(near) - 1 - siblings.MOST
    assert {b["duration_us"] for b in worst["beside"][:3]} <= {3_000_000, 1_138_000, 1_137_000}


# ── the chart ─────────────────────────────────────────────────────────────────────────────────


def witness(**fields: Any) -> Witness:
    own = {
        "kind": "worst", "rule": "the longest among the bad", "trace_id": "t", "span_id": "s",
        "time": START, "model": "m", "operation": "chat", "release": None,
        "duration_us": 2_000_000, "error_class": None,
    }  # fmt: skip
    return Witness.model_validate(own | fields)


def drawn(*witnesses: Witness, **fields: Any) -> Any:
    made = excursion("p95 latency", witnesses=witnesses, **fields)
    return timelines(synthetic_result(excursions=(made,)))


def test_bars_stand_where_the_log_says_and_steps_without_a_start_at_the_edge() -> None:
    call = witness(
        beside=(
            TraceLine(name="agent", offset_us=-1_000_000, duration_us=4_000_000, failed=False),
            TraceLine(name="tool x", offset_us=2_000_000, duration_us=500_000, failed=True),
        ),
        steps=(Step(name="guardrail pii", duration_us=1_000_000, failed=False),
               Step(name="retrieval", duration_us=None, failed=False)),
    )  # fmt: skip
    (drawing,) = drawn(call)
    # All that is known lasts from 1 s before the call to 3 s after its start: 4 s.
    bars = [(r["label"][3:], r["a"], r["v"], r["s"]) for r in drawing.data["bars"]]
    assert bars == [
        ("agent", 0.0, 1.0, "its trace"),
        ("chat m", 0.25, 0.75, "the call"),
        ("tool x", 0.75, 0.875, "failed"),
        ("guardrail pii", 0.0, 0.25, "step"),
    ]
    assert drawing.table.data["begins"] == ["−1 s", "0", "+2 s", "not logged", "not logged"]
    assert drawing.table.data["duration"] == [4_000_000, 2_000_000, 500_000, 1_000_000, None]
    assert "when they began is not" in drawing.subtitle
    assert "guardrail pii, its longest step, 1 s of it (50 %)" in drawing.caption


def test_what_lasted_no_time_or_longer_than_its_call_stays_on_the_chart() -> None:
    (drawing,) = drawn(witness(duration_us=10, steps=(
        Step(name="slow", duration_us=1_000_000, failed=True),
        Step(name="quick", duration_us=0, failed=False),
    )))  # fmt: skip
    bars = {r["label"][3:]: (r["a"], r["v"]) for r in drawing.data["bars"]}
    assert bars["slow"] == (0.0, 1.0)
    assert all(0 <= a < v <= 1 for a, v in bars.values()), bars


def test_a_call_of_unknown_length_is_not_drawn_and_few_excursions_are() -> None:
    assert drawn(witness(duration_us=None)) == []
    many = [excursion("p95", i, witnesses=(witness(),)) for i in range(MOST + 3)]
    assert len(timelines(synthetic_result(excursions=tuple(many)))) == MOST


def test_names_from_a_log_are_text_on_the_chart_and_its_name_says_the_finding() -> None:
    (drawing,) = drawn(witness(
        model=HOSTILE, steps=(Step(name=HOSTILE, duration_us=5, failed=False),),
        beside=(TraceLine(name=HOSTILE, offset_us=1, duration_us=None, failed=False),),
        beside_left_out=4,
    ))  # fmt: skip
    asked = job(drawing)
    (pair,) = workers.draw([asked])
    chart = finished(drawing, asked.spec, pair)
    for svg in (chart.svg_wide, chart.svg_narrow):
        assert "<script" not in svg
        assert "Where the time went. The worst took 2 s" in svg
    assert "4 shorter lines of the traces left out" in chart.subtitle
    assert (chart.kind, len(chart.places)) == ("names", chart.table.height)
