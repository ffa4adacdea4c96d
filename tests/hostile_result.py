"""A result in which every text that can come from a log or a configuration is hostile."""

from __future__ import annotations

from functools import cache

from gonogo.conventions import Severity, Source, Status, Verdict
from gonogo.results import (
    Decision,
    Excursion,
    Gate,
    ObjectiveResult,
    Problem,
    ReadinessResult,
    Reason,
    SiteInfo,
)
from synthetic import synthetic_result

HOUR = 3600


def objective(text: str, **overrides: object) -> ObjectiveResult:
    """A breached error rate of 86.7 %, its texts all `text`."""
    fields: dict[str, object] = {
        "id": text, "slug": "x", "title": text, "expression": text, "indicator": "error_rate",
        "statistic": "rate", "selector": {"model": text}, "comparator": "<=", "limit": "0.01",
        "unit": "ratio", "formula": text, "source": Source.DEFAULT,
        "severity": Severity.BLOCKING, "status": Status.BREACHED, "reason": text, "hint": text,
        "observed": 0.867, "low": 0.85, "high": 0.88, "bound": 0.88, "interval_method": text,
        "good": 266, "total": 2000, "eligible": 2000, "minimum": 100, "needed": None,
        "budget": None, "owner": text, "runbook": text, "agreed_by": text, "defined_at": text,
    }  # fmt: skip
    return ObjectiveResult.model_validate(fields | overrides)


def excursion(text: str, i: int = 0, **overrides: object) -> Excursion:
    """An hour of 90 % errors, its texts all `text`."""
    start = 1_772_532_000 + i * HOUR
    fields: dict[str, object] = {
        "id": text, "objective": text, "title": text, "is_breach": True, "onset": start,
        "end": start + HOUR, "ongoing": False, "bad": 90, "total": 100, "peak_bad": 30,
        "peak_total": 30, "peak_at": start + 600, "bins": 12, "sentence": text,
        "seen": text,
    }  # fmt: skip
    return Excursion.model_validate(fields | overrides)


@cache
def _base() -> ReadinessResult:
    return synthetic_result()


def hostile_result(text: str, **overrides: object) -> ReadinessResult:
    """A result that says `text` wherever a text may be said."""
    decision = Decision(
        verdict=Verdict.NO_GO,
        headline=text,
        reasons=(
            Reason(status=Status.BREACHED, text=text, objective=text),
            Reason(status=Status.NO_DATA, text=text),
        ),
    )
    base = _base()
    ingest = base.ingest.model_copy(
        update={
            "problems": (Problem(code=text, what=text, count=3, example=text, hint=text),),
            "files": tuple(f.model_copy(update={"path": text}) for f in base.ingest.files),
        }
    )
    gate = Gate(
        id=text, title=text, status=Status.NO_DATA, evidence="file", text=text, next_step=text
    )  # type: ignore[arg-type]
    fields: dict[str, object] = {
        "generator": text, "site": SiteInfo(title=text, subtitle=text, footer=text),
        "notice": text, "readiness": decision, "slo": decision,
        "objectives": (
            objective(text),
            objective(text, status=Status.AT_RISK, observed=0.009, low=0.005, high=0.012),
            objective(text, status=Status.NO_DATA, observed=None, low=None, high=None, good=None),
            objective(text, status=Status.MET, observed=0.002, low=None, high=0.004),
            objective(text, status=Status.NOT_APPLICABLE, observed=None, low=None, high=None),
        ),
        "excursions": (excursion(text), excursion(text, 3, ongoing=True)),
        "gates": (gate,), "ingest": ingest, "notes": (text,),
        "period": base.period.model_copy(update={"label": text, "timezone": text}),
    }  # fmt: skip
    return base.model_copy(update=fields | overrides)
