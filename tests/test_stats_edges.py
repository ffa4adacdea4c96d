"""Onsets and ends: the change of rate, worked out by hand, and what else they may be."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gonogo.stats.edges import Segment, usual_rate, widened
from gonogo.stats.scan import LONGEST_GAP, bad_segments, possible_edges

Ints = NDArray[np.int64]
WEEK = 2016
BINS = np.arange(WEEK, dtype=np.int64) * 300


def week(calls: int) -> tuple[Ints, Ints]:
    return np.zeros(WEEK, dtype=np.int64), np.full(WEEK, calls, dtype=np.int64)


def test_the_usual_rate_is_that_outside_and_never_over_the_limit() -> None:
    bad, total = week(10)
    bad[100:110], bad[500] = 5, 3
    # 3 bad of 20,060 calls outside, half a call added.
    found = usual_rate(bad, total, [Segment(100, 110, 100)], 0.01)
    assert found == 3.5 / 20_061
    assert usual_rate(bad, total, [Segment(100, 110, 100)], 0.0001) == 0.0001
    assert usual_rate(bad[100:110], total[100:110], [Segment(0, 10, 0)], 0.01) == 0.01


def test_a_first_bin_of_a_lower_share_belongs_to_it_where_nothing_like_it_is_usual() -> None:
    """20 calls a bin, limit 10 %, 5 bad each from bin 100 on, 3 bad in bin 99, none elsewhere.

    Against the limit bin 99 speaks for recovery: 3 ln(0.25 / 0.1) + 17 ln(0.75 / 0.9) = -0.35.
    Against the usual 3.5 / 39,721 it is part of it: 3 ln(0.25 / 0.000088) + 17 ln(0.75) = 19.0.
    """
    assert 3 * math.log(0.25 / 0.1) + 17 * math.log(0.75 / 0.9) < 0
    assert 3 * math.log(0.25 / (3.5 / 39_721)) + 17 * math.log(0.75) > 18
    bad, total = week(20)
    bad[100:130], bad[99] = 5, 3
    (found,) = bad_segments(BINS, bad, total, 0.1)
    assert found == Segment(99, 130, 100)


def test_a_share_within_the_limit_is_not_called_over_it_however_unusual() -> None:
    bad, total = week(20)
    bad[100:130], bad[90:100], bad[130:140] = 5, 1, 1  # 5 %, limit 10 %
    (found,) = bad_segments(BINS, bad, total, 0.1)
    assert (found.first, found.last) == (100, 130)


def test_the_name_does_not_move_with_the_edge() -> None:
    bad, total = week(20)
    bad[100:130], bad[99] = 5, 3
    segment = Segment(100, 130, 104)
    assert widened(segment, (0, WEEK), bad, total, 0.1, 0.0001) == Segment(99, 130, 104)
    # Nothing beyond a neighbour is taken.
    assert widened(segment, (100, WEEK), bad, total, 0.1, 0.0001) == segment


def test_how_far_off_an_edge_may_be() -> None:
    """One call a bin, every other one bad from bin 500 to bin 540, none elsewhere.

    21 of 41 are bad: with half a call added 21.5 / 42. A good call outside lowers the likelihood by
    -ln(20.5 / 42) = 0.717, and log(2 / 0.05) = 3.689 is lost by the sixth: 5 x 0.717 = 3.586. A bad
    one inside adds ln(0.512 / 0.00025) = 7.6: no later onset is possible.
    """
    bad, total = week(1)
    bad[500:541:2] = 1
    (found,) = bad_segments(BINS, bad, total, 0.05)
    assert (found.first, found.last) == (500, 541)
    (edges,) = possible_edges(BINS, bad, total, 0.05, [found])
    assert edges.onset == (495, 500)
    assert edges.end == (541, 546)


def test_edges_that_every_bin_shows_are_certain() -> None:
    bad, total = week(20)
    bad[700:731] = 9
    (found,) = bad_segments(BINS, bad, total, 0.05)
    (edges,) = possible_edges(BINS, bad, total, 0.05, [found])
    assert edges == ((700, 700), (731, 731))


def test_a_neighbour_and_a_long_silence_bound_what_is_possible() -> None:
    seen = np.array([*range(100, 130), *range(300, 330)])
    assert LONGEST_GAP < 170 * 300
    total = np.ones(60, dtype=np.int64)
    bad = np.array([1] * 29 + [0] + [0] + [1] * 29)
    segments = bad_segments(BINS[seen], bad, total, 0.2)
    assert [(s.first, s.last) for s in segments] == [(0, 29), (31, 60)]
    first, second = possible_edges(BINS[seen], bad, total, 0.2, segments)
    assert first.onset[0] == 0
    assert first.end[1] <= 30
    assert second.onset[0] >= 30


@given(data=st.data())
def test_what_is_possible_holds_the_edge_itself(data: st.DataObject) -> None:
    length = data.draw(st.integers(2, 40))
    total = np.array(data.draw(st.lists(st.integers(1, 12), min_size=length, max_size=length)))
    bad = np.array([data.draw(st.integers(0, int(t))) for t in total])
    allowed = data.draw(st.sampled_from([0.0, 0.01, 0.1, 0.5]))
    segments = bad_segments(BINS[:length], bad, total, allowed)
    edges = possible_edges(BINS[:length], bad, total, allowed, segments)
    assert len(edges) == len(segments)
    for segment, ((low, high), (least, most)) in zip(segments, edges, strict=True):
        assert 0 <= low <= segment.first <= high < segment.last
        assert segment.first < least <= segment.last <= most <= length
