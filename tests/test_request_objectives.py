"""Objectives on what a whole request costs, worked by hand and held against the raw lines."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import run_engine
from gonogo import pipeline
from gonogo.config.expressions import parse_objective
from gonogo.config.init import render_init
from gonogo.conventions import Source, Status
from gonogo.progress import Silent
from gonogo.results import ObjectiveResult
from gonogo.rollup.requests import Requests
from gonogo.rollup.requests import judged as counted
from gonogo.stats.hashing import mix
from test_requests import DOLLAR, FIRST, MONDAY, SECOND, call, judged


def objectives(folder: Path, *files: list[dict[str, Any]], config: str) -> dict[str, Any]:
    result = judged(folder, *files, config=f"[slo]\n{config}")
    return {o.id: o for o in result.objectives}


def test_the_calls_of_a_trace_count_together_whichever_file_they_stand_in(tmp_path: Path) -> None:
    """Requests of $6 (two files), $10 and $0.50; one with a call of unknown cost, one call alone.

    Of 3, 2 are within $6; the mean is $5.50. One of four has no known cost: 25 %.
    """
    config = (
        '"cost_per_request.p50" = {{ limit = "<= $6", minimum = 1 }}\n'
        '"cost_per_request.p95" = {{ limit = "<= $6", minimum = 1 }}\n'
        '"cost_per_request.mean" = {{ limit = "<= $5.5", minimum = 1 }}\n'
        '[prices]\nmax_unknown = "{}%"\n'
    )
    found = objectives(tmp_path, FIRST, SECOND, config=config.format(30))
    half, high = found["cost_per_request.p50"], found["cost_per_request.p95"]
    assert (half.good, half.total, half.eligible) == (2, 3, 4)
    assert (high.good, high.total) == (2, 3)
    assert high.status is not Status.MET
    assert high.reason.startswith("p95 is $10.00, limit $6.00: 1 of 3 requests were above $6.00")
    assert found["cost_per_request.mean"].observed == 5.5 * DOLLAR
    few = objectives(tmp_path, FIRST, SECOND, config=config.format(20))
    assert {o.status for o in few.values()} == {Status.NO_DATA}
    assert all("25 %" in o.reason and "unknown is not $0" in o.reason for o in few.values())


def test_a_selector_takes_the_calls_that_match_of_each_request(tmp_path: Path) -> None:
    log = [call("a", 1, 1), call("a", 5, 2, model="big"), call("b", 2, 3), call("c", 9, 4,
           model="big")]  # fmt: skip
    config = '"cost_per_request.mean{model=big}" = "<= $9"\n"cost_per_request.mean" = "<= $9"\n'
    found = objectives(tmp_path, log, config=config)
    assert found["cost_per_request.mean{model=big}"].total == 2
    assert found["cost_per_request.mean{model=big}"].observed == 7 * DOLLAR
    assert found["cost_per_request.mean"].total == 3


def test_a_spell_of_dear_requests_is_an_excursion_in_the_bins_of_their_first_calls(
    tmp_path: Path,
) -> None:
    rows = []
    for n in range(2000):
        dear = 1000 <= n < 1100
        rows += [call(f"t{n}", 3 if dear else 1, n * 60), call(f"t{n}", 1, n * 60 + 400)]
    result = judged(tmp_path, rows, config='[slo]\n"cost_per_request.p90" = "<= $2"\n')
    (found,) = result.excursions
    assert (found.onset, found.end) == (MONDAY + 60_000, MONDAY + 66_000)
    assert (found.bad, found.total) == (100, 100)
    assert found.impact is None  # a trace may go on in any part of the log


def test_without_trace_ids_it_is_not_known(tmp_path: Path) -> None:
    log = [{k: v for k, v in row.items() if k != "trace_id"} for row in FIRST]
    found = objectives(tmp_path, log, config='"cost_per_request.mean" = "<= $9"\n')
    only: ObjectiveResult = found["cost_per_request.mean"]
    assert only.status is Status.NO_DATA
    assert "no requests in the logs" in only.reason
    assert "log trace_id" in only.hint


@settings(max_examples=15, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c", "d", None]),
            st.one_of(st.none(), st.integers(0, 9)),
            st.integers(0, 9),
        ),
        min_size=1,
        max_size=40,
    ),
    limit=st.integers(0, 20),
)
def test_it_equals_a_count_over_the_raw_lines(
    rows: list[tuple[str | None, int | None, int]], limit: int, tmp_path_factory: Any
) -> None:
    log = [
        {"timestamp": MONDAY + 300 * bin_ + n, "span_id": f"s{n}", "latency_ms": 5, "model": "m"}
        | ({} if trace is None else {"trace_id": trace})
        | ({} if cost is None else {"cost_usd": cost})
        for n, (trace, cost, bin_) in enumerate(rows)
    ]
    costs = defaultdict(list)
    for trace, cost, _ in rows:
        if trace is not None:
            costs[trace].append(cost)
    sums = sorted(sum(own) for own in costs.values() if None not in own)
    config = f'"cost_per_request.p75" = {{ limit = "<= ${limit}", minimum = 1 }}\n'
    config += '[prices]\nmax_unknown = "99%"\n'
    folder = tmp_path_factory.mktemp("law")
    random.Random(limit).shuffle(log)
    only = objectives(folder, log[::2], log[1::2] or log[:1], config=config)["cost_per_request.p75"]
    assert (only.total, only.eligible) == (len(sums), len(costs))
    if sums:
        assert only.good == sum(value <= limit for value in sums)
        met = sums[ceil(Fraction(3, 4) * len(sums)) - 1] <= limit
        assert met == (only.good * 4 >= 3 * only.total)
        assert (only.status is Status.BREACHED) <= (not met)


def test_many_requests_are_a_sample_of_events_and_not_more() -> None:
    made = parse_objective("cost_per_request.p90", "<= $1", source=Source.WRITTEN)
    held = Requests(limit=500)
    number = np.arange(1, 4001)
    frame = pl.DataFrame({"request": mix(number.astype(np.uint64))}).with_columns(
        calls=pl.lit(1, dtype=pl.Int64),
        known=pl.lit(1, dtype=pl.Int64),
        cost=pl.Series(np.where(number % 10, 1, 2 * DOLLAR)),
        start=pl.Series(number),
        place=pl.Series(number),
    )
    held.add(frame)
    frame = counted(held.finish(), made, 7)["objectives"]
    total, good = int(frame["total"].sum()), int(frame["good"].sum())
    assert 250 < total <= 500
    assert abs(good / total - 0.9) < 0.06
    assert frame["objective"].unique().to_list() == [7]


def test_a_limit_is_proposed_where_a_request_is_more_than_a_call(tmp_path: Path) -> None:
    """20 requests of two calls, $3 each: 1.25 x 3 = 3.75, and people remember 4."""
    rows = [call(f"t{n}", cost, 60 * n + cost) for n in range(20) for cost in (1, 2)]
    text = render_init(judged(tmp_path, rows))
    (line,) = (line for line in text.splitlines() if "cost_per_request" in line)
    assert line.startswith('"cost_per_request.p95" = { limit = "<= $4", proposed = true')
    assert line.endswith("# observed $3 over 20 requests")
    single = judged(tmp_path, [call(f"t{n}", 1, n) for n in range(20)])
    assert "cost_per_request" not in render_init(single)


@pytest.mark.parametrize("split", [1, 3])
def test_files_that_keep_traces_whole_add_up_in_rollups(tmp_path: Path, split: int) -> None:
    rows = [call(f"t{n // 2}", n % 7, n * 50) for n in range(240)]
    size = len(rows) // split
    (tmp_path / "logs").mkdir()
    for part in range(split):
        text = "".join(json.dumps(r) + "\n" for r in rows[part * size : (part + 1) * size])
        (tmp_path / "logs" / f"{part}.jsonl").write_text(text)
    config = tmp_path / "readiness.toml"
    config.write_text(
        '[slo]\n"cost_per_request.p95" = "<= $9"\n'
        '[slo."cost_per_request.mean"]\nlimit = "<= $8"\ngroup_by = "model"\nminimum = 10\n'
    )
    asked = pipeline.Request((str(tmp_path / "logs"),), config, state=tmp_path)
    pipeline.roll_up(asked, tmp_path / "rolled", Silent())
    kept = pipeline.Request((), config, state=tmp_path, rollups=tmp_path / "rolled")
    whole = run_engine.check(tmp_path, tmp_path / "logs", config=config)
    assert pipeline.analyse(kept, Silent()).objectives == whole.objectives
    assert whole.objectives[0].total == 120
