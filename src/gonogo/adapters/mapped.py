"""Logs with one row a call, read by a mapping: a preset of gonogo's own or a user's file.

A mapping is TOML: what the format is called, how it is recognised, and for each field of the native
line where its value stands and what it means (docs/formats.md describes it).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from gonogo.adapters.answers import logged
from gonogo.adapters.model import Format, Line, Note, Options, Record, Refused
from gonogo.adapters.values import (
    dig,
    epoch_us,
    flag,
    line,
    mapping_of,
    number,
    settled,
    text,
)
from gonogo.errors import Diagnostic, UsageError

TO_MS: Final = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3, "min": 6e4}
_TIMES: Final = frozenset({"timestamp", "end_time"})
_TIME_UNITS: Final = {"s", "ms", "us", "ns", "ticks"}
_DURATIONS: Final = frozenset({"latency_ms", "ttft_ms"})
_NUMBERS: Final = frozenset(
    {
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "cache_write_input_tokens",
        "reasoning_output_tokens",
        "cost_usd",
        "retries",
    }
)
_FLAGS: Final = frozenset({"stream", "ok", "cache_hit", "is_call"})
_TEXTS: Final = frozenset(
    {
        "trace_id",
        "span_id",
        "parent_span_id",
        "session_id",
        "user_id",
        "tenant_id",
        "service",
        "environment",
        "release",
        "prompt_version",
        "operation",
        "provider",
        "request_model",
        "response_model",
        "status",
        "error_type",
        "finish_reason",
    }
)
FIELDS: Final = _TIMES | _DURATIONS | _NUMBERS | _FLAGS | _TEXTS | {"output"}
_TOP: Final = frozenset(
    {"name", "title", "source", "records", "detect", "fields", "guardrails", "notes", "lacks"}
)
_RULE: Final = frozenset({"path", "unit", "scale", "values", "default"})
_DETECT: Final = frozenset({"all", "any", "equals"})
_GUARDRAIL: Final = frozenset({"name", "when", "values", "stage", "action"})


@dataclass(frozen=True, slots=True)
class Rule:
    """Where a field's value may stand, and how it is read.

    With `values`, a value is translated, and one that is not among them does not count.
    """

    path: str
    unit: str = ""
    scale: float = 1.0
    values: Mapping[str, str] | None = None
    default: Any = None

    def value(self, record: Record) -> Any:
        found = dig(record, self.path) if self.path else None
        if found is None or found == "":
            return self.default
        if self.values is None:
            return found
        return self.values.get(text(found) or "", self.default)


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

    _unknown(data, _TOP, "", wrong)
    rules = {}
    fields = data.get("fields")
    if not isinstance(fields, dict) or not fields:
        wrong("fields", "a mapping needs a table [fields]")
        fields = {}
    for name, raw in fields.items():
        if name not in FIELDS:
            wrong(f"fields.{name}", "no such field", _near(name, FIELDS))
        else:
            rules[name] = _rules(name, raw, wrong)
    detect = data.get("detect", {})
    if not isinstance(detect, dict):
        wrong("detect", "a table is needed")
        detect = {}
    _unknown(detect, _DETECT, "detect.", wrong)
    checks = [_check(item, number, wrong) for number, item in enumerate(data.get("guardrails", []))]
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
        convert=partial(_converted, rules, tuple(checks), held),
        fields={
            field: ", ".join(_shown(rule) for rule in many if rule.path)
            for field, many in rules.items()
            if any(rule.path for rule in many)
        }
        | ({"guardrails": ", ".join(dict.fromkeys(c.path for c in checks))} if checks else {}),
        lacks=tuple(data.get("lacks", ())),
        notes=tuple(Note("I030", str(note)) for note in data.get("notes", ())),
    )


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


Wrong = Callable[..., None]


def _unknown(table: Mapping[str, Any], known: frozenset[str], place: str, wrong: Wrong) -> None:
    for name in table:
        if name not in known:
            wrong(f"{place}{name}", "unknown key", _near(name, known))


def _near(name: str, known: frozenset[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(sorted(known))}"


def _rules(name: str, raw: Any, wrong: Wrong) -> tuple[Rule, ...]:
    return tuple(_rule(name, item, wrong) for item in (raw if isinstance(raw, list) else [raw]))


def _rule(name: str, raw: Any, wrong: Wrong) -> Rule:
    place = f"fields.{name}"
    if isinstance(raw, str):
        return Rule(raw)
    if not isinstance(raw, dict):
        wrong(place, "a path, a table or a list of those is needed")
        return Rule("")
    _unknown(raw, _RULE, f"{place}.", wrong)
    path, unit, values = raw.get("path", ""), raw.get("unit", ""), raw.get("values")
    known = _TIME_UNITS if name in _TIMES else set(TO_MS) if name in _DURATIONS else set()
    if unit and unit not in known:
        wrong(f"{place}.unit", f"'{unit}' is no unit here", f"known: {', '.join(sorted(known))}")
        unit = ""
    if not path and "default" not in raw:
        wrong(place, "neither a path nor a default")
    if values is not None and not isinstance(values, dict):
        wrong(f"{place}.values", "a table is needed")
        values = None
    scale = number(raw.get("scale", 1.0))
    if not scale:
        wrong(f"{place}.scale", "a number other than 0 is needed")
    return Rule(str(path), str(unit), scale or 1.0, values, raw.get("default"))


def _check(raw: Any, index: int, wrong: Wrong) -> Check:
    place = f"guardrails[{index}]"
    if not isinstance(raw, dict) or "name" not in raw or "when" not in raw:
        wrong(place, "a guardrail needs name and when (the path of its outcome)")
        return Check("", "", frozenset(), None, None)
    _unknown(raw, _GUARDRAIL, f"{place}.", wrong)
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
    held: tuple[str, ...],
    record: Record,
    options: Options,
) -> Iterator[Line | Refused]:
    for row in _rows(held, record):
        made: Line = {}
        for name, many in rules.items():
            values = (_read(name, rule, rule.value(row), options) for rule in many)
            found = next((value for value in values if value is not None), None)
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
        if made:
            yield settled(made, row, options)
        else:
            yield Refused("I010", "no field that is known")


def _read(name: str, rule: Rule, value: Any, options: Options) -> Any:
    if name in _TIMES:
        return epoch_us(value, rule.unit)
    if name in _DURATIONS:
        found = number(value)
        return None if found is None else found * TO_MS[rule.unit or "ms"] * rule.scale
    if name in _NUMBERS:
        found = number(value)
        return None if found is None else found * rule.scale if rule.scale != 1.0 else found
    if name in _FLAGS:
        return None if value is None else flag(value)
    if name == "output":
        return logged(value, wanted=options.outputs)
    return text(value)


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
