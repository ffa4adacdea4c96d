"""Objectives on slices of time, against slices that were counted by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.config.load import load
from gonogo.config.slices import on_slices
from gonogo.conventions import Status
from gonogo.errors import ConfigError
from gonogo.results import ObjectiveResult
from gonogo.slo.slices import sliced
from run_engine import check
from test_slo import MONDAY, data, judge, objective

HOUR = 3600
SLICED = '[slo."{}"]\nlimit = "{}"\nslice = "{}"\nslices = "{}"\nminimum = 1\n'


def told(folder: Path, log: list[dict[str, Any]], config: str) -> dict[str, ObjectiveResult]:
    (folder / "log.jsonl").write_text("".join(json.dumps(call) + "\n" for call in log))
    (folder / "readiness.toml").write_text(config)
    result = check(folder, folder / "log.jsonl", config=folder / "readiness.toml")
    return {o.id: o for o in result.objectives}


def call(minute: int, milliseconds: int = 100, **more: Any) -> dict[str, Any]:
    at = f"2026-11-16T{minute // 60:02}:{minute % 60:02}:30Z"
    return {"timestamp": at, "latency_ms": milliseconds, "status": "ok"} | more


def test_a_slice_counts_once_however_many_calls_it_holds(tmp_path: Path) -> None:
    # 00:00 to 00:05 100 calls, 3 failed: kept. 00:05 one call, failed: not. 00:20 ok: kept.
    # 00:10 and 00:15 hold none. 00:25 holds the newest record and is not over.
    log = [call(0, status="error" if n < 3 else "ok") for n in range(100)]
    log += [call(7, status="error"), call(20), call(29, status="error")]
    found = told(tmp_path, log, SLICED.format("error_rate", "<= 5%", "5m", ">= 60%"))
    result = found["error_rate"]
    assert (result.good, result.total, result.unit) == (2, 3, "ratio")
    assert result.status is not Status.BREACHED
    assert result.expression == "error_rate <= 5% in >= 60% of 5m"
    assert "2 of 3 slices of 5 min kept within 5 % (66.7 %), limit at least 60 %" in result.reason
    again = told(tmp_path, log, SLICED.format("error_rate", "<= 5%", "5m", ">= 70%"))
    assert again["error_rate"].status is Status.BREACHED


def test_percentiles_and_means_are_those_of_the_slice(tmp_path: Path) -> None:
    # Hour 0: 19 of 20 calls at 100 ms, one at 10 s: p95 100 ms, mean 595 ms. Hour 1: 18 and 2:
    # p95 10 s, mean 1,090 ms. Hour 2 is not over.
    log = [call(n, 10_000 if n == 0 else 100) for n in range(20)]
    log += [call(60 + n, 10_000 if n < 2 else 100) for n in range(20)] + [call(125)]
    for key, limit, good in (
        ("latency.p95", "<= 1s", 1), ("latency.mean", "<= 600ms", 1),
        ("latency.mean", "<= 1090ms", 2), ("latency.mean", "< 595ms", 0),
    ):  # fmt: skip
        (one,) = told(tmp_path, log, SLICED.format(key, limit, "1h", ">= 50%")).values()
        assert (one.good, one.total) == (good, 2), (key, limit)


def test_the_coverage_that_counts_is_that_of_the_calls(tmp_path: Path) -> None:
    log = [call(n) for n in range(10)] + [{"timestamp": "2026-11-16T00:02:00Z", "status": "ok"}] * 1
    log += [
        {"timestamp": f"2026-11-16T02:{n:02}:00Z", "trace_id": f"x{n}", "status": "ok"}
        for n in range(59)
    ]
    (one,) = told(tmp_path, log, SLICED.format("latency.p95", "<= 1s", "5m", ">= 50%")).values()
    assert one.status is Status.NO_DATA
    assert "carry latency_ms" in one.reason


def test_calls_without_times_are_in_no_slice(tmp_path: Path) -> None:
    log = [{"trace_id": f"x{n}", "latency_ms": 5, "status": "ok"} for n in range(50)]
    (one,) = told(tmp_path, log, SLICED.format("error_rate", "<= 5%", "5m", ">= 50%")).values()
    assert one.status is Status.NO_DATA
    assert one.reason == "none of 50 calls lies in a complete slice of 5 min"


def test_groups_have_slices_of_their_own(tmp_path: Path) -> None:
    log = [call(n, response_model="a", status="error") for n in range(0, 50, 5)]
    log += [call(n, response_model="b") for n in range(0, 50, 5)] + [call(58, response_model="a")]
    config = SLICED.format("error_rate", "<= 5%", "10m", ">= 50%") + 'group_by = "model"\n'
    found = told(tmp_path, log, config)
    assert {k: (o.good, o.total) for k, o in found.items()} == {
        "error_rate{model=a}": (0, 5),
        "error_rate{model=b}": (5, 5),
    }


def test_a_budget_of_slices_runs_out_at_the_end_of_a_slice() -> None:
    made = on_slices(objective(limit="0.05"), (HOUR, ">=", objective(limit="0.9").limit, ""), 1)
    bad, total = np.zeros(12 * 40), np.full(12 * 40, 10)
    bad[12 * 10 : 12 * 16] = 5  # six hours of forty, where four are allowed
    events = data(made.sliced.inner, bad, total)  # type: ignore[union-attr]
    result, found = judge(sliced(made, events))
    assert result.budget is not None
    assert (result.budget.allowed_num / result.budget.allowed_den, result.budget.bad) == (4, 6)
    assert result.budget.exhausted_at == MONDAY + 15 * HOUR
    assert [(e.onset, e.end) for e in found] == [(MONDAY + 10 * HOUR, MONDAY + 16 * HOUR)]
    assert result.burn is not None
    assert {p.note for p in result.burn.pairs} <= {
        "not replayed: slices are longer than 5 minutes",
        "cannot fire: with this limit, even if all were bad the budget would last longer",
    }


@settings(max_examples=40)
@given(
    log=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 4), st.integers(1, 4)), min_size=1),
    width=st.sampled_from([1, 2, 6, 12]),
)
def test_slices_are_what_the_definition_says(log: list[tuple[int, int, int]], width: int) -> None:
    bad, total = np.zeros(41, dtype=np.int64), np.zeros(41, dtype=np.int64)
    for at, k, n in log:
        bad[at] += min(k, n)
        total[at] += n
    inner = objective(limit="0.25")
    made = on_slices(inner, (300 * width, ">=", inner.limit, ""), 1)
    newest = MONDAY + 300 * 40 + 17
    found = sliced(made, data(made.sliced.inner, bad, total, newest=newest))  # type: ignore[union-attr]
    expected = {}
    for first in range(0, 41, width):
        k, n = int(bad[first : first + width].sum()), int(total[first : first + width].sum())
        if n and not first <= 40 < first + width:
            expected[MONDAY + 300 * first] = int(4 * k <= n)
    assert dict(zip(found.bins.tolist(), found.good.tolist(), strict=True)) == expected
    assert (found.total == 1).all()


@pytest.mark.parametrize(
    ("config", "code", "said"),
    [
        (
            SLICED.format("error_rate", "<= 5%", "2m", ">= 99%"),
            "C062",
            "narrower than the 5-minute",
        ),
        (SLICED.format("error_rate", "<= 5%", "25m", ">= 99%"), "C065", "slices of 25m"),
        (SLICED.format("error_rate", "<= 5%", "2h", ">= 99%"), "C065", "write 5m, 10m"),
        (SLICED.format("error_rate", "<= 5%", "5m", "<= 99%"), "C021", "did you mean '>= 99%'?"),
        (SLICED.format("error_rate", "<= 5%", "5m", ">= 99"), "C020", "99"),
        (SLICED.format("cost.monthly", "<= $5k", "5m", ">= 99%"), "C065", "has no slices"),
        ('[slo.error_rate]\nlimit = "<= 1%"\nslice = "5m"\n', "C065", "belong together"),
    ],
)
def test_slices_that_cannot_be_are_said(config: str, code: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "readiness.toml").write_text(config)
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "readiness.toml")
    lines = [f"{d.code} {d}" for d in raised.value.diagnostics]
    assert any(code in line and said in line for line in lines), lines
