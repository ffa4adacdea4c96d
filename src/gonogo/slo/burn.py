"""Error budgets, and burn-rate alerts replayed over the log.

budget = (1 - target) x events (https://sre.google/workbook/implementing-slos/); the burn rate of a
window is its bad share as a multiple of the allowed one. A pair of windows fires while both burn
faster than its factor (https://sre.google/workbook/alerting-on-slos/).

A window counts only where the log reaches back over all of it: what was before the first record is
not known. Under `FEWEST_BAD` bad events in the long window nothing fires, because in thin traffic
a single failure would. An alert that a service exactly at its limit would raise in over 1 % of such
logs is listed as what it is, chance, and puts no objective at risk.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from gonogo import display
from gonogo.config.burn import burn_table
from gonogo.config.model import Config, Pair
from gonogo.conventions import BIN_SECONDS
from gonogo.results import Budget, Burn, BurnAlert, BurnPair, Excursion, WindowBudget
from gonogo.slo.data import Ints, ObjectiveData
from gonogo.stats.scan import FALSE_ALARM, FEWEST_BAD, evidence

MOST_ALERTS: Final = 20
"""Alerts of one pair that are listed; all are counted."""


def budget(data: ObjectiveData) -> Budget | None:
    """The budget of the period; None for a mean, and where nothing was judged."""
    target = data.objective.target
    if target is None or not data.count:
        return None
    allowed = (1 - target) * data.count
    return Budget(
        allowed_num=allowed.numerator,
        allowed_den=allowed.denominator,
        bad=data.count - data.good_count,
        exhausted_at=_exhausted(data, data.bins, data.bad, allowed),
    )


def window_budget(data: ObjectiveData) -> WindowBudget | None:
    """The budget of the objective's own window, over the newest stretch of that length."""
    target, window = data.objective.target, data.objective.window
    if target is None or not data.total.any():
        return None
    seen = data.bins[data.total > 0]
    end = int(seen[-1]) + data.width
    start = max(int(seen[0]), end - window)
    inside = data.bins >= start
    bins, bad, total = data.bins[inside], data.bad[inside], int(data.total[inside].sum())
    allowed = (1 - target) * total * Fraction(window, end - start)
    return WindowBudget(
        allowed_num=allowed.numerator,
        allowed_den=allowed.denominator,
        bad=int(bad.sum()),
        exhausted_at=_exhausted(data, bins, bad, allowed),
        seconds=window,
        start=start,
        end=end,
        total=total,
    )


def _exhausted(data: ObjectiveData, bins: Ints, bad: Ints, allowed: Fraction) -> int | None:
    """End of the first bin by whose end more was bad than is allowed."""
    over = np.flatnonzero(np.cumsum(bad) > allowed.numerator // allowed.denominator)
    return int(bins[over[0]]) + data.width if len(over) else None


@dataclass(frozen=True, slots=True)
class Firing:
    """A pair that fired, in epoch seconds; bad and total are of the long window at that time.

    `evidence` is the largest log-likelihood ratio of the long window against the limit meanwhile.
    """

    fired: int
    resolved: int | None
    bad: int
    total: int
    evidence: float


def replay(
    bins: Ints, bad: Ints, total: Ints, pair: Pair, threshold: Fraction, allowed: Fraction
) -> list[Firing]:
    """When both windows of a pair had a bad share over `threshold`, by exact counts.

    bins: epoch seconds of complete 5-minute bins with traffic, ascending, shape (n,). A window
    [t - width, t) holds whole bins. Gaps of less than the short window do not end an alert.
    """
    if not len(bins):
        return []
    last = int(bins[-1]) + BIN_SECONDS
    # A share changes only when a bin enters a window or leaves it.
    leaves = [bins + BIN_SECONDS + width for width in (0, pair.short, pair.long)]
    times = np.unique(np.concatenate(leaves))
    times = times[(times >= int(bins[0]) + pair.long) & (times <= last)]
    long_bad, long_total = _within(bins, bad, total, times, pair.long)
    short_bad, short_total = _within(bins, bad, total, times, pair.short)
    on = (long_bad >= FEWEST_BAD) & _over(long_bad, long_total, threshold)
    on &= _over(short_bad, short_total, threshold)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], on, [False])).astype(np.int8)))
    weight = np.zeros(len(times))
    weight[on] = evidence(long_bad[on], long_total[on], float(allowed))
    found: list[Firing] = []
    for first, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        resolved = int(times[stop]) if stop < len(times) else None
        before = found[-1].resolved if found else None
        most = float(weight[first:stop].max())
        if before is not None and int(times[first]) - before < pair.short:
            old = found.pop()
            most = max(most, old.evidence)
            found.append(Firing(old.fired, resolved, old.bad, old.total, most))
        else:
            k, n = int(long_bad[first]), int(long_total[first])
            found.append(Firing(int(times[first]), resolved, k, n, most))
    return found


