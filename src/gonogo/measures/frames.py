"""Views of a partial that the tables are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isqrt
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.conventions import DIMENSIONS, ErrorClass
from gonogo.measures.columns import QUANTILES
from gonogo.records import NO, UNKNOWN_FLAG, YES
from gonogo.rollup.partial import CALL_SUMS, CHECKED_SUMS, Partial
from gonogo.rollup.select import Calendar
from gonogo.stats.histogram import Histogram

Row = dict[str, Any]
_EMPTY = Histogram(np.empty(0, np.int64), np.empty(0, np.int64), None, None)
_LATENCY = ("n", "sum", "sq_high", "sq_low")
DISTRIBUTIONS = {
    "latency": ("latency_ok", "latency_failed"),
    "latency_ok": ("latency_ok",),
    "ttft": ("ttft",),
    "tps": ("tps",),
}
REQUESTS = "request_latency"


def wide_calls(partial: Partial, calendar: Calendar) -> pl.DataFrame:
    """The calls frame with outcome columns in place of its `failed` key, and its hour and day."""
    calls = partial.frames["calls"]
    failed = pl.col("failed")
    bins = calls["bin"].drop_nulls().unique().sort()
    hours, days = calendar.hours_and_days(bins.to_list())
    when = pl.DataFrame({"bin": bins, "hour": hours, "day": days})
    return calls.join(when, on="bin", how="left").with_columns(
        errors=pl.when(failed == YES).then("calls").otherwise(0),
        error_known=pl.when(failed != UNKNOWN_FLAG).then("calls").otherwise(0),
        **{
            f"latency_ok_{part}": pl.when(failed != YES).then(f"latency_{part}").otherwise(NO)
            for part in _LATENCY
        },
    )


CALL_COLUMNS = (*CALL_SUMS, "errors", "error_known", *(f"latency_ok_{part}" for part in _LATENCY))
RETRIEVAL_COLUMNS = {
    "retrievals": "retrievals",
    "known": "retrieval_known",
    "hits": "retrieval_hits",
    "chunks_known": "retrieval_chunks_known",
    "empty": "retrieval_empty",
    "failed": "retrieval_failed",
    "chunks": "retrieval_chunks",
}
TOOL_COLUMNS = {
    "calls": "tool_calls",
    "known": "tool_known",
    "errors": "tool_errors",
    "timeouts": "tool_timeouts",
    "args_known": "tool_args_known",
    "args_invalid": "tool_args_invalid",
    "fallback_known": "tool_fallback_known",
    "fallbacks": "tool_fallbacks",
    "latency_sum": "tool_sum",
}


CHILD_FRAMES = ("retrievals", "tool_calls", "checked")


Cells = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(buckets, ascending; counts)"""


def _cells_by(frame: pl.DataFrame, by: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], Cells]]:
    """The cells of each group, by its key."""
    if not frame.height:
        return
    groups = frame.sort("bucket").group_by(by).agg("bucket", "count")
    ends = np.cumsum(groups["bucket"].list.len().to_numpy())[:-1]
    columns = (np.split(groups[name].explode().to_numpy(), ends) for name in ("bucket", "count"))
    yield from zip(groups.select(by).iter_rows(), zip(*columns, strict=True), strict=True)


