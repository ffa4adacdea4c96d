"""Partials: the sums that everything is computed from, and their merge.

Each frame has key columns and columns that are summed, or kept as minimum or maximum. Merging is
concatenating and grouping again: commutative and associative, with the empty partial as zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.conventions import DIMENSIONS
from gonogo.pricing.rates import BUCKETS, Why
from gonogo.rollup import spend
from gonogo.stats.distinct import Distinct

EXEMPLARS_KEPT: Final = {
    "slowest": 3,
    "failed": 3,
    "blocked": 3,
    "dearest": 3,
    "control": 1,
    "dearest_request": 3,
}

WHY: Final = tuple(why for why in Why if why is not Why.PRICED)
DIFFERENCES: Final = (
    "same",
    "cached_full",
    "written_plain",
    "cached_twice",
    "cached_free",
    "reasoning_twice",
    "reasoning_free",
    "hour_as_usual",
    "tier_ignored",
    "other",
)
"""How a logged cost differs from the priced one; `costs.py` says what each means."""
COST_KINDS: Final = ("failed", "abandoned", "retried", "missed", "hashed", "waited", "guarding")
"""Calls whose cost is summed by itself: those whose money was wasted, those with a hash of their
prompt, and those of a tier that waits (batch, flex)."""

_CLOSE: Final = 2**16
"""Integers that span less than this need not be ranked to be packed."""
_DISTRIBUTION: Final = ("n", "sum", "sq_high", "sq_low")


def _distribution(name: str) -> tuple[str, ...]:
    return tuple(f"{name}_{part}" for part in _DISTRIBUTION)


CALL_SUMS: Final = (
    "calls",
    "retried",
    "retry_known",
    "cache_hits",
    "cache_known",
    *_distribution("latency"),
    "latency_eligible",
    *_distribution("ttft"),
    "ttft_eligible",
    *_distribution("tps"),
    "input_tokens",
    "input_tokens_n",
    "output_tokens",
    "output_tokens_n",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cost",
    "cost_n",
    "session_cost",
    "user_cost",
)
# Lines on which a check ran: calls, and (`guard_only`) lines that hold nothing else, as a request
# does that was blocked before the model was asked.
CHECKED_SUMS: Final = (
    "guard_calls",
    "guard_known",
    "guard_triggered",
    "guard_blocked",
    "guard_bypassed",
    "guard_only",
)
TENANT_SUMS: Final = (
    "calls",
    "errors",
    "error_known",
    "latency_n",
    "latency_sum",
    "input_tokens",
    "input_tokens_n",
    "output_tokens",
    "output_tokens_n",
    "cost",
    "cost_n",
    *CHECKED_SUMS,
)
RETRIEVAL_SUMS: Final = (
    "retrievals",
    "known",
    "hits",
    "by_expectation",
    "by_flag",
    "by_content",
    "chunks_known",
    "empty",
    "failed",
    "chunks",
    "score_n",
    "score_sum",
    "expected",
    "expected_found",
    "latency_n",
    "latency_sum",
)
TOOL_SUMS: Final = (
    "calls",
    "known",
    "errors",
    "timeouts",
    "args_known",
    "args_invalid",
    "fallback_known",
    "fallbacks",
    "latency_n",
    "latency_sum",
)
GUARDRAIL_SUMS: Final = (
    "calls",
    "known",
    "triggered",
    "blocked",
    "bypassed",
    "latency_n",
    "latency_sum",
    "checks",
    "cost_n",
    "cost",
)
REQUEST_SUMS: Final = _distribution("request")
ACTION_SUMS: Final = ("actions", "latency_n", "latency_sum")
EVALUATION_SUMS: Final = ("evaluations", "score_n", "score_sum", "judged", "passed")


COST_SUMS: Final = (
    "calls",
    "cost",
    "cost_n",
    "logged",
    "logged_n",
    "from_log",
    "from_list",
    "from_own",
    "free",
    "hits",
    "hits_priced",
    "saved",
    "both",
    "both_logged",
    "both_priced",
    "tokens_known",
    "tokens_unknown",
    *(f"why_{int(why)}" for why in WHY),
    *(f"tokens_{bucket}" for bucket in BUCKETS),
    *(f"nano_{bucket}" for bucket in BUCKETS),
    "nano_per_call",
    "priced",
    "priced_n",
    *(f"{kind}_{what}" for kind in COST_KINDS for what in ("n", "cost")),
    "weighted_n",
    "weighted_known",
    "weighted_cost",
    "stands_n",
    "stands_known",
    "stands_cost",
    "prefix_tokens",
    "prefix_saves",
    *(f"differs_{kind}_{what}" for kind in DIFFERENCES for what in ("n", "nano")),
)


CONSTRAINT_SUMS: Final = ("calls", "looked_at", "unread", "violated")
"""Calls that should have an output; of those: looked at, not handed on by an adapter, bad."""
TOOL_LIMIT_SUMS: Final = (
    "timed",
    "over",
    "invalid",
    "invalid_handled",
)


@dataclass(frozen=True, slots=True)
class Spec:
    """The columns of one frame of a partial."""

    texts: tuple[str, ...]
    numbers: tuple[str, ...]
    sums: tuple[str, ...] = ()
    minimum: tuple[str, ...] = ()
    maximum: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return (*self.texts, *self.numbers)

    @property
    def schema(self) -> dict[str, type[pl.DataType]]:
        values = (*self.numbers, *self.sums, *self.minimum, *self.maximum)
        return {**dict.fromkeys(self.texts, pl.String), **dict.fromkeys(values, pl.Int64)}

    def combine(self, frames: list[pl.DataFrame]) -> pl.DataFrame:
        """One frame of many: equal keys are one row; sorted by the keys."""
        filled = [f for f in frames if f.height]
        if len(filled) < 2:
            return self.ordered(filled[0]) if filled else pl.DataFrame(schema=self.schema)
        # By one integer: texts are compared once each, not with every row.
        whole = pl.concat(filled)
        places = pl.int_range(whole.height, eager=True).alias("place")
        rows = whole.select(self.values).with_columns(self.packed(whole), places)
        found = rows.group_by("key").agg(*self._sums, pl.col("place").first()).sort("key")
        return whole.select(self.keys)[found["place"]].hstack(found.select(self.values))

    def ordered(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows in the one order that a partial keeps them in: by the keys, nulls last."""
        return frame[self.packed(frame).arg_sort()] if frame.height else frame

    def packed(self, frame: pl.DataFrame) -> pl.Series:
        """One integer a row that is equal, and ordered, as the keys are; nulls last."""
        packed, size = np.zeros(frame.height, dtype=np.int64), 1
        for name in self.keys:
            codes, span = _codes(frame[name])
            if size * span >= 2**62:
                different, packed = np.unique(packed, return_inverse=True)
                size = len(different)
            packed *= span
            packed += codes
            size *= span
        return pl.Series("key", packed)

    @property
    def values(self) -> tuple[str, ...]:
        return (*self.sums, *self.minimum, *self.maximum)

    @property
    def _sums(self) -> tuple[pl.Expr, ...]:
        return (
            *(pl.col(name).sum() for name in self.sums),
            *(pl.col(name).min() for name in self.minimum),
            *(pl.col(name).max() for name in self.maximum),
        )

    def grouped(self, frames: list[pl.DataFrame]) -> pl.DataFrame:
        """One frame of many, in no order."""
        filled = [f for f in frames if f.height]
        if not filled:
            return pl.DataFrame(schema=self.schema)
        return pl.concat(filled).group_by(self.keys).agg(self._sums)


