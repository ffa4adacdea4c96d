"""Sums, scenarios, the bill, waste and levers: worked by hand, and held against the page."""

from __future__ import annotations

import json
import random
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import run_engine
from gonogo import pipeline
from gonogo.config.model import Config, CostPlan, Prices
from gonogo.cost import read_invoice
from gonogo.errors import UsageError
from gonogo.ingest.discover import discover
from gonogo.ingest.logs import read_logs
from gonogo.pricing import BUCKETS
from gonogo.progress import Silent
from gonogo.results import ReadinessResult
from gonogo.rollup import engine
from gonogo.rollup.costs import Pricing
from gonogo.rollup.mapper import Mapper
from gonogo.rollup.partial import DIFFERENCES, WHY, Partial, merge
from gonogo.rollup.select import Calendar, Selection

MONDAY = 1_763_337_600  # 17 November 2025, 00:00 UTC
DAY = 86_400
MONTH = Fraction(365, 12)
GPT = {"provider": "openai", "model": "gpt-4o"}  # $2.50 in, $1.25 cached, $10 out
MINI = {"provider": "openai", "model": "gpt-4o-mini"}  # $0.15 in, $0.60 out


def write(path: Path, calls: list[dict[str, Any]]) -> Path:
    lines = (
        json.dumps({"trace_id": f"t{k}", "span_id": f"s{k}", "latency_ms": 5, **call}) + "\n"
        for k, call in enumerate(calls)
    )
    path.write_text("".join(lines))
    return path


def judged(
    folder: Path, calls: list[dict[str, Any]], config: str = "", invoice: str = ""
) -> ReadinessResult:
    log, toml, bill = folder / "calls.jsonl", folder / "readiness.toml", folder / "bill.csv"
    write(log, calls)
    toml.write_text(config)
    bill.write_text(invoice)
    request = pipeline.Request(
        logs=(str(log),), config_path=toml if config else None, profile="internal",
        state=folder / "state", invoice=bill if invoice else None,
    )  # fmt: skip
    return pipeline.analyse(request, Silent())


def rows(result: ReadinessResult, table: str, *keys: str) -> dict[Any, dict[str, Any]]:
    found = run_engine.rows_of(result.tables[table], *keys)
    return {k[0] if len(keys) == 1 else k: v for k, v in found.items()}


# ── sums ────────────────────────────────────────────────────────────────────────────────────────

ZONES = ("UTC", "Asia/Kolkata", "America/New_York", "Pacific/Chatham", "Asia/Kathmandu")


def partial_of(path: Path, zone: str = "UTC", prefer: str = "logged") -> Partial:
    logs = read_logs(discover([str(path)]), {}, Silent().advance)
    try:
        prices = Prices(prefer=prefer)  # type: ignore[arg-type]
        pricing = Pricing(prices, CostPlan(stable_prefix=100))
        mapper = Mapper((), Selection(), Calendar(ZoneInfo(zone)), logs.dictionaries, pricing)
        return engine.run(logs.blocks(), mapper, logs.ids, Silent().advance)
    finally:
        logs.close()


def some_calls(seed: int, n: int) -> list[dict[str, Any]]:
    """Calls that differ in all that a cost depends on, some of it missing or wrong."""
    rng = random.Random(seed)
    models = [GPT, MINI, {"provider": "anthropic", "model": "claude-sonnet-4-5"},
              {"provider": "nobody", "model": "m"}, {}]  # fmt: skip
    return [
        {
            **rng.choice(models),
            "timestamp": rng.choice([None, MONDAY + rng.randrange(9 * DAY)]),
            "tenant_id": rng.choice([None, "a", "b", "c"]),
            "operation": rng.choice([None, "chat", "embeddings"]),
            "input_tokens": rng.choice([None, -1, 7, 300, 2_001, 250_000, 10**12]),
            "output_tokens": rng.choice([None, 0, 33, 999]),
            "cache_read_input_tokens": rng.choice([None, 0, 5, 128]),
            "cost_usd": rng.choice([None, None, None, 0, 0.000000001, 0.0123456789, -1]),
            "cache_hit": rng.choice([None, False, True]),
            "status": rng.choice(["ok", "ok", "error", "blocked", None]),
            "error_type": rng.choice([None, "timeout", "429"]),
            "input_hash": rng.choice([None, "x", "y"]),
        }
        for _ in range(n)
    ]


