"""What the configuration asks to be counted beside the objectives: constraints, limits of tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

import numpy as np

from gonogo.config.evidence import Constraint, Gates
from gonogo.records import (
    BROKEN_BY,
    LOOKED_AT,
    MISSING,
    NO,
    REVIEWS,
    UNREAD,
    WORDLESS,
    YES,
    Dictionaries,
)
from gonogo.rollup.context import Context, Mask
from gonogo.rollup.counting import Ints
from gonogo.rollup.partial import MOST_WITNESSED, WITNESS_SEPARATOR

WITNESSED: Final = frozenset(REVIEWS.index(name) for name in ("unknown", "none", "afterwards"))
"""Outcomes of a review that may make an action a violation: those have witnesses."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Constraints in their order, and the time in µs after which a tool is too late, by name."""

    constraints: tuple[Constraint, ...] = ()
    timeouts: Mapping[str, int] = field(default_factory=dict)

    @staticmethod
    def of(gates: Gates) -> Watched:
        """What a configuration asks for."""
        # In µs with a tenth on top: a call that is given up in time ends a little later.
        limits = {t.name.lower(): t.timeout * 1100 for t in gates.tools if t.timeout is not None}
        return Watched(gates.constraints, limits)


@dataclass(frozen=True, slots=True)
class Broken:
    """One constraint in a block: masks over its lines. `by` holds the lines that each rule saw."""

    name: str
    calls: Mask
    looked_at: Mask
    unread: Mask
    violated: Mask
    by: Mapping[str, Mask]


def broken(ctx: Context, watched: Watched, dictionaries: Dictionaries) -> list[Broken]:
    """What the outputs of a block break.

    A call has to have an output unless it failed, was blocked, embeds a text or only calls tools.
    """
    if ctx.outputs is None:
        return []
    usual = (ctx["failed"] != YES) & ~ctx["is_blocked"].astype(bool)
    state, found = ctx.outputs.state, ctx.outputs.violations
    answering: Mask = ctx.calls & usual & ~ctx["is_embedding"].astype(bool) & (state != WORDLESS)
    out = []
    for number, constraint in enumerate(watched.constraints):
        calls = answering & _operations(ctx, constraint.operations, dictionaries)
        looked = calls & (state == LOOKED_AT)
        own = found.filter(found["constraint"] == number)
        by = {}
        for code in sorted(own["by"].unique().to_list()):
            mask = np.zeros(ctx.height, dtype=bool)
            mask[own.filter(own["by"] == code)["row"].to_numpy()] = True
            if (mask & looked).any():
                by[BROKEN_BY[code]] = mask & looked
        violated = np.logical_or.reduce([np.zeros(ctx.height, dtype=bool), *by.values()])
        out.append(Broken(constraint.name, calls, looked, calls & (state == UNREAD), violated, by))
    return out


def _operations(ctx: Context, patterns: Sequence[str], dictionaries: Dictionaries) -> Mask:
    if not patterns:
        return np.ones(ctx.height, dtype=bool)
    texts = dictionaries.dimensions["operation"].texts()
    wanted = [t is not None and any(fnmatchcase(t, p) for p in patterns) for t in texts]
    mask: Mask = np.array(wanted, dtype=bool)[ctx["operation"]]
    return mask


def witnesses(ctx: Context, found: Sequence[Broken], dictionaries: Dictionaries) -> dict[str, Mask]:
    """Lines worth opening by kind: those that break a constraint, and actions without a review."""
    kinds = {
        WITNESS_SEPARATOR.join(("constraint", one.name, by)): mask
        for one in found
        for by, mask in one.by.items()
    }
    actions = ctx.actions
    if actions.height:
        texts = dictionaries.action.texts()
        open_ones = np.isin(actions["review"], list(WITNESSED))
        pairs = np.unique(
            np.stack([actions["action"][open_ones], actions["review"][open_ones]]), axis=1
        ).T.tolist()
        named = sorted((texts[action] or "", review, action) for action, review in pairs)
        for name, review, action in named[:MOST_WITNESSED]:
            mask = np.zeros(ctx.height, dtype=bool)
            same = (actions["action"] == action) & (actions["review"] == review)
            mask[actions.row[same]] = True
            kinds[WITNESS_SEPARATOR.join(("action", name, REVIEWS[review]))] = mask
    return kinds


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """Masks over the tool calls of a block."""

    timed: Mask
    over: Mask
    invalid: Mask
    invalid_handled: Mask


def tool_limits(ctx: Context, watched: Watched, dictionaries: Dictionaries) -> ToolLimits:
    """Tool calls over their time, and what became of arguments that were not valid.

    Those are handled where the call was refused (it failed) or a fallback answered.
    """
    child = ctx.tool_calls
    limits: Ints = np.array(
        [watched.timeouts.get((text or "").lower(), MISSING) for text in dictionaries.tool.texts()],
        dtype=np.int64,
    )
    limit = limits[child["tool"]]
    timed = (limit != MISSING) & (child["duration_us"] != MISSING)
    invalid = child["arguments_valid"] == NO
    handled = invalid & ((child["failed"] == YES) | (child["fallback"] == YES))
    return ToolLimits(timed, timed & (child["duration_us"] > limit), invalid, handled)
