"""The configuration as the rest of the program sees it: checked, complete, frozen."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from gonogo.config.evidence import Gates
from gonogo.conventions import Severity, Source
from gonogo.indicators import INDICATORS, Indicator

Comparator = Literal["<=", "<", ">=", ">"]


@dataclass(frozen=True, slots=True)
class Waiver:
    """Somebody accepts that an objective is missed, for a reason and until a day (not included)."""

    owner: str
    reason: str
    expires: datetime.date


@dataclass(frozen=True, slots=True)
class Segment:
    """One value of the dimension that an objective is grouped by.

    `label` is the value as it may be shown; `values` the texts of the log behind it, None for a
    missing one; `merged` how many small segments it holds, 0 for a single one.
    """

    key: str
    label: str
    values: tuple[str | None, ...]
    merged: int = 0


@dataclass(frozen=True, slots=True)
class Sliced:
    """Slices of time, of so many seconds each, and the objective that each of them keeps or not."""

    seconds: int
    inner: Objective


@dataclass(frozen=True, slots=True)
class Objective:
    """One threshold.

    `statistic` is `rate` for a ratio, else `mean` or a percentile such as `p95` (then `quantile`
    is 19/20). `selector` holds (key, glob pattern) pairs, sorted by key. `limit` is exact, in the
    indicator's unit (µs, a ratio of 1, nano-dollars, ...).
    """

    id: str
    indicator: str
    statistic: str
    quantile: Fraction | None
    selector: tuple[tuple[str, str], ...]
    comparator: Comparator
    limit: Fraction
    expression: str
    source: Source
    severity: Severity = Severity.BLOCKING
    minimum: int = 1
    owner: str | None = None
    runbook: str | None = None
    agreed_by: str | None = None
    defined_at: str | None = None
    waiver: Waiver | None = None
    sliced: Sliced | None = None
    group_by: str | None = None
    segment: Segment | None = None
    segments: int = 0
    """values that the dimension of `group_by` was found to have"""
    window: int = 7 * 86_400
    """seconds that its error budget is for"""

    @property
    def spec(self) -> Indicator:
        """Its indicator; of slices, the share of them that keep the limit."""
        found = INDICATORS[self.indicator]
        if self.sliced is None:
            return found
        minutes, inner = self.sliced.seconds // 60, self.sliced.inner
        what = found.title if inner.statistic == "rate" else f"{inner.statistic} {found.title}"
        return replace(
            found,
            title=f"{what}, {minutes}-minute slices",
            kind="ratio",
            unit="ratio",
            formula=f"slices of {minutes} min that keep the limit / slices with events; "
            f"{found.title}: {found.formula}",
            good_is_low=False,
        )

    @property
    def is_mean(self) -> bool:
        """Whether it is a mean of values, or a projection of one."""
        return self.statistic == "mean" or self.spec.kind == "projection"

    @property
    def target(self) -> Fraction | None:
        """Share of good events that meets the objective; None for a mean or a projection."""
        if self.is_mean:
            return None
        if self.quantile is not None:
            return self.quantile if self.comparator in ("<=", "<") else 1 - self.quantile
        return 1 - self.limit if self.spec.bad_is_counted else self.limit


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A declared range of time that is left out (maintenance, a load test); epoch seconds."""

    start: int
    end: int
    reason: str
    owner: str


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """An entry of `[[prices.model]]`: who asks how much, and from when until when.

    `model` and `provider` are glob patterns, `tier` is one of records.TIERS or None for all of
    them. `rates` are exact US dollars per million tokens by bucket (`per_call`: for each call);
    without any, `discount` is off the list price. Times are epoch seconds, [start, end).
    """

    model: str
    provider: str | None
    start: int | None
    end: int | None
    rates: dict[str, Fraction]
    discount: Fraction
    defined_at: str
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class Prices:
    """`[prices]`: what calls are priced by, beside the public list."""

    models: tuple[OwnPrice, ...] = ()
    prefer: Literal["logged", "priced"] = "logged"
    public_list: bool = True
    """whether models without a price of one's own are priced by the public list"""
    discount: Fraction = Fraction(0)
    """off every list price"""
    max_unknown: Fraction = Fraction(1, 20)
    """share of the calls without a price above which no cost objective is judged"""


