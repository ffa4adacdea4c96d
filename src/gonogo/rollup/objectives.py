"""Objectives compiled into counts: for every row, is it judged, and is it good?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import polars as pl

from gonogo.config.model import Objective, Segment
from gonogo.conventions import ErrorClass
from gonogo.records import (
    ERROR_CLASSES,
    MISSING,
    NO,
    NO_REQUEST,
    UNKNOWN_FLAG,
    YES,
    Dictionaries,
)
from gonogo.rollup.context import Child, Context, Mask
from gonogo.rollup.counting import Ints, exact_sum
from gonogo.rollup.segments import dictionary_of
from gonogo.rollup.select import matching

_TIMEOUT = ERROR_CLASSES.index(ErrorClass.TIMEOUT)
_RATE_LIMIT = ERROR_CLASSES.index(ErrorClass.RATE_LIMIT)


@dataclass(frozen=True, slots=True)
class Judged:
    """Events of one objective in a block: the line each belongs to, and its value or goodness.

    `eligible` holds the lines of all events that could have been judged, judged ones included;
    `child` the row of each event in its own table where that is not the lines'.
    """

    row: Ints
    good: Mask
    values: Ints | None
    eligible: Ints
    child: Ints | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """Per bin of the block (by index): events judged, good ones, sum of values, eligible ones."""

    judged: Judged
    good: Ints
    total: Ints
    sum: Ints
    eligible: Ints
    values: Ints | None


def count(objective: Objective, ctx: Context, dictionaries: Dictionaries) -> Counted:
    """Exact counts of one objective over a block."""
    objective = counted(objective)
    judged = judge(objective, ctx, dictionaries)
    size = len(ctx.bins)
    bins = ctx.bin[judged.row]
    total = np.bincount(bins, minlength=size)
    good = np.bincount(bins[judged.good], minlength=size)
    values = judged.values
    zero = np.zeros(size, dtype=np.int64)
    summed = exact_sum(bins, values, size) if values is not None else zero
    if objective.is_mean:
        good = zero
    eligible = np.bincount(ctx.bin[judged.eligible], minlength=size)
    return Counted(judged, good, total, summed, eligible, values)


def counted(objective: Objective) -> Objective:
    """The objective that events are held against: of slices of time, the one within."""
    if objective.sliced is None:
        return objective
    return replace(objective.sliced.inner, segment=objective.segment)


def judge(objective: Objective, ctx: Context, dictionaries: Dictionaries) -> Judged:
    """The events of an objective in a block, each with its goodness by the objective's limit."""
    objective = counted(objective)
    table, segment = objective.spec.table, objective.segment
    lines = selected_lines(objective, ctx, dictionaries)
    child_selector = [(k, p) for k, p in objective.selector if k not in dictionaries.dimensions]
    if table == "calls":
        return _of_calls(objective, ctx, lines)
    if table == "traces":
        # A trace may go on in another block: `requests.judged` counts them once all are read.
        nothing = np.zeros(0, dtype=np.int64)
        return Judged(nothing, np.zeros(0, dtype=bool), nothing, nothing)
    if table == "requests":
        return _of_requests(objective, ctx, lines)
    child = {
        "retrievals": ctx.retrievals,
        "tool_calls": ctx.tool_calls,
        "guardrail_checks": ctx.guardrails,
    }[table]
    selected = lines[child.row]
    for key, pattern in child_selector:
        selected &= matching(dictionary_of(key, dictionaries), pattern)[child[key]]
    if segment is not None and segment.key not in dictionaries.dimensions:
        selected &= _in_segment(segment, dictionaries, child[segment.key])
    if objective.spec.kind == "distribution":
        duration = child["duration_us"]
        present = selected & (duration != MISSING)
        found = _values(objective, child.row[present], duration[present], child.row[selected])
        return replace(found, child=np.flatnonzero(present))
    if table == "guardrail_checks":
        return _of_checks(objective, ctx, child, selected)
    return _of_children(objective, child, selected)


def selected_lines(objective: Objective, ctx: Context, dictionaries: Dictionaries) -> Mask:
    """The lines that an objective's selector and its segment leave, by their own dimensions."""
    lines = np.ones(ctx.height, dtype=bool)
    for key, pattern in objective.selector:
        if key in dictionaries.dimensions:
            lines &= matching(dictionaries.dimensions[key], pattern)[ctx[key]]
    segment = objective.segment
    if segment is not None and segment.key in dictionaries.dimensions:
        lines &= _in_segment(segment, dictionaries, ctx[segment.key])
    return lines


def _in_segment(segment: Segment, dictionaries: Dictionaries, codes: Ints) -> Mask:
    texts = pl.Series(segment.values, dtype=pl.String)
    return np.isin(codes, dictionary_of(segment.key, dictionaries).encode(texts).to_numpy())


