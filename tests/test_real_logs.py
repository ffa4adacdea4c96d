"""Public recordings read as they are: nothing lost, and the figures that their publishers printed.

The recordings stand beside the project (../shared/data); without them these tests are skipped.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import run_engine
from gonogo.conventions import Status, Verdict
from gonogo.exports import terminal
from gonogo.results import ReadinessResult
from gonogo.rollup.partial import Partial
from gonogo.stats.histogram import Histogram
from run_engine import BOUND, Row, histogram

LOGS = Path(__file__).parents[2] / "shared" / "data" / "logs"
pytestmark = pytest.mark.skipif(
    not LOGS.is_dir(), reason="the recordings of ../shared/data are not beside the project"
)
ROWS = {"llmperf": 2845, "tensorzero_haiku": 2000, "cookbook_rag": 300, "tau_bench": 2454}


def raw(name: str) -> list[Row]:
    with (LOGS / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def of_retrieval(partial: Partial) -> dict[str, Row]:
    return {value: row for (value,), row in run_engine.rows_of(
        run_engine.tables(partial)["by_release"], "value").items()}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_no_line_is_refused_and_none_is_lost(name: str) -> None:
    counted = run_engine.count([LOGS / f"{name}.jsonl"])
    (file,) = counted.logs.files
    assert (file.lines, file.quarantined, file.duplicates) == (ROWS[name], 0, 0)
    assert file.lines == len(raw(name))
    taken = counted.partial.counter("calls") + counted.partial.counter("not_calls")
    assert taken == file.accepted == ROWS[name]


# ── llmperf ───────────────────────────────────────────────────────────────────────────────────

PERCENTILES = {"median": 50, "p25": 25, "p50": 50, "p75": 75, "p90": 90, "p95": 95, "p99": 99}
SESSION_AS_SERVICE = {"service": "session_id"}
"""A recording is 19 sessions, one for each provider and size; so they get a table of their own."""


def published() -> list[Row]:
    if not LOGS.is_dir():
        return []
    with (LOGS / "published_figures.csv").open(encoding="utf-8") as lines:
        return [row for row in csv.DictReader(lines) if row["dataset"] == "llmperf"]


@dataclass(frozen=True)
class Read:
    """Some rows of llmperf through the engine."""

    rows: list[Row]
    partial: Partial
    services: dict[str, Row]

    def histogram(self, metric: str, session: str) -> Histogram:
        return histogram(self.partial, [metric], "service", session, ...)

    def of(self, session: str) -> list[Row]:
        return [row for row in self.rows if row["session_id"] == session]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Read]:
    """llmperf as it is, and as its publisher counted: without the rows that failed, with every
    row of Bedrock as if it had not failed, and with one token less for Groq."""

    def without(row: Row, *names: str) -> Row:
        return {name: value for name, value in row.items() if name not in names}

    rows = raw("llmperf")
    shares = {
        "all": rows,
        "no errors": [row for row in rows if row["status"] == "ok"],
        "bedrock": [without(row, "status", "error_type") for row in rows
                    if row["provider"] == "bedrock"],
        "groq": [row | {"completion_tokens": row["completion_tokens"] - 1} for row in rows
                 if row["provider"] == "groq"],
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("llmperf")
    found = {}
    for name, share in shares.items():
        path = LOGS / "llmperf.jsonl"
        if name != "all":
            path = folder / f"{name}.jsonl"
            path.write_text("".join(json.dumps(row) + "\n" for row in share))
        partial = run_engine.count([path], fields=SESSION_AS_SERVICE).partial
        table = run_engine.rows_of(run_engine.tables(partial)["by_service"], "value")
        found[name] = Read(share, partial, {value: row for (value,), row in table.items()})
    return found


def throughput(row: Row) -> float:
    return float(row["completion_tokens"] / row["latency_ms"] * 1000)


MEASURED: dict[str, tuple[str, float, Callable[[Row], float]]] = {
    "tput": ("tps", 1e3, throughput),
    "ttft": ("ttft", 1e6, lambda row: float(row["ttft_ms"] / 1e3)),
    "ttft_s": ("ttft", 1e6, lambda row: float(row["ttft_ms"] / 1e3)),
    "end_to_end_latency_s": ("latency_ok", 1e6, lambda row: float(row["latency_ms"] / 1e3)),
}
"""Published name: our key, our units in one of theirs, and the raw value of a row."""


def figures(read: dict[str, Read], figure: Row) -> tuple[Read, str, str, str]:
    """(the rows that the publisher counted, session, measure, statistic) of a published figure."""
    measure, _, statistic = figure["metric"].rpartition(" ")
    session = figure["key"].replace(" ", "_")
    source = read["all" if measure == "end_to_end_latency_s" else "no errors"]
    if "error rows too" in figure["note"]:
        source = read["bedrock"]
    elif "150, not 151" in figure["note"]:
        source = read["groq"]
    return source, session, measure, statistic


def counted_rows(source: Read, session: str) -> list[Row]:
    """The rows of a session that count: of the whole log, those that did not fail."""
    return [row for row in source.of(session) if row.get("status") != "error"]


def test_counts_and_error_rates_are_the_published_ones(read: dict[str, Read]) -> None:
    seen = 0
    for figure in published():
        if figure["metric"] not in ("error_rate", "number_errors"):
            continue
        row = read["all"].services[figure["key"]]
        assert row["error_known"] == row["calls"] == len(read["all"].of(figure["key"]))
        found = row["errors"]
        if figure["metric"] == "error_rate":
            found /= row["error_known"]
        assert abs(found - float(figure["published"])) <= float(figure["tolerance"]), figure
        seen += 1
    assert seen == 38


def test_means_minima_and_maxima_are_the_published_ones(read: dict[str, Read]) -> None:
    seen = 0
    for figure in published():
        source, session, measure, statistic = figures(read, figure)
        if statistic not in ("mean", "min", "max"):
            continue
        key, scale, _ = MEASURED[measure]
        row = source.services[session]
        assert row[f"{key}_n"] == len(counted_rows(source, session)) > 0
        found = row[f"{key}_sum"] / row[f"{key}_n"] if statistic == "mean" else row[
            f"{key}_{statistic}"]  # fmt: skip
        # Ours are whole microseconds and thousandths of a token, which costs half of one at most.
        allowed = float(figure["tolerance"])
        assert abs(found / scale - float(figure["published"])) <= allowed, figure
        seen += 1
    assert seen == 149


def test_percentiles_are_those_of_the_raw_rows(read: dict[str, Read]) -> None:
    seen = 0
    for figure in published():
        source, session, measure, statistic = figures(read, figure)
        if statistic not in PERCENTILES:
            continue
        percent = PERCENTILES[statistic]
        key, scale, value_of = MEASURED[measure]
        values = sorted(map(value_of, counted_rows(source, session)))
        # The publisher's percentile, from the same rows: they are the rows that he counted.
        assert abs(linear(values, percent) - float(figure["published"])) <= float(
            figure["tolerance"]), figure  # fmt: skip
        exact = values[max(1, -(-percent * len(values) // 100)) - 1]
        found = source.histogram(key, session).quantile(percent, 100)
        assert found is not None
        # A rate is kept in whole thousandths, a time in whole microseconds.
        assert abs(found / scale - exact) <= BOUND * exact + 1 / scale, figure
        seen += 1
    assert seen == 410 == len(published()) - 38 - 149


def linear(values: list[float], percent: int) -> float:
    place = (len(values) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def test_failed_calls_stay_in_the_latency_of_all_calls(read: dict[str, Read]) -> None:
    for session, row in read["all"].services.items():
        values = sorted(r["latency_ms"] * 1000 for r in read["all"].of(session))
        assert row["latency_n"] == len(values)
        for percent in (50, 90, 95, 99):
            exact = values[-(-percent * len(values) // 100) - 1]
            assert abs(row[f"latency_p{percent}"] - exact) <= BOUND * exact + 1, session


def test_the_tail_of_together_is_there(read: dict[str, Read]) -> None:
    row = read["all"].services["together_13b"]
    assert row["ttft_p50"] / 1e6 == pytest.approx(0.55, abs=0.005)
    assert row["ttft_max"] / 1e6 == pytest.approx(100.5, abs=0.05)
    # Two of 149 took 100 s and the third 2 s: the publisher's 53 s lie between, and were no call's.
    assert row["ttft_p99"] / 1e6 == pytest.approx(100.353, rel=BOUND)


def report(result: ReadinessResult) -> list[str]:
    return terminal.report(result, result.readiness, width=100, color=False).splitlines()


def test_the_first_thing_said_of_lepton_is_that_most_calls_fail(tmp_path: Path) -> None:
    result = run_engine.check(tmp_path, LOGS / "llmperf.jsonl", where=["provider=lepton"])
    assert result.readiness.verdict is Verdict.NO_GO
    first = result.readiness.reasons[0]
    assert (first.objective, first.status) == ("error_rate", Status.BREACHED)
    assert "390 of 450 calls failed (86.7 %)" in first.text
    opening = report(result)[0]
    assert opening.startswith("NO-GO")
    assert "error rate 86.7 %" in opening
    assert result.objectives[0].observed == 390 / 450
    classes = run_engine.rows_of(result.tables["error_classes"], "error_class")
    assert classes == {("rate_limit",): {"calls": 390}}
    for model in ("llama2-7b", "llama2-13b", "llama2-70b"):
        row = run_engine.rows_of(result.tables["by_model"], "value")[(model,)]
        assert (row["errors"], row["calls"], row["rate_limited"]) == (130, 150, 130)


def test_the_whole_of_llmperf_names_errors_first_and_lepton_as_their_place(tmp_path: Path) -> None:
    result = run_engine.check(tmp_path, LOGS / "llmperf.jsonl")
    assert result.readiness.verdict is Verdict.NO_GO
    assert result.readiness.reasons[0].objective == "error_rate"
    assert "539 of 2,845 calls failed (18.9 %)" in result.readiness.reasons[0].text
    assert "error rate 18.9 %" in report(result)[0]
    providers = run_engine.rows_of(result.tables["by_provider"], "value")
    worst = max(providers, key=lambda value: providers[value]["errors"])
    assert worst == ("lepton",)
    share = {value: row["errors"] / row["error_known"] for (value,), row in providers.items()}
    assert max(share, key=share.__getitem__) == "lepton"
    assert share["lepton"] == 390 / 450
    # Its refusals are inside the one interval that is found, which holds few of anybody else.
    breaches = [e for e in result.excursions if e.objective == "error_rate"]
    assert [e.is_breach for e in breaches] == [True]
    times = [row["timestamp"] for row in raw("llmperf") if row["provider"] == "lepton"]
    assert breaches[0].onset <= min(map(epoch, times))
    assert max(map(epoch, times)) < breaches[0].end
    assert breaches[0].bad >= 390


def epoch(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


# ── the others ────────────────────────────────────────────────────────────────────────────────


def test_cookbook_hits_by_expectation(tmp_path: Path) -> None:
    counted = run_engine.count([LOGS / "cookbook_rag.jsonl"])
    rows = of_retrieval(counted.partial)
    hits = {name: (row["retrieval_hits"], row["retrieval_known"]) for name, row in rows.items()}
    assert hits == {
        "retrieve_base": (83, 100), "retrieve_level_two": (90, 100),
        "retrieve_level_three": (92, 100),
    }  # fmt: skip
    failed = {name: row["retrieval_failed"] for name, row in rows.items()}
    assert failed == {"retrieve_base": 1, "retrieve_level_two": 0, "retrieve_level_three": 0}
    assert int(counted.partial.frames["retrievals"]["by_expectation"].sum()) == 300
    assert counted.partial.counter("calls") == 0
    result = run_engine.check(tmp_path, LOGS / "cookbook_rag.jsonl")
    assert "265 of 300 retrievals had a hit (88.3 %)" in result.readiness.reasons[0].text
    assert result.period.first is None


def test_cookbook_hits_without_expectations_are_those_of_any_chunk(tmp_path: Path) -> None:
    path = tmp_path / "unexpecting.jsonl"
    rows = raw("cookbook_rag")
    for row in rows:
        del row["retrieval"]["expected_ids"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = of_retrieval(run_engine.count([path]).partial)
    hits = {name: row["retrieval_hits"] for name, row in found.items()}
    assert hits == {"retrieve_base": 99, "retrieve_level_two": 100, "retrieve_level_three": 100}


def test_tau_bench_tools(tmp_path: Path) -> None:
    result = run_engine.check(tmp_path, LOGS / "tau_bench.jsonl")
    (overall,) = run_engine.rows_of(result.tables["overall"]).values()
    assert overall["calls"] == overall["error_known"] == 2454
    assert overall["errors"] == 0
    tools = [tool for row in raw("tau_bench") for tool in row.get("tool_calls") or []]
    refused = sum(tool["ok"] is False for tool in tools)
    assert overall["tool_calls"] == overall["tool_known"] == len(tools) == 1164
    assert overall["tool_errors"] == refused == 73
    assert overall["tool_timeouts"] == 0
    assert overall["sessions"] == 200
    shown = run_engine.rows_of(result.tables["tools"], "tool")
    assert {name: row["calls"] for (name,), row in shown.items()} == {
        name: sum(tool["name"] == name for tool in tools) for name in {t["name"] for t in tools}
    }
    assert (overall["latency_n"], overall["minutes"]) == (0, None)
    assert result.period.untimed_calls == 2454


def test_tensorzero_sessions_tokens_and_latency(tmp_path: Path) -> None:
    result = run_engine.check(tmp_path, LOGS / "tensorzero_haiku.jsonl")
    rows: list[dict[str, Any]] = raw("tensorzero_haiku")
    (overall,) = run_engine.rows_of(result.tables["overall"]).values()
    assert overall["sessions"] == 1000
    assert overall["input_tokens"] == sum(row["prompt_tokens"] for row in rows)
    assert overall["output_tokens"] == sum(row["completion_tokens"] for row in rows)
    assert overall["latency_sum"] == sum(row["latency_ms"] * 1000 for row in rows)
    assert (overall["cache_hits"], overall["cache_known"]) == (0, 2000)
    by_operation = run_engine.rows_of(result.tables["by_operation"], "value")
    for (operation,), row in by_operation.items():
        mine = sorted(r["latency_ms"] * 1000 for r in rows if r["operation"] == operation)
        assert row["calls"] == len(mine) == 1000
        assert (row["latency_min"], row["latency_max"]) == (mine[0], mine[-1])
        assert abs(row["latency_p95"] - mine[949]) <= BOUND * mine[949]
