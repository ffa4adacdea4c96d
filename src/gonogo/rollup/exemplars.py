"""Traces worth opening, chosen by a stated rule that does not depend on how files are split."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.records import ERROR_CLASSES, MISSING, NO, NO_TIME, YES, Dictionaries
from gonogo.rollup.context import Context, Mask
from gonogo.rollup.counting import Ints
from gonogo.rollup.partial import EXEMPLAR_SCHEMA, kept_of
from gonogo.stats.hashing import mix

RULES: Final = {
    "slowest": "longest duration",
    "failed": "failed calls, drawn by a hash of their content",
    "blocked": "calls that a guardrail blocked, drawn by a hash of their content",
    "dearest": "highest cost",
    "control": "a successful call, drawn by a hash of its content",
    "dearest_request": "highest cost of the calls of one trace together",
}
_CANDIDATES: Final = 8
_MOST_TIED: Final = 1000
"""Calls of a block that are alike in all that the rules look at, whose ids then decide."""
_COLUMNS: Final = (
    "start_us",
    "model",
    "operation",
    "release",
    "duration_us",
    "cost_nano_usd",
    "error_class",
)


def candidates(
    ctx: Context, part: int, witnesses: Mapping[str, Mask] | None = None
) -> pl.DataFrame:
    """The best few of a block for each kind: codes, the part and the row in it.

    `witnesses` are further kinds and the lines that are one.
    """
    calls = ctx.calls
    ok = calls & (ctx["failed"] == NO) & ~ctx["is_blocked"].astype(bool)
    tie = mix(
        mix(ctx["start_us"].view(np.uint64))
        ^ ctx["duration_us"].view(np.uint64)
        ^ mix(ctx["input_tokens"].view(np.uint64))
        ^ ctx["output_tokens"].view(np.uint64)
    )
    chosen = {
        "slowest": _top(ctx.latency, ctx["duration_us"], tie),
        "failed": _drawn(calls & (ctx["failed"] == YES), tie),
        "blocked": _drawn(calls & ctx["is_blocked"].astype(bool), tie),
        "dearest": _top(calls & (ctx["cost_nano_usd"] > 0), ctx["cost_nano_usd"], tie),
        "control": _drawn(ok, tie),
        **{kind: _drawn(mask, tie) for kind, mask in (witnesses or {}).items()},
    }
    frames = []
    for kind, rows in chosen.items():
        score = {"slowest": ctx["duration_us"], "dearest": ctx["cost_nano_usd"]}.get(kind)
        frames.append(
            pl.DataFrame(
                {
                    "kind": pl.Series([kind], dtype=pl.String).new_from_index(0, len(rows)),
                    "score": score[rows]
                    if score is not None
                    else np.zeros(len(rows), dtype=np.int64),
                    "tie": tie[rows],
                    "part": np.full(len(rows), part, dtype=np.int64),
                    "row": ctx.row_in_block[rows],
                    **{name: ctx[name][rows].astype(np.int64) for name in _COLUMNS},
                    "calls": np.ones(len(rows), dtype=np.int64),
                }
            )
        )
    return pl.concat(frames)


def _top(where: Mask, values: Ints, tie: NDArray[np.uint64]) -> Ints:
    rows = np.flatnonzero(where)
    if len(rows) > _CANDIDATES:
        limit = np.partition(values[rows], -_CANDIDATES)[-_CANDIDATES]
        above, level = rows[values[rows] > limit], rows[values[rows] == limit]
        rows = np.concatenate([above, _least(level, tie, _CANDIDATES - len(above))])
    return rows


def _drawn(where: Mask, tie: NDArray[np.uint64]) -> Ints:
    return _least(np.flatnonzero(where), tie, _CANDIDATES)


def _least(rows: Ints, tie: NDArray[np.uint64], number: int) -> Ints:
    """The rows of the smallest hashes, all those that share the last hash among them."""
    if len(rows) > number:
        limit = np.partition(tie[rows], number - 1)[number - 1]
        level = rows[tie[rows] == limit][:_MOST_TIED]
        rows = np.concatenate([rows[tie[rows] < limit], level])
    return rows


def choose(
    found: list[pl.DataFrame],
    fetch_ids: Callable[[int, list[int]], pl.DataFrame],
    dictionaries: Dictionaries,
    *,
    every_one: bool = False,
) -> pl.DataFrame:
    """The exemplars of a run, with their ids read from the log and their codes turned to texts.

    `every_one` keeps more of them than a run shows.
    """
    if not found:
        return pl.DataFrame(schema=EXEMPLAR_SCHEMA)
    every = pl.concat(found)
    kept = pl.concat(
        [
            _best(every.filter(pl.col("kind") == kind), number)
            for kind, number in kept_of(every["kind"].unique().to_list()).items()
        ]
    )
    kept = every if every_one else kept
    if not kept.height:
        return pl.DataFrame(schema=EXEMPLAR_SCHEMA)
    ids: dict[tuple[int, int], tuple[str | None, str | None]] = {}
    for (part,), rows in kept.group_by("part"):
        wanted = sorted(set(rows["row"].to_list()))
        texts = fetch_ids(int(str(part)), wanted)
        for row, trace, span in zip(wanted, texts["trace_id"], texts["span_id"], strict=True):
            ids[int(str(part)), row] = (trace, span)
    keys = list(zip(kept["part"].to_list(), kept["row"].to_list(), strict=True))
    texts_of = {
        name: pl.Series(dictionaries.dimensions[name].texts(), dtype=pl.String)
        for name in ("model", "operation", "release")
    }
    classes = {k: str(c) for k, c in enumerate(ERROR_CLASSES)}
    return kept.select(
        "kind",
        "score",
        "tie",
        pl.Series("trace_id", [ids[k][0] for k in keys], dtype=pl.String),
        pl.Series("span_id", [ids[k][1] for k in keys], dtype=pl.String),
        _unless("start_us", NO_TIME),
        *(texts_of[name].gather(kept[name]).alias(name) for name in texts_of),
        _unless("duration_us", MISSING),
        _unless("cost_nano_usd", MISSING),
        pl.col("error_class").replace_strict(classes, default=None, return_dtype=pl.String),
        "calls",
    )


def _best(rows: pl.DataFrame, number: int) -> pl.DataFrame:
    """The first `number` by score and hash, and all that tie with the last of them."""
    rank = pl.struct(-pl.col("score"), pl.col("tie")).rank("min")
    return rows.filter(rank <= number)


def _unless(name: str, missing: int) -> pl.Expr:
    return pl.when(pl.col(name) != missing).then(pl.col(name)).alias(name)
