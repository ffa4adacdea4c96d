"""Objectives judged: every status, its sentence, its numbers."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from gonogo.config.model import Comparator, Config, Objective
from gonogo.conventions import Severity, Source, Status
from gonogo.indicators import INDICATORS
from gonogo.results import Excursion, ObjectiveResult
from gonogo.slo import ObjectiveData, evaluate
from gonogo.slo.measure import is_met
from gonogo.slo.wording import happened, slugs, title
from gonogo.stats.histogram import Histogram, bucket_of

Ints = NDArray[np.int64]
MONDAY = 1_794_787_200  # Mon 16 Nov 2026 00:00 UTC
SECOND = 1_000_000


def objective(
    indicator: str = "error_rate",
    limit: str = "0.01",
    comparator: Comparator = "<=",
    quantile: str | None = None,
    mean: bool = False,
    **other: object,
) -> Objective:
    statistic = "mean" if mean else f"p{float(Fraction(quantile)) * 100:g}" if quantile else "rate"
    name = indicator if statistic == "rate" else f"{indicator}.{statistic}"
    made = Objective(
        id=name,
        indicator=indicator,
        statistic=statistic,
        quantile=Fraction(quantile) if quantile else None,
        selector=(),
        comparator=comparator,
        limit=Fraction(limit),
        expression=f"{name} {comparator} {limit}",
        source=Source.WRITTEN,
    )
    return replace(made, **other)  # type: ignore[arg-type]


def ints(values: object) -> Ints:
    return np.asarray(values, dtype=np.int64)


def data(
    made: Objective,
    bad: object,
    total: object,
    *,
    bins: object = None,
    sums: object = None,
    untimed: tuple[int, int, int] = (0, 0, 0),
    eligible: int | None = None,
    rows: int | None = None,
    histogram: Histogram | None = None,
    newest: int | None = None,
) -> ObjectiveData:
    total = ints(total)
    count = int(total.sum()) + untimed[1]
    return ObjectiveData(
        objective=made,
        bins=ints(MONDAY + 300 * np.arange(len(total)) if bins is None else bins),
        good=total - ints(bad),
        total=total,
        sums=ints(np.zeros(len(total)) if sums is None else sums),
        untimed_good=untimed[0],
        untimed_total=untimed[1],
        untimed_sum=untimed[2],
        eligible=count if eligible is None else eligible,
        rows=count if rows is None else rows,
        histogram=histogram,
        newest=newest,
    )


def untimed(made: Objective, bad: int, total: int, **other: object) -> ObjectiveData:
    """Events without a time: independent, and without excursions."""
    return data(made, [], [], untimed=(total - bad, total, 0), **other)  # type: ignore[arg-type]


def judge(
    one: ObjectiveData, config: Config | None = None
) -> tuple[ObjectiveResult, tuple[Excursion, ...]]:
    (result,), found = evaluate([one], config or Config())
    return result, found


def status(one: ObjectiveData, config: Config | None = None) -> Status:
    return judge(one, config)[0].status


def histogram(values: object) -> Histogram:
    values = ints(values)
    buckets, counts = np.unique(bucket_of(values), return_counts=True)
    return Histogram(ints(buckets), ints(counts), int(values.min()), int(values.max()))


# Statuses


def test_met_when_the_bound_is_inside_the_limit() -> None:
    result, _ = judge(untimed(objective(), 12, 3204))
    assert result.status is Status.MET
    assert result.reason == (
        "12 of 3,204 calls failed (0.37 %), limit 1 %; with 95 % confidence at most 0.61 %"
    )
    assert result.hint == ""
    assert result.needed is None
    assert result.observed == 12 / 3204
    assert result.low is not None
    assert result.bound is not None
    assert result.low < 12 / 3204 < result.bound < 0.01


def test_breached_when_missed_as_counted() -> None:
    result, _ = judge(untimed(objective(), 41, 301))
    assert result.status is Status.BREACHED
    assert result.reason == "41 of 301 calls failed (13.6 %), limit 1 %"
    assert result.hint == "38 bad calls more than the 3 that the limit allows"
    assert result.bound is None
    assert result.budget is not None
    assert Fraction(result.budget.allowed_num, result.budget.allowed_den) == Fraction(301, 100)
    assert result.budget.bad == 41


def test_at_risk_when_met_as_counted_but_the_bound_crosses_the_limit() -> None:
    result, _ = judge(untimed(objective(), 0, 298))
    assert result.status is Status.AT_RISK
    assert result.needed == 1
    assert result.reason.endswith("but it may be as high as 1.0002 %")
    assert result.hint == "about 1 call more at this level would carry the claim"
    assert status(untimed(objective(), 0, 299)) is Status.MET


def test_a_share_exactly_at_the_limit_is_met_but_no_sample_carries_it() -> None:
    result, _ = judge(untimed(objective(), 10, 1000))
    assert result.status is Status.AT_RISK
    assert result.needed is None
    assert result.hint == "no number of calls at this level would carry the claim"
    assert status(untimed(objective(), 11, 1000)) is Status.BREACHED
    assert status(untimed(objective(comparator="<"), 10, 1000)) is Status.BREACHED


def test_under_the_minimum_sample_only_what_is_beyond_doubt_is_breached() -> None:
    made = objective(minimum=100)
    result, _ = judge(untimed(made, 0, 28))
    assert result.status is Status.NO_DATA
    assert result.needed == 271
    assert result.hint == "271 calls more needed"
    assert result.reason == "0 of 28 calls failed (0 %), limit 1 %; under the minimum of 100 calls"
    assert status(untimed(made, 1, 28)) is Status.NO_DATA
    assert status(untimed(made, 3, 28)) is Status.BREACHED
    assert status(untimed(made, 0, 99)) is Status.NO_DATA
    assert status(untimed(made, 0, 100)) is Status.AT_RISK


def test_an_absent_field_is_no_data_and_says_what_to_log() -> None:
    result, _ = judge(
        data(objective("ttft", "800000", quantile="19/20"), [], [], eligible=50, rows=50)
    )
    assert result.status is Status.NO_DATA
    assert result.reason == "none of 50 calls carries ttft_ms"
    assert result.hint == "log ttft_ms"
    assert result.needed == 59
    assert (result.observed, result.low, result.bound, result.budget) == (None, None, None, None)


def test_too_little_coverage_is_no_data_even_for_a_perfect_record() -> None:
    result, _ = judge(untimed(objective(), 0, 4999, eligible=10_000))
    assert result.status is Status.NO_DATA
    assert result.reason == (
        "only 4,999 of 10,000 calls carry status (49.99 %), at least 50 % needed"
    )
    assert result.hint == "log status on all calls"
    assert status(untimed(objective(), 0, 5000, eligible=10_000)) is Status.MET
    strict = Config(minimum_coverage=Fraction(9, 10))
    assert status(untimed(objective(), 0, 5000, eligible=10_000), strict) is Status.NO_DATA


def test_a_table_that_never_appears() -> None:
    written = objective("tool_error_rate", "0.02")
    result, _ = judge(data(written, [], []))
    assert result.status is Status.NO_DATA
    assert result.reason == "no tool calls in the logs"
    default = replace(written, source=Source.DEFAULT)
    assert status(data(default, [], [])) is Status.NOT_APPLICABLE
    # The table is there, the field is not: that is no reason to look away.
    assert status(data(default, [], [], eligible=9, rows=9)) is Status.NO_DATA


@pytest.mark.parametrize("key", ["retrievals", "retrieval_empty_rate", "retrieval.chunk_ids"])
def test_a_declaration_with_its_reason_makes_an_absent_table_not_applicable(key: str) -> None:
    made = objective("retrieval_empty_rate", "0.1")
    config = Config(not_applicable={key: "a chat application"})
    result, _ = judge(data(made, [], []), config)
    assert result.status is Status.NOT_APPLICABLE
    assert result.reason == "declared not applicable: a chat application"


def test_a_declaration_that_the_logs_contradict_does_not_hide_a_breach() -> None:
    made = objective("retrieval_empty_rate", "0.1")
    config = Config(not_applicable={"retrievals": "a chat application"})
    assert status(untimed(made, 90, 100), config) is Status.BREACHED


def test_a_selector_that_matches_nothing_says_so() -> None:
    made = objective(selector=(("model", "gpt-5*"),))
    result, _ = judge(data(made, [], [], eligible=0, rows=10))
    assert result.status is Status.NO_DATA
    assert result.reason == "no calls match {model=gpt-5*}"
    assert result.title == "error rate {model=gpt-5*}"


# Percentiles


def test_a_percentile_is_decided_by_counts_and_shown_on_the_side_they_prove() -> None:
    made = objective("latency", "2500000", quantile="19/20")
    values = np.full(2000, 2_499_999)
    values[1901:] = 9 * SECOND
    result, _ = judge(untimed(made, 99, 2000, histogram=histogram(values)))
    assert result.status is Status.AT_RISK
    assert result.observed is not None
    assert result.bound is not None
    assert result.observed <= 2_500_000 < result.bound
    # The bucket's middle is above the limit for a value under it; one call more breaches.
    over = np.full(2000, 2_500_001)
    over[:1899] = SECOND
    result, _ = judge(untimed(made, 101, 2000, histogram=histogram(over)))
    assert result.status is Status.BREACHED
    assert result.observed is not None
    assert result.observed > 2_500_000
    assert "2.5 s, limit" not in result.reason


def test_the_sentence_of_a_percentile() -> None:
    made = objective("latency", "2500000", quantile="19/20")
    values = np.concatenate((np.full(1100, SECOND), np.full(100, 4 * SECOND)))
    result, _ = judge(untimed(made, 100, 1200, histogram=histogram(values)))
    assert result.reason == (
        "p95 is 4 s, limit 2.5 s: 100 of 1,200 calls took longer than 2.5 s (8.33 %), 5 % allowed"
    )
    assert result.title == "p95 latency"
    assert result.interval_method == "order statistics, calls taken as independent"


def test_a_percentile_has_the_interval_that_its_sample_allows() -> None:
    made = objective("latency", "2500000", quantile="19/20")
    for n, ends in ((58, 0), (59, 1), (71, 1), (72, 2)):
        result, _ = judge(untimed(made, 0, n, histogram=histogram(np.arange(1, n + 1) * 1000)))
        assert (result.low is not None) + (result.high is not None) == ends
        assert result.status is (Status.MET if n >= 59 else Status.AT_RISK)
        assert (result.bound is not None) == (n >= 59)
    assert result.high == 72_000


@pytest.mark.parametrize("comparator", ["<=", "<", ">=", ">"])
def test_a_percentile_is_met_exactly_if_its_nearest_rank_value_is(comparator: Comparator) -> None:
    rng = np.random.default_rng(3)
    compare = {"<=": np.less_equal, "<": np.less, ">=": np.greater_equal, ">": np.greater}
    for _ in range(500):
        n, percent = int(rng.integers(1, 60)), int(rng.integers(1, 100))
        values = np.sort(rng.integers(0, 12, n))
        q = Fraction(percent, 100)
        made = objective("latency", "5", comparator, quantile=str(q))
        good = int(compare[comparator](values, 5).sum())
        nearest = values[max(1, -(-percent * n // 100)) - 1]
        assert is_met(made, good, n, 0) == bool(compare[comparator](nearest, 5))


def test_a_throughput_must_stay_above_its_limit() -> None:
    made = objective("output_tokens_per_second", "20000", ">=", quantile="1/2")
    values = np.concatenate((np.full(400, 10_000), np.full(600, 40_000)))
    result, _ = judge(untimed(made, 400, 1000, histogram=histogram(values)))
    assert result.status is Status.MET
    assert result.bound == pytest.approx(40_000, rel=0.003)
    assert "400 of 1,000 calls were below 20 tok/s (40 %), under 50 % allowed" in result.reason
    assert status(untimed(made, 500, 1000)) is Status.BREACHED


def test_a_hit_rate_counts_good_events() -> None:
    made = objective("retrieval_hit_rate", "0.9", ">=")
    result, _ = judge(untimed(made, 400, 3204))
    assert result.status is Status.BREACHED
    assert result.reason == "2,804 of 3,204 retrievals had a hit (87.5 %), limit at least 90 %"
    assert result.observed == 2804 / 3204
    assert result.low is not None
    assert result.high is not None
    assert result.low < result.observed < result.high < 0.9
    result, _ = judge(untimed(made, 100, 3204))
    assert result.status is Status.MET
    assert result.bound is not None
    assert 0.9 < result.bound < 3104 / 3204


# Means


def test_a_mean_is_held_against_its_limit_exactly_and_has_no_budget() -> None:
    made = objective("cost_per_call", "20000000", mean=True)
    bins = MONDAY + 3600 * np.arange(48)
    total = np.full(48, 50)
    exactly = data(made, total, total, bins=bins, sums=total * 20_000_000)
    result, found = judge(exactly)
    assert result.status is Status.AT_RISK or result.bound == 20_000_000
    assert found == ()
    assert (result.good, result.budget) == (None, None)
    assert result.title == "mean cost per call"
    sums = total * 20_000_000
    sums[7] += 1
    result, _ = judge(data(made, total, total, bins=bins, sums=sums))
    assert result.status is Status.BREACHED
    assert "limit $0.02" in result.reason
    assert "is $0.02," not in result.reason


def test_a_mean_near_its_limit_is_at_risk_and_a_small_one_met() -> None:
    rng = np.random.default_rng(5)
    made = objective("cost_per_call", "20000000", mean=True)
    total = np.full(168, 20)
    bins = MONDAY + 3600 * np.arange(168)
    for level, expected in ((0.5, Status.MET), (0.98, Status.AT_RISK), (1.02, Status.BREACHED)):
        sums = (rng.normal(1, 0.5, 168).clip(0) * 20 * 20_000_000).astype(np.int64)
        sums = (sums / sums.mean() * level * 20 * 20_000_000).astype(np.int64)
        result, _ = judge(data(made, total, total, bins=bins, sums=sums))
        assert result.status is expected
        assert (result.needed is not None) == (expected is Status.AT_RISK)


def test_a_mean_without_spread_known_is_not_met() -> None:
    made = objective("cost_per_call", "20000000", mean=True, minimum=1)
    few = data(made, [0], [3], sums=[3])
    assert status(few) is Status.AT_RISK
    small = replace(few, objective=replace(made, minimum=10), sums=ints([10**12]))
    assert status(small) is Status.NO_DATA


# Order, names, texts

_rank = list(Status).index


def test_objectives_come_worst_first_and_then_by_violation() -> None:
    config = Config()
    made = [
        untimed(objective("timeout_rate"), 0, 5000),
        untimed(objective("error_rate"), 20, 1000),
        untimed(objective("rate_limit_rate"), 90, 1000),
        data(objective("retry_rate"), [], [], rows=5, eligible=5),
        untimed(objective("tool_error_rate"), 9, 1000),
        data(replace(objective("retrieval_empty_rate"), source=Source.DEFAULT), [], []),
    ]
    results, _ = evaluate(made, config)
    expected = "rate_limit_rate error_rate retry_rate tool_error_rate timeout_rate"
    assert [r.indicator for r in results] == [*expected.split(), "retrieval_empty_rate"]
    assert [r.status for r in results] == sorted((r.status for r in results), key=_rank)
    assert evaluate(made[::-1], config) == evaluate(made, config)
    assert evaluate([], config) == ((), ())


def test_slugs_are_anchors_and_differ_where_ids_do() -> None:
    assert slugs(["error_rate", "latency.p95"]) == ["error-rate", "latency-p95"]
    one, two, three = slugs(["a{model=x*}", "a{model=x}", "b"])
    assert one != two
    assert one.startswith("a-model-x-")
    assert three == "b"


def test_every_ratio_has_words_for_what_it_counts() -> None:
    for name, spec in INDICATORS.items():
        if spec.kind == "ratio":
            made = objective(name, "0.5", "<=" if spec.good_is_low else ">=")
            assert happened(made, 3, 4).startswith("1 of 4" if spec.good_is_low else "3 of 4")
        elif spec.kind == "distribution":
            made = objective(name, "5", "<=", quantile="19/20")
            assert happened(made, 3, 4).startswith("1 of 4")
            assert title(made) == f"p95 {spec.title}"


def test_a_result_carries_what_the_configuration_says() -> None:
    made = objective(
        severity=Severity.WARNING,
        owner="search team",
        runbook="https://example.org/run",
        agreed_by="the committee",
        defined_at="readiness.toml:3:1",
    )
    result, _ = judge(untimed(made, 0, 400))
    assert (result.limit, result.unit, result.comparator) == ("0.01", "ratio", "<=")
    assert (result.severity, result.owner) == (Severity.WARNING, "search team")
    assert (result.agreed_by, result.defined_at) == ("the committee", "readiness.toml:3:1")
    assert result.runbook == "https://example.org/run"
    assert (result.good, result.total, result.eligible) == (400, 400, 400)


@pytest.mark.parametrize(
    "change",
    [
        {"good": ints([9])},
        {"bins": ints([MONDAY, MONDAY])},
        {"bins": ints([MONDAY, MONDAY + 7])},
        {"good": ints([9, 9])},
        {"untimed_good": 1},
        {"histogram": histogram([1, 2, 3])},
    ],
)
def test_contradicting_counts_are_refused(change: dict[str, object]) -> None:
    sound = data(objective(), [0, 1], [5, 5])
    with pytest.raises(ValueError, match="error_rate"):
        replace(sound, **change)  # type: ignore[arg-type]
