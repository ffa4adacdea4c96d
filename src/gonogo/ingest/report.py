"""What was met while reading: counts per file, problems by kind, quarantined lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gonogo.errors import Diagnostic
from gonogo.ingest.access import Tally
from gonogo.results import Problem

QUARANTINE_LIMIT: Final = 10_000
"""Lines remembered one by one; beyond that they are counted."""

VERSIONS_TOLD: Final = 10

_WHAT: Final = {
    "I013": "lines with invalid UTF-8; the bad bytes were replaced",
    "I014": "values of an unexpected type; taken as missing",
    "I015": "values that could not be read as a number or a time; taken as missing",
    "I016": "negative values; taken as missing",
    "I017": "times to first token of zero or after the end of the call; taken as missing",
    "I018": "times without a zone; taken as UTC",
    "I036": "records of a version of their format that is not known; read as far as they go",
    "I041": "costs in another currency than US dollars; taken as unknown",
    "I024": "duplicates that differ from the copy that was kept",
}


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One line that was not taken: where it stands and why."""

    file: str
    line: int
    offset: int
    code: str
    reason: str


@dataclass(slots=True)
class FileCount:
    """Counts of one file; lines = accepted + quarantined + duplicates once reading is over."""

    name: str
    kind: str
    size: int
    sha256: str = ""
    lines: int = 0
    quarantined: int = 0
    duplicates: int = 0
    note: str = ""

    @property
    def accepted(self) -> int:
        return self.lines - self.quarantined - self.duplicates

    def repeats(self, first: FileCount) -> Diagnostic:
        """Count it as a copy of `first`, and say so."""
        self.lines, self.quarantined = first.lines, first.quarantined
        # What was refused there is refused here; the rest is there already.
        self.duplicates = first.lines - first.quarantined
        self.note = f"the same content as {first.name}"
        return Diagnostic("I020", self.name, "the same content as an earlier file; counted once")


@dataclass(slots=True)
class Trouble:
    """Everything that went wrong, bounded however much it is."""

    tally: Tally = field(default_factory=Counter)
    quarantined: list[Quarantined] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    first: dict[str, Quarantined] = field(default_factory=dict)
    files: list[Diagnostic] = field(default_factory=list)

    def quarantine(self, line: Quarantined) -> None:
        """Count a line that is refused, and remember it as long as there is room."""
        self.reasons[line.code] += 1
        known = self.first.get(line.code)
        if known is None or (line.file, line.line) < (known.file, known.line):
            self.first[line.code] = line
        if len(self.quarantined) < QUARANTINE_LIMIT:
            self.quarantined.append(line)

    def add(self, more: Trouble) -> None:
        """Tell here what was met elsewhere too."""
        self.tally.update(more.tally)
        self.files.extend(more.files)
        for line in more.quarantined:
            self.quarantine(line)
        # Those beyond the limit are known by their number alone.
        for code, count in more.reasons.items():
            self.reasons[code] += count - sum(line.code == code for line in more.quarantined)
            self.first.setdefault(code, more.first[code])

    def strange_version(self, name: str, records: int) -> None:
        """Records of a version that is not known; logs may make up any number of names."""
        known = sum(code == "I036" for code, _ in self.tally)
        if known >= VERSIONS_TOLD and ("I036", name) not in self.tally:
            name = "others"
        self.tally["I036", name] += records

    def problems(self, shown: Callable[[str], str] = str) -> tuple[Problem, ...]:
        """By kind: files, then refused lines, then unreadable values; each with an example.

        `shown` says how the name of a file may be written.
        """
        files = [
            Problem(
                code=d.code,
                what=f"{shown(d.where)}: {d.what}",
                count=1,
                example=shown(d.where),
                hint=d.hint,
            )
            for d in sorted(self.files, key=lambda d: (d.code, d.where))
        ]
        lines = [
            Problem(
                code=code,
                what=f"lines refused: {self.first[code].reason}",
                count=count,
                example=f"{shown(self.first[code].file)}:{self.first[code].line}",
                hint="",
            )
            for code, count in sorted(self.reasons.items())
        ]
        values = [
            Problem(code=code, what=_WHAT.get(code, code), count=count, example=name, hint="")
            for (code, name), count in sorted(self.tally.items())
        ]
        return (*files, *lines, *values)
