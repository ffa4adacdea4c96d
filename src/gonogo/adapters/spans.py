"""A span of any tracer to a line of the native log: what kind it is, and what it says about it.

The tree itself is left alone: session and user are inherited, wrappers folded and errors counted
once by the rules of whole traces (ingest/traces.py), which see spans that came in other files too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from gonogo.adapters import dialect
from gonogo.adapters.answers import answer_of_span
from gonogo.adapters.attributes import Look, kind_of, look_of, picked
from gonogo.adapters.dialect import SpanKind
from gonogo.adapters.model import Line, Options
from gonogo.adapters.values import (
    MASKED,
    dig,
    elapsed_ms,
    error_of,
    error_word,
    flag,
    line,
    list_of,
    mapping_of,
    number,
    objects,
    settled,
    text,
    there,
    unpacked,
)

_ERROR: Final = "error"
_CALLS: Final = frozenset({"llm", "embedding"})
_MAY_LACK: Final = (
    "timestamp",
    "end_time",
    "trace_id",
    "span_id",
    "parent_span_id",
    "tenant_id",
    "error_type",
)
_COSTS: Final = tuple(key for key in dialect.NUMBERS["cost_usd"] if ">" not in key)
_PASSED: Final = frozenset({"pass", "passed", "allow", "allowed", "ok", "success", "safe", "none"})
_MASKING: Final = frozenset({"mask", "masked", "redact", "redacted", "anonymized", "modify"})
_DENYING: Final = frozenset({"block", "blocked", "deny", "denied", "reject", "fail", "failed"})
_BLOCK_TYPES: Final = frozenset({"content_filter", "guardrail_intervened", "guardrail_blocked"})
_DOCUMENTS: Final = ("gen_ai.retrieval.documents", "retrieval.documents")
_DOCUMENT_ID: Final = ("id", "document.id", "metadata.chunk_id", "metadata.id", "metadata.doc_uri")
_DOCUMENT_SCORE: Final = ("score", "document.score", "metadata.similarity_score", "metadata.score")


class Event(NamedTuple):
    """Something that a span says about a moment: µs since 1970, or None."""

    name: str
    time: int | None
    attributes: Mapping[str, Any]


class Span(NamedTuple):
    """One span, whatever wrote it; times in µs since 1970, `attributes` flat."""

    trace_id: str | None
    span_id: str | None
    parent_id: str | None
    name: str
    start: int | None
    end: int | None
    failed: bool
    message: str
    attributes: Mapping[str, Any]
    events: Sequence[Event] = ()
    resource: Mapping[str, Any] = MappingProxyType({})


def line_of(span: Span, options: Options, common: Line | None = None) -> Line:
    """The line of a span; `common` are members that hold for all spans of its resource or trace."""
    have = span.attributes
    if options.spans is not None:
        options.spans(have)
    look = look_of(have)
    kind, word = kind_of(look, have)
    is_call = kind in _CALLS
    error = _error_type(span) if span.failed else None
    found: Line = {
        **(common or {}),
        "timestamp": span.start,
        "end_time": span.end,
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_id,
        "tenant_id": _text(have, look.tenant) if look.tenant else None,
        "operation": _operation(kind, word),
        "error_type": error,
        "status": _status(span.failed, error),
        "is_span": True,
        "is_call": is_call,
    }
    for name in _MAY_LACK:
        if found[name] is None:
            del found[name]
    found |= picked(look, have, is_call=is_call)
    if is_call:
        found |= _call(span, have, look, options)
        if "provider" in found:
            found["provider"] = _provider(found["provider"])
    elif kind == "tool":
        found["tool_calls"] = [_tool(span, have, look, error)]
    elif kind == "retrieval":
        found["retrieval"] = _retrieval(span, have, error)
    elif kind == "guardrail":
        cost = line(cost_usd=_number(have, _COSTS))
        found["guardrails"] = [_guardrail(span, have) | cost]
        # A check that stops something by raising has done its work.
        found["status"] = "ok"
        found.pop("error_type", None)
    elif flag(have.get("gen_ai.guardrail.triggered")) is not None:
        found["guardrails"] = [_guardrail(span, have)]
    for name, path in options.mapping.items():
        own = text(have.get(path, span.resource.get(path)))
        if own is not None:
            found[name] = own
    return settled(found, have, options)


_READ: Final = frozenset(
    {
        *(key.partition(">")[0] for keys in dialect.TEXTS.values() for key in keys),
        *(key.partition(">")[0] for keys in dialect.NUMBERS.values() for key in keys),
        *(dialect.TTFT_SECONDS + dialect.TTFT_MS + dialect.STREAM + dialect.FINISH),
        *(dialect.OUTPUT + dialect.INPUT + dialect.KIND + dialect.TOOL_NAME + dialect.TENANT),
        *(dialect.GUARDRAIL_NAME + dialect.GUARDRAIL_TRIGGERED + dialect.GUARDRAIL_RESULT),
        *(dialect.GUARDRAIL_STAGE + _DOCUMENTS),
        *("http.response.status_code", "llm.invocation_parameters", "mlflow.spanFunctionName"),
        *("gen_ai.data_source.id", "db.vector.query.result_count", "guardrail"),
        "gen_ai.guardrail.failed_guard_count",
    }
)
_READ_BELOW: Final = ("retrieval.documents.", "llm.output_messages.", "gen_ai.completion.")


def is_read(name: str) -> bool:
    """Whether an attribute of that name is looked at in some span."""
    return name in _READ or name.startswith(_READ_BELOW)


def _operation(kind: SpanKind | None, word: str) -> str:
    if word in dialect.NATIVE_OPERATIONS:
        return word
    return dialect.OPERATIONS[kind] if kind else "span"


def resource_of(attributes: Mapping[str, Any]) -> Line:
    """What a resource says about all of its spans."""
    found: Line = {}
    for name, keys in dialect.RESOURCE.items():
        value = _text(attributes, keys)
        if value is not None:
            found[name] = value
    return found


def _text(have: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    for key in keys:
        found = text(have.get(key))
        if found is not None:
            return found
    return None


def _number(have: Mapping[str, Any], keys: Sequence[str]) -> float | None:
    for key in keys:
        found = number(have.get(key))
        if found is not None:
            return found
    return None


def _status(failed: bool, error: str | None) -> str:
    if failed and error in _BLOCK_TYPES:
        return "blocked"
    return _ERROR if failed else "ok"


def _error_type(span: Span) -> str | None:
    found = _text(span.attributes, dialect.TEXTS["error_type"])
    if found is not None and found != "_OTHER":
        return error_word(found)
    code = text(span.attributes.get("http.response.status_code"))
    if code is not None:
        return code
    for event in span.events:
        if event.name == "exception":
            kind = text(event.attributes.get("exception.type"))
            if kind and kind not in {"Error", "Exception"}:
                return error_word(kind)
    return error_of(span.message) or found


def _call(span: Span, have: Mapping[str, Any], look: Look, options: Options) -> Line:
    """What only spans of a model's call have, beside what the dialect table knows."""
    made: Line = {}
    stream = _streamed(have, look)
    ttft = None if stream is False else _ttft(span, have, look)
    if ttft is not None:
        made["stream"], made["ttft_ms"] = True, ttft
    elif stream is not None:
        made["stream"] = stream
    finish = _finish(have, look)
    if finish is not None:
        made["finish_reason"] = finish
        if not span.failed and finish.replace("-", "_") in _BLOCK_TYPES:
            made["status"] = "blocked"
    if options.outputs:
        output = answer_of_span(have, ((e.name, e.attributes) for e in span.events))
    else:
        output = _any(have, look.output)
    if output is not None:
        made["output"] = output
    return made


