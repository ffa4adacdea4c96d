"""What a request costs: the calls of one trace together, whichever blocks they stand in.

Up to EXACT_UP_TO requests are held one by one. Beyond that a sample of whole requests is: those
whose hash begins with `level` zero bits, each standing for 2**level of them. The level depends on
the set of requests alone, so threads and the order of blocks change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from gonogo.config.model import Objective
from gonogo.conventions import BIN_SECONDS
from gonogo.records import MISSING, NO_ERROR_CLASS, NO_TIME
from gonogo.rollup.context import Context, Mask
from gonogo.rollup.counting import Ints
from gonogo.rollup.histograms import cells
from gonogo.rollup.objectives import within
from gonogo.rollup.partial import EXEMPLARS_KEPT
from gonogo.stats.hashing import sampled
from gonogo.stats.histogram import bucket_of

EXACT_UP_TO: Final = 1 << 17
DEAREST: Final = "dearest_request"
METRIC: Final = "request_cost"
_ROW_BITS: Final = 32
_LATEST: Final = 2**62
"""Stands for the start of a call without a time, so that it is never the earliest one."""
_AGGREGATES: Final = (
    pl.col("calls", "known", "cost").sum(),
    pl.col("start", "place").min(),
)
_SCHEMA: Final = {
    "request": pl.UInt64,
    "calls": pl.Int64,
    "known": pl.Int64,
    "cost": pl.Int64,
    "start": pl.Int64,
    "place": pl.Int64,
}


@dataclass(slots=True)
class Requests:
    """The requests of a run so far; `add` and `finish` are called by one thread at a time."""

    limit: int = EXACT_UP_TO
    level: int = 0
    _frames: list[pl.DataFrame] = field(default_factory=list)
    _rows: int = 0

    def add(self, found: pl.DataFrame) -> None:
        """Take the requests of one block, as `of_block` gives them."""
        self._frames.append(found)
        self._rows += found.height
        if self._rows > 2 * self.limit:
            self._compact()

    def _compact(self) -> None:
        every = pl.concat([pl.DataFrame(schema=_SCHEMA), *self._frames])
        every = every.group_by("request").agg(*_AGGREGATES)
        every = every.filter(pl.Series(sampled(every["request"].to_numpy(), self.level)))
        while every.height > self.limit:
            self.level += 1
            every = every.filter(pl.Series(sampled(every["request"].to_numpy(), self.level)))
        self._frames, self._rows = [every], every.height

    def state(self) -> tuple[pl.DataFrame, int]:
        """(what was added, its level): what `of` goes on from."""
        self._compact()
        return self._frames[0], self.level

    @staticmethod
    def of(states: Sequence[tuple[pl.DataFrame, int]]) -> Requests:
        """All of several states; no request may be in two of them with the same call."""
        found = Requests(level=max((level for _, level in states), default=0))
        for frame, _ in states:
            found.add(frame)
        return found

    def finish(self) -> Summed:
        """The sums of all that was added."""
        self._compact()
        (every,) = self._frames
        whole = every.filter(pl.col("known") == pl.col("calls")).sort("request")
        return Summed(every, whole, 1 << self.level)


@dataclass(frozen=True, slots=True)
class Summed:
    """Requests with the cost of each of their calls known; `weight` is what each stands for."""

    every: pl.DataFrame
    whole: pl.DataFrame
    weight: int

    @property
    def kept(self) -> int:
        """How many requests are held one by one."""
        return self.every.height

    def counters(self) -> Mapping[str, int]:
        """Counts and sums; `requests.kept` is how many requests they rest on."""
        if not self.kept:
            return {}
        return {
            "requests.kept": self.kept,
            "requests.all": self.kept * self.weight,
            "requests.known": self.whole.height * self.weight,
            "requests.calls": int(self.whole["calls"].sum()) * self.weight,
            "requests.cost": int(self.whole["cost"].sum()) * self.weight,
        }

    def distribution(self) -> Mapping[str, pl.DataFrame]:
        """What requests cost: columns for the frames of histograms and of extremes."""
        found = _cells(self.whole["cost"].to_numpy())
        if "histograms" in found:
            weighted = found["histograms"].with_columns(pl.col("count") * self.weight)
            found["histograms"] = weighted
        return found

    def whichever(self) -> pl.DataFrame:
        """The dearest at each level that more requests may lead to, once each."""
        frames, whole, level = [], self.whole, self.weight.bit_length() - 1
        while True:
            frames.append(Summed(self.every, whole, self.weight).dearest())
            if whole.height <= EXEMPLARS_KEPT[DEAREST]:
                return pl.concat(frames).unique(maintain_order=True)
            level += 1
            whole = whole.filter(pl.Series(sampled(whole["request"].to_numpy(), level)))

    def dearest(self) -> pl.DataFrame:
        """Candidates for exemplars, in the shape of `exemplars.candidates`."""
        paid = self.whole.filter(pl.col("cost") > 0)
        top = paid.sort("cost", "request", descending=[True, False]).head(EXEMPLARS_KEPT[DEAREST])
        number = top.height
        nothing = np.zeros(number, dtype=np.int64)
        return pl.DataFrame(
            {
                "kind": pl.Series([DEAREST], dtype=pl.String).new_from_index(0, number),
                "score": top["cost"],
                "tie": top["request"],
                "part": top["place"] // 2**_ROW_BITS,
                "row": top["place"] % 2**_ROW_BITS,
                "start_us": top["start"].replace(_LATEST, NO_TIME),
                "model": nothing,
                "operation": nothing,
                "release": nothing,
                "duration_us": nothing + MISSING,
                "cost_nano_usd": top["cost"],
                "error_class": nothing + NO_ERROR_CLASS,
                "calls": top["calls"],
            }
        )


def judged(found: Summed, objective: Objective, number: int) -> dict[str, pl.DataFrame]:
    """The counts of an objective on the cost of requests, each in the bin of its first call.

    The requests that are held are the events: a sample is not blown up to what it stands for.
    """
    start = (
        pl.when(pl.col("start") != _LATEST)
        .then(pl.col("start") // (BIN_SECONDS * 1_000_000) * BIN_SECONDS)
        .alias("bin")
    )
    events = found.every.with_columns(start, whole=pl.col("known") == pl.col("calls"))
    good = within(events["cost"].to_numpy(), objective)
    if objective.is_mean:
        good = np.zeros(events.height, dtype=bool)
    counted = events.with_columns(good=pl.Series(good) & events["whole"]).group_by("bin")
    bins = counted.agg(
        pl.col("good").sum(),
        total=pl.col("whole").sum(),
        sum=pl.col("cost").filter("whole").sum(),
        eligible=pl.len(),
    ).with_columns(objective=pl.lit(number))
    return {"objectives": bins, **_cells(found.whole["cost"].to_numpy())}


def _cells(values: Ints) -> dict[str, pl.DataFrame]:
    """The histogram of some costs and its ends; nothing of none."""
    if not len(values):
        return {}
    buckets = bucket_of(values)
    first, last = int(buckets.min()), int(buckets.max())
    found = cells(np.zeros(len(values), np.int64), values, buckets, first, last - first + 1)
    return {
        "histograms": pl.DataFrame({"bucket": found.bucket, "count": found.count}),
        "extremes": pl.DataFrame({"min": found.low, "max": found.high}),
    }


def of_block(ctx: Context, part: int, level: int, lines: Mask | None = None) -> pl.DataFrame:
    """The requests of one block: its calls by trace; calls without a trace are in none.

    Of `lines` alone, where they are given.
    """
    taken = ctx.calls & (ctx["request_hash"] != 0)
    if lines is not None:
        taken &= lines
    if level:
        taken &= sampled(ctx["request_hash"], level)
    rows = np.flatnonzero(taken)
    cost, start = ctx["cost_nano_usd"][rows], ctx["start_us"][rows]
    known = cost != MISSING
    columns: dict[str, Any] = {
        "request": ctx["request_hash"][rows],
        "calls": np.ones(len(rows), dtype=np.int64),
        "known": known.astype(np.int64),
        "cost": np.where(known, cost, 0),
        "start": np.where(start == NO_TIME, _LATEST, start),
        "place": part * 2**_ROW_BITS + ctx.row_in_block[rows],
    }
    return pl.DataFrame(columns, schema=_SCHEMA).group_by("request").agg(*_AGGREGATES)
