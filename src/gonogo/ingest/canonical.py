"""Decoded columns to the canonical records (records.md gives the rules, field by field)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.ingest import classes
from gonogo.ingest.access import LONGEST_US, Reader, Tally, classify
from gonogo.ingest.fields import (
    ACTION_FIELDS,
    CHILDREN,
    EMBEDDING_OPERATIONS,
    GUARD_OPERATIONS,
    GUARDRAIL_FIELDS,
    LINE_FIELDS,
    NOT_CALL_OPERATIONS,
    RETRIEVAL_FIELDS,
    RETRIEVAL_OPERATIONS,
    TOOL_FIELDS,
    Child,
    Field,
    own_containers,
)
from gonogo.ingest.times import to_epoch_us
from gonogo.ingest.usage import MODALITIES, in_dollars, weights, with_cached
from gonogo.records import (
    ACTION_SCHEMA,
    CHUNK_SCHEMA,
    ERROR_CLASSES,
    GUARDRAIL_SCHEMA,
    HIT_EXPECTED,
    HIT_FLAGGED,
    HIT_NOT_EMPTY,
    LINE_SCHEMA,
    MISSING,
    NO,
    NO_ERROR_CLASS,
    NO_TIME,
    RETRIEVAL_SCHEMA,
    TOOL_SCHEMA,
    UNKNOWN_FLAG,
    YES,
    Block,
    Dictionaries,
)
from gonogo.stats.hashing import stable_hash

_seed = secrets.randbits(63)
"""Ids are compared by a hash whose seed nobody outside knows: no collision is made to order."""

_LINE: Final = {f.name: f for f in LINE_FIELDS}
_RETRIEVAL: Final = {f.name: f for f in RETRIEVAL_FIELDS}
_TOOL: Final = {f.name: f for f in TOOL_FIELDS}
_GUARDRAIL: Final = {f.name: f for f in GUARDRAIL_FIELDS}
_ACTION: Final = {f.name: f for f in ACTION_FIELDS}
_TEXT_DIMENSIONS: Final = (
    "service",
    "environment",
    "release",
    "prompt_version",
    "operation",
    "provider",
    "tenant_id",
)
_FLOAT_EXACT: Final = 1e15


def canonicalise(
    frame: pl.DataFrame,
    position: NDArray[np.uint64],
    dictionaries: Dictionaries,
    tally: Tally,
    mapping: Mapping[str, str],
    *,
    keep_ids: bool,
) -> Block:
    """Canonical block of decoded lines; what could not be read is added to `tally`."""
    read = Reader(frame, tally, mapping)
    retrievals, chunks = _retrievals(frame, dictionaries, tally, mapping)
    tools = _tool_calls(frame, dictionaries, tally, mapping)
    guardrails = _guardrails(frame, dictionaries, tally, mapping)
    trace, span = read.texts(_LINE["trace_id"]), read.texts(_LINE["span_id"])
    actions = _actions(frame, dictionaries, tally, mapping)
    lines = _lines(read, _has_child(frame, mapping), trace, span, dictionaries, tally)
    retrievals = _line_is_retrieval(retrievals, lines, read)
    ids = pl.DataFrame({"trace_id": trace, "span_id": span}) if keep_ids else None
    return Block(position, lines, retrievals, chunks, tools, guardrails, actions, ids)


def hash_seed() -> int:
    """The seed of this run's hashes of ids: one run in several processes has one."""
    return _seed


def share_seed(seed: int) -> None:
    """Take part in the run whose seed it is; to be called before anything is read."""
    global _seed  # noqa: PLW0603
    _seed = seed


def id_hash(texts: pl.Series) -> pl.Series:
    """Hash of an id for this run; 0 where there is none."""
    hashes = texts.hash(_seed)
    known = (texts.str.len_bytes() > 0).fill_null(False)
    return hashes.set(~known, 0).fill_null(0).cast(pl.UInt64)


