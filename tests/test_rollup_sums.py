"""What rollups are made of: histograms, distinct counts, exact sums, groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo.rollup import sums
from gonogo.rollup.counting import exact_sum, group, sum_of_squares
from gonogo.rollup.partial import Spec
from gonogo.stats.distinct import EXACT_UP_TO, Distinct
from gonogo.stats.hashing import mix, stable_hash
from gonogo.stats.histogram import Histogram, borders, bucket_of
from run_engine import BOUND
from test_rollup_laws import FEW, MANY

# ── histograms ────────────────────────────────────────────────────────────────────────────────

ANY_VALUE = st.one_of(
    st.integers(0, 300),
    st.integers(0, 2**40),
    st.integers(0, 61).flatmap(lambda e: st.sampled_from([2**e - 1, 2**e, 2**e + 1])),
    st.integers(0, len(borders()) - 1).map(lambda i: int(borders()[i])),
    st.integers(1, len(borders()) - 1).map(lambda i: int(borders()[i]) - 1),
)


def of(values: Sequence[int]) -> Histogram:
    buckets, counts = np.unique(bucket_of(np.array(values, dtype=np.int64)), return_counts=True)
    return Histogram(buckets.astype(np.int64), counts, min(values), max(values))


@MANY
@given(st.lists(ANY_VALUE, min_size=1, max_size=300), st.integers(1, 1000))
def test_every_quantile_is_within_its_bound(values: list[int], per_mille: int) -> None:
    histogram = of(values)
    exact = sorted(values)[max(1, -(-per_mille * len(values) // 1000)) - 1]
    found = histogram.quantile(per_mille, 1000)
    assert found is not None
    assert abs(found - exact) <= BOUND * exact
    assert min(values) <= found <= max(values)


ADVERSARIES = {
    "one value": [123_457] * 50,
    "two far apart": [1] * 50 + [2**61] * 50,
    "one in a hundred": [1_000_000] * 99 + [30_000_000],
    "just under every border": [int(b) - 1 for b in borders()[1:]],
    "on every border": [int(b) for b in borders()],
    "every small number": list(range(3000)),
    "geometric, out of step": [int(1.013**k) for k in range(1, 3000)],
    "heavy tail": [int(1000 / (1 - q / 5000) ** 2) for q in range(5000)],
    "the ends of one bucket": [int(borders()[2000])] * 500 + [int(borders()[2001]) - 1] * 500,
}


@pytest.mark.parametrize("name", ADVERSARIES)
def test_the_bound_holds_on_hard_distributions(name: str) -> None:
    values = np.array(ADVERSARIES[name], dtype=np.int64)
    histogram, ranked = of(ADVERSARIES[name]), np.sort(values)
    for rank in np.unique(np.linspace(1, len(ranked), 400).astype(int)).tolist():
        exact = int(ranked[rank - 1])
        assert abs(histogram.value_at_rank(rank) - exact) <= BOUND * exact, rank
    assert histogram.total == len(ranked)
    for outside in (0, len(ranked) + 1):
        with pytest.raises(ValueError, match="rank"):
            histogram.value_at_rank(outside)


def test_a_bucket_is_found_as_by_a_search_among_the_borders() -> None:
    table = borders()
    values = np.concatenate([table, table[1:] - 1, table[:-1] + 1, 2 ** np.arange(62)])
    values = np.concatenate([values, np.random.default_rng(1).integers(0, 2**62, 100_000)])
    values = np.concatenate([values, np.arange(100_000)])
    found = bucket_of(values)
    assert np.array_equal(found, np.searchsorted(table, values, side="right") - 1)


def test_powers_of_two_are_borders_exactly() -> None:
    table = set(borders().tolist())
    assert {2**e for e in range(62)} <= table
    # Every other border is the smallest integer above 2**(j/128), checked in whole numbers.
    for border in (b for b in sorted(table) if 2**20 < b < 2**21):
        power = border**128
        j = (power - 1).bit_length() - 1
        assert (border - 1) ** 128 < 2**j <= power
    assert len([b for b in table if 2**20 < b <= 2**21]) == 128


@FEW
@given(st.lists(ANY_VALUE, min_size=1, max_size=50), st.lists(ANY_VALUE, min_size=1, max_size=50))
def test_a_histogram_of_two_samples_is_the_sum_of_theirs(a: list[int], b: list[int]) -> None:
    whole = dict(zip(of(a + b).buckets.tolist(), of(a + b).counts.tolist(), strict=True))
    added: dict[int, int] = {}
    for part in (of(a), of(b)):
        for bucket, count in zip(part.buckets.tolist(), part.counts.tolist(), strict=True):
            added[bucket] = added.get(bucket, 0) + count
    assert added == whole


# ── distinct counting ─────────────────────────────────────────────────────────────────────────


def hashes(start: int, stop: int) -> Any:
    return mix(np.arange(start, stop, dtype=np.uint64))


def merged_in_every_way(runs: list[tuple[int, int]]) -> None:
    """Runs (start, size) of ids merge in any order to the state of them all at once."""
    every = [hashes(start, start + size) for start, size in runs]
    parts = [Distinct.of(run) for run in every]
    together = np.concatenate([np.empty(0, np.uint64), *every])
    whole, forward, backward = Distinct.of(together), Distinct(), Distinct()
    for part in parts:
        forward = forward.merge(part)
    for part in reversed(parts):
        backward = part.merge(backward)
    for found in (forward, backward, whole.merge(forward)):
        assert found.is_exact == whole.is_exact
        assert np.array_equal(found.hashes, whole.hashes)
        if not whole.is_exact:
            assert np.array_equal(found.registers, whole.registers)  # type: ignore[arg-type]
        assert found.count() == whole.count()
    true = len(np.unique(together))
    assert abs(whole.count() - true) <= (0 if true <= EXACT_UP_TO else 0.04 * true)


@FEW
@given(st.lists(st.tuples(st.integers(1, 5_000), st.integers(0, 3_000)), max_size=4))
def test_small_sets_merge_exactly_in_any_order(runs: list[tuple[int, int]]) -> None:
    merged_in_every_way(runs)


@pytest.mark.parametrize(
    "runs",
    [
        [(1, EXACT_UP_TO), (1, EXACT_UP_TO)],
        [(1, EXACT_UP_TO), (EXACT_UP_TO, 2)],
        [(1, EXACT_UP_TO), (EXACT_UP_TO + 1, 1)],
        [(1, 80_000), (70_001, 80_000)],
        [(1, 50_000), (50_001, 50_000), (100_001, 50_000), (20_000, 90_000)],
        [(1, 150_000), (1, 10), (140_000, 150_000)],
        [(1, 10), (5, 200_000)],
    ],
)
def test_large_sets_merge_in_any_order_to_the_same_registers(runs: list[tuple[int, int]]) -> None:
    merged_in_every_way(runs)


@pytest.mark.parametrize("n", [0, 1, EXACT_UP_TO, EXACT_UP_TO + 1, 600_000])
def test_distinct_counts_are_exact_and_then_within_three_errors(n: int) -> None:
    found = Distinct.of(hashes(1, n + 1))
    assert found.is_exact == (n <= EXACT_UP_TO)
    assert abs(found.count() - n) <= (0 if found.is_exact else 0.025 * n)


def test_the_mean_error_of_distinct_counts_is_what_is_said() -> None:
    errors = []
    for k in range(25):
        found = Distinct.of(hashes(k * 10**7 + 1, k * 10**7 + 140_001)).count()
        errors.append(found / 140_000 - 1)
    assert np.sqrt(np.mean(np.square(errors))) < 0.0125
    assert abs(np.mean(errors)) < 0.006


def test_a_missing_text_is_not_counted_and_an_id_hashes_alike_everywhere() -> None:
    texts = pl.Series(["u-1", None, "", "u-2", "u-1", "é" * 40])
    found = Distinct.of(stable_hash(texts))
    assert found.count() == 3
    assert np.array_equal(stable_hash(texts.slice(3)), stable_hash(texts)[3:])


@pytest.mark.parametrize("length", [1, 7, 8, 9, 16, 32, 36])
def test_ids_of_one_length_hash_as_they_do_among_others(length: int) -> None:
    letters = np.random.default_rng(length).integers(97, 123, (50, length))
    same = pl.Series(["".join(map(chr, row)) for row in letters])
    mixed = pl.concat([same, pl.Series(["", None, "x" * (length + 3)])])
    assert np.array_equal(stable_hash(same), stable_hash(mixed)[:50])
    assert np.array_equal(stable_hash(same[7:]), stable_hash(same)[7:])


def test_the_hash_of_an_id_is_for_ever() -> None:
    """Stores of rollups hold it."""
    found = stable_hash(pl.Series(["4bf92f3577b34da6a3ce929d0e0e4736"] * 2 + ["user 7"]))
    assert found.tolist() == [6224293923003485135, 6224293923003485135, 9112913493051730458]


# ── exact sums ────────────────────────────────────────────────────────────────────────────────

HUGE = st.lists(st.tuples(st.integers(0, 5), st.integers(-(2**57), 2**57)), max_size=30)
SQUARABLE = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2**44)), max_size=60)


@MANY
@given(HUGE)
def test_sums_are_those_of_whole_numbers(pairs: list[tuple[int, int]]) -> None:
    index = np.array([k for k, _ in pairs], dtype=np.int64)
    found = exact_sum(index, np.array([v for _, v in pairs], dtype=np.int64), 6)
    assert found.tolist() == [sum(v for k, v in pairs if k == i) for i in range(6)]


@MANY
@given(SQUARABLE)
def test_sums_of_squares_are_those_of_whole_numbers(pairs: list[tuple[int, int]]) -> None:
    groups = group([np.array([k for k, _ in pairs], dtype=np.int64)])
    high, low = sum_of_squares(groups, np.array([v for _, v in pairs], dtype=np.int64))
    found = {
        int(k): (h << 32) + s
        for k, h, s in zip(groups.keys[0], high.tolist(), low.tolist(), strict=True)
    }
    expected: dict[int, int] = {}
    for k, v in pairs:
        expected[k] = expected.get(k, 0) + v * v
    assert (found if pairs else {}) == expected


def test_many_large_values_add_up_exactly() -> None:
    values = np.full(300_000, 2**40, dtype=np.int64) - np.arange(300_000)
    one = np.zeros(len(values), dtype=np.int64)
    whole = values.tolist()
    assert exact_sum(one, values, 1).tolist() == [sum(whole)]
    few = values[:30_000]
    (high,), (low,) = sum_of_squares(group([one[:30_000]]), few)
    assert (int(high) << 32) + int(low) == sum(v * v for v in few.tolist())


@MANY
@given(
    st.lists(st.tuples(*[st.sampled_from([0, 1, 2, 2**20, 2**31])] * 4), min_size=1, max_size=40)
)
def test_groups_are_the_different_rows(rows: list[tuple[int, ...]]) -> None:
    columns = [np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)]
    found = group(columns)
    keys = list(zip(*(key.tolist() for key in found.keys), strict=True))
    assert sorted(keys) == sorted(set(rows))
    assert [keys[i] for i in found.index.tolist()] == rows
    assert found.count().tolist() == [rows.count(key) for key in keys]


# ── counts in the making ──────────────────────────────────────────────────────────────────────

EDGES = (0, 1, 126, 127, 128, 255, 2**15 - 1, 2**15, 2**31 - 1, 2**31, 2**40, 2**60)
SMALL = Spec(("code", "hash"), ("start",), ("n", "total"), ("low",), ("high",))
ROWS = st.tuples(
    st.sampled_from((0, 1, 200, 2**31 + 5)),
    st.sampled_from((-(2**63), -1, 0, 2**63 - 1)),
    st.sampled_from((None, -3_600, 0, 1_763_251_200, 1_763_251_500)),
    *[st.sampled_from(EDGES)] * 4,
)  # fmt: skip


def rows_of(rows: Sequence[Sequence[int | None]]) -> pl.DataFrame:
    names = (*SMALL.keys, *SMALL.values)
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Int64), orient="row")


@FEW
@given(st.lists(st.lists(ROWS, max_size=12), max_size=8), st.sampled_from((1, 10**9)))
def test_narrow_counts_add_up_as_wide_ones(
    pieces: list[list[tuple[int | None, ...]]], room: int
) -> None:
    expected: dict[Any, list[Any]] = {}
    for code, hash_, start, *values in (row for piece in pieces for row in piece):
        n, total, low, high = expected.setdefault((code, hash_, start), [0, 0, 2**62, 0])
        expected[code, hash_, start] = [
            n + values[0], total + values[1], min(low, values[2]), max(high, values[3])
        ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "ROOM", room)
        held = sums.Sums(SMALL)
        for piece in pieces:
            held.add([sums.narrowed(rows_of(piece))])
        found = held.take()
    assert {row[:3]: list(row[3:]) for row in found.iter_rows()} == expected
    assert found.height == len(expected)
    assert held.take().height == 0


def test_counts_are_held_in_the_smallest_type() -> None:
    wide = rows_of([(1, 7, 1_763_251_200 + 300 * k, 1, 2**40, k, 127) for k in range(1_000)])
    held = sums.Sums(SMALL)
    held.add([sums.narrowed(wide)])
    found = held.take()
    assert found.schema == pl.Schema(
        {"code": pl.Int8, "hash": pl.Int8, "start": pl.Int32, "n": pl.Int8, "total": pl.Int64,
         "low": pl.Int16, "high": pl.Int8}
    )  # fmt: skip
    assert found.estimated_size() < wide.estimated_size() / 2