def _codes(column: pl.Series) -> tuple[NDArray[np.int64], int]:
    """Numbers from 0 that are equal, and ordered, as the values are, and what all are less than."""
    if column.dtype.is_integer():
        low, high = column.min(), column.max()
        if isinstance(low, int) and isinstance(high, int) and high - low < _CLOSE:
            far = column.cast(pl.Int64) - low
            return far.fill_null(high - low + 1).to_numpy(), high - low + 2
    known = column.drop_nulls().unique().sort()
    if column.dtype == pl.String:
        codes = column.cast(pl.Enum(known)).to_physical().cast(pl.Int64)
    else:
        codes = known.search_sorted(column).cast(pl.Int64)
    return codes.set(column.is_null(), len(known)).to_numpy(), len(known) + 1


# `bin` is the start of 5 minutes, `hour` and `day` of an hour and a day of the declared zone, all
# in epoch seconds and null where a record has no time.
FRAMES: Final[dict[str, Spec]] = {
    "calls": Spec(DIMENSIONS, ("bin", "failed"), CALL_SUMS),
    "errors": Spec((*DIMENSIONS, "error_class"), ("hour",), ("calls",)),
    "checked": Spec(DIMENSIONS, ("hour",), CHECKED_SUMS),
    "finish_reasons": Spec(("finish_reason",), ("day",), ("calls",)),
    "tenants": Spec(("tenant_id",), ("day",), TENANT_SUMS),
    "retrievals": Spec(
        (*DIMENSIONS, "index_version", "embedding_model"), ("hour",), RETRIEVAL_SUMS
    ),
    # `small` is 1 for calls of few input tokens, of which a cheaper model could be asked.
    "costs": Spec(("provider", "model", "operation"), ("day", "small"), COST_SUMS),
    # Root spans: whole requests, which have no model of their own.
    "requests": Spec(("service", "environment", "release"), ("hour", "failed"), REQUEST_SUMS),
    "chunks": Spec(("chunk",), ("day",), ("retrievals",)),
    "tool_calls": Spec((*DIMENSIONS, "tool"), ("hour",), TOOL_SUMS),
    "guardrails": Spec((*DIMENSIONS, "name", "stage"), ("hour",), GUARDRAIL_SUMS),
    # Users who set off a guardrail, by the hash of their id; nobody else is kept.
    "guard_users": Spec(("user",), ("day",), ("triggered",)),
    "actions": Spec(("action",), ("day", "tier", "review"), ACTION_SUMS),
    "evaluations": Spec(("evaluation", "release"), ("day",), EVALUATION_SUMS),
    # `by` is "" for a constraint as a whole, else what broke it (records.BROKEN_BY).
    "constraints": Spec(("constraint", "by"), ("day",), CONSTRAINT_SUMS),
    "tool_limits": Spec(("tool",), ("day",), TOOL_LIMIT_SUMS),
    # dimension "" with `start` an hour: all rows; else `start` is a day and value one of the
    # dimension; dimension "objective" has no start.
    "histograms": Spec(("metric", "dimension", "value"), ("start", "bucket"), ("count",)),
    "extremes": Spec(("metric", "dimension", "value"), ("start",), (), ("min",), ("max",)),
    "objectives": Spec(("objective",), ("bin",), ("good", "total", "sum", "eligible")),
    # `side` is "0" for all calls, with `start` an hour; else a side of a comparison within the log,
    # with `start` a 5-minute bin. `bucket` is the lowest of those kept as one, -1 for a ratio.
    "blocks": Spec(
        ("objective", "side", "model", "operation"), ("start", "bucket"), ("good", "total", "sum")
    ),
    "counters": Spec(("name",), (), ("count",)),
    # What sessions and users cost: `kind` is one of spend.KINDS, `who` a hash, `level` see there.
    "spend": Spec((), spend.KEYS, spend.SUMS),
}