@settings(max_examples=12, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.integers(0, 10**6), st.sampled_from(ZONES), st.sampled_from(["logged", "priced"]))
def test_cost_by_day_by_model_and_by_tenant_is_the_total_to_the_nano_dollar(
    tmp_path: Path, seed: int, zone: str, prefer: str
) -> None:
    path = write(tmp_path / "calls.jsonl", some_calls(seed, 150))
    config = tmp_path / "readiness.toml"
    config.write_text(f'timezone = "{zone}"\ntop = 2\n[prices]\nprefer = "{prefer}"\n')
    result = run_engine.check(tmp_path / "state", path, config=config)
    total = result.tables["overall"].data["cost"][0]
    assert isinstance(total, int)
    for table, key in (("by_model", "cost"), ("by_tenant_id", "cost"), ("by_provider", "cost"),
                       ("by_operation", "cost"), ("cost_days", "cost")):  # fmt: skip
        assert sum(v or 0 for v in result.tables[table].data[key]) == total, table
    partial = partial_of(path, zone, prefer)
    for name in ("calls", "tenants", "costs"):
        assert int(partial.frames[name]["cost"].sum()) == total
    # The days are those of the declared zone.
    local = {
        datetime.fromtimestamp(d, ZoneInfo(zone)).strftime("%H:%M")
        for d in result.tables["cost_days"].data["day"] if d is not None
    }  # fmt: skip
    assert local == {"00:00"}


@pytest.mark.parametrize("seed", range(4))
def test_the_parts_of_every_sum_are_whole(tmp_path: Path, seed: int) -> None:
    found = partial_of(write(tmp_path / "c.jsonl", some_calls(seed, 400))).frames["costs"]
    s = {c: int(found[c].sum()) for c in found.columns if found[c].dtype == pl.Int64}
    assert s["calls"] == 400
    assert s["cost_n"] == s["from_log"] + s["from_list"] + s["from_own"] + s["free"]
    assert s["calls"] - s["cost_n"] == sum(s[f"why_{int(w)}"] for w in WHY)
    assert s["priced"] == sum(s[f"nano_{b}"] for b in BUCKETS) + s["nano_per_call"]
    assert s["both"] == sum(s[f"differs_{k}_n"] for k in DIFFERENCES)
    gap = sum(s[f"differs_{k}_nano"] for k in DIFFERENCES)
    assert gap == s["both_logged"] - s["both_priced"]
    assert s["from_list"] > 0
    assert s["free"] > 0


def test_costs_of_shares_of_the_calls_add_up_to_those_of_all(tmp_path: Path) -> None:
    calls = [{"trace_id": f"t{k}", **c} for k, c in enumerate(some_calls(5, 300))]
    whole = partial_of(write(tmp_path / "all.jsonl", calls))
    shares = [partial_of(write(tmp_path / f"{k}.jsonl", calls[k::3])) for k in range(3)]
    merged = merge(shares[::-1])
    assert merged.frames["costs"].equals(whole.frames["costs"])
    assert merged.prompts.count() == whole.prompts.count() == 2


# ── scenarios ───────────────────────────────────────────────────────────────────────────────────


def even_days(n: int, days: int, call: dict[str, Any]) -> list[dict[str, Any]]:
    """n calls a day, evenly, the last bin of the last day among them."""
    step = Fraction(DAY, n)
    return [
        {**call, "timestamp": MONDAY + d * DAY + int(k * step)}
        for d in range(days) for k in range(n)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cost", "target", "a_day"), [(0.004, 1_000_000, 4_000), (0.02, 10_000, 200)]
)
def test_the_seed_example(tmp_path: Path, cost: float, target: int, a_day: int) -> None:
    calls = even_days(288, 2, {"model": "m", "cost_usd": cost})
    config = (
        f"[cost]\ncalls_per_day = {target}\n"
        f'[slo]\n"cost.monthly_at_target" = "<= $5k"\n"cost.monthly_at_10x" = "<= $5k"\n'
    )
    result = judged(tmp_path, calls, config)
    found = rows(result, "cost_scenarios", "scenario")
    assert found["Target"]["calls"] == target
    assert found["Target"]["day"] == a_day * 10**9
    assert found["Target"]["month"] == round(a_day * 10**9 * MONTH)
    assert found["Today"]["calls"] == 288
    assert found["Ten times the traffic"]["month"] == round(2880 * Fraction(str(cost)) * 10**9
                                                           * MONTH)  # fmt: skip
    objectives = {o.statistic: o for o in result.objectives}
    # $4,000 a day is $121,667 a month; $200 a day is $6,083: both over $5,000.
    at_target = objectives["monthly_at_target"]
    assert at_target.status == "BREACHED"
    assert at_target.observed == pytest.approx(float(a_day * 10**9 * MONTH))
    assert f"at {target:,} calls a day" in at_target.reason
    assert objectives["monthly_at_10x"].status == "MET"


