"""Hard constraints on logged outputs: the one place that reads what an application answered.

The text is looked at while its lines are decoded and then forgotten: what stays are numbers (which
line breaks which constraint, by what). Patterns run in Polars' regex engine, in linear time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from gonogo.adapters import answers
from gonogo.adapters.values import MASKED
from gonogo.config.evidence import PII, Constraint
from gonogo.config.patterns import phrases_pattern
from gonogo.ingest.access import Reader, Tally
from gonogo.ingest.decode import parse
from gonogo.ingest.fields import LINE_FIELDS
from gonogo.ingest.pii import PATTERNS
from gonogo.records import (
    BROKEN_BY,
    LOOKED_AT,
    NOT_LOGGED,
    UNREAD,
    VIOLATION_SCHEMA,
    WORDLESS,
    Outputs,
)

CITATION: Final = (
    r"\[[0-9]{1,3}\]|【[^】]{1,80}】|\[[^\]\n]{1,200}\]\([^)\s]{1,500}\)|https?://[^\s]"
)
"""A number in brackets, a link in Markdown, or an address."""

PATTERNS_VERSION: Final = 2
"""Raised when what is found in a text changes, so that stored counts are made anew."""

LARGEST_SCHEMA: Final = 1_000_000
_OUTPUT: Final = next(f for f in LINE_FIELDS if f.name == "output")
_BY: Final = {name: number for number, name in enumerate(BROKEN_BY)}

Broken = Callable[[pl.Series], pl.Series]
"""(texts) -> whether each breaks the rule"""


@dataclass(frozen=True, slots=True)
class _Rule:
    constraint: int
    by: int
    broken: Broken


class Checker:
    """Looks at outputs; `problems` says of a constraint by name why it cannot be judged."""

    def __init__(self, constraints: Sequence[Constraint], folder: Path) -> None:
        self.constraints = tuple(constraints)
        self.problems: dict[str, str] = {}
        self._rules: list[_Rule] = []
        self._schemas: list[bytes] = []
        for number, constraint in enumerate(self.constraints):
            rules = [*_rules(constraint)]
            if constraint.json_schema:
                try:
                    data = _read_schema(folder / constraint.json_schema)
                    self._schemas.append(data)
                    valid = _schema(data)
                    rules.append(("json_schema", _each(valid)))
                except _UnusableError as error:
                    self.problems[constraint.name] = str(error)
            self._rules += [_Rule(number, _BY[by], broken) for by, broken in rules]

    def meaning(self) -> str:
        """Whatever decides what breaks a constraint, as a text that changes when it does."""
        rules = [replace(c, limit=Fraction(0), owner=None, policy=None) for c in self.constraints]
        return repr((rules, self._schemas, PATTERNS_VERSION))

    def look(
        self, frame: pl.DataFrame, mapping: Mapping[str, str], lines: pl.Series | None
    ) -> Outputs:
        """What the outputs of decoded lines break; `lines` are their texts, where they have any."""
        texts = output_texts(frame, mapping, lines)
        unread = (texts == MASKED).fill_null(False)
        wordless = (texts == answers.WORDLESS).fill_null(False)
        there = (texts.str.len_bytes() > 0).fill_null(False) & ~unread & ~wordless
        state = np.full(len(texts), NOT_LOGGED, dtype=np.uint8)
        state[unread.to_numpy()] = UNREAD
        state[wordless.to_numpy()] = WORDLESS
        state[there.to_numpy()] = LOOKED_AT
        rows = np.flatnonzero(there.to_numpy()).astype(np.uint32)
        looked = texts.filter(there)
        found = []
        for rule in self._rules if len(rows) else ():
            hit = rows[rule.broken(looked).fill_null(False).to_numpy()]
            constraint, by = (np.full(len(hit), n, np.uint8) for n in (rule.constraint, rule.by))
            found.append(
                pl.DataFrame(
                    {"row": hit, "constraint": constraint, "by": by}, schema=VIOLATION_SCHEMA
                )
            )
        return Outputs(state, pl.concat([pl.DataFrame(schema=VIOLATION_SCHEMA), *found]))


def _rules(c: Constraint) -> Iterator[tuple[str, Broken]]:
    if c.must_match:
        yield "must_match", lambda texts: _any([~texts.str.contains(p) for p in c.must_match])
    if c.must_not_match:
        yield (
            "must_not_match",
            lambda texts: _any([texts.str.contains(p) for p in c.must_not_match]),
        )
    if c.citation:
        yield "citation", lambda texts: ~texts.str.contains(CITATION)
    if c.banned:
        banned = phrases_pattern(c.banned)
        yield "banned", lambda texts: texts.str.contains(banned)
    if c.min_chars:
        least = c.min_chars
        yield "too_short", lambda texts: texts.str.len_chars() < least
    if c.max_chars:
        most = c.max_chars
        yield "too_long", lambda texts: texts.str.len_chars() > most
    if c.json and not c.json_schema:
        yield "json", _each(lambda text: _parsed(text) is not _NOTHING)
    for kind in PII:
        if kind in c.pii:
            yield kind, partial(personal, kind=kind)


def _any(masks: Sequence[pl.Series]) -> pl.Series:
    out = masks[0]
    for mask in masks[1:]:
        out = out | mask
    return out


def _each(valid: Callable[[str], bool]) -> Broken:
    return lambda texts: pl.Series([not valid(text) for text in texts.to_list()], dtype=pl.Boolean)


def personal(texts: pl.Series, *, kind: str) -> pl.Series:
    """Whether each text holds data of a kind (one of PII)."""
    forms = [one for one in PATTERNS if one.kind == kind]
    out = np.zeros(len(texts), dtype=bool)
    suspects, texts = _with_cue(texts, {cue for one in forms for cue in one.cues})
    for one in forms if len(suspects) else ():
        rows, held = _with_cue(texts, one.cues)
        if not len(rows):
            continue
        hit = held.str.contains(one.pattern)
        rows, held = rows[hit.to_numpy()], held.filter(hit)
        if one.check is not None and len(rows):
            found = held.str.extract_all(one.pattern).to_list()
            rows = rows[[any(one.check(text) for text in every) for every in found]]
        out[suspects[rows]] = True
    return pl.Series(out)


def _with_cue(texts: pl.Series, cues: Collection[str]) -> tuple[NDArray[np.int64], pl.Series]:
    """Where the texts are that hold one of the cues, and these texts."""
    suspected = texts.str.contains_any(sorted(cues), ascii_case_insensitive=True)
    return np.flatnonzero(suspected.to_numpy()), texts.filter(suspected)


# --- the text of an output ------------------------------------------------------------------------


def output_texts(
    frame: pl.DataFrame, mapping: Mapping[str, str], lines: pl.Series | None
) -> pl.Series:
    """The output of each line: the text itself, or of an object the text in it (`text_of`).

    Null where there is none.
    """
    out = pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
    for path, series in Reader(frame, Tally(), mapping).sources(_OUTPUT):
        text = series if series.dtype == pl.String else _nested(series, lines is not None)
        # The decoder keeps of a nested output only that it is there; the line has it whole.
        marked = (text == _AGAIN).fill_null(False)
        if lines is not None and marked.any():
            rows = np.flatnonzero(marked.to_numpy()).tolist()
            whole = [_text_at(lines[row], path) for row in rows]
            text = text.scatter(rows, whole)
        out = out.zip_with((out.str.len_bytes() > 0).fill_null(False), text)
    return out


_AGAIN: Final = MASKED
"""What a text column holds where the value is nested; also what a masked output reads."""


def _nested(series: pl.Series, is_decoded: bool) -> pl.Series:
    """Parquet's values as they are; of a decoded line only the known members are left of them."""
    values = [_AGAIN if is_decoded else _text_of(value) for value in series.drop_nulls().to_list()]
    rows = np.flatnonzero(series.is_not_null().to_numpy()).tolist()
    return pl.Series([None], dtype=pl.String).new_from_index(0, len(series)).scatter(rows, values)


