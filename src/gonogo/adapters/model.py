"""What an adapter is: it turns a record of a foreign log into lines of the native one.

A *record* is one JSON object, one Parquet row or one CSV row of the foreign file. A *line* is what
docs/native-log.md describes; every number is made from lines, by the code that reads native logs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_WORD: Final = re.compile(r"[\w.-]{1,20}", re.ASCII)

Record = Mapping[str, Any]
Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A record, or a part of one, that makes no line: a diagnostic code and the reason."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """What a format cannot say, or what may be wrong with an export of it: for the Data page."""

    code: str
    what: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user has settled: `mapping` is [fields] of readiness.toml, native name to path.

    `outputs` says that a constraint asks for the text of answers; without it a mark that there is
    one does, and no time is spent on the text.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    outputs: bool = False
    spans: Callable[[Mapping[str, Any]], None] | None = None
    """is told the attributes of each span, by formats that have spans"""


Convert = Callable[[Record, Options], Iterable[Line | Refused]]


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of a format that are known, and those that a record says it is of."""

    known: frozenset[str]
    of: Callable[[Record], Iterable[Any]]

    def strange(self, record: Record) -> list[str]:
        """Those of the record that are not known; what is no word is `?`."""
        found = {v if type(v) is str else str(v) for v in self.of(record) if v is not None}
        return sorted(v if _WORD.fullmatch(v) else "?" for v in found - self.known)


@dataclass(frozen=True, slots=True)
class Format:
    """One format of logs.

    `detect` says whether a record can only be of this format. `convert` gives the lines of a
    record; whatever it raises costs that record alone. `notes` are said once for each input that
    has such files. `fields` tells people which field comes from where; `lacks` what never comes.
    """

    name: str
    title: str
    detect: Callable[[Record], bool]
    convert: Convert
    fields: Mapping[str, str] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    about_rows: Callable[[int], Note | None] | None = None
    """a note that the number of lines in a file calls for, such as an export's row limit"""
    versions: Versions | None = None
