"""Cases of a golden set in one form, whatever tool ran them.

A case that raised an error, or whose score is missing or NaN, is not a pass and is not left out.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

import polars as pl

from gonogo.config.evidence import Evals
from gonogo.privacy import clean_label

PASSED, FAILED, ERRORED, UNSCORED = "passed", "failed", "errored", "unscored"

SCHEMA: Final[dict[str, Any]] = {
    "case": pl.String,
    "repeat": pl.Int64,
    "outcome": pl.String,
    "tags": pl.List(pl.String),
    "critical": pl.Boolean,
    "labelled": pl.Boolean,
    "judged": pl.Boolean,
    "stage": pl.String,
    "prompt_version": pl.String,
    "model": pl.String,
    "retrieval": pl.String,
    # Hashes of the expected and of the given answer; null where the file does not hold them.
    "expected": pl.UInt64,
    "answered": pl.UInt64,
}
_PIECE: Final = 8192
_HARMLESS: Final = re.compile(r"[A-Za-z0-9_-]{1,12}", re.ASCII)
"""Ids as most sets have them: shorter than any key, and no address."""
_LONGEST_ID: Final = 60
_YES: Final = frozenset({"true", "1", "1.0", "yes", "y", "pass", "passed", "ok", "correct", "c"})
_NO: Final = frozenset({"false", "0", "0.0", "no", "n", "fail", "failed", "incorrect", "i"})


@dataclass(slots=True)
class Cases:
    """The cases of one file, collected in pieces so that a large file stays small in memory."""

    evals: Evals
    kind: str = ""
    troubles: Counter[str] = field(default_factory=Counter)
    """what is wrong with single cases -> how many"""
    notes: list[str] = field(default_factory=list)
    """what is wrong with the run as a whole"""
    _rows: list[dict[str, Any]] = field(default_factory=list)
    _pieces: list[pl.DataFrame] = field(default_factory=list)

    def add(self, case: str, outcome: str, **more: Any) -> None:
        """One case, once run; `more` are the other columns of SCHEMA."""
        defaults = self.evals
        row = {
            "case": case,
            "outcome": outcome,
            "repeat": more.get("repeat"),
            "tags": more.get("tags") or [],
            "critical": more.get("critical") or False,
            "labelled": bool(more.get("labeller") or defaults.labeller),
            "judged": more.get("judged") or False,
            "stage": _label(more.get("stage")),
            "prompt_version": _label(defaults.prompt_version or more.get("prompt_version")) or "",
            "model": _label(defaults.model or more.get("model")) or "",
            "retrieval": _label(defaults.retrieval or more.get("retrieval")) or "",
            "expected": _fingerprint(more.get("expected")),
            "answered": _fingerprint(more.get("answered")),
        }
        self._rows.append(row)
        if len(self._rows) >= _PIECE:
            self._flush()

    def frame(self) -> pl.DataFrame:
        """All cases, columns of SCHEMA."""
        self._flush()
        return pl.concat([pl.DataFrame(schema=SCHEMA), *self._pieces])

    def _flush(self) -> None:
        if self._rows:
            self._pieces.append(pl.DataFrame(self._rows, schema=SCHEMA, orient="row"))
            self._rows = []

    def scored(self, score: Any, threshold: Any = None, metric: str = "") -> str:
        """The outcome of a score within 0 to 1; without a threshold only 0 and 1 decide."""
        number = _number(score)
        if number is None:
            return UNSCORED
        if not 0 <= number <= 1:
            self.troubles["scores lie outside 0 to 1"] += 1
            return UNSCORED
        limit: float | Fraction | None = _number(threshold)
        if limit is None:
            limit = (self.evals.thresholds or {}).get(metric, self.evals.threshold)
        if limit is None:
            if number in (0, 1):
                return PASSED if number else FAILED
            self.troubles["scores have no threshold (set threshold in [evals])"] += 1
            return UNSCORED
        return PASSED if number >= limit else FAILED


def worst(outcomes: list[str]) -> str:
    """The outcome of a case with several scores: it passes only where each of them passes."""
    for outcome in (ERRORED, FAILED, UNSCORED):
        if outcome in outcomes:
            return outcome
    return PASSED if outcomes else UNSCORED


def case_id(value: Any) -> str | None:
    """An id as it may be shown, "" and null being none.

    A long one may be a question in full, so its hash stands for it.
    """
    if value is None or isinstance(value, (dict, list, bool)):
        return None
    text = str(value).strip()
    if not text:
        return None
    if _HARMLESS.fullmatch(text):
        return text
    return clean_label(text) if len(text) <= _LONGEST_ID else hashed(text)


def hashed(value: Any) -> str:
    """An id for a case that has none: a hash of what it asks."""
    text = value if isinstance(value, str) else repr(value)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"case-{digest[:10]}"


def _fingerprint(value: Any) -> int | None:
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else repr(value)
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest)


def flag(value: Any) -> bool | None:
    """True or false however it is written; None where it is neither."""
    if value is None or isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    return True if word in _YES else False if word in _NO else None


def texts(value: Any) -> list[str]:
    """Tags: a list, or a text with commas or semicolons."""
    if isinstance(value, str):
        value = value.replace(";", ",").split(",")
    if not isinstance(value, list):
        return []
    found = [_cleaned(str(item).strip().lower()) for item in value if str(item).strip()]
    return [text.replace(" ", "_").replace("-", "_") for text in found]


def first(row: Mapping[str, Any], *names: str) -> Any:
    """The first value of `names` that is there and not empty."""
    for name in names:
        if row.get(name) not in (None, ""):
            return row[name]
    return None


def whole(value: Any) -> int | None:
    """The whole number in a value, rounded towards zero; None of none, or of a huge one."""
    number = _number(value)
    return int(number) if number is not None and abs(number) < 2**53 else None


def _number(value: Any) -> float | None:
    if value is None or isinstance(value, (dict, list)):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _label(value: Any) -> str | None:
    if value is None or isinstance(value, (dict, list)) or not str(value).strip():
        return None
    return _cleaned(str(value))


@lru_cache(maxsize=4096)
def _cleaned(text: str) -> str:
    """Tags, models and versions repeat from case to case; cleaning one takes a while."""
    return clean_label(text)