def test_a_projection_scales_the_mean_and_its_interval(tmp_path: Path) -> None:
    rng = random.Random(3)
    calls = [{**c, "cost_usd": rng.choice([0.001, 0.002, 0.009])} for c in even_days(288, 7, GPT)]
    config = """
[cost]
calls_per_day = 1000
[slo]
"cost.monthly_at_target" = "<= $1M"
"cost_per_call.mean" = "<= $1"
"""
    result = judged(tmp_path, calls, config)
    each, month = (next(o for o in result.objectives if o.indicator == k)
                   for k in ("cost_per_call", "cost"))  # fmt: skip
    factor = float(1000 * MONTH)
    for name in ("observed", "low", "high", "bound"):
        assert getattr(month, name) == pytest.approx(getattr(each, name) * factor)
    scenario = rows(result, "cost_scenarios", "scenario")["Target"]
    assert scenario["low"] == pytest.approx(month.low, rel=1e-9)
    assert scenario["high"] == pytest.approx(month.high, rel=1e-9)


def test_the_verdict_turns_exactly_at_the_limit(tmp_path: Path) -> None:
    # 12 calls a day at $1 are $12 x 365/12 = $365 a month.
    calls = even_days(288, 1, {"model": "m", "cost_usd": 1})
    config = '[cost]\ncalls_per_day = 12\n[slo]\n"cost.monthly_at_target" = "{}"\n'
    for limit, met in (("<= $365", True), ("< $365", False), ("<= $364.999999999", False)):
        status = judged(tmp_path, calls, config.format(limit)).objectives[0].status
        assert (status == "MET") is met, limit


def test_less_than_a_day_says_nothing_of_a_month(tmp_path: Path) -> None:
    calls = [{"model": "m", "cost_usd": 1, "timestamp": MONDAY + 60 * k} for k in range(600)]
    config = '[slo]\n"cost.monthly" = "<= $1M"\n'
    (objective,) = judged(tmp_path, calls, config).objectives
    assert objective.status == "NO_DATA"
    assert objective.observed is None
    assert "less than a day" in objective.reason


def test_scenarios_by_model_add_up(tmp_path: Path) -> None:
    calls = even_days(288, 1, {"model": "a", "cost_usd": 0.25})
    calls += even_days(288, 1, {"model": "b", "cost_usd": 0.75})
    result = judged(tmp_path, calls)
    by_model = rows(result, "cost_scenario_models", "scenario", "model")
    today = rows(result, "cost_scenarios", "scenario")["Today"]["month"]
    assert by_model["Today", "b"]["month"] == 3 * by_model["Today", "a"]["month"]
    assert by_model["Today", "a"]["month"] + by_model["Today", "b"]["month"] == today


def test_peak_traffic_is_the_busiest_five_minutes(tmp_path: Path) -> None:
    usual = even_days(288, 1, {**GPT, "input_tokens": 100, "output_tokens": 10})
    rush = [{**GPT, "input_tokens": 1000, "output_tokens": 0, "timestamp": MONDAY + 36_000 + k}
            for k in range(99)]  # fmt: skip
    result = judged(tmp_path, usual + rush, "[cost]\ncalls_per_day = 774\n")
    found = rows(result, "cost_traffic", "model")["gpt-4o"]
    # 100 calls and 99,110 tokens in five minutes; the target is twice the 387 of the day.
    assert (found["peak"], found["peak_tokens"]) == (20, 19_822)
    assert (found["tenfold"], found["target"]) == (200, 40)


# ── days and waste ──────────────────────────────────────────────────────────────────────────────


