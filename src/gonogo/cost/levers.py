"""Levers: what each change might save, estimated from this log, its assumption beside it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import polars as pl

from gonogo import display
from gonogo.config.model import Config
from gonogo.cost.parts import Row, hidden, made, ratio, total, value
from gonogo.measures import Distributions
from gonogo.measures.traffic import calls_a_day, sampling, timed_calls
from gonogo.pricing import BUCKETS, Book, Rates
from gonogo.pricing.rates import NO_RATE
from gonogo.results import Table
from gonogo.rollup.costs import SMALL_DEFAULT
from gonogo.rollup.partial import Partial
from gonogo.stats.histogram import Histogram, borders


@dataclass(frozen=True, slots=True)
class Lever:
    """`saves` is nano-dollars in the period; None where the log cannot tell."""

    name: str
    saves: int | None
    calls: int | None
    assumption: str


def table(partial: Partial, config: Config, distributions: Distributions, book: Book) -> Table:
    """All levers, and all of them together."""
    cost = total(partial)["cost"]
    if not cost:
        return made("cost_levers", "Levers", (), [])
    levers = [
        _repeats(partial),
        _cheaper(partial, config, book),
        _prefix(partial, config),
        _trim(partial, config, distributions, book),
        _batch(partial, config),
        Lever("Semantic cache", None, None, "similar prompts cannot be told from a log of hashes"),
    ]
    day, spend = calls_a_day(partial), sampling(partial, config).spend
    timed = int(timed_calls(partial, "calls")["calls"].sum())
    # A lever saves its share of what the ones before it left: nothing is saved twice.
    left = Fraction(1)
    for lever in levers:
        if lever.saves:
            left *= 1 - Fraction(min(lever.saves, cost), cost)
    saved = round((1 - left) * cost)
    levers.append(
        Lever(
            "All together", saved if saved else None, None,
            "each takes its share of what those above it leave, so nothing is saved twice; "
            "not their sum",
        )
    )  # fmt: skip
    rows: list[Row] = []
    for lever in levers:
        month = None
        if lever.saves is not None and day is not None and timed:
            month = round(lever.saves * day * spend * Fraction(365, 12) / timed)
        rows.append(
            {
                "lever": lever.name,
                "saves": lever.saves,
                "all_cost": cost,
                "month": month,
                "calls": lever.calls,
                "assumption": lever.assumption,
            }
        )
    shape = (
        value("lever", "lever", "text"),
        value("calls", "calls it touches", "count"),
        value("saves", "saves in this log", "nano_usd"),
        hidden("all_cost", "nano_usd"),
        ratio("share", "of the cost", "saves", "all_cost"),
        value("month", "a month, today’s traffic", "nano_usd"),
        value("assumption", "assumed", "text"),
    )
    note = "Estimates from this log; none of them looks at quality, which a golden set must judge."
    return made("cost_levers", "Levers", shape, rows, note)


def _repeats(partial: Partial) -> Lever:
    name, found = "Exact-match cache", total(partial)
    n, cost = found["hashed_n"], found["hashed_cost"]
    if not n:
        return Lever(name, None, None, "not to be told: log input_hash, a hash of the prompt")
    distinct = min(n, partial.prompts.count())
    repeats = n - distinct
    words = (
        f"{display.count(repeats)} of {display.count(n)} calls with input_hash repeat a prompt "
        "seen before; a repeat costs what the mean of them does, and an answer stays valid for "
        "the whole period"
    )
    return Lever(name, round(Fraction(repeats, n) * cost), repeats, words)


def _cheaper(partial: Partial, config: Config, book: Book) -> Lever:
    plan, name = config.cost, "Cheaper model"
    if plan.cheaper_model is None:
        return Lever(name, None, None, "name one as cheaper_model under [cost]")
    epoch = None if partial.last_us is None else partial.last_us // 1_000_000
    rates = book.at(plan.cheaper_provider, plan.cheaper_model, epoch)
    if rates is None:
        words = f"no price is known for {plan.cheaper_model}; state it under [[prices.model]]"
        return Lever(name, None, None, words)
    frame = partial.frames["costs"]
    wanted = pl.lit(False)
    parts = []
    if plan.cheaper_operations:
        wanted |= pl.col("operation").is_in(list(plan.cheaper_operations))
        parts.append("operation " + ", ".join(plan.cheaper_operations))
    if plan.cheaper_under or not plan.cheaper_operations:
        wanted |= pl.col("small") == 1
        parts.append(f"at most {plan.cheaper_under or SMALL_DEFAULT:,} input tokens")
    found = frame.filter(wanted.fill_null(False))
    saves, calls = 0, 0
    for row in found.to_dicts():
        now = row["priced"]
        then = _repriced(row, rates)
        if row["priced_n"] and then is not None and then < now:
            saves += now - then
            calls += row["priced_n"]
    words = f"calls with {' or '.join(parts)} go to {plan.cheaper_model} with as many tokens"
    return Lever(name, saves, calls, words)


def _repriced(row: Row, rates: Rates) -> int | None:
    """What the tokens of a row of sums cost at other rates, in nano-dollars."""
    base = rates.tiers[0][1]
    pico = rates.per_call * row["priced_n"]
    for bucket, rate in zip(BUCKETS, base, strict=True):
        tokens = row[f"tokens_{bucket}"]
        if rate == NO_RATE and tokens:
            return None
        pico += tokens * max(rate, 0)
    return int(pico) // 1000


def _prefix(partial: Partial, config: Config) -> Lever:
    name, found = "Provider prompt caching", total(partial)
    prefix = config.cost.stable_prefix
    if prefix is None:
        words = "how much of each prompt never changes is not logged: state stable_prefix_tokens"
        return Lever(name, None, None, f"{words} under [cost]")
    words = (
        f"the first {prefix:,} tokens of every prompt are alike and always still in the cache, "
        "where they are not read from it yet; writing them is not counted"
    )
    return Lever(name, found["prefix_saves"], found["priced_n"], words)


def _trim(partial: Partial, config: Config, distributions: Distributions, book: Book) -> Lever:
    """Every input beyond a percentile of its model's is cut to it, at the mean price of input."""
    percent, name = config.cost.trim_percentile, "Trim long contexts"
    saves, calls = Fraction(0), 0
    frame = partial.frames["costs"].group_by("model").agg(
        pl.col("nano_input", "tokens_input").sum()
    ).sort("model", nulls_last=True)  # fmt: skip
    for model, nano, tokens in frame.iter_rows():
        if not tokens:
            continue
        histogram = distributions.get(("input_tokens",), "model", [model])
        cut, beyond = _beyond(histogram, percent)
        saves += Fraction(nano, tokens) * min(cut, tokens)
        calls += beyond
    words = (
        f"inputs longer than p{percent} of their model’s are cut to it, at the mean price of "
        "fresh input, and answer as well"
    )
    return Lever(name, round(saves), calls, words)


