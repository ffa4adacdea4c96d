"""Where in time a rate was over its limit: a scan with exact tests, then edges by likelihood.

Finding: every run of 1, 2, 4, 8, ... neighbouring bins is looked at; a run is bad when the exact
binomial tail of its counts, given the limit, is under `FALSE_ALARM` divided by the number of looks
(Bonferroni). So small bins are pooled with their neighbours, at every width at once, and a service
that stays within its limit has a false finding in under 1 % of periods, whatever their length.

Edges: around the strongest bad run each bin scores the log-likelihood ratio of "the run's rate"
against "the limit". The segment is the highest-scoring stretch; it ends where what follows speaks
1000 : 1 for recovery (`RECOVERY`) over two bins at least. Once all segments are known, and with
them the rate that is usual outside, its edges are widened to the change of rate (`edges`). Both
edges lie on bins that hold bad events. Beside its edges a segment has a `named` bin: the onset by
the data up to the first rejection alone, which later data cannot move, so that names may be made of
it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gonogo.conventions import BIN_SECONDS
from gonogo.stats.binomial import log_tail
from gonogo.stats.edges import (
    RECOVERY,
    RECOVERY_BINS,
    Edges,
    Segment,
    extension,
    possible,
    usual_rate,
    widened,
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Span = tuple[int, int]


FALSE_ALARM = 0.01
"""Probability of any finding in a period whose rate is exactly at the limit, at most."""

FEWEST_BAD = 3
"""Under three bad events nothing is found: one user's retries are not an incident."""

LONGEST_GAP = 6 * 3600
"""Seconds without traffic that no finding reaches across."""

_SMALLEST = 1e-12  # a limit of zero is tested as a rate that no log is long enough to show
_STEPS_PER_OCTAVE = 4
_ROUNDS = 10


def bad_segments(bins: Ints, bad: Ints, total: Ints, allowed: float) -> list[Segment]:
    """Stretches of bins whose bad share is over `allowed`.

    bins: epoch seconds of complete bins with traffic, ascending, shape (n,); bad <= total, total
    positive, shape (n,). Sorted, disjoint, at least two bins apart. More bad events never make the
    list empty.
    """
    if not len(bins) or allowed >= 1:
        return []
    limit = max(allowed, _SMALLEST)
    pieces = _pieces(bins)
    looks = sum(b - a - w + 1 for a, b in pieces for w in _widths(b - a))
    level = math.log(FALSE_ALARM / looks)
    by_piece = []
    for a, b in pieces:
        inside = [
            Segment(a + s.first, a + s.last, a + s.named)
            for s in _piece(bad[a:b], total[a:b], limit, level)
        ]
        by_piece.append(_merged(inside))
    usual = usual_rate(bad, total, [s for inside in by_piece for s in inside], limit)
    found: list[Segment] = []
    for piece, inside in zip(pieces, by_piece, strict=True):
        rooms = _rooms(inside, piece)
        found += _merged(
            [
                widened(segment, room, bad, total, limit, usual)
                for segment, room in zip(inside, rooms, strict=True)
            ]
        )
    return found


def possible_edges(
    bins: Ints, bad: Ints, total: Ints, allowed: float, segments: Sequence[Segment]
) -> list[Edges]:
    """What onset and end of each segment of `bad_segments` may be; arguments as there."""
    usual = usual_rate(bad, total, segments, max(allowed, _SMALLEST))
    found: list[Edges] = []
    for piece in _pieces(bins):
        inside = [s for s in segments if piece[0] <= s.first < piece[1]]
        for segment, room in zip(inside, _rooms(inside, piece), strict=True):
            found.append(possible(segment, room, bad, total, usual))
    return found


def _pieces(bins: Ints) -> list[Span]:
    """Stretches of traffic without a long gap, as [first, last) indices of the bins."""
    breaks = np.flatnonzero(np.diff(bins) > LONGEST_GAP + BIN_SECONDS) + 1
    return list(zip([0, *breaks.tolist()], [*breaks.tolist(), len(bins)], strict=True))


def _rooms(segments: Sequence[Segment], piece: Span) -> list[Span]:
    """For each of the sorted segments of a piece, the bins up to its neighbours."""
    starts = [piece[0], *(s.last for s in segments[:-1])]
    ends = [*(s.first for s in segments[1:]), piece[1]]
    return list(zip(starts, ends, strict=True)) if segments else []


def evidence(bad: ArrayLike, total: ArrayLike, allowed: float) -> Floats:
    """Log-likelihood ratio of the observed share against `allowed`, elementwise; total positive.

    Zero where the share is at most `allowed`.
    """
    limit = max(allowed, _SMALLEST)
    k, n = np.asarray(bad, dtype=np.float64), np.asarray(total, dtype=np.float64)
    good = n - k
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(k > 0, k * np.log(k / n / limit), 0.0)
        ratio += np.where(good > 0, good * np.log(good / n / (1 - limit)), 0.0)
    return np.where(k > limit * n, ratio, 0.0)


def _widths(length: int) -> list[int]:
    return [2**i for i in range(length.bit_length())]


