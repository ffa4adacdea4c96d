"""What a span's attributes say, by the names that it has.

The spans of one instrumentation have the same names over and over, and of all names that are known
each has few. What is to be looked at is so worked out once for each set of names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from gonogo.adapters import dialect
from gonogo.adapters.dialect import SpanKind
from gonogo.adapters.values import mapping_of, number, text, unpacked

SETS_KEPT: Final = 4_096
"""Logs choose the names; sets beyond this many are worked out again."""
_EVERYWHERE: Final = frozenset({"session_id", "user_id", "prompt_version"})
_LEFT_OUT: Final = frozenset({"error_type"})
_USAGE: Final = frozenset(
    key
    for name in ("input_tokens", "output_tokens")
    for key in dialect.NUMBERS[name]
    if ">" not in key and not key.startswith("ai.")
)
_MODELS: Final = frozenset({"gen_ai.request.model", "gen_ai.response.model", "llm.model_name"})
# The requested model may stand in the JSON of a whole request, which takes time to read; it is
# looked for last, and only where the served one is not known.
_LAST: Final = "request_model"
_UNLESS: Final = "response_model"

_Place = tuple[str, str]  # attribute, member of the JSON inside of it


@dataclass(frozen=True, slots=True)
class Look:
    """Where to look in the spans that have these names, best place first."""

    kinds: tuple[str, ...]
    like_call: bool
    """without a word for it: a model and its tokens are a call"""
    anywhere: tuple[tuple[str, bool, tuple[_Place, ...]], ...]
    """(field, whether it is a number, its places), for spans of any kind"""
    call: tuple[tuple[str, bool, tuple[_Place, ...]], ...]
    """the same, for calls of a model"""
    tenant: tuple[str, ...]
    stream: tuple[str, ...]
    finish: tuple[str, ...]
    ttft_seconds: tuple[str, ...]
    ttft_ms: tuple[str, ...]
    output: tuple[str, ...]
    input: tuple[str, ...]


def _places(keys: tuple[str, ...]) -> tuple[_Place, ...]:
    return tuple((attribute, member) for attribute, _, member in (k.partition(">") for k in keys))


_FIELDS: Final = sorted(
    (
        (name, name in dialect.NUMBERS, _places(keys))
        for name, keys in {**dialect.TEXTS, **dialect.NUMBERS}.items()
        if name not in _LEFT_OUT
    ),
    key=lambda one: one[0] == _LAST,
)
_LISTS: Final = {
    "kinds": dialect.KIND,
    "tenant": dialect.TENANT,
    "stream": dialect.STREAM,
    "finish": dialect.FINISH,
    "ttft_seconds": dialect.TTFT_SECONDS,
    "ttft_ms": dialect.TTFT_MS,
    "output": dialect.OUTPUT,
    "input": dialect.INPUT,
}
_NAMES: Final = frozenset(
    {attribute for _, _, places in _FIELDS for attribute, _ in places}
    | {name for names in _LISTS.values() for name in names}
    | _USAGE
    | _MODELS
)


def look_of(have: Mapping[str, Any]) -> Look:
    """Where to look in a span with these attributes."""
    return _look(_NAMES.intersection(have))


@lru_cache(maxsize=SETS_KEPT)
def _look(there: frozenset[str]) -> Look:
    found = [
        (name, is_number, tuple(place for place in places if place[0] in there))
        for name, is_number, places in _FIELDS
    ]
    call = tuple(one for one in found if one[2])
    return Look(
        like_call=bool(there & _USAGE) and bool(there & _MODELS),
        anywhere=tuple(one for one in call if one[0] in _EVERYWHERE),
        call=call,
        **{part: tuple(n for n in known if n in there) for part, known in _LISTS.items()},
    )


def kind_of(look: Look, have: Mapping[str, Any]) -> tuple[SpanKind | None, str]:
    """(kind of span, the word that said so); None for spans that are about something else."""
    for name in look.kinds:
        value = have[name]
        if isinstance(value, str):
            word = value if value in dialect.KINDS else value.strip('"').lower()
            kind = dialect.KINDS.get(word)
            if kind is not None:
                return kind, word
    return ("llm", "") if look.like_call else (None, "")


def picked(look: Look, have: Mapping[str, Any], *, is_call: bool) -> dict[str, Any]:
    """Value by field: that of the first attribute in the dialect table which has one."""
    found: dict[str, Any] = {}
    for name, is_number, places in look.call if is_call else look.anywhere:
        for attribute, member in places:
            value = have[attribute]
            if member:
                if name == _LAST and _UNLESS in found:
                    continue
                value = mapping_of(value).get(member)
                read = number(value) if is_number else text(value)
            else:
                read = number(value) if is_number else text(unpacked_name(value))
            if read is not None:
                found[name] = read
                break
    return found


def unpacked_name(value: Any) -> Any:
    """A name that MLflow wrote as JSON is in quotes."""
    return unpacked(value) if type(value) is str and value[:1] == '"' else value
