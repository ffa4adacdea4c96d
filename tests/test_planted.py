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

BIN = timedelta(minutes=5)

DRIVER = {
    "tool-hang": ("tool", "get_order"),
    "provider-slow": ("provider", "openai"),
    "model-errors": ("model", "gpt-4o-2024-08-06"),
    "injection-burst": ("tenant_id", "maple"),
    "stale-index": ("index_version", "2026-11-20"),
}

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


def is_bad(name: str, call: dict[str, Any]) -> int:
    """How many events of a call count against the objective that a plant moves, from the line."""
    if name == "tool-hang":
        return sum(tool["status"] != "ok" for tool in call.get("tool_calls", ()))
    if name == "provider-slow":
        return call["latency_ms"] > 4000
    if name == "model-errors":
        return call["status"] == "error"
    if name == "injection-burst":
        return any(check["triggered"] for check in call.get("guardrails", ()))
    return call.get("retrieval", {}).get("hit") is False


@pytest.fixture(scope="module")
def signs() -> dict[str, tuple[datetime, datetime]]:
    """Of each plant the first and the last bin in which it made an event bad: [onset, end).

    The quiet and the planted week of one seed differ only in the calls that a plant touches, so
    what it did can be told from the lines alone: nothing of it shows before or after.
    """
    weeks = [
        {call["trace_id"]: call for call in generate.calls_for_week(planted=planted)}
        for planted in (False, True)
    ]
    touched: dict[str, list[datetime]] = {name: [] for name in OBJECTIVE_OF}
    for trace, call in weeks[1].items():
        at = datetime.fromisoformat(call["timestamp"])
        for name, times in touched.items():
            before = is_bad(name, weeks[0][trace]) if trace in weeks[0] else 0
            if PLANTED[name].covers(at) and is_bad(name, call) > before:
                times.append(at)
    bins = {name: (min(times), max(times)) for name, times in touched.items()}
    return {name: (floor_of(first), floor_of(last) + BIN) for name, (first, last) in bins.items()}


def floor_of(at: datetime) -> datetime:
    return at - (at - datetime.min.replace(tzinfo=UTC)) % BIN


@pytest.mark.parametrize("name", OBJECTIVE_OF)
def test_each_planted_thing_is_found_exact_to_the_bin(
    week: ReadinessResult, signs: dict[str, tuple[datetime, datetime]], name: str
) -> None:
    """From the first bin in which it shows to the last one, and the instants at which it really
    began and ended lie in the intervals that are given for both."""
    plant: Any = PLANTED[name]
    (excursion,) = found(week)[OBJECTIVE_OF[name]]
    first, last = signs[name]
    assert plant.onset <= first < last <= plant.end
    assert datetime.fromtimestamp(excursion.onset, UTC) == first
    low, high = excursion.onset_between or (0, 0)
    assert low <= plant.onset.timestamp() <= high
    if name == "stale-index":
        # The log ends before the index is made anew: it is not over.
        assert excursion.ongoing
        assert excursion.end_between is None
    else:
        assert not excursion.ongoing
        assert datetime.fromtimestamp(excursion.end, UTC) == last
        low, high = excursion.end_between or (0, 0)
        assert low <= plant.end.timestamp() <= high


@pytest.mark.parametrize("name", OBJECTIVE_OF)
def test_what_truly_drove_it_is_ranked_first(week: ReadinessResult, name: str) -> None:
    (excursion,) = found(week)[OBJECTIVE_OF[name]]
    clearest = excursion.coincidences[0]
    assert (clearest.dimension, clearest.value) == DRIVER[name]
    plant: Any = PLANTED[name]
    assert DRIVER[name] == (plant.dimension, plant.value)


@pytest.mark.parametrize("name", OBJECTIVE_OF)
def test_what_is_inside_is_bad_and_what_is_outside_is_not(week: ReadinessResult, name: str) -> None:
    (excursion,) = found(week)[OBJECTIVE_OF[name]]
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
    # A file that only says how to read the logs adds nothing to decide by.
    reads = tmp_path / "fields.toml"
    reads.write_text('[fields]\nsession_id = "session"\n')
    for path in (None, reads, config):
        result = run_engine.check(tmp_path, log, config=path)
        assert result.excursions == ()
        assert {o.status for o in result.objectives} == {Status.MET}
        assert result.readiness.verdict is Verdict.GO, result.readiness
        assert result.slo.verdict is Verdict.GO
        assert result.telemetry_only is (path is not config)
        assert "telemetry only" in result.notice if path is not config else result.notice == ""
