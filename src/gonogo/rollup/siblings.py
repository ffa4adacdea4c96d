"""The other lines of the traces of some calls, which is what gives their steps a place in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gonogo.records import YES
from gonogo.rollup.context import Context

REACH: Final = 600 * 10**6
"""Microseconds before and after a call within which lines of its trace are looked for."""
MOST: Final = 12
"""Lines told of one trace: the longest of them."""


Texts = Callable[[str], Sequence[str | None]]
"""The texts of a column of codes by code, by the name of the column."""
Call = tuple[int, int]
"""The hash of a call's trace, and when it began (epoch µs)."""


@dataclass(frozen=True, slots=True)
class Sibling:
    """A line of a trace: where it stands, when it began (epoch µs) and how long it took (µs)."""

    part: int
    row: int
    time: int
    duration: int
    operation: str | None
    model: str | None
    step: str
    """of a line that stands for one step (a tool span), the name of that"""
    failed: bool

    @property
    def rank(self) -> tuple[int, int, str, str, str, bool]:
        """Longest first, whatever files the lines came in."""
        names = (self.step, self.operation or "", self.model or "")
        return (-self.duration, self.time, *names, self.failed)


@dataclass(slots=True)
class Siblings:
    """Lines near some calls, collected while parts are read for something else.

    `seen` says which calls a part was looked at for; what it was read too early for, it has to be
    read again for at the end.
    """

    lines: dict[Call, list[Sibling]] = field(default_factory=dict)
    counts: Counter[Call] = field(default_factory=Counter)
    seen: dict[int, set[Call]] = field(default_factory=dict)

    def note(self, part: int, ctx: Context, texts: Texts, calls: Iterable[Call]) -> None:
        """Take the lines of the traces of `calls` from a part."""
        wanted = {call for call in calls if call[0]} - self.seen.get(part, set())
        self.seen.setdefault(part, set()).update(wanted)
        if not wanted:
            return
        start, times = ctx["start_us"], [time for _, time in wanted]
        near = np.flatnonzero((start >= min(times) - REACH) & (start <= max(times) + REACH))
        hashes = np.unique(np.array([trace for trace, _ in wanted], dtype=np.uint64))
        rows = near[np.isin(ctx["trace_hash"][near], hashes)]
        for call in wanted:
            mine = rows[
                (ctx["trace_hash"][rows] == np.uint64(call[0]))
                & (np.abs(start[rows] - call[1]) <= REACH)
            ]
            # One more than is told, since the call itself is among them.
            first = np.lexsort((start[mine], -ctx["duration_us"][mine]))[: MOST + 1]
            found = self.lines.setdefault(call, [])
            found += [_sibling(ctx, texts, row, part) for row in mine[first].tolist()]
            self.counts[call] += len(mine)

    def missing(
        self, call: Call, spans: Mapping[int, tuple[int, int]], parts: Iterable[int]
    ) -> list[int]:
        """Those of `parts` that may hold lines of a call's trace and were not looked at for it."""
        return [
            part
            for part in parts
            if call[0]
            and call not in self.seen.get(part, ())
            and part in spans
            and spans[part][0] <= call[1] + REACH
            and spans[part][1] >= call[1] - REACH
        ]

    def beside(self, call: Call, part: int, row: int) -> tuple[list[Sibling], int]:
        """The other lines of the trace of the call in that row by their start, and how many are
        left out."""
        others = [s for s in self.lines.get(call, ()) if (s.part, s.row) != (part, row)]
        kept = sorted(others, key=lambda s: s.rank)[:MOST]
        left = max(0, self.counts[call] - 1 - len(kept))
        return sorted(kept, key=lambda s: (s.time, s.rank)), left


def steps(ctx: Context, texts: Texts, line: int) -> tuple[tuple[str, int, bool], ...]:
    """(name, duration in µs or -1, failed) of what a line holds beside the call itself."""
    found = []
    for child, title, key, failed in (
        (ctx.guardrails, "guardrail", "name", "blocked"),
        (ctx.retrievals, "retrieval", "index_version", "failed"),
        (ctx.tool_calls, "tool", "tool", "failed"),
    ):
        for at in np.flatnonzero(child.row == line).tolist():
            label = texts(key)[int(child[key][at])]
            took = int(child["duration_us"][at])
            found.append((f"{title} {label}" if label else title, took, child[failed][at] == YES))
    return tuple((name, took, bool(bad)) for name, took, bad in found)


def _sibling(ctx: Context, texts: Texts, row: int, part: int) -> Sibling:
    inside = () if ctx["is_call"][row] else steps(ctx, texts, row)
    return Sibling(
        part=part,
        row=int(ctx.row_in_block[row]),
        time=int(ctx["start_us"][row]),
        duration=int(ctx["duration_us"][row]),
        operation=texts("operation")[int(ctx["operation"][row])],
        model=texts("model")[int(ctx["model"][row])],
        step=inside[0][0] if len(inside) == 1 else "",
        failed=bool(ctx["failed"][row] == YES) or any(bad for _, _, bad in inside),
    )
