"""The configuration as the rest of the program sees it: checked, complete, frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from gonogo.config.evidence import Gates
from gonogo.conventions import Severity, Source
from gonogo.indicators import INDICATORS, Indicator

Comparator = Literal["<=", "<", ">=", ">"]


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

    @property
    def spec(self) -> Indicator:
        return INDICATORS[self.indicator]

    @property
    def target(self) -> Fraction | None:
        """Share of good events that meets the objective; None for a mean."""
        if self.statistic == "mean":
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
class Site:
    title: str | None = None
    subtitle: str = ""
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
