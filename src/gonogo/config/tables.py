"""Sections described as data: one description is read by the loader, the schema and the docs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Literal

from gonogo.config.messages import did_you_mean, quoted
from gonogo.config.patterns import compile_problem
from gonogo.config.section import Section, kind_of, shown
from gonogo.config.sections import usable_link

Kind = Literal[
    "text", "texts", "date", "flag", "whole", "number", "ratio", "link", "ratios", "patterns",
    "duration",
]  # fmt: skip

_PERCENT: Final = re.compile(r"\s*([0-9]{1,3}(?:\.[0-9]{1,9})?)\s*%\s*")
_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*(ms|s|min)")
LARGEST: Final = 10**9
_DATE_HINT: Final = "write 2026-11-16"


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a section.

    `options` are the words allowed in a text or in each of texts; `low` is the least whole number.
    """

    name: str
    kind: Kind
    about: str
    required: bool = False
    options: tuple[str, ...] = ()
    low: int = 0
    high: int = LARGEST
    default: Any = None


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One section: `[name]`, or with `many` any number of `[[name]]`."""

    name: str
    about: str
    keys: tuple[Key, ...]
    many: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(key.name for key in self.keys)


def read_rows(root: Section, spec: TableSpec) -> list[dict[str, Any]]:
    """The rows of a section, each with the usable values of its keys; [] where there is none.

    A row that lacks something required is left out: the problem is noted.
    """
    return [row for _, row in numbered_rows(root, spec)]


def numbered_rows(root: Section, spec: TableSpec) -> list[tuple[int, dict[str, Any]]]:
    """The same with the place of each row among the tables of its name."""
    if spec.name not in root.table:
        return []
    if not spec.many:
        hint = f"write it as [{spec.name}] with one setting a line"
        table = root.expect(spec.name, dict, name="a table", hint=hint)
        section = Section(root.problems, (spec.name,), table)
        return [] if table is None else [(0, read_table(section, spec))]
    hint = f"write it as [[{spec.name}]] with {', '.join(spec.names[:3])}"
    rows: list[Any] = root.expect(spec.name, list, name="a list of tables", hint=hint) or []
    found = []
    for number, row in enumerate(rows):
        path = (spec.name, number)
        if isinstance(row, dict):
            found.append((number, read_table(Section(root.problems, path, row), spec)))
        else:
            what = f"{kind_of(row)} stands where a table is expected"
            root.problems.add(path, "C007", what, hint)
    required = [key.name for key in spec.keys if key.required]
    return [(n, row) for n, row in found if all(row[name] is not None for name in required)]


def read_table(section: Section, spec: TableSpec) -> dict[str, Any]:
    """The usable values of one table by key, None or the default where there is none."""
    section.known(spec.names, required=[key.name for key in spec.keys if key.required])
    return {key.name: _value(section, key) for key in spec.keys}


def _value(section: Section, key: Key) -> Any:
    found = _READERS[key.kind](section, key)
    return key.default if found is None else found


def _text(section: Section, key: Key) -> str | None:
    if key.options:
        return section.choice(key.name, key.options, "C036")
    return section.text(key.name)


def _texts(section: Section, key: Key) -> tuple[str, ...] | None:
    hint = f'write {key.name} = ["…"]'
    rows = section.expect(key.name, str, list, name="a list of texts", hint=hint)
    if rows is None:
        return None
    found: list[str] = []
    for number, row in enumerate([rows] if isinstance(rows, str) else rows):
        path = (*section.path, key.name, number)
        if not isinstance(row, str) or not row.strip():
            what = f"{kind_of(row)} stands where a text is expected"
            section.problems.add(path, "C007", what, hint)
        elif key.options and row not in key.options:
            hint = did_you_mean(row, key.options)
            section.problems.add(path, "C036", f"{quoted(row)} is not known", hint)
        elif row not in found:
            found.append(row)
    return tuple(found)


def _patterns(section: Section, key: Key) -> tuple[str, ...] | None:
    hint = f"write {key.name} = ['…'], in single quotes"
    rows = section.expect(key.name, str, list, name="a list of patterns", hint=hint)
    if rows is None:
        return None
    found: list[str] = []
    for number, row in enumerate([rows] if isinstance(rows, str) else rows):
        path = (*section.path, key.name, *(() if isinstance(rows, str) else (number,)))
        if not isinstance(row, str) or not row:
            what = f"{kind_of(row)} stands where a pattern is expected"
            section.problems.add(path, "C007", what, hint, value=True)
        elif (problem := compile_problem(row)) is not None:
            step = "mend the pattern: https://docs.rs/regex/latest/regex/#syntax"
            section.problems.add(path, "C071", problem, step, value=True)
        else:
            found.append(row)
    return tuple(found)


def _duration(section: Section, key: Key) -> int | None:
    """Whole milliseconds."""
    value = section.text(key.name)
    match = None if value is None else _DURATION.fullmatch(value)
    if value is not None and match is None:
        section.wrong(key.name, "C018", f"{quoted(value)} is no time", "write 5s or 800ms")
    if match is None:
        return None
    number = Decimal(match[1]) * {"ms": 1, "s": 1000, "min": 60_000}[match[2]]
    if not 1 <= number <= LARGEST:
        section.wrong(key.name, "C026", f"{quoted(value or '')} is out of range", "write 5s")
        return None
    return int(number)


def _date(section: Section, key: Key) -> date | None:
    value = section.expect(key.name, str, date, name="a date", hint=_DATE_HINT)
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            section.wrong(key.name, "C030", f"{quoted(value)} is not a date", _DATE_HINT)
            return None
    return value.date() if isinstance(value, datetime) else value


def _flag(section: Section, key: Key) -> bool | None:
    return section.flag(key.name)


def _whole(section: Section, key: Key) -> int | None:
    return section.integer(key.name, key.low, key.high)


def _number(section: Section, key: Key) -> Fraction | None:
    value = section.expect(key.name, int, Decimal, name="a number")
    if value is None:
        return None
    if not Decimal(value).is_finite() or not key.low <= value <= key.high:
        hint = f"write a number from {key.low} to {key.high}"
        section.wrong(key.name, "C026", f"{shown(value)} is out of range", hint)
        return None
    return Fraction(round(Decimal(value), 12))


def _ratio(section: Section, key: Key) -> Fraction | None:
    return read_ratio(section, key.name)


def read_ratio(section: Section, name: str, *, example: str = "0.9 or 90%") -> Fraction | None:
    """A share between 0 and 1, as a number or as a text with a percent sign; exact."""
    value = section.expect(name, str, int, Decimal, name="a ratio")
    if value is None:
        return None
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    number = Decimal(match[1]) / 100 if match else value
    # Comparing first: the exact value of 1e-999999999 would not fit into memory.
    if isinstance(number, str) or not Decimal(number).is_finite() or not 0 <= number <= 1:
        what = f"{shown(value)} is not a ratio between 0 and 1"
        section.wrong(name, "C026", what, f"write {example}")
        return None
    return Fraction(round(Decimal(number), 12))


def _link(section: Section, key: Key) -> str | None:
    return usable_link(section, key.name)


def _ratios(section: Section, key: Key) -> dict[str, Fraction] | None:
    hint = f"write {key.name} = {{ name = 0.8 }}"
    table: Mapping[str, Any] | None = section.expect(key.name, dict, name="a table", hint=hint)
    if table is None:
        return None
    inner = Section(section.problems, (*section.path, key.name), dict(table))
    found = {name: read_ratio(inner, name) for name in table}
    return {name: value for name, value in found.items() if value is not None}


_READERS: Final = {
    "text": _text,
    "texts": _texts,
    "date": _date,
    "flag": _flag,
    "whole": _whole,
    "number": _number,
    "ratio": _ratio,
    "link": _link,
    "ratios": _ratios,
    "patterns": _patterns,
    "duration": _duration,
}


_NON_EMPTY: Final = {"type": "string", "pattern": r"\S"}
_A_RATIO: Final[list[dict[str, Any]]] = [
    {"type": "number", "minimum": 0, "maximum": 1},
    {"type": "string", "pattern": rf"^{_PERCENT.pattern}$"},
]


def schema_of(spec: TableSpec) -> dict[str, Any]:
    """The JSON Schema of a section."""
    required = [key.name for key in spec.keys if key.required]
    table: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {key.name: _schema(key) for key in spec.keys},
    }
    if required:
        table["required"] = required
    if spec.many:
        return {"type": "array", "description": spec.about, "items": table}
    return {**table, "description": spec.about}


def _schema(key: Key) -> dict[str, Any]:
    text: dict[str, Any] = {"enum": list(key.options)} if key.options else dict(_NON_EMPTY)
    number = {"minimum": key.low, "maximum": key.high}
    shapes: dict[Kind, dict[str, Any]] = {
        "text": text,
        "texts": {"anyOf": [{"type": "array", "items": text}, text]},
        "date": {"type": "string", "format": "date"},
        "flag": {"type": "boolean"},
        "whole": {"type": "integer", **number},
        "number": {"type": "number", **number},
        "ratio": {"anyOf": _A_RATIO},
        "link": {"type": "string", "pattern": "^https?://"},
        "ratios": {"type": "object", "additionalProperties": {"anyOf": _A_RATIO}},
        "patterns": {"anyOf": [{"type": "array", "items": {"type": "string", "minLength": 1}},
                               {"type": "string", "minLength": 1}]},
        "duration": {"type": "string", "pattern": rf"^{_DURATION.pattern}$"},
    }  # fmt: skip
    found = {**shapes[key.kind], "description": key.about}
    if key.default is not None:
        found["default"] = _as_json(key.default)
    return found


def _as_json(value: Any) -> Any:
    if isinstance(value, Fraction):
        return float(value)
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
