"""What sessions and users cost: by hand, in any order, and from a sample beyond a size."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.rollup import spend
from gonogo.rollup.partial import FRAMES
from gonogo.stats.hashing import mix
from run_engine import rows_of
from test_requests import DOLLAR, call, judged


def test_a_session_costs_what_its_calls_do_in_all_files(tmp_path: Path) -> None:
    """Sessions of $1, $2, $3 and $14, user u of the last two; one session has an unknown call.

    Of 1, 2, 3, 14 the nearest-rank median is 2, the 95th percentile 14. Users: u $17, v $3.
    """
    first = [
        call("a", 1, 1, session_id="s1", user_id="v"),
        call("b", 2, 2, session_id="s2", user_id="v"),
        call("c", 3, 3, session_id="s3", user_id="u"),
        call("d", 4, 4, session_id="s4", user_id="u"),
        call("e", None, 5, session_id="s5", user_id="w"),
    ]
    second = [call("f", 10, 6, session_id="s4", user_id="u"), call("g", 7, 7)]
    table = judged(tmp_path, first, second).tables["cost_units"]
    units = {unit: row for (unit,), row in rows_of(table, "unit").items()}
    session, user = units["session"], units["user"]
    dollars = [session[f"cost_{q}"] / DOLLAR for q in ("p50", "p95", "p99", "max")]
    assert dollars == [2, 14, 14, 14]
    assert [user[f"cost_{q}"] / DOLLAR for q in ("p50", "p95", "max")] == [3, 17, 17]
    assert (session["n"], session["cost"]) == (5, 20 * DOLLAR)
    assert "drawn by a hash" not in table.note


def frame(rows: list[tuple[int, int, int]], level: int = 0) -> pl.DataFrame:
    """Rows of (kind, id, cost), one call each, as the counts of one block."""
    kinds, ids, costs = (list(column) for column in zip(*rows, strict=True)) if rows else ([],) * 3
    who = mix(np.array(ids, dtype=np.uint64) + np.uint64(1)).view(np.int64)
    ones = [1] * len(rows)
    return pl.DataFrame(
        {"kind": kinds, "who": who, "level": [level] * len(rows), "calls": ones, "known": ones,
         "cost": costs}, schema=FRAMES["spend"].schema,
    )  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 60), st.integers(0, 9)), max_size=90),
    seed=st.integers(0, 9),
)
def test_any_split_thinned_in_any_order_is_the_whole_thinned(
    rows: list[tuple[int, int, int]], seed: int
) -> None:
    whole = spend.thinned(frame(rows), 8)
    rng = random.Random(seed)
    parts = [list[tuple[int, int, int]]() for _ in range(4)]
    for row in rows:
        rng.choice(parts).append(row)
    merged = frame([])
    for part in rng.sample(parts, 4):
        merged = spend.thinned(pl.concat([merged, spend.thinned(frame(part), 8)]), 8)
    assert merged.equals(whole)
    for kind in (0, 1):
        held = whole.filter(pl.col("kind") == kind)
        ids = {who for of, who, _ in rows if of == kind}
        assert held.height <= 8
        assert held.height == len(ids) or held["level"].min() > 0  # type: ignore[operator]
        for who, cost in held.select("who", "cost").iter_rows():
            (own,) = {i for i in ids if frame([(kind, i, 0)])["who"][0] == who}
            assert cost == sum(c for k, i, c in rows if (k, i) == (kind, own))


def test_a_sample_tells_percentiles_of_all_and_no_maximum() -> None:
    held = spend.thinned(frame([(1, n, n) for n in range(100_000)]))
    found = spend.of_kind(held, "user")
    assert found is not None
    assert found["weight"] == 4
    assert 20_000 < found["held"] <= spend.KEPT
    # Four standard errors of a share of 25,000: 0.0055 at the 95th percentile.
    assert abs(found["p95"] / 100_000 - 0.95) < 0.006
    assert "max" not in found
    assert spend.of_kind(held, "session") is None