def _lines(
    read: Reader,
    has_child: NDArray[np.bool_],
    trace: pl.Series,
    span: pl.Series,
    dictionaries: Dictionaries,
    tally: Tally,
) -> pl.DataFrame:
    operation = read.texts(_LINE["operation"])
    status = read.classes(_LINE["status"], classes.status_class, classes.STATUS_MISSING)
    failed, blocked, error_class = _outcome(read, status)
    start = _times(read, "start_time", tally)
    duration = _duration(read, start, tally)
    streamed = read.flags(_LINE["streamed"])
    ttft = read.durations(_LINE["ttft"])
    late = (ttft > duration) & (duration != MISSING) | (ttft == 0)
    if late.any():
        tally["I017", "ttft"] += int(late.sum())
    ttft = np.where(late | (streamed == NO), MISSING, ttft)
    tokens = {
        name: read.counts(_LINE[name])
        for name in (
            "input_tokens",
            "output_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
            "reasoning_tokens",
            "audio_input_tokens",
            "image_input_tokens",
            "audio_output_tokens",
            "cache_write_1h_tokens",
        )
    }
    tokens["input_tokens"] = with_cached(read, tokens)
    cost = in_dollars(read, read.scaled(_LINE["cost_usd"], 1e9))
    has_output = read.presence(_LINE["output"])
    served, asked = read.texts(_LINE["response_model"]), read.texts(_LINE["request_model"])
    model = served.zip_with((served.str.len_bytes() > 0).fill_null(False), asked)
    models = dictionaries.dimensions["model"].encode(model)
    finish = dictionaries.finish_reason.encode(read.texts(_LINE["finish_reason"]))
    callish = (
        (models != 0).to_numpy()
        | (duration != MISSING)
        | (ttft != MISSING)
        | (finish != 0).to_numpy()
        | has_output
        | (cost != MISSING)
    )
    for values in tokens.values():
        callish |= values != MISSING
    is_call = (callish | ~has_child) & (classify(operation, _not_call, NO) == NO)
    told = read.flags(_LINE["is_call"])
    is_call = np.where(told == UNKNOWN_FLAG, is_call, told == YES)
    retries = read.counts(_LINE["retries"])
    columns: dict[str, object] = {
        "start_us": start,
        "trace_hash": id_hash(trace),
        "span_hash": id_hash(span),
        "parent_hash": id_hash(read.texts(_LINE["parent_span_id"])),
        "request_hash": stable_hash(trace),
        "session_hash": _stable(read, "session_id"),
        "user_hash": _stable(read, "user_id"),
        "model": models,
        "finish_reason": finish,
        "is_call": is_call,
        "is_span": read.flags(_LINE["is_span"]) == YES,
        "is_embedding": classify(operation, _is_embedding, NO) == YES,
        "is_guard": classify(operation, _is_guard, NO) == YES,
        "is_blocked": blocked,
        "has_output": has_output,
        "failed": failed,
        "error_class": error_class,
        "streamed": streamed,
        "cache_hit": read.flags(_LINE["cache_hit"]),
        "retried": np.where(retries == MISSING, UNKNOWN_FLAG, retries > 0).astype(np.uint8),
        "duration_us": duration,
        "ttft_us": ttft,
        "cost_nano_usd": cost,
        "input_hash": _stable(read, "input_hash"),
        "updated_us": _times(read, "updated", tally),
        "service_tier": read.classes(_LINE["service_tier"], classes.service_tier, 0),
        "weight_milli": weights(read),
        **tokens,
    }
    for name in _TEXT_DIMENSIONS:
        columns[name] = dictionaries.dimensions[name].encode(read.texts(_LINE[name]))
    for name in MODALITIES:
        # Four bytes are enough for what one call can hold.
        columns[name] = np.minimum(tokens[name], 2**31 - 1).astype(np.int32)
    return pl.DataFrame({name: columns[name] for name in LINE_SCHEMA}, schema=LINE_SCHEMA)


def _stable(read: Reader, name: str) -> NDArray[np.uint64]:
    return stable_hash(read.texts(_LINE[name]))


def _times(read: Reader, name: str, tally: Tally) -> NDArray[np.int64]:
    out = np.full(read.height, NO_TIME, dtype=np.int64)
    for _, series in read.sources(_LINE[name]):
        found, naive, unread = to_epoch_us(series)
        out = np.where(out == NO_TIME, found, out)
        if naive:
            tally["I018", name] += naive
        if unread:
            tally["I015", name] += unread
    return out


def _duration(read: Reader, start: NDArray[np.int64], tally: Tally) -> NDArray[np.int64]:
    logged = read.durations(_LINE["duration"])
    if not read.has(_LINE["end_time"]):
        return logged
    end = _times(read, "end_time", tally)
    both = (start != NO_TIME) & (end != NO_TIME)
    backwards = both & (end < start)
    endless = both & (end - start > LONGEST_US)
    for code, odd in (("I016", backwards), ("I015", endless)):
        if odd.any():
            tally[code, "end_time"] += int(odd.sum())
    # End minus start is what was measured; a logged duration stands in where one is missing.
    odd = backwards | endless
    return np.where(both & ~odd, end - start, np.where(odd, MISSING, logged))


