"""The result of a run: one frozen, versioned object of which every output is a rendering.

Nothing here computes. Counts are integers, durations integer microseconds, money integer
nano-dollars, times epoch seconds (UTC). A ratio is kept as its numerator and denominator and is
divided only when it is printed. Absent values are None, never zero.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gonogo.conventions import (
    RESULT_SCHEMA_VERSION,
    ChangeWord,
    Evidence,
    Severity,
    Source,
    Status,
    Verdict,
)
from gonogo.results.base import Column, Epoch, Model, Period, Scalar, Table
from gonogo.results.objectives import (
    Budget,
    Burn,
    BurnAlert,
    BurnPair,
    Coincidence,
    Excursion,
    FirstSeen,
    Impact,
    ObjectiveResult,
    Step,
    TraceLine,
    Waiver,
    WindowBudget,
    Witness,
)

__all__ = [
    "BlockSums",
    "Budget",
    "Burn",
    "BurnAlert",
    "BurnPair",
    "Change",
    "Coincidence",
    "Column",
    "Comparison",
    "ConfigEcho",
    "Decision",
    "Epoch",
    "Excursion",
    "Exemplar",
    "FieldCoverage",
    "Finding",
    "FirstSeen",
    "Gate",
    "Impact",
    "Incident",
    "IngestReport",
    "Normal",
    "ObjectiveResult",
    "Period",
    "Problem",
    "ReadinessResult",
    "Reason",
    "Revision",
    "Scalar",
    "SiteInfo",
    "SourceFile",
    "Standing",
    "Step",
    "Table",
    "TraceLine",
    "Waiver",
    "WindowBudget",
    "Witness",
]


class Reason(Model):
    """One line under the verdict; `objective` or `gate` is the thing that it is about."""

    status: Status
    text: str
    objective: str | None = None
    gate: str | None = None


class Decision(Model):
    """A verdict with its reasons, worst first."""

    verdict: Verdict
    headline: str
    reasons: tuple[Reason, ...]


class Finding(Model):
    """One thing that a gate was judged by; advice is shown and decides nothing."""

    status: Status
    evidence: Evidence
    text: str
    by: str = Field(default="", description="who or what says so")
    next_step: str = ""
    advice: bool = False


class Gate(Model):
    """One gate of readiness (golden set, sign-offs, ...), judged from evidence."""

    id: str
    title: str
    status: Status
    evidence: Evidence
    text: str
    next_step: str
    required: bool = False
    findings: tuple[Finding, ...] = Field(default=(), description="worst first")


class SourceFile(Model):
    """One input file; `lines` = accepted + quarantined + duplicates, blank lines not among them."""

    path: str
    format: str
    sha256: str
    bytes: int
    lines: int
    accepted: int
    quarantined: int
    duplicates: int
    note: str = ""


class Problem(Model):
    """One kind of trouble in the input, counted; `example` says where it was first met."""

    code: str
    what: str
    count: int
    example: str
    hint: str


class IngestReport(Model):
    """What was read. The conservation law: lines = accepted + quarantined + duplicates."""

    files: tuple[SourceFile, ...]
    lines: int
    accepted: int
    quarantined: int
    duplicates: int
    conflicting_duplicates: int
    outside_period: int
    filtered: int = Field(description="accepted, but not selected by --where")
    excluded: int = Field(description="accepted, but inside a declared [[exclude]] range")
    folded: int = Field(description="wrapper spans that repeat their children, counted once")
    orphans: int = Field(default=0, description="lines whose parent span is not in the logs")
    calls: int
    not_calls: int = Field(
        description="accepted lines that hold only a retrieval, tool call or check"
    )
    problems: tuple[Problem, ...]


class FieldCoverage(Model):
    """How many of the rows that should carry a field do carry it."""

    field: str
    title: str
    present: int
    applicable: int
    required: bool
    hint: str


class Exemplar(Model):
    """One trace worth opening, by a stated rule."""

    kind: Literal["slowest", "failed", "blocked", "dearest", "control", "dearest_request"]
    rule: str
    trace_id: str | None
    span_id: str | None
    time: Epoch | None
    model: str | None
    operation: str | None
    release: str | None
    duration_us: int | None
    cost_nano_usd: int | None
    error_class: str | None
    calls: int = Field(default=1, description="calls that the cost is of: a request may hold many")


class ConfigEcho(Model):
    """The configuration as used."""

    path: str | None
    sha256: str | None
    objectives_source: Source
    lines: tuple[str, ...] = Field(
        description="effective settings, one per line, for the Data page"
    )
    content: str = Field(default="", description="hash that sign-offs are bound to")
    options: tuple[str, ...] = Field(
        default=(), description="what to write on a command line to look at the same calls again"
    )


class BlockSums(Model):
    """The events of one objective by hour, model and operation: what a later period is compared
    with. All lists have one length; hours are epoch seconds, None where a record has no time."""

    objective: str = Field(description="id of the objective")
    strata: tuple[tuple[str | None, str | None], ...] = Field(description="(model, operation)")
    stratum: tuple[int, ...] = Field(description="index into strata")
    hour: tuple[Epoch | None, ...]
    good: tuple[int, ...]
    total: tuple[int, ...]
    sum: tuple[int, ...]
    buckets: tuple[str, ...] = Field(
        description="values as bucket:count pairs, 4.4 % wide; empty for a ratio"
    )


class Change(Model):
    """One figure, here and there. Shares are in their own direction: hits for a hit rate."""

    objective: str
    title: str
    unit: Literal["us", "ratio", "nano_usd", "milli_tps", "tokens"]
    word: ChangeWord
    text: str = Field(description="one sentence with the numbers")
    regression: Status | None = Field(
        default=None, description="what it does to the verdict; None where it does nothing"
    )
    severity: Severity = Severity.INFORMATIONAL
    new: float | None
    old: float | None
    new_total: int = Field(description="events of this side")
    old_total: int
    difference: float | None = Field(description="new - old, in the unit")
    low: float | None = Field(description="95 % interval of the difference")
    high: float | None
    band: float | None = Field(description="differences up to it are of no practical importance")
    method: str
    adjusted: float | None = Field(
        description="the difference if both sides had the old side's mix of models and operations"
    )
    adjusted_low: float | None
    adjusted_high: float | None
    adjusted_note: str = Field(description="why there is no adjusted one, or what it leaves out")


class Comparison(Model):
    """One side against another: this period against a baseline, or two parts of one log."""

    id: str
    title: str
    kind: Literal["period", "segment"]
    new: str = Field(description="what is judged")
    old: str = Field(description="what it is held against")
    refused: str = Field(default="", description="why nothing of it can be compared")
    notes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = Field(default=(), description="worst first")


class SiteInfo(Model):
    """What the page calls itself."""

    title: str
    subtitle: str = ""
    logo: str | None = Field(default=None, description="the picture as a data: URI in base64")
    accent: str | None = None
    footer: str = ""
    trace_url: str | None = None
    history: bool = Field(
        default=False, description="a page of all periods stands in the folder above"
    )


class Revision(Model):
    """One edition of a period: what it said, and why there is another one."""

    number: int = Field(description="1 for the first edition")
    as_of: Epoch | None
    verdict: Verdict
    calls: int
    accepted: int = Field(description="records that were read, of any kind")
    reason: str = Field(description="what changed since the edition before; empty for the first")


class ReadinessResult(Model):
    """Everything a report says, and nothing that it does not."""

    schema_version: int = RESULT_SCHEMA_VERSION
    generator: str
    profile: Literal["public", "internal"]
    site: SiteInfo
    as_of: Epoch | None = Field(description="the data's end unless told; the only clock")
    period: Period
    readiness: Decision
    slo: Decision
    telemetry_only: bool
    notice: str = Field(description="what must be read before the verdict; empty when nothing")
    objectives: tuple[ObjectiveResult, ...] = Field(description="worst first")
    excursions: tuple[Excursion, ...]
    gates: tuple[Gate, ...] = ()
    not_applicable: dict[str, str] = Field(default_factory=dict, description="table -> reason")
    coverage: tuple[FieldCoverage, ...]
    tables: dict[str, Table]
    exemplars: tuple[Exemplar, ...]
    ingest: IngestReport
    config: ConfigEcho
    notes: tuple[str, ...] = Field(default=(), description="caps, estimates and other small print")
    comparisons: tuple[Comparison, ...] = ()
    blocks: tuple[BlockSums, ...] = Field(default=(), description="for comparisons to come")
    revisions: tuple[Revision, ...] = Field(
        default=(),
        description="editions of this period, this one last; none without --period",
    )


class Normal(Model):
    """What is usual: events of the same hours of the day, and where they are from."""

    bad: int
    total: int
    source: str
    share: str = Field(default="", description="in words: of what the indicator counts")


class Standing(Model):
    """An objective inside the window of an incident, as counted there."""

    objective: ObjectiveResult
    bad: int = Field(description="0 for a mean")
    total: int
    seen: str = Field(default="", description="in words, what was counted, against the limit")
    observed: float | None = Field(default=None, description="a mean, over the window; its unit")
    is_over: bool = Field(
        default=False, description="a mean that is over its limit by more than chance explains"
    )


class Incident(Model):
    """What is over its limit in a stretch of time, for whoever is on call."""

    schema_version: int = 1
    generator: str
    profile: Literal["public", "internal"]
    title: str
    trace_url: str | None
    timezone: str
    as_of: Epoch | None = Field(description="time of the newest record")
    start: Epoch | None = Field(description="of the window that was asked for")
    end: Epoch | None
    default_thresholds: bool
    excursions: tuple[Excursion, ...] = Field(description="that overlap the window, worst first")
    normals: dict[str, Normal] = Field(description="by id of an excursion")
    standings: tuple[Standing, ...] = Field(description="what was counted there, nearest first")
    ingest: IngestReport
    warnings: tuple[str, ...] = Field(default=(), description="what must be read beside the rest")
    notes: tuple[str, ...]
    command: str
