"""Paths of `[fields]` that lead nowhere: a misspelt one would else be a field that is missing."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from gonogo.adapters import Format, Options
from gonogo.conventions import NOT_READ
from gonogo.errors import Diagnostic
from gonogo.ingest.discover import Source
from gonogo.ingest.parquet import UNSOUND
from gonogo.ingest.unread import FILES, RECORDS, first_of, names_in
from gonogo.privacy import clean_label

CODE: Final = "I037"
_LOOKED_AT: Final = 20_000
"""Records of all files together; of each at least those that `unread` looks at."""
_NAMES_FROM: Final = 200
_MOST_NAMES: Final = 2_000
_LONGEST: Final = 80
_ALIKE: Final = 0.7


@dataclass(frozen=True, slots=True)
class Astray:
    """A path of `[fields]` that none of `records` has; `near` is a name that they do have."""

    field: str
    path: str
    records: int
    near: str = ""

    def told(self, lines: int) -> Diagnostic:
        """What to tell of it, where there are `lines` in all."""
        of = f"{self.records:,} records"
        if self.records < lines:
            of = f"the first {self.records:,} records that were looked at"
        what = f"in none of {of}"
        if self.near:
            what += f'; did you mean "{clean_label(self.near, _LONGEST)}"?'
        where = f'[fields] {self.field} = "{self.path}"'
        return Diagnostic(CODE, where, what, "correct the path in the configuration")


def not_read(fields: int) -> Diagnostic:
    """What to tell of `fields` that nothing reads where fields that are needed are missing."""
    what = "1 field is not read" if fields == 1 else f"{fields:,} fields are not read"
    which = "it" if fields == 1 else "them"
    hint = f"gonogo inspect lists {which}; map in [fields] what is missing"
    return Diagnostic(NOT_READ, "", what, hint)


def astray(
    sources: Sequence[Source],
    mapping: Mapping[str, str],
    log_format: str | None,
    own: Sequence[Format],
) -> list[Astray]:
    """Paths of a user's mapping that no record looked at has, in the order of the mapping.

    The first records of the first files are looked at, until every path was met. A file that
    cannot be read is left out: reading it properly says so. A pipe is read once, and not here.
    """
    files = list(islice((s for s in sources if not s.is_stream), FILES))
    open_ones = dict(mapping)
    most = max(RECORDS, _LOOKED_AT // max(len(files), 1))
    records, names = 0, set[str]()
    for source in files:
        try:
            for form, record in first_of(source, mapping, log_format, own, most):
                if not open_ones:
                    return []
                records += 1
                inside = list(_attributes(form, record, mapping))
                for name, path in list(open_ones.items()):
                    if _has(record, path) or any(_named(one, path) for one in inside):
                        del open_ones[name]
                if records <= _NAMES_FROM and len(names) < _MOST_NAMES:
                    names.update(name for one in (inside or [record]) for name in names_in(one))
        except UNSOUND:
            continue
    if not records:
        return []
    return [Astray(n, path, records, _near(path, names)) for n, path in open_ones.items()]


def _attributes(
    form: Format | None, record: Mapping[str, Any], mapping: Mapping[str, str]
) -> Iterator[Mapping[str, Any]]:
    """What the spans of a record have to say; their names are what a path stands for."""
    if form is None:
        return
    spans: list[Mapping[str, Any]] = []
    try:
        for _ in form.convert(record, Options(mapping, spans=spans.append)):
            pass
    except Exception:  # a record that is not as its format has it is refused elsewhere
        return
    yield from spans
    if spans:
        # Attributes of a resource belong to many spans and stand beside them.
        yield {path: True for path in mapping.values() if json.dumps(path) in _text(record)}


def _text(record: Mapping[str, Any]) -> str:
    return json.dumps(record, default=str)


def _named(attributes: Mapping[str, Any], path: str) -> bool:
    return attributes.get(path) is not None


def _has(value: Any, path: str) -> bool:
    """Whether something stands at a path; a name may hold dots, and a list stands for its items."""
    if isinstance(value, (list, tuple)):
        return any(_has(item, path) for item in value)
    if not isinstance(value, Mapping):
        return False
    name, dot, rest = path.partition(".")
    if value.get(path) is not None or value.get(path.removesuffix("[]")) is not None:
        return True
    return bool(dot) and _has(value.get(name.removesuffix("[]")), rest)


def _near(path: str, names: Iterable[str]) -> str:
    """The name that is most like a path, or else one that ends as it does."""
    known = sorted(names)
    bare = path.replace("[]", "")
    close = difflib.get_close_matches(bare, known, n=1, cutoff=_ALIKE)
    last = bare.rpartition(".")[2]
    return next(iter([*close, *(name for name in known if name.endswith(f".{last}"))]), "")
