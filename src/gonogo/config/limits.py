"""The right side of an objective: comparator, number and unit, read exactly."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import Final, NamedTuple, cast

from gonogo.config.messages import ExpressionError, Trouble, quoted
from gonogo.config.model import Comparator
from gonogo.indicators import Indicator, Unit

_SCALES: Final[dict[Unit, dict[str, Fraction]]] = {
    "us": {
        "us": Fraction(1),
        "µs": Fraction(1),
        "μs": Fraction(1),
        "ms": Fraction(10**3),
        "s": Fraction(10**6),
        "min": Fraction(60 * 10**6),
    },
    "ratio": {"%": Fraction(1, 100), "": Fraction(1)},
    "nano_usd": {"": Fraction(10**9), "k": Fraction(10**12), "M": Fraction(10**15)},
    "milli_tps": {"": Fraction(1000)},
    "tokens": {"": Fraction(1)},
}
"""Per unit of an indicator: what may stand behind the number, and what it multiplies by."""

_EXAMPLES: Final[dict[Unit, str]] = {
    "us": "a time such as 2.5s, 800ms, 50us or 1min",
    "ratio": "a ratio such as 1% or 0.01",
    "nano_usd": "an amount in US dollars such as $0.02 or $5k",
    "milli_tps": "a plain number of tokens per second such as 20",
    "tokens": "a plain number of tokens such as 8000",
}
_TIME_WORDS: Final = {
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "m": "min",
    "mins": "min",
    "minute": "min",
    "minutes": "min",
    "msec": "ms",
    "millis": "ms",
    "milliseconds": "ms",
    "usec": "us",
    "microseconds": "us",
}
_COMPARATOR = re.compile(r"(<=|>=|<|>)(?![=<>])")
_NUMBER = re.compile(r"([+-]?)\s*(\$?)\s*([0-9][0-9_]*(?:\.[0-9]+)?|\.[0-9]+)\s*(\S.*)?")
_NOT_FINITE = re.compile(r"[+-]?\$?(nan|inf|infinity|∞)(?![a-z])", re.IGNORECASE)
_MISTAKEN: Final = {"=<": "<=", "=>": ">=", "≤": "<=", "≥": ">=", "==": "", "=": "", "!=": ""}
_LONGEST: Final = 30
"""Digits of a number that are read; more would be a mistake, and cost time to hold exactly."""
_LARGEST: Final = 2**63 - 1


class _Written(NamedTuple):
    """A number as it was written; `sign` is "", "+" or "-", `money` "" or "$"."""

    sign: str
    money: str
    digits: str
    unit: str


def parse_limit(text: str, spec: Indicator) -> tuple[Comparator, Fraction]:
    """The comparator and the exact limit in the unit of `spec`; raises ExpressionError."""
    usual = "<=" if spec.good_is_low else ">="
    stripped = text.strip()
    match = _COMPARATOR.match(stripped)
    if match is None:
        troubles = [_no_comparator(stripped, spec, usual)]
        if _NUMBER.fullmatch(stripped):
            _number(stripped, spec, usual, troubles)
        raise _limit_error(troubles)
    comparator, rest = match[1], stripped[match.end() :].strip()
    troubles = []
    if (comparator[0] == "<") != spec.good_is_low:
        better = "lower" if spec.good_is_low else "higher"
        flipped = comparator.replace(comparator[0], usual[0])
        what = f"{quoted(stripped)} would call a bad {spec.title} good"
        hint = f"a {better} {spec.title} is better: did you mean '{flipped} {rest}'?"
        troubles.append(Trouble("C021", what, hint))
    limit = _number(rest, spec, comparator, troubles)
    if limit is not None and spec.kind == "ratio" and limit > 1:
        troubles.append(_no_ratio(limit, rest))
    if limit is not None and not troubles:
        troubles += _reach(limit, comparator, spec, rest)
    if troubles or limit is None:
        raise _limit_error(troubles)
    return cast(Comparator, comparator), limit


def _limit_error(troubles: list[Trouble]) -> ExpressionError:
    return ExpressionError(replace(trouble, part="limit") for trouble in troubles)


def _no_comparator(text: str, spec: Indicator, usual: str) -> Trouble:
    for wrong, right in _MISTAKEN.items():
        if text.startswith(wrong):
            rest = text[len(wrong) :].lstrip(" =")
            what = f"{quoted(wrong)} is not one of <=, <, >=, >"
            return Trouble("C016", what, f"did you mean '{right or usual} {rest}'?")
    if _NUMBER.fullmatch(text):
        what = f"{quoted(text)} has no comparator"
        return Trouble("C016", what, f"did you mean '{usual} {text}'?")
    what = f"{quoted(text)} is not a threshold"
    return Trouble("C016", what, f"write {usual} and {_EXAMPLES[spec.unit]}")


def _number(
    text: str, spec: Indicator, comparator: str, troubles: list[Trouble]
) -> Fraction | None:
    """The number with its unit, exact, in the indicator's unit; adds what is wrong."""
    example = f"write {_EXAMPLES[spec.unit]}"
    if _NOT_FINITE.match(text):
        what = f"{quoted(text)} is not a number that anything can be held against"
        troubles.append(Trouble("C017", what, example))
        return None
    match = _NUMBER.fullmatch(text)
    if match is None:
        troubles.append(Trouble("C016", f"{quoted(text)} is not a number with a unit", example))
        return None
    written = _Written(match[1], match[2], match[3], (match[4] or "").strip())
    digits = written.digits
    if len(digits) > _LONGEST:
        what = f"the number has {len(digits)} digits; at most {_LONGEST} are read"
        troubles.append(Trouble("C024", what, example))
        return None
    trouble = _unit_trouble(spec, comparator, written)
    if trouble is not None:
        troubles.append(trouble)
        return None
    value = Fraction(digits.replace("_", "")) * _SCALES[spec.unit][written.unit]
    return -value if written.sign == "-" else value


