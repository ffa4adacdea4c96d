"""What an objective is judged by: counts per bin, made by the rollup."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from gonogo.config.model import Objective
from gonogo.conventions import BIN_SECONDS
from gonogo.stats.histogram import Histogram

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ObjectiveData:
    """The events of one objective over the period. All arrays int64 of one shape (n,).

    Raises:
        ValueError: the parts contradict each other (shapes, order, good > total, histogram).
    """

    objective: Objective
    bins: Ints
    """epoch seconds of 5-minute bins, ascending, unique"""
    good: Ints
    """events on the good side, per bin; zeros for a mean"""
    total: Ints
    """events judged, per bin"""
    sums: Ints
    """sum of values, per bin; zeros unless the objective is a mean"""
    untimed_good: int
    untimed_total: int
    untimed_sum: int
    eligible: int
    """events that could have carried the value"""
    rows: int
    """rows of the indicator's table in the whole input; 0 where the table never appears"""
    histogram: Histogram | None
    """of the judged values, for displayed quantiles"""
    newest: int | None
    """epoch second of the newest record: the bin holding it is incomplete"""
    factor: Fraction | None = Fraction(1)
    """what a mean is multiplied by: calls a month for a projection; None where that is not known"""
    scenario: str = ""
    """in words, what a projection is to"""
    least: Fraction | None = None
    """share of the eligible events that must carry the value; None for the configured minimum"""

    events: ObjectiveData | None = None
    """what slices of time are made of; None where the events themselves are counted"""

    def __post_init__(self) -> None:
        name = self.objective.id
        if len({len(a) for a in (self.bins, self.good, self.total, self.sums)}) > 1:
            raise ValueError(f"{name}: columns of different lengths")
        if (np.diff(self.bins) <= 0).any() or (self.bins % BIN_SECONDS).any():
            raise ValueError(f"{name}: bins are not ascending 5-minute bins")
        if (self.good > self.total).any() or self.untimed_good > self.untimed_total:
            raise ValueError(f"{name}: more good events than events")
        if self.histogram is not None and self.histogram.total != self.count:
            raise ValueError(f"{name}: {self.histogram.total} values for {self.count} events")

    @property
    def width(self) -> int:
        """Seconds from a bin's start to its end."""
        sliced = self.objective.sliced
        return BIN_SECONDS if sliced is None else sliced.seconds

    @property
    def count(self) -> int:
        """Events judged."""
        return int(self.total.sum()) + self.untimed_total

    @property
    def good_count(self) -> int:
        """Events on the good side."""
        return int(self.good.sum()) + self.untimed_good

    @property
    def value_sum(self) -> int:
        """Sum of the values of a mean."""
        return int(self.sums.sum()) + self.untimed_sum

    @property
    def bad(self) -> Ints:
        """Events on the bad side, per bin."""
        return self.total - self.good
