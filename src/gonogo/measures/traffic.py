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


def observed_seconds(partial: Partial) -> int:
    """Seconds from the first to the last 5-minute bin with a call, both included; 0 without one."""
    bins = partial.frames["calls"]["bin"].drop_nulls()
    if not len(bins):
        return 0
    return int(bins.max()) - int(bins.min()) + BIN_SECONDS  # type: ignore[arg-type]


def calls_a_day(partial: Partial) -> Fraction | None:
    """Calls with a time per day of the log; None for a log of less than a day."""
    seconds = observed_seconds(partial)
    if seconds < _DAY - BIN_SECONDS:
        return None
    timed = partial.frames["calls"].filter(pl.col("bin").is_not_null())
    return Fraction(int(timed["calls"].sum()) * _DAY, seconds)


def scenarios(partial: Partial, config: Config) -> list[Scenario]:
    """Today's traffic, ten times as much, and the target where one is stated."""
    today, target = calls_a_day(partial), config.cost.calls_per_day

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
