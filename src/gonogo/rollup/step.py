"""The counts of one block: what the map step adds to a partial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gonogo.config.model import Objective
from gonogo.conventions import DIMENSIONS
from gonogo.records import (
    MISSING,
    UNKNOWN_FLAG,
    YES,
)
from gonogo.rollup import blocks, costs, objectives
from gonogo.rollup.children import Children
from gonogo.rollup.context import Mask
from gonogo.rollup.counting import Ints, group, sum_of_squares
from gonogo.rollup.histograms import by_scopes
from gonogo.rollup.tally import Column, starts_of


class Step(Children):
    """The counts of one block; text columns hold codes."""

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
        self._evaluations()
        self._requests()
        self._constraints()
        self._tool_limits()
        self._call_histograms()
        for number, objective in enumerate(wanted):
            self._objective(number, objective)
        for number, objective in enumerate(self.extra, len(wanted)):
            self._sides(number, objectives.judge(objective, self.ctx, self.dictionaries))

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
                    "hour": starts_of(ctx.hours, groups.keys[0]),
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
                    "day": starts_of(ctx.days, groups.keys[0]),
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
            "bin": starts_of(ctx.bins, groups.keys[0]),
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
                "day": starts_of(ctx.days, day),
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
                    "hour": starts_of(ctx.hours, groups.keys[0]),
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
                    "day": starts_of(ctx.days, groups.keys[0]),
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
            "day": starts_of(ctx.days, groups.keys[0]),
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

    def _objective(self, number: int, objective: Objective) -> None:
        counted = objectives.count(objective, self.ctx, self.dictionaries)
        rows = np.flatnonzero(counted.eligible)
        self._put(
            "objectives",
            {
                "objective": np.full(len(rows), number),
                "bin": starts_of(self.ctx.bins, rows),
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
