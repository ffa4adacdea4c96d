"""Logs as people have them on the first day: other units, flags for errors, half of the fields."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

import run_engine
from gonogo.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def write(n: int = 400, **fields: Any) -> None:
    """`n` calls; a callable gives the value of a field by the number of the call."""
    rows = [
        {"timestamp": 1_795_000_000 + 60 * i, "trace_id": f"t{i}", "model": "gpt-4o-mini"}
        | {k: v(i) if callable(v) else v for k, v in fields.items()}
        for i in range(n)
    ]
    Path("a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def overall(*more: str) -> dict[str, Any]:
    result = json.loads(run("check", "a.jsonl", "--format", "json", *more).stdout)
    return {key: cells[0] for key, cells in result["tables"]["overall"]["data"].items()}


@pytest.mark.parametrize(
    ("good", "bad"), [(False, True), ("none", "boom"), (0, 500), ("False", "TimeoutError")]
)
def test_an_error_that_says_there_was_none_is_none(good: object, bad: object) -> None:
    write(error=lambda i: bad if i % 100 == 0 else good)
    row = overall()
    assert (row["errors"], row["error_known"]) == (4, 400)


def test_an_error_that_is_null_leaves_the_outcome_open_and_says_so() -> None:
    write(error=lambda i: "boom" if i % 100 == 0 else None)
    row = overall()
    assert (row["errors"], row["error_known"]) == (4, 4)
    assert (
        "null error is not taken for ok"
        in run("inspect", "a.jsonl").stdout + run("check", "a.jsonl").stdout
    )


@pytest.mark.parametrize(
    ("name", "scale"), [("latency_s", 1), ("latency_ms", 1e3), ("latency_us", 1e6)]
)
def test_a_duration_is_mapped_in_its_own_unit(name: str, scale: float) -> None:
    write(took=lambda i: scale * 2.5)
    Path("readiness.toml").write_text(f'[fields]\n{name} = "took"\n')
    row = overall()
    assert (row["latency_n"], row["latency_min"], row["latency_max"]) == (400, 2_500_000, 2_500_000)


def test_durations_of_tools_are_mapped_in_their_own_unit() -> None:
    write(calls=[{"fn": "search", "took": 3}])
    Path("readiness.toml").write_text(
        '[fields]\n"tool_calls.name" = "calls[].fn"\n"tool_calls.latency_s" = "calls[].took"\n'
    )
    result = json.loads(run("check", "a.jsonl", "--format", "json").stdout)
    data = result["tables"]["tools"]["data"]
    assert (data["tool"], data["latency_n"], data["latency_sum"]) == (
        ["search"], [400], [400 * 3_000_000],
    )  # fmt: skip


def test_nothing_is_proposed_from_a_few_of_the_calls() -> None:
    write(cost_usd=lambda i: 0.001 if i % 100 == 0 else None,
          error=lambda i: "boom" if i % 100 == 0 else None)  # fmt: skip
    text = run("init", "a.jsonl", "-o", "-").stdout
    assert '#"error_rate" = "<= 1%"  # only 4 of 400 calls tell it' in text
    assert '#"cost_per_call.mean" = "<= $0.02"  # only 4 of 400 calls tell it' in text


def test_junit_of_the_objectives_alone_has_no_gates() -> None:
    write(status="ok", latency_ms=100)
    Path("readiness.toml").write_text(
        '[slo]\n"error_rate" = { limit = "<= 1%", agreed_by = "Ann" }\n'
        '[gates]\nrequired = ["owners"]\n'
    )
    both, alone = (
        ET.fromstring(run("check", "a.jsonl", "--format", "junit", *more).stdout)
        for more in ((), ("--slo-only",))
    )
    assert [suite.get("name", "").split(":")[0] for suite in both] == ["SLO", "Gates"]
    assert [suite.get("name", "").split(":")[0] for suite in alone] == ["SLO"]
    assert alone.get("errors") == "0"


@pytest.mark.parametrize(
    ("latency", "said"), [(2.4, "or more"), (2_400, ""), (86_400_000, "or less")]
)
def test_a_duration_in_the_wrong_unit_is_asked_about(
    tmp_path: Path, latency: float, said: str
) -> None:
    """120 tokens in 2.4 ms are 50,000 a second; in 2.4 s, 50; in a day, next to none."""
    log = tmp_path / "a.jsonl"
    lines = (
        {"timestamp": 1_700_000_000 + 60 * n, "trace_id": f"t{n}", "span_id": "s", "model": "m",
         "latency_ms": latency, "output_tokens": 120, "status": "ok"}
        for n in range(300)
    )  # fmt: skip
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = run_engine.check(tmp_path, log)
    found = [problem for problem in result.ingest.problems if problem.code == "I042"]
    assert [said in problem.what for problem in found] == ([True] if said else [])