def _text_at(line: str, path: str) -> str | None:
    value, problem = parse(line)
    if problem:
        return None
    if path in value:
        return _text_of(value[path])
    for part in path.split("."):
        value = value.get(part.removesuffix("[]")) if isinstance(value, dict) else None
    return _text_of(value)


def _text_of(value: Any) -> str | None:
    return None if value is None else answers.text_of(value)


# --- JSON -----------------------------------------------------------------------------------------

_NOTHING: Final = object()


class _UnusableError(ValueError):
    """A schema that nothing can be judged by; the text says why."""


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:  # nested too deeply is one of them
        return _NOTHING


def _read_schema(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _UnusableError(f"its JSON Schema cannot be read: {error.strerror}") from None
    if len(data) > LARGEST_SCHEMA:
        raise _UnusableError("its JSON Schema is larger than 1 MB")
    return data


def _schema(data: bytes) -> Callable[[str], bool]:
    """Whether a text is JSON that is valid against a schema.

    Its patterns run in Polars' engine, so that none of them takes exponential time on an output;
    references lead nowhere outside of the file.
    """
    from jsonschema import exceptions, validators
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    try:
        schema = orjson.loads(data)
        base = validators.validator_for(schema, default=validators.Draft202012Validator)
        base.check_schema(schema)
    except (ValueError, TypeError):
        raise _UnusableError("its JSON Schema is not JSON") from None
    except exceptions.SchemaError as error:
        raise _UnusableError(f"its JSON Schema is none: {error.message[:200]}") from None
    _check_patterns(schema)
    kind = validators.extend(base, {"pattern": _pattern, "patternProperties": _pattern_properties})
    validator = kind(schema, registry=Registry())

    def valid(text: str) -> bool:
        value = _parsed(text)
        try:
            return value is not _NOTHING and validator.is_valid(value)
        except RecursionError:
            return False

    try:
        valid("null")
    except Unresolvable:
        raise _UnusableError("its JSON Schema refers to another file") from None
    return valid


def _check_patterns(schema: Any) -> None:
    from gonogo.config.patterns import compile_problem

    rest = [schema]
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            own = value.get("pattern"), *(value.get("patternProperties") or {})
            for pattern in own:
                problem = compile_problem(pattern) if isinstance(pattern, str) else None
                if problem:
                    raise _UnusableError(f"its JSON Schema: {problem}")
            rest += value.values()
        elif isinstance(value, list):
            rest += value


def _found(pattern: str, text: str) -> bool:
    return bool(pl.Series([text]).str.contains(pattern)[0])


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[Exception]:
    from jsonschema.exceptions import ValidationError

    if isinstance(instance, str) and not _found(pattern, instance):
        yield ValidationError("does not match")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, _: Any
) -> Iterator[Exception]:
    if isinstance(instance, dict):
        for pattern, schema in patterns.items():
            for name, value in instance.items():
                if _found(pattern, name):
                    yield from validator.descend(value, schema, path=name, schema_path=pattern)
