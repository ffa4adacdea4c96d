"""Fields that are in the records and that nothing reads: their names, for `gonogo inspect`.

Names come from the log and may be anything: they are cleaned, cut and bounded in number. Values are
never kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from gonogo.adapters import Format, Options
from gonogo.adapters.spans import is_read
from gonogo.ingest import foreign
from gonogo.ingest.chunks import ByteReader
from gonogo.ingest.discover import Source
from gonogo.ingest.fields import known_paths
from gonogo.ingest.parquet import UNSOUND
from gonogo.privacy import clean_label

RECORDS: Final = 1_000
"""Looked at of each file."""
FILES: Final = 20
_LEVELS: Final = 6
_MOST_NAMES: Final = 5_000
_MANY_CHILDREN: Final = 30
_LONGEST: Final = 80
_NUMBER: Final = re.compile(r"(?<=\.)\d+(?=\.|$)")
NATIVE: Final = "native"


@dataclass(frozen=True, slots=True)
class Unread:
    """A field that nothing reads: `present` of `records` have it."""

    format: str
    name: str
    present: int
    records: int


def unread_fields(
    sources: Sequence[Source],
    mapping: Mapping[str, str],
    log_format: str | None,
    own: Sequence[Format],
) -> list[Unread]:
    """What the first records of the first files hold and nothing reads, the most frequent first.

    Of an object's members the name has dots; a list stands for its items.

    A file that cannot be read is left out: reading it properly says so.
    """
    seen: dict[str, _Names] = {}
    for source in islice((s for s in sources if not s.is_stream), FILES):
        try:
            for name, record in first_of(source, mapping, log_format, own):
                seen.setdefault(name.name if name else NATIVE, _Names(name, mapping)).take(record)
        except UNSOUND:
            continue
    found = [one for name, names in seen.items() for one in names.unread(name)]
    return sorted(found, key=lambda u: (-u.present / u.records, u.name.count("."), u.name))


def first_of(
    source: Source,
    mapping: Mapping[str, str],
    log_format: str | None,
    own: Sequence[Format],
    most: int = RECORDS,
) -> Iterator[tuple[Format | None, Mapping[str, Any]]]:
    """Up to `most` of the first records of a file, each with its format; None is the native one.

    Raises:
        one of UNSOUND: the file cannot be read.
    """
    options = Options(mapping)
    if source.kind == "parquet":
        assert source.path is not None
        told = foreign.look_at_parquet(source.path, log_format, options, own)
        batch = next(foreign.parquet_batches(source.path), None)
        for row in batch.records[:most] if batch else ():
            yield told.format if told else None, row
        return
    head, chunks = foreign.first_piece(ByteReader(source))
    if head is None:
        return
    head, _ = foreign.whole_document(head, chunks, source.name)
    sight = foreign.look(head.data, source.name, log_format, options, own)
    if sight.foreign is not None and sight.foreign.not_log is not None:
        return
    for record in foreign.first_records(head.data, source.name, most):
        yield sight.foreign.format if sight.foreign else None, record


@dataclass(slots=True)
class _Names:
    """The names in the records of one format, and which of them are read."""

    format: Format | None
    mapping: Mapping[str, str]
    records: int = 0
    present: Counter[str] = field(default_factory=Counter)
    read: set[str] = field(default_factory=set)
    _known: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._known = frozenset(path.replace("[]", "") for path in known_paths(self.mapping))

    def take(self, record: Mapping[str, Any]) -> None:
        if self.format is None:
            self._count(names_in(record))
            return
        spans: list[Mapping[str, Any]] = []
        self._convert(record, Options(self.mapping, spans=spans.append))
        if not spans:
            # Answers are read too, so that what holds them does not count as unread.
            traced = _Traced.of(record, "", self.read)
            self._convert(traced, Options(self.mapping, outputs=True))
            self._count(names_in(record))
        for attributes in spans:
            # Spans are read as a whole; what they have to say stands in their attributes.
            self._count({_bare(name) for name in attributes})
            self.read.update(_bare(name) for name in attributes if is_read(name))
            self.read.update(self.mapping.values())

    def _convert(self, record: Mapping[str, Any], options: Options) -> None:
        assert self.format is not None
        try:
            for _ in self.format.convert(record, options):
                pass
        except Exception:  # a record that is not as its format has it is refused elsewhere
            return

    def _count(self, names: set[str]) -> None:
        self.records += 1
        room = len(self.present) < _MOST_NAMES
        self.present.update(names if room else names & self.present.keys())

    def unread(self, format_name: str) -> Iterator[Unread]:
        known = self._known if self.format is None else _whole(self.read)
        left = Counter({n: c for n, c in self.present.items() if not _within(n, known)})
        for name, present in _folded(left).items():
            yield Unread(format_name, clean_label(name, _LONGEST), present, self.records)


def _whole(read: set[str]) -> frozenset[str]:
    """What was read: of an object whose members were asked for, those and not the object."""
    opened = {holder for name in read for holder in _holders(name)}
    return frozenset(read - opened)


def _holders(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:n]) for n in range(1, len(parts)))


def _within(name: str, known: frozenset[str]) -> bool:
    """Whether a name is known, or something that holds it is known as a whole."""
    return name in known or any(holder in known for holder in _holders(name))


def _bare(name: str) -> str:
    return _NUMBER.sub("*", name)


def names_in(value: Mapping[str, Any], prefix: str = "", level: int = 0) -> set[str]:
    """Dotted names of all values that are no objects; lists stand for their items."""
    found: set[str] = set()
    for name, inside in value.items():
        path = f"{prefix}{name}"
        items = inside if isinstance(inside, (list, tuple)) else [inside]
        objects = [item for item in items[:50] if isinstance(item, Mapping)]
        if objects and level < _LEVELS:
            for item in objects:
                found |= names_in(item, f"{path}.", level + 1)
        elif inside is not None and inside not in ("", [], {}):
            found.add(path)
        if len(found) > _MOST_NAMES:
            break
    return found


def _folded(names: Counter[str]) -> dict[str, int]:
    """Very many names below one are data themselves, such as ids: they become `name.*`."""
    below: dict[str, list[str]] = {}
    for name in names:
        below.setdefault(name.rpartition(".")[0], []).append(name)
    found: dict[str, int] = {}
    for parent, children in below.items():
        if parent and len(children) > _MANY_CHILDREN:
            found[f"{parent}.*"] = max(names[child] for child in children)
        else:
            found |= {child: names[child] for child in children}
    return found


class _Traced(dict[str, Any]):
    """An object of a record that notes which of its members are asked for."""

    __slots__ = ("path", "read")

    @classmethod
    def of(cls, value: Any, path: str, read: set[str], level: int = 0) -> Any:
        """The value with all objects in it traced."""
        if level > _LEVELS:
            return value
        if isinstance(value, Mapping):
            made = cls(
                (name, cls.of(inside, f"{path}{name}.", read, level + 1))
                for name, inside in value.items()
            )
            made.path, made.read = path, read
            return made
        if isinstance(value, (list, tuple)):
            return [cls.of(item, path, read, level + 1) for item in value]
        return value

    path: str
    read: set[str]

    def __getitem__(self, name: str) -> Any:
        self.read.add(f"{self.path}{name}")
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(f"{self.path}{name}")
        return super().get(name, default)

    def items(self) -> Any:
        self.read.update(f"{self.path}{name}" for name in self)
        return super().items()

    def values(self) -> Any:
        self.read.update(f"{self.path}{name}" for name in self)
        return super().values()
