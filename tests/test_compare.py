"""Comparisons: differences held against published and hand-worked figures, words, and refusals."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.cli import main
from gonogo.compare.changes import change
from gonogo.compare.samples import block_sums, of_side, of_sums
from gonogo.config.expressions import parse_objective
from gonogo.config.load import default_config
from gonogo.config.model import Compare
from gonogo.conventions import ChangeWord, Source
from gonogo.results import BlockSums
from gonogo.rollup.partial import FRAMES, Partial
from gonogo.stats.differences import Cells, Figure, difference

LOGS = Path(__file__).resolve().parents[2] / "shared" / "data" / "logs"
START = 1_795_392_000  # Mon 2026-11-23T00:00Z
ERRORS = parse_objective("error_rate", "<= 1%", source=Source.WRITTEN)
SHARE, MEAN = Figure("share"), Figure("mean")


def cells(
    counts: Sequence[tuple[int, int]], *, strata: Sequence[int] | None = None, hours: bool = False
) -> Cells:
    """Counts (counted, total), each in an hour of its own where `hours` is set."""
    n = len(counts)
    return Cells(
        start=np.array([START + 3600 * i if hours else -1 for i in range(n)]),
        stratum=np.array(strata or [0] * n),
        bucket=np.full(n, -1),
        count=np.array([c for c, _ in counts]),
        total=np.array([t for _, t in counts]),
        sum=np.zeros(n, dtype=np.int64),
        width=8,
    )


def compared(new: Cells, old: Cells, figure: Figure = SHARE, strata: int = 1, **named: Any) -> Any:
    found = difference(new, old, figure, paired=named.get("paired", False), strata=strata)
    assert found is not None
    return found


# ── the statistics ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("new", "old", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ],
)
def test_differences_of_independent_shares_are_those_that_newcombe_printed(
    new: tuple[int, int], old: tuple[int, int], low: float, high: float
) -> None:
    # Newcombe 1998, Statistics in Medicine 17:873-890, table II, method 10.
    found = compared(cells([new]), cells([old])).raw
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_the_adjusted_difference_is_direct_standardisation_by_hand() -> None:
    # The mix moved from 900:100 to 100:900; the small model went from 1 % to 2 % bad, the large one
    # stayed at 10 %. Raw: 92/1000 - 19/1000. With the old mix: 0.9 x (2 % - 1 %).
    new = cells([(2, 100), (90, 900)], strata=[0, 1])
    old = cells([(9, 900), (10, 100)], strata=[0, 1])
    found = compared(new, old, strata=2)
    assert found.raw.value == pytest.approx(0.073)
    assert found.raw.low > 0
    assert found.adjusted.value == pytest.approx(0.009)
    assert found.adjusted.low < 0 < found.adjusted.high


def test_a_mix_that_the_sides_do_not_share_is_not_adjusted_for() -> None:
    new, old = cells([(1, 90), (1, 10)], strata=[0, 1]), cells([(1, 90), (1, 10)], strata=[2, 1])
    found = compared(new, old, strata=3)
    assert found.adjusted is None
    assert "share too few" in found.note


def test_hours_that_are_alike_widen_the_interval() -> None:
    steady = cells([(2, 100)] * 100, hours=True)
    bursty = cells([(100, 100), (100, 100)] + [(0, 100)] * 98, hours=True)
    same, torn = compared(steady, steady).raw, compared(bursty, steady).raw
    assert torn.high - torn.low > 3 * (same.high - same.low)


def test_a_difference_of_means_is_students_t_where_calls_are_independent() -> None:
    # 64 values of 1,000,000 and 3,000,000 µs, half and half, against as many of twice that:
    # means 2 s and 4 s, deviations 1 s and 2 s, t(63) = 1.998: half = 1.998 sqrt(1/64 + 4/64).
    def side(low: int, high: int) -> Cells:
        from gonogo.stats.histogram import bucket_of

        values = np.array([low, high])
        return Cells(
            np.array([-1, -1]), np.zeros(2, int), bucket_of(values).astype(int), np.zeros(2, int),
            np.array([32, 32]), 32 * values, 1,
        )  # fmt: skip

    found = compared(side(2_000_000, 6_000_000), side(1_000_000, 3_000_000), MEAN).raw
    half = 1.998 * (5 / 64) ** 0.5 * 1e6
    assert found.value == pytest.approx(2e6)
    assert found.high - found.value == pytest.approx(half, rel=0.01)


def test_a_percentile_of_too_few_calls_has_no_interval() -> None:
    objective = parse_objective("latency.p99", "<= 4s", source=Source.WRITTEN)
    rows = frame([(START, "m", 1000, 50, 50)])
    found = change(objective, rows, rows, Compare(), mix=(), paired=True, counts=True)
    assert (found.word, found.low, found.regression) == (ChangeWord.TOO_FEW, None, None)


def test_two_periods_that_do_not_differ_are_called_worse_in_few_of_many_simulations() -> None:
    # Bursty traffic: the rate of each hour is drawn anew; truly nothing changed.
    random_ = np.random.RandomState(7)
    words = []
    for _ in range(150):
        sides = []
        for _ in range(2):
            rates = random_.beta(0.5, 24.5, 96)
            bad = random_.binomial(60, rates)
            sides.append(frame([(START + 3600 * h, "m", -1, 60 - int(b), 60)
                                for h, b in enumerate(bad)]))  # fmt: skip
        found = change(ERRORS, *sides, Compare(), mix=(), paired=False, counts=True)
        words.append(found.word)
    assert words.count(ChangeWord.WORSE) <= 0.05 * len(words)


def frame(rows: Iterable[tuple[int | None, str, int, int, int]]) -> pl.DataFrame:
    """Rows (start, model, bucket, good, total) as the rollup has them."""
    schema = {"start": pl.Int64, "model": pl.String, "bucket": pl.Int64, "good": pl.Int64,
              "total": pl.Int64}  # fmt: skip
    made = pl.DataFrame(list(rows), schema=schema, orient="row")
    return made.with_columns(sum=pl.col("total") * 1000, operation=pl.lit(None, pl.String))


@pytest.mark.parametrize(
    ("new", "old", "word"),
    [
        ((500, 10_000), (100, 10_000), ChangeWord.WORSE),
        ((100, 10_000), (500, 10_000), ChangeWord.BETTER),
        ((1_000, 1_000_000), (1_000, 1_000_000), ChangeWord.NO_CHANGE),
        ((0, 40), (0, 40), ChangeWord.TOO_FEW),
        ((18, 1_000), (10, 1_000), ChangeWord.TOO_FEW),
    ],
)
def test_the_four_words(new: tuple[int, int], old: tuple[int, int], word: ChangeWord) -> None:
    sides = (frame([(None, "m", -1, total - bad, total)]) for bad, total in (new, old))
    found = change(ERRORS, *sides, Compare(), mix=(), paired=False, counts=True)
    assert found.word is word
    assert str(word) in found.text
    assert (found.new_total, found.old_total) == (new[1], old[1])


def test_for_a_hit_rate_less_is_worse() -> None:
    hits = parse_objective("retrieval_hit_rate", ">= 90%", source=Source.WRITTEN)
    few, many = frame([(None, "m", -1, 800, 1000)]), frame([(None, "m", -1, 950, 1000)])
    for sides, word in (((few, many), ChangeWord.WORSE), ((many, few), ChangeWord.BETTER)):
        found = change(hits, *sides, Compare(), mix=(), paired=False, counts=True)
        assert found.word is word
    assert found.new == pytest.approx(0.95)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(0, 5).map(lambda h: START + 3600 * h)),
            st.sampled_from(["a", "b"]), st.integers(0, 60).map(lambda b: 8 * b),
            st.integers(1, 9), st.integers(0, 9),
        ), min_size=1, max_size=12, unique_by=lambda row: row[:3],
    )
)  # fmt: skip
def test_what_a_result_keeps_says_the_same_as_the_rollup(rows: list[tuple[Any, ...]]) -> None:
    table = frame([(s, m, b, g, g + bad) for s, m, b, g, bad in rows]).with_columns(
        objective=pl.lit("0"), side=pl.lit("0")
    )
    partial = Partial(Partial.zero().frames | {"blocks": table.select(*FRAMES["blocks"].schema)})
    latency = parse_objective("latency.p95", "<= 4s", source=Source.WRITTEN)
    (sums,) = block_sums(partial, [latency])
    again, before = of_sums(sums), of_side(partial, 0, 0)
    for keys in (["start", "model"], ["start", "model", "bucket"]):
        wanted = ["total"] if "bucket" in keys else ["good", "total", "sum"]
        left, right = (
            f.group_by(keys).agg(pl.col(wanted).sum()).sort(keys, nulls_last=True).to_dicts()
            for f in (again, before)
        )
        assert left == right


# ── end to end ────────────────────────────────────────────────────────────────────────────────


def calls(
    n: int, *, start: int, seed: int, slow: float = 1.0, errors: float = 0.0, release: str = "1",
    large: float = 0.5,
) -> list[dict[str, Any]]:  # fmt: skip
    """A log of `n` calls over 48 hours."""
    drawn = random.Random(seed)
    rows = []
    for i in range(n):
        model = "large" if drawn.random() < large else "small"
        base = 2000 if model == "large" else 500
        rows.append({
            "timestamp": start + i * 48 * 3600 // n, "trace_id": f"{seed}-{i}", "model": model,
            "operation": "chat", "release": release, "provider": "p",
            "latency_ms": base * slow * drawn.uniform(0.8, 1.2), "cost_usd": 0.01,
            "status": "error" if drawn.random() < errors else "ok",
        })  # fmt: skip
    return rows


def write(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in args])


def checked(*args: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("check", *args, "--format", "json").stdout)
    return found


@pytest.fixture(scope="module")
def last_week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("last-week")
    log = write(folder / "old.jsonl", calls(6000, start=START - 604_800, seed=1))
    (folder / "readiness.json").write_text(run("check", log, "--format", "json").stdout)
    return folder


def words(comparison: dict[str, Any]) -> dict[str, str]:
    return {c["objective"]: c["word"] for c in comparison["changes"]}


def test_a_slower_week_is_worse_and_an_equal_one_is_not(last_week: Path, tmp_path: Path) -> None:
    slower = write(tmp_path / "slower.jsonl", calls(6000, start=START, seed=2, slow=1.5))
    alike = write(tmp_path / "alike.jsonl", calls(6000, start=START, seed=3))
    (found,) = checked(slower, "--baseline", last_week)["comparisons"]
    assert words(found)["latency.p95"] == "worse"
    assert next(c for c in found["changes"] if c["objective"] == "latency.p95")[
        "difference"
    ] == pytest.approx(1.1e6, rel=0.05)  # 2.34 s and 3.51 s: p95 of half the calls is at their 90 %
    (found,) = checked(alike, "--baseline", last_week / "readiness.json")["comparisons"]
    assert words(found)["latency.p95"] == "no change"


def test_a_move_to_the_slower_model_is_told_from_a_slower_service(
    last_week: Path, tmp_path: Path
) -> None:
    moved = write(tmp_path / "moved.jsonl", calls(6000, start=START, seed=2, large=0.9))
    config = tmp_path / "readiness.toml"
    config.write_text('[slo]\n"latency.mean" = "<= 4s"\n')
    before = tmp_path / "before.json"
    before.write_text(
        run("check", last_week / "old.jsonl", "-c", config, "--format", "json").stdout
    )
    (found,) = checked(moved, "-c", config, "--baseline", before)["comparisons"]
    (latency,) = found["changes"]
    assert latency["word"] == "worse"
    assert latency["difference"] == pytest.approx(600_000, rel=0.05)  # 0.4 of 1.5 s
    assert abs(latency["adjusted"]) < latency["band"]
    assert "with the same mix: no change" in latency["text"]


@pytest.mark.parametrize(
    ("severity", "verdict", "code"),
    [("blocking", "NO-GO", 1), ("warning", "GO WITH CONDITIONS", 0), ("informational", "GO", 0)],
)
def test_a_regression_counts_as_configured(
    last_week: Path, tmp_path: Path, severity: str, verdict: str, code: int
) -> None:
    log = write(tmp_path / "new.jsonl", calls(6000, start=START, seed=2, slow=1.5))
    config = tmp_path / "readiness.toml"
    config.write_text(
        '[slo]\n"latency.p95" = "<= 4s"\n[not_applicable]\n'
        + "".join(f'"{f}" = "not in this test"\n' for f in ABSENT)
        + f'[compare]\nbaseline = "{last_week}"\nregressions = "{severity}"\n'
    )
    done = run("check", log, "-c", config, "--format", "json")
    assert json.loads(done.stdout)["readiness"]["verdict"] == verdict
    assert json.loads(done.stdout)["slo"]["verdict"] == "GO"
    assert done.exit_code == code


@pytest.mark.parametrize(
    "torn",
    [
        {"stratum": (1,)}, {"stratum": (-1,)}, {"good": (4,)}, {"good": (-1,)}, {"total": (4,)},
        {"total": (2, 1)}, {"hour": (2**70,)}, {"buckets": ("8:2 16",)}, {"buckets": ("8:2 :1",)},
        {"buckets": ("8:3 16:0",)}, {"buckets": ("x:3",)}, {"buckets": ("8:2  16:1",)},
        {"buckets": ("",), "total": (0,), "good": (0,)}, {"buckets": (f"8:{2**70}",)},
    ],
)  # fmt: skip
def test_sums_that_contradict_themselves_are_refused(torn: dict[str, Any]) -> None:
    whole = BlockSums(
        objective="latency.p95", strata=(("m", None),), stratum=(0,), hour=(None,), good=(2,),
        total=(3,), sum=(7,), buckets=("8:2 16:1",),
    )  # fmt: skip
    assert of_sums(whole).rows() == [
        (None, "m", None, 8, 2, 2, 7),
        (None, "m", None, 16, 0, 1, 0),
    ]
    none = dict.fromkeys(("stratum", "hour", "good", "total", "sum", "buckets"), ())
    assert of_sums(whole.model_copy(update=none)).height == 0
    with pytest.raises(ValueError, match=r"latency\.p95"):
        of_sums(whole.model_copy(update=torn))


ABSENT = ("session_id", "user_id", "prompt_version", "input_tokens", "output_tokens", "ttft_ms",
          "output", "retrievals", "tool_calls", "guardrail_checks")  # fmt: skip


def test_a_baseline_that_must_not_be_compared_with_is_refused(
    last_week: Path, tmp_path: Path
) -> None:
    log = write(tmp_path / "new.jsonl", calls(500, start=START, seed=2))
    saved = json.loads((last_week / "readiness.json").read_text())

    def refused(data: object) -> str:
        other = tmp_path / "other.json"
        other.write_text(data if isinstance(data, str) else json.dumps(data))
        (found,) = checked(log, "--baseline", other)["comparisons"]
        assert not found["changes"]
        return str(found["refused"])

    assert "too new" in refused(saved | {"schema_version": 99})
    assert "too old" in refused(saved | {"schema_version": 0})
    assert "not JSON" in refused("{")
    assert "no sums by hour" in refused(saved | {"blocks": []})
    torn = saved["blocks"][0] | {"total": [0] * len(saved["blocks"][0]["total"])}
    other = tmp_path / "other.json"
    other.write_text(json.dumps(saved | {"blocks": [torn]}))
    (found,) = checked(log, "--baseline", other)["comparisons"]
    assert "contradict" in str([c["text"] for c in found["changes"]])
    (same,) = checked(last_week / "old.jsonl", "--baseline", last_week)["comparisons"]
    assert "same logs" in same["refused"]


def test_other_thresholds_are_said(last_week: Path, tmp_path: Path) -> None:
    log = write(tmp_path / "new.jsonl", calls(3000, start=START, seed=2))
    config = tmp_path / "readiness.toml"
    config.write_text('[slo]\n"latency.p95" = "<= 9s"\n"latency.p50" = "<= 3s"\n')
    (found,) = checked(log, "-c", config, "--baseline", last_week)["comparisons"]
    notes = " ".join(found["notes"])
    assert "threshold loosened: latency.p95 <= 9s, was ≤ 4 s" in notes
    assert "new objective: latency.p50 <= 3s" in notes
    assert "no longer judged: error_rate <= 1%" in notes
    assert words(found) == {"latency.p95": "no change", "latency.p50": "not compared"}


def test_no_baseline_yet_blocks_only_where_regressions_do(tmp_path: Path) -> None:
    log = write(tmp_path / "new.jsonl", calls(500, start=START, seed=2))
    config = tmp_path / "readiness.toml"
    for severity, verdict in (("blocking", "INCONCLUSIVE"), ("informational", "GO WITH CONDI")):
        config.write_text('[slo]\n"latency.p95" = "<= 4s"\n[compare]\nbaseline = "gone"\n'
                          f'regressions = "{severity}"\n')  # fmt: skip
        found = checked(log, "-c", config)
        assert "no baseline yet" in found["comparisons"][0]["refused"]
        assert found["readiness"]["verdict"].startswith(verdict)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--baseline", "nowhere", "[U040]"),
        ("--compare", "modell=a..b", "did you mean 'model'?"),
        ("--compare", "release", "not DIMENSION=NEW..OLD"),
        ("--compare", "release=1..", "names only one side"),
        ("--compare", "release=1..1", "with itself"),
    ],
)
def test_what_cannot_be_compared_is_a_mistake_of_usage(
    tmp_path: Path, option: str, value: str, said: str
) -> None:
    log = write(tmp_path / "new.jsonl", calls(5, start=START, seed=2))
    done = run("check", log, option, value)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())


def test_two_releases_of_one_log(tmp_path: Path) -> None:
    log = write(tmp_path / "new.jsonl", [
        *calls(3000, start=START, seed=2, release="1"),
        *calls(3000, start=START, seed=3, release="2", slow=2),
        *calls(100, start=START, seed=4, release="3"),
    ])  # fmt: skip
    result = checked(log, "--compare", "release=2..1", "--compare", "release=3..9",
                     "--compare", "release=3")  # fmt: skip
    two, none, rest = result["comparisons"]
    assert words(two)["latency.p95"] == "worse"
    assert words(two)["error_rate"] == "too few calls to tell"
    assert none["refused"] == "no calls of release 9"
    assert rest["title"] == "Release 3 against every other release"
    assert {c["old_total"] for c in rest["changes"]} == {6000}
    text = run("check", log, "--compare", "release=2..1").stdout
    assert "Release 2 against 1" in text
    assert "Release 2 against 1" in run(
        "check", log, "--compare", "release=2..1", "--format", "markdown").stdout  # fmt: skip
    site = tmp_path / "site"
    run("build", log, "-o", site, "--state", tmp_path / "state", "--compare", "release=2..1")
    assert "Release 2 against 1" in (site / "index.html").read_text()
    assert (tmp_path / "state" / "readiness.json").read_bytes() == (
        site / "readiness.json"
    ).read_bytes()


def test_a_tenant_is_masked_in_what_is_compared(tmp_path: Path) -> None:
    rows = [r | {"tenant_id": "secret-co" if i % 2 else "other"} for i, r in
            enumerate(calls(400, start=START, seed=2))]  # fmt: skip
    log = write(tmp_path / "new.jsonl", rows)
    text = run("check", log, "--compare", "tenant_id=secret-co..other", "--format", "json").stdout
    assert json.loads(text)["comparisons"][0]["changes"]
    assert "secret-co" not in text


def test_comparing_twice_gives_the_same_bytes(last_week: Path, tmp_path: Path) -> None:
    log = write(tmp_path / "new.jsonl", calls(800, start=START, seed=2))
    args = ("check", log, "--baseline", last_week, "--compare", "model=large..small",
            "--format", "json")  # fmt: skip
    assert run(*args).stdout == run(*args).stdout


@pytest.mark.skipif(not LOGS.is_dir(), reason="needs ../shared/data/logs")
def test_llmperf_provider_by_provider() -> None:
    rows = [json.loads(line) for line in (LOGS / "llmperf.jsonl").open()]
    providers = sorted({row["provider"] for row in rows})
    contrasts = [f"provider={name}" for name in providers]
    result = checked(LOGS / "llmperf.jsonl", *(a for c in contrasts for a in ("--compare", c)))
    told = {}
    for name, comparison in zip(providers, result["comparisons"], strict=True):
        for c in comparison["changes"]:
            told[name, c["objective"]] = c["word"]
            if c["objective"] == "error_rate":
                for key, of in (("new", True), ("old", False)):
                    side = [r for r in rows if (r["provider"] == name) is of]
                    bad = sum(r["status"] != "ok" for r in side)
                    assert c[f"{key}_total"] == len(side)
                    assert c[key] == pytest.approx(bad / len(side), abs=1e-12)
    # 130 of 150 requests to each of Lepton's models were refused; Groq was the fastest by far.
    assert told["lepton", "error_rate"] == "worse"
    assert told["groq", "output_tokens_per_second.p50"] == "better"
    assert told["groq", "latency.p95"] == "better"
    # 60 calls of Lepton have a first token: under the 72 that a p95 needs for an interval.
    assert told["lepton", "ttft.p95"] == "too few calls to tell"


def test_nothing_compared_says_how(tmp_path: Path) -> None:
    log = write(tmp_path / "new.jsonl", calls(200, start=START, seed=2))
    run("build", log, "-o", tmp_path / "site", "--state", tmp_path / "state")
    assert "--baseline" in (tmp_path / "site" / "index.html").read_text()


def test_the_band_is_configured() -> None:
    sides = [frame([(None, "m", -1, 10_000 - bad, 10_000)]) for bad in (130, 100)]
    narrow = change(ERRORS, *sides, Compare(), mix=(), paired=False, counts=True)
    wide = replace(Compare(), band=Fraction(1))
    assert narrow.word is ChangeWord.TOO_FEW
    assert change(ERRORS, *sides, wide, mix=(), paired=False, counts=True).word is (
        ChangeWord.NO_CHANGE
    )
    assert default_config().compare == Compare()
