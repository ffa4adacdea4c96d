"""Cost by unit, wasted spend, and days that stand out."""

from __future__ import annotations

from statistics import median
from typing import Final

import polars as pl

from gonogo import display
from gonogo.config.model import Config
from gonogo.cost.parts import Row, hidden, made, mean, ratio, total, value
from gonogo.measures import Distributions
from gonogo.measures.frames import quantiles
from gonogo.results import Table
from gonogo.rollup import spend
from gonogo.rollup.partial import Partial
from gonogo.rollup.requests import METRIC as REQUEST_COST

_FEWEST_DAYS: Final = 5
_DEVIATIONS: Final = 3.5
"""Iglewicz and Hoaglin (1993): modified z-scores above 3.5 are outliers."""
_CONSISTENT: Final = 1.4826
"""Median absolute deviation x this estimates the standard deviation of a normal distribution."""
_LEAST: Final = 1.25
_DAY: Final = 86_400


def units(partial: Partial, distributions: Distributions) -> Table:
    """What a call, a session and a user cost."""
    calls = partial.frames["calls"]
    hours = distributions.values("cost", "")
    histogram = distributions.get(("cost",), "", list(hours))
    sums = {k: int(calls[k].sum()) for k in ("cost", "cost_n", "session_cost", "user_cost")}
    rows: list[Row] = []
    if sums["cost_n"]:
        found = quantiles("cost", histogram, ("p50", "p95", "p99"))
        rows.append(
            {
                "unit": "call", "n": sums["cost_n"], "cost": sums["cost"], **found,
                "cost_max": histogram.maximum,
            }
        )  # fmt: skip
        if known := partial.counter("requests.known"):
            histogram = distributions.get((REQUEST_COST,), "", [None])
            found = quantiles("cost", histogram, ("p50", "p95", "p99"))
            rows.append(
                {
                    "unit": "request", "n": known, "cost": partial.counter("requests.cost"),
                    **found, "cost_max": histogram.maximum,
                }
            )  # fmt: skip
        for name, key, distinct in (
            ("session", "session_cost", partial.sessions),
            ("user", "user_cost", partial.users),
        ):
            if distinct.count():
                spread = spend.of_kind(partial.frames["spend"], name) or {}
                rows.append(
                    {
                        "unit": name, "n": distinct.count(), "cost": sums[key],
                        **{f"cost_{k}": v for k, v in spread.items() if k[0] in "pm"},
                    }
                )  # fmt: skip
    shape = (
        value("unit", "per", "text"),
        value("n", "how many", "count"),
        value("cost", "cost", "nano_usd"),
        mean("mean", "mean", "nano_usd", "cost", "n"),
        *(value(f"cost_{p}", p, "nano_usd") for p in ("p50", "p95", "p99")),
        value("cost_max", "dearest", "nano_usd"),
    )
    note = f"{_requests_note(partial)} {_spend_note(partial)}".strip()
    return made("cost_units", "What one costs", shape, rows, note)


def _spend_note(partial: Partial) -> str:
    """Which sessions and users the percentiles rest on, where not on all of them."""
    said = []
    for kind in spend.KINDS:
        found = spend.of_kind(partial.frames["spend"], kind)
        if found and found["weight"] > 1:
            said.append(f"{display.count(found['held'])} {kind}s")
    if not said:
        return ""
    return f"Percentiles of {' and '.join(said)}, drawn by a hash of their id, stand for all."


def _requests_note(partial: Partial) -> str:
    """What a request is, which of them are left out, and whether they are a sample."""
    every, kept = partial.counter("requests.all"), partial.counter("requests.kept")
    if not every:
        return "No trace_id is logged, so what a whole request costs cannot be told."
    parts = ["A request is the calls of one trace"]
    left = every - partial.counter("requests.known")
    if left:
        parts.append(f"{display.count(left)} with a call of unknown cost are left out")
    alone = int(partial.frames["costs"]["calls"].sum()) - partial.counter("trace_id.present")
    if alone:
        parts.append(f"{display.count(alone)} calls without a trace id are in none")
    if kept < every:
        parts.append(
            f"these figures rest on {display.count(kept)} of them, drawn by a hash of their id"
        )
    return "; ".join(parts) + "."


