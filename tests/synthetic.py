"""A whole ReadinessResult over a made-up week, for the tests of everything that renders one.

from synthetic import synthetic_result
result = synthetic_result(profile="internal")
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from gonogo.conventions import Evidence, Severity, Source, Status, Verdict
from gonogo.indicators import INDICATORS
from gonogo.results import (
    Budget,
    Column,
    ConfigEcho,
    Decision,
    Excursion,
    Exemplar,
    FieldCoverage,
    Finding,
    Gate,
    IngestReport,
    ObjectiveResult,
    Period,
    Problem,
    ReadinessResult,
    Reason,
    SiteInfo,
    SourceFile,
    Table,
)
from synthetic_calls import END, HOUR, LAST, SLOW, START, Call, calls
from synthetic_tables import table, tables

Events = Callable[[Call], list[bool]]


def _latency(limit: int) -> Events:
    return lambda c: [] if c.cache_hit else [c.latency <= limit]


# id: indicator, statistic, comparator, limit in the indicator's unit, written limit,
#     share of good events wanted, good events of a call, index into `overall` of the observation
_OBJECTIVES: tuple[tuple[str, str, str, str, str, float, Events], ...] = (
    ("latency", "p95", "<=", "2800000", "2.8s", 0.95, _latency(2_800_000)),
    ("error_rate", "rate", "<=", "0.015", "1.5%", 0.985, lambda c: [c.error_class is None]),
    ("guardrail_trigger_rate", "rate", "<=", "0.025", "2.5%", 0.975,
     lambda c: [not any(k.triggered for k in c.checks)]),
    ("retrieval_hit_rate", "rate", ">=", "0.9", "90%", 0.90,
     lambda c: [c.retrieval.hit] if c.retrieval else []),
    ("tool_error_rate", "rate", "<=", "0.03", "3%", 0.97,
     lambda c: [t.status == "ok" for t in c.tools]),
    ("ttft", "p95", "<=", "1500000", "1.5s", 0.95,
     lambda c: [] if c.ttft is None else [c.ttft <= 1_500_000]),
)  # fmt: skip
_OBSERVED = {
    "error_rate": ("errors", "error_known"),
    "guardrail_trigger_rate": ("guard_triggered", "guard_calls"),
    "retrieval_hit_rate": ("retrieval_hits", "retrieval_known"),
    "tool_error_rate": ("tool_errors", "tool_known"),
}


def _objective(
    spec: tuple[str, str, str, str, str, float, Events], week: Sequence[Call], overall: Table
) -> tuple[ObjectiveResult, list[dict[str, Any]]]:
    indicator, statistic, comparator, limit, written, target, events = spec
    name = indicator if statistic == "rate" else f"{indicator}.{statistic}"
    bins: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for call in week:
        for is_good in events(call):
            bins[call.start - call.start % HOUR][0] += is_good
            bins[call.start - call.start % HOUR][1] += 1
    good, total = (sum(b[i] for b in bins.values()) for i in (0, 1))
    if statistic == "rate":
        num, den = (overall.data[k][0] for k in _OBSERVED[indicator])
        assert isinstance(num, int)
        assert isinstance(den, int)
        observed = num / den
    else:
        found = overall.data[f"{indicator}_{statistic}"][0]
        assert isinstance(found, int)
        observed = float(found)
    met = good >= target * total
    excursed = indicator in ("latency", "error_rate")
    status = Status.BREACHED if not met else Status.AT_RISK if excursed else Status.MET
    spec_ = INDICATORS[indicator]
    result = ObjectiveResult(
        id=name, slug=name.replace(".", "-").replace("_", "-"),
        title=f"{statistic} {spec_.title}" if statistic != "rate" else spec_.title,
        expression=f"{name} {comparator} {written}", indicator=indicator, statistic=statistic,
        selector={}, comparator=comparator, limit=limit, unit=spec_.unit,
        formula=spec_.formula, source=Source.WRITTEN, severity=Severity.BLOCKING, status=status,
        reason=f"{total - good:,} of {total:,} were on the bad side of {comparator} {written}.",
        hint="" if met else "Open the breaches and look at the slowest traces.",
        observed=observed, low=observed * 0.97, high=observed * 1.03, bound=observed * 1.02,
        interval_method="hour blocks", good=good, total=total, eligible=total, minimum=59,
        needed=None if met else 0,
        budget=Budget(allowed_num=round((1 - target) * 1000) * total, allowed_den=1000,
                      bad=total - good),
        excursions=(f"{name.replace('.', '-').replace('_', '-')}-1",) if excursed else (),
        defined_at="readiness.toml:3:1",
    )  # fmt: skip
    rows = [
        {"objective": name, "start": s, "good": bins[s][0], "total": bins[s][1]}
        for s in sorted(bins)
    ]
    return result, rows


def _excursion(objective: ObjectiveResult, rows: list[dict[str, Any]]) -> Excursion:
    inside = [r for r in rows if SLOW[0] <= r["start"] < SLOW[1]]
    peak = max(inside, key=lambda r: (r["total"] - r["good"]) / r["total"])
    bad, total = (sum(r["total"] for r in inside) - sum(r["good"] for r in inside),
                  sum(r["total"] for r in inside))  # fmt: skip
    return Excursion(
        id=f"{objective.slug}-1", objective=objective.id, title=f"{objective.title}, Wed 4 Mar",
        is_breach=objective.status is Status.BREACHED, onset=SLOW[0], end=SLOW[1], ongoing=False,
        bad=bad, total=total, peak_bad=peak["total"] - peak["good"], peak_total=peak["total"],
        peak_at=peak["start"], bins=len(inside),
        sentence=f"{bad} of {total} calls were over the limit on Wed 4 Mar, 10:00–16:00.",
    )  # fmt: skip


def _ingest(n: int) -> IngestReport:
    file = SourceFile(
        path="calls.jsonl", format="jsonl", sha256="0" * 64, bytes=n * 900, lines=n + 17,
        accepted=n, quarantined=5, duplicates=12,
    )  # fmt: skip
    problem = Problem(
        code="GNG101", what="line is not JSON", count=5, example="calls.jsonl:4711",
        hint="check how the writer is stopped",
    )  # fmt: skip
    return IngestReport(
        files=(file,), lines=n + 17, accepted=n, quarantined=5, duplicates=12,
        conflicting_duplicates=0, outside_period=0, filtered=0, excluded=0, folded=0, calls=n,
        not_calls=0, problems=(problem,),
    )  # fmt: skip


def _exemplars(week: Sequence[Call]) -> tuple[Exemplar, ...]:
    found = []
    slowest = max(week, key=lambda c: c.latency)
    dearest = max(week, key=lambda c: c.cost)
    for kind, rule, c in (
        ("slowest", "the longest call", slowest), ("dearest", "the highest cost", dearest),
        ("control", "a call at the median", sorted(week, key=lambda c: c.latency)[len(week) // 2]),
    ):  # fmt: skip
        found.append(Exemplar(
            kind=kind, rule=rule, trace_id=f"{c.start:032x}", span_id=f"{c.latency:016x}",
            time=c.start, model=c.model, operation=c.operation, release=c.release,
            duration_us=c.latency, cost_nano_usd=c.cost, error_class=c.error_class,
        ))  # fmt: skip
    return tuple(found)


@cache
def _fields() -> dict[str, Any]:
    week = calls()
    found = tables(week)
    judged = [_objective(spec, week, found["overall"]) for spec in _OBJECTIVES]
    columns = (
        Column(key="objective", title="Objective", unit="text"),
        Column(key="start", title="Start", unit="time"),
        Column(key="good", title="Good", unit="count"),
        Column(key="total", title="Total", unit="count"),
    )
    found["objective_bins"] = table(
        "objective_bins", "Objectives by hour", columns, [r for _, rows in judged for r in rows]
    )
    worst = list(Status)
    objectives = sorted((o for o, _ in judged), key=lambda o: worst.index(o.status))
    excursions = [
        _excursion(o, rows) for o, rows in judged if o.indicator in ("latency", "error_rate")
    ]
    bad = [o for o in objectives if o.status is Status.BREACHED]
    reasons = tuple(
        Reason(status=o.status, text=f"{o.title}: {o.reason}", objective=o.id) for o in bad
    )
    decision = Decision(
        verdict=Verdict.NO_GO, headline=f"{len(bad)} of {len(objectives)} objectives are breached.",
        reasons=reasons,
    )  # fmt: skip
    return {
        "generator": "gonogo 0.1.0", "profile": "public", "as_of": LAST,
        "site": SiteInfo(title="support-copilot", subtitle="Candidate 2026.03-rc2"),
        "period": Period(
            label="2026-W10", start=START, end=END, first=week[0].start, last=week[-1].start,
            timezone="UTC", provisional=True, untimed_calls=0,
        ),
        "readiness": decision, "slo": decision, "telemetry_only": False, "notice": "",
        "objectives": tuple(objectives), "excursions": tuple(excursions),
        "gates": (
            Gate(id="golden_set", title="Golden set", status=Status.NO_DATA,
                 evidence=Evidence.FILE, text="No result file was given.",
                 next_step="Run the golden set and pass its result file.", required=True,
                 findings=(
                     Finding(status=Status.NO_DATA, evidence=Evidence.FILE, by="golden.jsonl",
                             text="the file holds no case", next_step="Check the file."),
                     Finding(status=Status.MET, evidence=Evidence.DECLARED, text="it is owned"),
                 )),
        ),
        "coverage": tuple(
            FieldCoverage(field=f, title=f.replace("_", " "), present=p, applicable=len(week),
                          required=True, hint="" if p else f"log {f}")
            for f, p in (("trace_id", len(week)), ("session_id", len(week)), ("model", len(week)),
                         ("latency_ms", len(week)), ("ttft_ms", len(week) * 3 // 4), ("output", 0))
        ),
        "tables": found, "exemplars": _exemplars(week), "ingest": _ingest(len(week)),
        "config": ConfigEcho(
            path="readiness.toml", sha256="0" * 64, objectives_source=Source.WRITTEN,
            lines=("timezone = UTC", *(o.expression for o in objectives)),
        ),
    }  # fmt: skip


def synthetic_result(**overrides: Any) -> ReadinessResult:
    """The made-up week; `overrides` replace fields. Tables are copies, free to edit."""
    fields = _fields()
    copied = {k: t.model_copy(deep=True) for k, t in fields["tables"].items()}
    return ReadinessResult(**(fields | {"tables": copied} | overrides))
