"""What `readiness.toml` says about everything that is not a threshold on traffic.

Each dataclass has the fields of its section by the same names. None stands for what is not said.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

GATE_IDS: Final = ("golden_set", "projected_traffic", "data_flows", "oversight", "observability")
"""The five gates that production needs; others are judged where their section stands."""

OTHER_GATE_IDS: Final = (
    "constraints",
    "tools",
    "retrieval",
    "use_case",
    "owners",
    "signoffs",
    "failure_modes",
)

ROLES: Final = ("legal", "security", "data_governance", "risk", "product")
DIMENSIONS: Final = ("value", "frequency", "data", "error_tolerance", "measurable")
OWNERS: Final = ("eval", "decision", "production", "domain_expert")
STAGES: Final = ("pilot", "shadow", "canary", "limited", "full")
ALERTS: Final = ("latency.p95", "error_rate", "guardrail_trigger_rate")
GUARDRAILS: Final = (
    "input:prompt_injection",
    "input:pii",
    "input:jailbreak",
    "output:pii",
    "output:policy",
    "output:groundedness",
    "rate_limit:user",
    "rate_limit:tenant",
)
PII: Final = ("email", "phone", "card", "iban", "national_id", "secret")
"""Kinds of personal and secret data that an output can be searched for."""


@dataclass(frozen=True, slots=True)
class UseCase:
    """The rubric (each dimension 1 to 3), the price of an error, and how old the pilot is."""

    value: int | None = None
    frequency: int | None = None
    data: int | None = None
    error_tolerance: int | None = None
    measurable: int | None = None
    cost_of_error: Fraction | None = None
    baseline_error_rate: Fraction | None = None
    accepted_by: str | None = None
    pilot_started: datetime.date | None = None
    production_date: datetime.date | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Owners:
    """Names of people; `external` holds the roles that an outsider fills."""

    eval: str | None = None
    decision: str | None = None
    production: str | None = None
    domain_expert: str | None = None
    external: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signoff:
    """Somebody's consent in a role; `configuration` is the hash that it was given for."""

    role: str
    by: str
    date: datetime.date
    expires: datetime.date | None = None
    scope: str | None = None
    evidence: str | None = None
    configuration: str | None = None


@dataclass(frozen=True, slots=True)
class DataFlow:
    """A class of data that goes to a provider, approved or not."""

    data_class: str
    provider: str
    region: str | None = None
    retention: str | None = None
    approved_by: str | None = None
    approved_on: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class FailureMode:
    """A way of failing that is known; `errors` are patterns of error classes, `constraints` of the
    names of constraints."""

    name: str
    errors: tuple[str, ...] = ()
    likelihood: str | None = None
    mitigation: str | None = None
    owner: str | None = None
    constraints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert; `fired_in_test` is when it last did."""

    indicator: str
    over: str | None = None
    owner: str | None = None
    fired_in_test: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class Observability:
    """How fresh, how gapless and how complete the logs have to be."""

    freshness_hours: int = 24
    longest_gap_hours: int = 12
    coverage: Fraction = Fraction(9, 10)
    alert_test_days: int = 90


@dataclass(frozen=True, slots=True)
class Action:
    """A real-world action: tier 1 runs, 2 is reviewed, 3 is approved beforehand."""

    name: str
    tier: int
    reversible: bool | None = None
    reviewer_sees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guardrail:
    """What a logged guardrail covers, and when that was last tested."""

    name: str
    covers: tuple[str, ...]
    tested: datetime.date | None = None
    coverage: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Oversight:
    """Which guardrails must be there, on what share of calls, and who empties the review queue."""

    guardrails: tuple[str, ...] = GUARDRAILS
    coverage: Fraction = Fraction(9, 10)
    queue_owner: str | None = None
    test_days: int = 180
    labels: tuple[str, ...] = ()
    recall: Fraction | None = None
    precision: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """The traffic to be ready for, in calls per minute."""

    target: Fraction


@dataclass(frozen=True, slots=True)
class LoadTest:
    """Logs of a load test; paths are relative to the configuration."""

    logs: tuple[str, ...]
    date: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class Evals:
    """The golden set: result files, their baseline and their bar."""

    files: tuple[str, ...] = ()
    baseline: tuple[str, ...] = ()
    bar: Fraction = Fraction(9, 10)
    minimum: int = 50
    regressions: int = 0
    threshold: Fraction | None = None
    thresholds: dict[str, Fraction] | None = None
    tags: tuple[str, ...] = ("normal", "edge", "known_failure")
    labeller: str | None = None
    prompt_version: str | None = None
    model: str | None = None
    retrieval: str | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """Labels of people and of a judge on the same items, and what the judge is."""

    labels: tuple[str, ...]
    model: str | None = None
    stronger: bool | None = None
    bar: Fraction = Fraction(85, 100)


@dataclass(frozen=True, slots=True)
class Constraint:
    """What every output has to be like; each rule that is set has to hold."""

    name: str
    must_match: tuple[str, ...] = ()
    must_not_match: tuple[str, ...] = ()
    citation: bool | None = None
    pii: tuple[str, ...] = ()
    min_chars: int | None = None
    max_chars: int | None = None
    json: bool | None = None
    json_schema: str | None = None
    banned: tuple[str, ...] = ()
    policy: str | None = None
    operations: tuple[str, ...] = ()
    limit: Fraction = Fraction(0)
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the application may call."""

    name: str
    schema: str | None = None
    timeout: int | None = None
    """in ms"""
    fallback: str | None = None
    external: bool | None = None
    mcp: str | None = None


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How passages are found."""

    embedding_model: str
    chunk_overlap: int | None = None
    parent_retrieval: bool | None = None
    reranker: str | None = None
    score_shift: Fraction = Fraction(1, 10)


@dataclass(frozen=True, slots=True)
class RedTeam:
    """Results of attacks on the application; paths are relative to the configuration."""

    files: tuple[str, ...]
    bar: Fraction = Fraction(95, 100)
    days: int = 180
    date: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class Gates:
    """Everything about readiness that is not a threshold on traffic; None: no such section."""

    required: tuple[str, ...] = ()
    signoff_roles: tuple[str, ...] = ROLES
    evals: Evals | None = None
    judge: Judge | None = None
    traffic: Traffic | None = None
    load_test: LoadTest | None = None
    data_flows: tuple[DataFlow, ...] = ()
    oversight: Oversight | None = None
    guardrails: tuple[Guardrail, ...] = ()
    actions: tuple[Action, ...] = ()
    observability: Observability | None = None
    alerts: tuple[Alert, ...] = ()
    use_case: UseCase | None = None
    owners: Owners | None = None
    signoffs: tuple[Signoff, ...] = ()
    failure_modes: tuple[FailureMode, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    tools: tuple[Tool, ...] = ()
    retrieval: Retrieval | None = None
    red_team: RedTeam | None = None
