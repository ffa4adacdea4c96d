"""The counts of what calls have beside them: retrievals, tools, guardrails, actions, scores,
requests.
"""

from __future__ import annotations

import numpy as np

from gonogo.records import (
    BROKEN_BY,
    HIT_EXPECTED,
    HIT_FLAGGED,
    HIT_NOT_EMPTY,
    MISSING,
    NO,
    NO_SCORE,
    NO_TIME,
    UNKNOWN_FLAG,
    YES,
)
from gonogo.rollup import watched
from gonogo.rollup.counting import Groups, Ints, group, sum_of_squares
from gonogo.rollup.histograms import by_scopes
from gonogo.rollup.partial import CONSTRAINT_SUMS, TOOL_LIMIT_SUMS
from gonogo.rollup.tally import PAIR_FACTOR, Column, Tally, starts_of


class Children(Tally):
    """The frames of the child tables of one block, and of whole requests."""

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
                    "day": starts_of(self.ctx.days, groups.keys[0]),
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
        costed = columns["cost_nano_usd"] != MISSING
        of_check = groups.index[once.index]
        by_check = Groups(of_check, groups.keys, groups.size)
        self._put(
            "guardrails",
            {
                "hour": starts_of(ctx.hours, groups.keys[0]),
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
                "checks": by_check.count(),
                "cost_n": by_check.count(costed),
                "cost": by_check.sum(np.where(costed, columns["cost_nano_usd"], 0)),
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
                "day": starts_of(ctx.days, groups.keys[0]),
                "action": groups.keys[1],
                "tier": groups.keys[2],
                "review": groups.keys[3],
                "actions": groups.count(),
                "latency_n": groups.count(timed),
                "latency_sum": groups.sum(np.where(timed, child["duration_us"], 0)),
            },
        )

    def _evaluations(self) -> None:
        ctx, child = self.ctx, self.ctx.evaluations
        if not child.height:
            return
        groups = group([ctx.day[child.row], child["evaluation"], ctx["release"][child.row]])
        scored = child["score_micro"] != NO_SCORE
        self._put(
            "evaluations",
            {
                "day": starts_of(ctx.days, groups.keys[0]),
                "evaluation": groups.keys[1],
                "release": groups.keys[2],
                "evaluations": groups.count(),
                "score_n": groups.count(scored),
                "score_sum": groups.sum(np.where(scored, child["score_micro"], 0)),
                "judged": groups.count(child["passed"] != UNKNOWN_FLAG),
                "passed": groups.count(child["passed"] == YES),
            },
        )

    def _requests(self) -> None:
        """Whole requests: root spans, by how long they took and whether they failed."""
        ctx, names = self.ctx, ("service", "environment", "release")
        rows = np.flatnonzero(ctx.request_us != MISSING)
        if not len(rows):
            return
        values = ctx.request_us[rows]
        failed = ctx.request_failed[rows]
        groups = group([ctx.hour[rows], failed, *(ctx[name][rows] for name in names)])
        high, low = sum_of_squares(groups, values)
        self._put(
            "requests",
            {
                "hour": starts_of(ctx.hours, groups.keys[0]),
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
                        "day": starts_of(ctx.days, groups.keys[0]),
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
                    "day": starts_of(ctx.days, groups.keys[0]),
                    **{name: groups.count(getattr(found, name)[rows]) for name in TOOL_LIMIT_SUMS},
                },
            )
