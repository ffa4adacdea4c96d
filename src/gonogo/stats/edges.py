"""Where a stretch of bad bins begins and ends: the likeliest change of rate, and what else may be.

Inside its limit a service has a rate of its own, which is usually far under the limit. Onset and
end are where that rate changes to the stretch's, by maximum likelihood (Hinkley 1970): a bin scores
the log-likelihood ratio of the one rate against the other, and an edge lies where the sum of the
scores is largest. Every edge whose sum is within log(2 / 5 %) of that one may be the true one too:
seen from the true edge both sums are random walks whose exponential has the mean 1 at most, so that
either rises that far with a probability of at most 2.5 % (Ville's inequality).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Span = tuple[int, int]


class Segment(NamedTuple):
    """A stretch of bad bins, [first, last), and the bin that it is named after."""

    first: int
    last: int
    named: int


class Edges(NamedTuple):
    """Between which borders of bins a stretch began and ended, with 95 % confidence, inclusive.

    Border i lies between bin i - 1 and bin i, and anywhere in the time between the two.
    """

    onset: Span
    end: Span


RECOVERY = math.log(1000)
RECOVERY_BINS = 2
EITHER_EDGE = math.log(2 / 0.05)


def extension(scores: Floats) -> int:
    """How many of the bins beyond an edge still belong: up to the last rise before a recovery.

    scores: log-likelihood ratio of each bin, outwards from the edge, shape (n,).
    """
    summed, top, top_at = 0.0, 0.0, 0
    for i, score in enumerate(scores.tolist()):
        summed += score
        if summed > top:
            top, top_at = summed, i + 1
        elif top - summed > RECOVERY and i + 1 - top_at >= RECOVERY_BINS:
            break
    return top_at


def usual_rate(bad: Ints, total: Ints, segments: Sequence[Segment], limit: float) -> float:
    """Bad share outside of all segments, smoothed so that it is not zero, and at most the limit."""
    outside = np.ones(len(bad), dtype=bool)
    for segment in segments:
        outside[segment.first : segment.last] = False
    return min(float((bad[outside].sum() + 0.5) / (total[outside].sum() + 1)), limit)


def widened(
    segment: Segment, within: Span, bad: Ints, total: Ints, limit: float, usual: float
) -> Segment:
    """The segment with the bins beside it that are likelier of its rate than of the usual one.

    Only bins that are over the limit together: a higher rate inside the limit is no excursion.
    """
    first, last, named = segment
    scores = _scores(bad, total, (first, last), usual)
    excess = bad - limit * total
    left = extension(scores[within[0] : first][::-1])
    right = extension(scores[last : within[1]])
    if excess[first - left : first].sum() > 0:
        first -= left
    if excess[last : last + right].sum() > 0:
        last += right
    return Segment(first, last, named)


def possible(segment: Segment, within: Span, bad: Ints, total: Ints, usual: float) -> Edges:
    """What the edges may be with 95 % confidence, each by itself; `within` bounds them."""
    first, last, _ = segment
    scores = _scores(bad, total, (first, last), usual)
    return Edges(
        (
            first - _reach(scores[within[0] : first][::-1]),
            first + _reach(-scores[first : last - 1]),
        ),
        (last - _reach(-scores[first + 1 : last][::-1]), last + _reach(scores[last : within[1]])),
    )


def _scores(bad: Ints, total: Ints, span: Span, usual: float) -> Floats:
    k, n = int(bad[span[0] : span[1]].sum()), int(total[span[0] : span[1]].sum())
    rate = (k + 0.5) / (n + 1)
    if rate <= usual:
        return np.zeros(len(bad))
    scores = bad * math.log(rate / usual)
    return scores + (total - bad) * math.log((1 - rate) / (1 - usual))


def _reach(gains: Floats) -> int:
    """The farthest step at which the sum of the gains is within what the true edge may lack."""
    possible = np.flatnonzero(np.cumsum(gains) >= -EITHER_EDGE)
    return int(possible[-1]) + 1 if len(possible) else 0
