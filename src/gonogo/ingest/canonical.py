"""Decoded columns to the canonical records (records.md gives the rules, field by field)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.conventions import DIMENSIONS, WIDE_DIMENSIONS
from gonogo.ingest import children, classes
from gonogo.ingest.access import LONGEST_US, Reader, Tally, among
from gonogo.ingest.fields import (
    EMBEDDING_OPERATIONS,
    GUARD_OPERATIONS,
    LINE_FIELDS,
    NOT_CALL_OPERATIONS,
    RETRIEVAL_OPERATIONS,
)
from gonogo.ingest.outcome import outcome
from gonogo.ingest.times import to_epoch_us
from gonogo.ingest.usage import MODALITIES, in_dollars, weights, with_cached
from gonogo.records import (
    LINE_SCHEMA,
    MISSING,
    NO,
    NO_TIME,
    UNKNOWN_FLAG,
    YES,
    Block,
    Dictionaries,
)
from gonogo.stats.hashing import stable_hash

_seed = secrets.randbits(63)
"""Ids are compared by a hash whose seed nobody outside knows: no collision is made to order."""

_LINE: Final = {f.name: f for f in LINE_FIELDS}
# The model has two fields: which one was asked for, and which one answered.
_TEXT_DIMENSIONS: Final = tuple(d for d in (*DIMENSIONS, *WIDE_DIMENSIONS) if d != "model")


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
    retrievals, chunks = children.retrievals(frame, dictionaries, tally, mapping)
    tools = children.tool_calls(frame, dictionaries, tally, mapping)
    guardrails = children.guardrails(frame, dictionaries, tally, mapping)
    trace, span = read.texts(_LINE["trace_id"]), read.texts(_LINE["span_id"])
    actions = children.actions(frame, dictionaries, tally, mapping)
    scores = children.evaluations(frame, dictionaries, tally, mapping)
    lines = _lines(read, children.there(frame, mapping), trace, span, dictionaries, tally)
    if retrievals.height:
        own = among(read.texts(_LINE["operation"]), RETRIEVAL_OPERATIONS)
        retrievals = children.of_lines(retrievals, lines, own)
    ids = pl.DataFrame({"trace_id": trace, "span_id": span}) if keep_ids else None
    return Block(position, lines, retrievals, chunks, tools, guardrails, actions, scores, ids)


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
    failed, blocked, error_class = outcome(read, status, _LINE)
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
    is_call = (callish | ~has_child) & ~among(operation, NOT_CALL_OPERATIONS)
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
        "is_embedding": among(operation, EMBEDDING_OPERATIONS),
        "is_guard": among(operation, GUARD_OPERATIONS),
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
