"""The numbers of one objective: observed value, interval, bound, and whether it was met.

Met or missed is decided by integers alone. Displayed percentiles are estimates, so each is moved
to the side of the limit on which the count says that it lies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from gonogo.config.model import Objective
from gonogo.slo import wording
from gonogo.slo.data import ObjectiveData
from gonogo.stats.binomial import inside, log_tail, sample_needed
from gonogo.stats.histogram import Histogram
from gonogo.stats.intervals import (
    INDEPENDENT,
    Bound,
    Interval,
    Traffic,
    deviation,
    quantile_ranks,
    ratio_mean,
)

_BEYOND = math.log(0.025)
"""Tail that a small sample must leave for its whole 95 % interval to lie beyond the limit."""


@dataclass(frozen=True, slots=True)
class Measured:
    """An objective's numbers; `total` is positive.

    `violation` is 1 at the limit and larger beyond it; `beyond` says that even a sample this small
    lies beyond the limit with its whole interval; `needed` is what a claim lacks, None where no
    number of events would carry it or nothing is lacking.
    """

    met: bool
    carried: bool
    beyond: bool
    observed: float | None
    interval: Interval
    bound: float | None
    needed: int | None
    violation: float
    total: int


def is_met(
    objective: Objective, good: int, total: int, value_sum: int, factor: Fraction = Fraction(1)
) -> bool:
    """Whether the objective was met as counted, by exact arithmetic; total is positive.

    A percentile is the nearest-rank one, x_(ceil(q n)): at or under a limit exactly if at least
    q n values are, and at or above one exactly if fewer than q n values are under it.
    """
    target = objective.target
    if target is None:
        return _within(objective, Fraction(value_sum, total) * factor)
    strict = objective.comparator in (("<", ">") if objective.quantile is None else (">=", ">"))
    return good > target * total if strict else good >= target * total


def measure(data: ObjectiveData) -> Measured:
    """All numbers of an objective that has at least one event."""
    return _mean(data) if data.objective.target is None else _counted(data)


def _within(objective: Objective, number: Fraction | float) -> bool:
    match objective.comparator:
        case "<=":
            return number <= objective.limit
        case "<":
            return number < objective.limit
        case ">=":
            return number >= objective.limit
    return number > objective.limit


def _counted(data: ObjectiveData) -> Measured:
    objective, total, good = data.objective, data.count, data.good_count
    target = objective.target
    assert target is not None  # measure() sends means elsewhere
    bad, allowed = total - good, 1 - target
    traffic = Traffic(
        data.bins, data.bad, data.total, data.untimed_total - data.untimed_good, data.untimed_total
    )
    bound = traffic.bound(allowed)
    met = is_met(objective, good, total, 0)
    # Independent events assumed: with more spread than that the tail would be heavier, but a
    # sample under its minimum is too small to show its spread.
    beyond = not met and log_tail(bad, total, float(allowed)) <= _BEYOND
    violation = float(Fraction(bad, total) / allowed) if allowed else math.inf if bad else 0.0
    if objective.quantile is None:
        found = traffic.interval()
        observed: float | None = bad / total
        shown: float | None = bound.value
        if not objective.spec.bad_is_counted:
            found = Interval(_mirrored(found.high), _mirrored(found.low), found.method)
            observed, shown = good / total, 1 - bound.value
    else:
        observed, found, shown = _percentile(data, objective.quantile, bound, allowed)
    return Measured(
        met=met,
        carried=met and bound.inside,
        beyond=beyond,
        observed=observed,
        interval=found,
        bound=shown,
        needed=None if bound.inside else _needed(bad, total, bound, allowed),
        violation=violation,
        total=total,
    )


def _mirrored(share: float | None) -> float | None:
    return None if share is None else 1 - share


def _needed(bad: int, total: int, bound: Bound, allowed: Fraction) -> int | None:
    """Further events at the same share and spread until the bound lies inside."""
    effect = total / bound.effective
    size = sample_needed(bad / total, float(allowed), math.ceil(bound.effective))
    return None if size is None else max(1, math.ceil(size * effect) - total)


def _percentile(
    data: ObjectiveData, quantile: Fraction, bound: Bound, allowed: Fraction
) -> tuple[float | None, Interval, float | None]:
    """Observed percentile, order-statistic interval and deciding bound, in the value's unit."""
    histogram, n = data.histogram, data.count
    if histogram is None:
        return None, Interval(None, None, "none"), None
    low, high = quantile_ranks(n, quantile)
    rank = max(1, math.ceil(quantile * n))
    deciding = _deciding_rank(data.objective, n, n / bound.effective, float(allowed))

    def at(rank: int | None) -> float | None:
        return None if rank is None else _value_at(data, histogram, rank)

    method = f"order statistics, {INDEPENDENT}" if high or low else "none"
    return at(rank), Interval(at(low), at(high), method), at(deciding)


def _deciding_rank(objective: Objective, n: int, effect: float, allowed: float) -> int | None:
    """Rank of the value that must be within the limit for the claim to be carried."""

    def carried(good: int) -> bool:
        return inside((n - good) / effect, n / effect, allowed)

    if not carried(n):
        return None
    low, high = 0, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if carried(middle) else (middle, high)
    return high if wording.is_upper(objective) else n + 1 - high


def _value_at(data: ObjectiveData, histogram: Histogram, rank: int) -> float:
    """The value at a rank, on the side of the limit that the count proves; values are integers."""
    objective = data.objective
    under = objective.comparator in ("<=", ">")
    edge = math.floor(objective.limit) if under else math.ceil(objective.limit) - 1
    lower = data.good_count if wording.is_upper(objective) else data.count - data.good_count
    value = histogram.value_at_rank(rank)
    return min(value, edge) if rank <= lower else max(value, edge + 1)


def _mean(data: ObjectiveData) -> Measured:
    objective, total = data.objective, data.count
    spread = None if data.histogram is None else deviation(data.histogram)
    untimed = (data.untimed_sum, data.untimed_total)
    mean = ratio_mean(data.bins, data.sums, data.total, untimed, spread)
    assert mean is not None  # total is positive
    upper = wording.is_upper(objective)
    # A projection multiplies the mean, its interval and its bound by one known number.
    exact = Fraction(1) if data.factor is None else data.factor
    factor = float(exact)
    mean = mean.scaled(factor)
    limit = float(objective.limit)
    met = is_met(objective, 0, total, data.value_sum, exact)
    bound = needed = None
    if mean.error is not None:
        half = mean.critical * mean.error
        bound = mean.value + half if upper else max(0.0, mean.value - half)
        room = limit - mean.value if upper else mean.value - limit
        if room > 0:
            needed = max(0, math.ceil(total * (half / room) ** 2) - total) or None
    near_end = mean.interval.low if upper else mean.interval.high
    share = mean.value / limit if limit else math.inf
    return Measured(
        met=met,
        carried=met and bound is not None and _within(objective, bound),
        beyond=not met and near_end is not None and not _within(objective, near_end),
        observed=mean.value,
        interval=mean.interval,
        bound=bound,
        needed=needed,
        violation=share if upper else 1 / share if share else math.inf,
        total=total,
    )
