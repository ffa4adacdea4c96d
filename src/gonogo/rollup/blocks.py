"""Counts per block of time and per model and operation: what a comparison is made of.

The frame `blocks` holds the events of each objective by hour and model, and for each side of a
comparison within the log by 5-minute bin, model and operation: with the time because calls of one
hour are alike, with the rest so that a change of the mix can be told from one of the service.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from gonogo.config.model import Objective
from gonogo.records import Dictionaries
from gonogo.rollup.context import Context, Mask
from gonogo.rollup.counting import group
from gonogo.rollup.objectives import Judged
from gonogo.rollup.select import matching
from gonogo.stats.histogram import bucket_of

COARSE: Final = 8
"""Histogram buckets kept as one, 4.4 % wide, except for the sides of a comparison."""
ALL: Final = "0"
"""What the column `side` says where all calls are meant; sides are numbered from 1."""
NO_BUCKET: Final = -1


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: calls whose value matches a glob pattern, or with `others` those
    that have another one. A call without a value is on no side."""

    dimension: str
    pattern: str
    others: bool = False

    def members(self, ctx: Context, dictionaries: Dictionaries) -> Mask:
        """Which lines of a block are on this side, shape (height,)."""
        dictionary = dictionaries.dimensions[self.dimension]
        table = matching(dictionary, self.pattern)
        if self.others:
            table = ~table & np.array([text is not None for text in dictionary.texts()])
        found: Mask = table[ctx[self.dimension]]
        return found


@dataclass(frozen=True, slots=True)
class Contrasts:
    """The sides that are counted apart, and by what beside the objectives that are judged."""

    sides: tuple[Side, ...] = ()
    extra: tuple[Objective, ...] = ()


NOTHING: Final = Contrasts()


def columns(number: int, side: int, judged: Judged, ctx: Context, members: Mask | None) -> Any:
    """The columns of `blocks` for one objective and one side; None where it has no events."""
    keep = slice(None) if members is None else members[judged.row]
    row, good = judged.row[keep], judged.good[keep]
    if not len(row):
        return None
    values = None if judged.values is None else judged.values[keep]
    time, starts = (ctx.hour, ctx.hours) if members is None else (ctx.bin, ctx.bins)
    buckets = np.zeros(len(row), dtype=np.int64)
    if values is not None:
        buckets = bucket_of(values).astype(np.int64)
        if members is None:
            buckets = buckets // COARSE * COARSE
    # A baseline keeps these counts, so they stay small: hours, coarse buckets, the mix of models.
    operation = np.zeros_like(row) if members is None else ctx["operation"][row]
    groups = group([time[row], ctx["model"][row], operation, buckets])
    bucket = groups.keys[3] if values is not None else np.full(groups.size, NO_BUCKET)
    return {
        "objective": np.full(groups.size, number),
        "side": np.full(groups.size, side),
        "model": groups.keys[1],
        "operation": groups.keys[2],
        "start": pl.Series(starts, dtype=pl.Int64).gather(pl.Series(groups.keys[0])),
        "bucket": bucket,
        "good": groups.count(good),
        "total": groups.count(),
        "sum": groups.sum(values) if values is not None else np.zeros(groups.size, np.int64),
    }
