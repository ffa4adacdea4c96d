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
    try:
        rows = pl.DataFrame(
            {
                "at": sums.stratum, "start": sums.hour, "good": sums.good, "total": sums.total,
                "sum": sums.sum, "buckets": sums.buckets,
            },
            schema=dict.fromkeys(("at", "start", "good", "total", "sum"), pl.Int64)
            | {"buckets": pl.String},
        ).with_row_index("row")  # fmt: skip
        pair = pl.col("pair").str.extract_groups(r"^(?<bucket>-?\d+):(?<count>\d+)$")
        found = (
            rows.with_columns(pair=pl.col("buckets").str.split(" "))
            .explode("pair")
            .with_columns(pair.struct.unnest().cast(pl.Int64))
            .with_columns(
                bucket=pl.when(pl.col("buckets") == "").then(NO_BUCKET).otherwise("bucket"),
                count=pl.when(pl.col("buckets") == "").then("total").otherwise("count"),
            )
        )
    except (pl.exceptions.PolarsError, OverflowError, TypeError) as error:
        raise ValueError(sums.objective) from error
    counted = found.group_by("row", maintain_order=True).agg(pl.col("count").sum())["count"]
    texts = pl.DataFrame(
        sums.strata, schema={"model": pl.String, "operation": pl.String}, orient="row"
    )
    if (
        found["bucket"].null_count()
        or not (found["count"] > 0).all()
        or not (counted == rows["total"]).all()
        or not rows["good"].is_between(0, rows["total"]).all()
        or not rows["at"].is_between(0, texts.height - 1).all()
    ):
        raise ValueError(sums.objective)
    # What is not told by bucket stands in the first row: it is only ever summed up.
    first = pl.col("row") != pl.col("row").shift(fill_value=rows.height)
    once = (pl.when(first).then(name).otherwise(0).alias(name) for name in ("good", "sum"))
    mixes = texts[found["at"]]
    return found.with_columns(*once, *mixes, total=pl.col("count")).select(
        *_KEYS, "bucket", "good", "total", "sum"
    )


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
