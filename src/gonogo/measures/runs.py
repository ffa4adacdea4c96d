"""Rows that stand together because they are of one thing, as those of a sorted frame do."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def heads(frame: pl.DataFrame, keys: Sequence[pl.Expr]) -> pl.Series:
    """Numbers of the rows at which any of the keys changes, the first row included; UInt32."""
    if not frame.height:
        return pl.Series([], dtype=pl.UInt32)
    # Row by row, since hashing millions of texts to find a hundred different ones takes longer.
    changed = (key.ne_missing(key.shift()) for key in keys)
    first = pl.int_range(pl.len()) == 0
    return frame.select(head=pl.any_horizontal(first, *changed))["head"].arg_true()
