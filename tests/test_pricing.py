"""What calls cost: worked by hand from the providers' published rules, and held against the page.

Prices of the worked examples, in US dollars per million tokens: gpt-4o 2.50 in, 1.25 cached, 10 out
(https://openai.com/api/pricing); Claude Sonnet 4 3 in, 3.75 cache write, 0.30 cache read, 15 out
(https://www.anthropic.com/pricing), the same on Bedrock.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import run_engine
from gonogo import pipeline
from gonogo.pricing import Why
from gonogo.progress import Silent
from gonogo.results import ReadinessResult, Table

DAY = 1_763_251_200  # 16 November 2025
GPT = {"provider": "openai", "model": "gpt-4o-2024-08-06"}
CLAUDE = {"provider": "anthropic", "model": "claude-sonnet-4-20250514"}
BEDROCK = {"provider": "aws.bedrock", "model": "anthropic.claude-sonnet-4-20250514-v1:0"}


def judged(
    folder: Path, *calls: dict[str, Any], config: str = "", invoice: str = ""
) -> ReadinessResult:
    """The result of some calls; each gets a time and ids of its own unless it brings them."""
    lines = []
    for number, call in enumerate(calls):
        base = {"timestamp": DAY + number, "trace_id": f"t{number}", "span_id": f"s{number}",
                "status": "ok", "latency_ms": 100}  # fmt: skip
        lines.append(json.dumps(base | call) + "\n")
    log, toml = folder / "calls.jsonl", folder / "readiness.toml"
    log.write_text("".join(lines))
    toml.write_text(config)
    return run_engine.check(folder / "state", log, config=toml if config else None)


def cell(result: ReadinessResult, table: str, key: str, row: int = 0) -> Any:
    return result.tables[table].data[key][row]


def rows(table: Table, key: str) -> dict[Any, dict[str, Any]]:
    return {k[0]: v for k, v in run_engine.rows_of(table, key).items()}


# ── worked examples ─────────────────────────────────────────────────────────────────────────────


def test_openai_with_1792_of_1999_prompt_tokens_cached(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 1999, "completion_tokens": 300,
             "prompt_tokens_details": {"cached_tokens": 1792}}  # fmt: skip
    result = judged(tmp_path, {**GPT, "usage": usage})
    # 207 x $2.50 + 1,792 x $1.25 + 300 x $10, per million: 517,500 + 2,240,000 + 3,000,000 nano.
    assert cell(result, "overall", "cost") == 5_757_500
    kinds = rows(result.tables["cost_buckets"], "bucket")
    assert kinds["fresh input"] == {"tokens": 207, "cost": 517_500, "all_cost": 5_757_500}
    assert kinds["input read from the provider’s cache"]["cost"] == 2_240_000
    assert kinds["output"]["cost"] == 3_000_000
    assert sum(row["cost"] for row in kinds.values()) == 5_757_500


def test_anthropic_with_a_cache_write_and_a_cache_read(tmp_path: Path) -> None:
    # Anthropic's input_tokens do not hold the cached ones.
    write = {"input_tokens": 50, "output_tokens": 400,
             "cache_creation_input_tokens": 2000, "cache_read_input_tokens": 0}  # fmt: skip
    read = {"input_tokens": 50, "output_tokens": 400,
            "cache_creation_input_tokens": 0, "cache_read_input_tokens": 2000}  # fmt: skip
    result = judged(tmp_path, {**CLAUDE, "usage": write}, {**CLAUDE, "usage": read})
    # 50 x 3,000 + 400 x 15,000 nano each; written 2,000 x 3,750, read 2,000 x 300.
    assert cell(result, "overall", "cost") == 2 * 6_150_000 + 7_500_000 + 600_000
    assert cell(result, "overall", "input_tokens") == 4_100
    # The same tokens the way OpenTelemetry counts them, cached ones inside the input.
    inclusive = [
        {**CLAUDE, "input_tokens": 2050, "output_tokens": 400, "cache_write_input_tokens": 2000},
        {**CLAUDE, "input_tokens": 2050, "output_tokens": 400, "cache_read_input_tokens": 2000},
    ]
    assert cell(judged(tmp_path, *inclusive), "overall", "cost") == 20_400_000


def test_a_cache_write_for_an_hour_costs_twice_the_input(tmp_path: Path) -> None:
    # Anthropic: 1.25 x the input for five minutes, 2 x for an hour; of 2,000 tokens written, 1,500
    # for an hour. https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching
    usage = {"input_tokens": 50, "output_tokens": 400, "cache_creation_input_tokens": 2000,
             "cache_creation": {"ephemeral_5m_input_tokens": 500,
                                "ephemeral_1h_input_tokens": 1500}}  # fmt: skip
    for model in (CLAUDE, BEDROCK):
        result = judged(tmp_path, {**model, "usage": usage})
        # 50 x 3,000 + 500 x 3,750 + 1,500 x 6,000 + 400 x 15,000 nano-dollars
        assert cell(result, "overall", "cost") == 150_000 + 1_875_000 + 9_000_000 + 6_000_000
        assert cell(result, "overall", "input_tokens") == 2_050
        kinds = rows(result.tables["cost_buckets"], "bucket")
        assert kinds["input written to it for an hour"]["tokens"] == 1_500
    # Where only the tokens for an hour are logged, those were written; no write is counted twice.
    only = {**CLAUDE, "input_tokens": 2050, "output_tokens": 0, "cache_write_1h_input_tokens": 2000}
    assert cell(judged(tmp_path, only), "overall", "cost") == 150_000 + 12_000_000


@pytest.mark.parametrize(
    ("model", "tier", "nano"),
    [
        # 1,000 in, 1,000 of them cached, and 100 out: gpt-4o $1.25 and $10 per million, half of it
        (GPT, "batch", (1_000 * 1_250 + 100 * 10_000) // 2),
        (GPT, "flex", (1_000 * 1_250 + 100 * 10_000) // 2),
        (GPT, "default", 1_000 * 1_250 + 100 * 10_000),
        (GPT, "auto", 1_000 * 1_250 + 100 * 10_000),
        # Claude Sonnet 4: $0.30 cached, $15 out
        (CLAUDE, "batch", (1_000 * 300 + 100 * 15_000) // 2),
        (CLAUDE, "standard", 1_000 * 300 + 100 * 15_000),
        (BEDROCK, "batch", (1_000 * 300 + 100 * 15_000) // 2),
        # Published for no provider but OpenAI, and for priority by the model only.
        (CLAUDE, "flex", None),
        (GPT, "priority", None),
        (GPT, "scale", None),
    ],
)
def test_a_tier_of_service_is_priced_as_published(
    tmp_path: Path, model: dict[str, str], tier: str, nano: int | None
) -> None:
    call = {**model, "service_tier": tier, "input_tokens": 1000, "cache_read_input_tokens": 1000,
            "output_tokens": 100}  # fmt: skip
    result = judged(tmp_path, call)
    assert cell(result, "overall", "cost") == nano
    if nano is None:
        assert "tier of service" in cell(result, "cost_unknown", "why")


def test_a_price_of_ones_own_may_be_for_a_tier(tmp_path: Path) -> None:
    call = {**GPT, "input_tokens": 1000, "output_tokens": 0}
    config = """
