"""LangSmith runs: JSON lines of the SDK, REST, the bulk export (Parquet), payloads of the client.

Source: langsmith-sdk at bc8dd672 and its recorded payloads, and the documented run data format.
`session_id` is the project there, not the user's session. Roots and chains repeat the tokens and
cost of the runs below them: only runs of type llm and embedding count. Times without zone are UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from gonogo.adapters.answers import logged
from gonogo.adapters.model import Format, Line, Note, Options, Record, Refused
from gonogo.adapters.spans import chunks_of
from gonogo.adapters.values import (
    dig,
    elapsed_ms,
    epoch_us,
    error_of,
    first,
    flag,
    line,
    mapping_of,
    number,
    objects,
    settled,
    text,
    there,
)

_CALLS: Final = frozenset({"llm", "embedding"})
_OPERATIONS: Final = {
    "llm": "chat",
    "embedding": "embeddings",
    "tool": "execute_tool",
    "retriever": "retrieval",
}
_USAGE: Final = (
    "usage_metadata",
    "llm_output.token_usage",
    "llm_output.usage",
    "generations.0.0.message.kwargs.usage_metadata",
    "usage",
)
_UUID: Final = 36


def _is_run(record: Mapping[str, Any]) -> bool:
    return "run_type" in record and any(
        key in record for key in ("dotted_order", "parent_run_id", "trace_id", "session_id")
    )


def _detect(record: Record) -> bool:
    if _is_run(record):
        return True
    for key in ("runs", "post"):
        held = record.get(key)
        head = held[0] if isinstance(held, list) and held else None
        if isinstance(head, Mapping) and _is_run(head):
            return True
    return False


def _convert(record: Record, options: Options) -> Iterator[Line | Refused]:
    if isinstance(record.get("runs"), list):
        runs: Iterable[Mapping[str, Any]] = objects(record["runs"])
    elif "post" in record or "patch" in record:
        runs = _merged(record)
    else:
        runs = (record,)
    for run in runs:
        if _is_run(run):
            yield settled(_line(run, options), run, options)
        else:
            yield Refused("I032", "no run of LangSmith")


def _merged(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A run is posted when it begins and patched when it ends: the two are one."""
    runs: dict[str, dict[str, Any]] = {}
    for part in (*objects(record.get("post")), *objects(record.get("patch"))):
        key = text(part.get("dotted_order")) or text(part.get("id")) or str(len(runs))
        known = runs.setdefault(key, {})
        events = [*known.get("events", ()), *objects(part.get("events"))]
        known |= {name: value for name, value in part.items() if value not in (None, {}, [])}
        known["events"] = events
    return list(runs.values())


def _line(run: Mapping[str, Any], options: Options) -> Line:
    kind = str(run.get("run_type") or "")
    extra = mapping_of(run.get("extra"))
    meta = mapping_of(extra.get("metadata"))
    outputs = mapping_of(run.get("outputs"))
    start, end = epoch_us(run.get("start_time")), epoch_us(run.get("end_time"))
    failed = bool(run.get("error")) or run.get("status") == "error"
    error = error_of(run.get("error")) if failed else None
    done = end is not None or run.get("status") == "success"
    status = "error" if failed else "ok" if done else None
    trace, ident, parent = _ids(run)
    made: Line = {
        **line(
            timestamp=start,
            end_time=end,
            trace_id=trace,
            span_id=ident,
            parent_span_id=parent,
            session_id=text(first(meta, "session_id", "thread_id", "conversation_id"))
            or text(run.get("thread_id")),
            user_id=text(first(meta, "user_id")),
            service=text(run.get("session_name")),
            release=text(meta.get("revision_id")),
            operation=_OPERATIONS.get(kind, "chain"),
            status=status,
            error_type=error,
        ),
        "is_call": kind in _CALLS,
        "is_span": True,
    }
    if kind in _CALLS:
        _call(run, extra, meta, outputs, start, made)
        made |= line(output=_answer(run, outputs, options))
    elif kind == "tool":
        made["tool_calls"] = [
            line(
                name=text(run.get("name")),
                status=status,
                error_type=error,
                latency_ms=elapsed_ms(start, end),
                input=there(run.get("inputs")),
                output=there(run.get("outputs")),
            )
        ]
    elif kind == "retriever":
        found = outputs.get("documents")
        made["retrieval"] = {
            **line(status=status, error_type=error, latency_ms=elapsed_ms(start, end)),
            **(chunks_of(list(objects(found))) if isinstance(found, list) else {}),
        }
    scores = [
        line(name=str(name), score=number(mapping_of(stats).get("avg")))
        for name, stats in mapping_of(run.get("feedback_stats")).items()
    ]
    if scores:
        made["evaluations"] = scores
    return made


