"""Logs with one row a call, read by a mapping: a preset of gonogo's own or a user's file.

A mapping is TOML: what the format is called, how it is recognised, and for each field of the native
line where its value stands and what it means (docs/formats.md describes it).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from gonogo.adapters import things
from gonogo.adapters.model import Format, Line, Note, Options, Record, Refused
from gonogo.adapters.rules import FIELDS, TO_MS, Rule, Wrong, first_of, near, read_rules, unknown
from gonogo.adapters.things import Things, read_things
from gonogo.adapters.values import dig, line, mapping_of, settled
from gonogo.errors import Diagnostic, UsageError

__all__ = ["FIELDS", "TO_MS", "from_file", "from_toml"]
_TOP: Final = frozenset(
    {"name", "title", "source", "records", "detect", "fields", "notes", "lacks", *things.FIELDS}
)
_DETECT: Final = frozenset({"all", "any", "equals"})
_GUARDRAIL: Final = frozenset({"name", "when", "values", "stage", "action"})


@dataclass(frozen=True, slots=True)
class Check:
    """A guardrail of a row: it ran where `path` has a value, and triggered on `values`."""

    name: str
    path: str
    values: frozenset[str]
    stage: str | None
    action: str | None


def from_toml(content: str, where: str) -> Format:
    """The format that a mapping describes.

    Raises:
        UsageError: every problem of the mapping, each with its place.
    """
    try:
        data = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise UsageError([Diagnostic("U031", where, f"not TOML: {error}")]) from None
    problems: list[Diagnostic] = []

    def wrong(place: str, what: str, hint: str = "") -> None:
        problems.append(Diagnostic("U031", f"{where}: {place}", what, hint))

    unknown(data, _TOP, "", wrong)
    rules = {}
    fields = data.get("fields")
    if not isinstance(fields, dict) or not fields:
        wrong("fields", "a mapping needs a table [fields]")
        fields = {}
    for name, raw in fields.items():
        if name not in FIELDS:
            wrong(f"fields.{name}", "no such field", near(name, FIELDS))
        else:
            rules[name] = read_rules(name, raw, "fields", wrong)
    detect = data.get("detect", {})
    if not isinstance(detect, dict):
        wrong("detect", "a table is needed")
        detect = {}
    unknown(detect, _DETECT, "detect.", wrong)
    checks, beside = _beside(data, wrong)
    name = data.get("name")
    if not isinstance(name, str) or not name:
        wrong("name", "a mapping needs a name")
        name = "mapped"
    if problems:
        raise UsageError(problems)
    held = tuple(data.get("records", ()))
    return Format(
        name=name,
        title=str(data.get("title", name)),
        detect=partial(_detects, detect, held),
        convert=partial(_converted, rules, checks, beside, held),
        fields={
            field: ", ".join(_shown(rule) for rule in many if rule.path)
            for field, many in rules.items()
            if any(rule.path for rule in many)
        }
        | _places(checks, beside),
        lacks=tuple(data.get("lacks", ())),
        notes=tuple(Note("I030", str(note)) for note in data.get("notes", ())),
    )


def from_file_of_project(path: Path) -> tuple[Format, bool]:
    """The same, and whether it claims every record, since it has no table [detect].

    Raises:
        UsageError: it cannot be read, or is no mapping.
    """
    found = from_file(path)
    assert isinstance(found.detect, partial)
    claims_all = not found.detect.args[0]
    return (replace(found, detect=lambda _: True) if claims_all else found), claims_all


def _beside(data: Mapping[str, Any], wrong: Wrong) -> tuple[tuple[Check, ...], tuple[Things, ...]]:
    """Checks that one value of the row tells of (`when`), and the lists of things in it."""
    checks, beside = [], []
    for member in things.FIELDS:
        tables = data.get(member, [])
        if not isinstance(tables, list):
            wrong(member, "an array of tables is needed", f"write it as [[{member}]]")
            continue
        for index, raw in enumerate(tables):
            if member == "guardrails" and isinstance(raw, dict) and "each" not in raw:
                checks.append(_check(raw, index, wrong))
            else:
                beside.append(read_things(member, raw, index, wrong))
    return tuple(checks), tuple(beside)


def _places(checks: tuple[Check, ...], beside: tuple[Things, ...]) -> dict[str, str]:
    found: dict[str, dict[str, None]] = {}
    for check in checks:
        found.setdefault("guardrails", {})[check.path] = None
    for one in beside:
        found.setdefault(one.member, {})[one.shown()] = None
    return {member: ", ".join(places) for member, places in found.items()}


def _shown(rule: Rule) -> str:
    return rule.path + (f" ({rule.unit})" if rule.unit else "")


def from_file(path: Path) -> Format:
    """The format that a user's mapping file describes.

    Raises:
        UsageError: it cannot be read, or is no mapping.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = getattr(error, "strerror", None) or "not UTF-8"
        raise UsageError([Diagnostic("U031", str(path), f"cannot be read: {what}")]) from None
    return from_toml(content, str(path))


