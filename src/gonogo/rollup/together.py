"""Many stored partials as one to be judged: a month of days, without sorting what is only summed.

It holds the sums that `partial.merge` gives, in no order: of the days of a store no two share a
time, so that their rows need not be found in each other. What is made of it must not depend on the
order of rows; a partial that is to be kept is merged instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import polars as pl

from gonogo.rollup import spend, store
from gonogo.rollup.partial import FRAMES, Partial, Spec, keep_exemplars
from gonogo.rollup.store import Kept
from gonogo.stats.distinct import Distinct

_TIMES: Final = ("bin", "hour", "day", "start")
_SUMMED: Final = frozenset(
    ("calls", "errors", "checked", "tenants", "retrievals", "tool_calls", "guardrails",
     "guard_users", "extremes")
)  # fmt: skip
"""Frames of which everything that is judged is a sum, a minimum or a maximum over rows."""


def together(kept: Sequence[Kept]) -> Partial:
    """The counts of all of them, frame by frame, so that no two copies of one are in memory.

    Raises:
        ResultError: a file is damaged or missing.
    """
    if not kept:
        return Partial.zero()
    none = Distinct()
    firsts = [one.first_us for one in kept if one.first_us is not None]
    lasts = [one.last_us for one in kept if one.last_us is not None]
    return Partial(
        {name: _frame(kept, name, spec) for name, spec in FRAMES.items()},
        none.merge(*store.distinct(kept, "sessions")),
        none.merge(*store.distinct(kept, "users")),
        keep_exemplars(store.frames(kept, "exemplars")),
        min(firsts, default=None),
        max(lasts, default=None),
        none.merge(*store.distinct(kept, "prompts")),
    )


def _frame(kept: Sequence[Kept], name: str, spec: Spec) -> pl.DataFrame:
    pieces = store.frames(kept, name)
    if name == "spend":
        return spend.thinned(pl.concat(pieces))
    if name == "chunks":
        # Which were retrieved most is all that is asked, and there may be any number of them.
        undated = pl.concat([piece.select("chunk", "retrievals") for piece in pieces])
        found = undated.group_by("chunk").agg(pl.col("retrievals").sum())
        return found.with_columns(day=pl.lit(None, dtype=pl.Int64)).select(list(spec.schema))
    if name == "histograms":
        return pl.concat(pieces)  # `Distributions` sums what it is asked for
    if name not in _SUMMED:
        return spec.combine(pieces)
    return pl.concat(pieces) if _are_apart(pieces, spec) else spec.grouped(pieces)


def _are_apart(pieces: Sequence[pl.DataFrame], spec: Spec) -> bool:
    """Whether no two pieces can have a row of one key: each is of a time of its own."""
    (time,) = (key for key in spec.numbers if key in _TIMES)
    filled = [piece[time] for piece in pieces if piece.height]
    if sum(times.null_count() > 0 for times in filled) > 1:
        return False
    known = [times.drop_nulls().to_numpy() for times in filled if times.null_count() < len(times)]
    spans = sorted((int(times.min()), int(times.max())) for times in known)
    return all(before[1] < after[0] for before, after in pairwise(spans))
