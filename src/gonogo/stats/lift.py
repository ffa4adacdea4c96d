"""Whether one kind of events stands out among the bad ones more than chance explains."""

from __future__ import annotations

import math

FALSE_FINDING = 0.01
"""Probability of any finding where nothing stands out, over all looks together (Bonferroni)."""

_NEGLIGIBLE = 1e-17


def log_tail(bad: int, events: int, all_bad: int, all_events: int) -> float:
    """Log of P(at least `bad` of a kind's `events` are bad), had chance dealt them out.

    Hypergeometric (Fisher's exact test, one-sided): `all_bad` of `all_events` are bad.
    """
    low, high = max(0, events + all_bad - all_events), min(events, all_bad)
    if bad <= low:
        return 0.0
    first = (
        _log_choose(all_bad, bad)
        + _log_choose(all_events - all_bad, events - bad)
        - _log_choose(all_events, events)
    )
    term = total = 1.0
    for k in range(bad, high):
        rest = all_events - all_bad - events + k + 1
        term *= (all_bad - k) * (events - k) / ((k + 1) * rest)
        total += term
        if term < _NEGLIGIBLE * total:
            break
    return min(0.0, first + math.log(total))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