# Scopes of histograms whose value is made of two texts.
PAIRS: Final = {"guardrail": ("name", "stage"), "index": ("index_version", "embedding_model")}
PAIR_SEPARATOR: Final = "\x1f"

EXEMPLAR_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "kind": pl.String,
    "score": pl.Int64,
    "tie": pl.UInt64,
    "trace_id": pl.String,
    "span_id": pl.String,
    "start_us": pl.Int64,
    "model": pl.String,
    "operation": pl.String,
    "release": pl.String,
    "duration_us": pl.Int64,
    "cost_nano_usd": pl.Int64,
    "error_class": pl.String,
    "calls": pl.Int64,
}


WITNESSES_KEPT: Final = 5
MOST_WITNESSED: Final = 200
"""Kinds of witnesses; names of actions come from the log, and there may be any number of them."""
WITNESS_SEPARATOR: Final = "\x1f"
"""Parts the kind of a witness: `constraint`, name, what broke it; `action`, name, review."""


def kept_of(kinds: Iterable[str]) -> dict[str, int]:
    """How many exemplars of each kind stay: the fixed ones, then witnesses in order of name."""
    witnessed = sorted(kind for kind in set(kinds) if WITNESS_SEPARATOR in kind)
    return EXEMPLARS_KEPT | dict.fromkeys(witnessed[:MOST_WITNESSED], WITNESSES_KEPT)


def keep_exemplars(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """The exemplars that stay: highest score first, then the smallest hash, then all the rest."""
    every = pl.concat([pl.DataFrame(schema=EXEMPLAR_SCHEMA), *frames])
    columns = list(EXEMPLAR_SCHEMA)
    ranked = every.unique().sort(
        columns, descending=[c == "score" for c in columns], nulls_last=True
    )
    kept = [
        ranked.filter(pl.col("kind") == kind).head(number)
        for kind, number in kept_of(ranked["kind"].to_list()).items()
    ]
    return pl.concat(kept)


@dataclass(frozen=True, slots=True)
class Partial:
    """Everything counted over some share of the traces."""

    frames: dict[str, pl.DataFrame]
    sessions: Distinct = field(default_factory=Distinct)
    users: Distinct = field(default_factory=Distinct)
    exemplars: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=EXEMPLAR_SCHEMA))
    first_us: int | None = None
    last_us: int | None = None
    prompts: Distinct = field(default_factory=Distinct)
    """of the prompts that no gateway cache answered, by their hash"""

    @staticmethod
    def zero() -> Partial:
        """The partial of no traces."""
        return Partial({name: pl.DataFrame(schema=spec.schema) for name, spec in FRAMES.items()})

    def counter(self, name: str) -> int:
        found = self.frames["counters"].filter(pl.col("name") == name)["count"]
        return int(found.sum())


def merge(partials: list[Partial]) -> Partial:
    """The partial of all the traces together."""
    if not partials:
        return Partial.zero()
    none = Distinct()
    firsts = [p.first_us for p in partials if p.first_us is not None]
    lasts = [p.last_us for p in partials if p.last_us is not None]
    frames = {n: spec.combine([p.frames[n] for p in partials]) for n, spec in FRAMES.items()}
    frames["spend"] = spend.thinned(frames["spend"])
    return Partial(
        frames,
        none.merge(*(p.sessions for p in partials)),
        none.merge(*(p.users for p in partials)),
        keep_exemplars([p.exemplars for p in partials]),
        min(firsts, default=None),
        max(lasts, default=None),
        none.merge(*(p.prompts for p in partials)),
    )
