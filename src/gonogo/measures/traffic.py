"""Traffic: how much there is a day, at its peak, and in the scenarios that cost is projected to."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import polars as pl

from gonogo import display
from gonogo.config.model import Config
from gonogo.conventions import BIN_SECONDS
from gonogo.rollup.partial import Partial

DAYS_A_MONTH: Final = Fraction(365, 12)
_DAY: Final = 86_400
_PEAK: Final = 10


@dataclass(frozen=True, slots=True)
class Scenario:
    """An amount of traffic; `calls_a_day` is None where the log is too short to say."""

    id: str
    title: str
    words: str
    calls_a_day: Fraction | None

    @property
    def calls_a_month(self) -> Fraction | None:
        return None if self.calls_a_day is None else self.calls_a_day * DAYS_A_MONTH


def timed_calls(partial: Partial, *columns: str) -> pl.DataFrame:
    """`bin` and these columns of the calls that have a time."""
    return partial.frames["calls"].select("bin", *columns).drop_nulls("bin")


def observed_seconds(partial: Partial) -> int:
    """Seconds from the first to the last 5-minute bin with a call, both included; 0 without one."""
    bins = timed_calls(partial)["bin"].to_numpy()
    if not len(bins):
        return 0
    return int(bins.max()) - int(bins.min()) + BIN_SECONDS


def calls_a_day(partial: Partial) -> Fraction | None:
    """Calls with a time per day of the log; None for a log of less than a day."""
    seconds = observed_seconds(partial)
    if seconds < _DAY - BIN_SECONDS:
        return None
    timed = timed_calls(partial, "calls")
    return Fraction(int(timed["calls"].sum()) * _DAY, seconds)


@dataclass(frozen=True, slots=True)
class Sampling:
    """What a log that holds a share of the traffic has to be multiplied by, all of it known.

    `calls` and `spend` are of all calls and of their cost, `mean` of the mean cost of a call.
    """

    calls: Fraction
    spend: Fraction
    mean: Fraction

    @property
    def is_whole(self) -> bool:
        """Whether the log is all of the traffic."""
        return self.calls == self.spend == 1


def sampling(partial: Partial, config: Config) -> Sampling:
    """By the weights that calls carry, and for those without one by the stated sampling rate."""
    each = 1 / config.cost.sampling_rate
    names = ("calls", "cost", "cost_n", *(f"{k}_{n}" for k in ("weighted", "stands")
             for n in ("n", "known", "cost")))  # fmt: skip
    found = {name: int(partial.frames["costs"][name].sum()) for name in names}

    def factor(all_of: str, of_weighted: str, per: int) -> Fraction:
        if not found[all_of]:
            return each
        plain = (found[all_of] - found[f"weighted_{of_weighted}"]) * each
        return (plain + Fraction(found[f"stands_{of_weighted}"], per)) / found[all_of]

    calls, known = factor("calls", "n", 1000), factor("cost_n", "known", 1000)
    spend = factor("cost", "cost", 1)
    # The calls without a known cost cost as much as the others, so the mean is over the known.
    return Sampling(calls, spend, spend / known)


def scenarios(partial: Partial, config: Config) -> list[Scenario]:
    """Today's traffic, ten times as much, and the target where one is stated."""
    today, target = calls_a_day(partial), config.cost.calls_per_day
    if today is not None:
        today *= sampling(partial, config).calls

    def shown(calls: Fraction | None) -> str:
        if calls is None:
            return "at the traffic of the log"
        return f"at {display.value(round(calls), 'count')} calls a day"

    tenfold = None if today is None else today * _PEAK
    found = [
        Scenario("monthly", "Today", shown(today), today),
        Scenario("monthly_at_10x", "Ten times the traffic", shown(tenfold), tenfold),
    ]
    if target is not None:
        stated = Fraction(target)
        found.append(Scenario("monthly_at_target", "Target", shown(stated), stated))
    return found
