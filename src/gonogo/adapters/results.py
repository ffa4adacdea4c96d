"""Files that stand beside logs and are none: results of evaluations.

They are recognised so that a folder that holds one can be read all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gonogo.adapters.model import Record


@dataclass(frozen=True, slots=True)
class NotLog:
    """A kind of file that holds no calls of a model."""

    title: str
    detect: Callable[[Record], bool]


def _has(value: Any, *names: str) -> bool:
    return isinstance(value, Mapping) and all(name in value for name in names)


def _promptfoo(record: Record) -> bool:
    if "evalId" in record and _has(record.get("results"), "version"):
        return True
    return _has(record, "promptIdx", "testIdx", "gradingResult") or "Grader Reason" in record


def _inspect(record: Record) -> bool:
    return _has(record.get("eval"), "task") and "status" in record


def _deepeval(record: Record) -> bool:
    return _has(record, "testCases", "metricsScores") or _has(record, "llmSpans", "retrieverSpans")


NOT_LOGS: Final = (
    NotLog("promptfoo results", _promptfoo),
    NotLog("an Inspect evaluation log", _inspect),
    NotLog("DeepEval results", _deepeval),
)
