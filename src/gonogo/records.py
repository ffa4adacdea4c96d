"""The canonical records: what every log, whatever its format, becomes before it is counted.

A `Block` holds some thousands of accepted lines. `lines` has one row per line; the child frames
point at it by `row`. Missing numbers are -1, missing codes 0, missing three-valued flags 2, missing
hashes 0: plain integers, so that counting needs no null handling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.conventions import DIMENSIONS, WIDE_DIMENSIONS, ErrorClass

MISSING: Final = -1
NO: Final = 0
YES: Final = 1
UNKNOWN_FLAG: Final = 2
NO_REQUEST: Final = 3
"""On a line that stands for no request, where others say whether theirs failed."""
HIT_EXPECTED: Final = 1
HIT_FLAGGED: Final = 2
HIT_NOT_EMPTY: Final = 3
ERROR_CLASSES: Final = tuple(ErrorClass)
NO_ERROR_CLASS: Final = 255

LINE_SCHEMA: Final[dict[str, type[pl.DataType] | pl.DataType]] = {
    "start_us": pl.Int64,  # epoch µs, UTC; NO_TIME where there is none
    "trace_hash": pl.UInt64,
    "span_hash": pl.UInt64,
    "parent_hash": pl.UInt64,
    "request_hash": pl.UInt64,  # of the trace id as well, but the same in every run
    "session_hash": pl.UInt64,
    "user_hash": pl.UInt64,
    **dict.fromkeys((*DIMENSIONS, *WIDE_DIMENSIONS), pl.UInt32),
    "finish_reason": pl.UInt32,
    "is_call": pl.Boolean,
    "is_span": pl.Boolean,  # of a tree in which a call around another one only repeats it
    "is_embedding": pl.Boolean,
    "is_guard": pl.Boolean,  # a guardrail's check, or what a check does to come to its finding
    "is_blocked": pl.Boolean,
    "has_output": pl.Boolean,
    "failed": pl.UInt8,  # NO, YES, UNKNOWN_FLAG
    "error_class": pl.UInt8,  # index into ERROR_CLASSES, 255 where not failed
    "streamed": pl.UInt8,
    "cache_hit": pl.UInt8,
    "retried": pl.UInt8,
    "duration_us": pl.Int64,
    "ttft_us": pl.Int64,
    "input_tokens": pl.Int64,
    "output_tokens": pl.Int64,
    "cache_read_tokens": pl.Int64,
    "cache_write_tokens": pl.Int64,
    "reasoning_tokens": pl.Int64,
    "audio_input_tokens": pl.Int32,
    "image_input_tokens": pl.Int32,
    "audio_output_tokens": pl.Int32,
    "cache_write_1h_tokens": pl.Int32,  # part of the cache writes
    "updated_us": pl.Int64,  # of a format that logs versions of a record; NO_TIME elsewhere
    "service_tier": pl.UInt8,  # index into TIERS
    "weight_milli": pl.Int64,  # calls that this one stands for after sampling, in thousandths
    "cost_nano_usd": pl.Int64,
    "input_hash": pl.UInt64,
}
RETRIEVAL_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "row": pl.UInt32,
    "index_version": pl.UInt32,
    "embedding_model": pl.UInt32,
    "hit": pl.UInt8,
    "hit_by": pl.UInt8,  # HIT_EXPECTED, HIT_FLAGGED, HIT_NOT_EMPTY, or 0 where unknown
    "failed": pl.Boolean,
    "has_ids": pl.Boolean,
    "n_chunks": pl.Int32,
    "top_score_micro": pl.Int64,
    "expected": pl.Int32,
    "expected_found": pl.Int32,
    "duration_us": pl.Int64,
}
CHUNK_SCHEMA: Final[dict[str, type[pl.DataType]]] = {"row": pl.UInt32, "chunk": pl.UInt32}
TOOL_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "row": pl.UInt32,
    "tool": pl.UInt32,
    "failed": pl.UInt8,
    "timed_out": pl.Boolean,
    "arguments_valid": pl.UInt8,
    "fallback": pl.UInt8,
    "has_input": pl.Boolean,
    "has_output": pl.Boolean,
    "duration_us": pl.Int64,
}
GUARDRAIL_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "row": pl.UInt32,
    "name": pl.UInt32,
    "stage": pl.UInt32,
    "triggered": pl.UInt8,
    "blocked": pl.Boolean,
    "bypassed": pl.Boolean,
    "duration_us": pl.Int64,
    "cost_nano_usd": pl.Int64,
}
ACTION_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "row": pl.UInt32,
    "action": pl.UInt32,
    "tier": pl.UInt8,  # 0 where it is not logged
    "review": pl.UInt8,  # index into REVIEWS
    "duration_us": pl.Int64,
}
EVALUATION_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "row": pl.UInt32,
    "evaluation": pl.UInt32,
    "score_micro": pl.Int64,  # NO_SCORE where there is none: a score may be below zero
    "passed": pl.UInt8,  # NO, YES, UNKNOWN_FLAG
}
NO_SCORE: Final = -(2**62)
TIERS: Final = ("standard", "batch", "flex", "priority")
"""Of service: standard or not logged, two cheaper ones that wait, any other that costs more."""
REVIEWS: Final = ("unknown", "none", "approved", "rejected", "overridden", "pending", "afterwards")
"""What became of an action: not logged, no review, then what a reviewer did or has still to do."""

NO_TIME: Final = -(2**62)

VIOLATION_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "row": pl.UInt32,
    "constraint": pl.UInt8,  # its place in the configuration
    "by": pl.UInt8,  # index into BROKEN_BY
}
BROKEN_BY: Final = (
    "must_match", "must_not_match", "citation", "banned", "too_short", "too_long", "json",
    "json_schema", "email", "phone", "card", "iban", "national_id", "secret",
)  # fmt: skip
"""What breaks a constraint on outputs: a rule, or a kind of personal data that was found."""
NOT_LOGGED: Final = 0
LOOKED_AT: Final = 1
UNREAD: Final = 2
WORDLESS: Final = 3


@dataclass(frozen=True, slots=True)
class Outputs:
    """What was found in the outputs of a block, and nothing of their text.

    `state` has one entry a line: NOT_LOGGED, LOOKED_AT, UNREAD where a foreign log has an output
    that its adapter does not hand on, or WORDLESS where a model only calls tools. `violations` has
    a row (VIOLATION_SCHEMA) for each rule that an output breaks.
    """

    state: NDArray[np.uint8]
    violations: pl.DataFrame

    def bytes(self) -> int:
        """Room that it takes in memory."""
        return int(self.state.nbytes + self.violations.estimated_size())

    @staticmethod
    def join(parts: Sequence[Outputs | None], heights: Sequence[int]) -> Outputs | None:
        """Of consecutive blocks; None where none of them was looked at."""
        if all(part is None for part in parts):
            return None
        offsets = np.cumsum([0, *heights])[:-1].tolist()
        states = [
            np.zeros(height, np.uint8) if part is None else part.state
            for part, height in zip(parts, heights, strict=True)
        ]
        violations = [
            part.violations.with_columns((pl.col("row") + offset).cast(pl.UInt32))
            for part, offset in zip(parts, offsets, strict=True)
            if part is not None
        ]
        return Outputs(np.concatenate(states), pl.concat(violations))


@dataclass(frozen=True, slots=True)
class Block:
    """Canonical rows of consecutive lines; `position` is (file << 40 | line), ascending."""

    position: NDArray[np.uint64]
    lines: pl.DataFrame
    retrievals: pl.DataFrame
    chunks: pl.DataFrame
    tool_calls: pl.DataFrame
    guardrails: pl.DataFrame
    actions: pl.DataFrame
    evaluations: pl.DataFrame
    ids: pl.DataFrame | None
    """trace_id and span_id as logged, or None where they can be read again from the file"""
    outputs: Outputs | None = None
    """None where no constraint asks for what was answered"""


@dataclass(slots=True)
class Dictionary:
    """Texts of one family (models, tools, ...) to codes 1..n; code 0 stands for a missing text."""

    categories: pl.Categories = field(default_factory=pl.Categories.random)
    # Polars forgets the texts of a Categories once no series uses it.
    _anchor: pl.Series = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # The first text gets code 0, so the empty one is missing like null.
        self._anchor = pl.Series([""], dtype=pl.Categorical(self.categories))

    def encode(self, texts: pl.Series) -> pl.Series:
        """Codes (UInt32) of a String series; null and the empty text become 0."""
        codes = texts.cast(pl.Categorical(self.categories)).to_physical().cast(pl.UInt32)
        return codes.fill_null(0) if codes.null_count() else codes

    def series(self) -> pl.Series:
        """Text by code: entry 0 is null."""
        texts = self.categories.to_series()
        return texts.set(texts == "", None).rename("")

    def texts(self) -> list[str | None]:
        """The same as a list."""
        return self.series().to_list()


@dataclass(slots=True)
class Dictionaries:
    """All dictionaries of a run."""

    dimensions: dict[str, Dictionary] = field(
        default_factory=lambda: {name: Dictionary() for name in (*DIMENSIONS, *WIDE_DIMENSIONS)}
    )
    finish_reason: Dictionary = field(default_factory=Dictionary)
    tool: Dictionary = field(default_factory=Dictionary)
    guardrail: Dictionary = field(default_factory=Dictionary)
    stage: Dictionary = field(default_factory=Dictionary)
    action: Dictionary = field(default_factory=Dictionary)
    evaluation: Dictionary = field(default_factory=Dictionary)
    index_version: Dictionary = field(default_factory=Dictionary)
    embedding_model: Dictionary = field(default_factory=Dictionary)
    chunk: Dictionary = field(default_factory=Dictionary)

    def coded(self) -> dict[str, dict[str, Dictionary]]:
        """The columns of a block that hold codes, by frame."""
        return {
            "lines": {**self.dimensions, "finish_reason": self.finish_reason},
            "retrievals": {
                "index_version": self.index_version,
                "embedding_model": self.embedding_model,
            },
            "chunks": {"chunk": self.chunk},
            "tool_calls": {"tool": self.tool},
            "guardrails": {"name": self.guardrail, "stage": self.stage},
            "actions": {"action": self.action},
            "evaluations": {"evaluation": self.evaluation},
        }
