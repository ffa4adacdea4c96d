"""Intervals for what logs show: rates, percentiles and means of traffic.

- Independent items: Wilson's score interval (Wilson 1927; Brown, Cai, DasGupta 2001).
- Rates of traffic: calls of one hour are alike, so the variance is taken between blocks of time
  (the ratio estimator of cluster sampling) and turned into an effective sample size; Wilson with
  that size is the interval, so plain Wilson is the floor of its width.
- The bound that decides a claim is the exact binomial one on an effective size (`Traffic.bound`).
- Percentiles: order statistics with exact binomial coverage (Hahn and Meeker 1991, ch. 5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gonogo.conventions import BIN_SECONDS
from gonogo.stats.binomial import (
    CONFIDENCE,
    Z_ONE_SIDED,
    Z_TWO_SIDED,
    inside,
    log_head,
    log_tail,
    t_critical,
    upper_bound,
)
from gonogo.stats.histogram import Histogram, borders

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

HOUR = 3600
MINIMUM_BLOCKS = 8
"""Fewer blocks than this say nothing about the variance between them."""

INDEPENDENT = "calls taken as independent"


def wilson(good: ArrayLike, total: ArrayLike, z: float = Z_TWO_SIDED) -> tuple[Floats, Floats]:
    """Wilson's score interval, elementwise: (low, high), NaN where total is 0.

    Counts may be real (effective samples). With `Z_ONE_SIDED` each end is a one-sided 95 % bound.
    """
    good, total = np.asarray(good, dtype=np.float64), np.asarray(total, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = good / total
        middle = (good + z * z / 2) / (total + z * z)
        half = z / (total + z * z) * np.sqrt(total * share * (1 - share) + z * z / 4)
    # At 0 and 1 the end is exact, not a rounding error away from it.
    low = np.where(good == 0, np.where(total > 0, 0.0, np.nan), middle - half)
    high = np.where(good == total, np.where(total > 0, 1.0, np.nan), middle + half)
    return low, high


def quantile_ranks(n: int, quantile: Fraction) -> tuple[int | None, int | None]:
    """Ranks (1-based) whose values enclose the quantile with at least 95 % confidence.

    Two-sided where n allows it (from 72 for p95, 368 for p99); below that the one-sided 95 % bound
    on the side that is hard to see (above for a p50 or higher), from 59 and 299; else (None, None).
    """
    if quantile < Fraction(1, 2):
        low, high = quantile_ranks(n, 1 - quantile)
        return (n + 1 - high if high else None), (n + 1 - low if low else None)
    two = (1 - CONFIDENCE) / 2
    low, high = _low_rank(n, float(quantile), two), _high_rank(n, float(quantile), two)
    if low is None or high is None:
        return None, _high_rank(n, float(quantile), 1 - CONFIDENCE)
    return low, high


def _high_rank(n: int, q: float, alpha: float) -> int | None:
    """Smallest rank s with P(Bin(n, q) >= s) <= alpha: x_(s) is above the quantile."""
    if n < 1 or log_tail(n, n, q) > math.log(alpha):
        return None
    low, high = 0, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if log_tail(middle, n, q) <= math.log(alpha) else (middle, high)
    return high


def _low_rank(n: int, q: float, alpha: float) -> int | None:
    """Largest rank r with P(Bin(n, q) < r) <= alpha: x_(r) is at or below the quantile."""
    if n < 1 or log_head(0, n, q) > math.log(alpha):
        return None
    low, high = 1, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        done = log_head(middle - 1, n, q) <= math.log(alpha)
        low, high = (middle, high) if done else (low, middle)
    return low


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided 95 % interval; an end is None where the sample is too small to have it."""

    low: float | None
    high: float | None
    method: str


