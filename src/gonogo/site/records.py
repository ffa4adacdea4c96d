"""What a result does not keep as a table, but a page shows as one: made one to be downloaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from gonogo.results import Column, Comparison, ReadinessResult, Scalar, Table
from gonogo.telling import step

_Unit = Literal["text", "count", "us", "nano_usd", "time"]


@dataclass(frozen=True, slots=True)
class _Part:
    """A column: how it is called, its unit, and how its value is got from a row."""

    key: str
    title: str
    unit: _Unit
    of: Callable[[Any], Scalar]


def _number(value: float | None) -> str | None:
    """A number whose unit another column names, to nine digits."""
    return None if value is None else f"{value:.9g}"


def _own(key: str, title: str, unit: _Unit = "text") -> _Part:
    return _Part(key, title, unit, lambda row: getattr(row, key))


def _figure(key: str, title: str) -> _Part:
    """A number in the unit that the row names."""
    return _Part(key, title, "text", lambda row: _number(getattr(row, key)))


def _second(part: _Part) -> _Part:
    """The same part of the second of two."""
    return _Part(part.key, part.title, part.unit, lambda row: part.of(row[1]))


def _table(table_id: str, title: str, parts: Iterable[_Part], rows: Iterable[Any]) -> Table:
    made, all_rows = tuple(parts), list(rows)
    return Table(
        id=table_id,
        title=title,
        columns=tuple(Column(key=p.key, title=p.title, unit=p.unit) for p in made),
        data={p.key: [p.of(row) for row in all_rows] for p in made},
    )


_OBJECTIVES: Final = (
    _own("id", "Objective"), _own("expression", "As written"), _own("status", "Status"),
    _own("severity", "Severity"), _own("unit", "Unit of the figures"),
    _figure("observed", "Observed"), _figure("low", "95 % interval, from"),
    _figure("high", "95 % interval, to"), _own("comparator", "Comparator"), _own("limit", "Limit"),
    _own("good", "Good events", "count"), _own("total", "Events judged", "count"),
    _own("eligible", "Events that could be", "count"),
    _Part("bad", "Bad events", "count", lambda o: o.budget.bad if o.budget else None),
    _Part("allowed", "Bad events allowed", "text", lambda o: _number(
        o.budget.allowed_num / o.budget.allowed_den) if o.budget else None),
    _own("reason", "Reason"),
)  # fmt: skip
_ALERTS: Final = (
    _Part("objective", "Objective", "text", lambda row: row[0].id),
    *map(_second, (
        _own("alert", "Alert"), _own("fired", "Would have fired", "time"),
        _own("resolved", "Resolved", "time"), _own("onset", "Onset", "time"),
        _own("long_seconds", "Long window, s", "count"),
        _own("short_seconds", "Short window, s", "count"),
        _own("bad", "Bad in the long one", "count"), _own("total", "Of these", "count"),
        _own("by_chance", "May be chance"),
    )),
)  # fmt: skip
_COVERAGE: Final = (
    _own("field", "Field"), _own("title", "Title"), _own("present", "Rows with it", "count"),
    _own("applicable", "Rows that could have it", "count"), _own("required", "Required"),
    _own("hint", "What to log"),
)  # fmt: skip
_FILES: Final = (
    _own("path", "File"), _own("format", "Format"), _own("sha256", "SHA-256"),
    _own("bytes", "Bytes", "count"), _own("lines", "Lines", "count"),
    _own("accepted", "Accepted", "count"), _own("quarantined", "Quarantined", "count"),
    _own("duplicates", "Duplicates", "count"), _own("note", "Note"),
)  # fmt: skip
_PROBLEMS: Final = (
    _own("code", "Code"), _own("what", "Problem"), _own("count", "Count", "count"),
    _own("example", "First met at"), _own("hint", "What to try"),
)  # fmt: skip
_CALL: Final = (
    _own("kind", "Kind"), _own("rule", "Rule"), _own("trace_id", "Trace"),
    _own("span_id", "Span"), _own("time", "Started", "time"), _own("model", "Model"),
    _own("operation", "Operation"), _own("release", "Release"),
    _Part("duration", "Duration", "us", lambda x: x.duration_us),
    _own("error_class", "Error"),
)  # fmt: skip
_EXEMPLARS: Final = (
    *_CALL,
    _Part("cost", "Cost", "nano_usd", lambda x: x.cost_nano_usd),
    _own("calls", "Calls", "count"),
)
_WITNESSES: Final = (
    _Part("excursion", "Excursion", "text", lambda row: row[0].id),
    *map(_second, _CALL),
    _Part("steps", "In it", "text", lambda row: "; ".join(map(step, row[1].steps))),
)
_CHANGES: Final = (
    _own("objective", "Objective"), _own("word", "Verdict"), _own("unit", "Unit of the figures"),
    _figure("new", "This"), _figure("old", "Against"),
    _own("new_total", "Events of this", "count"), _own("old_total", "Events of the other", "count"),
    _figure("difference", "Difference"), _figure("low", "95 % interval, from"),
    _figure("high", "95 % interval, to"), _figure("band", "Of no importance up to"),
    _figure("adjusted", "With the same mix"),
    _figure("adjusted_low", "95 % interval of it, from"),
    _figure("adjusted_high", "95 % interval of it, to"), _own("method", "Method"),
)  # fmt: skip


def changes_id(comparison: Comparison) -> str:
    """The name of the table of a comparison."""
    return f"changes-{comparison.id}"


def records(result: ReadinessResult) -> list[Table]:
    """The tables, by id. Figures of mixed units are texts of numbers; another column names the
    unit: us, ratio, nano_usd (billionths of a dollar), milli_tps or tokens."""
    ingest, objectives = result.ingest, result.objectives
    alerts = [(o, a) for o in objectives if o.burn for a in o.burn.alerts]
    alerts.sort(key=lambda row: (row[1].fired, row[0].slug, row[1].long_seconds))
    calls = [(e, w) for e in result.excursions for w in e.witnesses]
    made = [
        _table("objectives", "Objectives", _OBJECTIVES, objectives),
        _table("burn_alerts", "Burn-rate alerts, replayed", _ALERTS, alerts),
        _table("coverage", "Coverage of fields", _COVERAGE, result.coverage),
        _table("files", "Files", _FILES, ingest.files),
        _table("problems", "Problems in the input", _PROBLEMS, ingest.problems),
        _table("exemplars", "Exemplar traces", _EXEMPLARS, result.exemplars),
        _table("witnesses", "Calls worth opening", _WITNESSES, calls),
        *(
            _table(changes_id(c), c.title, _CHANGES, c.changes)
            for c in result.comparisons
            if not c.refused
        ),
    ]
    return sorted((t for t in made if t.height), key=lambda t: t.id)