def _outcome(
    read: Reader, status: NDArray[np.uint8], fields: Mapping[str, Field] = _LINE
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.uint8]]:
    """(failed, blocked, error class) from status, ok flag and error type."""
    ok = read.flags(fields["ok"])
    error = read.texts(fields["error_type"])
    # `error` may be a flag: false says that there was none.
    none = error.str.to_lowercase().is_in(["false", "0", "none"]).fill_null(False).to_numpy()
    has_error = (error.str.len_bytes() > 0).fill_null(False).to_numpy() & ~none
    blocked = status == classes.BLOCKED
    failed = np.full(read.height, UNKNOWN_FLAG, dtype=np.uint8)
    failed[(status == classes.OK) | blocked | (ok == YES) | none] = NO
    failed[((status == classes.FAILED) | (ok == NO) | has_error) & ~blocked] = YES
    by_error = classify(error, classes.error_class, NO_ERROR_CLASS)
    by_status = read.classes(fields["status"], classes.error_class, NO_ERROR_CLASS)
    other = len(ERROR_CLASSES) - 1
    by_error = np.where(has_error, by_error, NO_ERROR_CLASS)
    found = np.where(by_error != NO_ERROR_CLASS, by_error, by_status)
    found = np.where(found == NO_ERROR_CLASS, other, found)
    kind = np.where(failed == YES, found, NO_ERROR_CLASS).astype(np.uint8)
    return failed, blocked, kind


def _has_child(frame: pl.DataFrame, mapping: Mapping[str, str]) -> NDArray[np.bool_]:
    out = np.zeros(frame.height, dtype=bool)
    for child in CHILDREN:
        for name in (*child.names, *own_containers(mapping, child)):
            if name in frame.columns:
                out |= _filled(frame[name]).to_numpy()
    return out


def _filled(series: pl.Series) -> pl.Series:
    if isinstance(series.dtype, pl.List):
        return (series.list.len() > 0).fill_null(False)
    return series.is_not_null()


def _children(
    frame: pl.DataFrame, child: Child, tally: Tally, mapping: Mapping[str, str]
) -> list[tuple[NDArray[np.uint32], Reader]]:
    """(row of the parent, fields) for each column that holds such children."""
    found = []
    own = own_containers(mapping, child)
    for name in {**dict.fromkeys(own), **dict.fromkeys(child.names)}:
        if name not in frame.columns:
            continue
        series = frame[name]
        rows = np.arange(frame.height, dtype=np.uint32)
        if isinstance(series.dtype, pl.List):
            lengths = series.list.len().fill_null(0).to_numpy()
            rows = np.repeat(rows, lengths)
            series = series.filter(pl.Series(lengths > 0)).explode()
        if not isinstance(series.dtype, pl.Struct):
            odd = series.len() - series.null_count()
            if odd:
                tally["I014", name] += odd
            continue
        there = series.is_not_null().to_numpy()
        if not there.all():
            series, rows = series.filter(pl.Series(there)), rows[there]
        if len(series):
            prefix = f"{child.names[0]}."
            found.append((rows, Reader(series.struct.unnest(), tally, own.get(name), prefix)))
    return found


_CHILD: Final = {child.table: child for child in CHILDREN}


def _frame(columns: Sequence[pl.DataFrame], schema: Mapping[str, object]) -> pl.DataFrame:
    return pl.concat(columns) if columns else pl.DataFrame(schema=dict(schema))  # type: ignore[arg-type]


