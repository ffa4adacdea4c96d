"""Views of a partial that the tables are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isqrt
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.conventions import DIMENSIONS, ErrorClass
from gonogo.measures.columns import QUANTILES
from gonogo.measures.runs import heads
from gonogo.records import NO, UNKNOWN_FLAG, YES
from gonogo.rollup.partial import CALL_SUMS, CHECKED_SUMS, Partial
from gonogo.rollup.select import Calendar
from gonogo.stats.histogram import Histogram

Row = dict[str, Any]
Ints = NDArray[np.int64]
_EMPTY = Histogram(np.empty(0, np.int64), np.empty(0, np.int64), None, None)
_LATENCY = ("n", "sum", "sq_high", "sq_low")
DISTRIBUTIONS = {
    "latency": ("latency_ok", "latency_failed"),
    "latency_ok": ("latency_ok",),
    "ttft": ("ttft",),
    "tps": ("tps",),
}
REQUESTS = "request_latency"


def _wide(calls: pl.DataFrame) -> pl.DataFrame:
    """Sums of calls with outcome columns in place of the `failed` key."""
    failed = pl.col("failed")
    return calls.with_columns(
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


@dataclass(frozen=True, slots=True)
class Sums:
    """What tables are summed from, all by the same columns.

    A partial is gone through once for each of two such views, of some thousand rows each, instead
    of once a table.
    """

    calls: pl.DataFrame
    errors: pl.DataFrame
    retrievals: pl.DataFrame
    tools: pl.DataFrame
    checked: pl.DataFrame

    @staticmethod
    def by_mix(partial: Partial) -> Sums:
        """Over all times, by every combination of DIMENSIONS."""
        return _sums(partial, partial.frames["calls"], DIMENSIONS, DIMENSIONS)

    @staticmethod
    def by_hour(partial: Partial, calendar: Calendar) -> Sums:
        """By `hour` and `day`; the calls by `model` too. Null where there is no time."""
        calls = partial.frames["calls"]
        bins = calls["bin"].unique().drop_nulls().sort()
        hours, days = calendar.hours_and_days(bins.to_list())
        hour_of = pl.DataFrame({"bin": bins, "hour": hours})
        day_of = pl.DataFrame({"hour": hours, "day": days}).unique()
        hour = calls.select("bin").join(hour_of, on="bin", how="left", maintain_order="left")
        timed = calls.with_columns(hour["hour"])
        found = _sums(partial, timed, ("hour", "model"), ("hour",))
        return replace(found, calls=found.calls.join(day_of, on="hour", how="left"))

    def children(self) -> dict[str, pl.DataFrame]:
        """All but the calls, by the names of their fields."""
        names = ("errors", "retrievals", "tools", "checked")
        return {name: getattr(self, name) for name in names}


def _sums(partial: Partial, calls: pl.DataFrame, by: Sequence[str], child: Sequence[str]) -> Sums:
    def summed(frame: str, columns: Mapping[str, str], *more: str) -> pl.DataFrame:
        rows = partial.frames[frame].group_by(*child, *more)
        return rows.agg(pl.col(old).sum().alias(new) for old, new in columns.items())

    return Sums(
        _wide(calls.group_by(*by, "failed").agg(pl.col(CALL_SUMS).sum())),
        summed("errors", {"calls": "calls"}, "error_class"),
        summed("retrievals", RETRIEVAL_COLUMNS),
        summed("tool_calls", TOOL_COLUMNS),
        summed("checked", {name: name for name in CHECKED_SUMS}),
    )


@dataclass(slots=True)
class Distributions:
    """Histograms by metric and scope, summed over what is not asked for.

    Quick where the rows of a histogram stand together, as in a partial or several in a row: they
    are found, and added up once somebody asks.
    """

    partial: Partial
    _rows: dict[tuple[Any, ...], list[slice]] = field(init=False)
    _buckets: Ints = field(init=False)
    _counts: Ints = field(init=False)
    _extremes: dict[tuple[Any, ...], tuple[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        cells, extremes = self.partial.frames["histograms"], self.partial.frames["extremes"]
        valued = pl.col("dimension") != ""
        hour = pl.when(~valued).then("start")
        first = heads(cells, [pl.col("metric"), pl.col("dimension"), pl.col("value"), hour])
        keys = cells[first].select("metric", "dimension", pl.when(valued).then("value"), start=hour)
        ends = [*first.to_list(), cells.height]
        self._rows = {}
        for (metric, dimension, value, start), a, b in zip(
            keys.iter_rows(), ends, ends[1:], strict=False
        ):
            key = (metric, dimension, value if dimension else start)
            self._rows.setdefault(key, []).append(slice(a, b))
        self._buckets, self._counts = cells["bucket"].to_numpy(), cells["count"].to_numpy()
        by_value, by_hour = ["metric", "dimension", "value"], ["metric", "start"]
        outer = [pl.col("min").min(), pl.col("max").max()]
        of_value = extremes.filter(valued).group_by(by_value).agg(outer)
        of_hour = extremes.filter(~valued).group_by(by_hour).agg(outer)
        self._extremes = {(m, d, v): (low, high) for m, d, v, low, high in of_value.iter_rows()}
        self._extremes |= {(m, "", s): (low, high) for m, s, low, high in of_hour.iter_rows()}

    def get(self, metrics: Sequence[str], dimension: str, values: Sequence[Any]) -> Histogram:
        """The histogram of some metrics over some values of a dimension ("": hours)."""
        keys = [(m, dimension, v) for m in metrics for v in values]
        rows = [part for key in keys for part in self._rows.get(key, ())]
        if not rows:
            return _EMPTY
        sums = np.zeros(1 + max(int(self._buckets[part].max()) for part in rows), dtype=np.int64)
        for part in rows:
            np.add.at(sums, self._buckets[part], self._counts[part])
        buckets = np.flatnonzero(sums)
        ends = [self._extremes[k] for k in keys if k in self._extremes]
        return Histogram(buckets, sums[buckets], min(e[0] for e in ends), max(e[1] for e in ends))

    def values(self, metric: str, dimension: str) -> list[Any]:
        """The values of a dimension (or hours) that have a histogram."""
        return [k[2] for k in self._rows if k[:2] == (metric, dimension)]


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
    asked = [(percent, name) for percent, name in QUANTILES if name in wanted]
    found = histogram.quantiles([percent for percent, _ in asked], 100)
    return {
        f"{key}_{name}": None if value is None else round(value)
        for (_, name), value in zip(asked, found, strict=True)
    }


def _error_columns(errors: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Timeouts and rate limits by the columns of `by`."""
    kind = pl.col("error_class")
    return errors.group_by(by).agg(
        timeouts=pl.col("calls").filter(kind == ErrorClass.TIMEOUT).sum(),
        rate_limited=pl.col("calls").filter(kind == ErrorClass.RATE_LIMIT).sum(),
    )


