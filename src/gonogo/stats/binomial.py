"""Exact tails and bounds of the binomial distribution, without SciPy.

Everything rests on the regularised incomplete beta function, evaluated as a continued fraction in
log space (https://dlmf.nist.gov/8.17#v), since P(X >= k) = I_p(k, n - k + 1). It takes real counts
too, which is what an effective sample size is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from statistics import NormalDist

CONFIDENCE = 0.95
Z_TWO_SIDED = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
Z_ONE_SIDED = NormalDist().inv_cdf(CONFIDENCE)

_TINY = 1e-300
_STEPS = 1_000_000
_LARGEST = 10**12
_FLOOR = 40.0  # logs below this are as good as -infinity to a root search
_PRECISION = 1e-10


def log_beta(a: float, b: float, x: float) -> float:
    """Log of the regularised incomplete beta function I_x(a, b); a, b > 0, x within [0, 1].

    Relative error of I about 1e-10 up to counts of 1e7, also far below the smallest float.
    """
    if x <= 0:
        return -math.inf
    if x >= 1:
        return 0.0
    if x > (a + 1) / (a + b + 2):
        # The fraction converges fast below the mean only; above it, one minus the other tail.
        other = log_beta(b, a, 1 - x)
        return math.log(-math.expm1(other)) if other < 0 else -math.inf
    front = a * math.log(x) + b * math.log1p(-x) - math.log(a)
    front += math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return min(0.0, front + math.log(_fraction(a, b, x)))


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of I_x(a, b), by the modified Lentz method."""
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d or _TINY)
    h = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / (1 + even * d or _TINY)
        c = 1 + even / c or _TINY
        h *= c * d
        d = 1 / (1 + odd * d or _TINY)
        c = 1 + odd / c or _TINY
        h *= c * d
        if abs(c * d - 1) < 1e-13:
            break
    return h


def log_tail(k: float, n: float, p: float) -> float:
    """Log of P(X >= k) for X binomial(n, p); k and n may be real, 0 <= k <= n."""
    return 0.0 if k <= 0 else log_beta(k, n - k + 1, p)


def log_head(k: float, n: float, p: float) -> float:
    """Log of P(X <= k) for X binomial(n, p); k and n may be real, 0 <= k <= n."""
    return log_tail(n - k, n, 1 - p)


def upper_bound(bad: float, total: float, confidence: float = CONFIDENCE) -> float:
    """Exact one-sided upper bound (Clopper and Pearson) of a share, `bad` of `total` > 0 seen.

    Both may be real (an effective sample). The bound is the share p at which
    P(X <= bad) = 1 - confidence; 1 where everything was bad.
    """
    goal = math.log1p(-confidence)
    if bad >= total:
        return 1.0
    if bad <= 0:
        return -math.expm1(goal / total)

    def above(p: float) -> float:
        return max(log_head(bad, total, p) - goal, -_FLOOR)

    width = 2 * math.sqrt(bad + 4) / total
    low, high = bad / total, bad / total + width
    while high < 1 and above(high) > 0:
        low, high = high, high + width
    return _root(above, low, min(high, 1.0))


def _root(f: Callable[[float], float], low: float, high: float) -> float:
    """Where f falls through zero in [low, high], on the side f <= 0 (the Illinois method)."""
    at_low, at_high = f(low), f(high)
    moved = 0
    while high - low > _PRECISION * high and at_high < 0:
        x = high - at_high * (high - low) / (at_high - at_low)
        step = _PRECISION * high / 4  # never to stand still on one side
        x = min(max(x, low + step), high - step)
        value = f(x)
        if value > 0:
            low, at_low, at_high = x, value, at_high / (2 if moved > 0 else 1)
            moved = 1
        else:
            high, at_high, at_low = x, value, at_low / (2 if moved < 0 else 1)
            moved = -1
    return high


def inside(bad: float, total: float, allowed: float) -> bool:
    """Whether the upper bound of the bad share lies within `allowed`: one tail, no search."""
    if allowed >= 1:
        return True
    if total <= 0 or allowed <= 0 or bad > total:
        return False
    return log_head(bad, total, allowed) <= math.log1p(-CONFIDENCE)


def sample_needed(share: float, allowed: float, start: int = 1) -> int | None:
    """Smallest total >= `start` whose bound lies within `allowed` when `share` of it is bad.

    None where no sample can carry the claim: the share is not under what is allowed. With nothing
    bad: 59 for 5 % allowed (p95), 299 for 1 % (p99, or an error rate of 1 %).
    """
    if not share < allowed:
        return None
    low, high = start - 1, max(start, 1)
    while not inside(share * high, high, allowed):
        if high > _LARGEST:
            return None
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if inside(share * middle, middle, allowed):
            high = middle
        else:
            low = middle
    return high


@cache
def t_critical(freedom: int, confidence: float, sides: int) -> float:
    """Critical value of Student's t with `freedom` >= 1 degrees; sides 1 or 2."""
    goal = math.log((1 - confidence) / sides)
    low, high = 0.0, 1.0

    def tail(t: float) -> float:
        return log_beta(freedom / 2, 0.5, freedom / (freedom + t * t)) - math.log(2)

    while tail(high) > goal:
        low, high = high, high * 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) > goal else (low, middle)
    return high