@dataclass(frozen=True, slots=True)
class CostPlan:
    """`[cost]`: the traffic that is planned for, and levers to estimate."""

    calls_per_day: int | None = None
    cheaper_model: str | None = None
    cheaper_provider: str | None = None
    cheaper_under: int | None = None
    """input tokens up to which a call may go to the cheaper model"""
    cheaper_operations: tuple[str, ...] = ()
    stable_prefix: int | None = None
    """tokens at the start of every prompt that never change"""
    trim_percentile: int = 90
    offline_operations: tuple[str, ...] = ()
    batch_discount: Fraction = Fraction(1, 2)
    sampling_rate: Fraction = Fraction(1)
    """the share of the traffic that was logged, as --sampling-rate says"""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two parts of one log: calls with one value of a dimension against those with another.

    `new` and `old` are glob patterns; without `old`, all calls with another value than `new`.
    """

    dimension: str
    new: str
    old: str | None

    @property
    def text(self) -> str:
        """As it is written: model=new..old."""
        return f"{self.dimension}={self.new}" + (f"..{self.old}" if self.old else "")


@dataclass(frozen=True, slots=True)
class Compare:
    """`[compare]`: what is compared, what is of importance, and what a regression does."""

    band: Fraction = Fraction(1, 10)
    """share of the old value (of what the limit allows, for a rate) that is of no importance"""
    regressions: Severity = Severity.INFORMATIONAL
    baseline: str | None = None
    against: tuple[Contrast, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """A burn-rate alert: two windows in seconds, and the share of the error budget at stake.

    It fires while both windows spend the budget faster than would use up the share in `long`.
    """

    alert: Literal["page", "ticket"]
    budget: Fraction
    long: int
    short: int

    def factor(self, window: int) -> Fraction:
        """That speed, as a multiple of what lasts exactly the `window` of the budget (seconds)."""
        return self.budget * window / self.long


@dataclass(frozen=True, slots=True)
class LogoFile:
    """The picture of the pages: its path as written, and where that stands (file:line:column)."""

    path: str
    defined_at: str


@dataclass(frozen=True, slots=True)
class Site:
    """`[site]`: how the pages call themselves, and what they may publish."""

    title: str | None = None
    subtitle: str = ""
    logo: LogoFile | None = None
    accent: str | None = None
    footer: str = ""
    trace_url: str | None = None
    publish: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration; the default instance is what holds where there is no file."""

    path: str | None = None
    sha256: str | None = None
    timezone: str = "UTC"
    objectives: tuple[Objective, ...] = ()
    objectives_source: Source = Source.DEFAULT
    minimum_coverage: Fraction = Fraction(1, 2)
    fields: dict[str, str] = field(default_factory=dict)
    """canonical field -> dotted path in the user's log, read before the alias table"""
    exclusions: tuple[Exclusion, ...] = ()
    not_applicable: dict[str, str] = field(default_factory=dict)
    """table or field name -> the reason why the application has none"""
    top: int = 20
    """values of a dimension that a table shows before the rest folds into (other)"""
    site: Site = Site()
    gates: Gates = field(default_factory=Gates)
    content: str = ""
    """hash of what is configured; sign-offs are bound to it"""
    prices: Prices = Prices()
    cost: CostPlan = CostPlan()
    compare: Compare = Compare()
    mappings: tuple[str, ...] = ()
    """mapping files of `[logs]`, relative to the configuration"""
    burn_rates: tuple[Pair, ...] = ()
    """pairs of windows in place of the published ones"""