def test_a_day_that_stands_out_is_marked(tmp_path: Path) -> None:
    calls = []
    for day, cost in enumerate((1.0, 1.1, 0.9, 1.0, 3.0, 1.05, 1.0)):
        calls += [{**call, "timestamp": call["timestamp"] + day * DAY}
                  for call in even_days(288, 1, {"model": "m", "cost_usd": cost})]  # fmt: skip
    found = judged(tmp_path, calls).tables["cost_days"]
    assert [bool(x) for x in found.data["odd"]] == [False] * 4 + [True] + [False] * 2
    assert found.data["odd"][4] == "spend 3 × the median day, cost of a call 3 × the median day"
    few = judged(tmp_path, [c for c in calls if c["timestamp"] < MONDAY + 3 * DAY])
    assert not any(few.tables["cost_days"].data["odd"])
    assert "too few" in few.tables["cost_days"].note


def test_waste_is_counted_where_it_can_be_told(tmp_path: Path) -> None:
    calls: list[dict[str, Any]] = [
        {"model": "m", "cost_usd": 1, "status": "error", "error_type": "timeout"},
        {"model": "m", "cost_usd": 2, "finish_reason": "cancelled"},
        {"model": "m", "cost_usd": 4, "retries": 2},
        {"model": "m", "cost_usd": 8, "retrieval": {"hit": False, "chunk_ids": ["c"]}},
        {"model": "m", "cost_usd": 16, "retries": 0, "status": "ok", "finish_reason": "stop"},
    ]
    found = rows(judged(tmp_path, calls), "cost_waste", "kind")
    assert [v["cost"] for v in found.values()] == [10**9, 2 * 10**9, 4 * 10**9, 8 * 10**9]


# ── levers ──────────────────────────────────────────────────────────────────────────────────────


def test_levers_are_worked_out_from_the_log(tmp_path: Path) -> None:
    small = {**GPT, "operation": "chat", "input_tokens": 1000, "output_tokens": 100,
             "input_hash": "same"}  # fmt: skip
    large = {**GPT, "operation": "report", "input_tokens": 9000, "output_tokens": 100}
    calls = [{**small, "timestamp": MONDAY + k} for k in range(4)]
    calls += [{**large, "input_hash": f"h{k}", "timestamp": MONDAY + 10 + k} for k in range(4)]
    config = """
[cost]
cheaper_model = "gpt-4o-mini"
cheaper_provider = "openai"
cheaper_under_tokens = 1000
stable_prefix_tokens = 400
offline_operations = ["report"]
"""
    result = judged(tmp_path, calls, config)
    found = rows(result, "cost_levers", "lever")
    # small: 2,500,000 + 1,000,000; large: 22,500,000 + 1,000,000 nano-dollars
    cost = 4 * 3_500_000 + 4 * 23_500_000
    assert found["Exact-match cache"]["calls"] == 3
    assert found["Exact-match cache"]["saves"] == cost * 3 // 8
    # 1,000 x $0.15 + 100 x $0.60 in place of 3,500,000
    assert found["Cheaper model"]["saves"] == 4 * (3_500_000 - 150_000 - 60_000)
    # 400 tokens at $1.25 less, on eight calls
    assert found["Provider prompt caching"]["saves"] == 8 * 400 * 1_250
    assert found["Batch price"]["saves"] == 4 * 23_500_000 // 2
    assert found["Semantic cache"]["saves"] is None
    left = Fraction(1)
    for name in ("Exact-match cache", "Cheaper model", "Provider prompt caching",
                 "Trim long contexts", "Batch price"):  # fmt: skip
        left *= 1 - Fraction(found[name]["saves"], cost)
    assert found["All together"]["saves"] == round((1 - left) * cost)
    assert found["All together"]["saves"] < sum(v["saves"] or 0 for k, v in found.items()
                                                if k != "All together")  # fmt: skip


def test_what_is_in_a_batch_already_is_not_put_into_one_again(tmp_path: Path) -> None:
    call = {**GPT, "operation": "report", "input_tokens": 1000, "output_tokens": 0,
            "timestamp": MONDAY}  # fmt: skip
    calls = [call, {**call, "service_tier": "batch"}]
    found = judged(tmp_path, calls, '[cost]\noffline_operations = ["report"]\n')
    lever = rows(found, "cost_levers", "lever")["Batch price"]
    assert (lever["saves"], lever["calls"]) == (1_250_000, 1)


def test_what_the_log_cannot_tell_is_said_and_not_estimated(tmp_path: Path) -> None:
    call = {**GPT, "input_tokens": 100, "output_tokens": 10, "timestamp": MONDAY}
    found = rows(judged(tmp_path, [call]), "cost_levers", "lever")
    for name, words in (("Exact-match cache", "input_hash"), ("Cheaper model", "cheaper_model"),
                        ("Provider prompt caching", "stable_prefix_tokens"),
                        ("Batch price", "offline_operations")):  # fmt: skip
        assert found[name]["saves"] is None
        assert words in found[name]["assumption"]


