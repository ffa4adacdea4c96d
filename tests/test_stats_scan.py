"""Finding excursions: planted ones are found where they are, quiet traffic stays quiet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gonogo.stats.scan import LONGEST_GAP, bad_segments

Ints = NDArray[np.int64]
WEEK = 2016
BINS = np.arange(WEEK, dtype=np.int64) * 300


def found(bad: Ints, total: Ints, allowed: float, bins: Ints = BINS) -> list[tuple[int, int]]:
    """Segments as (first, last + 1) indices of all bins, empty ones included."""
    seen = np.flatnonzero(total > 0)
    spans = bad_segments(bins[seen], bad[seen], total[seen], allowed)
    return [(int(seen[s.first]), int(seen[s.last - 1]) + 1) for s in spans]


def names(bad: Ints, total: Ints, allowed: float) -> list[int]:
    """The bins that segments are named after, as indices of all bins."""
    seen = np.flatnonzero(total > 0)
    return [int(seen[s.named]) for s in bad_segments(BINS[seen], bad[seen], total[seen], allowed)]


def flat(calls: int, bad: dict[range, int] | None = None) -> tuple[Ints, Ints]:
    total = np.full(WEEK, calls, dtype=np.int64)
    counts = np.zeros(WEEK, dtype=np.int64)
    for bins, number in (bad or {}).items():
        counts[list(bins)] = number
    return counts, total


@pytest.mark.parametrize(("calls", "rate"), [(8, 0.01), (1, 0.1), (100, 0.01), (400, 0.001)])
def test_traffic_exactly_at_its_limit_is_quiet_in_over_95_percent_of_weeks(
    calls: int, rate: float
) -> None:
    rng = np.random.default_rng(31)
    alarms = 0
    for _ in range(150):
        total = rng.poisson(calls, WEEK)
        alarms += bool(found(rng.binomial(total, rate), total, rate))
    assert alarms / 150 < 0.05


def test_half_of_the_limit_with_100_calls_an_hour_shows_nothing() -> None:
    # Hour by hour, 15 of 168 are over a 1 % limit by chance.
    rng = np.random.default_rng(37)
    alarms = over = 0
    for _ in range(100):
        total = rng.poisson(100 / 12, WEEK)
        bad = rng.binomial(total, 0.005)
        hours = bad.reshape(-1, 12).sum(1) > 0.01 * total.reshape(-1, 12).sum(1)
        over += int(hours.sum())
        alarms += bool(found(bad, total, 0.01))
    assert over / 100 > 10
    assert alarms == 0


def test_an_incident_in_thin_traffic_is_found_with_sensible_edges() -> None:
    """8 calls per bin, 0.3 % errors, two hours at 15 %, limit 1 %."""
    rng = np.random.default_rng(41)
    hits, onsets, ends, extra = 0, [], [], 0
    for _ in range(100):
        total = rng.poisson(8, WEEK)
        rates = np.full(WEEK, 0.003)
        rates[1000:1024] = 0.15
        spans = found(rng.binomial(total, rates), total, 0.01)
        here = [s for s in spans if s[0] < 1024 and s[1] > 1000]
        extra += len(spans) - len(here)
        if here:
            hits += 1
            onsets.append(here[0][0] - 1000)
            ends.append(here[-1][1] - 1024)
    assert hits >= 97
    assert extra <= 2
    assert np.mean(np.abs(onsets) <= 2) > 0.8
    assert np.mean(np.abs(ends) <= 2) > 0.8
    assert abs(np.median(onsets)) <= 1
    assert abs(np.median(ends)) <= 1


def test_onset_and_end_are_exact_where_every_bin_says_so() -> None:
    bad, total = flat(20, {range(700, 731): 9})
    assert found(bad, total, 0.05) == [(700, 731)]


def test_one_bin_with_half_of_its_calls_failing_is_an_excursion_of_one_bin() -> None:
    bad, total = flat(30, {range(50, 51): 15})
    assert found(bad, total, 0.01) == [(50, 51)]


def test_an_onset_that_only_the_whole_incident_shows_is_found() -> None:
    # One bad call in the first bin, none in the second, then the incident: 8 % of all.
    total = np.full(WEEK, 10)
    bad = np.zeros(WEEK, dtype=np.int64)
    bad[[500, 502, 504]] = 1
    bad[505] = 4
    bad[506:531:2] = 1
    ((first, last),) = found(bad, total, 0.01)
    assert (first, last) == (500, 531)


def test_a_slow_burn_is_found_that_no_single_bin_shows() -> None:
    rng = np.random.default_rng(43)
    total = rng.poisson(3, WEEK)
    rates = np.full(WEEK, 0.045)
    rates[800:1230] = 0.3
    ((first, last),) = found(rng.binomial(total, rates), total, 0.1)
    assert abs(first - 800) <= 12
    assert abs(last - 1230) <= 12


def test_two_incidents_with_a_quiet_hour_between_are_two() -> None:
    bad, total = flat(40, {range(300, 312): 12, range(324, 336): 12})
    assert found(bad, total, 0.01) == [(300, 312), (324, 336)]


def test_a_single_good_bin_does_not_split_an_incident() -> None:
    bad, total = flat(400, {range(300, 306): 100, range(307, 312): 100})
    assert found(bad, total, 0.01) == [(300, 312)]


def test_two_full_good_bins_with_much_traffic_are_a_recovery() -> None:
    bad, total = flat(400, {range(300, 306): 100, range(308, 312): 100})
    assert found(bad, total, 0.01) == [(300, 306), (308, 312)]


def test_incidents_of_different_strength_are_told_apart() -> None:
    bad, total = flat(50, {range(100, 150): 4, range(900, 910): 40})
    assert found(bad, total, 0.01) == [(100, 150), (900, 910)]


def test_a_long_silence_is_not_bridged() -> None:
    total = np.zeros(WEEK, dtype=np.int64)
    total[[*range(100, 110), *range(300, 310)]] = 10
    bad = total // 2
    assert LONGEST_GAP < 190 * 300
    assert found(bad, total, 0.05) == [(100, 110), (300, 310)]


def test_two_bad_calls_are_no_excursion_and_a_limit_of_zero_is_exceeded_by_three() -> None:
    bad, total = flat(2, {range(70, 71): 2})
    assert found(bad, total, 0.0001) == []
    bad, total = flat(5, {range(70, 71): 3})
    assert found(bad, total, 0.0) == [(70, 71)]


def test_nothing_comes_of_nothing() -> None:
    none = np.array([], dtype=np.int64)
    assert bad_segments(none, none, none, 0.01) == []
    assert bad_segments(BINS[:3], np.array([5, 5, 5]), np.array([5, 5, 5]), 1.0) == []


def test_the_name_stays_when_later_data_come_in() -> None:
    rng = np.random.default_rng(47)
    kept = looked = 0
    for _ in range(40):
        total = rng.poisson(8, WEEK)
        rates = np.full(WEEK, 0.003)
        rates[1000:1060] = 0.12
        bad = rng.binomial(total, rates)
        first = None
        for cut in range(1006, 1200, 12):
            onsets = names(bad[:cut], total[:cut], 0.01)
            if first is not None:
                looked += 1
                kept += first in onsets
            elif onsets:
                first = onsets[0]
    assert looked > 400
    assert kept / looked > 0.97


@given(data=st.data())
def test_more_bad_events_never_make_a_finding_disappear(data: st.DataObject) -> None:
    length = data.draw(st.integers(1, 40))
    total = np.array(data.draw(st.lists(st.integers(1, 12), min_size=length, max_size=length)))
    bad = np.array([data.draw(st.integers(0, int(t))) for t in total])
    at = data.draw(st.integers(0, length - 1))
    worse = bad.copy()
    worse[at] = min(worse[at] + 1, total[at])
    allowed = data.draw(st.sampled_from([0.0, 0.01, 0.1, 0.5]))
    before = bad_segments(BINS[:length], bad, total, allowed)
    after = bad_segments(BINS[:length], worse, total, allowed)
    assert after or not before
    for spans in (before, after):
        edges = [edge for span in spans for edge in span[:2]]
        assert len({span.named for span in spans}) == len(spans)
        assert edges == sorted(set(edges))
    for first, last, _ in before:
        assert bad[first:last].sum() > allowed * total[first:last].sum()
        assert bad[first] > 0
        assert bad[last - 1] > 0
