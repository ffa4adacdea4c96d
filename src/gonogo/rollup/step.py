"""The counts of one block: what the map step adds to a partial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.config.model import Objective
from gonogo.conventions import DIMENSIONS
from gonogo.records import (
    BROKEN_BY,
    HIT_EXPECTED,
    HIT_FLAGGED,
    HIT_NOT_EMPTY,
    MISSING,
    NO,
    NO_TIME,
    UNKNOWN_FLAG,
    YES,
    Dictionaries,
)
from gonogo.rollup import blocks, costs, objectives, watched
from gonogo.rollup.blocks import NOTHING, Contrasts
from gonogo.rollup.context import Child, Context, Mask
from gonogo.rollup.costs import Pricing
from gonogo.rollup.counting import Groups, Ints, group, sum_of_squares
from gonogo.rollup.histograms import by_scopes
from gonogo.rollup.partial import CONSTRAINT_SUMS, FRAMES, TOOL_LIMIT_SUMS
from gonogo.rollup.watched import Watched

METRICS: Final = (
    "latency_ok",
    "latency_failed",
    "ttft",
    "tps",
    "cost",
    "input_tokens",
    "retrieval_latency",
    "tool_latency",
    "guardrail_latency",
    "objective",
    "request_cost",
    "request_latency",
)
SCOPES: Final = ("", *DIMENSIONS, "index", "tool", "guardrail", "objective")
PAIR_FACTOR: Final = 2**31

Column = NDArray[Any]


class Step:
    """The counts of one block; text columns hold codes."""

    def __init__(
        self,
        ctx: Context,
        dictionaries: Dictionaries,
        pricing: Pricing | None = None,
        contrast: Contrasts = NOTHING,
        watch: Watched | None = None,
    ) -> None:
        self.ctx, self.dictionaries = ctx, dictionaries
        self.pricing = pricing
        self.sides = [side.members(ctx, dictionaries) for side in contrast.sides]
        self.extra = contrast.extra
        self.watch = watch or Watched()
        self.broken: list[watched.Broken] = []
        self.frames: dict[str, list[pl.DataFrame]] = {name: [] for name in FRAMES}

    def run(self, wanted: Sequence[Objective]) -> None:
        self._costs()
        self._guard_flags()
        self._checked()
        self._guard_users()
        self._calls()
        self._errors()
        self._finish_reasons()
        self._tenants()
        self._retrievals()
        self._chunks()
        self._tools()
        self._guardrails()
        self._actions()
        self._requests()
        self._constraints()
        self._tool_limits()
        self._call_histograms()
        for number, objective in enumerate(wanted):
            self._objective(number, objective)
        for number, objective in enumerate(self.extra, len(wanted)):
            self._sides(number, objectives.judge(objective, self.ctx, self.dictionaries))

    def _put(self, name: str, columns: dict[str, Any]) -> None:
        spec = FRAMES[name]
        schema = dict.fromkeys((*spec.texts, *spec.schema), pl.Int64)
        self.frames[name].append(
            pl.DataFrame(
                {c: columns[c] for c in spec.schema}, schema={c: schema[c] for c in spec.schema}
            )
        )

    def _dimensions(self, combos: Ints) -> dict[str, Any]:
        return {name: self.ctx.combo.keys[k][combos] for k, name in enumerate(DIMENSIONS)}

    def _guard_flags(self) -> None:
        """Per line: a check ran, was judged, triggered, blocked, was bypassed, is all there is."""
        checks, height = self.ctx.guardrails, self.ctx.height
        triggered = checks["triggered"]
        flags = {
            "guard_calls": np.ones(checks.height, dtype=bool),
            "guard_known": triggered != UNKNOWN_FLAG,
            "guard_triggered": triggered == YES,
            "guard_blocked": checks["blocked"].astype(bool),
            "guard_bypassed": checks["bypassed"].astype(bool),
        }
        self.guard = {}
        for name, where in flags.items():
            self.guard[name] = np.zeros(height, dtype=bool)
            self.guard[name][checks.row[where]] = True
        self.guard["guard_only"] = self.guard["guard_calls"] & ~self.ctx.calls

    def _checked(self) -> None:
        ctx = self.ctx
        rows = np.flatnonzero(self.guard["guard_calls"])
        if len(rows):
            groups = group([ctx.hour[rows], ctx.combo.index[rows]])
            self._put(
                "checked",
                {
                    "hour": _starts(ctx.hours, groups.keys[0]),
                    **self._dimensions(groups.keys[1]),
                    **{name: groups.count(mask[rows]) for name, mask in self.guard.items()},
                },
            )

    def _guard_users(self) -> None:
        ctx = self.ctx
        rows = np.flatnonzero(self.guard["guard_triggered"] & (ctx["user_hash"] != 0))
        if len(rows):
            users, index = np.unique(ctx["user_hash"][rows], return_inverse=True)
            groups = group([ctx.day[rows], index])
            self._put(
                "guard_users",
                {
                    "user": users[groups.keys[1]].view(np.int64),
                    "day": _starts(ctx.days, groups.keys[0]),
                    "triggered": groups.count(),
                },
            )

    def _calls(self) -> None:
        ctx = self.ctx
        rows = np.flatnonzero(ctx.calls)
        if not len(rows):
            return
        groups = group([ctx.bin[rows], ctx.combo.index[rows], ctx["failed"][rows]])

        def where(mask: Column) -> Ints:
            return groups.count(mask[rows])

        def total(values: Column, present: Column) -> Ints:
            return groups.sum(np.where(present, values, 0)[rows].astype(np.int64))

        columns: dict[str, Any] = {
            "bin": _starts(ctx.bins, groups.keys[0]),
            "failed": groups.keys[2],
            **self._dimensions(groups.keys[1]),
            "calls": groups.count(),
            "retried": where(ctx["retried"] == YES),
            "retry_known": where(ctx["retried"] != UNKNOWN_FLAG),
            "cache_hits": where(ctx["cache_hit"] == YES),
            "cache_known": where(ctx["cache_hit"] != UNKNOWN_FLAG),
            "latency_eligible": where(ctx.latency_eligible),
            "ttft_eligible": where(ctx.ttft_eligible),
        }
        for name, mask, values in (
            ("latency", ctx.latency, ctx["duration_us"]),
            ("ttft", ctx.ttft, ctx["ttft_us"]),
            ("tps", ctx.token_rate, self._token_rates()),
        ):
            present = np.where(mask, values, 0)[rows].astype(np.int64)
            high, low = sum_of_squares(groups, present)
            columns |= {
                f"{name}_n": where(mask),
                f"{name}_sum": groups.sum(present),
                f"{name}_sq_high": high,
                f"{name}_sq_low": low,
            }
        for name in ("input_tokens", "output_tokens"):
            present = ctx[name] != MISSING
            columns |= {name: total(ctx[name], present), f"{name}_n": where(present)}
        for name in ("cache_read_tokens", "cache_write_tokens", "reasoning_tokens"):
            columns[name] = total(ctx[name], ctx[name] != MISSING)
        priced = ctx["cost_nano_usd"] != MISSING
        columns |= {
            "cost": total(ctx["cost_nano_usd"], priced),
            "cost_n": where(priced),
            "session_cost": total(ctx["cost_nano_usd"], priced & (ctx["session_hash"] != 0)),
            "user_cost": total(ctx["cost_nano_usd"], priced & (ctx["user_hash"] != 0)),
        }
        self._put("calls", columns)

    def _costs(self) -> None:
        """Price the calls; everything after it sees what they cost."""
        ctx, pricing = self.ctx, self.pricing
        if pricing is None or not ctx.calls.any():
            return
        priced = costs.price(ctx, self.dictionaries, pricing)
        found = costs.sums(ctx, priced, self.dictionaries, pricing.plan)
        day, small, provider, model, operation = found.groups.keys
        self._put(
            "costs",
            {
                "day": _starts(ctx.days, day),
                "small": small,
                "provider": provider,
                "model": model,
                "operation": operation,
                **found.sums,
            },
        )

    def _token_rates(self) -> Ints:
        rates = np.zeros(self.ctx.height, dtype=np.int64)
        where = self.ctx.token_rate
        rates[where] = self.ctx.token_rates(where)
        return rates

    def _errors(self) -> None:
        ctx = self.ctx
        rows = np.flatnonzero(ctx.calls & (ctx["failed"] == YES))
        if len(rows):
            groups = group([ctx.hour[rows], ctx.combo.index[rows], ctx["error_class"][rows]])
            self._put(
                "errors",
                {
                    "hour": _starts(ctx.hours, groups.keys[0]),
                    **self._dimensions(groups.keys[1]),
                    "error_class": groups.keys[2],
                    "calls": groups.count(),
                },
            )

    def _finish_reasons(self) -> None:
        ctx = self.ctx
        rows = np.flatnonzero(ctx.calls)
        if len(rows):
            groups = group([ctx.day[rows], ctx["finish_reason"][rows]])
            self._put(
                "finish_reasons",
                {
                    "day": _starts(ctx.days, groups.keys[0]),
                    "finish_reason": groups.keys[1],
                    "calls": groups.count(),
                },
            )

    def _tenants(self) -> None:
        ctx = self.ctx
        rows = np.flatnonzero(ctx.calls | self.guard["guard_only"])
        if not len(rows):
            return
        groups = group([ctx.day[rows], ctx["tenant_id"][rows]])
        calls = ctx.calls[rows]
        columns: dict[str, Any] = {
            "day": _starts(ctx.days, groups.keys[0]),
            "tenant_id": groups.keys[1],
            "calls": groups.count(calls),
            "errors": groups.count(calls & (ctx["failed"][rows] == YES)),
            "error_known": groups.count(calls & (ctx["failed"][rows] != UNKNOWN_FLAG)),
            "latency_n": groups.count(ctx.latency[rows]),
            "latency_sum": groups.sum(np.where(ctx.latency, ctx["duration_us"], 0)[rows]),
            **{name: groups.count(mask[rows]) for name, mask in self.guard.items()},
        }
        for name, source in (
            ("input_tokens", "input_tokens"),
            ("output_tokens", "output_tokens"),
            ("cost", "cost_nano_usd"),
        ):
            present = calls & (ctx[source][rows] != MISSING)
            columns[name] = groups.sum(np.where(present, ctx[source][rows], 0))
            columns[f"{name}_n"] = groups.count(present)
        self._put("tenants", columns)

    def _child_groups(self, child: Child, keys: list[Ints]) -> tuple[Groups, dict[str, Any]]:
        ctx = self.ctx
        groups = group([ctx.hour[child.row], ctx.combo.index[child.row], *keys])
        return groups, {
            "hour": _starts(ctx.hours, groups.keys[0]),
            **self._dimensions(groups.keys[1]),
        }

    def _retrievals(self) -> None:
        child = self.ctx.retrievals
        if not child.height:
            return
        groups, columns = self._child_groups(
            child, [child["index_version"], child["embedding_model"]]
        )
        failed = child["failed"].astype(bool)
        chunks = child["n_chunks"].astype(np.int64)
        scored = child["top_score_micro"] != NO_TIME
        timed = child["duration_us"] != MISSING
        columns |= {
            "index_version": groups.keys[2],
            "embedding_model": groups.keys[3],
            "retrievals": groups.count(),
            "known": groups.count(child["hit"] != UNKNOWN_FLAG),
            "hits": groups.count(child["hit"] == YES),
            "by_expectation": groups.count(child["hit_by"] == HIT_EXPECTED),
            "by_flag": groups.count(child["hit_by"] == HIT_FLAGGED),
            "by_content": groups.count(child["hit_by"] == HIT_NOT_EMPTY),
            "chunks_known": groups.count(chunks != MISSING),
            "empty": groups.count((chunks == 0) & ~failed),
            "failed": groups.count(failed),
            "chunks": groups.sum(np.maximum(chunks, 0)),
            "score_n": groups.count(scored),
            "score_sum": groups.sum(np.where(scored, child["top_score_micro"], 0)),
            "expected": groups.sum(child["expected"].astype(np.int64)),
            "expected_found": groups.sum(child["expected_found"].astype(np.int64)),
            "latency_n": groups.count(timed),
            "latency_sum": groups.sum(np.where(timed, child["duration_us"], 0)),
        }
        self._put("retrievals", columns)
        pair = group([child["index_version"], child["embedding_model"]])
        texts = pair.keys[0] * PAIR_FACTOR + pair.keys[1]
        self._child_histogram("retrieval_latency", child, "index", pair.index, texts)

    def _chunks(self) -> None:
        child = self.ctx.chunks
        if child.height:
            groups = group([self.ctx.day[child.row], child["chunk"]])
            self._put(
                "chunks",
                {
                    "day": _starts(self.ctx.days, groups.keys[0]),
                    "chunk": groups.keys[1],
                    "retrievals": groups.count(),
                },
            )

    def _tools(self) -> None:
        child = self.ctx.tool_calls
        if not child.height:
            return
        groups, columns = self._child_groups(child, [child["tool"]])
        timed = child["duration_us"] != MISSING
        columns |= {
            "tool": groups.keys[2],
            "calls": groups.count(),
            "known": groups.count(child["failed"] != UNKNOWN_FLAG),
            "errors": groups.count(child["failed"] == YES),
            "timeouts": groups.count(child["timed_out"].astype(bool)),
            "args_known": groups.count(child["arguments_valid"] != UNKNOWN_FLAG),
            "args_invalid": groups.count(child["arguments_valid"] == NO),
            "fallback_known": groups.count(child["fallback"] != UNKNOWN_FLAG),
            "fallbacks": groups.count(child["fallback"] == YES),
            "latency_n": groups.count(timed),
            "latency_sum": groups.sum(np.where(timed, child["duration_us"], 0)),
        }
        self._put("tool_calls", columns)
        self._child_histogram("tool_latency", child, "tool", child["tool"])

    def _guardrails(self) -> None:
        """A line counts once per guardrail and stage, however often the check ran on it."""
        ctx, child = self.ctx, self.ctx.guardrails
        if not child.height:
            return
        row, columns = child.row, child.columns
        pair = group([columns["name"], columns["stage"]])
        once = group([row, pair.index])
        first = np.zeros(once.size, dtype=np.int64)
        first[once.index[::-1]] = np.arange(len(row))[::-1]
        row_of, pair_of = row[first], pair.index[first]
        groups = group([ctx.hour[row_of], ctx.combo.index[row_of], pair_of])

        def calls_with(mask: Column) -> Ints:
            return groups.count(np.bincount(once.index[mask], minlength=once.size) > 0)

        timed = columns["duration_us"] != MISSING
        of_check = groups.index[once.index]
        by_check = Groups(of_check, groups.keys, groups.size)
        self._put(
            "guardrails",
            {
                "hour": _starts(ctx.hours, groups.keys[0]),
                **self._dimensions(groups.keys[1]),
                "name": pair.keys[0][groups.keys[2]],
                "stage": pair.keys[1][groups.keys[2]],
                "calls": groups.count(),
                "known": calls_with(columns["triggered"] != UNKNOWN_FLAG),
                "triggered": calls_with(columns["triggered"] == YES),
                "blocked": calls_with(columns["blocked"].astype(bool)),
                "bypassed": calls_with(columns["bypassed"].astype(bool)),
                "latency_n": by_check.count(timed),
                "latency_sum": by_check.sum(np.where(timed, columns["duration_us"], 0)),
            },
        )
        texts = pair.keys[0] * PAIR_FACTOR + pair.keys[1]
        self._child_histogram("guardrail_latency", child, "guardrail", pair.index, texts)

    def _actions(self) -> None:
        ctx, child = self.ctx, self.ctx.actions
        if not child.height:
            return
        groups = group([ctx.day[child.row], child["action"], child["tier"], child["review"]])
        timed = child["duration_us"] != MISSING
        self._put(
            "actions",
            {
                "day": _starts(ctx.days, groups.keys[0]),
                "action": groups.keys[1],
                "tier": groups.keys[2],
                "review": groups.keys[3],
                "actions": groups.count(),
                "latency_n": groups.count(timed),
                "latency_sum": groups.sum(np.where(timed, child["duration_us"], 0)),
            },
        )

    def _requests(self) -> None:
        """Whole requests: root spans, by how long they took and whether they failed."""
        ctx, names = self.ctx, ("service", "environment", "release")
        rows = np.flatnonzero(ctx.request_us != MISSING)
        if not len(rows):
            return
        values = ctx.request_us[rows]
        failed = ctx["failed"][rows]
        groups = group([ctx.hour[rows], failed, *(ctx[name][rows] for name in names)])
        high, low = sum_of_squares(groups, values)
        self._put(
            "requests",
            {
                "hour": _starts(ctx.hours, groups.keys[0]),
                "failed": groups.keys[1],
                **dict(zip(names, groups.keys[2:], strict=True)),
                "request_n": groups.count(),
                "request_sum": groups.sum(values),
                "request_sq_high": high,
                "request_sq_low": low,
            },
        )
        for _, found in by_scopes(values, [("", ctx.hour[rows])]):
            self._cells("request_latency", "", found, ctx.hours, None)

    def _constraints(self) -> None:
        ctx = self.ctx
        self.broken = watched.broken(ctx, self.watch, self.dictionaries)
        nothing = np.zeros(ctx.height, dtype=bool)
        for number, one in enumerate(self.broken):
            whole = ("", one.calls, one.looked_at, one.unread, one.violated)
            parts = [(by, nothing, nothing, nothing, mask) for by, mask in one.by.items()]
            for by, *masks in (whole, *parts):
                rows = np.flatnonzero(np.logical_or.reduce(masks))
                if not len(rows):
                    continue
                groups = group([ctx.day[rows]])
                self._put(
                    "constraints",
                    {
                        "constraint": np.full(groups.size, number),
                        "by": np.full(groups.size, 1 + BROKEN_BY.index(by) if by else 0),
                        "day": _starts(ctx.days, groups.keys[0]),
                        **{
                            name: groups.count(mask[rows])
                            for name, mask in zip(CONSTRAINT_SUMS, masks, strict=True)
                        },
                    },
                )

    def _tool_limits(self) -> None:
        ctx, child = self.ctx, self.ctx.tool_calls
        if not child.height:
            return
        found = watched.tool_limits(ctx, self.watch, self.dictionaries)
        rows = np.flatnonzero(found.timed | found.invalid)
        if len(rows):
            groups = group([ctx.day[child.row[rows]], child["tool"][rows]])
            self._put(
                "tool_limits",
                {
                    "tool": groups.keys[1],
                    "day": _starts(ctx.days, groups.keys[0]),
                    **{name: groups.count(getattr(found, name)[rows]) for name in TOOL_LIMIT_SUMS},
                },
            )

    def _child_histogram(
        self, metric: str, child: Child, scope: str, codes: Ints, texts: Ints | None = None
    ) -> None:
        """Cells per day and code; `texts` are the codes to store where `codes` only number them."""
        timed = child["duration_us"] != MISSING
        values, own = child["duration_us"][timed], codes[timed].astype(np.int64)
        if len(values):
            card = int(own.max()) + 1
            days = self.ctx.day[child.row[timed]]
            for _, found in by_scopes(values, [(scope, days * card + own)]):
                self._cells(metric, scope, found, self.ctx.days, card, texts)

    def _call_histograms(self) -> None:
        ctx = self.ctx
        failed = ctx["failed"] == YES
        rates = self._token_rates()
        cost, size = ctx["cost_nano_usd"], ctx["input_tokens"]
        for metric, mask, source, dimensions in (
            ("latency_ok", ctx.latency & ~failed, ctx["duration_us"], DIMENSIONS),
            ("latency_failed", ctx.latency & failed, ctx["duration_us"], DIMENSIONS),
            ("ttft", ctx.ttft, ctx["ttft_us"], DIMENSIONS),
            ("tps", ctx.token_rate, rates, DIMENSIONS),
            ("cost", ctx.calls & (cost != MISSING), cost, ("model",)),
            ("input_tokens", ctx.calls & (size != MISSING), size, ("model",)),
        ):
            rows = np.flatnonzero(mask)
            if not len(rows):
                continue
            values: Ints = source[rows]
            day = ctx.day[rows]
            scopes = [("", ctx.hour[rows])]
            cards = {}
            for name in dimensions:
                codes = ctx[name][rows].astype(np.int64)
                cards[name] = int(codes.max()) + 1
                scopes.append((name, day * cards[name] + codes))
            for name, found in by_scopes(values, scopes):
                card = cards.get(name)
                starts = ctx.hours if card is None else ctx.days
                self._cells(metric, name, found, starts, card)

    def _cells(
        self,
        metric: str,
        name: str,
        found: Any,
        starts: list[int | None],
        card: int | None,
        texts: Ints | None = None,
    ) -> None:
        def keys(groups: Ints) -> dict[str, Any]:
            start, code = (
                (groups, np.zeros_like(groups)) if card is None else np.divmod(groups, card)
            )
            return {
                "metric": np.full(len(groups), METRICS.index(metric)),
                "dimension": np.full(len(groups), SCOPES.index(name)),
                "value": texts[code] if texts is not None else code,
                "start": _starts(starts, start),
            }

        self._put("histograms", {**keys(found.group), "bucket": found.bucket, "count": found.count})
        self._put("extremes", {**keys(found.groups), "min": found.low, "max": found.high})

    def _objective(self, number: int, objective: Objective) -> None:
        counted = objectives.count(objective, self.ctx, self.dictionaries)
        rows = np.flatnonzero(counted.eligible)
        self._put(
            "objectives",
            {
                "objective": np.full(len(rows), number),
                "bin": _starts(self.ctx.bins, rows),
                "good": counted.good[rows],
                "total": counted.total[rows],
                "sum": counted.sum[rows],
                "eligible": counted.eligible[rows],
            },
        )
        if objective.segment is None:  # comparisons are of the whole
            self._blocks(number, 0, counted.judged, None)
            self._sides(number, counted.judged)
        if counted.values is not None and len(counted.values):
            zeros = np.zeros(len(counted.values), dtype=np.int64)
            for _, found in by_scopes(counted.values, [("objective", zeros)]):
                self._cells(
                    "objective", "objective", found, [None], 1, np.array([number], dtype=np.int64)
                )

    def _sides(self, number: int, judged: objectives.Judged) -> None:
        for side, members in enumerate(self.sides, 1):
            self._blocks(number, side, judged, members)

    def _blocks(
        self, number: int, side: int, judged: objectives.Judged, members: Mask | None
    ) -> None:
        events = blocks.columns(number, side, judged, self.ctx, members)
        if events is not None:
            self._put("blocks", events)


def _starts(starts: list[int | None], index: Ints) -> pl.Series:
    table = pl.Series(starts, dtype=pl.Int64)
    return table.gather(pl.Series(index))