[[prices.model]]
model = "gpt-4o*"
tier = "priority"
input = "$4.25"
output = "$17"
"""
    tiers = ({}, {"service_tier": "priority"}, {"service_tier": "batch"})
    result = judged(tmp_path, *({**call, **tier} for tier in tiers), config=config)
    assert cell(result, "overall", "cost") == 2_500_000 + 4_250_000 + 1_250_000
    # A price that names no tier holds for all of them.
    result = judged(tmp_path, *({**call, **tier} for tier in tiers),
                    config=config.replace('tier = "priority"', ""))  # fmt: skip
    assert cell(result, "overall", "cost") == 3 * 4_250_000


def test_bedrock_reports_cached_tokens_beside_the_input(tmp_path: Path) -> None:
    usage = {"inputTokens": 50, "outputTokens": 400,
             "cacheReadInputTokens": 1500, "cacheWriteInputTokens": 500}  # fmt: skip
    result = judged(tmp_path, {**BEDROCK, "usage": usage})
    # 50 x 3,000 + 1,500 x 300 + 500 x 3,750 + 400 x 15,000
    assert cell(result, "overall", "cost") == 150_000 + 450_000 + 1_875_000 + 6_000_000


def test_a_wrapper_that_repeats_its_child_is_paid_once(tmp_path: Path) -> None:
    usage = {"input_tokens": 1000, "output_tokens": 100}
    result = judged(
        tmp_path,
        {**GPT, **usage, "trace_id": "t", "span_id": "outer"},
        {**GPT, **usage, "trace_id": "t", "span_id": "inner", "parent_span_id": "outer"},
    )
    assert result.ingest.folded == 1
    assert cell(result, "overall", "cost") == 1000 * 2_500 + 100 * 10_000


def test_of_two_same_calls_the_gateways_cache_hit_costs_nothing(tmp_path: Path) -> None:
    call = {**GPT, "input_tokens": 1000, "output_tokens": 100, "cost_usd": 0.0035}
    result = judged(tmp_path, {**call, "cache_hit": False}, {**call, "cache_hit": True})
    assert cell(result, "overall", "cost") == 3_500_000
    assert cell(result, "overall", "cost_n") == 2
    assert cell(result, "cost_days", "hits") == 1
    assert cell(result, "cost_days", "saved") == 3_500_000
    assert "1 gateway cache hits cost nothing and saved $0.0035" in result.tables[
        "cost_sources"].note  # fmt: skip


def test_failed_and_blocked_calls_cost_what_the_provider_bills(tmp_path: Path) -> None:
    failed = {**GPT, "status": "error", "input_tokens": 1000}
    result = judged(
        tmp_path,
        {**failed, "error_type": "429"},  # refused: $0
        {**failed, "error_type": "timeout", "output_tokens": 0},  # it had begun: 2,500,000
        {**failed, "error_type": "500", "output_tokens": 10},  # cut off: 2,600,000
        {**GPT, "status": "blocked", "input_tokens": 1000, "output_tokens": 0},  # 2,500,000
        {**failed, "error_type": "timeout"},  # nobody knows
    )
    assert cell(result, "overall", "cost") == 7_600_000
    assert cell(result, "overall", "cost_n") == 4
    waste = rows(result.tables["cost_waste"], "kind")["failed calls that were billed"]
    assert (waste["calls"], waste["cost"]) == (2, 5_100_000)


def test_a_long_context_pays_its_tier_for_all_tokens(tmp_path: Path) -> None:
    # Claude Sonnet 4.5: $3 and $15 up to 200,000 input tokens, $6 and $22.50 beyond.
    model = {"provider": "anthropic", "model": "claude-sonnet-4-5", "output_tokens": 1000}
    at = judged(tmp_path, {**model, "input_tokens": 200_000})
    over = judged(tmp_path, {**model, "input_tokens": 200_001})
    assert cell(at, "overall", "cost") == 200_000 * 3_000 + 1000 * 15_000
    assert cell(over, "overall", "cost") == 200_001 * 6_000 + 1000 * 22_500


def test_a_price_is_that_of_the_calls_own_date(tmp_path: Path) -> None:
    # o3 went from $10 and $40 to $2 and $8 on 10 June 2025.
    call = {"provider": "openai", "model": "o3", "input_tokens": 1000, "output_tokens": 100}
    before = judged(tmp_path, {**call, "timestamp": "2025-06-09T23:59:59Z"})
    after = judged(tmp_path, {**call, "timestamp": "2025-06-10T00:00:00Z"})
    never = judged(tmp_path, {**call, "timestamp": None})
    assert cell(before, "overall", "cost") == 1000 * 10_000 + 100 * 40_000
    assert cell(after, "overall", "cost") == 1000 * 2_000 + 100 * 8_000
    # Without a time nobody knows which of the two it was.
    assert cell(never, "overall", "cost_n") == 0
    assert "price has changed" in cell(never, "cost_unknown", "why")


def test_audio_and_reasoning_are_buckets_of_their_own(tmp_path: Path) -> None:
    config = """