def wasted(partial: Partial) -> Table:
    """Spend that bought nothing, or may have; one call may be in several rows."""
    found = total(partial)
    kinds = (
        ("failed calls that were billed", "failed"),
        ("abandoned: the answer was cancelled", "abandoned"),
        ("calls after a retry; the tries before are not in the log", "retried"),
        ("answered without the right passage: the retrieval had no hit", "missed"),
    )
    rows = [
        {
            "kind": title,
            "calls": found[f"{kind}_n"],
            "cost": found[f"{kind}_cost"],
            "all_cost": found["cost"],
        }
        for title, kind in kinds
        if found[f"{kind}_n"]
    ]
    shape = (
        value("kind", "what", "text"),
        value("calls", "calls", "count"),
        value("cost", "cost", "nano_usd"),
        hidden("all_cost", "nano_usd"),
        ratio("share", "of all cost", "cost", "all_cost"),
    )
    note = (
        "A call may be in several rows, so they do not add up. Which of the retrieved passages an "
        "answer used is not logged, so context that went unused cannot be told."
    )
    return made("cost_waste", "Spend that may be wasted", shape, rows, note if rows else "")


def days(partial: Partial, config: Config) -> Table:
    """Cost by day of the declared zone, days that stand out marked; records without a time last."""
    frame = partial.frames["costs"]
    by = (
        frame.group_by("day")
        .agg(pl.col(k).sum() for k in ("calls", "cost", "cost_n", "hits", "saved"))
        .sort("day", nulls_last=True)
    )
    rows = by.to_dicts()
    timed = [row for row in rows if row["day"] is not None]
    first, last = partial.first_us, partial.last_us
    whole = [
        row
        for row in timed
        if first is not None
        and last is not None
        and first // 1_000_000 < row["day"] + 3_600
        and last // 1_000_000 >= row["day"] + _DAY - 3 * 3_600
    ]
    spend = [row["cost"] for row in whole]
    each = [row["cost"] / row["cost_n"] for row in whole if row["cost_n"]]
    for row in rows:
        row["odd"] = ""
        if row["day"] is None:
            continue
        words = [_odd("spend", row["cost"], spend)]
        if row["cost_n"]:
            words.append(_odd("cost of a call", row["cost"] / row["cost_n"], each))
        row["odd"] = ", ".join(w for w in words if w)
    shape = (
        value("day", "day", "time"),
        value("calls", "calls", "count"),
        value("cost", "cost", "nano_usd"),
        hidden("cost_n"),
        mean("per_call", "per call", "nano_usd", "cost", "cost_n"),
        value("hits", "gateway cache hits", "count"),
        value("saved", "saved by them", "nano_usd"),
        value("odd", "stands out", "text"),
    )
    odd = [row for row in rows if row["odd"]]
    note = ""
    if len(whole) >= _FEWEST_DAYS:
        note = "No day stands out." if not odd else f"{len(odd)} of {len(timed)} days stand out."
    elif timed:
        note = f"Fewer than {_FEWEST_DAYS} whole days: too few to say which stand out."
    if len(timed) < len(rows):
        note += " The last row holds calls without a time."
    zone = config.timezone
    return made("cost_days", f"Cost by day ({zone})", shape, rows, note.strip())


def _odd(what: str, number: float, others: list[float]) -> str:
    """In words how far a day lies above the usual one; "" where it does not stand out."""
    if len(others) < _FEWEST_DAYS:
        return ""
    middle = median(others)
    spread = _CONSISTENT * median(abs(x - middle) for x in others)
    if middle <= 0 or number < _LEAST * middle or number - middle <= _DEVIATIONS * spread:
        return ""
    return f"{what} {display.value(round(number / middle, 1), 'score')} × the median day"
