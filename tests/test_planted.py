"""What is planted in the sample week is found, and nothing else; in a quiet week nothing is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import run_engine
from gonogo.conventions import Status, Verdict
from gonogo.results import Excursion, ReadinessResult
from test_sample_logs import PLANTED, generate

SAMPLE = Path(__file__).parents[1] / "sample_logs"
OBJECTIVE_OF = {
    "tool-hang": "tool_error_rate",
    "provider-slow": "latency.p95",
    "model-errors": "error_rate",
    "injection-burst": "guardrail_trigger_rate",
    "stale-index": "retrieval_hit_rate",
}
"""The default objective that each planted thing moves; the partial day moves none."""

TOLERANCE = {"stale-index": timedelta(hours=2)}
"""How far onset and end may lie from what was planted: 30 minutes, but for the stale index, which
is planted at midnight, when a night's few retrievals say little."""

AGREED = """
[slo]
"latency.p95" = { limit = "<= 4s", agreed_by = "operations" }
"ttft.p95" = { limit = "<= 1.5s", agreed_by = "operations" }
"error_rate" = { limit = "<= 1%", agreed_by = "operations" }
"guardrail_trigger_rate" = { limit = "<= 2%", agreed_by = "security" }
"retrieval_hit_rate" = { limit = ">= 90%", agreed_by = "search" }
"tool_error_rate" = { limit = "<= 2%", agreed_by = "operations" }
"""


def found(result: ReadinessResult) -> dict[str, list[Excursion]]:
    by_objective: dict[str, list[Excursion]] = {}
    for excursion in result.excursions:
        by_objective.setdefault(excursion.objective, []).append(excursion)
    return by_objective


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> ReadinessResult:
    return run_engine.check(tmp_path_factory.mktemp("state"), SAMPLE)


@pytest.mark.parametrize("name", OBJECTIVE_OF)
def test_each_planted_thing_is_found_where_it_is(week: ReadinessResult, name: str) -> None:
    plant: Any = PLANTED[name]
    (excursion,) = found(week)[OBJECTIVE_OF[name]]
    tolerance = TOLERANCE.get(name, timedelta(minutes=30))
    onset = datetime.fromtimestamp(excursion.onset, UTC)
    end = datetime.fromtimestamp(excursion.end, UTC)
    assert plant.onset <= onset <= plant.onset + tolerance
    assert plant.end - tolerance <= end <= plant.end
    # What is inside is bad, and what is outside is not: most bad events lie in the interval.
    objective = next(o for o in week.objectives if o.id == excursion.objective)
    assert objective.good is not None
    bad = objective.total - objective.good
    inside, outside = excursion.bad / excursion.total, (bad - excursion.bad) / (
        objective.total - excursion.total)  # fmt: skip
    assert inside > 4 * outside
    assert objective.excursions == (excursion.id,)
    hours = run_engine.rows_of(week.tables["objective_bins"], "objective", "start")
    mine = [row for (of, _), row in hours.items() if of == objective.id]
    assert sum(row["good"] for row in mine) == objective.good
    assert sum(row["total"] for row in mine) == objective.total


def test_nothing_else_is_found(week: ReadinessResult) -> None:
    assert set(PLANTED) == {*OBJECTIVE_OF, "partial-day"}
    assert {name: len(many) for name, many in found(week).items()} == dict.fromkeys(
        OBJECTIVE_OF.values(), 1
    )


def test_the_week_is_met_as_counted_and_at_risk_for_each_of_them(week: ReadinessResult) -> None:
    assert week.readiness.verdict is Verdict.CONDITIONS
    assert {o.id: o.status for o in week.objectives} == dict.fromkeys(
        OBJECTIVE_OF.values(), Status.AT_RISK
    )
    assert {reason.objective for reason in week.readiness.reasons} == set(OBJECTIVE_OF.values())
    assert not any(excursion.is_breach for excursion in week.excursions)


def test_the_partial_day_is_marked_and_no_other(week: ReadinessResult) -> None:
    days = run_engine.rows_of(week.tables["days"], "start")
    marked = [datetime.fromtimestamp(start, UTC).day for (start,), row in days.items()
              if row["partial"]]  # fmt: skip
    assert len(days) == 7
    assert marked == [PLANTED["partial-day"].onset.day]


def test_what_drives_each_of_them_stands_out_in_its_table(week: ReadinessResult) -> None:
    """Of the values that the generator names as drivers each has the worst figure of its table."""

    def share(table: str, key: str, bad: str, of: str) -> dict[str, float]:
        rows = run_engine.rows_of(week.tables[table], *([key] if isinstance(key, str) else key))
        return {name[0]: row[bad] / row[of] for name, row in rows.items() if row[of]}

    tools = share("tools", "tool", "errors", "known")
    assert max(tools, key=tools.__getitem__) == PLANTED["tool-hang"].value
    models = share("by_model", "value", "errors", "error_known")
    assert max(models, key=models.__getitem__) == PLANTED["model-errors"].value
    tenants = share("by_tenant_id", "value", "guard_triggered", "guard_known")
    assert max(tenants, key=tenants.__getitem__) == PLANTED["injection-burst"].value
    retrieval = run_engine.rows_of(week.tables["retrieval"], "index_version", "embedding_model")
    hits = {name: row["hits"] / row["known"] for (name, _), row in retrieval.items()}
    assert min(hits, key=hits.__getitem__) == PLANTED["stale-index"].value
    providers = run_engine.rows_of(week.tables["by_provider"], "value")
    slow = PLANTED["provider-slow"].value
    assert providers[(slow,)]["latency_p99"] == max(r["latency_p99"] for r in providers.values())


def test_the_agreed_thresholds_find_the_same_and_time_to_first_token_too(tmp_path: Path) -> None:
    config = tmp_path / "readiness.toml"
    config.write_text(AGREED)
    result = run_engine.check(tmp_path, SAMPLE, config=config)
    assert not result.telemetry_only
    assert result.readiness.verdict is Verdict.CONDITIONS
    expected = dict.fromkeys([*OBJECTIVE_OF.values(), "ttft.p95"], 1)
    assert {name: len(many) for name, many in found(result).items()} == expected
    slow, plant = found(result)["ttft.p95"][0], PLANTED["provider-slow"]
    assert plant.onset.timestamp() <= slow.onset < slow.end <= plant.end.timestamp()


QUIET_SEEDS = (1, 2, 3, 4, 5)


@pytest.mark.parametrize("seed", QUIET_SEEDS)
def test_a_quiet_week_is_a_plain_go(tmp_path: Path, seed: int) -> None:
    log = tmp_path / "quiet.jsonl"
    generate.main(["--quiet-week", str(log), "--seed", str(seed)])
    config = tmp_path / "readiness.toml"
    config.write_text(AGREED)
    for path in (None, config):
        result = run_engine.check(tmp_path, log, config=path)
        assert result.excursions == ()
        assert {o.status for o in result.objectives} == {Status.MET}
        assert result.readiness.verdict is Verdict.GO, result.readiness
        assert result.slo.verdict is Verdict.GO
        assert result.telemetry_only is (path is None)
        assert "telemetry only" in result.notice if path is None else result.notice == ""