def _of_calls(objective: Objective, ctx: Context, lines: Mask) -> Judged:
    name = objective.indicator
    if objective.spec.kind != "ratio":
        eligible, present, values = _call_values(name, ctx, lines)
        return _values(objective, np.flatnonzero(present), values, np.flatnonzero(eligible))
    calls = ctx.calls & lines
    failed = ctx["failed"]
    known, bad = {
        "error_rate": (failed != UNKNOWN_FLAG, failed == YES),
        "timeout_rate": (failed != UNKNOWN_FLAG, ctx["error_class"] == _TIMEOUT),
        "rate_limit_rate": (failed != UNKNOWN_FLAG, ctx["error_class"] == _RATE_LIMIT),
        "retry_rate": (ctx["retried"] != UNKNOWN_FLAG, ctx["retried"] == YES),
        "cache_hit_rate": (ctx["cache_hit"] != UNKNOWN_FLAG, ctx["cache_hit"] != YES),
    }[name]
    rows = np.flatnonzero(calls & known)
    return Judged(rows, ~bad[rows], None, np.flatnonzero(calls))


def _call_values(name: str, ctx: Context, lines: Mask) -> tuple[Mask, Mask, Ints]:
    if name in ("latency", "latency_ok"):
        only = lines & (ctx["failed"] != YES) if name == "latency_ok" else lines
        present = ctx.latency & only
        return ctx.latency_eligible & only, present, ctx["duration_us"][present]
    if name == "ttft":
        present = ctx.ttft & lines
        return ctx.ttft_eligible & lines, present, ctx["ttft_us"][present]
    if name == "output_tokens_per_second":
        present = ctx.token_rate & lines
        eligible = ctx.latency_eligible & (ctx["failed"] != YES) & lines
        return eligible, present, ctx.token_rates(present)
    column = {
        "cost_per_call": "cost_nano_usd",
        "cost": "cost_nano_usd",
        "input_tokens": "input_tokens",
        "output_tokens": "output_tokens",
    }[name]
    present = ctx.calls & lines & (ctx[column] != MISSING)
    return ctx.calls & lines, present, ctx[column][present]


def _of_requests(objective: Objective, ctx: Context, lines: Mask) -> Judged:
    if objective.spec.kind != "ratio":
        rows = np.flatnonzero(lines & (ctx.request_us != MISSING))
        return _values(objective, rows, ctx.request_us[rows], rows)
    failed = ctx.request_failed
    requests = lines & (failed != NO_REQUEST)
    rows = np.flatnonzero(requests & (failed != UNKNOWN_FLAG))
    return Judged(rows, failed[rows] != YES, None, np.flatnonzero(requests))


def _values(objective: Objective, row: Ints, values: Ints, eligible: Ints) -> Judged:
    return Judged(row, within(values, objective), values, eligible)


def within(values: Ints, objective: Objective) -> Mask:
    """Whether each integer value is on the good side of the limit, exactly."""
    limit: Fraction = objective.limit
    floor, ceiling = limit.numerator // limit.denominator, -(-limit.numerator // limit.denominator)
    match objective.comparator:
        case "<=":
            return values <= floor
        case "<":
            return values < ceiling
        case ">=":
            return values >= ceiling
        case ">":
            return values > floor


def _of_checks(objective: Objective, ctx: Context, child: Child, selected: Mask) -> Judged:
    """A line counts once, however often the check ran on it."""
    ran = _any(child.row[selected], ctx.height)
    if objective.indicator == "guardrail_trigger_rate":
        known = selected & (child["triggered"] != UNKNOWN_FLAG)
        bad = selected & (child["triggered"] == YES)
    else:
        known = selected
        column = "blocked" if objective.indicator == "guardrail_block_rate" else "bypassed"
        bad = selected & child[column].astype(bool)
    rows = np.flatnonzero(_any(child.row[known], ctx.height))
    return Judged(rows, ~_any(child.row[bad], ctx.height)[rows], None, np.flatnonzero(ran))


def _any(rows: Ints, height: int) -> Mask:
    out = np.zeros(height, dtype=bool)
    out[rows] = True
    return out


def _of_children(objective: Objective, child: Child, selected: Mask) -> Judged:
    name = objective.indicator
    if objective.spec.table == "retrievals":
        failed = child["failed"].astype(bool)
        known, bad = {
            "retrieval_hit_rate": (child["hit"] != UNKNOWN_FLAG, child["hit"] != YES),
            "retrieval_empty_rate": (
                child["n_chunks"] != MISSING,
                (child["n_chunks"] == 0) & ~failed,
            ),
            "retrieval_failed_rate": (np.ones(child.height, dtype=bool), failed),
        }[name]
    else:
        known, bad = {
            "tool_error_rate": (child["failed"] != UNKNOWN_FLAG, child["failed"] == YES),
            "tool_timeout_rate": (child["failed"] != UNKNOWN_FLAG, child["timed_out"].astype(bool)),
            "tool_invalid_argument_rate": (
                child["arguments_valid"] != UNKNOWN_FLAG,
                child["arguments_valid"] == NO,
            ),
            "tool_fallback_rate": (child["fallback"] != UNKNOWN_FLAG, child["fallback"] == YES),
        }[name]
    rows = selected & known
    return Judged(child.row[rows], ~bad[rows], None, child.row[selected], np.flatnonzero(rows))
