"""The objectives as CSV (RFC 4180): a row each, worst first, values in their own unit."""

from __future__ import annotations

import csv
import io
from typing import Final

from gonogo.privacy import printable
from gonogo.results import ObjectiveResult, ReadinessResult

_FIELDS: Final = (
    "id", "indicator", "statistic", "selector", "status", "severity", "observed", "low", "high",
    "comparator", "limit", "unit", "good", "total", "eligible", "minimum", "source", "defined_at",
    "owner", "reason",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_LIMIT: Final = 600


def objectives_csv(result: ReadinessResult) -> str:
    """A head and a row for each objective; what is absent is empty, never 0.

    A text that a spreadsheet would take for a formula gets a leading apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_FIELDS)
    writer.writerows([_cell(o, name) for name in _FIELDS] for o in result.objectives)
    return out.getvalue()


def _cell(o: ObjectiveResult, name: str) -> str:
    value = getattr(o, name)
    if value is None:
        return ""
    if isinstance(value, dict):
        value = ", ".join(f"{key}={text}" for key, text in sorted(value.items()))
    elif isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() else repr(value)
    text = printable(str(value), _LIMIT) if value else ""
    return f"'{text}" if text.startswith(_FORMULA) else text