def _piece(bad: Ints, total: Ints, limit: float, level: float) -> list[Segment]:
    """Segments of one stretch of traffic without a long gap, in no order."""
    first, last, evidence = _bad_runs(bad, total, limit, level)
    found: list[Segment] = []
    open_spans = [(0, len(bad))]
    while open_spans:
        start, stop = open_spans.pop()
        here = np.flatnonzero((first >= start) & (last <= stop))
        if not len(here):
            continue
        best = here[np.argmax(evidence[here])]
        left, right = _grown(bad, total, limit, (int(first[best]), int(last[best])), (start, stop))
        # Named by what was known when the bad runs began to be rejected: the id that is made of it
        # must not change when later data change the segment's rate, and with it the edges.
        touching = here[(first[here] < right) & (last[here] > left)]
        inside = here[(first[here] >= left) & (last[here] <= right)]
        touching = inside if len(inside) else touching
        soonest = touching[np.lexsort((-evidence[touching], last[touching]))[0]]
        known = int(last[soonest])
        named, _ = _grown(bad, total, limit, (int(first[soonest]), known), (start, known))
        named = named if named < right else left
        found.append(Segment(left, right, named))
        open_spans += [(start, min(left, named)), (right, stop)]
    return found


def _bad_runs(bad: Ints, total: Ints, limit: float, level: float) -> tuple[Ints, Ints, Floats]:
    """Runs that the test rejects: first bin, last bin + 1, and log-likelihood ratio, shape (m,)."""
    sums_bad = np.concatenate(([0], np.cumsum(bad)))
    sums_total = np.concatenate(([0], np.cumsum(total)))
    firsts, lasts, evidences = [], [], []
    for width in _widths(len(bad)):
        k = (sums_bad[width:] - sums_bad[:-width]).astype(np.float64)
        n = (sums_total[width:] - sums_total[:-width]).astype(np.float64)
        at = np.flatnonzero((k >= FEWEST_BAD) & (k > limit * n))
        k, n = k[at], n[at]
        ratio = evidence(k, n, limit)
        # exp(-ratio) bounds the tail from above, and that over sqrt(8 k) from below (Ash 1965,
        # lemma 4.7.2): only what lies between needs the exact sum.
        keep = -ratio <= level
        for i in np.flatnonzero(~keep & (-ratio - np.log(8 * k) / 2 <= level)):
            keep[i] = log_tail(float(k[i]), float(n[i]), limit) <= level
        firsts.append(at[keep])
        lasts.append(at[keep] + width)
        evidences.append(ratio[keep])
    return np.concatenate(firsts), np.concatenate(lasts), np.concatenate(evidences)


def _grown(bad: Ints, total: Ints, limit: float, seed: Span, within: Span) -> Span:
    """The segment around a bad run: trimmed to its core, extended, until its rate settles."""
    span, step = seed, 0
    for _ in range(_ROUNDS):
        settled = _rate_step(bad, total, limit, span)
        if settled == step:
            break
        step = settled
        scores = _scores(bad, total, limit, step)
        left, right = _core(scores[seed[0] : seed[1]].tolist())
        left, right = seed[0] + left, seed[0] + right
        right += extension(scores[right : within[1]])
        left -= extension(scores[within[0] : left][::-1])
        span = left, right
    return span


def _rate_step(bad: Ints, total: Ints, limit: float, span: Span) -> int:
    """Odds of the span's rate against the limit's, as whole quarter octaves, at least one.

    Rounded, so that a few more calls leave the edges (and with them the id) where they were.
    """
    k, n = int(bad[span[0] : span[1]].sum()), int(total[span[0] : span[1]].sum())
    odds = (k + 0.5) / (n - k + 0.5) / (limit / (1 - limit))
    return max(1, round(_STEPS_PER_OCTAVE * math.log2(odds)))


def _scores(bad: Ints, total: Ints, limit: float, step: int) -> Floats:
    odds = limit / (1 - limit) * 2 ** (step / _STEPS_PER_OCTAVE)
    rate = odds / (1 + odds)
    good = math.log1p(-rate) - math.log1p(-limit)
    return bad * math.log(rate / limit) + (total - bad) * good


def _core(scores: list[float]) -> Span:
    """Highest-scoring stretch that holds no recovery inside."""
    best, best_span = -math.inf, (0, len(scores))
    start, summed, top, top_at = 0, 0.0, 0.0, 0
    for i, score in enumerate(scores):
        summed += score
        if summed > top:
            top, top_at = summed, i + 1
            if top > best:
                best, best_span = top, (start, top_at)
        recovered = top - summed > RECOVERY and i + 1 - top_at >= RECOVERY_BINS
        if summed <= 0 or recovered:
            start, summed, top, top_at = i + 1, 0.0, 0.0, i + 1
    return best_span


def _merged(segments: list[Segment]) -> list[Segment]:
    """Sorted, with those joined that lie under two bins apart: between them nothing recovered."""
    merged: list[Segment] = []
    for segment in sorted(segments):
        if merged and segment.first - merged[-1].last < RECOVERY_BINS:
            merged[-1] = merged[-1]._replace(last=segment.last)
        else:
            merged.append(segment)
    return merged
