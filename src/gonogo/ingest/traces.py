"""The rules that need a whole trace: wrapper spans, the innermost error, inherited ids, requests.

A trace may straddle files, so they run over all parts at once, on integers alone, and only where
some line names a parent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.records import MISSING, NO, NO_REQUEST, NO_TIME, UNKNOWN_FLAG, YES, Block

MAX_DEPTH: Final = 64
"""Rounds of inheritance; deeper trees and circles of parents stop there."""

LINKS: Final = (
    "trace_hash",
    "span_hash",
    "parent_hash",
    "is_call",
    "is_span",
    "is_guard",
    "input_tokens",
    "output_tokens",
    "cost_nano_usd",
    "failed",
    "session_hash",
    "user_hash",
    "start_us",
    "duration_us",
)


@dataclass(frozen=True, slots=True)
class TraceRules:
    """What the rules change in one part; arrays have one entry a line."""

    folded: NDArray[np.bool_]
    propagated: NDArray[np.bool_]
    session_hash: NDArray[np.uint64]
    user_hash: NDArray[np.uint64]
    request_us: NDArray[np.int64]
    """duration of the request on the line that it is counted by; MISSING on all others"""
    request_failed: NDArray[np.uint8]
    """NO, YES, UNKNOWN_FLAG on the lines that requests are counted by; NO_REQUEST on all others"""
    checked: NDArray[np.bool_]
    """spans of calls in whose trace a guardrail's outcome is logged, on whichever span"""
    is_guard: NDArray[np.bool_]
    """lines that are a guardrail's check, or that stand below one in their tree"""
    told_below: NDArray[np.bool_]
    """checks with calls below them: what those cost is not told a second time by the check"""

    def apply(self, block: Block) -> Block:
        """The block with its wrappers taken out of the calls and its ids inherited."""
        lines = block.lines.with_columns(
            is_call=pl.Series(block.lines["is_call"].to_numpy() & ~self.folded),
            failed=pl.Series(
                np.where(self.propagated, NO, block.lines["failed"].to_numpy()).astype(np.uint8)
            ),
            session_hash=pl.Series(self.session_hash),
            user_hash=pl.Series(self.user_hash),
            request_us=pl.Series(self.request_us),
            request_failed=pl.Series(self.request_failed),
            checked=pl.Series(self.checked),
            is_guard=pl.Series(self.is_guard),
        )
        return Block(
            block.position,
            lines,
            block.retrievals,
            block.chunks,
            block.tool_calls,
            self._checks(block.guardrails),
            block.actions,
            block.evaluations,
            block.ids,
            block.outputs,
        )

    def _checks(self, checks: pl.DataFrame) -> pl.DataFrame:
        twice = self.told_below[checks["row"].to_numpy()]
        if not twice.any():
            return checks
        cost = np.where(twice, MISSING, checks["cost_nano_usd"].to_numpy())
        return checks.with_columns(cost_nano_usd=pl.Series(cost))


def links_of(block: Block) -> pl.DataFrame:
    """What the rules look at: LINKS, and whether a line holds a check whose outcome is known."""
    judged = np.zeros(block.lines.height, dtype=bool)
    checks = block.guardrails
    judged[checks.filter(pl.col("triggered") != UNKNOWN_FLAG)["row"].to_numpy()] = True
    return block.lines.select(LINKS).with_columns(judged=pl.Series(judged))


