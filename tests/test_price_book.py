"""Prices of one's own, and the arithmetic of a charge against fractions."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.config.load import load
from gonogo.config.model import OwnPrice, Prices
from gonogo.errors import ConfigError
from gonogo.pricing import BUCKETS, Book, Rates, Why, charge
from gonogo.pricing.rates import LARGEST_CALL, NO_RATE
from gonogo.records import MISSING
from test_pricing import CLAUDE, DAY, GPT, cell, judged, rows

# ── prices of one's own ─────────────────────────────────────────────────────────────────────────


def test_own_prices_and_discounts_come_before_the_list(tmp_path: Path) -> None:
    config = """
[prices]
discount = "10%"
[[prices.model]]
model = "llama-*"
provider = "self-hosted"
input = "$0.20"
output = "$0.60"
[[prices.model]]
model = "gpt-4o-2024-08-06"
discount = "25%"
[[prices.model]]
model = "search"
per_call = "$0.005"
"""
    tokens = {"input_tokens": 1000, "output_tokens": 100}
    result = judged(
        tmp_path,
        {"provider": "self-hosted", "model": "llama-3-70b", **tokens},  # 200,000 + 60,000
        {**GPT, **tokens},  # 3,500,000 less a quarter
        {**CLAUDE, **tokens},  # 4,500,000 less a tenth
        {"model": "search", "input_tokens": 5, "output_tokens": 5},  # 5,000,000 flat
        config=config,
    )
    assert cell(result, "overall", "cost") == 260_000 + 2_625_000 + 4_050_000 + 5_000_000
    assert rows(result.tables["cost_sources"], "source")["by prices of your own"]["calls"] == 4


def own(model: str, dollars: int, start: int | None = None, end: int | None = None) -> OwnPrice:
    rates = {"input": Fraction(dollars), "output": Fraction(dollars)}
    return OwnPrice(model, None, start, end, rates, Fraction(0), "line 1")


def input_rate(book: Book, model: str, epoch: int) -> int | None:
    rates = book.at(None, model, epoch)
    return None if rates is None else rates.tiers[0][1][0]


def test_of_two_matching_prices_the_more_exact_wins_and_a_tie_is_unknown() -> None:
    book = Book(Prices((own("m-*", 1), own("m-large*", 2), own("m-large", 3))))
    assert input_rate(book, "m-small", DAY) == 1_000_000
    assert input_rate(book, "m-large-v2", DAY) == 2_000_000
    assert input_rate(book, "m-large", DAY) == 3_000_000
    tied = Book(Prices((own("m-*a", 1), own("m-*b*", 2), own("*-ma", 4))))
    assert input_rate(tied, "m-ba", DAY) is None
    assert tied.numbers(None, "m-ba", [DAY]).tolist() == [-Why.AMBIGUOUS]


def test_own_prices_change_on_their_dates() -> None:
    book = Book(Prices((own("m", 1, None, DAY), own("m", 2, DAY, DAY + 100))))
    assert [input_rate(book, "m", DAY + k) for k in (-1, 0, 99, 100)] == [
        1_000_000, 2_000_000, 2_000_000, None]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ('[[prices.model]]\nmodel = "m"\ninput = "€2"\noutput = "$3"\n', "C051"),
        ('[[prices.model]]\nmodel = "m"\ninput = "2"\noutput = "$3"\n', "C051"),
        ('[[prices.model]]\nmodel = "m"\ninput = "$-2"\noutput = "$3"\n', "C051"),
        ('[[prices.model]]\nmodel = "m"\ninput = "$2"\n', "C051"),
        ('[[prices.model]]\nmodel = "m"\n', "C051"),
        ('[[prices.model]]\ninput = "$2"\noutput = "$2"\n', "C008"),
        ('[[prices.model]]\nmodel = "m"\ndiscount = "150%"\n', "C026"),
        ('[prices]\nprefer = "cheap"\n', "C051"),
        ('[slo]\n"cost.monthly_at_target" = "<= $5k"\n', "C053"),
        ('[slo]\n"cost.monthly{model=m}" = "<= $5k"\n', "C013"),
        ('[slo]\n"cost.weekly" = "<= $5k"\n', "C011"),
        ("[cost]\ncalls_per_day = 0\n", "C026"),
        ('[[prices.model]]\nmodel = "m"\ntier = "gold"\ninput = "$2"\noutput = "$2"\n', "C051"),
    ],
)
def test_a_wrong_price_or_plan_is_refused(tmp_path: Path, config: str, code: str) -> None:
    (tmp_path / "readiness.toml").write_text(config)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "readiness.toml")
    assert code in [d.code for d in caught.value.diagnostics]


def test_prices_of_one_model_may_not_overlap(tmp_path: Path) -> None:
    entry = '[[prices.model]]\nmodel = "m"\ninput = "$1"\noutput = "$1"\n{}\n'
    path = tmp_path / "readiness.toml"
    path.write_text(entry.format("to = 2026-02-02") + entry.format("from = 2026-02-01"))
    with pytest.raises(ConfigError, match="has a price at that time already"):
        load(path)
    path.write_text(entry.format("to = 2026-02-01") + entry.format("from = 2026-02-01"))
    assert len(load(path).prices.models) == 2


# ── the arithmetic, against fractions ───────────────────────────────────────────────────────────

COUNTS = st.integers(0, LARGEST_CALL // 10) | st.just(MISSING)
COLUMNS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
           "reasoning_tokens", "audio_input_tokens", "image_input_tokens",
           "audio_output_tokens", "cache_write_1h_tokens")  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    calls=st.lists(st.tuples(*[COUNTS] * 9, st.booleans()), min_size=1, max_size=6),
    rates=st.lists(st.integers(0, 10**9) | st.just(NO_RATE), min_size=18, max_size=18),
    start=st.integers(0, 10**6),
    per_call=st.integers(0, 10**12),
)
def test_a_charge_is_its_tokens_times_their_rates(
    calls: list[tuple[Any, ...]], rates: list[int], start: int, per_call: int
) -> None:
    price = Rates(((-1, tuple(rates[:9])), (start, tuple(rates[9:]))), per_call)
    columns = {name: np.array([c[k] for c in calls]) for k, name in enumerate(COLUMNS)}
    columns["is_embedding"] = np.array([c[9] for c in calls])
    found = charge(columns, np.zeros(len(calls), dtype=np.int64), [price])
    for k, call in enumerate(calls):
        given_ = dict(zip(COLUMNS, call[:9], strict=True))
        n = {name: max(0, v) for name, v in given_.items()}
        hour = n["cache_write_1h_tokens"]
        written = max(n["cache_write_tokens"], hour)
        fresh = n["input_tokens"] - n["cache_read_tokens"] - written
        fresh -= n["audio_input_tokens"] + n["image_input_tokens"]
        shown = n["output_tokens"] - n["audio_output_tokens"]
        if n["reasoning_tokens"] <= n["output_tokens"]:
            shown -= n["reasoning_tokens"]
        tokens = dict(zip(BUCKETS, (
            fresh, n["cache_read_tokens"], written - hour, hour, n["audio_input_tokens"],
            n["image_input_tokens"], shown, n["reasoning_tokens"], n["audio_output_tokens"],
        ), strict=True))  # fmt: skip
        used = dict(zip(BUCKETS, rates[9:] if n["input_tokens"] > start else rates[:9],
                        strict=True))  # fmt: skip
        lacking = given_["input_tokens"] < 0 or (given_["output_tokens"] < 0 and not call[9])
        if lacking or min(tokens.values()) < 0 or any(
            used[b] == NO_RATE and tokens[b] for b in BUCKETS
        ):  # fmt: skip
            assert found.nano[k] == MISSING
            assert found.why[k] != Why.PRICED
            continue
        exact = sum(Fraction(max(used[b], 0) * tokens[b], 1000) for b in BUCKETS)
        assert abs(found.parts[:, k].sum() - exact) <= Fraction(1, 2)
        assert abs(int(found.nano[k]) - (exact + Fraction(per_call, 1000))) <= Fraction(1, 2)
        for b, part in zip(BUCKETS, found.parts[:, k], strict=True):
            assert abs(int(part) - Fraction(max(used[b], 0) * tokens[b], 1000)) <= 1


def test_the_price_lists_own_calculator_agrees() -> None:
    """Every model of the list with prices by the token, at two sizes, against genai-prices."""
    from datetime import UTC, datetime

    from genai_prices import Usage, data_snapshot

    moment = datetime.fromtimestamp(DAY, UTC)
    book, compared = Book(), 0
    for provider in data_snapshot.get_snapshot().providers:
        if provider.id not in ("openai", "anthropic", "google", "aws", "mistral"):
            continue
        for model in provider.models:
            for size in (3_000, 300_000):
                number = book.numbers(provider.id, model.id, [DAY])
                if number[0] < 0:
                    continue
                columns = {name: np.array([0]) for name in COLUMNS}
                columns |= {"input_tokens": np.array([size]), "output_tokens": np.array([400]),
                            "cache_read_tokens": np.array([1_000]),
                            "is_embedding": np.array([False])}  # fmt: skip
                found = charge(columns, number, book.rates)
                if found.nano[0] == MISSING:
                    continue
                usage = Usage(input_tokens=size, output_tokens=400, cache_read_tokens=1_000)
                _, entry = data_snapshot.get_snapshot().find_provider_model(
                    model.id, None, provider.id, None
                )
                theirs = entry.calc_price(usage, provider, genai_request_timestamp=moment)
                assert abs(Fraction(theirs.total_price) * 10**9 - int(found.nano[0])) <= 1, model.id
                compared += 1
    assert compared > 150