def _unit_trouble(  # noqa: PLR0911 - one return a sentence
    spec: Indicator, comparator: str, parts: _Written
) -> Trouble | None:
    sign, money, digits, unit = parts
    kind, written, start = spec.unit, "".join(parts), f"{comparator} {sign}"
    if re.match(r"[eE][+-]?[0-9]", unit):
        return Trouble("C016", f"{quoted(written)} has an exponent", "write the number out")
    if re.match(r",[0-9]", unit):
        return Trouble("C016", f"{quoted(written)} has a comma", "write a decimal point as '.'")
    if kind == "nano_usd" and not money and unit in _SCALES[kind]:
        what = f"{quoted(written)} has no currency"
        return Trouble("C018", what, f"did you mean '{start}${digits}{unit}'?")
    if kind == "us" and not money and not unit:
        what = f"{quoted(written)} has no unit of time"
        hint = f"did you mean '{start}{digits}s' or '{start}{digits}ms'?"
        return Trouble("C018", what, hint)
    if bool(money) == (kind == "nano_usd") and unit in _SCALES[kind]:
        return None
    what = f"{quoted(written)} is not {_EXAMPLES[kind].split(' such as')[0]}"
    if kind == "us" and not money:
        meant = _TIME_WORDS.get(unit.lower(), unit.lower())
        if meant in _SCALES[kind]:
            return Trouble("C019", what, f"did you mean '{start}{digits}{meant}'?")
    return Trouble("C019", what, f"write {_EXAMPLES[kind]}")


def _no_ratio(limit: Fraction, written: str) -> Trouble:
    if written.endswith("%"):
        what = f"{quoted(written)} is more than everything"
        return Trouble("C020", what, "a ratio lies between 0% and 100%")
    what = f"{quoted(written)} is not a ratio between 0 and 1"
    if limit > 100:
        return Trouble("C020", what, "write a ratio such as 1% or 0.01")
    shifted = f"{float(limit) / 100:.12g}"
    return Trouble("C020", what, f"did you mean '{written}%' or '{shifted}'?")


def _reach(limit: Fraction, comparator: str, spec: Indicator, written: str) -> list[Trouble]:
    """Limits that no measurement can meet, or none can miss, or none can hold."""
    top = 1 if spec.kind == "ratio" else None
    if spec.good_is_low:
        # Nothing takes no time at all; a share or a price of zero may well be asked for.
        never = limit < 0 or (limit == 0 and (comparator == "<" or spec.unit == "us"))
        always = limit == top and comparator == "<="
    else:
        never = limit == top and comparator == ">"
        always = limit < 0 or (limit == 0 and comparator == ">=")
    text = quoted(f"{comparator} {written}")
    if never:
        hint, beyond = "write a limit above zero", "below zero"
        if spec.kind == "ratio":
            hint = "'<= 0%' means that none is allowed"
        elif limit == 0 and comparator == "<=":
            beyond = "zero"
        if not spec.good_is_low:
            hint, beyond = "'>= 100%' means that all are asked for", "over 100 %"
        what = f"{text} can never be met: no {spec.title} is {beyond}"
        return [Trouble("C022", what, hint)]
    if always:
        hint = "write a limit that a bad week would miss"
        if top is not None and limit == top and not written.endswith("%"):
            hint = f"did you mean '{comparator} {written}%'?"
        return [Trouble("C023", f"{text} can never be missed", hint)]
    if limit > _LARGEST:
        what = f"{text} is larger than any value that is counted"
        return [Trouble("C024", what, f"write {_EXAMPLES[spec.unit]}")]
    return []
