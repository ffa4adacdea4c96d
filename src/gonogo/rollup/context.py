"""The rows of one block that count, with everything derived from them that several counts need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.conventions import DIMENSIONS
from gonogo.records import MISSING, NO, NO_REQUEST, YES, Block, Outputs
from gonogo.rollup.counting import Groups, Ints, group
from gonogo.rollup.select import Calendar, bin_numbers

MAX_RATE = 10**12
Mask = NDArray[np.bool_]


@dataclass(slots=True)
class Child:
    """A child table: its columns as arrays, and the line that each row belongs to."""

    columns: dict[str, NDArray[Any]]
    row: Ints

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    @property
    def height(self) -> int:
        return len(self.row)


@dataclass(slots=True)
class Context:
    """Arrays over the taken lines of a block. Times by index: `bins`, `hours`, `days` (starts)."""

    columns: dict[str, NDArray[Any]]
    height: int
    bin: Ints
    bins: list[int | None]
    hour: Ints
    hours: list[int | None]
    day: Ints
    days: list[int | None]
    combo: Groups
    retrievals: Child
    chunks: Child
    tool_calls: Child
    guardrails: Child
    actions: Child
    evaluations: Child
    ids: pl.DataFrame | None
    row_in_block: Ints
    outputs: Outputs | None = None

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    # Populations, as records.md defines them.

    @property
    def calls(self) -> Mask:
        return self.columns["is_call"].astype(bool)

    @property
    def latency_eligible(self) -> Mask:
        direct: Mask = (self["cache_hit"] != YES) & ~self["is_embedding"].astype(bool)
        return self.calls & direct

    @property
    def latency(self) -> Mask:
        timed: Mask = self["duration_us"] != MISSING
        return self.latency_eligible & timed

    @property
    def ttft(self) -> Mask:
        timed: Mask = (self["cache_hit"] != YES) & (self["ttft_us"] != MISSING)
        return self.calls & timed

    @property
    def ttft_eligible(self) -> Mask:
        streamed: Mask = (
            (self["streamed"] != NO)
            & (self["failed"] != YES)
            & (self["cache_hit"] != YES)
            & ~self["is_embedding"].astype(bool)
        )
        return self.ttft | (self.calls & streamed)

    @property
    def request_us(self) -> Ints:
        """Duration of the request that a line stands for, its root span; MISSING on all others."""
        found = self.columns.get("request_us")
        return np.full(self.height, MISSING, dtype=np.int64) if found is None else found

    @property
    def request_failed(self) -> NDArray[np.uint8]:
        """NO, YES or UNKNOWN_FLAG for the request that a line stands for; NO_REQUEST otherwise."""
        found = self.columns.get("request_failed")
        return np.full(self.height, NO_REQUEST, dtype=np.uint8) if found is None else found

    @property
    def token_rate(self) -> Mask:
        usable: Mask = (
            (self["failed"] != YES) & (self["output_tokens"] > 0) & (self["duration_us"] > 0)
        )
        return self.latency & usable

    def token_rates(self, where: Mask) -> Ints:
        """Output tokens per second in thousandths, rounded down."""
        tokens = np.minimum(self["output_tokens"][where], 9 * 10**9)
        rates: Ints = np.minimum(tokens * 10**9 // self["duration_us"][where], MAX_RATE)
        return rates


def context(block: Block, taken: Mask, calendar: Calendar) -> Context:
    """The taken rows of a block."""
    lines, children = (
        block.lines,
        {
            "retrievals": block.retrievals,
            "chunks": block.chunks,
            "tool_calls": block.tool_calls,
            "guardrails": block.guardrails,
            "actions": block.actions,
            "evaluations": block.evaluations,
        },
    )
    ids, outputs = block.ids, block.outputs
    rows = np.flatnonzero(taken)
    if len(rows) < len(taken):
        mask = pl.Series(taken)
        lines = lines.filter(mask)
        ids = ids.filter(mask) if ids is not None else None
        place = np.cumsum(taken) - 1
        for name, frame in children.items():
            children[name] = _moved(frame, taken, place)
        if outputs is not None:
            outputs = Outputs(outputs.state[taken], _moved(outputs.violations, taken, place))
    columns = {name: lines[name].to_numpy() for name in lines.columns}
    index, starts, untimed = bin_numbers(columns["start_us"])
    bins: list[int | None] = list(starts)
    hour, hours, day, days = _calendar(index, starts, untimed, calendar)
    if untimed:
        bins[0] = None
    combo = group([columns[name] for name in DIMENSIONS])
    return Context(
        columns,
        lines.height,
        index,
        bins,
        hour,
        hours,
        day,
        days,
        combo,
        _child(children["retrievals"]),
        _child(children["chunks"]),
        _child(children["tool_calls"]),
        _child(children["guardrails"]),
        _child(children["actions"]),
        _child(children["evaluations"]),
        ids,
        rows,
        outputs,
    )


def _moved(frame: pl.DataFrame, taken: Mask, place: Ints) -> pl.DataFrame:
    """The rows of a child table whose line is taken, pointing at where it is now."""
    parent = frame["row"].to_numpy()
    kept = taken[parent]
    moved = place[parent[kept]].astype(np.uint32)
    return frame.filter(pl.Series(kept)).with_columns(pl.Series("row", moved))


def _child(frame: pl.DataFrame) -> Child:
    columns = {name: frame[name].to_numpy() for name in frame.columns}
    return Child(columns, columns["row"].astype(np.int64))


def _calendar(
    index: Ints, starts: list[int], untimed: bool, calendar: Calendar
) -> tuple[Ints, list[int | None], Ints, list[int | None]]:
    out: list[object] = []
    for found in calendar.hours_and_days(starts):
        of_bin = found
        if untimed:
            of_bin = found.copy()
            of_bin[0] = -1
        unique, inverse = np.unique(of_bin, return_inverse=True)
        values: list[int | None] = [None if v == -1 and untimed else v for v in unique.tolist()]
        out += [inverse[index], values]
    return tuple(out)  # type: ignore[return-value]  # hours and days, two items each
