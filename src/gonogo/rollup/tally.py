"""What the counts of a block are made with: frames, keys, histograms."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.conventions import DIMENSIONS
from gonogo.records import (
    MISSING,
    Dictionaries,
)
from gonogo.rollup import watched
from gonogo.rollup.blocks import NOTHING, Contrasts
from gonogo.rollup.context import Child, Context
from gonogo.rollup.costs import Pricing
from gonogo.rollup.counting import Groups, Ints, group
from gonogo.rollup.histograms import by_scopes
from gonogo.rollup.partial import FRAMES
from gonogo.rollup.watched import Watched

METRICS: Final = (
    "latency_ok",
    "latency_failed",
    "ttft",
    "tps",
    "cost",
    "input_tokens",
    "retrieval_latency",
    "tool_latency",
    "guardrail_latency",
    "objective",
    "request_cost",
    "request_latency",
)
SCOPES: Final = ("", *DIMENSIONS, "index", "tool", "guardrail", "objective")
PAIR_FACTOR: Final = 2**31

Column = NDArray[Any]


class Tally:
    """The frames of one block in the making; text columns hold codes."""

    def __init__(
        self,
        ctx: Context,
        dictionaries: Dictionaries,
        pricing: Pricing | None = None,
        contrast: Contrasts = NOTHING,
        watch: Watched | None = None,
    ) -> None:
        self.ctx, self.dictionaries = ctx, dictionaries
        self.pricing = pricing
        self.sides = [side.members(ctx, dictionaries) for side in contrast.sides]
        self.extra = contrast.extra
        self.watch = watch or Watched()
        self.broken: list[watched.Broken] = []
        self.frames: dict[str, list[pl.DataFrame]] = {name: [] for name in FRAMES}

    def _put(self, name: str, columns: dict[str, Any]) -> None:
        spec = FRAMES[name]
        schema = dict.fromkeys((*spec.texts, *spec.schema), pl.Int64)
        self.frames[name].append(
            pl.DataFrame(
                {c: columns[c] for c in spec.schema}, schema={c: schema[c] for c in spec.schema}
            )
        )

    def _dimensions(self, combos: Ints) -> dict[str, Any]:
        return {name: self.ctx.combo.keys[k][combos] for k, name in enumerate(DIMENSIONS)}

    def _child_groups(self, child: Child, keys: list[Ints]) -> tuple[Groups, dict[str, Any]]:
        ctx = self.ctx
        groups = group([ctx.hour[child.row], ctx.combo.index[child.row], *keys])
        return groups, {
            "hour": starts_of(ctx.hours, groups.keys[0]),
            **self._dimensions(groups.keys[1]),
        }

    def _child_histogram(
        self, metric: str, child: Child, scope: str, codes: Ints, texts: Ints | None = None
    ) -> None:
        """Cells per day and code; `texts` are the codes to store where `codes` only number them."""
        timed = child["duration_us"] != MISSING
        values, own = child["duration_us"][timed], codes[timed].astype(np.int64)
        if len(values):
            card = int(own.max()) + 1
            days = self.ctx.day[child.row[timed]]
            for _, found in by_scopes(values, [(scope, days * card + own)]):
                self._cells(metric, scope, found, self.ctx.days, card, texts)

    def _cells(
        self,
        metric: str,
        name: str,
        found: Any,
        starts: list[int | None],
        card: int | None,
        texts: Ints | None = None,
    ) -> None:
        def keys(groups: Ints) -> dict[str, Any]:
            start, code = (
                (groups, np.zeros_like(groups)) if card is None else np.divmod(groups, card)
            )
            return {
                "metric": np.full(len(groups), METRICS.index(metric)),
                "dimension": np.full(len(groups), SCOPES.index(name)),
                "value": texts[code] if texts is not None else code,
                "start": starts_of(starts, start),
            }

        self._put("histograms", {**keys(found.group), "bucket": found.bucket, "count": found.count})
        self._put("extremes", {**keys(found.groups), "min": found.low, "max": found.high})


def starts_of(starts: list[int | None], index: Ints) -> pl.Series:
    """The start of the bin, hour or day (epoch seconds) that each index stands for."""
    return pl.Series(starts, dtype=pl.Int64)[pl.Series(index)]
