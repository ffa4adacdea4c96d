"""Rules of a mapping: where the value of a field stands, its unit, and what its words mean."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gonogo.adapters.answers import logged
from gonogo.adapters.model import Options, Record
from gonogo.adapters.values import dig, epoch_us, flag, number, text, there, unpacked

TO_MS: Final = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3, "min": 6e4}
_TIMES: Final = frozenset({"timestamp", "end_time", "record_updated_at"})
_TIME_UNITS: Final = {"s", "ms", "us", "ns", "ticks"}
_DURATIONS: Final = frozenset({"latency_ms", "ttft_ms", "review_latency_ms"})
_NUMBERS: Final = frozenset(
    {
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "cache_write_input_tokens",
        "reasoning_output_tokens",
        "cache_write_1h_input_tokens",
        "cost_usd",
        "retries",
        "sample_weight",
        "n_chunks",
        "tier",
    }
)
_FLAGS: Final = frozenset(
    {
        "stream",
        "ok",
        "cache_hit",
        "is_call",
        "hit",
        "timed_out",
        "arguments_valid",
        "fallback",
        "triggered",
        "bypassed",
    }
)
_LISTS: Final = frozenset({"chunk_ids", "scores", "expected_chunk_ids"})
FIELDS: Final = frozenset(
    {
        *("timestamp", "end_time", "record_updated_at", "latency_ms", "ttft_ms"),
        *("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_write_input_tokens"),
        *("cache_write_1h_input_tokens", "reasoning_output_tokens", "cost_usd", "retries"),
        *("sample_weight", "stream", "ok", "cache_hit", "is_call", "output"),
        *("trace_id", "span_id", "parent_span_id", "session_id", "user_id", "tenant_id"),
        *("service", "environment", "release", "prompt_version", "operation", "provider"),
        *("request_model", "response_model", "service_tier", "status", "error_type"),
        *("finish_reason", "input_hash", "currency"),
    }
)
"""What a mapping may say about the row itself."""
_RULE: Final = frozenset({"path", "unit", "scale", "values", "default"})


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
        """What stands there, in the words of `values`; `default` where nothing does."""
        found = at(record, self.path) if self.path else None
        if found is None or found == "":
            return self.default
        if self.values is None:
            return found
        return self.values.get(text(found) or "", self.default)


def at(record: Any, path: str) -> Any:
    """The value at a path; behind `[]` it is the list of what each item of the list has there."""
    head, each, rest = path.partition("[].")
    found = dig(record, head)
    if not each:
        return found
    items = unpacked(found)
    return [at(unpacked(item), rest) for item in items] if isinstance(items, list) else None


Wrong = Callable[..., None]


def unknown(table: Mapping[str, Any], known: frozenset[str], place: str, wrong: Wrong) -> None:
    """Tell `wrong` of each key that is not known; `place` is what stands before it."""
    for name in table:
        if name not in known:
            wrong(f"{place}{name}", "unknown key", near(name, known))


def near(name: str, known: frozenset[str]) -> str:
    """A hint: the known name that is most like this one, else all of them."""
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(sorted(known))}"


def read_rules(name: str, raw: Any, place: str, wrong: Wrong) -> tuple[Rule, ...]:
    """The rules of a field: one path or table, or a list of them."""
    many = raw if isinstance(raw, list) else [raw]
    return tuple(_rule(name, item, f"{place}.{name}", wrong) for item in many)


def _rule(name: str, raw: Any, place: str, wrong: Wrong) -> Rule:
    if isinstance(raw, str):
        return Rule(raw)
    if not isinstance(raw, dict):
        wrong(place, "a path, a table or a list of those is needed")
        return Rule("")
    unknown(raw, _RULE, f"{place}.", wrong)
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


def read(name: str, rule: Rule, value: Any, options: Options) -> Any:
    """The value of a field of that name, as the native line has it; None where it is none."""
    if name in _TIMES:
        return epoch_us(value, rule.unit)
    if name in _DURATIONS or name in _NUMBERS:
        found = number(value)
        scale = rule.scale * (TO_MS[rule.unit or "ms"] if name in _DURATIONS else 1.0)
        return found if found is None or scale == 1.0 else found * scale
    if name == "output":
        return logged(value, wanted=options.outputs)
    kind: Callable[[Any], Any] = _KINDS.get(name, text)
    return None if value is None else kind(value)


def first_of(name: str, rules: tuple[Rule, ...], record: Record, options: Options) -> Any:
    """The value by the first rule that gives one."""
    values = (read(name, rule, rule.value(record), options) for rule in rules)
    return next((value for value in values if value is not None), None)


def _listed(value: Any) -> list[str | None]:
    found = unpacked(value)
    return [text(item) for item in (found if isinstance(found, list) else [found])]


_KINDS: Final[dict[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(_FLAGS, flag),
    **dict.fromkeys(_LISTS, _listed),
    "input": there,
}
