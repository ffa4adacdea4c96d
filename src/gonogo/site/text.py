"""Text for the pages: log text made harmless to read, numbers through gonogo.display."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final
from urllib.parse import urlsplit

from gonogo import display
from gonogo.results import ObjectiveResult, ReadinessResult

LONGEST: Final = 80
"""Characters of a log text that a cell shows."""

_LONG_WORD: Final = 25
_BIDI: Final = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_CONTROLS: Final = (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0), 0xFEFF)
_VISIBLE: Final = {code: f"⟨U+{code:04X}⟩" for code in (*_BIDI, *_CONTROLS)} | dict.fromkeys(
    range(0xD800, 0xE000), "\ufffd"
)
_SIGNS: Final = {"<=": "≤", "<": "<", ">=": "≥", ">": ">"}
_PERCENTILE: Final = re.compile(r"p\d")
_NUMBER: Final = re.compile(r"([<>≤≥−$\d.,]+)\s?([^\W\d].*|%)")


def visible(page: str) -> str:
    """The page with control and bidirectional characters written out, so that none acts.

    Works on the finished page: markup has none of them, so only log text can change. Lone
    surrogates, which have no UTF-8 form, become U+FFFD.
    """
    return page.translate(_VISIBLE)


def clipped(text: str, longest: int = LONGEST) -> str:
    """`text` on one line, at most `longest` characters, the cut marked with an ellipsis.

    It is cut behind a word, unless that word is very long: half a figure would be a wrong one.
    """
    line = " ".join(text[: 4 * longest].split())
    if len(line) <= longest and len(text) <= 4 * longest:
        return line
    kept = line[: longest - 1]
    word = len(kept) - kept.rfind(" ") - 1
    if " " in kept and word < _LONG_WORD and line[longest - 1 : longest].strip():
        kept = kept[: len(kept) - word]
    return kept.rstrip() + "…"


def prose(text: str, longest: int = 300) -> str:
    """A sentence clipped, with each percent sign kept on the line of its number."""
    return clipped(text, longest).replace(" %", "\u00a0%")


def heading(text: str, longest: int = LONGEST) -> str:
    """`text` clipped, with a capital at its start unless that is a percentile (p95 latency)."""
    line = clipped(text, longest)
    return line if _PERCENTILE.match(line) else line[:1].upper() + line[1:]


def web_link(url: str) -> str:
    """`url` if it is an http(s) address with a host, else ""."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def split_unit(text: str) -> tuple[str, str]:
    """A number and its unit, to set them in two sizes: ("3.20", "s"), ("$5.01", "")."""
    found = _NUMBER.fullmatch(text)
    return (found[1], found[2]) if found else (text, "")


def firm(text: str) -> str:
    """The text with spaces that do not break: a number stays with its unit."""
    return text.replace(" ", "\u00a0")


def value_text(value: int | float | Fraction, unit: str, zone: str = "UTC") -> str:
    """A stored value in its unit as text; a `score` is in millionths, a `time` in epoch s."""
    if unit == "time":
        return firm(display.time(int(value), zone))
    if unit == "score":
        return display.value(Fraction(value) / 10**6, unit)
    return firm(display.value(value, unit))


def ratio_text(num: int, den: int) -> str:
    """A share in percent, kept on one line."""
    return firm(display.ratio(num, den))


def mean_text(num: int, den: int, unit: str) -> str:
    """A mean of `num` / `den` in the unit of `num`."""
    return value_text(Fraction(num, den), unit)


def observed_text(objective: ObjectiveResult) -> str:
    """The observation, never rounded across its limit."""
    return firm(display.near(objective.observed, objective.limit, objective.unit))


def interval_text(objective: ObjectiveResult) -> str:
    """The 95 % interval, "" where there is none; it may break before its upper end."""
    if objective.low is None and objective.high is None:
        return ""
    text = display.interval(objective.low, objective.high, objective.unit)
    return " to ".join(firm(end) for end in text.split(" to "))


def limit_text(objective: ObjectiveResult, per: int = 1) -> str:
    """Comparator and limit, exact: ≤ 2.5 s; that of `per` calls together where it adds up."""
    limit = display.exact(Fraction(objective.limit) * per, objective.unit)
    return firm(f"{_SIGNS[objective.comparator]} {limit}")


def moment(epoch: int | None, result: ReadinessResult) -> str:
    """An instant in the declared zone, which it names."""
    return display.time(epoch, result.period.timezone)


def span_text(start: int, end: int, result: ReadinessResult) -> str:
    """A stretch of time (epoch seconds) in the declared zone."""
    return display.span(start, end, result.period.timezone)


def period_text(result: ReadinessResult) -> str:
    """The period, as days where it is whole days, with its zone; its label where it is untimed."""
    start, end, zone = result.period.start, result.period.end, result.period.timezone
    if start is None or end is None:
        return clipped(result.period.label)
    if display.clock(start, zone) == display.clock(end, zone) == "00:00":
        first, last = display.day(start, zone), display.day(end - 1, zone)
        return f"{first}, {zone}" if first == last else f"{first} to {last}, {zone}"
    return display.span(start, end, zone)
