"""Laws of counting: splits, orders and merges change nothing, and integers stay exact."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, settings
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
from gonogo.ingest import chunks, parts
from gonogo.results import ReadinessResult
from gonogo.rollup import store, sums
from gonogo.rollup.costs import Pricing
from gonogo.rollup.partial import FRAMES, Partial, Spec, merge
from gonogo.stats.distinct import Distinct
from gonogo.stats.hashing import mix
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


def test_pieces_grouped_on_the_way_are_the_pieces_grouped_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "log.jsonl", [line for share in shares(7, 900, 1) for line in share])
    monkeypatch.setattr(parts, "PART_ROWS", 40)
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 20_000)
    specs: list[Spec] = []
    at_once = sums.added_up

    def noted(spec: Spec, pieces: Sequence[pl.DataFrame]) -> pl.DataFrame:
        specs.append(spec)
        return at_once(spec, pieces)

    monkeypatch.setattr(sums, "added_up", noted)
    found, often = [], []
    for room in (sums.ROOM, 1):
        monkeypatch.setattr(sums, "ROOM", room)
        specs.clear()
        found.append(run_engine.count([path], objectives(), pricing=Pricing(), gates=GATES).partial)
        often.append([specs.count(FRAMES[name]) for name in ("calls", "histograms", "blocks")])
    assert often[0] == [1, 1, 1]
    assert min(often[1]) > 2
    same(found[1], found[0])


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
    "traces": ("", "{model=m-?}", "{operation=chat}"),
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
