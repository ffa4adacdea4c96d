"""What a line holds several of, each as a table: retrievals, tool calls, guardrails,
actions, scores.

`row` in each of them is the row of the line in its block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.ingest import classes
from gonogo.ingest.access import Reader, Tally
from gonogo.ingest.fields import (
    ACTION_FIELDS,
    CHILDREN,
    EVALUATION_FIELDS,
    GUARDRAIL_FIELDS,
    RETRIEVAL_FIELDS,
    TOOL_FIELDS,
    Child,
    own_containers,
)
from gonogo.ingest.outcome import outcome
from gonogo.records import (
    ACTION_SCHEMA,
    CHUNK_SCHEMA,
    EVALUATION_SCHEMA,
    GUARDRAIL_SCHEMA,
    HIT_EXPECTED,
    HIT_FLAGGED,
    HIT_NOT_EMPTY,
    MISSING,
    NO,
    NO_SCORE,
    NO_TIME,
    RETRIEVAL_SCHEMA,
    TOOL_SCHEMA,
    UNKNOWN_FLAG,
    YES,
    Dictionaries,
)

_CHILD: Final = {child.table: child for child in CHILDREN}
_RETRIEVAL: Final = {f.name: f for f in RETRIEVAL_FIELDS}
_TOOL: Final = {f.name: f for f in TOOL_FIELDS}
_GUARDRAIL: Final = {f.name: f for f in GUARDRAIL_FIELDS}
_ACTION: Final = {f.name: f for f in ACTION_FIELDS}
_EVALUATION: Final = {f.name: f for f in EVALUATION_FIELDS}
LARGEST_SCORE: Final = 1e4
"""Millionths of such scores can be added over a thousand million calls."""
_FLOAT_EXACT: Final = 1e15


def there(frame: pl.DataFrame, mapping: Mapping[str, str]) -> NDArray[np.bool_]:
    """Whether a row of `frame` holds any child; shape (n,)."""
    out = np.zeros(frame.height, dtype=bool)
    held = set(frame.columns)
    for child in CHILDREN:
        for name in (*child.names, *own_containers(mapping, child)):
            if name in held:
                out |= _filled(frame[name]).to_numpy()
    return out


def retrievals(
    frame: pl.DataFrame, dictionaries: Dictionaries, tally: Tally, mapping: Mapping[str, str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(retrievals, their chunks): RETRIEVAL_SCHEMA and CHUNK_SCHEMA."""
    rows_out, chunks_out = [], []
    for rows, read in _children(frame, _CHILD["retrievals"], tally, mapping):
        status = read.classes(_RETRIEVAL["status"], classes.status_class, classes.STATUS_MISSING)
        failed = outcome(read, status, _RETRIEVAL)[0] == YES
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


def of_lines(
    retrievals: pl.DataFrame, lines: pl.DataFrame, is_retrieval: NDArray[np.bool_]
) -> pl.DataFrame:
    """Retrievals, of which those on a line that is itself one fail and last as their line does.

    `is_retrieval` says it of each row of `lines`.
    """
    rows = retrievals["row"].to_numpy()
    own = is_retrieval[rows] | ~lines["is_call"].to_numpy()[rows]
    if not own.any():
        return retrievals
    duration = retrievals["duration_us"].to_numpy()
    failed = retrievals["failed"].to_numpy() | own & (lines["failed"].to_numpy()[rows] == YES)
    inherit = own & is_retrieval[rows] & (duration == MISSING)
    return retrievals.with_columns(
        pl.Series(
            "duration_us", np.where(inherit, lines["duration_us"].to_numpy()[rows], duration)
        ),
        pl.Series("failed", failed),
        pl.Series("hit", np.where(failed, NO, retrievals["hit"].to_numpy()).astype(np.uint8)),
    )


def tool_calls(
    frame: pl.DataFrame, dictionaries: Dictionaries, tally: Tally, mapping: Mapping[str, str]
) -> pl.DataFrame:
    """Calls of tools: TOOL_SCHEMA."""
    out = []
    for rows, read in _children(frame, _CHILD["tool_calls"], tally, mapping):
        status = read.classes(_TOOL["status"], classes.status_class, classes.STATUS_MISSING)
        failed = outcome(read, status, _TOOL)[0]
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


def guardrails(
    frame: pl.DataFrame, dictionaries: Dictionaries, tally: Tally, mapping: Mapping[str, str]
) -> pl.DataFrame:
    """Checks of guardrails: GUARDRAIL_SCHEMA."""
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


def actions(
    frame: pl.DataFrame, dictionaries: Dictionaries, tally: Tally, mapping: Mapping[str, str]
) -> pl.DataFrame:
    """Actions and their review: ACTION_SCHEMA."""
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


def evaluations(
    frame: pl.DataFrame, dictionaries: Dictionaries, tally: Tally, mapping: Mapping[str, str]
) -> pl.DataFrame:
    """Scores that were given while the application ran: EVALUATION_SCHEMA."""
    out = []
    for rows, read in _children(frame, _CHILD["evaluations"], tally, mapping):
        score = read.numbers(_EVALUATION["score"], largest=LARGEST_SCORE)
        known = ~np.isnan(score)
        micro = np.full(read.height, NO_SCORE, dtype=np.int64)
        micro[known] = np.round(score[known] * 1e6).astype(np.int64)
        told = read.flags(_EVALUATION["passed"])
        by_label = read.classes(_EVALUATION["label"], classes.passed, UNKNOWN_FLAG)
        out.append(
            pl.DataFrame(
                {
                    "row": rows,
                    "evaluation": dictionaries.evaluation.encode(read.texts(_EVALUATION["name"])),
                    "score_micro": micro,
                    "passed": np.where(told == UNKNOWN_FLAG, by_label, told).astype(np.uint8),
                },
                schema=EVALUATION_SCHEMA,
            )
        )
    return _frame(out, EVALUATION_SCHEMA)


def _children(
    frame: pl.DataFrame, child: Child, tally: Tally, mapping: Mapping[str, str]
) -> list[tuple[NDArray[np.uint32], Reader]]:
    """(row of the parent, fields) for each column that holds such children."""
    found = []
    own = own_containers(mapping, child)
    held = set(frame.columns)
    for name in {**dict.fromkeys(own), **dict.fromkeys(child.names)}:
        if name not in held:
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


def _filled(series: pl.Series) -> pl.Series:
    if isinstance(series.dtype, pl.List):
        return (series.list.len() > 0).fill_null(False)
    return series.is_not_null()


def _frame(parts: Sequence[pl.DataFrame], schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)


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