@dataclass(frozen=True, slots=True)
class Bound:
    """The one-sided 95 % bound of a bad share, and whether it lies within what is allowed."""

    value: float
    inside: bool
    effective: float
    """size of the independent sample that says as much"""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Counts of bad events and of all events: per bin with a time, and in total without one.

    bins: epoch seconds of 5-minute bins, shape (n,), ascending; bad, total: int64, shape (n,).
    Events without a time are taken as independent of each other.
    """

    bins: Ints
    bad: Ints
    total: Ints
    untimed_bad: int = 0
    untimed_total: int = 0

    @property
    def counts(self) -> tuple[int, int]:
        """(bad, total) over everything."""
        return (
            int(self.bad.sum()) + self.untimed_bad,
            int(self.total.sum()) + self.untimed_total,
        )

    def interval(self) -> Interval:
        """Two-sided 95 % interval of the bad share: Wilson on the effective sample.

        Critical values are Student's t with (blocks - 1) degrees of freedom.
        """
        bad, total = self.counts
        if not total:
            return Interval(None, None, "none")
        share = bad / total
        blocks = time_blocks(self.bins, self.total, self.bad)
        effect = 1.0
        if blocks is not None and 0 < bad < total:
            residual = blocks.sums[0] - share * blocks.total
            binomial = share * (1 - share)
            variance = (residual**2).sum() * blocks.correction + binomial * self.untimed_total
            widened = (t_critical(blocks.count - 1, CONFIDENCE, 2) / Z_TWO_SIDED) ** 2
            effect = max(1.0, variance / (binomial * total) * widened)
        low, high = wilson(bad / effect, total / effect)
        return Interval(float(low), float(high), "Wilson, " + _said(blocks))

    def bound(self, allowed: Fraction) -> Bound:
        """One-sided 95 % upper bound of the bad share: what decides MET or AT_RISK.

        Exact binomial on an effective sample. Its design effect counts only what blocks of time
        hold *above* the allowed share, twice because the other half of the spread is left out:
        then a good event turned bad can only raise the bound, which the plain ratio estimator does
        not guarantee (a bad event in an unusually good hour makes the hours look more alike).
        Spread below the limit is not evidence against the claim that the limit holds.
        """
        bad, total = self.counts
        limit = float(allowed)
        effect = 1.0
        blocks = time_blocks(self.bins, self.total, self.bad)
        if blocks is not None and 0 < limit < 1:
            above = np.maximum(blocks.sums[0] - limit * blocks.total, 0.0)
            binomial = limit * (1 - limit)
            variance = 2 * (above**2).sum() * blocks.correction + binomial * self.untimed_total
            widened = (t_critical(blocks.count - 1, CONFIDENCE, 1) / Z_ONE_SIDED) ** 2
            effect = max(1.0, variance / (binomial * total) * widened)
        size = total / effect
        value = upper_bound(bad / effect, size) if total else 1.0
        claim = inside(bad / effect, size, limit)
        # The value is found to ten digits, the claim exactly: they must not contradict each other.
        value = min(value, limit) if claim else max(value, math.nextafter(limit, 1.0))
        return Bound(value, claim, size)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Sums per block of time, shape (count,) each; blocks without events do not occur."""

    seconds: int
    total: Floats
    sums: tuple[Floats, ...]

    @property
    def count(self) -> int:
        """Number of blocks, of which there are at least 8."""
        return len(self.total)

    @property
    def correction(self) -> float:
        """n / (n - 1), by which a variance over n blocks is too small."""
        return self.count / (self.count - 1)


def time_blocks(bins: Ints, total: Ints, *columns: Ints) -> Blocks | None:
    """Sum per hour; per 5-minute bin where under 8 hours have traffic; None under 8 such bins.

    bins: epoch seconds, ascending, shape (n,); total and columns: shape (n,).
    """
    seen = total > 0
    for seconds in (HOUR, BIN_SECONDS):
        keys, starts = np.unique(bins[seen] // seconds, return_index=True)
        if len(keys) >= MINIMUM_BLOCKS:
            sums = [np.add.reduceat(c[seen], starts).astype(float) for c in (total, *columns)]
            return Blocks(seconds, sums[0], tuple(sums[1:]))
    return None


def _said(blocks: Blocks | None) -> str:
    if blocks is None:
        return INDEPENDENT
    name = "hour" if blocks.seconds == HOUR else f"{blocks.seconds // 60}-minute"
    return f"{blocks.count} {name} blocks"


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with its interval; `error` is its standard error, `critical` the one-sided t."""

    value: float
    interval: Interval
    error: float | None
    critical: float

    def scaled(self, factor: float) -> Mean:
        """The mean of the values times a known number."""
        low, high = self.interval.low, self.interval.high
        return Mean(
            self.value * factor,
            Interval(
                None if low is None else low * factor,
                None if high is None else high * factor,
                self.interval.method,
            ),
            None if self.error is None else self.error * factor,
            self.critical,
        )


def ratio_mean(
    bins: Ints,
    sums: Ints,
    total: Ints,
    untimed: tuple[int, int],
    deviation: float | None,
) -> Mean | None:
    """Mean = sum / count of a value over traffic; None where nothing was counted.

    bins, sums, total: shape (n,), per 5-minute bin; untimed: (sum, count) without a time;
    deviation: standard deviation of single values, None where unknown. The standard error is the
    ratio estimator's over blocks of time, at least that of independent values; under 8 values, or
    with neither blocks nor deviation, there is none.
    """
    count = int(total.sum()) + untimed[1]
    if not count:
        return None
    mean = (int(sums.sum()) + untimed[0]) / count
    blocks = time_blocks(bins, total, sums)
    single = None if deviation is None else deviation**2 * count / max(1, count - 1)
    if count < MINIMUM_BLOCKS or (blocks is None and single is None):
        return Mean(mean, Interval(None, None, "none"), None, math.inf)
    variance = 0.0 if single is None else single * count
    freedom = count - 1
    if blocks is not None:
        freedom = blocks.count - 1
        between = ((blocks.sums[0] - mean * blocks.total) ** 2).sum() * blocks.correction
        variance = max(variance, between + (single or 0.0) * untimed[1])
    error = math.sqrt(variance) / count
    half = t_critical(freedom, CONFIDENCE, 2) * error
    found = Interval(max(0.0, mean - half), mean + half, "t, " + _said(blocks))
    return Mean(mean, found, error, t_critical(freedom, CONFIDENCE, 1))


def deviation(histogram: Histogram) -> float | None:
    """Standard deviation of the values, within 0.3 % (bucket middles); None where empty."""
    if not histogram.total:
        return None
    low = borders().astype(np.float64)
    middles = (low + np.append(low[1:], 2.0**62) - 1) / 2  # of the integers that the bucket holds
    values = np.where(histogram.buckets > 0, middles[histogram.buckets], 0.0)
    mean = np.average(values, weights=histogram.counts)
    return float(np.sqrt(np.average((values - mean) ** 2, weights=histogram.counts)))