[[prices.model]]
model = "voice"
input = "$1"
audio_input = "$10"
output = "$4"
reasoning = "$5"
audio_output = "$40"
"""
    call = {"model": "voice", "input_tokens": 100, "audio_input_tokens": 30,
            "output_tokens": 50, "reasoning_output_tokens": 20,
            "audio_output_tokens": 10}  # fmt: skip
    result = judged(tmp_path, call, config=config)
    # 70 x 1,000 + 30 x 10,000 + 20 x 4,000 + 20 x 5,000 + 10 x 40,000 nano
    assert cell(result, "overall", "cost") == 70_000 + 300_000 + 80_000 + 100_000 + 400_000


# ── an unknown price ────────────────────────────────────────────────────────────────────────────


def test_an_unknown_price_is_never_nothing_and_stops_cost_objectives(tmp_path: Path) -> None:
    known = [{**GPT, "input_tokens": 1000, "output_tokens": 0}] * 94
    strange = [{"provider": "vllm", "model": "gpt-4o", "input_tokens": 1000, "output_tokens": 0}]
    config = '[slo]\n"cost_per_call.mean" = "<= $0.01"\n'
    enough = judged(tmp_path, *known, *strange * 4, config=config)
    short = judged(tmp_path, *known, *strange * 6, config=config)
    assert enough.objectives[0].status == "MET"
    assert enough.objectives[0].observed == 2_500_000  # the mean of those that are known
    assert short.objectives[0].status == "NO_DATA"
    assert "6 of 100 calls have no known cost (6 %), at most 5 % allowed" in (
        short.objectives[0].reason
    )
    unknown = short.tables["cost_unknown"]
    assert unknown.data["missing"] == [6]
    assert unknown.data["why"] == ["no price is known for the model"]
    assert "6 have none, with 6 % of all tokens" in unknown.note
    looser = judged(
        tmp_path, *known, *strange * 6, config=f"{config}[prices]\nmax_unknown = '10%'\n"
    )
    assert looser.objectives[0].status == "MET"


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ({"model": None}, Why.NO_MODEL),
        ({"model": "no-such-model"}, Why.UNKNOWN_MODEL),
        ({"input_tokens": -5}, Why.NO_TOKENS),
        ({"output_tokens": None}, Why.NO_TOKENS),
        ({"input_tokens": 10**9}, Why.ABSURD),
        ({"audio_input_tokens": 5000}, Why.ABSURD),
        ({"model": "text-embedding-3-large"}, Why.NOT_COVERED),
    ],
)
def test_why_a_call_has_no_cost(tmp_path: Path, call: dict[str, Any], why: Why) -> None:
    from gonogo.pricing.rates import REASONS

    result = judged(tmp_path, {**GPT, "input_tokens": 100, "output_tokens": 10, **call})
    assert cell(result, "overall", "cost_n") == 0
    assert cell(result, "overall", "cost") is None
    assert cell(result, "cost_unknown", "why") == REASONS[why]


def test_a_cost_in_another_currency_is_unknown_and_said(tmp_path: Path) -> None:
    call = {"model": "own", "cost_usd": 0.5}
    result = judged(tmp_path, {**call, "currency": "EUR"}, {**call, "currency": "usd"}, call)
    assert cell(result, "overall", "cost_n") == 2
    assert cell(result, "overall", "cost") == 10**9
    assert [(p.code, p.count) for p in result.ingest.problems] == [("I041", 1)]


# ── logged against priced ───────────────────────────────────────────────────────────────────────

PLAIN = {**GPT, "input_tokens": 2000, "cache_read_input_tokens": 1000,
         "output_tokens": 500, "reasoning_output_tokens": 200}  # fmt: skip
# 1,000 x 2,500 + 1,000 x 1,250 + 500 x 10,000
PRICED = 8_750_000


@pytest.mark.parametrize(
    ("logged", "words"),
    [
        (PRICED + 1_250_000, "cached input at the full price"),
        (PRICED + 2_500_000, "on top of an input that holds it"),
        (PRICED - 1_250_000, "leaves cached input out"),
        (PRICED + 2_000_000, "reasoning on top of an output"),
        (PRICED - 2_000_000, "leaves reasoning out"),
        (PRICED * 2, "not explained"),
    ],
)
def test_a_difference_is_explained_by_its_bucket(tmp_path: Path, logged: int, words: str) -> None:
    result = judged(tmp_path, {**PLAIN, "cost_usd": logged / 1e9})
    assert cell(result, "cost_proof", "shown_priced") == PRICED
    assert cell(result, "cost_proof", "shown_logged") == logged
    assert cell(result, "cost_proof", "gap") == logged - PRICED
    assert words in cell(result, "cost_differences", "kind")
    assert cell(result, "cost_differences", "gap") == logged - PRICED
    assert cell(result, "overall", "cost") == logged  # the log is believed unless told otherwise
    told = judged(
        tmp_path, {**PLAIN, "cost_usd": logged / 1e9}, config='[prices]\nprefer = "priced"\n'
    )
    assert cell(told, "overall", "cost") == PRICED


@pytest.mark.parametrize(
    ("call", "priced", "logged", "words"),
    [
        # 1,000 tokens written for an hour: 6,000,000, and 3,750,000 at the five-minute price.
        ({**CLAUDE, "input_tokens": 1000, "cache_write_1h_input_tokens": 1000},
         6_000_000, 3_750_000, "for an hour at the five-minute price"),
        # 1,000 tokens at the batch price of gpt-4o, and at the standard one.
        ({**GPT, "input_tokens": 1000, "service_tier": "batch"},
         1_250_000, 2_500_000, "at the standard price"),
    ],
)  # fmt: skip
def test_a_difference_is_explained_by_the_tier_or_the_hour(
    tmp_path: Path, call: dict[str, Any], priced: int, logged: int, words: str
) -> None:
    result = judged(tmp_path, {**call, "output_tokens": 0, "cost_usd": logged / 1e9})
    assert cell(result, "cost_proof", "shown_priced") == priced
    assert words in cell(result, "cost_differences", "kind")
    assert cell(result, "cost_differences", "gap") == logged - priced


def test_costs_that_agree_are_said_to(tmp_path: Path) -> None:
    result = judged(tmp_path, {**PLAIN, "cost_usd": 0.008751})
    assert "cost_differences" not in result.tables
    assert cell(result, "cost_proof", "differs_same_n") == 1


# ── another price book ──────────────────────────────────────────────────────────────────────────


def test_prices_that_changed_since_the_last_build_are_said(tmp_path: Path) -> None:
    log, toml, site = tmp_path / "calls.jsonl", tmp_path / "readiness.toml", tmp_path / "site"
    call = {"timestamp": DAY, "model": "own", "input_tokens": 1_000_000, "output_tokens": 0}
    log.write_text(json.dumps(call) + "\n" + json.dumps({**GPT, **call, **GPT}) + "\n")

    def build(dollars: int, more: str = "") -> ReadinessResult:
        entry = '[[prices.model]]\nmodel = "own"\ninput = "${}"\noutput = "$9"\n{}'
        toml.write_text(entry.format(dollars, more))
        request = pipeline.Request((str(log),), toml, state=tmp_path / "state")
        return pipeline.build(request, site, Silent())

    assert "cost_changes" not in build(2).tables
    assert "cost_changes" not in build(2).tables
    found = build(3).tables["cost_changes"]
    assert found.data["model"] == ["own"]
    assert found.data["input_then"] == [2 * 10**9]
    assert found.data["input"] == [3 * 10**9]
    assert found.data["output_then"] == found.data["output"] == [9 * 10**9]
    assert "Prices that changed" in (site / "cost.html").read_text()
    # What only begins to hold after the calls is no change of what they cost.
    later = '[[prices.model]]\nmodel = "own"\ninput = "$7"\noutput = "$9"\nfrom = 2026-01-01\n'
    assert "cost_changes" not in build(3, f"to = 2026-01-01\n{later}").tables
    for broken in ("", "{", '{"version": 1, "prices": [7, {}]}', '{"version": 1, "prices": 7}'):
        (tmp_path / "state" / "prices.json").write_text(broken)
        assert "cost_changes" not in build(3).tables
