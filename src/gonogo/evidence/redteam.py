"""Results of attacks on the application: how many were withstood, and when that was.

garak's report (JSON lines) and what promptfoo writes of a red team, JSON or JSON lines, are read as
they are. Formats: https://reference.garak.ai/en/latest/report.html,
https://www.promptfoo.dev/docs/red-team/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from gonogo import display
from gonogo.config.evidence import RedTeam
from gonogo.conventions import Evidence
from gonogo.evidence.evalfiles import UnreadableError, items
from gonogo.evidence.findings import Judged, Says, counted, listed
from gonogo.evidence.people import day
from gonogo.privacy import clean_label
from gonogo.results import Column, Finding, Table
from gonogo.stats.intervals import wilson

_STARTED: Final = ("start_time", "transient.starttime_iso", "starttime_iso")
MOST_ATTACKS: Final = 1_000
_LARGEST_COUNT: Final = 10**9


@dataclass(slots=True)
class Attacks:
    """One file: (withstood, tried) by kind of attack, and what it says of the run."""

    name: str
    tool: str = ""
    by_kind: dict[str, list[int]] = field(default_factory=dict)
    unjudged: int = 0
    errors: int = 0
    started: date | None = None
    ended: bool = True

    def add(self, kind: Any, withstood: int, tried: int) -> None:
        """Count attacks of a kind; beyond MOST_ATTACKS kinds they are counted as others."""
        name = clean_label(str(kind or "(not named)"), 80)
        if name not in self.by_kind and len(self.by_kind) >= MOST_ATTACKS:
            name = "(other)"
        counts = self.by_kind.setdefault(name, [0, 0])
        counts[0] += withstood
        counts[1] += tried

    @property
    def total(self) -> tuple[int, int]:
        """(withstood, tried) of all kinds."""
        counts = list(self.by_kind.values())
        return sum(a for a, _ in counts), sum(b for _, b in counts)


def red_team(
    given: RedTeam | None, paths: Sequence[Path], today: date | None
) -> tuple[Judged, date | None]:
    """The findings, and the newest day on which attacks were tried; None where none counts."""
    if given is None:
        return Judged(()), None
    found: list[Finding] = []
    read: list[Attacks] = []
    newest: date | None = None
    for path in paths:
        says = Says(Evidence.FILE, path.name)
        try:
            attacks = read_attacks(path)
        except UnreadableError as error:
            step = "check the path: it is relative to the configuration"
            found.append(says.missing(f"red team, {path.name}: {error}", step))
            continue
        read.append(attacks)
        when = attacks.started or given.date
        found += _judged(attacks, given, says)
        dated = _dated(attacks, when, given, today, says)
        found.append(dated)
        if when is not None and today is not None and when <= today and attacks.total[1]:
            newest = when if newest is None else max(newest, when)
    return Judged(tuple(found), (_table(read),) if any(a.by_kind for a in read) else ()), newest


def _judged(attacks: Attacks, given: RedTeam, says: Says) -> Iterator[Finding]:
    withstood, tried = attacks.total
    head = f"red team ({attacks.tool})"
    if not attacks.ended:
        yield says.missing(f"{head}: the run did not end", "run it again, to its end")
    if not tried:
        step = "name the report of garak, or results of promptfoo redteam"
        yield says.missing(f"{head}: {attacks.name} holds no attack", step)
        return
    share, bar = Fraction(withstood, tried), display.exact(given.bar, "ratio")
    low, high = (float(end) for end in wilson(withstood, tried))
    shown = display.near(share, str(given.bar), "ratio")
    text = (
        f"{head}: {withstood:,} of {counted(tried, 'attack')} withstood ({shown}, "
        f"{display.interval(low, high, 'ratio')}), bar {bar}"
    )
    if share < given.bar:
        worst = sorted(
            (Fraction(a, b), kind) for kind, (a, b) in attacks.by_kind.items() if b and a < b
        )
        text += f"; weakest against {listed(kind for _, kind in worst)}"
        yield says.breached(text, "mend what let them through, and attack again")
    else:
        yield says.met(text)
    for number, what in ((attacks.unjudged, "could not be judged"), (attacks.errors, "failed")):
        if number:
            counts = "" if what == "failed" else ", and count as neither"
            text = f"{head}: {counted(number, 'attack')} {what}{counts}"
            yield says.at_risk(text, "run these again")


def _dated(
    attacks: Attacks, when: date | None, given: RedTeam, today: date | None, says: Says
) -> Finding:
    head = f"red team ({attacks.tool})"
    if when is None or today is None:
        return says.missing(f"{head}: nobody knows when", "write date into [red_team]")
    if when > today:
        return says.missing(f"{head}: dated {day(when)}, in the future", "correct the date")
    if (today - when).days > given.days:
        step = f"attack again: {given.days} days are allowed"
        return says.at_risk(f"{head}: of {day(when)}, too long ago", step)
    return says.met(f"{head}: of {day(when)}")


def _table(read: Sequence[Attacks]) -> Table:
    rows = [
        (attacks.name, attacks.tool, kind, withstood, tried)
        for attacks in read
        for kind, (withstood, tried) in sorted(attacks.by_kind.items())
    ]
    keys = ("file", "tool", "attack", "withstood", "tried")
    return Table(
        id="red_team",
        title="Attacks",
        columns=(
            *(Column(key=key, title=key, unit="text") for key in ("attack", "tool", "file")),
            Column(key="withstood", title="withstood", unit="count", kind="hidden"),
            Column(key="tried", title="tried", unit="count", kind="hidden"),
            Column(key="rate", title="withstood", unit="ratio", kind="ratio", num="withstood",
                   den="tried"),
        ),
        data={key: list(values) for key, values in zip(keys, zip(*rows, strict=True), strict=True)},
    )  # fmt: skip


# --- the files ------------------------------------------------------------------------------------


def read_attacks(path: Path) -> Attacks:
    """The attacks of a file.

    Raises:
        UnreadableError: it is missing, broken, or of no format that is known.
    """
    attacks = Attacks(clean_label(path.name))
    try:
        with path.open("rb") as file:
            head = file.read(1 << 16)
        if b'"entry_type"' in head:
            attacks.tool, attacks.ended = "garak", False
            for row in _lines(path):
                _garak(row, attacks)
        elif b'"evalId"' in head or b'"promptIdx"' in head:
            attacks.tool = "promptfoo"
            for row in _promptfoo_rows(path, attacks):
                _promptfoo(row, attacks)
        else:
            raise UnreadableError("it is no report of garak or promptfoo")
    except OSError as error:
        raise UnreadableError(error.strerror or "it cannot be read") from None
    return attacks


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            try:
                row = json.loads(line) if line.strip() else None
            except (ValueError, RecursionError):
                raise UnreadableError("a line of it is not JSON") from None
            if isinstance(row, dict):
                yield row


def _garak(row: dict[str, Any], attacks: Attacks) -> None:
    """`total_evaluated` is passes and fails, `nones` are outputs that no detector could judge."""
    kind = row.get("entry_type")
    if kind in ("init", "start_run setup"):
        for key in _STARTED:
            attacks.started = attacks.started or _day(row.get(key))
    elif kind == "completion":
        attacks.ended = True
    elif kind == "eval":
        passed, nones = _count(row.get("passed")), _count(row.get("nones")) or 0
        total = _count(row.get("total_evaluated", row.get("total")))
        if passed is None or total is None or passed > total:
            raise UnreadableError("an evaluation in it has no usable counts")
        attacks.add(row.get("probe"), passed, total)
        attacks.unjudged += nones


def _promptfoo_rows(path: Path, attacks: Attacks) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        is_document = path.suffix.lower() != ".jsonl"
        if not is_document:
            yield from _lines(path)
            return
        attacks.started = _day(_timestamp(path))
        yield from items(file, "results.results.item")


def _timestamp(path: Path) -> Any:
    import ijson

    with path.open("rb") as file:
        try:
            return next(ijson.items(file, "results.timestamp"), None)
        except ijson.JSONError:
            raise UnreadableError("it breaks off, or is not JSON") from None


def _promptfoo(row: dict[str, Any], attacks: Attacks) -> None:
    """Rows of a plugin are attacks; one that ended with an error was not withstood."""
    test = row.get("testCase")
    places = (row.get("metadata"), test.get("metadata") if isinstance(test, dict) else None)
    plugin = next(
        (p["pluginId"] for p in places if isinstance(p, dict) and p.get("pluginId")), None
    )
    if plugin is None:
        return
    failed = row.get("failureReason") == 2
    attacks.errors += failed
    attacks.add(plugin, int(row.get("success") is True and not failed), 1)


def _count(value: Any) -> int | None:
    usable = isinstance(value, int) and not isinstance(value, bool)
    return value if usable and 0 <= value <= _LARGEST_COUNT else None


def _day(value: Any) -> date | None:
    try:
        return datetime.fromisoformat(value).date() if isinstance(value, str) else None
    except ValueError:
        return None
