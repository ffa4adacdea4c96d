"""What the logs say about the things that gates judge, taken out of a partial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from gonogo.conventions import BIN_SECONDS
from gonogo.evidence.spikes import Spike, spikes
from gonogo.measures.guards import guardrail_cost
from gonogo.privacy import clean_label
from gonogo.records import REVIEWS
from gonogo.results import FieldCoverage
from gonogo.rollup.counting import largest
from gonogo.rollup.partial import CONSTRAINT_SUMS, TOOL_LIMIT_SUMS, WITNESS_SEPARATOR, Partial

_NOT_ANSWERING: Final = ("embeddings", "embedding")
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Provider:
    """Calls to a provider; `first` is when the first of them with a time was made (epoch s)."""

    name: str
    calls: int
    first: int | None


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """What answers: prompt version, served model, and the embedding model it retrieves with.

    "" stands for what is not logged, or for no retrieval.
    """

    prompt_version: str
    model: str
    retrieval: str

    def __str__(self) -> str:
        parts = (self.prompt_version or "no prompt version", self.model or "no model")
        return " × ".join((*parts, *([self.retrieval] if self.retrieval else ())))


@dataclass(frozen=True, slots=True)
class ActionCount:
    """Actions of one name, tier (0 not logged) and outcome of review."""

    name: str
    tier: int
    review: str
    actions: int
    latency_n: int
    latency_us: int


@dataclass(frozen=True, slots=True)
class GuardrailCount:
    """One guardrail and stage: calls it ran on, latency_p95 in µs."""

    name: str
    stage: str
    calls: int
    triggered: int
    bypassed: int
    latency_p95: int | None


@dataclass(frozen=True, slots=True)
class ConstraintCount:
    """Calls that should have an output; of those looked at, not handed on, and breaking it.

    `by` has the outputs by what breaks the constraint in them (records.BROKEN_BY).
    """

    calls: int = 0
    looked_at: int = 0
    unread: int = 0
    violated: int = 0
    by: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolCount:
    """Calls of one tool; those with a time to hold against its timeout, and those over it."""

    name: str
    calls: int = 0
    args_known: int = 0
    timed: int = 0
    over: int = 0
    invalid: int = 0
    invalid_handled: int = 0


@dataclass(frozen=True, slots=True)
class IndexCount:
    """Retrievals of one index version and embedding model ("" where it is not logged).

    `first` is when the first was made (epoch s), `score_micro` the sum of top scores × 10⁶.
    """

    version: str
    model: str
    retrievals: int
    score_n: int
    score_micro: int
    first: int | None


@dataclass(frozen=True, slots=True)
class Witness:
    """A trace that shows something: `what` (constraint, action), its name, and why."""

    what: str
    name: str
    why: str
    trace_id: str | None
    span_id: str | None
    time: int | None
    model: str | None


@dataclass(frozen=True, slots=True)
class Observed:
    """Facts of the logs. `today` is the day of `as_of` in the declared zone; None: no times."""

    today: date | None = None
    as_of: int | None = None
    newest: int | None = None
    calls: int = 0
    checked: int = 0
    """lines on which some guardrail ran and that are no call"""
    providers: tuple[Provider, ...] = ()
    without_provider: int = 0
    versions: dict[Version, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    peak_per_minute: Fraction | None = None
    longest_gap: int = 0
    """seconds between two 5-minute bins with calls"""
    actions: tuple[ActionCount, ...] = ()
    guardrails: tuple[GuardrailCount, ...] = ()
    guardrail_share: Fraction | None = None
    """of what calls cost; None where the log carries no cost of a check"""
    coverage: tuple[FieldCoverage, ...] = ()
    constraints: dict[str, ConstraintCount] = field(default_factory=dict)
    witnesses: tuple[Witness, ...] = ()
    tools: tuple[ToolCount, ...] = ()
    indexes: tuple[IndexCount, ...] = ()
    spikes: tuple[Spike, ...] = ()
    zone: str = "UTC"


def observe(
    partial: Partial,
    coverage: Sequence[FieldCoverage],
    as_of: int | None,
    zone: ZoneInfo,
    latency_p95: dict[tuple[str, str], int | None],
) -> Observed:
    """The facts of a partial; `latency_p95` is by (guardrail, stage), in µs."""
    columns = ("bin", "provider", "prompt_version", "model", "operation", "calls")
    calls = partial.frames["calls"].select(columns)
    bins = calls.filter(pl.col("bin").is_not_null()).group_by("bin").agg(pl.col("calls").sum())
    starts = bins.sort("bin")["bin"].to_list()
    peak = Fraction(largest(bins["calls"]), BIN_SECONDS // 60) if starts else None
    checked = partial.frames["checked"]["guard_only"].sum()
    return Observed(
        today=None if as_of is None else datetime.fromtimestamp(as_of, zone).date(),
        as_of=as_of,
        newest=None if partial.last_us is None else partial.last_us // 1_000_000,
        calls=int(calls["calls"].sum()),
        checked=int(checked),
        providers=_providers(calls),
        without_provider=int(calls.filter(pl.col("provider").is_null())["calls"].sum()),
        versions=_versions(calls, partial.frames["retrievals"]),
        errors=_errors(partial.frames["errors"]),
        peak_per_minute=peak,
        longest_gap=max((b - a - BIN_SECONDS for a, b in pairwise(starts)), default=0),
        actions=_actions(partial.frames["actions"]),
        guardrails=_guardrails(partial.frames["guardrails"], latency_p95),
        guardrail_share=guardrail_cost(partial).share,
        coverage=tuple(coverage),
        constraints=_constraints(partial.frames["constraints"]),
        witnesses=_witnesses(partial.exemplars),
        tools=_tools(partial.frames["tool_calls"], partial.frames["tool_limits"]),
        indexes=_indexes(partial.frames["retrievals"]),
        spikes=spikes(*(partial.frames[name] for name in ("checked", "tenants", "guard_users"))),
        zone=zone.key,
    )


def _rows(frame: pl.DataFrame, by: list[str], *sums: str) -> list[dict[str, Any]]:
    grouped = frame.group_by(by).agg(pl.col(name).sum() for name in sums)
    return grouped.sort(by, nulls_last=True).to_dicts()


def _providers(calls: pl.DataFrame) -> tuple[Provider, ...]:
    named = calls.filter(pl.col("provider").is_not_null())
    rows = named.group_by("provider").agg(pl.col("calls").sum(), pl.col("bin").min())
    return tuple(Provider(*row) for row in rows.sort("provider").rows())


def _versions(calls: pl.DataFrame, retrievals: pl.DataFrame) -> dict[Version, int]:
    """Calls by version; calls without retrieval count for the versions that retrieve."""
    answering = ~pl.col("operation").fill_null("").str.to_lowercase().is_in(_NOT_ANSWERING)
    found: dict[tuple[str, str], int] = {}
    for row in _rows(calls.filter(answering), ["prompt_version", "model"], "calls"):
        found[row["prompt_version"] or "", row["model"] or ""] = row["calls"]
    keys = ["prompt_version", "model", "embedding_model"]
    used: dict[tuple[str, str], list[str]] = {}
    columns = [*keys, "operation", "retrievals"]
    for row in _rows(retrievals.select(columns).filter(answering), keys, "retrievals"):
        if row["embedding_model"]:
            pair = (row["prompt_version"] or "", row["model"] or "")
            used.setdefault(pair, []).append(row["embedding_model"])
    return {
        Version(*pair, retrieval): number
        for pair, number in sorted(found.items())
        for retrieval in used.get(pair, [""])
    }


def _errors(errors: pl.DataFrame) -> dict[str, int]:
    rows = _rows(errors, ["error_class"], "calls")
    return {row["error_class"] or "other": row["calls"] for row in rows}


def _actions(actions: pl.DataFrame) -> tuple[ActionCount, ...]:
    rows = _rows(actions, ["action", "tier", "review"], "actions", "latency_n", "latency_sum")
    return tuple(
        ActionCount(
            row["action"] or "(not named)",
            row["tier"],
            REVIEWS[row["review"]],
            row["actions"],
            row["latency_n"],
            row["latency_sum"],
        )
        for row in rows
    )


def _guardrails(
    frame: pl.DataFrame, latency_p95: dict[tuple[str, str], int | None]
) -> tuple[GuardrailCount, ...]:
    found = []
    for row in _rows(frame, ["name", "stage"], "calls", "triggered", "bypassed"):
        name, stage = row["name"] or "(not named)", row["stage"] or ""
        found.append(
            GuardrailCount(
                name,
                stage,
                row["calls"],
                row["triggered"],
                row["bypassed"],
                latency_p95.get((row["name"], row["stage"])),
            )
        )
    return tuple(found)


def _constraints(frame: pl.DataFrame) -> dict[str, ConstraintCount]:
    found: dict[str, ConstraintCount] = {}
    by: dict[str, dict[str, int]] = {}
    for row in _rows(frame, ["constraint", "by"], *CONSTRAINT_SUMS):
        name = row["constraint"]
        sums = {key: row[key] for key in CONSTRAINT_SUMS}
        if row["by"]:
            by.setdefault(name, {})[row["by"]] = row["violated"]
        else:
            found[name] = ConstraintCount(**sums, by=by.setdefault(name, {}))
    return found


def _witnesses(exemplars: pl.DataFrame) -> tuple[Witness, ...]:
    found = []
    for row in exemplars.to_dicts():
        what, *rest = row["kind"].split(WITNESS_SEPARATOR)
        if not rest:
            continue
        trace, span = (_clean(row[key]) for key in ("trace_id", "span_id"))
        time = None if row["start_us"] is None else row["start_us"] // 1_000_000
        name = WITNESS_SEPARATOR.join(rest[:-1])
        found.append(Witness(what, name, rest[-1], trace, span, time, row["model"]))
    return tuple(found)


def _clean(text: str | None) -> str | None:
    return None if text is None else clean_label(text)


def _tools(calls: pl.DataFrame, limits: pl.DataFrame) -> tuple[ToolCount, ...]:
    over = {row["tool"]: row for row in _rows(limits, ["tool"], *TOOL_LIMIT_SUMS)}
    none = dict.fromkeys(TOOL_LIMIT_SUMS, 0)
    return tuple(
        ToolCount(
            row["tool"] or "(not named)",
            row["calls"],
            row["args_known"],
            **{key: over.get(row["tool"], none)[key] for key in TOOL_LIMIT_SUMS},
        )
        for row in _rows(calls, ["tool"], "calls", "args_known")
    )


def _indexes(retrievals: pl.DataFrame) -> tuple[IndexCount, ...]:
    keys = ["index_version", "embedding_model"]
    rows = retrievals.group_by(keys).agg(
        *(pl.col(name).sum() for name in ("retrievals", "score_n", "score_sum")),
        pl.col("hour").min(),
    )
    return tuple(
        IndexCount(version or "", model or "", number, n, micro, first)
        for version, model, number, n, micro, first in rows.sort(keys, nulls_last=True).rows()
    )