def resolve(
    links: Sequence[pl.DataFrame], dropped: Sequence[NDArray[np.bool_]]
) -> tuple[list[TraceRules], int]:
    """(rules for each part from its links (`links_of`), lines whose parent is nowhere).

    Duplicates play no role.
    """
    heights = [frame.height for frame in links]
    every = (
        pl.concat(links)
        .with_columns(pl.Series("dropped", np.concatenate(dropped)))
        .with_row_index("row")
    )
    live = every.filter(~pl.col("dropped") & (pl.col("trace_hash") != 0))
    spans = live.filter(pl.col("span_hash") != 0).unique(["trace_hash", "span_hash"], keep="first")
    edges = live.filter(pl.col("parent_hash") != 0).join(
        spans.select(
            "trace_hash",
            pl.col("span_hash").alias("parent_hash"),
            pl.col("row").alias("parent"),
        ),
        on=["trace_hash", "parent_hash"],
        how="inner",
        maintain_order="left",
    )
    orphans = int((live["parent_hash"] != 0).sum()) - edges.height
    edges = edges.filter(pl.col("parent") != pl.col("row"))
    child = edges["row"].to_numpy().astype(np.int64)
    parent = edges["parent"].to_numpy().astype(np.int64)
    straight = ~_on_circle(child, parent, every.height)
    child, parent = child[straight], parent[straight]
    failed = every["failed"].to_numpy() == YES
    failed_call = failed & every["is_call"].to_numpy()
    failed_below = np.zeros(every.height, dtype=bool)
    failed_below[parent[failed[child]]] = True
    # A wrapper whose failure is nobody's below it tells of an error that is told nowhere else.
    folded = _wrappers(every, child, parent) & ~(failed_call & ~failed_below)
    folded |= _around_calls(every, child, parent, failed)
    propagated = np.zeros(every.height, dtype=bool)
    propagated[parent[failed_call[child]]] = True
    propagated &= failed_call
    session = _inherit(every["session_hash"].to_numpy().copy(), child, parent)
    user = _inherit(every["user_hash"].to_numpy().copy(), child, parent)
    session, user = (_of_root(every, values) for values in (session, user))
    request_us, request_failed = _requests(every, live, parent)
    judged = live.filter("judged").select("trace_hash").unique()
    checked = np.zeros(every.height, dtype=bool)
    spans = live.filter(pl.col("is_span") & pl.col("is_call"))
    checked[spans.join(judged, on="trace_hash", how="semi")["row"].to_numpy()] = True
    guard = every["is_guard"].to_numpy()
    told_below = np.zeros_like(guard)
    if guard.any():
        is_call = every["is_call"].to_numpy()
        told_below = guard & ~is_call & _spread(is_call, child, parent)
        guard = guard | _spread(guard, parent, child)
    cuts = np.cumsum(heights)[:-1]
    rules = [
        TraceRules(*arrays)
        for arrays in zip(
            np.split(folded, cuts),
            np.split(propagated, cuts),
            np.split(session, cuts),
            np.split(user, cuts),
            np.split(request_us, cuts),
            np.split(request_failed, cuts),
            np.split(checked, cuts),
            np.split(guard, cuts),
            np.split(told_below, cuts),
            strict=True,
        )
    ]
    return rules, orphans


