"""Stretches of time over a limit, as results: when they begin and end, and what they decide."""

from __future__ import annotations

import numpy as np
import pytest

from gonogo.config.model import Config, Objective
from gonogo.conventions import Status
from gonogo.slo import ObjectiveData, evaluate, excursions_of
from test_slo import MONDAY, data, judge, objective


def incident(made: Objective, length: int = 24, **other: object) -> ObjectiveData:
    """A week of 20 calls a bin; half of the calls are bad from Wed 13:30, for `length` bins."""
    bad = np.zeros(2016, dtype=np.int64)
    first = (2 * 86_400 + 13 * 3600 + 1800) // 300
    bad[first : first + length] = 10
    return data(made, bad, np.full(2016, 20), **other)  # type: ignore[arg-type]


def test_an_excursion_puts_a_met_objective_at_risk() -> None:
    result, (only,) = judge(incident(objective()))
    assert result.status is Status.AT_RISK
    assert result.reason == (
        "240 of 40,320 calls failed (0.6 %), limit 1 %: met over the period as counted, but not "
        "from Wed 18 Nov 2026 13:30 to 15:30 UTC, and it would have paged on Wed 18 Nov 2026 "
        "13:50 UTC, 20 min after onset, and it may be as high as 1.73 %"
    )
    assert result.excursions == ("error-rate-20261118T1330Z",) == (only.id,)
    assert (only.onset, only.end) == (MONDAY + 221_400, MONDAY + 228_600)
    assert (only.bad, only.total, only.bins) == (240, 480, 24)
    assert (only.peak_bad, only.peak_total, only.peak_at) == (10, 20, only.onset)
    assert not only.ongoing
    assert not only.is_breach
    assert only.sentence == (
        "Error rate was over its limit from Wed 18 Nov 2026 13:30 to 15:30 UTC (2 h): 240 of 480 "
        "calls failed (50 %), limit 1 %; at its worst, at 13:30 UTC, 10 of 20 calls failed."
    )


def test_excursions_of_a_breached_objective_are_its_breaches() -> None:
    result, (only,) = judge(incident(objective(), length=200))
    assert result.status is Status.BREACHED
    assert only.is_breach
    assert "Thu 19 Nov 2026" in only.sentence


def test_the_newest_bin_never_decides() -> None:
    bad = np.zeros(300, dtype=np.int64)
    bad[-1] = 20
    total = np.full(300, 20)
    last = MONDAY + 299 * 300
    _, found = judge(data(objective(limit="0.1"), bad, total, newest=last + 12))
    assert found == ()
    _, found = judge(data(objective(limit="0.1"), bad, total, newest=last + 300))
    assert [e.onset for e in found] == [last]


@pytest.mark.parametrize(("good_bins", "ongoing"), [(0, True), (1, True), (2, False), (9, False)])
def test_recovery_needs_two_full_good_bins(good_bins: int, ongoing: bool) -> None:
    length = 200 + good_bins + 1
    bad = np.zeros(length, dtype=np.int64)
    bad[190:200] = 10
    one = data(
        objective(limit="0.1"), bad, np.full(length, 20), newest=MONDAY + (length - 1) * 300 + 60
    )
    _, (only,) = judge(one)
    assert only.ongoing is ongoing
    assert only.end == MONDAY + 200 * 300
    assert ("still so at the newest record" in only.sentence) is ongoing


def test_a_bin_that_is_over_the_limit_is_no_recovery() -> None:
    """20 events a bin, limit 10 %: of what follows, 3 bad of 20 is over it, 2 of 20 is not."""
    for after, ongoing in (([3, 3, 0], True), ([3, 0, 2], False), ([3, 0], True)):
        bad = [0] * 190 + [20] * 10 + after
        _, found = judge(data(objective(limit="0.1"), bad, np.full(len(bad), 20)))
        assert found[-1].ongoing is ongoing


def test_means_small_samples_and_uncovered_objectives_have_no_excursions() -> None:
    for one in (
        incident(objective(minimum=10**6)),
        incident(objective(), eligible=10**6),
    ):
        _, found = judge(one)
        assert found == excursions_of([one], Config()) == ()


def test_excursions_come_in_order_of_time_over_all_objectives() -> None:
    early = np.zeros(2016, dtype=np.int64)
    early[10:20] = 15
    one = incident(objective("error_rate"))
    two = data(objective("timeout_rate"), early, np.full(2016, 20))
    _, found = evaluate([one, two], Config())
    assert excursions_of([one, two], Config()) == found
    assert [e.objective for e in found] == ["timeout_rate", "error_rate"]