@dataclass(slots=True)
class Distributions:
    """Histograms by metric and scope, summed over what is not asked for."""

    partial: Partial
    _cells: dict[tuple[Any, ...], Cells] = field(init=False)
    _extremes: dict[tuple[Any, ...], tuple[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        cells, extremes = self.partial.frames["histograms"], self.partial.frames["extremes"]
        by_value, by_hour = ["metric", "dimension", "value"], ["metric", "start"]
        valued = pl.col("dimension") != ""
        summed = cells.filter(valued).group_by([*by_value, "bucket"]).agg(pl.col("count").sum())
        self._cells = dict(_cells_by(summed, by_value))
        for (metric, start), found in _cells_by(cells.filter(~valued), by_hour):
            self._cells[metric, "", start] = found
        ends = [pl.col("min").min(), pl.col("max").max()]
        of_value = extremes.filter(valued).group_by(by_value).agg(ends)
        of_hour = extremes.filter(~valued).group_by(by_hour).agg(ends)
        self._extremes = {(m, d, v): (low, high) for m, d, v, low, high in of_value.iter_rows()}
        self._extremes |= {(m, "", s): (low, high) for m, s, low, high in of_hour.iter_rows()}

    def get(self, metrics: Sequence[str], dimension: str, values: Sequence[Any]) -> Histogram:
        """The histogram of some metrics over some values of a dimension ("": hours)."""
        keys = [(m, dimension, v) for m in metrics for v in values]
        found = [self._cells[k] for k in keys if k in self._cells]
        if not found:
            return _EMPTY
        buckets, counts = found[0]
        if len(found) > 1:
            buckets, inverse = np.unique(np.concatenate([b for b, _ in found]), return_inverse=True)
            counts = np.zeros(len(buckets), dtype=np.int64)
            np.add.at(counts, inverse, np.concatenate([c for _, c in found]))
        ends = [self._extremes[k] for k in keys if k in self._extremes]
        return Histogram(buckets, counts, min(e[0] for e in ends), max(e[1] for e in ends))

    def values(self, metric: str, dimension: str) -> list[Any]:
        """The values of a dimension (or hours) that have a histogram."""
        return [k[2] for k in self._cells if k[:2] == (metric, dimension)]


def describe(key: str, histogram: Histogram, sums: Row) -> Row:
    """n, sum, min, max, sd and quantiles of a distribution under its table keys."""
    n = sums.get(f"{key}_n") or 0
    row: Row = {f"{key}_n": n, f"{key}_sum": sums.get(f"{key}_sum") if n else None}
    row |= {f"{key}_min": histogram.minimum, f"{key}_max": histogram.maximum, f"{key}_sd": None}
    row |= quantiles(key, histogram)
    if n:
        total = sums[f"{key}_sum"]
        squares = (sums[f"{key}_sq_high"] << 32) + sums[f"{key}_sq_low"]
        row[f"{key}_sd"] = isqrt(max(0, n * squares - total * total)) // n
    return row


def quantiles(
    key: str, histogram: Histogram, wanted: Sequence[str] = ("p50", "p90", "p95", "p99")
) -> Row:
    """Those of QUANTILES that are wanted, as `key`_p50, in the histogram's unit."""
    row: Row = {}
    for percent, name in QUANTILES:
        if name in wanted:
            found = histogram.quantile(percent, 100)
            row[f"{key}_{name}"] = None if found is None else round(found)
    return row


def error_columns(partial: Partial, by: Sequence[str]) -> pl.DataFrame:
    """Timeouts and rate limits by the columns of `by`."""
    kind = pl.col("error_class")
    return (
        partial.frames["errors"]
        .group_by(by)
        .agg(
            timeouts=pl.col("calls").filter(kind == ErrorClass.TIMEOUT).sum(),
            rate_limited=pl.col("calls").filter(kind == ErrorClass.RATE_LIMIT).sum(),
        )
    )


def sums_by(partial: Partial, calls: pl.DataFrame, by: Sequence[str]) -> list[Row]:
    """All summed measures by some of the dimensions, or by `hour` or `day`, sorted."""
    keys = list(by)
    base = calls.group_by(keys).agg(pl.col(c).sum() for c in CALL_COLUMNS)
    retrievals = (
        partial.frames["retrievals"]
        .group_by(keys)
        .agg(pl.col(old).sum().alias(new) for old, new in RETRIEVAL_COLUMNS.items())
    )
    tools = (
        partial.frames["tool_calls"]
        .group_by(keys)
        .agg(pl.col(old).sum().alias(new) for old, new in TOOL_COLUMNS.items())
    )
    checked = partial.frames["checked"].group_by(keys).agg(pl.col(c).sum() for c in CHECKED_SUMS)
    joined = base
    for other in (error_columns(partial, keys), retrievals, tools, checked):
        joined = joined.join(other, on=keys, how="full", coalesce=True, nulls_equal=True)
    filled = joined.with_columns(pl.exclude(keys).fill_null(0))
    return filled.sort(keys, nulls_last=True).to_dicts()


def unhoured(partial: Partial) -> list[str]:
    """Dimensions that have at least one known value."""
    frames = [partial.frames[n].select(DIMENSIONS) for n in ("calls", *CHILD_FRAMES)]
    every = pl.concat(frames)
    return [name for name in DIMENSIONS if every[name].null_count() < every.height]