def _ids(run: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    """(trace, run, parent); the dotted order ends in the run's id and has its ancestors before."""
    chain = [part[-_UUID:] for part in (text(run.get("dotted_order")) or "").split(".") if part]
    ident = text(run.get("id")) or (chain[-1] if chain else None)
    trace = text(run.get("trace_id")) or (chain[0] if chain else None)
    parent = text(run.get("parent_run_id")) or (chain[-2] if len(chain) > 1 else None)
    return trace, ident, parent


def _call(
    run: Mapping[str, Any],
    extra: Mapping[str, Any],
    meta: Mapping[str, Any],
    outputs: Mapping[str, Any],
    start: int | None,
    made: Line,
) -> None:
    params = mapping_of(extra.get("invocation_params"))
    opened = epoch_us(run.get("first_token_time"))
    if opened is None:
        tokens = (e for e in objects(run.get("events")) if e.get("name") == "new_token")
        opened = next((epoch_us(event.get("time")) for event in tokens), None)
    asked = [flag(first(run, "inputs.stream")), flag(params.get("stream"))]
    stream = True if opened is not None else next((s for s in asked if s is not None), None)
    usage = next((u for path in _USAGE for u in [mapping_of(dig(outputs, path))] if u), {})

    def counted(column: str, *members: str) -> float | None:
        found = number(run.get(column))
        return number(first(usage, *members)) if found is None else found

    made |= line(
        provider=text(meta.get("ls_provider")),
        request_model=text(first(meta, "ls_model_name") or first(params, "model", "model_name")),
        response_model=text(
            first(
                outputs,
                "model",
                "llm_output.model_name",
                "generations.0.0.message.kwargs.response_metadata.model_name",
            )
        ),
        input_tokens=counted("prompt_tokens", "input_tokens", "prompt_tokens"),
        output_tokens=counted("completion_tokens", "output_tokens", "completion_tokens"),
        cache_read_input_tokens=number(
            dig(mapping_of(run.get("prompt_token_details")), "cache_read")
        )
        or number(dig(usage, "input_token_details.cache_read")),
        cache_write_input_tokens=number(
            dig(mapping_of(run.get("prompt_token_details")), "cache_creation")
        )
        or number(dig(usage, "input_token_details.cache_creation")),
        reasoning_output_tokens=number(
            dig(mapping_of(run.get("completion_token_details")), "reasoning")
        )
        or number(dig(usage, "output_token_details.reasoning")),
        cost_usd=number(run.get("total_cost")),
        stream=stream,
        ttft_ms=elapsed_ms(start, opened),
        finish_reason=text(
            first(
                outputs, "choices.0.finish_reason", "generations.0.0.generation_info.finish_reason"
            )
        ),
    )


def _answer(run: Mapping[str, Any], outputs: Mapping[str, Any], options: Options) -> str | None:
    """Large outputs are kept in S3, and of those only an address is exported."""
    return logged(outputs, wanted=options.outputs) or there(run.get("outputs_s3_urls"))


LANGSMITH: Final = Format(
    name="langsmith",
    title="LangSmith runs",
    detect=_detect,
    convert=_convert,
    fields={
        "timestamp": "start_time (no zone: UTC)",
        "latency_ms": "end_time − start_time",
        "ttft_ms": "first_token_time − start_time, or the first new_token event; runs of type llm",
        "trace_id": "trace_id, or the head of dotted_order",
        "span_id": "id",
        "parent_span_id": "parent_run_id, or dotted_order",
        "session_id": "extra.metadata.session_id, .thread_id (session_id is the project)",
        "user_id": "extra.metadata.user_id",
        "service": "session_name: the project",
        "release": "extra.metadata.revision_id",
        "provider": "extra.metadata.ls_provider",
        "request_model": "extra.metadata.ls_model_name",
        "response_model": "outputs.model, outputs.llm_output.model_name",
        "input_tokens": "prompt_tokens, outputs.usage_metadata.input_tokens (cached ones included)",
        "output_tokens": "completion_tokens, outputs.usage_metadata.output_tokens",
        "cost_usd": "total_cost, of runs of type llm",
        "status": "status, error",
        "error_type": "the exception that error begins with",
        "tool_calls": "runs of type tool",
        "retrieval": "runs of type retriever, outputs.documents",
        "evaluations": "feedback_stats",
        "output": "outputs of runs of type llm; not what outputs_s3_urls points to",
    },
    lacks=("guardrails", "scores of retrieved documents", "what retention and sampling dropped"),
    notes=(
        Note(
            "I030",
            "LangSmith keeps traces with feedback longer than others, and samples in the client: "
            "an older export leans towards them",
            "export soon after the period; say what was sampled with --sampling-rate",
        ),
    ),
)
