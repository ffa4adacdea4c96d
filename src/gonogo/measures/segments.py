"""Which counts each objective is judged by, where objectives are grouped by a dimension."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from gonogo.config.model import Config, Objective, Segment
from gonogo.conventions import OTHER, SMALL_CELL, WIDE_DIMENSIONS
from gonogo.rollup.partial import Partial
from gonogo.rollup.segments import of_segment

Numbered = tuple[Objective, tuple[str, ...]]
"""an objective, and the numbers under which its events were counted"""


def numbered(partial: Partial, config: Config) -> list[Numbered]:
    """Every objective with its counts, in the order of the configuration.

    Segments without events are left out. Those under the smallest sample are judged together as
    (other), which is named in the result and, too small even so, warns instead of deciding. Where
    no segment is large enough the objective is judged as a whole.
    """
    sums = partial.frames["objectives"].group_by("objective").agg(pl.col("total", "eligible").sum())
    total = {number: (n, eligible) for number, n, eligible in sums.iter_rows()}
    found: list[Numbered] = []
    at = 0
    objectives = config.objectives
    while at < len(objectives):
        base, first = objectives[at], at
        at += 1
        while at < len(objectives) and objectives[at].segment is not None:
            at += 1
        if base.group_by is None:
            found.append((base, (str(first),)))
            continue
        least = (base.sliced.inner if base.sliced else base).minimum
        if base.group_by in WIDE_DIMENSIONS:
            least = max(least, SMALL_CELL)
        large: list[Numbered] = []
        small: list[str] = []
        for place in range(first + 1, at):
            n, eligible = total.get(str(place), (0, 0))
            segment = objectives[place].segment
            assert segment is not None  # the inner loop stops where there is none
            if n >= least and segment.label != OTHER:
                large.append((objectives[place], (str(place),)))
            elif eligible:
                small.append(str(place))
        if not large:
            found.append((base, (str(first),)))
            continue
        found += large
        if small:
            rest = Segment(base.group_by, OTHER, (), len(small))
            found.append((of_segment(replace(base, segments=0), rest), tuple(small)))
    return found
