"""What the cost tables share: sums of the `costs` frame, and tables made of rows."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from gonogo.conventions import UNKNOWN
from gonogo.measures.columns import hidden, made, mean, ratio, value
from gonogo.rollup.partial import COST_SUMS, Partial

Row = dict[str, Any]
MOST: Final = 20

__all__ = ["MOST", "Row", "hidden", "made", "mean", "ratio", "sums", "total", "value"]


def sums(partial: Partial, *by: str) -> list[Row]:
    """All sums of the `costs` frame by some of its keys, the most calls first."""
    frame = partial.frames["costs"].group_by(by).agg(pl.col(name).sum() for name in COST_SUMS)
    order = frame.sort(["calls", *by], descending=[True, *(False for _ in by)], nulls_last=True)
    return [
        {**row, **{k: UNKNOWN if row[k] is None else row[k] for k in by}}
        for row in order.to_dicts()
    ]


def total(partial: Partial) -> Row:
    """The sums over everything."""
    return partial.frames["costs"].select(pl.col(name).sum() for name in COST_SUMS).to_dicts()[0]
