"""Objectives as they were judged, and the excursions beyond their limits."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gonogo.conventions import (
    Severity,
    Source,
    Status,
)
from gonogo.results.base import Epoch, Model


class Budget(Model):
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


class BurnPair(Model):
    """Two windows whose burn rates raise an alert, and how often they would have."""

    alert: Literal["page", "ticket"]
    budget: str = Field(description="share of the budget that the long window may not spend")
    factor: str = Field(description="burn rate above which both windows must be")
    long_seconds: int
    short_seconds: int
    fired: int = Field(description="times that it would have fired")
    note: str = Field(default="", description="why it could not fire; empty where it could")


class BurnAlert(Model):
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


class Burn(Model):
    """Burn-rate alerts replayed over the log."""

    seconds: int = Field(description="window of the error budget")
    source: str = Field(description="where the pairs are published; empty for one's own")
    pairs: tuple[BurnPair, ...]
    alerts: tuple[BurnAlert, ...] = Field(description="by time; the first of each pair if many")


class Waiver(Model):
    """Somebody accepts that the objective is missed."""

    owner: str
    reason: str
    expires: str = Field(description="the day from which it is void, YYYY-MM-DD")
    in_force: bool = Field(description="false where it has expired, or the logs carry no time")


class ObjectiveResult(Model):
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

    @property
    def accepted(self) -> str:
        """Until when, by whom and why it is accepted that it is missed; "" where it is not."""
        if not self.is_waived or self.waiver is None:
            return ""
        return f"waived until {self.waiver.expires} by {self.waiver.owner}: {self.waiver.reason}"


class Coincidence(Model):
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


class FirstSeen(Model):
    """A value that occurred for the first time within an hour of an onset."""

    dimension: str
    value: str
    time: Epoch = Field(description="start of the bin or hour of its first event")


class Step(Model):
    """One thing that happened within a call, in the order in which it is logged."""

    name: str
    duration_us: int | None
    failed: bool


class TraceLine(Model):
    """Another line of the trace of a call, which began within ten minutes of it."""

    name: str
    offset_us: int = Field(description="start after the start of the call; negative before it")
    duration_us: int | None
    failed: bool


class Witness(Model):
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
    beside: tuple[TraceLine, ...] = Field(default=(), description="by their start")
    beside_left_out: int = Field(default=0, description="further lines, all of them shorter")


class Impact(Model):
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


class Excursion(Model):
    """An interval of bad bins of one objective; a breach where the objective itself is BREACHED."""

    id: str
    objective: str
    title: str
    is_breach: bool
    onset: Epoch
    end: Epoch
    ongoing: bool = Field(description="not followed by two full bins within the limit yet")
    onset_between: tuple[Epoch, Epoch] | None = Field(
        default=None, description="where the onset lies with 95 % confidence"
    )
    end_between: tuple[Epoch, Epoch] | None = Field(
        default=None, description="where the end lies with 95 % confidence; None while it goes on"
    )
    bad: int
    total: int
    peak_bad: int
    peak_total: int
    peak_at: Epoch
    bins: int
    sentence: str
    seen: str = Field(default="", description="in words, what was counted, against the limit")
    impact: Impact | None = None
    coincidences: tuple[Coincidence, ...] = Field(default=(), description="clearest first")
    first_seen: tuple[FirstSeen, ...] = ()
    witnesses: tuple[Witness, ...] = ()
