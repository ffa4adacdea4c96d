"""Phoenix (Arize): spans as a data frame (Parquet, JSON lines), from REST, and annotations.

Source: arize-phoenix-client 3.5 and the recordings of Phoenix 20.3. The frame has a column for each
attribute that occurs (`attributes.llm.model_name`), with lists and objects inside; REST is flat.
OTLP from `/spans/otlpv1` is read as OTLP.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gonogo.adapters.model import Format, Line, Note, Options, Record, Refused
from gonogo.adapters.spans import Event, Span, flat, line_of
from gonogo.adapters.values import (
    epoch_us,
    evaluation,
    first,
    hex_id,
    line,
    mapping_of,
    number,
    objects,
    text,
)

_PREFIX: Final = "attributes."
_ROW_LIMIT: Final = 1_000


def _is_span(record: Mapping[str, Any]) -> bool:
    if "context.span_id" in record:
        return True
    return "span_kind" in record and isinstance(record.get("context"), Mapping)


def _is_annotation(record: Mapping[str, Any]) -> bool:
    return "annotation_name" in record and "annotator_kind" in record


def _detect(record: Record) -> bool:
    if _is_span(record) or _is_annotation(record):
        return True
    data = record.get("data")
    head = data[0] if isinstance(data, list) and data else None
    return isinstance(head, Mapping) and (_is_span(head) or _is_annotation(head))


def _convert(record: Record, options: Options) -> Iterator[Line | Refused]:
    data = record.get("data")
    for item in objects(data) if isinstance(data, list) else (record,):
        if _is_annotation(item):
            yield _annotation(item)
        elif _is_span(item):
            yield line_of(_span(item), options)
        else:
            yield Refused("I032", "neither a span nor an annotation of Phoenix")


def _span(record: Mapping[str, Any]) -> Span:
    have = dict(_attributes(record))
    kind = text(record.get("span_kind"))
    if kind and kind != "UNKNOWN":
        have.setdefault("openinference.span.kind", kind)
    return Span(
        hex_id(first(record, "context.trace_id"), 16),
        hex_id(first(record, "context.span_id"), 8),
        hex_id(record.get("parent_id"), 8),
        str(record.get("name") or ""),
        epoch_us(record.get("start_time")),
        epoch_us(record.get("end_time")),
        record.get("status_code") == "ERROR",
        str(record.get("status_message") or ""),
        have,
        [
            Event(
                str(event.get("name") or ""),
                epoch_us(event.get("timestamp")),
                mapping_of(event.get("attributes")),
            )
            for event in objects(record.get("events"))
        ],
    )


def _attributes(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    inside = record.get("attributes")
    if isinstance(inside, Mapping):
        yield from flat(inside)
    for name, value in record.items():
        # Most columns of the frame are empty in most rows.
        if value is not None and name.startswith(_PREFIX):
            bare = name.removeprefix(_PREFIX)
            if isinstance(value, Mapping):
                yield from flat(value, f"{bare}.")
            else:
                yield bare, value


def _annotation(record: Mapping[str, Any]) -> Line:
    result = mapping_of(record.get("result"))
    place = line(
        timestamp=epoch_us(record.get("created_at")),
        trace_id=hex_id(record.get("trace_id"), 16),
        span_id=f"annotation:{record.get('id')}",
        parent_span_id=hex_id(record.get("span_id"), 8),
    )
    score, label = (first(record, f"result.{part}") for part in ("score", "label"))
    return evaluation(
        place,
        text(record.get("annotation_name")),
        number(result.get("score") if score is None else score),
        text(result.get("label") if label is None else label),
    )


def _about_rows(rows: int) -> Note | None:
    if rows != _ROW_LIMIT:
        return None
    return Note(
        "I031",
        f"a Phoenix export of exactly {_ROW_LIMIT:,} rows: get_spans_dataframe() stops there "
        "unless told otherwise",
        "export again with limit=… ",
    )


PHOENIX: Final = Format(
    name="phoenix",
    title="Phoenix spans and annotations",
    detect=_detect,
    convert=_convert,
    fields={
        "timestamp": "start_time",
        "latency_ms": "end_time − start_time",
        "ttft_ms": "event `First Token Stream Event` − start_time",
        "trace_id": "context.trace_id",
        "span_id": "context.span_id",
        "parent_span_id": "parent_id",
        "session_id": "attributes.session.id",
        "user_id": "attributes.user.id",
        "prompt_version": "attributes.llm.prompt_template.version",
        "provider": "attributes.llm.provider, attributes.llm.system",
        "response_model": "attributes.llm.model_name; on failures from llm.invocation_parameters",
        "input_tokens": "attributes.llm.token_count.prompt (cached ones included)",
        "output_tokens": "attributes.llm.token_count.completion",
        "status": "status_code",
        "error_type": "exception event",
        "tool_calls": "spans of kind TOOL",
        "retrieval": "spans of kind RETRIEVER, attributes.retrieval.documents",
        "guardrails": "spans of kind GUARDRAIL, attributes.guardrail.triggered where it is there",
        "evaluations": "annotations",
        "output": "attributes.llm.output_messages, attributes.output.value",
    },
    lacks=(
        "cost (Phoenix works it out on its server)",
        "whether a retriever without documents found none or logged none",
    ),
    notes=(Note("I030", "Phoenix spans carry no cost: it is worked out on the server"),),
    about_rows=_about_rows,
)