def _check(raw: Any, index: int, wrong: Wrong) -> Check:
    place = f"guardrails[{index}]"
    if not isinstance(raw, dict) or "name" not in raw or "when" not in raw:
        wrong(place, "a guardrail needs name and when (the path of its outcome)")
        return Check("", "", frozenset(), None, None)
    unknown(raw, _GUARDRAIL, f"{place}.", wrong)
    values = frozenset(str(value).lower() for value in raw.get("values", ("true",)))
    return Check(raw["name"], raw["when"], values, raw.get("stage"), raw.get("action"))


def _rows(held: tuple[str, ...], record: Record) -> Iterator[Record]:
    for name in held:
        inside = dig(record, name)
        if isinstance(inside, list):
            yield from (item for item in inside if isinstance(item, Mapping))
            return
        if isinstance(inside, Mapping):
            yield inside
            return
    yield record


def _detects(detect: Mapping[str, Any], held: tuple[str, ...], record: Record) -> bool:
    head = next(_rows(held, record), None)
    if head is None or not detect:
        return False
    need, one_of = detect.get("all", ()), detect.get("any", ())
    if any(path not in head and dig(head, path) is None for path in need):
        return False
    if one_of and not any(path in head or dig(head, path) is not None for path in one_of):
        return False
    return all(
        str(dig(head, path)) in {str(value) for value in values}
        for path, values in detect.get("equals", {}).items()
    )


def _converted(
    rules: Mapping[str, tuple[Rule, ...]],
    checks: tuple[Check, ...],
    beside: tuple[Things, ...],
    held: tuple[str, ...],
    record: Record,
    options: Options,
) -> Iterator[Line | Refused]:
    for row in _rows(held, record):
        made: Line = {}
        for name, many in rules.items():
            found = first_of(name, many, row, options)
            if found is not None:
                made[name] = found
        ran = [_ran(check, dig(row, check.path)) for check in checks]
        if made and "operation" not in made:
            made.setdefault(
                "is_call", True
            )  # a row of such a log is a call, however little it says
        found_checks = [check for check in ran if check]
        if found_checks:
            made["guardrails"] = found_checks
        for one in beside:
            made.setdefault(one.member, []).extend(one.of(row))
            if not made[one.member]:
                del made[one.member]
        # What is taken where nothing stands makes no record of something else.
        if made and (
            found_checks or made.keys() & {one.member for one in beside} or _says(rules, row)
        ):
            yield settled(made, row, options)
        else:
            yield Refused("I010", "no field that is known")


def _says(rules: Mapping[str, tuple[Rule, ...]], row: Record) -> bool:
    """Whether anything stands where one of the rules looks."""
    paths = {rule.path for many in rules.values() for rule in many if rule.path}
    return any(path in row or dig(row, path) is not None for path in paths)


def _ran(check: Check, value: Any) -> Line | None:
    if value is None:
        return None
    if isinstance(value, (Mapping, list)) and not mapping_of(value):
        return None
    triggered = str(value).lower() in check.values
    return line(
        name=check.name,
        stage=check.stage,
        triggered=triggered,
        action=check.action if triggered else None,
    )
