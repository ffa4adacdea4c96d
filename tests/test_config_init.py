"""gonogo init: what it writes can be read, is a proposal, and follows what the logs show."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.config.evidence import GATE_IDS
from gonogo.config.expressions import parse_objective
from gonogo.config.init import _humane, render_init
from gonogo.config.load import load
from gonogo.config.model import Config
from gonogo.conventions import Source
from gonogo.results import ReadinessResult, Table
from synthetic import synthetic_result


def result_with(**measures: int | None) -> ReadinessResult:
    """The made-up week with some cells of `overall` replaced; how many calls there were is left
    out unless it is given."""
    result = synthetic_result()
    for key, value in ({"calls": None} | measures).items():
        result.tables["overall"].data[key] = [value]
    return result


def read(text: str, tmp_path: Path) -> Config:
    path = tmp_path / "readiness.toml"
    path.write_text(text)
    return load(path)


def limits(result: ReadinessResult, tmp_path: Path) -> dict[str, Fraction]:
    return {o.id: o.limit for o in read(render_init(result), tmp_path).objectives}


def line_of(text: str, key: str) -> str:
    (line,) = [line for line in text.split("\n") if line.lstrip("#").startswith(f'"{key}"')]
    return line


def test_round_trip(tmp_path: Path) -> None:
    config = read(render_init(synthetic_result()), tmp_path)
    assert {o.id for o in config.objectives} == {
        "latency.p95",
        "ttft.p95",
        "error_rate",
        "guardrail_trigger_rate",
        "retrieval_hit_rate",
        "tool_error_rate",
        "cost_per_call.mean",
    }
    assert {o.source for o in config.objectives} == {Source.PROPOSED}
    assert config.objectives_source is Source.PROPOSED
    assert render_init(synthetic_result()).count("proposed = true, agreed_by = ") == 7
    assert (config.timezone, config.not_applicable, config.exclusions) == ("UTC", {}, ())


@pytest.mark.parametrize("tables", [True, False])
def test_every_line_that_is_commented_out_is_ready_to_be_used(tables: bool, tmp_path: Path) -> None:
    result = synthetic_result() if tables else synthetic_result(tables={})
    text = re.sub(r"^#(?=\S)", "", render_init(result), flags=re.MULTILINE)
    config = read(text, tmp_path)
    assert (len(config.objectives), len(config.exclusions)) == (8, 1)
    assert config.fields
    assert config.site.trace_url
    assert set(config.not_applicable) == (
        set() if tables else {"retrievals", "tool_calls", "guardrail_checks"}
    )


def test_proposals_follow_the_logs(tmp_path: Path) -> None:
    result = result_with(
        latency_p95=1_934_567, latency_n=12_345, ttft_p95=640_000, ttft_n=100,
        errors=12, error_known=1203, guard_triggered=90, guard_calls=1000,
        retrieval_hits=914, retrieval_known=1000, tool_errors=0, tool_known=50,
        cost=3_724_000, cost_n=1000,
    )  # fmt: skip
    # With a quarter more: 1.25 % of errors, 11.25 % of triggers, 10.75 % of misses.
    assert limits(result, tmp_path) == {
        "latency.p95": 2_500_000,
        "ttft.p95": 800_000,
        "error_rate": Fraction(2, 100),
        "guardrail_trigger_rate": Fraction(20, 100),
        "retrieval_hit_rate": Fraction(85, 100),
        "tool_error_rate": Fraction(5, 1000),
        "cost_per_call.mean": 5000,
    }
    text = render_init(result)
    assert line_of(text, "latency.p95").endswith("# observed 1.93 s over 12,345 calls")
    assert line_of(text, "error_rate").endswith("# observed 0.998 % (12 of 1,203 calls)")
    assert line_of(text, "tool_error_rate").endswith("# observed 0 % (0 of 50 tool calls)")
    assert line_of(text, "cost_per_call.mean").endswith(
        "# observed $0.000003724 over 1,000 calls with a cost"
    )


def test_a_month_is_proposed_from_what_the_log_projects(tmp_path: Path) -> None:
    result = synthetic_result()
    # $147.60 a month at 1,558 calls a day; a quarter more is $184.50, and of traffic ten times as
    # much the next number that people remember is 20,000 calls a day: $1,894.74, so $2,500.
    result.tables["cost_scenarios"] = Table(
        id="cost_scenarios", title="", columns=(),
        data={"scenario": ["Today"], "calls": [1_558], "month": [147_600_000_000]},
    )  # fmt: skip
    assert limits(result, tmp_path)["cost.monthly"] == 200 * 10**9
    text = render_init(result)
    assert line_of(text, "cost.monthly").endswith("# observed $148 a month at 1,558 calls a day")
    assert line_of(text, "cost.monthly_at_target").startswith(
        '#"cost.monthly_at_target" = "<= $2500"  # $1,895 a month at 20,000 calls a day'
    )
    ready = re.sub(r"^#(?=\S)", "", text, flags=re.MULTILINE)
    config = read(ready, tmp_path)
    assert config.cost.calls_per_day == 20_000
    assert {"cost.monthly", "cost.monthly_at_target"} <= {o.id for o in config.objectives}


def test_what_no_step_covers_is_proposed_at_the_last_step_and_said(tmp_path: Path) -> None:
    result = result_with(errors=867, error_known=1000, retrieval_hits=1, retrieval_known=9)
    found = limits(result, tmp_path)
    assert found["error_rate"] == Fraction(5, 100)
    assert found["retrieval_hit_rate"] == Fraction(50, 100)
    text = render_init(result)
    assert line_of(text, "error_rate").endswith("(867 of 1,000 calls): missed today")
    assert line_of(text, "retrieval_hit_rate").endswith("(1 of 9 retrievals): missed today")
    assert "missed today" not in line_of(text, "tool_error_rate")


@pytest.mark.parametrize(
    ("errors", "hits", "limit", "floor"),
    [
        # A quarter more than 0.8 % is 1 %, a quarter more than 8 misses of 100 is 10.
        (8, 92, "0.01", "0.90"),
        (9, 91, "0.02", "0.85"),
        # What is observed at a step is not proposed as its own limit.
        (10, 90, "0.02", "0.85"),
        (5, 98, "0.01", "0.95"),
        (0, 100, "0.005", "0.99"),
        # Beyond the last step there is only that one, and it is not missed.
        (50, 50, "0.05", "0.50"),
    ],
)
def test_the_first_run_does_not_stand_at_its_own_limit(
    tmp_path: Path, errors: int, hits: int, limit: str, floor: str
) -> None:
    result = result_with(
        errors=errors, error_known=1000, retrieval_hits=hits, retrieval_known=100
    )  # fmt: skip
    found = limits(result, tmp_path)
    assert found["error_rate"] == Fraction(limit)
    assert found["retrieval_hit_rate"] == Fraction(floor)
    assert "missed today" not in render_init(result)


def test_what_was_never_seen_is_commented_out_with_what_to_log(tmp_path: Path) -> None:
    result = result_with(retrievals=0, retrieval_known=0, retrieval_hits=0, ttft_p95=None)
    text = render_init(result)
    assert line_of(text, "retrieval_hit_rate").startswith('#"retrieval_hit_rate" = ">= 90%"')
    assert line_of(text, "ttft.p95").endswith("# nothing to propose from: log ttft_ms")
    assert "\n#retrievals = " in text
    assert "\n#tool_calls = " not in text
    assert len(read(text, tmp_path).objectives) == 5


def test_without_any_call_the_defaults_stay(tmp_path: Path) -> None:
    config = read(render_init(synthetic_result(tables={})), tmp_path)
    assert config.objectives_source is Source.DEFAULT


def test_a_time_zone_cannot_write_into_the_file(tmp_path: Path) -> None:
    period = synthetic_result().period
    for zone, expected in (("Europe/Berlin", "Europe/Berlin"), ('UTC"\n[evil]\n#', "UTC")):
        result = synthetic_result(period=period.model_copy(update={"timezone": zone}))
        assert read(render_init(result), tmp_path).timezone == expected


@settings(deadline=None)
@given(st.fractions(min_value=0, max_value=10**12))
def test_a_humane_number_leaves_a_quarter_and_not_much_more(value: Fraction) -> None:
    humane = _humane(value)
    assert humane >= value * Fraction(5, 4)
    assert humane <= max(Fraction(10), value * Fraction(5, 4) * Fraction(7, 5))
    assert humane.denominator == 1
    assert len(str(humane).rstrip("0")) <= 2


@settings(deadline=None)
@given(
    latency=st.integers(0, 10**12),
    cost=st.integers(0, 10**15),
    bad=st.integers(0, 1000),
    n=st.integers(1, 1000),
)
def test_any_measures_give_a_file_that_loads(latency: int, cost: int, bad: int, n: int) -> None:
    bad = min(bad, n)
    result = result_with(
        latency_p95=latency, latency_n=n, cost=cost, cost_n=n,
        errors=bad, error_known=n, retrieval_hits=bad, retrieval_known=n,
    )  # fmt: skip

    found = {
        key: parse_objective(key, value["limit"], source=Source.PROPOSED)
        for key, value in tomllib.loads(render_init(result))["slo"].items()
    }
    assert found["latency.p95"].limit >= latency
    assert found["cost_per_call.mean"].limit * n >= cost
    missed = "missed today" in line_of(render_init(result), "error_rate")
    assert missed == (Fraction(bad, n) > found["error_rate"].limit)
    low = "missed today" in line_of(render_init(result), "retrieval_hit_rate")
    assert low == (Fraction(bad, n) < found["retrieval_hit_rate"].limit)


def test_the_skeleton_of_every_gate_is_there_with_all_five_required(tmp_path: Path) -> None:
    text = render_init(synthetic_result())
    assert read(text, tmp_path).gates.required == GATE_IDS
    gates = read(re.sub(r"^#(?=\S)", "", text, flags=re.MULTILINE), tmp_path).gates
    for name in (f.name for f in fields(gates)):
        assert getattr(gates, name), name
    providers = synthetic_result().tables["by_provider"].data["value"]
    assert [flow.provider for flow in gates.data_flows] == providers


def test_a_name_of_the_log_cannot_write_into_the_file(tmp_path: Path) -> None:
    result = synthetic_result()
    result.tables["guardrails"].data["name"][0] = 'x"\n[evil]\n#'
    assert "evil" not in render_init(result)
    assert read(render_init(result), tmp_path).objectives
