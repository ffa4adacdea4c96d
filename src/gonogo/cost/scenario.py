"""What a month costs in each scenario, and the shape of the traffic behind it."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Final

import polars as pl

from gonogo import display
from gonogo.config.model import Config
from gonogo.conventions import BIN_SECONDS, OTHER, UNKNOWN
from gonogo.cost.parts import Row, hidden, made, sums, total, value
from gonogo.measures import Distributions
from gonogo.measures.traffic import (
    DAYS_A_MONTH,
    Sampling,
    Scenario,
    observed_seconds,
    sampling,
    scenarios,
    timed_calls,
)
from gonogo.results import Table
from gonogo.rollup.counting import largest
from gonogo.rollup.partial import Partial
from gonogo.stats.intervals import Mean, deviation, ratio_mean

_MODELS: Final = 5
_MINUTES: Final = BIN_SECONDS // 60
_WEEK: Final = 7 * 86_400


def table(partial: Partial, config: Config, distributions: Distributions) -> Table:
    """Calls, cost a day and a month with a 95 % interval, for each scenario."""
    mean = _mean(partial, distributions)
    calls = partial.frames["calls"]
    cost, known = int(calls["cost"].sum()), int(calls["cost_n"].sum())
    rows: list[Row] = []
    sampled = sampling(partial, config)
    for scenario in scenarios(partial, config) if mean is not None and known else []:
        if scenario.calls_a_day is None:
            continue
        each, day = Fraction(cost, known) * sampled.mean, scenario.calls_a_day
        ends = mean.interval if mean else None
        low = None if ends is None or ends.low is None else ends.low
        high = None if ends is None or ends.high is None else ends.high
        factor = float(day * DAYS_A_MONTH * sampled.mean)
        limit = _limit(config, scenario)
        rows.append(
            {
                "scenario": scenario.title,
                "calls": round(day),
                "each": round(each),
                "day": round(each * day),
                "month": round(each * day * DAYS_A_MONTH),
                "low": None if low is None else round(low * factor),
                "high": None if high is None else round(high * factor),
                "limit": None if limit is None else round(limit),
            }
        )
    shape = (
        value("scenario", "traffic", "text"),
        value("calls", "calls a day", "count"),
        value("each", "per call", "nano_usd"),
        value("day", "a day", "nano_usd"),
        value("month", "a month", "nano_usd"),
        value("low", "at least", "nano_usd", "lower end of the 95 % interval"),
        value("high", "at most", "nano_usd", "upper end of the 95 % interval"),
        value("limit", "limit", "nano_usd"),
    )
    note = _assumptions(partial, sampled) if rows else ""
    return made("cost_scenarios", "Scenarios", shape, rows, note)


def sampled_traffic(partial: Partial, config: Config) -> Table:
    """What was logged of the traffic, and what all of it comes to; no row where all was logged."""
    sampled = sampling(partial, config)
    shape = (
        value("calls", "calls in the log", "count"),
        value("all_calls", "calls made", "count", "estimated"),
        value("cost", "their cost", "nano_usd"),
        value("all_cost", "cost of all", "nano_usd", "estimated"),
    )
    found = total(partial)
    rows: list[Row] = []
    if not sampled.is_whole:
        cost = found["cost"] if found["cost_n"] else None
        rows.append(
            {
                "calls": found["calls"],
                "all_calls": round(found["calls"] * sampled.calls),
                "cost": cost,
                "all_cost": None if cost is None else round(cost * sampled.spend),
            }
        )
    parts = ["The log holds a sample of the traffic"]
    if found["weighted_n"]:
        parts.append(f"{display.count(found['weighted_n'])} calls say how many they stand for")
    if config.cost.sampling_rate != 1 and found["weighted_n"] < found["calls"]:
        share = display.ratio(*config.cost.sampling_rate.as_integer_ratio())
        parts.append(
            f"of the calls without such a weight {share} was logged, as --sampling-rate says"
        )
    note = (
        f"{'; '.join(parts)}. Scenarios, objectives on a month’s cost, peaks, levers and the bill "
        "reckon with all of it; every other figure is as logged."
    )
    return made("cost_sampling", "Logged, and made", shape, rows, note if rows else "")


def _mean(partial: Partial, distributions: Distributions) -> Mean | None:
    calls = partial.frames["calls"]
    timed = timed_calls(partial, "cost", "cost_n")
    by_bin = timed.group_by("bin").agg(pl.col("cost").sum(), pl.col("cost_n").sum()).sort("bin")
    by_bin = by_bin.filter(pl.col("cost_n") > 0)
    untimed = calls.select("bin", "cost", "cost_n").filter(pl.col("bin").is_null())
    histogram = distributions.get(("cost",), "", distributions.values("cost", ""))
    return ratio_mean(
        by_bin["bin"].to_numpy(),
        by_bin["cost"].to_numpy(),
        by_bin["cost_n"].to_numpy(),
        (int(untimed["cost"].sum()), int(untimed["cost_n"].sum())),
        deviation(histogram),
    )


def _limit(config: Config, scenario: Scenario) -> Fraction | None:
    for objective in config.objectives:
        if objective.indicator == "cost" and objective.statistic == scenario.id:
            return objective.limit
    return None


def _assumptions(partial: Partial, sampled: Sampling) -> str:
    seconds = observed_seconds(partial)
    parts = [
        "Assumed: a call costs what it does now, at today’s prices and mix of models and sizes",
        "calls of unknown cost cost as much as the others",
        "a month has 365/12 days",
        f"today’s traffic is the mean of the {display.duration(seconds * 10**6)} logged",
    ]
    if not sampled.is_whole:
        parts.append("scaled up to all of the traffic, of which the log holds a sample")
    if seconds < _WEEK - 86_400:
        parts.append("which is less than a week, so that weekdays and weekends may not be alike")
    return "; ".join(parts) + ". The interval is that of the mean cost of a call."


def by_model(partial: Partial, config: Config) -> Table:
    """A month of each scenario by model; the parts add up to the whole as it is."""
    whole = sampling(partial, config)
    each = 1 / config.cost.sampling_rate
    spent = [
        (row["model"], (row["cost"] - row["weighted_cost"]) * each + row["stands_cost"])
        for row in sums(partial, "model")
        if row["cost"]
    ]
    spent.sort(key=lambda row: (-row[1], row[0]))
    named = spent[:_MODELS]
    rest = sum((cost for _, cost in spent[_MODELS:]), Fraction(0))
    if rest:
        named.append((OTHER, rest))
    # What all calls of known cost come to, for which the costs above are.
    known = int(partial.frames["calls"]["cost_n"].sum()) * whole.spend / whole.mean
    rows = [
        {
            "scenario": scenario.title,
            "model": model,
            "month": round(cost / known * scenario.calls_a_month),
        }
        for scenario in scenarios(partial, config)
        if scenario.calls_a_month is not None and known
        for model, cost in named
    ]
    shape = (
        value("scenario", "traffic", "text"),
        value("model", "model", "text"),
        value("month", "a month", "nano_usd"),
    )
    return made("cost_scenario_models", "Scenarios by model", shape, rows)


def traffic(partial: Partial, config: Config) -> Table:
    """Calls and tokens a minute by model, on average and in the busiest five minutes."""
    calls = timed_calls(partial, "model", "calls", "input_tokens", "output_tokens")
    seconds = observed_seconds(partial)
    if not seconds:
        return made("cost_traffic", "Traffic", (), [])
    bins = (
        calls.with_columns(pl.col("model").fill_null(UNKNOWN))
        .group_by("model", "bin")
        .agg(
            pl.col("calls").sum(),
            tokens=pl.col("input_tokens").sum() + pl.col("output_tokens").sum(),
        )
    )
    scale = sampling(partial, config).calls
    grown = {s.id: s.calls_a_day for s in scenarios(partial, config)}
    today, target = grown.get("monthly"), grown.get("monthly_at_target")
    rows: list[Row] = []
    models = (
        bins.group_by("model")
        .agg(pl.col("calls").sum())
        .sort(["calls", "model"], descending=[True, False])
    )
    for model, count in models.iter_rows():
        own = bins.filter(pl.col("model") == model)
        top = ceil(largest(own["calls"]) * scale)
        tokens = ceil(largest(own["tokens"]) * scale)
        rows.append(
            {
                "model": model,
                "calls": count,
                "minutes": max(1, seconds // 60),
                "peak": -(-top // _MINUTES),
                "peak_tokens": -(-tokens // _MINUTES),
                "tenfold": -(-top * 10 // _MINUTES),
                "tenfold_tokens": -(-tokens * 10 // _MINUTES),
                "target": None
                if not (today and target)
                else round(top * target / today / _MINUTES),
                "target_tokens": None
                if not (today and target)
                else round(tokens * target / today / _MINUTES),
            }
        )
    shape = (
        value("model", "model", "text"),
        value("calls", "calls", "count"),
        hidden("minutes"),
        value("peak", "calls/min", "count", "in the busiest five minutes"),
        value("peak_tokens", "tokens/min", "tokens", "in the busiest five minutes"),
        value("tenfold", "×10: calls/min", "count"),
        value("tenfold_tokens", "tokens/min", "tokens", "at ten times the traffic"),
        value("target", "Target: calls/min", "count"),
        value("target_tokens", "tokens/min", "tokens", "at the target"),
    )
    return made(
        "cost_traffic", "Peak traffic by model", shape, rows[: _MODELS * 2], _busiest(calls, config)
    )


def _busiest(calls: pl.DataFrame, config: Config) -> str:
    hourly = (
        calls.group_by((pl.col("bin") - pl.col("bin") % 3600).alias("hour"))
        .agg(pl.col("calls").sum())
        .sort(["calls", "hour"], descending=[True, False])
    )
    hour, most = int(hourly["hour"][0]), int(hourly["calls"][0])
    total, n = int(hourly["calls"].sum()), hourly.height
    began, calls_then = display.time(hour, config.timezone), display.count(most)
    text = f"The busiest hour began at {began}: {calls_then} calls"
    text += f", {display.value(round(most * n / total, 1), 'score')} × the mean of hours with calls"
    return (
        f"{text}. A peak is the busiest five minutes, a minute of it; hold it against your "
        "provider’s rate limits (RPM, TPM). More traffic is assumed to keep its shape."
    )
