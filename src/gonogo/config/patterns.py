"""Regular expressions of the configuration, as the engine compiles them that will run them.

Polars takes Rust's engine: no look-around and no back-references, and so linear time whatever the
pattern and the text. https://docs.rs/regex/latest/regex/#untrusted-input
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

LONGEST: Final = 4_000
_CARET: Final = re.compile(r"^\s*\^")
_NUMBERED: Final = re.compile(r"(\d+): ")
_REASON: Final = re.compile(r"^error: (.*)$", re.MULTILINE)
_INDENT: Final = 4


def compile_problem(pattern: str) -> str | None:
    """Why a pattern does not compile, with the place in it; None where it does."""
    import polars as pl

    if len(pattern) > LONGEST:
        return f"the pattern is longer than {LONGEST:,} characters"
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.PolarsError as error:
        return _told(str(error), pattern)
    return None


def _told(message: str, pattern: str) -> str:
    """The engine draws the pattern with a caret below; we say the number of the character."""
    reason = _REASON.search(message)
    if reason is None:  # only its size can be wrong, then
        return "the pattern is too large to be compiled: lower its repetitions"
    at = _place(message.splitlines(), pattern.split("\n"))
    return f"the pattern does not compile: {reason[1]}{at}"


def _place(drawn: Sequence[str], lines: Sequence[str]) -> str:
    for above, below in pairwise(drawn):
        if not _CARET.match(below):
            continue
        column = below.index("^")
        numbered = _NUMBERED.match(above) if len(lines) > 1 else None
        if numbered is None:
            return f" (at character {column - _INDENT + 1})"
        before = sum(len(line) + 1 for line in lines[: int(numbered[1]) - 1])
        return f" (at character {before + column - numbered.end() + 1})"
    return ""


def phrases_pattern(phrases: Sequence[str]) -> str:
    """A pattern that finds any of the phrases as whole words, in any case and with any blanks."""
    return f"(?i)(?:{'|'.join(_phrase(phrase) for phrase in phrases)})"


def _phrase(phrase: str) -> str:
    start, end = (r"\b" if re.match(r"\w", phrase[i]) else "" for i in (0, -1))
    return start + r"\s+".join(re.escape(word) for word in phrase.split()) + end
