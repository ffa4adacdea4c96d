"""Scores given while the application ran: counted by hand and held against table and page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import run_engine
from gonogo.ingest import classes
from gonogo.records import NO, UNKNOWN_FLAG, YES
from gonogo.results import ReadinessResult
from gonogo.site import render
from sitecheck import Page

MONDAY = 1_763_337_600


def call(second: int, release: str | None, *scores: Any) -> dict[str, Any]:
    line = {"model": "m", "trace_id": f"t{second}", "span_id": "s", "release": release,
            "timestamp": MONDAY + second, "evaluations": list(scores)}  # fmt: skip
    return {k: v for k, v in line.items() if v is not None}


LINES = [
    call(1, "r1", {"name": "grounded", "score": 0.9, "label": "pass"}),
    call(2, "r1", {"name": "grounded", "score": 0.4, "label": "Fail"},
         {"name": "tone", "score": -1, "label": "curt"}),
    # its flag says more than its label; its score is a text
    call(3, "r2", {"name": "grounded", "score": "0.25", "label": "fail", "passed": True},
         {"name": "tone", "score": 0.5}),
    call(4, "r2", {"name": "grounded"}, {"score": 1}),
    call(4, "r2", {"name": "grounded"}, {"score": 1}),  # the same line again counts once
    call(5, None),
]  # fmt: skip


def judged(folder: Path, lines: list[dict[str, Any]]) -> ReadinessResult:
    path = folder / "log.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run_engine.check(folder / "state", path)


def test_scores_are_counted_by_evaluation_and_release(tmp_path: Path) -> None:
    result = judged(tmp_path, LINES)
    rows = run_engine.rows_of(result.tables["online_scores"], "evaluation")
    keys = ("evaluations", "judged", "passed", "score_n", "score_sum")
    found = {name[0]: tuple(row[key] for key in keys) for name, row in rows.items()}
    assert found == {
        "grounded": (4, 3, 2, 3, 1_550_000),
        "tone": (2, 0, 0, 2, -500_000),
        "(not logged)": (1, 0, 0, 1, 1_000_000),
    }
    by = run_engine.rows_of(result.tables["online_scores_by_release"], "evaluation", "release")
    assert {key: row["evaluations"] for key, row in by.items()} == {
        ("grounded", "r1"): 2, ("grounded", "r2"): 2, ("tone", "r1"): 1, ("tone", "r2"): 1,
        ("(not logged)", "r2"): 1}  # fmt: skip


def test_the_page_shows_shares_with_what_they_are_of(tmp_path: Path) -> None:
    page = Page(render(judged(tmp_path, LINES), ())["evaluation.html"].decode())
    words = page.words()
    assert "2 of 3" in words  # passed, of those that say so
    assert "0.517" in words  # 1.55 / 3
    assert "-0.25" in words or "−0.25" in words
    assert not [p for p in page.all("p", class_="absent") if "evaluations[]" in p.text]


def test_a_score_out_of_bounds_is_counted_and_left_out(tmp_path: Path) -> None:
    lines = [call(n, "r1", {"name": "g", "score": s}) for n, s in enumerate((0.5, 1e5, "high"))]
    result = judged(tmp_path, lines)
    (row,) = run_engine.rows_of(result.tables["online_scores"], "evaluation").values()
    assert (row["evaluations"], row["score_n"], row["score_sum"]) == (3, 1, 500_000)
    assert "online_scores_by_release" not in result.tables
    assert any("evaluations.score" in str(problem) for problem in result.ingest.problems)


OTLP = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{
    "eventName": "gen_ai.evaluation.result", "traceId": "a" * 32, "spanId": "b" * 16,
    "timeUnixNano": "1795337471000000000",
    "attributes": [{"key": "gen_ai.evaluation.name", "value": {"stringValue": "tone"}},
                   {"key": "gen_ai.evaluation.score.value", "value": {"doubleValue": 0.5}},
                   {"key": "gen_ai.evaluation.score.label", "value": {"stringValue": "pass"}}],
}]}]}]}  # fmt: skip
LANGFUSE = {"id": "1", "trace_id": "t", "observation_id": "o", "name": "tone", "value": 0,
            "data_type": "BOOLEAN", "string_value": "False",
            "timestamp": "2026-11-16T09:00:00Z"}  # fmt: skip
PHOENIX = {"id": "1", "annotation_name": "tone", "annotator_kind": "LLM", "trace_id": "a" * 32,
           "span_id": "b" * 16, "result": {"score": 0.0, "label": "incorrect"},
           "created_at": "2026-11-16T09:00:00Z"}  # fmt: skip


@pytest.mark.parametrize(
    ("record", "score", "passed"),
    [(OTLP, 500_000, 1), (LANGFUSE, 0, 0), (PHOENIX, 0, 0)],
    ids=["otlp", "langfuse", "phoenix"],
)
def test_scores_of_other_tools_are_counted(
    tmp_path: Path, record: dict[str, Any], score: int, passed: int
) -> None:
    export, calls = tmp_path / "export.jsonl", tmp_path / "calls.jsonl"
    export.write_text(json.dumps(record) + "\n")
    calls.write_text(json.dumps(call(1, "r1")) + "\n")
    result = run_engine.check(tmp_path / "state", export, calls)
    ((name, row),) = run_engine.rows_of(result.tables["online_scores"], "evaluation").items()
    assert name == ("tone",)
    assert [row[k] for k in ("score_n", "score_sum", "judged", "passed")] == [1, score, 1, passed]


@pytest.mark.parametrize(
    ("label", "meaning"),
    [("PASS", YES), (" passed ", YES), ("Not-Passed", NO), ("incorrect", NO),
     ("relevant", UNKNOWN_FLAG), ("", UNKNOWN_FLAG)],
)  # fmt: skip
def test_a_label_says_passed_only_where_it_does(label: str, meaning: int) -> None:
    assert classes.passed(label) == meaning