def _beyond(histogram: Histogram, percent: int) -> tuple[int, int]:
    """(tokens above the percentile, calls that have any), from bucket middles."""
    edge = histogram.quantile(percent, 100)
    if edge is None:
        return 0, 0
    low = borders().astype(np.float64)
    middles = (low + np.append(low[1:], 2.0**62) - 1) / 2
    values = np.where(histogram.buckets > 0, middles[histogram.buckets], 0.0)
    above = values > edge
    return int(((values - edge) * histogram.counts)[above].sum()), int(
        histogram.counts[above].sum()
    )


def _batch(partial: Partial, config: Config) -> Lever:
    plan, name = config.cost, "Batch price"
    if not plan.offline_operations:
        words = "which operations could wait is not in the log: name them as offline_operations"
        return Lever(name, None, None, f"{words} under [cost]")
    frame = partial.frames["costs"].filter(
        pl.col("operation").is_in(list(plan.offline_operations)).fill_null(False)
    )
    # What is in a batch already is not put into one again.
    cost = int(frame["cost"].sum()) - int(frame["waited_cost"].sum())
    calls = int(frame["cost_n"].sum()) - int(frame["waited_n"].sum())
    discount = display.ratio(*plan.batch_discount.as_integer_ratio())
    words = f"{', '.join(plan.offline_operations)} can wait for a batch, {discount} cheaper"
    return Lever(name, round(cost * plan.batch_discount), calls, words)
