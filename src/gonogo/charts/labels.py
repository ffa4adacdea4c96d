"""Words on charts; numbers are the affair of gonogo.display.

Names come from logs and are hostile until `label` has seen them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from fractions import Fraction

from gonogo import display
from gonogo.results import ObjectiveResult

LONGEST = 28
NAME = 24
"""Longest label left of a plot, which a phone has room for, too."""
_WALKED = 2000
_SIGNS = {"<=": "≤", "<": "<", ">=": "≥", ">": ">"}


def label(text: object, longest: int = LONGEST) -> str:
    """A printable one-line label of at most `longest` characters.

    Control, format (bidi, zero-width) and unassigned characters and lone surrogates are dropped,
    stacked combining marks are cut to two, white space is collapsed. A long text loses its middle,
    marked with "…": what tells two models or releases apart often comes last.
    """
    kept: list[str] = []
    marks = 0
    # A label needs few characters, so a megabyte of log text is not walked through.
    raw = str(text)
    raw = raw if len(raw) <= _WALKED else raw[: _WALKED // 2] + raw[-_WALKED // 2 :]
    for char in raw:
        category = unicodedata.category(char)
        if category[0] == "Z" or char in "\t\n\r":
            kept.append(" ")
        elif category[0] == "M":
            marks += 1
            if marks <= 2 and kept:
                kept.append(char)
            continue
        elif category[0] != "C":
            kept.append(char)
        marks = 0
    clean = " ".join("".join(kept).split())
    if len(clean) > longest:
        tail = longest * 2 // 5
        clean = f"{clean[: longest - 1 - tail].rstrip()}…{clean[-tail:].lstrip()}"
    return clean or "(blank)"


def unique_labels(
    names: Iterable[object], longest: int = LONGEST, taken: Iterable[str] = ()
) -> list[str]:
    """A label for each name; names that look alike after cleaning get a number."""
    used = set(taken)
    found = []
    for name in names:
        text = label(name, longest)
        n = 2
        while text in used:
            text = f"{label(name, longest - len(str(n)) - 1)}·{n}"
            n += 1
        used.add(text)
        found.append(text)
    return found


def plural(n: int, one: str, many: str | None = None) -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def limit_of(objective: ObjectiveResult) -> Fraction:
    """The limit in the unit of its indicator, exact."""
    return Fraction(objective.limit)


def bare_limit(objective: ObjectiveResult) -> str:
    """The limit with all its digits: 2.505 s."""
    return display.exact(limit_of(objective), objective.unit)


def limit_text(objective: ObjectiveResult) -> str:
    """The limit with its side: ≤ 2.505 s."""
    return f"{_SIGNS[objective.comparator]} {bare_limit(objective)}"
