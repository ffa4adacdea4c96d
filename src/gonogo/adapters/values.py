"""Values as foreign logs write them: nested, flat, JSON inside of text, ids and times of all kinds.

All functions give None for what is absent or cannot be read: nothing is guessed.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from gonogo.adapters.model import Line, Options

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HEX: Final = frozenset("0123456789abcdef")
_LOWER_HEX: Final = re.compile("[0-9a-f]+")
_TICKS_TO_EPOCH: Final = 621_355_968_000_000_000
"""100-ns ticks between 0001-01-01 and 1970-01-01 (System.DateTime.Ticks)."""
MASKED: Final = "…"
"""Stands for a text of which only the presence matters."""


def unpacked(value: Any) -> Any:
    """JSON inside of a text, decoded; anything else as it is."""
    # What is asked first here and below is the usual answer: there are very many values, and to
    # ask whether something is a Mapping takes longer than to look into it.
    if type(value) is dict:
        return value
    if isinstance(value, str) and value[:1] in {"{", "[", '"'}:
        try:
            return orjson.loads(value)
        except ValueError:
            return value
    return value


def dig(record: Any, path: str) -> Any:
    """The value at a dotted path; names may hold dots themselves, lists take an index."""
    if type(record) is not dict and not isinstance(record, Mapping):
        return _dig_list(record, path)
    if path in record:
        return record[path]
    if "." not in path:
        return None
    head, dot, rest = path.partition(".")
    while dot:
        if head in record:
            found = dig(unpacked(record[head]), rest)
            if found is not None:
                return found
        name, dot, rest = rest.partition(".")
        head = f"{head}.{name}"
    return None


def _dig_list(value: Any, path: str) -> Any:
    head, _, rest = path.partition(".")
    if not isinstance(value, list) or not head.isdigit() or int(head) >= len(value):
        return None
    found = unpacked(value[int(head)])
    return dig(found, rest) if rest else found


def first(record: Any, *paths: str) -> Any:
    """The first of the paths that has a value."""
    is_plain = type(record) is dict
    for path in paths:
        found = record.get(path) if is_plain else None
        if found is None and ("." in path or not is_plain):
            found = dig(record, path)
        if found is not None and found != "":
            return found
    return None


def mapping_of(value: Any) -> Mapping[str, Any]:
    """An object, also one that stands in a text; an empty one for anything else."""
    found = unpacked(value)
    if type(found) is dict or isinstance(found, Mapping):
        return found
    # A map column of Parquet comes as a list of keys and values.
    if isinstance(found, list) and all(
        isinstance(pair, Mapping) and pair.keys() == {"key", "value"} for pair in found
    ):
        return {pair["key"]: pair["value"] for pair in found}
    return {}


def list_of(value: Any) -> list[Any]:
    """A list, also one that stands in a text; an empty one for anything else."""
    found = unpacked(value)
    return found if isinstance(found, list) else []


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of a list."""
    return (
        item
        for item in map(unpacked, list_of(value))
        if type(item) is dict or isinstance(item, Mapping)
    )


def text(value: Any) -> str | None:
    """A scalar as text; None for an empty one and for objects and lists."""
    if type(value) is str:
        return value or None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return None if isinstance(value, (dict, list, tuple, Mapping)) else str(value)


def number(value: Any) -> float | None:
    """A finite number, also one that stands in a text."""
    if type(value) is int:
        return value
    if value is None or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if abs(found) < float("inf") else None


def total(values: Iterable[Any]) -> float | None:
    """Sum of what is known; None where nothing is."""
    known = [found for found in map(number, values) if found is not None]
    return sum(known) if known else None


_HUMPS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_CLASS: Final = re.compile(r"([A-Za-z_][\w.]*)\s*[(:]")
_LONGEST_MESSAGE: Final = 300


def error_word(value: Any) -> str | None:
    """The name of an exception as words: `openai.RateLimitError` is `openai.rate_limit_error`."""
    found = text(value)
    return None if found is None else _HUMPS.sub("_", found[:_LONGEST_MESSAGE]).lower()


def error_of(message: Any) -> str | None:
    """What kind of failure a message tells of: the exception that it begins with, or its words."""
    found = text(message)
    if found is None:
        return None
    named = _CLASS.match(found)
    return error_word(named[1] if named else found)


def flag(value: Any) -> bool | None:
    """True or false, also as 'True', 'false', 1, 0."""
    if value is None or isinstance(value, bool):
        return value
    low = str(value).strip().lower()
    return True if low in {"true", "1", "yes"} else False if low in {"false", "0", "no"} else None