def _within(bins: Ints, bad: Ints, total: Ints, times: Ints, width: int) -> tuple[Ints, Ints]:
    first = np.searchsorted(bins, times - width)
    stop = np.searchsorted(bins, times - BIN_SECONDS, side="right")
    sums = [np.concatenate(([0], np.cumsum(column))) for column in (bad, total)]
    return sums[0][stop] - sums[0][first], sums[1][stop] - sums[1][first]


def _over(
    bad: Ints, total: Ints, threshold: Fraction
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """bad / total > threshold, exactly; False where there is nothing."""
    share = float(threshold) * total
    over = bad > share
    for i in np.flatnonzero(np.abs(bad - share) <= 1e-9 * (1 + share)):
        over[i] = int(bad[i]) > threshold * int(total[i])
    return over & (total > 0)


def burn(data: ObjectiveData, config: Config, found: Sequence[Excursion]) -> Burn | None:
    """Every pair of an objective replayed; None for a mean, a limit of zero, or without times."""
    objective = data.objective
    target = objective.target
    full = data.total > 0
    if target is None or target >= 1 or not full.any():
        return None
    if data.newest is not None:
        full &= data.bins < data.newest // BIN_SECONDS * BIN_SECONDS
    bins, bad, total = data.bins[full], data.bad[full], data.total[full]
    table = burn_table(objective.window, config.burn_rates)
    spans = int(bins[-1]) + BIN_SECONDS - int(bins[0]) if len(bins) else 0
    pairs, alerts = [], []
    for pair in table.pairs:
        factor = pair.factor(objective.window)
        threshold = factor * (1 - target)
        note = ""
        if threshold >= 1:
            note = "cannot fire: with this limit, even if all were bad the budget would last longer"
        elif data.width > BIN_SECONDS:
            note = "not replayed: slices are longer than 5 minutes"
        elif spans < pair.long:
            note = f"not judged: the log spans less than {_length(pair.long)}"
        fired = [] if note else replay(bins, bad, total, pair, threshold, 1 - target)
        # exp(-evidence) bounds the binomial tail from above; one look per length of the window.
        enough = math.log(max(1.0, spans / pair.long) / FALSE_ALARM)
        alerts += [_alert(pair, f, found, f.evidence < enough) for f in _listed(fired)]
        pairs.append(
            BurnPair(
                alert=pair.alert,
                budget=display.plain(pair.budget),
                factor=f"{float(factor):.6g}",
                long_seconds=pair.long,
                short_seconds=pair.short,
                fired=len(fired),
                note=note,
            )
        )
    alerts.sort(key=lambda a: (a.fired, a.alert, a.long_seconds, a.short_seconds))
    return Burn(
        seconds=objective.window, source=table.source, pairs=tuple(pairs), alerts=tuple(alerts)
    )


def _listed(fired: list[Firing]) -> list[Firing]:
    """The first ones, and the weightiest of all: the status must not depend on what is listed."""
    if len(fired) <= MOST_ALERTS:
        return fired
    return [*fired[: MOST_ALERTS - 1], max(fired[MOST_ALERTS - 1 :], key=lambda f: f.evidence)]


def _alert(pair: Pair, firing: Firing, found: Sequence[Excursion], by_chance: bool) -> BurnAlert:
    since = firing.fired - pair.long
    about = [e.onset for e in found if e.onset < firing.fired and e.end > since]
    onset = max(about, default=None)
    made = BurnAlert(
        alert=pair.alert,
        long_seconds=pair.long,
        short_seconds=pair.short,
        fired=firing.fired,
        resolved=firing.resolved,
        onset=onset,
        bad=firing.bad,
        total=firing.total,
        by_chance=by_chance,
        sentence="",
    )
    share = display.exact(pair.budget, "ratio")
    pace = f"at a pace that spends {share} of the budget in {_length(pair.long)}"
    doubt = "; a service exactly at its limit may do so by chance" if by_chance else ""
    return made.model_copy(update={"sentence": f"{would_have(made)}, {pace}{doubt}"})


def would_have(alert: BurnAlert) -> str:
    """Would have paged on Wed 18 Nov 2026 14:35 UTC, 25 min after onset."""
    verb = "paged" if alert.alert == "page" else "opened a ticket"
    after = "" if alert.onset is None else f", {_length(alert.fired - alert.onset)} after onset"
    return f"would have {verb} on {display.time(alert.fired)}{after}"


def _length(seconds: int) -> str:
    return display.duration(seconds * 10**6)
