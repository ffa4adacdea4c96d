"""Guardrail triggers that crowd: an hour, a tenant or a user that looks like a campaign."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from gonogo import display
from gonogo.evidence.findings import MEASURED, counted
from gonogo.results import Column, Finding, Table
from gonogo.stats.binomial import log_tail

FEWEST: Final = 10
"""Triggers under which nothing crowds."""
TIMES: Final = 3
"""How many times the rate of all others a rate has to be."""
CHANCE: Final = 0.01
"""Chance of a single false alarm among all hours, or all tenants."""
USER_SHARE: Final = 5
"""A user with one in so many of all triggers is worth a look."""
MOST: Final = 10


@dataclass(frozen=True, slots=True)
class Spike:
    """Calls that set off a guardrail: in an hour (`name` is its start, epoch s), of a tenant or of
    a user, against all of them. `checked` is 0 where it is not counted."""

    by: str
    name: str
    triggered: int
    checked: int
    all_triggered: int
    all_checked: int


def spikes(checked: pl.DataFrame, tenants: pl.DataFrame, users: pl.DataFrame) -> tuple[Spike, ...]:
    """What stands out in the frames of a partial, most triggers first in each kind."""
    return (
        *_rates("hour", checked, "hour"),
        *_rates("tenant", tenants, "tenant_id"),
        *_users(users),
    )


def _rates(by: str, frame: pl.DataFrame, key: str) -> list[Spike]:
    sums = frame.filter(pl.col(key).is_not_null()).group_by(key).agg(
        pl.col("guard_triggered").sum(), pl.col("guard_known").sum()
    )  # fmt: skip
    rows = sums.sort([pl.col("guard_triggered"), pl.col(key)], descending=[True, False]).rows()
    every, known = sum(row[1] for row in rows), sum(row[2] for row in rows)
    found = []
    for name, triggered, checked in rows:
        if triggered < FEWEST:
            break
        others, rest = every - triggered, known - checked
        # Where nothing else was set off at all, once is taken, so that a rate is above zero.
        usual = max(others, 1) / rest if rest > 0 else 1.0
        if usual >= 1 or triggered < TIMES * usual * checked:
            continue
        if log_tail(triggered, checked, usual) <= math.log(CHANCE / len(rows)):
            found.append(Spike(by, str(name), triggered, checked, every, known))
    return found[:MOST]


def _users(frame: pl.DataFrame) -> list[Spike]:
    sums = frame.group_by("user").agg(pl.col("triggered").sum())
    rows = sums.sort([pl.col("triggered"), pl.col("user")], descending=[True, False]).rows()
    every = sum(row[1] for row in rows)
    return [
        Spike("user", str(name), triggered, 0, every, 0)
        for name, triggered in rows[:MOST]
        if triggered >= FEWEST and triggered * USER_SHARE >= every and len(rows) > 1
    ]


def judged(found: Sequence[Spike], zone: str) -> Iterator[Finding]:
    """A condition for each."""
    for spike in found:
        triggers = counted(spike.triggered, "call")
        if spike.by == "user":
            share = display.ratio(spike.triggered, spike.all_triggered)
            text = f"{_name(spike, zone)} set off guardrails on {triggers}, {share} of all of them"
        else:
            rate = display.ratio(spike.triggered, spike.checked)
            usual = display.ratio(
                spike.all_triggered - spike.triggered, spike.all_checked - spike.checked
            )
            text = f"{_name(spike, zone)}: guardrails were set off on {triggers} of "
            text += f"{spike.checked:,} ({rate}; {usual} otherwise)"
        step = "look whether somebody attacks it, and whether every attempt was stopped"
        yield MEASURED.at_risk(f"{text}: it looks like an injection campaign", step)


def _name(spike: Spike, zone: str) -> str:
    if spike.by == "hour":
        return f"the hour from {display.time(int(spike.name), zone)}"
    # A masked name says what it names already: tenant-3f2a.
    return spike.name if spike.name.startswith(f"{spike.by}-") else f"{spike.by} {spike.name}"


def spike_table(found: Sequence[Spike], zone: str) -> Table:
    """One row for each."""
    return Table(
        id="trigger_spikes",
        title="Triggers that crowd",
        columns=(
            Column(key="who", title="when or who", unit="text"),
            Column(key="triggered", title="calls triggered", unit="count"),
            Column(key="checked", title="checked", unit="count", kind="hidden"),
            Column(key="rate", title="trigger rate", unit="ratio", kind="ratio", num="triggered",
                   den="checked"),
            Column(key="every", title="all triggers", unit="count", kind="hidden"),
            Column(key="share", title="share of all triggers", unit="ratio", kind="ratio",
                   num="triggered", den="every"),
        ),
        data={
            "who": [_name(s, zone) for s in found],
            "triggered": [s.triggered for s in found],
            "checked": [s.checked or None for s in found],
            "every": [s.all_triggered for s in found],
        },
        note=f"At least {FEWEST} triggers, and {TIMES} times the rate of the others by more than "
             f"chance; of users, one in {USER_SHARE} of all triggers.",
    )  # fmt: skip