def _provider(word: str) -> str:
    for suffix in dialect.PROVIDER_SUFFIXES:
        word = word.removesuffix(suffix)
    return word


def _streamed(have: Mapping[str, Any], look: Look) -> bool | None:
    for key in look.stream:
        found = flag(have[key])
        if found is not None:
            return found
    parameters = have.get("llm.invocation_parameters")
    return flag(mapping_of(parameters).get("stream")) if parameters else None


def _any(have: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    for key in keys:
        if there(have[key]):
            return MASKED
    return None


def _finish(have: Mapping[str, Any], look: Look) -> str | None:
    for key in look.finish:
        if found := have[key]:
            reasons = list_of(found)
            return text(reasons[0] if reasons else found)
    return None


def _ttft(span: Span, have: Mapping[str, Any], look: Look) -> float | None:
    seconds = _number(have, look.ttft_seconds)
    if seconds is not None:
        return seconds * 1_000
    millis = _number(have, look.ttft_ms)
    if millis is not None:
        return millis
    times = [e.time for e in span.events if e.name in dialect.TTFT_EVENTS and e.time is not None]
    return elapsed_ms(span.start, min(times)) if times else None


def _tool(span: Span, have: Mapping[str, Any], look: Look, error: str | None) -> Line:
    name = _text(have, dialect.TOOL_NAME) or text(have.get("mlflow.spanFunctionName"))
    made: Line = {
        "name": (name or span.name).strip('"'),
        "status": _ERROR if span.failed else "ok",
        "latency_ms": elapsed_ms(span.start, span.end),
        "error_type": error,
    }
    for member, keys in (("input", look.input), ("output", look.output)):
        made |= line(**{member: _any(have, keys)})
    return made


def _retrieval(span: Span, have: Mapping[str, Any], error: str | None) -> Line:
    made: Line = {
        "status": _ERROR if span.failed else "ok",
        "latency_ms": elapsed_ms(span.start, span.end),
        "error_type": error,
    }
    source = text(have.get("gen_ai.data_source.id"))
    if source is not None:
        made["index_version"] = source
    count = number(have.get("db.vector.query.result_count"))
    if count is not None:
        made["n_chunks"] = count
    documents = _documents(have)
    if documents is not None:
        made |= chunks_of(documents)
    return made


def chunks_of(documents: Sequence[Mapping[str, Any]]) -> Line:
    """Ids, scores and number of retrieved documents, best first."""
    ids = [_any_of(d, _DOCUMENT_ID) for d in documents]
    scores = [number(_any_of(d, _DOCUMENT_SCORE)) for d in documents]
    made: Line = {"n_chunks": len(documents)}
    if not documents or all(i is not None for i in ids):
        made["chunk_ids"] = ids
    if any(s is not None for s in scores):
        made["scores"] = scores
    return made


def _any_of(document: Mapping[str, Any], paths: Sequence[str]) -> str | None:
    found = document.get("document", document)
    for path in paths:
        value = text(dig(document, path)) or text(dig(found, path))
        if value is not None:
            return value
    return None


def _documents(have: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    for name in _DOCUMENTS:
        if name in have and have[name] is not None:
            return list(objects(have[name]))
    outputs = have.get("mlflow.spanOutputs")
    if outputs is not None:
        found = unpacked(outputs)
        return list(objects(found)) if isinstance(found, list) else None
    return _indexed(have, "retrieval.documents.")


def _indexed(have: Mapping[str, Any], prefix: str) -> list[Mapping[str, Any]] | None:
    """`retrieval.documents.0.document.id` and its like, as objects again."""
    found: dict[int, dict[str, Any]] = {}
    for key, value in have.items():
        if key.startswith(prefix):
            index, _, rest = key.removeprefix(prefix).partition(".")
            if index.isdecimal() and len(index) < 6:
                found.setdefault(int(index), {})[rest.removeprefix("document.")] = value
    return [found[index] for index in sorted(found)] if found else None


def _guardrail(span: Span, have: Mapping[str, Any]) -> Line:
    """A guardrail span. Its outcome has no standard attribute: known words are looked for."""
    inside = mapping_of(have.get("guardrail"))
    have = {**{f"guardrail.{name}": value for name, value in inside.items()}, **have}
    triggered = next((flag(have[k]) for k in dialect.GUARDRAIL_TRIGGERED if k in have), None)
    failed_guards = number(have.get("gen_ai.guardrail.failed_guard_count"))
    if triggered is None and failed_guards is not None:
        triggered = failed_guards > 0
    word = (_text(have, dialect.GUARDRAIL_RESULT) or "").lower()
    made: Line = {
        "name": _text(have, dialect.GUARDRAIL_NAME) or span.name,
        "stage": _text(have, dialect.GUARDRAIL_STAGE),
        "latency_ms": elapsed_ms(span.start, span.end),
    }
    if word in _DENYING:
        made["action"] = "block"
        triggered = True if triggered is None else triggered
    elif word in _MASKING:
        made["action"] = "mask"
        triggered = True if triggered is None else triggered
    elif word in _PASSED and triggered is None:
        triggered = False
    if triggered is not None:
        made["triggered"] = triggered
    return made


def flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested objects as dotted names; lists stay lists."""
    for name, member in value.items():
        if isinstance(member, Mapping):
            yield from flat(member, f"{prefix}{name}.")
        elif member is not None:
            yield f"{prefix}{name}", member
