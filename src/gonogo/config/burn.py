"""Windows of error budgets, and the pairs of windows whose burn rates would raise an alert.

The published tables are data (`burn_rates.toml`); `[[burn_rate]]` replaces them with pairs of
one's own. Nothing is finer than the 5-minute bins that everything is counted in.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, cast

from gonogo.config.costs import share
from gonogo.config.keys import BURN_KEYS
from gonogo.config.messages import quoted
from gonogo.config.model import Pair
from gonogo.config.section import Section, kind_of
from gonogo.conventions import BIN_SECONDS

ALERTS: Final = ("page", "ticket")

_DURATION: Final = re.compile(r"\s*([0-9]{1,6})\s*([a-z]+)\s*")
_SECONDS: Final = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_LONGEST: Final = 366 * 86_400
_EXAMPLE: Final = "write a time such as 5m, 1h, 3d or 4w"


@dataclass(frozen=True, slots=True)
class BurnTable:
    """The pairs for budgets of one window (seconds), and where they were published."""

    window: int
    source: str
    pairs: tuple[Pair, ...]


@cache
def published() -> dict[int, BurnTable]:
    """The published tables by the window of their budget, in seconds."""
    text = files("gonogo.config").joinpath("burn_rates.toml").read_text(encoding="utf-8")
    found = {}
    for row in tomllib.loads(text)["table"]:
        pairs = tuple(
            Pair(
                p["alert"],
                Fraction(p["budget"].removesuffix("%")) / 100,
                _known(p["long"]),
                _known(p["short"]),
            )
            for p in row["pairs"]
        )
        found[_known(row["window"])] = BurnTable(_known(row["window"]), row["url"], pairs)
    return found


def _known(text: str) -> int:
    seconds = duration(text)
    assert seconds is not None  # the data file is our own
    return seconds


def duration(text: str) -> int | None:
    """Seconds of `5m`, `1h`, `3d` or `4w`; None where the text is none."""
    match = _DURATION.fullmatch(text)
    scale = _SECONDS.get(match[2]) if match else None
    return int(match[1]) * scale if match and scale else None


def duration_text(seconds: int) -> str:
    """The same the other way round, in the largest unit that divides it: 30m, 6h, 3d."""
    for unit, scale in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds % scale == 0:
            return f"{seconds // scale}{unit}"
    return f"{seconds}s"


def read_window(section: Section, key: str) -> int | None:
    """Seconds of a window that 5-minute bins can be added up to."""
    text = section.text(key)
    if text is None:
        return None
    seconds = duration(text)
    if seconds is None or not 0 < seconds <= _LONGEST:
        what = f"{quoted(text)} is not a length of time up to a year"
        section.wrong(key, "C061", what, _EXAMPLE)
        return None
    if seconds < BIN_SECONDS:
        what = f"{quoted(text)} is narrower than the 5-minute bins that calls are counted in"
        section.wrong(key, "C062", what, "write 5m or more")
        return None
    if seconds % BIN_SECONDS:
        below = seconds - seconds % BIN_SECONDS
        what = f"{quoted(text)} is not a multiple of the 5-minute bins that calls are counted in"
        section.wrong(key, "C062", what, f"write {duration_text(below)}")
        return None
    return seconds


def read_burn_rates(root: Section) -> tuple[Pair, ...]:
    """The pairs of `[[burn_rate]]` in the order of the file; () where the published ones hold."""
    hint = "write it as [[burn_rate]] with alert, budget, long and short"
    rows: list[Any] = root.expect("burn_rate", list, name="a list of tables", hint=hint) or []
    found: list[Pair] = []
    for number, row in enumerate(rows):
        path = ("burn_rate", number)
        if not isinstance(row, dict):
            what = f"{kind_of(row)} stands where a table is expected"
            root.problems.add(path, "C007", what, hint)
            continue
        section = Section(root.problems, path, row)
        section.known(BURN_KEYS, required=BURN_KEYS)
        alert = section.choice("alert", ALERTS, "C036")
        budget = share(section, "budget")
        long, short = read_window(section, "long"), read_window(section, "short")
        if budget == 0:
            section.wrong("budget", "C063", "no budget would always be spent", "write 8%")
        elif long is not None and short is not None and short >= long:
            what = f"the short window ({duration_text(short)}) is not shorter than the long one"
            section.wrong("short", "C063", what, f"a twelfth is usual: {_twelfth(long)}")
        elif alert and budget and long and short:
            pair = Pair(cast(Literal["page", "ticket"], alert), budget, long, short)
            if any((p.alert, p.long, p.short) == (alert, long, short) for p in found):
                root.problems.add(path, "C063", "the same pair of windows twice", "keep one")
            found.append(pair)
    return tuple(found)


def _twelfth(long: int) -> str:
    return duration_text(max(BIN_SECONDS, long // 12 // BIN_SECONDS * BIN_SECONDS))


def budget_window(section: Section, own: bool) -> int | None:
    """`window` of an objective: one that pairs are known for, in seconds."""
    seconds = read_window(section, "window")
    if seconds is None or own or seconds in published():
        return seconds
    known = ", ".join(duration_text(window) for window in published())
    what = f"no burn-rate pairs are published for a budget of {quoted(section.table['window'])}"
    section.wrong("window", "C063", what, f"write one of {known}, or add [[burn_rate]]")
    return None


def burn_table(window: int, own: tuple[Pair, ...]) -> BurnTable:
    """The pairs that hold for a budget of `window` seconds."""
    if own:
        return BurnTable(window, "", own)
    return published()[window]