def there(value: Any) -> str | None:
    """A mark that a text or an object is there; what it says is not kept."""
    return None if value is None or value in ("", [], {}) else MASKED


def hex_id(value: Any, size: int) -> str | None:
    """An id of `size` bytes in lower-case hex; base64 and 0x are undone, other ids stay.

    Source: the OTLP/JSON encoding has hex ids, protobuf's own JSON mapping base64 ones.
    """
    if type(value) is str and len(value) == 2 * size and _LOWER_HEX.fullmatch(value):
        return value if value.strip("0") else None
    found = text(value)
    if found is None:
        return None
    bare = found.lower().removeprefix("0x")
    if len(bare) == 2 * size and _HEX.issuperset(bare):
        return bare if bare.strip("0") else None
    return _from_base64(found, size) or found


def _from_base64(found: str, size: int) -> str | None:
    if len(found) != -(-size // 3) * 4:
        return None
    try:
        raw = base64.b64decode(found, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw.hex() if len(raw) == size else None


def epoch_us(value: Any, unit: str = "") -> int | None:
    """Microseconds since 1970, UTC, of a time in any form.

    `unit` may settle it: s, ms, us, ns, ticks (100 ns since year 1). Without one, numbers are told
    by their magnitude, texts are ISO 8601 and, without a zone, UTC. `[seconds, nanoseconds]` is the
    form of JavaScript's OpenTelemetry SDK.
    """
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return _pair_us(value)
    if isinstance(value, datetime):
        return _since_epoch(value)
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        return None
    if type(value) is str and value[4:5] == "-" and value[:4].isdecimal():
        return _parsed_us(value)  # a date; as a number it cannot be read
    found = _integer(value)
    found = number(value) if found is None else found
    return _parsed_us(str(value)) if found is None else _scaled_us(found, unit)


def _integer(value: Any) -> float | None:
    if isinstance(value, int):
        return value
    # Nanoseconds do not fit into a float.
    if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) <= 20:
        return int(value)
    return None


def _pair_us(value: Any) -> int | None:
    if len(value) != 2:
        return None
    seconds, nanos = number(value[0]), number(value[1])
    if seconds is None or nanos is None:
        return None
    return int(seconds) * 1_000_000 + int(nanos) // 1_000


def _scaled_us(value: float, unit: str) -> int | None:
    if value <= 0:
        return None
    if unit == "ticks":
        return int(value - _TICKS_TO_EPOCH) // 10
    if not unit:
        unit = "s" if value < 1e11 else "ms" if value < 1e14 else "us" if value < 1e17 else "ns"
    if unit == "ns":
        return int(value) // 1_000
    scale = {"s": 1_000_000, "ms": 1_000, "us": 1}[unit]
    return round(value * scale)


def _parsed_us(value: str) -> int | None:
    try:
        return _since_epoch(datetime.fromisoformat(value.strip()))
    except ValueError:
        pass
    # Nine decimals are more than Python's parser takes before 3.12.
    head, dot, rest = value.strip().partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    if not dot or digits <= 6:
        return None
    try:
        return _since_epoch(datetime.fromisoformat(f"{head}.{rest[:6]}{rest[digits:]}"))
    except ValueError:
        return None


def _since_epoch(when: datetime) -> int:
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    since = aware - _EPOCH
    return since.days * 86_400_000_000 + since.seconds * 1_000_000 + since.microseconds


def elapsed_ms(start: int | None, end: int | None) -> float | None:
    """Milliseconds between two times in µs; None where one is missing or they run backwards."""
    return None if start is None or end is None or end < start else (end - start) / 1_000


def line(**members: Any) -> Line:
    """A native line of the members that have a value."""
    return {name: value for name, value in members.items() if value is not None and value != ""}


def evaluation(place: Line, name: str | None, score: float | None, label: str | None) -> Line:
    """A line that only evaluates the span it stands below: `place` has its ids and its time."""
    return {
        **place,
        "operation": "evaluation",
        "is_call": False,
        "is_span": True,
        "evaluations": [line(name=name, score=score, label=label)],
    }


def settled(found: Line, record: Any, options: Options) -> Line:
    """The line with what the user's own [fields] say about its record; they come first."""
    for name, path in options.mapping.items():
        value = dig(record, path)
        own = text(value)
        if own is not None:
            found[name] = own
        elif name == "output" and value:
            found[name] = value if options.outputs else MASKED
    return found


def dumps(value: Line) -> str:
    """One line of JSON."""
    try:
        return orjson.dumps(value).decode()
    except (TypeError, ValueError):  # an integer of more than 64 bits, half of a surrogate pair
        return json.dumps(value, default=str)
