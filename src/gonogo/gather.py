"""Brings together what the gates are judged by: the logs, the result files, the load test."""

from __future__ import annotations

from gonogo.errors import InputError
from gonogo.evidence.assess import Given
from gonogo.evidence.observed import Observed, observe
from gonogo.evidence.traffic import Measured
from gonogo.ingest.discover import discover
from gonogo.ingest.logs import read_logs
from gonogo.measures import Distributions, objective_data
from gonogo.privacy import clean_label
from gonogo.progress import Silent
from gonogo.request import Run
from gonogo.results import ObjectiveResult, Table
from gonogo.rollup import engine
from gonogo.rollup.mapper import Mapper
from gonogo.rollup.select import Calendar, Selection
from gonogo.slo import evaluate


def gather(run: Run, observed: Observed, objectives: tuple[ObjectiveResult, ...]) -> Given:
    """What gates are judged by: the logs, and the files that the configuration names."""
    gates = run.config.gates
    evals = gates.evals
    return Given(
        observed=observed,
        zone=run.zone,
        traffic=Measured(observed.peak_per_minute, objectives),
        load_test=_load_test(run) if gates.load_test and gates.traffic else None,
        evals=(*run.beside(evals.files if evals else ()), *run.request.evals),
        baseline=run.beside(evals.baseline if evals else ()),
        labels=run.beside(gates.judge.labels if gates.judge else ()),
        attacks=run.beside(gates.red_team.files if gates.red_team else ()),
        guardrail_labels=run.beside(gates.oversight.labels if gates.oversight else ()),
        problems=checker.problems if (checker := run.checker()) else {},
    )


def _load_test(run: Run) -> Measured:
    """The logs of the load test, judged by the same objectives."""
    test, config = run.config.gates.load_test, run.config
    assert test is not None
    advance = Silent().advance
    try:
        logs = read_logs(
            discover([str(path) for path in run.beside(test.logs)]),
            config.fields,
            advance,
            own=run.own_formats(),
        )
    except InputError as error:
        return Measured(None, problem=clean_label(error.diagnostics[0].what, 200))
    try:
        calendar = Calendar(run.zone)
        mapper = Mapper(config.objectives, Selection(), calendar, logs.dictionaries)
        partial = engine.run(logs.blocks(), mapper, logs.ids, advance)
    finally:
        logs.close()
    objectives, _ = evaluate(objective_data(partial, config, Distributions(partial)), config)
    return Measured(observe(partial, (), None, run.zone, {}).peak_per_minute, objectives)


def guardrail_p95(tables: dict[str, Table]) -> dict[tuple[str, str], int | None]:
    """p95 in µs by (guardrail, stage), as the table of guardrails has it."""
    table = tables.get("guardrails")
    if table is None:
        return {}
    columns = (table.data[key] for key in ("name", "stage", "latency_p95"))
    return {
        (str(name), str(stage)): p95 if isinstance(p95, int) else None
        for name, stage, p95 in zip(*columns, strict=True)
    }