def test_trimming_cuts_to_the_stated_percentile(tmp_path: Path) -> None:
    calls = [{**GPT, "input_tokens": 1000, "output_tokens": 0, "timestamp": MONDAY + k}
             for k in range(90)]  # fmt: skip
    calls += [{**GPT, "input_tokens": 5000, "output_tokens": 0, "timestamp": MONDAY + 100 + k}
              for k in range(10)]  # fmt: skip
    found = rows(judged(tmp_path, calls), "cost_levers", "lever")["Trim long contexts"]
    assert found["calls"] == 10
    assert found["saves"] == pytest.approx(10 * 4000 * 2_500, rel=0.01)


# ── the bill ────────────────────────────────────────────────────────────────────────────────────

TWO_DAYS = [
    {**GPT, "input_tokens": 1000, "output_tokens": 100, "timestamp": MONDAY + k * 43_000}
    for k in range(4)
]  # $0.0035 each, two a day


def test_the_bill_is_held_against_the_log(tmp_path: Path) -> None:
    bill = (
        "Date,Model,Amount,Currency\n2025-11-17,gpt-4o-2024-08-06,$0.005,USD\n"
        '2025-11-17,gpt-4o-2024-08-06,"0.002",\n2025-11-18,other-model,1.00,usd\n'
    )
    result = judged(tmp_path, [*TWO_DAYS, {"model": "x", "cost_usd": 3, "timestamp": MONDAY}],
                    invoice=bill)  # fmt: skip
    found = rows(result, "cost_invoice", "period", "model")
    first = found["2025-11-17", "gpt-4o-2024-08-06"]
    # A dated name on the bill is the same model as its short name in the log.
    assert (first["billed"], first["cost"], first["gap"]) == (7_000_000, 10_500_000, 3_500_000)
    other = found["2025-11-18", "other-model"]
    assert (other["cost"], other["remark"]) == (None, "no such call in the log")
    assert found["", "x"]["cost"] == 3 * 10**9
    assert found["", "x"]["remark"] == "no line of the bill names it"
    assert "1 of 2 lines" in result.tables["cost_invoice"].note


def test_lines_of_a_bill_that_overlap_are_not_added_up(tmp_path: Path) -> None:
    bill = "date,model,amount\n2025-11,,0.02\n2025-11-17,gpt-4o,0.01\n"
    note = judged(tmp_path, TWO_DAYS, invoice=bill).tables["cost_invoice"].note
    assert "overlap" in note
    assert "$" not in note


def test_a_month_without_models_is_held_against_everything(tmp_path: Path) -> None:
    result = judged(tmp_path, TWO_DAYS, invoice="month,amount\n2025-11,0.02\n")
    (row,) = rows(result, "cost_invoice", "period").values()
    assert (row["billed"], row["cost"]) == (20_000_000, 14_000_000)
    assert "of the time" in row["remark"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no column date or day or month"),
        ("date,model\n2025-11-17,m\n", "no column amount"),
        ("date,amount\n17.11.2025,3\n", "'17.11.2025' is neither a date nor a month"),
        ("date,amount\n2025-11-17,3 EUR\n", "'3 EUR' is not an amount"),
        ("date,amount,currency\n2025-11-17,3,EUR\n", "the currency is 'EUR'"),
        ("date,amount\n2025-13,3\n", "neither a date nor a month"),
        ("date,amount\n", "the bill has no lines"),
        ("date,amount\n2025-11-17,nan\n", "not an amount"),
    ],
)
def test_a_bill_that_cannot_be_read_says_why(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bill.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=words.replace("'", ".")):
        read_invoice(path)


def test_all_that_is_wrong_with_a_bill_is_said_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bill.csv"
    path.write_text("date,amount\nx,1\n2025-11-17,y\n")
    with pytest.raises(UsageError) as caught:
        read_invoice(path)
    assert [d.where.rpartition(":")[2] for d in caught.value.diagnostics] == ["2", "3"]


def test_without_calls_there_is_no_cost_table(tmp_path: Path) -> None:
    result = judged(tmp_path, [{"operation": "retrieval", "retrieval": {"hit": True}}])
    assert not [name for name in result.tables if name.startswith("cost_")]
    assert Config().cost.calls_per_day is None


