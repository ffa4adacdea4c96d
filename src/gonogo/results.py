"""The result of a run: one frozen, versioned object of which every output is a rendering.

Nothing here computes. Counts are integers, durations integer microseconds, money integer
nano-dollars, times epoch seconds (UTC). A ratio is kept as its numerator and denominator and is
divided only when it is printed. Absent values are None, never zero.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gonogo.conventions import (
    RESULT_SCHEMA_VERSION,
    ChangeWord,
    Evidence,
    Severity,
    Source,
    Status,
    Verdict,
)

Scalar = int | str | bool | None
Epoch = Annotated[int, Field(description="seconds since 1970-01-01T00:00:00Z")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Model):
    """One column of a table.

    `kind` says how a cell comes about: `value` is stored under `key`; `ratio` and `mean` are
    divided when shown, from the stored columns `num` and `den` (so that sums stay possible).
    `hidden` columns are stored and downloadable, but not shown on the page.
    """

    key: str
    title: str
    unit: Literal[
        "text", "count", "us", "ratio", "nano_usd", "tokens", "milli_tps", "time", "score"
    ]
    kind: Literal["value", "ratio", "mean", "hidden"] = "value"
    num: str | None = None
    den: str | None = None
    help: str = ""


class Table(_Model):
    """A columnar table: `data[key]` holds one list per stored column, all of one length."""

    id: str
    title: str
    columns: tuple[Column, ...]
    data: dict[str, list[Scalar]]
    note: str = ""

    @property
    def height(self) -> int:
        return len(next(iter(self.data.values()), []))


class Period(_Model):
    """What was looked at: [start, end) in epoch seconds; None where no record has a time."""

    label: str
    start: Epoch | None
    end: Epoch | None
    first: Epoch | None = Field(description="time of the earliest record")
    last: Epoch | None = Field(description="time of the newest record")
    timezone: str
    provisional: bool = Field(
        description="the period ended less than 24 hours before the newest record"
    )
    untimed_calls: int


class Budget(_Model):
    """Error budget in events: allowed = (1 - target) x total, and how much of it is spent."""

    allowed_num: int = Field(description="allowed bad events x allowed_den, exact")
    allowed_den: int
    bad: int
    exhausted_at: Epoch | None = Field(
        default=None, description="end of the 5 minutes that overspent it, where that is known"
    )


class WindowBudget(Budget):
    """The error budget of the objective's own window: the newest stretch of that length.

    Where the log is shorter than the window, `allowed` is at the traffic of the log.
    """

    seconds: int = Field(description="length of the window")
    start: Epoch
    end: Epoch
    total: int = Field(description="events in the window")


class BurnPair(_Model):
    """Two windows whose burn rates raise an alert, and how often they would have."""

    alert: Literal["page", "ticket"]
    budget: str = Field(description="share of the budget that the long window may not spend")
    factor: str = Field(description="burn rate above which both windows must be")
    long_seconds: int
    short_seconds: int
    fired: int = Field(description="times that it would have fired")
    note: str = Field(default="", description="why it could not fire; empty where it could")


class BurnAlert(_Model):
    """A time at which a pair of windows would have alerted somebody."""

    alert: Literal["page", "ticket"]
    long_seconds: int
    short_seconds: int
    fired: Epoch
    resolved: Epoch | None = Field(description="None where it was still so at the newest record")
    onset: Epoch | None = Field(description="onset of the excursion that it is about, where known")
    bad: int = Field(description="bad events in the long window when it fired")
    total: int
    by_chance: bool = Field(description="too few events to tell it from a service at its limit")
    sentence: str


class Burn(_Model):
    """Burn-rate alerts replayed over the log."""

    seconds: int = Field(description="window of the error budget")
    source: str = Field(description="where the pairs are published; empty for one's own")
    pairs: tuple[BurnPair, ...]
    alerts: tuple[BurnAlert, ...] = Field(description="by time; the first of each pair if many")


class Waiver(_Model):
    """Somebody accepts that the objective is missed."""

    owner: str
    reason: str
    expires: str = Field(description="the day from which it is void, YYYY-MM-DD")
    in_force: bool = Field(description="false where it has expired, or the logs carry no time")


class ObjectiveResult(_Model):
    """One objective, judged."""

    id: str = Field(description="canonical text of indicator, statistic and selector")
    slug: str = Field(description="the same as a page anchor")
    title: str
    expression: str = Field(description="as written: latency.p95 <= 2.5s")
    indicator: str
    statistic: str
    selector: dict[str, str]
    comparator: Literal["<=", "<", ">=", ">"]
    limit: str = Field(description="the limit in the unit of the indicator, exact decimal text")
    unit: Literal["us", "ratio", "nano_usd", "milli_tps", "tokens"]
    formula: str
    source: Source
    severity: Severity
    status: Status
    reason: str = Field(description="one sentence that says why the status is what it is")
    hint: str = Field(description="what to do or to log next; empty when met")
    observed: float | None = Field(description="the indicator over the period, in its unit")
    low: float | None = Field(description="95 % interval, in the unit of the indicator")
    high: float | None
    bound: float | None = Field(description="one-sided 95 % bound that decides MET or AT_RISK")
    interval_method: str
    good: int | None = Field(description="events on the good side; None for a mean")
    total: int = Field(description="events judged")
    eligible: int = Field(description="events that could have carried the value")
    minimum: int = Field(description="smallest sample that is judged")
    needed: int | None = Field(description="further events needed to carry the claim")
    budget: Budget | None
    excursions: tuple[str, ...] = ()
    owner: str | None = None
    runbook: str | None = None
    agreed_by: str | None = None
    defined_at: str | None = Field(
        default=None, description="file:line:column in the configuration"
    )
    group_by: str | None = Field(
        default=None, description="dimension of which it is one value, or several together"
    )
    slice_seconds: int | None = Field(
        default=None, description="length of the slices of time that are counted as events"
    )
    window_budget: WindowBudget | None = None
    burn: Burn | None = None
    waiver: Waiver | None = None

    @property
    def is_waived(self) -> bool:
        """Whether it is missed, and somebody accepts that for now."""
        return self.status is Status.BREACHED and self.waiver is not None and self.waiver.in_force


class Coincidence(_Model):
    """A value that stands out among the bad events of an excursion: it coincides, which is not to
    say that it is the cause."""

    dimension: str
    value: str
    against: Literal["others", "period"] = Field(
        description="others: events of other values in the same time; period: all events of the "
        "period, where every event of the excursion has this value"
    )
    bad: int = Field(description="bad events with this value")
    events: int = Field(description="events with it in the same time")
    all_bad: int
    share: float = Field(description="its share of what it is held against")
    lift: float = Field(description="its share of the bad events over that")


class FirstSeen(_Model):
    """A value that occurred for the first time within an hour of an onset."""

    dimension: str
    value: str
    time: Epoch = Field(description="start of the bin or hour of its first event")


class Step(_Model):
    """One thing that happened within a call, in the order in which it is logged."""

    name: str
    duration_us: int | None
    failed: bool


class Witness(_Model):
    """A call worth opening for an excursion, by a stated rule."""

    kind: Literal["worst", "typical", "control"]
    rule: str
    trace_id: str | None
    span_id: str | None
    time: Epoch
    model: str | None
    operation: str | None
    release: str | None
    duration_us: int | None
    error_class: str | None
    steps: tuple[Step, ...] = ()


class Impact(_Model):
    """Whom and what an excursion touched: those with at least one bad event in it."""

    calls: int
    sessions: int
    users: int
    tenants: int
    without_session: int = Field(description="of the calls, those that log no session")
    without_user: int
    cost_nano_usd: int | None = Field(description="what these calls cost, as far as it is known")
    extra_cost_nano_usd: int | None = Field(
        description="above what as many good calls of the same time cost"
    )
    priced: int


class Excursion(_Model):
    """An interval of bad bins of one objective; a breach where the objective itself is BREACHED."""

    id: str
    objective: str
    title: str
    is_breach: bool
    onset: Epoch
    end: Epoch
    ongoing: bool
    bad: int
    total: int
    peak_bad: int
    peak_total: int
    peak_at: Epoch
    bins: int
    sentence: str
    impact: Impact | None = None
    coincidences: tuple[Coincidence, ...] = Field(default=(), description="clearest first")
    first_seen: tuple[FirstSeen, ...] = ()
    witnesses: tuple[Witness, ...] = ()


class Reason(_Model):
    """One line under the verdict; `objective` or `gate` is the thing that it is about."""

    status: Status
    text: str
    objective: str | None = None
    gate: str | None = None


class Decision(_Model):
    """A verdict with its reasons, worst first."""

    verdict: Verdict
    headline: str
    reasons: tuple[Reason, ...]


class Finding(_Model):
    """One thing that a gate was judged by; advice is shown and decides nothing."""

    status: Status
    evidence: Evidence
    text: str
    by: str = Field(default="", description="who or what says so")
    next_step: str = ""
    advice: bool = False


class Gate(_Model):
    """One gate of readiness (golden set, sign-offs, ...), judged from evidence."""

    id: str
    title: str
    status: Status
    evidence: Evidence
    text: str
    next_step: str
    required: bool = False
    findings: tuple[Finding, ...] = Field(default=(), description="worst first")


class SourceFile(_Model):
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


class Problem(_Model):
    """One kind of trouble in the input, counted; `example` says where it was first met."""

    code: str
    what: str
    count: int
    example: str
    hint: str


class IngestReport(_Model):
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


class FieldCoverage(_Model):
    """How many of the rows that should carry a field do carry it."""

    field: str
    title: str
    present: int
    applicable: int
    required: bool
    hint: str


class Exemplar(_Model):
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


class ConfigEcho(_Model):
    """The configuration as used."""

    path: str | None
    sha256: str | None
    objectives_source: Source
    lines: tuple[str, ...] = Field(
        description="effective settings, one per line, for the Data page"
    )
    content: str = Field(default="", description="hash that sign-offs are bound to")


class BlockSums(_Model):
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


class Change(_Model):
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


class Comparison(_Model):
    """One side against another: this period against a baseline, or two parts of one log."""

    id: str
    title: str
    kind: Literal["period", "segment"]
    new: str = Field(description="what is judged")
    old: str = Field(description="what it is held against")
    refused: str = Field(default="", description="why nothing of it can be compared")
    notes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = Field(default=(), description="worst first")


class SiteInfo(_Model):
    """What the page calls itself."""

    title: str
    subtitle: str = ""
    accent: str | None = None
    footer: str = ""
    trace_url: str | None = None
    history: bool = Field(
        default=False, description="a page of all periods stands in the folder above"
    )


class Revision(_Model):
    """One edition of a period: what it said, and why there is another one."""

    number: int = Field(description="1 for the first edition")
    as_of: Epoch | None
    verdict: Verdict
    calls: int
    accepted: int = Field(description="records that were read, of any kind")
    reason: str = Field(description="what changed since the edition before; empty for the first")


class ReadinessResult(_Model):
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


class Normal(_Model):
    """What is usual: events of the same hours of the day, and where they are from."""

    bad: int
    total: int
    source: str


class Standing(_Model):
    """An objective inside the window of an incident, as counted there."""

    objective: ObjectiveResult
    bad: int
    total: int


class Incident(_Model):
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
    standings: tuple[Standing, ...] = Field(description="every counted objective, nearest first")
    ingest: IngestReport
    notes: tuple[str, ...]
    command: str
