"""Releases and prompt versions on the time axis: where they stand, and what is not marked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from gonogo.charts.markers import markers
from gonogo.charts.render import drawings
from gonogo.charts.timeline import Clock
from gonogo.cli import main
from gonogo.results import Column, Table
from synthetic import synthetic_result

START = 1_795_392_000  # Mon 2026-11-23T00:00Z
DAY = 86_400


def first_seen(*rows: tuple[int, str, str]) -> Table:
    keys = (("time", "time"), ("dimension", "text"), ("value", "text"))
    return Table(
        id="first_seen", title="First seen",
        columns=tuple(Column(key=k, title=k, unit=unit) for k, unit in keys),  # type: ignore[arg-type]
        data={k: [r[i] for r in rows] for i, (k, _) in enumerate(keys)},
    )  # fmt: skip


def placed(*rows: tuple[int, str, str], zone: str = "UTC") -> Any:
    result = synthetic_result(tables={"first_seen": first_seen(*rows)})
    clock = Clock(zone)
    return markers(result, clock, clock.wall(START), clock.wall(START + 7 * DAY))


def test_a_line_stands_at_the_first_call_and_has_its_names() -> None:
    found = placed((START + DAY, "prompt_version", "v2"), (START + DAY, "release", "2026.48"),
                   (START + 4 * DAY, "release", "2026.49"))  # fmt: skip
    assert found.rows == [{"t": 1000 * (START + DAY)}, {"t": 1000 * (START + 4 * DAY)}]
    assert [n["text"] for n in found.names] == ["2026.48 · v2", "2026.49"]
    assert found.words == "dotted: first call of release 2026.48, 2026.49, prompt v2"


def test_times_are_those_of_the_wall_clock() -> None:
    found = placed((START + DAY, "release", "r"), zone="Asia/Kolkata")
    assert found.rows == [{"t": 1000 * (START + DAY + 19_800)}]


def test_names_keep_their_distance_and_a_crowd_is_no_marker() -> None:
    near = placed((START + DAY, "release", "a"), (START + DAY + 3600, "release", "b"))
    assert len(near.rows) == 2
    assert [n["text"] for n in near.names] == ["a"]
    crowd = [(START + DAY + i, "prompt_version", f"v{i}") for i in range(9)]
    found = placed(*crowd, (START + 2 * DAY, "release", "r"))
    assert [n["text"] for n in found.names] == ["r"]


def test_what_lies_outside_of_the_axis_or_never_came_leaves_no_trace() -> None:
    found = placed((START - 1, "release", "old"), (START + 9 * DAY, "release", "new"))
    assert (found.rows, found.words, found.top, found.layers(None)) == ([], "", 0, [])
    for drawing in drawings(synthetic_result()):
        assert "dotted" not in drawing.subtitle


def test_every_time_chart_shows_it() -> None:
    result = synthetic_result()
    at = result.period.first
    assert at is not None
    tables = result.tables | {"first_seen": first_seen((at + 2 * DAY, "release", "2026.48"))}
    marked = {
        d.id for d in drawings(synthetic_result(tables=tables)) if "release 2026.48" in d.subtitle
    }
    assert marked == {
        "error-budget", "latency-over-time", "ttft-over-time", "error-rate", "guardrail-rate",
        "retrieval-hit-rate", "tool-error-rate", "cost-over-time", "calls-over-time",
    }  # fmt: skip


def test_first_calls_are_found_in_the_log_and_those_of_its_first_hour_are_not(
    tmp_path: Path,
) -> None:
    def line(minute: int) -> dict[str, Any]:
        return {
            "timestamp": START + 60 * minute, "status": "ok", "model": "m", "latency_ms": 100,
            "release": "old" if minute < 30 else "mid" if minute < 187 else "new",
            "prompt_version": "v1" if minute < 300 else "</script>",
        }  # fmt: skip

    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(line(m)) + "\n" for m in range(400)))
    done = CliRunner().invoke(
        main, ["check", str(log), "--format", "json", "--state", str(tmp_path / "state")],
        catch_exceptions=False,
    )  # fmt: skip
    found = json.loads(done.stdout)["tables"]["first_seen"]["data"]
    # "mid" came in the first hour; 187 minutes lie in the bin that starts at 185.
    assert found == {
        "time": [START + 185 * 60, START + 300 * 60],
        "dimension": ["release", "prompt_version"], "value": ["new", "</script>"],
    }  # fmt: skip
