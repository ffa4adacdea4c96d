"""Laws of counting: splits, orders and merges change nothing, and integers stay exact."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import bench_oracle as oracle
import plain_objectives
import run_engine
from awkward_lines import json_line, make_rows
from gonogo.config.evidence import Constraint, Gates, Tool
from gonogo.config.expressions import ExpressionError, parse_objective
from gonogo.config.model import Objective
from gonogo.conventions import Source
from gonogo.exports import json_out
from gonogo.indicators import INDICATORS
from gonogo.results import ReadinessResult
from gonogo.rollup import store
from gonogo.rollup.costs import Pricing
from gonogo.rollup.counting import exact_sum, group, sum_of_squares
from gonogo.rollup.partial import FRAMES, Partial, merge
from gonogo.stats.distinct import EXACT_UP_TO, Distinct
from gonogo.stats.hashing import mix, stable_hash
from gonogo.stats.histogram import Histogram, borders, bucket_of
from run_engine import BOUND
from test_sample_logs import generate

SAMPLE = Path(__file__).parents[1] / "sample_logs"
FEW = settings(max_examples=25, deadline=None, derandomize=True,
               suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
MANY = settings(max_examples=200, deadline=None, derandomize=True)


# ── partials ──────────────────────────────────────────────────────────────────────────────────


def same(found: Partial, expected: Partial) -> None:
    """Equal in everything that a partial holds."""
    assert set(found.frames) == set(expected.frames) == set(FRAMES)
    for name, frame in expected.frames.items():
        assert_frame_equal(found.frames[name], frame)
    assert_frame_equal(found.exemplars, expected.exemplars)
    for ours, theirs in ((found.sessions, expected.sessions), (found.users, expected.users),
                         (found.prompts, expected.prompts)):  # fmt: skip
        assert np.array_equal(ours.hashes, theirs.hashes)
        assert (ours.registers is None) == (theirs.registers is None)
    assert (found.first_us, found.last_us) == (expected.first_us, expected.last_us)


OBJECTIVES = [
    ("latency.p95", "<= 1s"), ("latency_ok.mean", "<= 900ms"), ("error_rate{model=m-*}", "<= 5%"),
    ("guardrail_trigger_rate{name=pii}", "<= 1%"), ("retrieval_hit_rate", ">= 90%"),
    ("tool_error_rate{tool=search}", "<= 2%"), ("cost_per_call.p50", "< $0.01"),
]  # fmt: skip


GATES = Gates(
    constraints=(Constraint("short", max_chars=1), Constraint("cited", citation=True)),
    tools=(Tool("search", timeout=1),),
)


def objectives() -> list[Objective]:
    return [parse_objective(key, limit, source=Source.WRITTEN) for key, limit in OBJECTIVES]


def write(path: Path, lines: Iterable[str]) -> Path:
    path.write_text("".join(lines), "utf-8")
    return path


def shares(seed: int, n: int, parts: int) -> list[list[str]]:
    """Awkward lines dealt out by trace, each share in the order of the whole."""
    rng = random.Random(seed)
    dealt: list[list[str]] = [[] for _ in range(parts)]
    homes: dict[str, int] = {}
    for number, row in enumerate(make_rows(seed, n)):
        line = json_line(row, number)
        trace = json.loads(line).get("trace_id")
        home = rng.randrange(parts) if trace in (None, "") else homes.setdefault(
            str(trace), rng.randrange(parts))  # fmt: skip
        dealt[home].append(line)
    for number in range(60):
        alike = {"trace_id": f"alike-{number}", "status": "error", "model": "m-1"}
        dealt[rng.randrange(parts)].append(json.dumps(alike) + "\n")
        request = {"trace_id": f"request-{number}", "span_id": "s", "is_span": True, "model": "m-1",
                   "timestamp": 1_795_000_000 + number, "latency_ms": number}  # fmt: skip
        dealt[rng.randrange(parts)].append(json.dumps(request) + "\n")
    return dealt


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[Partial]:
    """Partials of three shares of the same traces."""
    folder = tmp_path_factory.mktemp("shares")
    wanted = objectives()
    return [
        run_engine.count(
            [write(folder / f"{k}.jsonl", lines)], wanted, pricing=Pricing(), gates=GATES
        ).partial
        for k, lines in enumerate(shares(5, 900, 3))
    ]


def test_merging_is_commutative_and_associative_with_nothing_as_zero(three: list[Partial]) -> None:
    a, b, c = three
    assert all(frame.height for frame in a.frames.values())
    same(merge([a, b]), merge([b, a]))
    same(merge([merge([a, b]), c]), merge([a, merge([b, c])]))
    for partial in three:
        same(merge([partial]), partial)
        same(merge([partial, Partial.zero()]), partial)
        same(merge([Partial.zero(), partial]), partial)
    same(merge([]), Partial.zero())
    same(merge([Partial.zero(), Partial.zero()]), Partial.zero())
    # Not idempotent: what is there twice counts twice.
    assert merge([a, a]).counter("calls") == 2 * a.counter("calls") > 0


@pytest.mark.parametrize("seed", range(6))
def test_any_split_of_the_traces_adds_up_to_the_whole(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    dealt = shares(seed, rng.choice([3, 40, 400, 900]), parts=rng.randint(2, 5))
    wanted = objectives()
    files = [write(tmp_path / f"share-{k}.jsonl", lines) for k, lines in enumerate(dealt)]
    apart = [
        run_engine.count([path], wanted, pricing=Pricing(), gates=GATES).partial
        for path in files
        if path.stat().st_size
    ]
    rng.shuffle(apart)
    filled = [path for path in files if path.stat().st_size]
    whole = run_engine.count(filled, wanted, pricing=Pricing(), gates=GATES).partial
    same(merge(apart), whole)
    rng.shuffle(dealt)
    lines = [line for share in dealt for line in share]
    one = write(tmp_path / "one.jsonl", lines)
    same(run_engine.count([one], wanted, pricing=Pricing(), gates=GATES).partial, whole)


def test_what_was_written_is_read_again(tmp_path: Path, three: list[Partial]) -> None:
    for number, partial in enumerate([*three, merge(three), Partial.zero()]):
        store.save(partial, tmp_path / str(number))
        same(store.load(tmp_path / str(number)), partial)
    large = np.arange(1, 200_001, dtype=np.uint64)
    many = Partial(three[0].frames, Distinct.of(mix(large)), three[0].users)
    store.save(many, tmp_path / "many")
    found = store.load(tmp_path / "many").sessions
    assert not found.is_exact
    assert np.array_equal(found.registers, many.sessions.registers)  # type: ignore[arg-type]


# ── the whole pipeline over the sample week ───────────────────────────────────────────────────


def without_files(result: ReadinessResult) -> str:
    """readiness.json without what names files: their list, and where a problem was first met."""
    data = json.loads(json_out.dumps(result))
    assert data["ingest"].pop("files")
    for problem in data["ingest"]["problems"]:
        del problem["example"]
        if problem["what"].startswith("lines refused"):
            del problem["what"]
    return json.dumps(data, sort_keys=True)


@pytest.fixture(scope="module")
def week_lines() -> list[str]:
    """Every line of the sample week, duplicates and broken ones included, the Parquet days too."""
    days = generate.calls_by_day()
    lines = [line for day in generate.delivered_lines(days).values() for line in day]
    return lines + [generate.json_line(c) for d in generate.PARQUET_DAYS for c in days[d]]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_sample_week_in_random_files_is_the_same_result(
    tmp_path: Path, week_lines: list[str], seed: int
) -> None:
    rng = random.Random(seed)
    lines = list(week_lines)
    rng.shuffle(lines)
    folder = tmp_path / "logs"
    folder.mkdir()
    cuts = sorted(rng.sample(range(1, len(lines)), 6))
    for start, stop in zip([0, *cuts], [*cuts, len(lines)], strict=True):
        share = (f"{line}\n" for line in lines[start:stop])
        write(folder / f"{rng.getrandbits(32):08x}.jsonl", share)
    found = run_engine.check(tmp_path / "state", folder)
    expected = run_engine.check(tmp_path / "state", SAMPLE)
    assert expected.ingest.lines == len(lines)
    assert len(found.ingest.files) == 7
    assert without_files(found) == without_files(expected)


# ── objectives against plain Python ───────────────────────────────────────────────────────────

SELECTORS = {
    "calls": ("", "{model=m-1}", "{service=copilot,environment=prod*}", "{tenant_id=a*}"),
    "guardrail_checks": ("", "{name=pii}", "{stage=input,model=m-?}", "{name=*,tenant_id=acme}"),
    "retrievals": ("", "{index_version=v1}", "{release=r*}", "{index_version=none}"),
    "tool_calls": ("", "{tool=search}", "{tool=re*,operation=chat}"),
}
LIMITS = {
    "us": ("2.5ms", "12500us", "300ms", "4s"), "ratio": ("0%", "1%", "33.3%", "100%"),
    "nano_usd": ("$0.001234567", "$0.1"), "milli_tps": ("0.5", "1000.001"),
    "tokens": ("17", "1000"),
}  # fmt: skip


def random_objectives(rng: random.Random) -> list[Objective]:
    """Two objectives of every indicator, with all comparators, selectors and limits in turn."""
    found = []
    # A projection is a mean times a number that only the whole log knows: test_cost.py has it;
    # requests need whole traces: test_requests.py has them.
    for spec in (
        s for s in INDICATORS.values() if s.kind != "projection" and s.table != "requests"
    ):
        while sum(o.indicator == spec.name for o in found) < 2:
            statistic = ""
            if spec.kind == "distribution":
                statistic = rng.choice([".p50", ".p95", ".mean"])
            key = f"{spec.name}{statistic}{rng.choice(SELECTORS[spec.table])}"
            sides = ("<=", "<") if spec.good_is_low else (">=", ">")
            limit = f"{rng.choice(sides)} {rng.choice(LIMITS[spec.unit])}"
            try:
                found.append(parse_objective(key, limit, source=Source.WRITTEN))
            except ExpressionError:
                continue  # a limit that nothing could miss or meet, such as under 0 %
    return found


def is_good(objective: Objective, value: int | bool) -> bool:
    if isinstance(value, bool):
        return value
    return {
        "<=": value <= objective.limit, "<": value < objective.limit,
        ">=": value >= objective.limit, ">": value > objective.limit,
    }[objective.comparator]  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_an_objective_counts_what_plain_python_counts(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    wanted = random_objectives(rng)
    rows = oracle.make_rows(seed, 500)
    lines = (json.dumps(row, default=datetime.isoformat) + "\n" for row in rows)
    counts = run_engine.count([write(tmp_path / "log.jsonl", lines)], wanted).partial
    kept = [oracle.derive(row) for row in oracle.first_copies(rows)]
    judged_any = 0
    for number, objective in enumerate(wanted):
        judged, eligible = plain_objectives.events(objective, kept)
        expected: dict[int | None, list[int]] = {}
        for at, value in judged:
            sums = expected.setdefault(None if at is None else at * 300, [0, 0, 0])
            sums[0] += objective.statistic != "mean" and is_good(objective, value)
            sums[1] += 1
            sums[2] += 0 if isinstance(value, bool) else value
        frame = counts.frames["objectives"].filter(pl.col("objective") == str(number))
        found = {row["bin"]: [row["good"], row["total"], row["sum"]]
                 for row in frame.to_dicts() if row["total"]}  # fmt: skip
        assert found == expected, objective.expression
        assert int(frame["eligible"].sum()) == eligible, objective.expression
        if objective.spec.kind == "distribution":
            own = (pl.col("dimension") == "objective") & (pl.col("value") == str(number))
            cells = counts.frames["histograms"].filter(own)
            assert int(cells["count"].sum()) == len(judged)
        judged_any += bool(judged)
    assert judged_any > len(wanted) / 2


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


# ── lines that are no calls ───────────────────────────────────────────────────────────────────


def test_a_request_blocked_before_the_model_was_asked_counts_as_a_block(tmp_path: Path) -> None:
    check = {"name": "injection", "stage": "input", "triggered": True, "action": "block"}
    calm = check | {"triggered": False, "action": "none"}
    lines = [{"trace_id": f"b-{k}", "tenant_id": "acme", "guardrails": [check]} for k in range(3)]
    lines += [{"trace_id": f"c-{k}", "model": "m", "guardrails": [calm]} for k in range(7)]
    wanted = [parse_objective("guardrail_trigger_rate", "<= 1%", source=Source.WRITTEN)]
    log = write(tmp_path / "log.jsonl", (json.dumps(line) + "\n" for line in lines))
    partial = run_engine.count([log], wanted).partial
    assert (partial.counter("calls"), partial.counter("not_calls")) == (7, 3)
    counts = partial.frames["objectives"]
    assert (int(counts["good"].sum()), int(counts["total"].sum())) == (7, 10)
    tables = run_engine.tables(partial)
    (overall,) = run_engine.rows_of(tables["overall"]).values()
    assert [overall[f"guard_{n}"] for n in ("calls", "known", "triggered", "blocked")] == [
        10, 10, 3, 3]  # fmt: skip
    (row,) = run_engine.rows_of(tables["guardrails"], "name", "stage").values()
    assert (row["calls"], row["all_calls"], row["blocked"]) == (10, 10, 3)
    tenants = run_engine.rows_of(tables["by_tenant_id"], "value")
    assert (tenants[("acme",)]["calls"], tenants[("acme",)]["guard_blocked"]) == (0, 3)