def _retrievals(
    frame: pl.DataFrame, dictionaries: Dictionaries, tally: Tally, mapping: Mapping[str, str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows_out, chunks_out = [], []
    for rows, read in _children(frame, _CHILD["retrievals"], tally, mapping):
        status = read.classes(_RETRIEVAL["status"], classes.status_class, classes.STATUS_MISSING)
        failed = _outcome(read, status, _RETRIEVAL)[0] == YES
        ids = read.lists(_RETRIEVAL["chunk_ids"])
        n_ids = ids.list.len().cast(pl.Int64).fill_null(MISSING).to_numpy()
        n_chunks = np.where(n_ids != MISSING, n_ids, read.counts(_RETRIEVAL["n_chunks"]))
        expected, found = _recall(read.lists(_RETRIEVAL["expected_ids"]), ids)
        hit, hit_by = _hit(read.flags(_RETRIEVAL["hit"]), n_chunks, expected, found, failed)
        scores = read.lists(_RETRIEVAL["scores"])
        top = _top_score(scores)
        lengths = np.maximum(n_ids, 0)
        flat = ids.filter(pl.Series(lengths > 0)).explode()
        chunks = pl.DataFrame(
            {
                "row": np.repeat(rows, lengths),
                "chunk": dictionaries.chunk.encode(flat.cast(pl.String)),
            },
            schema=CHUNK_SCHEMA,
        )
        has_ids = n_ids == 0
        has_ids[np.repeat(np.arange(len(rows)), lengths)[chunks["chunk"].to_numpy() != 0]] = True
        rows_out.append(
            pl.DataFrame(
                {
                    "row": rows,
                    "index_version": dictionaries.index_version.encode(
                        read.texts(_RETRIEVAL["index_version"])
                    ),
                    "embedding_model": dictionaries.embedding_model.encode(
                        read.texts(_RETRIEVAL["embedding_model"])
                    ),
                    "hit": hit,
                    "hit_by": hit_by,
                    "failed": failed,
                    "has_ids": has_ids,
                    "n_chunks": np.minimum(n_chunks, 2**31 - 1),
                    "top_score_micro": top,
                    "expected": expected,
                    "expected_found": found,
                    "duration_us": read.durations(_RETRIEVAL["duration"]),
                },
                schema=RETRIEVAL_SCHEMA,
            )
        )
        chunks_out.append(chunks.filter(pl.col("chunk") != 0))
    return _frame(rows_out, RETRIEVAL_SCHEMA), _frame(chunks_out, CHUNK_SCHEMA)


def _recall(expected: pl.Series, got: pl.Series) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """How many ids were expected, and how many of those were retrieved.

    0 where none were, and where what was retrieved is not known.
    """
    wanted = (expected.list.len() > 0).fill_null(False) & got.is_not_null()
    n_expected = np.zeros(len(expected), dtype=np.int32)
    n_found = np.zeros(len(expected), dtype=np.int32)
    if wanted.any():
        rows = pl.Series("row", np.flatnonzero(wanted.to_numpy()).astype(np.uint32))
        asked = pl.DataFrame({"row": rows, "id": expected.filter(wanted)}).explode("id")
        asked = asked.drop_nulls().unique()
        given = pl.DataFrame({"row": rows, "id": got.filter(wanted)}).explode("id")
        found = asked.join(given, on=["row", "id"], how="semi")
        n_expected[:] = np.bincount(asked["row"].to_numpy(), minlength=len(expected))
        n_found[:] = np.bincount(found["row"].to_numpy(), minlength=len(expected))
    return n_expected, n_found


def _hit(
    flag: NDArray[np.uint8],
    n_chunks: NDArray[np.int64],
    expected: NDArray[np.int32],
    found: NDArray[np.int32],
    failed: NDArray[np.bool_],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Hit by expectation, else by the logged flag, else by any chunk; a failed one is no hit."""
    hit = np.where(n_chunks == MISSING, UNKNOWN_FLAG, n_chunks > 0)
    by = np.where(n_chunks == MISSING, 0, HIT_NOT_EMPTY)
    hit, by = (
        np.where(flag != UNKNOWN_FLAG, flag, hit),
        np.where(flag != UNKNOWN_FLAG, HIT_FLAGGED, by),
    )
    hit, by = np.where(expected > 0, found > 0, hit), np.where(expected > 0, HIT_EXPECTED, by)
    return np.where(failed, NO, hit).astype(np.uint8), by.astype(np.uint8)


def _top_score(scores: pl.Series) -> NDArray[np.int64]:
    top = scores.cast(pl.List(pl.Float64), strict=False).list.max()
    usable = top.is_finite().fill_null(False) & (top.abs() < _FLOAT_EXACT / 1e6).fill_null(False)
    values = top.set(~usable, None)
    return np.rint(
        values.fill_null(np.nan).to_numpy() * 1e6,
        where=usable.to_numpy(),
        out=np.full(len(top), float(NO_TIME)),
    ).astype(np.int64)


def _line_is_retrieval(retrievals: pl.DataFrame, lines: pl.DataFrame, read: Reader) -> pl.DataFrame:
    """On a line that is itself a retrieval, the line's duration and failure are the retrieval's."""
    if not retrievals.height:
        return retrievals
    operation = classify(read.texts(_LINE["operation"]), _is_retrieval, NO) == YES
    rows = retrievals["row"].to_numpy()
    own = operation[rows] | ~lines["is_call"].to_numpy()[rows]
    if not own.any():
        return retrievals
    duration = retrievals["duration_us"].to_numpy()
    failed = retrievals["failed"].to_numpy() | own & (lines["failed"].to_numpy()[rows] == YES)
    inherit = own & operation[rows] & (duration == MISSING)
    return retrievals.with_columns(
        pl.Series(
            "duration_us", np.where(inherit, lines["duration_us"].to_numpy()[rows], duration)
        ),
        pl.Series("failed", failed),
        pl.Series("hit", np.where(failed, NO, retrievals["hit"].to_numpy()).astype(np.uint8)),
    )


def _tool_calls(
    frame: pl.DataFrame, dictionaries: Dictionaries, tally: Tally, mapping: Mapping[str, str]
) -> pl.DataFrame:
    out = []
    for rows, read in _children(frame, _CHILD["tool_calls"], tally, mapping):
        status = read.classes(_TOOL["status"], classes.status_class, classes.STATUS_MISSING)
        failed = _outcome(read, status, _TOOL)[0]
        timed_out = (
            (read.flags(_TOOL["timed_out"]) == YES)
            | (read.classes(_TOOL["status"], classes.is_timeout, NO) == YES)
            | (read.classes(_TOOL["error_type"], classes.is_timeout, NO) == YES)
        )
        out.append(
            pl.DataFrame(
                {
                    "row": rows,
                    "tool": dictionaries.tool.encode(read.texts(_TOOL["name"])),
                    "failed": np.where(timed_out, YES, failed).astype(np.uint8),
                    "timed_out": timed_out,
                    "arguments_valid": read.flags(_TOOL["arguments_valid"]),
                    "fallback": read.flags(_TOOL["fallback"]),
                    "has_input": read.presence(_TOOL["input"]),
                    "has_output": read.presence(_TOOL["output"]),
                    "duration_us": read.durations(_TOOL["duration"]),
                },
                schema=TOOL_SCHEMA,
            )
        )
    return _frame(out, TOOL_SCHEMA)


def _guardrails(
    frame: pl.DataFrame, dictionaries: Dictionaries, tally: Tally, mapping: Mapping[str, str]
) -> pl.DataFrame:
    out = []
    for rows, read in _children(frame, _CHILD["guardrails"], tally, mapping):
        out.append(
            pl.DataFrame(
                {
                    "row": rows,
                    "name": dictionaries.guardrail.encode(read.texts(_GUARDRAIL["name"])),
                    "stage": dictionaries.stage.encode(read.texts(_GUARDRAIL["stage"])),
                    "triggered": read.flags(_GUARDRAIL["triggered"]),
                    "blocked": read.classes(_GUARDRAIL["action"], classes.is_blocking, NO) == YES,
                    "bypassed": read.flags(_GUARDRAIL["bypassed"]) == YES,
                    "duration_us": read.durations(_GUARDRAIL["duration"]),
                    "cost_nano_usd": read.scaled(_GUARDRAIL["cost_usd"], 1e9),
                },
                schema=GUARDRAIL_SCHEMA,
            )
        )
    return _frame(out, GUARDRAIL_SCHEMA)


def _actions(
    frame: pl.DataFrame, dictionaries: Dictionaries, tally: Tally, mapping: Mapping[str, str]
) -> pl.DataFrame:
    out = []
    for rows, read in _children(frame, _CHILD["actions"], tally, mapping):
        tier = read.counts(_ACTION["tier"])
        out.append(
            pl.DataFrame(
                {
                    "row": rows,
                    "action": dictionaries.action.encode(read.texts(_ACTION["name"])),
                    "tier": np.where((tier >= 1) & (tier <= 3), tier, 0).astype(np.uint8),
                    "review": read.classes(_ACTION["review"], classes.review, 0),
                    "duration_us": read.durations(_ACTION["duration"]),
                },
                schema=ACTION_SCHEMA,
            )
        )
    return _frame(out, ACTION_SCHEMA)


def _not_call(text: str) -> int:
    return YES if text.strip().lower() in NOT_CALL_OPERATIONS else NO


def _is_embedding(text: str) -> int:
    return YES if text.strip().lower() in EMBEDDING_OPERATIONS else NO


def _is_guard(text: str) -> int:
    return YES if text.strip().lower() in GUARD_OPERATIONS else NO


def _is_retrieval(text: str) -> int:
    return YES if text.strip().lower() in RETRIEVAL_OPERATIONS else NO