# ── a sample of the traffic ─────────────────────────────────────────────────────────────────────


def test_a_month_of_a_sampled_log_is_that_of_all_the_traffic(tmp_path: Path) -> None:
    # 288 calls a day at $1, of 2,880 that were made.
    log = write(tmp_path / "calls.jsonl", even_days(288, 2, {"model": "m", "cost_usd": 1}))
    toml, bill = tmp_path / "readiness.toml", tmp_path / "bill.csv"
    toml.write_text(
        '[cost]\ncalls_per_day = 100\noffline_operations = ["x"]\n'
        '[slo]\n"cost.monthly" = "<= $87600"\n"cost.monthly_at_target" = "<= $3041"\n'
    )
    bill.write_text("date,model,amount\n2025-11-17,m,2880\n")
    result = pipeline.analyse(
        pipeline.Request((str(log),), toml, state=tmp_path / "state", sampling_rate="10%",
                         invoice=bill), Silent()
    )  # fmt: skip
    found = rows(result, "cost_scenarios", "scenario")
    assert found["Today"]["calls"] == 2_880
    assert found["Today"]["month"] == 2_880 * 10**9 * MONTH == 87_600 * 10**9
    # A stated target is of all calls already: 100 x $1 x 365/12.
    assert found["Target"]["month"] == round(100 * 10**9 * MONTH)
    met = {o.statistic: o.status == "MET" for o in result.objectives}
    assert met == {"monthly": True, "monthly_at_target": False}
    sampled = result.tables["cost_sampling"]
    assert (sampled.data["calls"], sampled.data["all_calls"]) == ([576], [5_760])
    assert (sampled.data["cost"], sampled.data["all_cost"]) == ([576 * 10**9], [5_760 * 10**9])
    assert "as --sampling-rate says" in sampled.note
    assert result.tables["overall"].data["cost"] == [576 * 10**9]
    assert rows(result, "cost_traffic", "model")["m"]["peak"] == 2  # one in five minutes, tenfold
    assert result.tables["cost_invoice"].data["cost"] == [2_880 * 10**9]
    models = rows(result, "cost_scenario_models", "scenario", "model")
    assert models["Today", "m"]["month"] == found["Today"]["month"]


def test_weights_scale_each_call_by_its_own(tmp_path: Path) -> None:
    # A day: 144 calls at $1 that stand for 10 each, and 144 at $3 that stand for themselves.
    calls = even_days(288, 1, {"model": "a"})
    for k, call in enumerate(calls):
        cheap = k % 2 == 0
        call |= {"cost_usd": 1 if cheap else 3, "sample_weight": 10 if cheap else 1,
                 "model": "a" if cheap else "b"}  # fmt: skip
    result = judged(tmp_path, calls, "[cost]\ncalls_per_day = 11\n")
    found = rows(result, "cost_scenarios", "scenario")
    # 1,440 + 144 calls cost 1,440 + 432 dollars: $1,872 / 1,584 = $13/11 each.
    assert found["Today"]["calls"] == 1_584
    assert found["Today"]["day"] == 1_872 * 10**9
    assert found["Today"]["month"] == round(1_872 * 10**9 * MONTH)
    assert found["Target"]["month"] == round(13 * 10**9 * MONTH)
    models = rows(result, "cost_scenario_models", "scenario", "model")
    assert models["Today", "a"]["month"] == round(1_440 * 10**9 * MONTH)
    assert models["Today", "b"]["month"] == round(432 * 10**9 * MONTH)
    assert any("1,584 were made" in note for note in result.notes)
    # A share in place of a weight is not used, and that is said.
    shares = [{**call, "sample_weight": 0.1} for call in calls]
    result = judged(tmp_path, shares)
    assert "cost_sampling" not in result.tables
    assert [p.code for p in result.ingest.problems] == ["I015"]


def test_calls_without_a_weight_are_scaled_by_the_stated_rate(tmp_path: Path) -> None:
    log = write(tmp_path / "calls.jsonl", [
        {"model": "m", "cost_usd": 1, "sample_weight": 4}, {"model": "m", "cost_usd": 2},
    ])  # fmt: skip
    request = pipeline.Request((str(log),), None, state=tmp_path / "state", sampling_rate="0.5")
    sampled = pipeline.analyse(request, Silent()).tables["cost_sampling"]
    assert (sampled.data["all_calls"], sampled.data["all_cost"]) == ([6], [8 * 10**9])