def _requests(
    every: pl.DataFrame, live: pl.DataFrame, parent: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """(how long each request took, whether it failed) on its first root: from the start of its
    trace's first root span to the end of the last one, and whether one of them failed.

    A root is a span without a parent, or another line without one that has children: whether a
    line that stands alone is a whole request nobody can tell. A trace without a call of a model is
    no request of this application.
    """
    above = np.zeros(every.height, dtype=bool)
    above[parent] = True
    rows = live["row"].to_numpy()
    spans = live["is_span"].to_numpy() | above[rows]
    root = (
        pl.Series(spans)
        & (live["parent_hash"] == 0)
        & (live["span_hash"] != 0)
        & (live["start_us"] != NO_TIME)
    )
    asked = live.filter(pl.col("is_call")).select("trace_hash").unique()
    timed, failed = pl.col("timed"), pl.col("failed")
    found = (
        live.filter(root)
        .join(asked, on="trace_hash", how="semi")
        .with_columns(
            timed=pl.col("duration_us") != MISSING,
            end=pl.col("start_us") + pl.col("duration_us"),
        )
        # A root without a duration tells how its request went all the same.
        .sort(~timed, "start_us", "row")
        .group_by("trace_hash")
        .agg(
            pl.col("row").first(),
            took=pl.col("end").filter(timed).max() - pl.col("start_us").filter(timed).first(),
            failed=pl.when((failed == YES).any())
            .then(YES)
            .when((failed == UNKNOWN_FLAG).any())
            .then(UNKNOWN_FLAG)
            .otherwise(NO),
        )
    )
    rows = found["row"].to_numpy()
    took = np.full(every.height, MISSING, dtype=np.int64)
    took[rows] = found["took"].fill_null(MISSING).to_numpy()
    outcome = np.full(every.height, NO_REQUEST, dtype=np.uint8)
    outcome[rows] = found["failed"].to_numpy()
    return took, outcome


def _on_circle(child: NDArray[np.int64], parent: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
    """Which edges are part of a circle of parents: nothing is above or below in one."""
    above = np.arange(size)
    above[child] = parent
    has_parent = np.zeros(size, dtype=bool)
    has_parent[child] = True
    # Each round doubles the steps taken upwards; whoever has not come to a root by then is on a
    # circle or below one, and after more steps than there are nodes exactly the circles are met.
    reached = child.copy()
    steps = 1
    while len(reached) and steps <= 2 * size:
        reached = above[reached]
        reached = np.unique(reached[has_parent[reached]])
        above = above[above]
        steps *= 2
    circle = np.zeros(size, dtype=bool)
    circle[reached] = True
    return circle[child]


def _wrappers(
    every: pl.DataFrame, child: NDArray[np.int64], parent: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Calls that only repeat the usage of the calls below them, or have none of their own."""
    is_call = every["is_call"].to_numpy()
    usage = np.stack(
        [every[name].to_numpy() for name in ("input_tokens", "output_tokens", "cost_nano_usd")]
    )
    known = np.where(usage == MISSING, 0, usage)
    size = every.height
    calls_below = is_call[child]
    child, parent = child[calls_below], parent[calls_below]
    has_child = np.zeros(size, dtype=bool)
    has_child[parent] = True
    folded = np.zeros(size, dtype=bool)
    for _ in range(MAX_DEPTH):
        below = np.zeros((3, size), dtype=np.int64)
        effective = known.copy()
        for _ in range(1 if not folded.any() else MAX_DEPTH):
            below = np.zeros((3, size), dtype=np.int64)
            for k in range(3):
                np.add.at(below[k], parent, effective[k][child])
            renewed = np.where(folded, below, known)
            if (renewed == effective).all():
                break
            effective = renewed
        repeats_sum = ((usage == below) | (usage == MISSING)).all(axis=0)
        repeats_one = np.zeros(size, dtype=bool)
        same = ((usage[:, parent] == effective[:, child]) | (usage[:, parent] == MISSING)).all(
            axis=0
        )
        repeats_one[parent[same]] = True
        found = is_call & has_child & (repeats_sum | repeats_one)
        if (found == folded).all():
            break
        folded = found
    return folded


def _around_calls(
    every: pl.DataFrame,
    child: NDArray[np.int64],
    parent: NDArray[np.int64],
    failed: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Spans of calls that have a span of a call below them, at any depth: one of the two counts.

    The inner one does, unless only the outer one knows the usage. A wrapper that failed with nobody
    below it having failed stays: its error is told nowhere else.
    """
    is_call = every["is_call"].to_numpy() & every["is_span"].to_numpy()
    if not is_call.any():
        return np.zeros(every.height, dtype=bool)
    usage = np.zeros(every.height, dtype=bool)
    for name in ("input_tokens", "output_tokens", "cost_nano_usd"):
        usage |= every[name].to_numpy() > 0
    usage &= is_call
    call_below, usage_below, failed_below = (
        _spread(mask, child, parent) for mask in (is_call, usage, failed)
    )
    outer = is_call & call_below & (usage_below | ~usage)
    outer &= ~failed | failed_below
    # The other way round: a call whose usage only the call around it knows is not a second call.
    knows: NDArray[np.bool_] = is_call & usage & call_below & ~usage_below
    inner = is_call & _spread(knows, parent, child) & ~usage & ~failed
    folded: NDArray[np.bool_] = outer | inner
    return folded


def _spread(
    mask: NDArray[np.bool_], near: NDArray[np.int64], far: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """The `far` ends of links whose `near` end has the mark, or has got it over another link."""
    found = np.zeros_like(mask)
    for _ in range(MAX_DEPTH):
        marked = (mask | found)[near]
        if found[far[marked]].all():
            break
        found[far[marked]] = True
    return found


def _of_root(every: pl.DataFrame, values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spans without a session (or user) take that of the root of their trace."""
    need = every["is_span"].to_numpy() & (values == 0) & (every["trace_hash"].to_numpy() != 0)
    if not need.any():
        return values
    roots = (
        every.select("trace_hash", "parent_hash", "is_span", pl.Series("value", values))
        .filter(pl.col("is_span") & (pl.col("parent_hash") == 0) & (pl.col("value") != 0))
        .unique("trace_hash", keep="first", maintain_order=True)
    )
    if roots.height:
        rows = np.flatnonzero(need)
        found = (
            every[rows]
            .select("trace_hash")
            .join(
                roots.select("trace_hash", "value"),
                on="trace_hash",
                how="left",
                maintain_order="left",
            )["value"]
            .fill_null(0)
        )
        values[rows] = found.to_numpy()
    return values


def _inherit(
    values: NDArray[np.uint64], child: NDArray[np.int64], parent: NDArray[np.int64]
) -> NDArray[np.uint64]:
    for _ in range(MAX_DEPTH):
        take = (values[child] == 0) & (values[parent] != 0)
        if not take.any():
            break
        values[child[take]] = values[parent[take]]
    return values
