"""From events per bin to slices of time that keep a limit or do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gonogo.config.model import Objective
from gonogo.slo.data import ObjectiveData
from gonogo.slo.measure import is_met


def sliced(objective: Objective, events: ObjectiveData) -> ObjectiveData:
    """The slices of an objective; `events` are what its limit holds for, in 5-minute bins.

    Slices begin on multiples of their length (UTC). Each one with events counts once, however many
    they are; one without does not count, and neither does the newest, which is incomplete.
    """
    assert objective.sliced is not None
    width = objective.sliced.seconds
    starts = events.bins // width * width
    seen = events.total > 0
    if events.newest is not None:
        seen &= starts < events.newest // width * width
    keys, first = np.unique(starts[seen], return_index=True)
    good = total = np.zeros(0, dtype=np.int64)
    if len(keys):
        sums = [
            np.add.reduceat(column[seen], first)
            for column in (events.good, events.total, events.sums)
        ]
        met = [
            is_met(events.objective, int(k), int(n), int(s)) for k, n, s in zip(*sums, strict=True)
        ]
        good, total = np.array(met, dtype=np.int64), np.ones(len(keys), dtype=np.int64)
    return replace(
        events,
        objective=objective,
        bins=keys,
        good=good,
        total=total,
        sums=np.zeros(len(keys), dtype=np.int64),
        untimed_good=0,
        untimed_total=0,
        untimed_sum=0,
        eligible=len(keys),
        histogram=None,
        events=events,
    )