def sums_by(sums: Sums, by: Sequence[str]) -> list[Row]:
    """All summed measures by some of the columns that the sums are by, sorted; of all by none."""
    keys = list(by) or ["all"]

    def keyed(frame: pl.DataFrame) -> pl.DataFrame:
        return frame if by else frame.with_columns(all=pl.lit(0))

    joined = keyed(sums.calls).group_by(keys).agg(pl.col(CALL_COLUMNS).sum())
    others = [
        keyed(frame).group_by(keys).agg(pl.col(columns).sum())
        for frame, columns in (
            (sums.retrievals, list(RETRIEVAL_COLUMNS.values())),
            (sums.tools, list(TOOL_COLUMNS.values())),
            (sums.checked, list(CHECKED_SUMS)),
        )
    ]
    for other in (_error_columns(keyed(sums.errors), keys), *others):
        joined = joined.join(other, on=keys, how="full", coalesce=True, nulls_equal=True)
    filled = joined.with_columns(pl.exclude(keys).fill_null(0))
    return filled.sort(keys, nulls_last=True).to_dicts()


def known(sums: Sums) -> list[str]:
    """Dimensions that have at least one known value, of sums by all of them."""
    frames = (sums.calls, sums.retrievals, sums.tools, sums.checked)
    every = pl.concat([frame.select(DIMENSIONS) for frame in frames])
    return [name for name in DIMENSIONS if every[name].null_count() < every.height]
