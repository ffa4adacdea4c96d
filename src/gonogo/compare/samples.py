"""From the counts of a rollup, or of a saved result, to the cells that a comparison draws from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from gonogo.config.model import Objective
from gonogo.results import BlockSums
from gonogo.rollup.blocks import ALL, COARSE, NO_BUCKET
from gonogo.rollup.partial import Partial
from gonogo.stats.differences import Cells

_KEYS = ("start", "model", "operation")


def block_sums(partial: Partial, objectives: Sequence[Objective]) -> tuple[BlockSums, ...]:
    """What a later period is compared with: the events of each objective by hour and mix."""
    every = partial.frames["blocks"].filter(pl.col("side") == ALL)
    found = []
    for number, objective in enumerate(objectives):
        rows = every.filter(pl.col("objective") == str(number))
        if not rows.height:
            continue
        valued = rows["bucket"].max() != NO_BUCKET
        pair = pl.concat_str("bucket", pl.lit(":"), "total")
        # Sorted first: a group keeps the order of its rows.
        summed = (
            rows.sort("bucket")
            .group_by(_KEYS, maintain_order=True)
            .agg(pl.col("good", "total", "sum").sum(), buckets=pair.str.join(" "))
            .sort(_KEYS, nulls_last=True)
        )
        mixes = list(zip(summed["model"], summed["operation"], strict=True))
        strata = tuple(sorted(set(mixes), key=_order))
        number_of = {mix: i for i, mix in enumerate(strata)}
        found.append(
            BlockSums(
                objective=objective.id,
                strata=strata,
                stratum=tuple(number_of[mix] for mix in mixes),
                hour=tuple(summed["start"]),
                good=tuple(summed["good"]),
                total=tuple(summed["total"]),
                sum=tuple(summed["sum"]),
                buckets=tuple(summed["buckets"]) if valued else ("",) * summed.height,
            )
        )
    return tuple(found)


def _order(mix: tuple[str | None, str | None]) -> tuple[tuple[bool, str], ...]:
    return tuple((text is None, text or "") for text in mix)


def of_side(partial: Partial, number: int, side: int) -> pl.DataFrame:
    """Rows of one objective and side; its values keep every bucket where it is not all calls."""
    chosen = (pl.col("objective") == str(number)) & (pl.col("side") == str(side))
    return partial.frames["blocks"].filter(chosen)


def of_sums(sums: BlockSums) -> pl.DataFrame:
    """The rows again, of which `sums` was made.

    Raises:
        ValueError: the lists contradict each other.
    """
    rows: dict[str, list[object]] = {
        name: [] for name in (*_KEYS, "bucket", "good", "total", "sum")
    }
    columns = (sums.stratum, sums.hour, sums.good, sums.total, sums.sum, sums.buckets)
    for at, hour, good, total, value, buckets in zip(*columns, strict=True):
        if not 0 <= at < len(sums.strata) or not 0 <= good <= total:
            raise ValueError(sums.objective)
        pairs = [tuple(map(int, p.split(":"))) for p in buckets.split()] or [(NO_BUCKET, total)]
        if sum(count for _, count in pairs) != total or any(count <= 0 for _, count in pairs):
            raise ValueError(sums.objective)
        for i, (bucket, count) in enumerate(pairs):
            model, operation = sums.strata[at]
            # What is not told by bucket stands in the first row: it is only ever summed up.
            cells = (hour, model, operation, bucket, 0 if i else good, count, 0 if i else value)
            for name, cell in zip(rows, cells, strict=True):
                rows[name].append(cell)
    texts = dict.fromkeys(("model", "operation"), pl.String)
    return pl.DataFrame(rows, schema={name: texts.get(name, pl.Int64) for name in rows})


def cells(
    new: pl.DataFrame, old: pl.DataFrame, objective: Objective, mix: Sequence[str], *, coarse: bool
) -> tuple[Cells, Cells, int]:
    """Both sides with strata in common, which `mix` names the columns of; and how many there are.

    The count is of what the indicator counts: bad events, or good ones for a hit rate.
    """
    keys = pl.concat([new.select(mix), old.select(mix)]).unique() if mix else pl.DataFrame()
    table = keys.sort(mix, nulls_last=True).with_row_index("stratum") if mix else None
    made = []
    for rows in (new, old):
        if table is None:
            numbered = rows.with_columns(stratum=pl.lit(0))
        else:
            numbered = rows.join(
                table, on=list(mix), how="left", nulls_equal=True, maintain_order="left"
            )
        good, total = numbered["good"].to_numpy(), numbered["total"].to_numpy()
        made.append(
            Cells(
                start=numbered["start"].fill_null(-1).to_numpy().astype(np.int64),
                stratum=numbered["stratum"].to_numpy().astype(np.int64),
                bucket=numbered["bucket"].to_numpy().astype(np.int64),
                count=total - good if objective.spec.bad_is_counted else good,
                total=total,
                sum=numbered["sum"].to_numpy(),
                width=COARSE if coarse else 1,
            )
        )
    return made[0], made[1], 1 if table is None else max(1, table.height)
