"""A second look at the records of an excursion: whom it touched, what stands out, what to open.

Only blocks whose times overlap an excursion are loaded again, and of them only the events inside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.config.model import Objective
from gonogo.conventions import DIMENSIONS, WIDE_DIMENSIONS
from gonogo.parallel import in_order
from gonogo.records import ERROR_CLASSES, MISSING, YES, Block, Dictionaries
from gonogo.rollup import costs
from gonogo.rollup.context import Context, Mask, context
from gonogo.rollup.costs import Pricing
from gonogo.rollup.counting import Ints
from gonogo.rollup.objectives import Judged, judge
from gonogo.rollup.segments import dictionary_of
from gonogo.rollup.select import Calendar, Selection, split
from gonogo.rollup.siblings import Call, Siblings, steps
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

    @property
    def call(self) -> Call:
        return self.trace, self.time


@dataclass(slots=True)
class Findings:
    """What was counted inside one window."""

    bad: Counter[tuple[str, str]] = field(default_factory=Counter)
    """by dimension and value, as `events`"""
    events: Counter[tuple[str, str]] = field(default_factory=Counter)
    all_bad: int = 0
    all_events: int = 0
    calls: int = 0
    sessions: int = 0
    users: int = 0
    tenants: int = 0
    without_session: int = 0
    without_user: int = 0
    cost: int = 0
    priced: int = 0
    good_cost: int = 0
    good_priced: int = 0
    worst: list[Candidate] = field(default_factory=list)
    typical: list[Candidate] = field(default_factory=list)
    control: list[Candidate] = field(default_factory=list)

    @property
    def candidates(self) -> Iterable[Candidate]:
        return (*self.worst, *self.typical, *self.control)


@dataclass(slots=True)
class _Open:
    """A window that is being counted: codes and hashes become texts and numbers at the end."""

    window: Window
    findings: Findings = field(default_factory=Findings)
    by_code: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """of each dimension: events and bad ones, shape (2, codes)"""
    sessions: list[NDArray[np.uint64]] = field(default_factory=list)
    users: list[NDArray[np.uint64]] = field(default_factory=list)
    tenants: set[int] = field(default_factory=set)

    def count(self, name: str, codes: Ints, bad: Mask) -> None:
        events = np.bincount(codes)
        known = self.by_code.get(name, np.zeros((2, 0), dtype=np.int64))
        sums = np.zeros((2, max(known.shape[1], len(events))), dtype=np.int64)
        sums[:, : known.shape[1]] = known
        sums[0, : len(events)] += events
        missed = np.bincount(codes[bad])
        sums[1, : len(missed)] += missed
        self.by_code[name] = sums

    def finish(self, texts: _Texts) -> Findings:
        f = self.findings
        for name, sums in self.by_code.items():
            for counter, numbers in ((f.events, sums[0]), (f.bad, sums[1])):
                for code in np.flatnonzero(numbers).tolist():
                    if (text := texts.of(name)[code]) is not None:
                        counter[name, text] += int(numbers[code])
        f.sessions, f.users = _distinct(self.sessions), _distinct(self.users)
        f.tenants = sum(texts.of("tenant_id")[code] is not None for code in self.tenants)
        return f


class _Texts:
    """Texts by code, each dictionary turned into a list once."""

    def __init__(self, dictionaries: Dictionaries) -> None:
        self._dictionaries = dictionaries
        self._known: dict[str, list[str | None]] = {}

    def of(self, name: str) -> list[str | None]:
        if name not in self._known:
            self._known[name] = dictionary_of(name, self._dictionaries).texts()
        return self._known[name]


def investigate(
    loaders: Iterable[Loader],
    spans: Mapping[int, tuple[int, int]],
    windows: Sequence[Window],
    selection: Selection,
    calendar: Calendar,
    dictionaries: Dictionaries,
    pricing: Pricing,
    siblings: Siblings,
) -> list[Findings]:
    """Count the events of each window; `spans` says which parts hold what times (epoch µs).

    What parts hold of the traces of calls worth opening goes into `siblings` on the way.
    """
    found = [_Open(window) for window in windows]

    def prepared(item: tuple[int, Loader]) -> tuple[int, Context]:
        part, load = item
        block, keep = load()
        parted = split(block.lines, keep, selection, dictionaries)
        ctx = context(block, parted.taken, calendar)
        if ctx.calls.any():
            costs.price(ctx, dictionaries, pricing)
        return part, ctx

    def touched() -> Iterator[tuple[int, Loader]]:
        for part, load in enumerate(loaders):
            if any(_touches(window, spans.get(part)) for window in windows):
                yield part, load

    texts = _Texts(dictionaries)
    for part, ctx in in_order(prepared, touched()):
        for one in found:
            if _touches(one.window, spans.get(part)):
                _look(one, ctx, dictionaries, texts, part)
        calls = (c.call for one in found for c in one.findings.candidates)
        siblings.note(part, ctx, texts.of, calls)
    return [one.finish(texts) for one in found]


def look_again(
    loaders: Iterable[Loader],
    wanted: Mapping[int, Iterable[Call]],
    selection: Selection,
    calendar: Calendar,
    dictionaries: Dictionaries,
    siblings: Siblings,
) -> None:
    """Take from the parts of `wanted` what they hold of the traces of some calls."""
    texts = _Texts(dictionaries)
    for part, load in enumerate(loaders):
        if part not in wanted:
            continue
        block, keep = load()
        taken = split(block.lines, keep, selection, dictionaries).taken
        siblings.note(part, context(block, taken, calendar), texts.of, wanted[part])


def _touches(window: Window, span: tuple[int, int] | None) -> bool:
    if span is None:
        return False
    return window.start * _MICRO <= span[1] and span[0] < window.end * _MICRO


def _look(one: _Open, ctx: Context, dictionaries: Dictionaries, texts: _Texts, part: int) -> None:
    window, findings = one.window, one.findings
    judged = judge(window.objective, ctx, dictionaries)
    start = ctx["start_us"][judged.row]
    inside = (start >= window.start * _MICRO) & (start < window.end * _MICRO)
    row, good = judged.row[inside], judged.good[inside]
    if not len(row):
        return
    findings.all_events += len(row)
    findings.all_bad += int((~good).sum())
    for name, codes in _kinds(window.objective, judged, inside, ctx):
        one.count(name, codes, ~good)
    _affected(one, ctx, row, good)
    values = None if judged.values is None else judged.values[inside]
    _candidates(findings, ctx, texts, row, good, values, part, window.objective)


def _kinds(
    objective: Objective, judged: Judged, inside: Mask, ctx: Context
) -> Iterable[tuple[str, Ints]]:
    """(dimension, code of each event) of everything an event may be told by."""
    row = judged.row[inside]
    for name in (*DIMENSIONS, *WIDE_DIMENSIONS):
        yield name, ctx[name][row]
    if judged.child is None:
        return
    child = judged.child[inside]
    table, keys = {
        "retrievals": (ctx.retrievals, ("index_version", "embedding_model")),
        "tool_calls": (ctx.tool_calls, ("tool",)),
        "guardrail_checks": (ctx.guardrails, ("name", "stage")),
    }[objective.spec.table]
    for key in keys:
        yield key, table[key][child]


def _affected(one: _Open, ctx: Context, row: Ints, good: Mask) -> None:
    findings = one.findings
    is_bad, is_fine = np.zeros(ctx.height, dtype=bool), np.zeros(ctx.height, dtype=bool)
    is_bad[row[~good]] = True
    is_fine[row[good]] = True
    bad, fine = np.flatnonzero(is_bad), np.flatnonzero(is_fine & ~is_bad)
    findings.calls += len(bad)
    session, user = ctx["session_hash"][bad], ctx["user_hash"][bad]
    one.sessions.append(np.unique(session[session != 0]))
    one.users.append(np.unique(user[user != 0]))
    findings.without_session += int((session == 0).sum())
    findings.without_user += int((user == 0).sum())
    one.tenants.update(np.flatnonzero(np.bincount(ctx["tenant_id"][bad])).tolist())
    cost, calls = ctx["cost_nano_usd"], ctx.calls
    known = cost[bad][(cost[bad] != MISSING) & calls[bad]]
    findings.cost += int(known.sum())
    findings.priced += len(known)
    known = cost[fine][(cost[fine] != MISSING) & calls[fine]]
    findings.good_cost += int(known.sum())
    findings.good_priced += len(known)


def _distinct(hashes: list[NDArray[np.uint64]]) -> int:
    return len(np.unique(np.concatenate(hashes))) if hashes else 0


def _candidates(
    findings: Findings,
    ctx: Context,
    texts: _Texts,
    row: Ints,
    good: Mask,
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
        near = _smallest(first)
        for at in near[np.lexsort((events[near], second[near], first[near]))][:_TYPICAL].tolist():
            rank = (int(first[at]), int(second[at]))
            # Parts come in order, so that of equals the earlier stays.
            if len(kept) == _TYPICAL and kept[-1].rank <= rank:
                break
            kept.append(_candidate(ctx, texts, int(row[events[at]]), rank, part))
            kept.sort()
            del kept[_TYPICAL:]


def _smallest(values: Ints) -> NDArray[np.int64]:
    """Places of the smallest few values, and of all that equal the last of them."""
    if len(values) <= _TYPICAL:
        return np.arange(len(values))
    return np.flatnonzero(values <= np.partition(values, _TYPICAL - 1)[_TYPICAL - 1])


def _candidate(
    ctx: Context, texts: _Texts, line: int, rank: tuple[int, int], part: int
) -> Candidate:
    def text(name: str) -> str | None:
        return texts.of(name)[int(ctx[name][line])]

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
        steps=steps(ctx, texts.of, line),
    )


def index_shares(
    frames: Mapping[str, pl.DataFrame], objective: Objective
) -> dict[tuple[str, str], float]:
    """Share that each search index and embedding model has of all retrievals of an objective, over
    the whole period; empty for other events, and where retrievals are not counted by its selector.
    """
    rows = frames["retrievals"]
    segment = objective.segment
    keys = {key for key, _ in objective.selector} | ({segment.key} if segment else set())
    if objective.spec.table != "retrievals" or not keys <= {*rows.columns}:
        return {}
    for key, pattern in objective.selector:
        known = rows[key].drop_nulls().unique()
        rows = rows.filter(pl.col(key).is_in([x for x in known if fnmatchcase(x, pattern)]))
    if segment is not None:
        texts = [text for text in segment.values if text is not None]
        own = pl.col(segment.key).is_in(texts)
        rows = rows.filter(own | pl.col(segment.key).is_null() if None in segment.values else own)
    total = int(rows["retrievals"].sum())
    return {
        (key, value): number / total
        for key in ("index_version", "embedding_model")
        for value, number in rows.group_by(key).agg(pl.col("retrievals").sum()).iter_rows()
        if value is not None and total
    }


def first_times(frames: Mapping[str, pl.DataFrame]) -> dict[tuple[str, str], int]:
    """When each model, prompt version, release, tool, guardrail and index version was first seen:
    start of its first bin (of a call) or hour, in epoch seconds."""
    found: dict[tuple[str, str], int] = {}
    for frame, column, time in (
        ("calls", "model", "bin"), ("calls", "prompt_version", "bin"), ("calls", "release", "bin"),
        ("tool_calls", "tool", "hour"), ("guardrails", "name", "hour"),
        ("retrievals", "index_version", "hour"),
    ):  # fmt: skip
        rows = frames[frame].select(time, column).drop_nulls()
        for value, first in rows.group_by(column).agg(pl.col(time).min()).iter_rows():
            found[column, value] = first
    return found
