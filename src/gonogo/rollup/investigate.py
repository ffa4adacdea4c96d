"""A second look at the records of an excursion: whom it touched, what stands out, what to open.

Only blocks whose times overlap an excursion are loaded again, and of them only the events inside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.config.model import Objective
from gonogo.conventions import DIMENSIONS, WIDE_DIMENSIONS
from gonogo.records import ERROR_CLASSES, MISSING, YES, Block, Dictionaries, Dictionary
from gonogo.rollup import costs
from gonogo.rollup.context import Context, context
from gonogo.rollup.costs import Pricing
from gonogo.rollup.counting import Ints
from gonogo.rollup.objectives import Judged, judge
from gonogo.rollup.select import Calendar, Selection, split
from gonogo.stats.hashing import mix

Loader = Callable[[], tuple[Block, NDArray[np.bool_]]]
_MICRO: Final = 1_000_000
_TYPICAL: Final = 5


@dataclass(frozen=True, slots=True)
class Window:
    """One excursion: of which objective, from when until when (epoch seconds, end excluded)."""

    objective: Objective
    start: int
    end: int


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """A call that may become an exemplar; `rank` orders those of a kind, smallest first."""

    rank: tuple[int, int]
    part: int
    row: int
    time: int
    trace: int
    duration: int
    model: str | None
    operation: str | None
    release: str | None
    error_class: str | None
    steps: tuple[tuple[str, int, bool], ...]
    """(name, duration in µs or -1, failed) of what the line holds beside the call itself"""


@dataclass(slots=True)
class Findings:
    """What was counted inside one window."""

    bad: Counter[tuple[str, str]] = field(default_factory=Counter)
    events: Counter[tuple[str, str]] = field(default_factory=Counter)
    all_bad: int = 0
    all_events: int = 0
    calls: int = 0
    sessions: set[int] = field(default_factory=set)
    users: set[int] = field(default_factory=set)
    tenants: set[str] = field(default_factory=set)
    without_session: int = 0
    without_user: int = 0
    cost: int = 0
    priced: int = 0
    good_cost: int = 0
    good_priced: int = 0
    worst: list[Candidate] = field(default_factory=list)
    typical: list[Candidate] = field(default_factory=list)
    control: list[Candidate] = field(default_factory=list)


def investigate(
    loaders: Iterable[Loader],
    spans: Mapping[int, tuple[int, int]],
    windows: Sequence[Window],
    selection: Selection,
    calendar: Calendar,
    dictionaries: Dictionaries,
    pricing: Pricing,
) -> list[Findings]:
    """Count the events of each window; `spans` says which parts hold what times (epoch µs)."""
    found = [Findings() for _ in windows]
    for part, load in enumerate(loaders):
        first, last = spans.get(part, (0, -1))
        here = [
            (window, findings)
            for window, findings in zip(windows, found, strict=True)
            if window.start * _MICRO <= last and first < window.end * _MICRO
        ]
        if not here:
            continue
        block, keep = load()
        parted = split(block.lines, keep, selection, dictionaries)
        ctx = context(block, parted.taken, calendar)
        if not ctx.height:
            continue
        if ctx.calls.any():
            costs.price(ctx, dictionaries, pricing)
        for window, findings in here:
            _look(window, findings, ctx, dictionaries, part)
    return found


def _look(
    window: Window, findings: Findings, ctx: Context, dictionaries: Dictionaries, part: int
) -> None:
    judged = judge(window.objective, ctx, dictionaries)
    start = ctx["start_us"][judged.row]
    inside = (start >= window.start * _MICRO) & (start < window.end * _MICRO)
    row, good = judged.row[inside], judged.good[inside]
    if not len(row):
        return
    findings.all_events += len(row)
    findings.all_bad += int((~good).sum())
    for name, texts, codes in _kinds(window.objective, judged, inside, ctx, dictionaries):
        for counter, which in ((findings.events, codes), (findings.bad, codes[~good])):
            numbers, counts = np.unique(which, return_counts=True)
            for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
                if (text := texts[number]) is not None:
                    counter[name, text] += count
    _affected(findings, ctx, dictionaries, row, good)
    values = None if judged.values is None else judged.values[inside]
    _candidates(findings, ctx, dictionaries, row, good, values, part, window.objective)


def _kinds(
    objective: Objective, judged: Judged, inside: Any, ctx: Context, dictionaries: Dictionaries
) -> Iterable[tuple[str, list[str | None], Ints]]:
    """(dimension, texts by code, code of each event) of everything an event may be told by."""
    row = judged.row[inside]
    for name in (*DIMENSIONS, *WIDE_DIMENSIONS):
        yield name, dictionaries.dimensions[name].texts(), ctx[name][row]
    if judged.child is None:
        return
    child = judged.child[inside]
    table, keys = {
        "retrievals": (ctx.retrievals, ("index_version", "embedding_model")),
        "tool_calls": (ctx.tool_calls, ("tool",)),
        "guardrail_checks": (ctx.guardrails, ("name", "stage")),
    }[objective.spec.table]
    own: dict[str, Dictionary] = {
        "index_version": dictionaries.index_version,
        "embedding_model": dictionaries.embedding_model,
        "tool": dictionaries.tool,
        "name": dictionaries.guardrail,
        "stage": dictionaries.stage,
    }
    for key in keys:
        yield key, own[key].texts(), table[key][child]


def _affected(
    findings: Findings, ctx: Context, dictionaries: Dictionaries, row: Ints, good: Any
) -> None:
    bad = np.unique(row[~good])
    fine = np.setdiff1d(row[good], bad)
    findings.calls += len(bad)
    session, user = ctx["session_hash"][bad], ctx["user_hash"][bad]
    findings.sessions.update(session[session != 0].tolist())
    findings.users.update(user[user != 0].tolist())
    findings.without_session += int((session == 0).sum())
    findings.without_user += int((user == 0).sum())
    texts = dictionaries.dimensions["tenant_id"].texts()
    tenants = {texts[code] for code in np.unique(ctx["tenant_id"][bad]).tolist()}
    findings.tenants.update(text for text in tenants if text is not None)
    for rows, is_bad in ((bad, True), (fine, False)):
        cost = ctx["cost_nano_usd"][rows]
        known = cost[(cost != MISSING) & ctx.calls[rows]]
        if is_bad:
            findings.cost += int(known.sum())
            findings.priced += len(known)
        else:
            findings.good_cost += int(known.sum())
            findings.good_priced += len(known)


def _candidates(
    findings: Findings,
    ctx: Context,
    dictionaries: Dictionaries,
    row: Ints,
    good: Any,
    values: Ints | None,
    part: int,
    objective: Objective,
) -> None:
    """The worst by value (by duration for a rate), typical bad ones and good ones by a hash."""
    size = ctx["duration_us"][row] if values is None else values
    if not objective.spec.good_is_low and values is not None:
        size = -size
    tie = (mix(mix(ctx["start_us"][row].view(np.uint64)) ^ size.view(np.uint64)) >> np.uint64(1)
           ).astype(np.int64)  # fmt: skip
    bad = np.flatnonzero(~good)
    fine = np.flatnonzero(good & (ctx["failed"][row] != YES))
    for kept, events, first, second in (
        (findings.worst, bad, -size[bad], tie[bad]),
        (findings.typical, bad, tie[bad], np.zeros_like(bad)),
        (findings.control, fine, tie[fine], np.zeros_like(fine)),
    ):
        for at in np.lexsort((events, second, first))[:_TYPICAL].tolist():
            rank = (int(first[at]), int(second[at]))
            kept.append(_candidate(ctx, dictionaries, int(row[events[at]]), rank, part))
        kept.sort()
        del kept[_TYPICAL:]


def _candidate(
    ctx: Context, dictionaries: Dictionaries, line: int, rank: tuple[int, int], part: int
) -> Candidate:
    def text(name: str) -> str | None:
        return dictionaries.dimensions[name].texts()[int(ctx[name][line])]

    number = int(ctx["error_class"][line])
    return Candidate(
        rank=rank,
        part=part,
        row=int(ctx.row_in_block[line]),
        time=int(ctx["start_us"][line]),
        trace=int(ctx["trace_hash"][line]),
        duration=int(ctx["duration_us"][line]),
        model=text("model"),
        operation=text("operation"),
        release=text("release"),
        error_class=str(ERROR_CLASSES[number]) if number < len(ERROR_CLASSES) else None,
        steps=_steps(ctx, dictionaries, line),
    )


def _steps(
    ctx: Context, dictionaries: Dictionaries, line: int
) -> tuple[tuple[str, int, bool], ...]:
    found = []
    for child, name, key, dictionary, failed in (
        (ctx.guardrails, "guardrail", "name", dictionaries.guardrail, "blocked"),
        (ctx.retrievals, "retrieval", "index_version", dictionaries.index_version, "failed"),
        (ctx.tool_calls, "tool", "tool", dictionaries.tool, "failed"),
    ):
        for at in np.flatnonzero(child.row == line).tolist():
            label = dictionary.texts()[int(child[key][at])]
            took = int(child["duration_us"][at])
            found.append((f"{name} {label}" if label else name, took, child[failed][at] == YES))
    return tuple((name, took, bool(bad)) for name, took, bad in found)


def period_shares(frames: Mapping[str, pl.DataFrame], table: str) -> dict[tuple[str, str], float]:
    """Share of all events of a table that each value has, over the whole period."""
    frame, count, keys = {
        "calls": ("calls", "calls", DIMENSIONS),
        "retrievals": ("retrievals", "retrievals", (*DIMENSIONS, "index_version",
                                                    "embedding_model")),
        "tool_calls": ("tool_calls", "calls", (*DIMENSIONS, "tool")),
        "guardrail_checks": ("checked", "guard_calls", DIMENSIONS),
    }[table]  # fmt: skip
    rows = frames[frame]
    total = int(rows[count].sum())
    shares: dict[tuple[str, str], float] = {}
    for key in keys:
        summed = rows.group_by(key).agg(pl.col(count).sum())
        for value, number in summed.iter_rows():
            if value is not None and total:
                shares[key, value] = number / total
    return shares


def first_times(frames: Mapping[str, pl.DataFrame]) -> dict[tuple[str, str], int]:
    """When each model, prompt version, release, tool, guardrail and index version was first seen:
    start of its first bin (of a call) or hour, in epoch seconds."""
    found: dict[tuple[str, str], int] = {}
    for frame, column, time in (
        ("calls", "model", "bin"), ("calls", "prompt_version", "bin"), ("calls", "release", "bin"),
        ("tool_calls", "tool", "hour"), ("guardrails", "name", "hour"),
        ("retrievals", "index_version", "hour"),
    ):  # fmt: skip
        rows = frames[frame].filter(pl.col(time).is_not_null() & pl.col(column).is_not_null())
        for value, first in rows.group_by(column).agg(pl.col(time).min()).iter_rows():
            found[column, value] = first
    return found
