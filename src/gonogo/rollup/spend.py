"""What sessions and users cost, each over all of its calls, whichever blocks and files they are in.

Sums by a hash of the id. Up to `KEPT` of a kind are held one by one; beyond that a sample of whole
ones is: those whose hash, mixed, begins with `level` zero bits. The level depends on the set of ids
alone, so blocks, threads, files and machines may be put together in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from gonogo.records import MISSING
from gonogo.rollup.context import Context
from gonogo.rollup.counting import largest
from gonogo.stats.hashing import sampled

KEPT: Final = 1 << 15
KINDS: Final = ("session", "user")
SUMS: Final = ("calls", "known", "cost")
KEYS: Final = ("kind", "who", "level")


def of_block(ctx: Context) -> pl.DataFrame:
    """The sums of one block; calls without the id are in none."""
    parts = []
    for kind, name in enumerate(KINDS):
        ids = ctx[f"{name}_hash"]
        rows = np.flatnonzero(ctx.calls & (ids != 0))
        cost = ctx["cost_nano_usd"][rows]
        frame = pl.DataFrame(
            {
                "who": ids[rows].view(np.int64),
                "known": (cost != MISSING).astype(np.int64),
                "cost": np.where(cost != MISSING, cost, 0),
            }
        )
        summed = frame.group_by("who").agg(
            pl.len().cast(pl.Int64).alias("calls"), pl.col("known", "cost").sum()
        )
        keys = {"kind": kind, "level": 0}
        named = summed.with_columns(pl.lit(v, dtype=pl.Int64).alias(k) for k, v in keys.items())
        parts.append(named.select(*KEYS, *SUMS))
    return pl.concat(parts)


def thinned(frame: pl.DataFrame, most: int = KEPT) -> pl.DataFrame:
    """One row for each kind and id, of the ids that stay; columns KEYS and SUMS, int64."""
    parts = [frame.clear()]
    for kind in range(len(KINDS)):
        rows = frame.filter(pl.col("kind") == kind)
        if not rows.height:
            continue
        level = largest(rows["level"])
        rows = _at(rows, level).group_by("kind", "who").agg(pl.col(SUMS).sum())
        while rows.height > most:
            level += 1
            rows = _at(rows, level)
        parts.append(rows.with_columns(level=pl.lit(level, dtype=pl.Int64)).select(frame.columns))
    return pl.concat(parts).sort("kind", "who")


def _at(rows: pl.DataFrame, level: int) -> pl.DataFrame:
    who = rows["who"].to_numpy().view(np.uint64)
    return rows.filter(pl.Series(sampled(who, level)))


def of_kind(frame: pl.DataFrame, kind: str) -> Mapping[str, int] | None:
    """Percentiles of what one session or user costs, of those whose every call has a known cost.

    Nearest rank, in nano-dollars: p50, p95, p99, and `max`, which a sample does not have; `held` is
    how many they rest on, `weight` how many each stands for. None where there are none.
    """
    rows = frame.filter(pl.col("kind") == KINDS.index(kind))
    costs = rows.filter(pl.col("known") == pl.col("calls"))["cost"].sort()
    if not len(costs):
        return None
    level = int(rows["level"][0])
    found = {f"p{p}": int(costs[-(-p * len(costs) // 100) - 1]) for p in (50, 95, 99)}
    found |= {"held": len(costs), "weight": 1 << level}
    return found if level else {**found, "max": int(costs[-1])}
