"""What changed: each comparison as a table, the figures that got worse first."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gonogo import display
from gonogo.conventions import ChangeWord
from gonogo.results import Change, Comparison, ReadinessResult
from gonogo.site.model import Cell, Pill, TableView
from gonogo.site.records import changes_id
from gonogo.site.tables import plain
from gonogo.site.text import clipped, firm, heading, value_text

_PILLS: Final = {
    ChangeWord.WORSE: Pill("Worse", "bad", "breached"),
    ChangeWord.TOO_FEW: Pill("Too few calls to tell", "none", "nodata"),
    ChangeWord.NOT_COMPARED: Pill("Not compared", "none", "na"),
    ChangeWord.BETTER: Pill("Better", "good", "met"),
    ChangeWord.NO_CHANGE: Pill("No change", "good", "met"),
}
_COLUMNS: Final = (
    ("Figure", False), ("Verdict", False), ("This", True), ("Against", True),
    ("Difference", True), ("With the same mix", True), ("Of no importance", True),
)  # fmt: skip
_METHOD: Final = (
    "Intervals are of 95 %, from a bootstrap over hours; under 8 hours of traffic, calls are taken "
    "as independent."
)
_NONE: Final = "What changed: nothing to compare with. --baseline takes the result of an earlier "
_HINT: Final = "period, --compare parts of the log, such as two releases."


def tables(result: ReadinessResult) -> tuple[TableView, ...]:
    """One table for each comparison that could be made."""
    return tuple(_table(c) for c in result.comparisons if not c.refused)


_FIRST = "What changed: this is the first period, so there is nothing to compare it with yet."
_EMPTY = "What changed: the period has no calls that could be compared."


def lede(result: ReadinessResult) -> str:
    """What changed, in a line; what could not be compared, and why."""
    if not result.comparisons and result.site.history:
        return _FIRST if result.ingest.calls else _EMPTY
    if not result.comparisons:
        return _NONE + _HINT
    lines = []
    for c in result.comparisons:
        said = f"not compared: {c.refused}" if c.refused else tally(c)
        lines.append(f"{heading(c.title)}: {clipped(said, 400)}.")
    return " ".join(lines)


def tally(comparison: Comparison) -> str:
    """How many figures got which word: 1 worse, 2 better, 5 too few calls to tell."""
    words = [change.word for change in comparison.changes]
    return ", ".join(f"{words.count(w)} {w}" for w in ChangeWord if w in words)


def _table(comparison: Comparison) -> TableView:
    notes = [clipped(note, 300) for note in comparison.notes]
    if any(c.method for c in comparison.changes):
        notes.append(_METHOD)
    made = plain(
        f"table-{comparison.id}",
        heading(comparison.title),
        _COLUMNS,
        [_row(c) for c in comparison.changes],
        sortable=False,
        download=changes_id(comparison),
    )
    return replace(made, note=" · ".join(notes))


def _row(c: Change) -> tuple[Cell, ...]:
    pill = _PILLS[c.word]
    return (
        Cell(heading(c.title), hint=clipped(c.text, 500)),
        Cell("", pill=pill),
        _value(c.new, c.new_total, c.unit),
        _value(c.old, c.old_total, c.unit),
        _gap(c.difference, c.low, c.high, c.unit, c.method),
        _gap(c.adjusted, c.adjusted_low, c.adjusted_high, c.unit, c.adjusted_note),
        Cell("–" if c.band is None else
             firm("± " + display.change(c.band, c.unit).removeprefix("+"))),
    )  # fmt: skip


def _value(value: float | None, total: int, unit: str) -> Cell:
    small = f"of {display.count(total)}"
    return Cell("–" if value is None else value_text(value, unit), small=small)


def _gap(
    value: float | None, low: float | None, high: float | None, unit: str, note: str = ""
) -> Cell:
    if value is None:
        return Cell("–", hint=note)
    if low is None or high is None:
        return Cell(firm(display.change(value, unit)), small="no interval: too few", hint=note)
    ends = " to ".join(firm(display.change(end, unit)) for end in (low, high))
    return Cell(firm(display.change(value, unit)), small=ends, hint=note)
