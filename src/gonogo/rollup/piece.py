"""Pieces: what was counted of some whole traces, where the others are counted elsewhere.

Nearly everything of a partial adds up. What requests cost does not: beyond some number of them a
sample stands for all, and how large it may be only the whole shows. So a piece holds its requests
one by one, at most `requests.EXACT_UP_TO` of them, and they are summed up once all pieces are one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from gonogo.rollup import requests
from gonogo.rollup.partial import (
    EXEMPLAR_SCHEMA,
    FRAMES,
    Partial,
    keep_exemplars,
    merge,
)
from gonogo.stats.hashing import sampled


@dataclass(frozen=True, slots=True)
class Piece:
    """Counts of some traces; every line of a trace is in one piece."""

    partial: Partial
    """without what requests cost"""
    requests: pl.DataFrame
    level: int
    dearest: pl.DataFrame
    """exemplars of the dearest requests, at each level"""

    def whole(self) -> Partial:
        """The partial, if no other piece is to come."""
        found = requests.Requests.of([(self.requests, self.level)]).finish()
        drawn = sampled(self.dearest["tie"].to_numpy(), found.weight.bit_length() - 1)
        frames = dict(self.partial.frames)
        counters = sorted(found.counters().items())
        schema = FRAMES["counters"].schema
        more = {
            "counters": pl.DataFrame(counters, schema=schema, orient="row"),
            **{
                name: columns.with_columns(
                    metric=pl.lit(requests.METRIC),
                    dimension=pl.lit(""),
                    value=pl.lit(None),
                    start=pl.lit(None),
                )
                .cast(pl.Schema(FRAMES[name].schema))
                .select(list(FRAMES[name].schema))
                for name, columns in found.distribution().items()
            },
        }
        for name, frame in more.items():
            frames[name] = FRAMES[name].combine([frames[name], frame])
        return replace(
            self.partial,
            frames=frames,
            exemplars=keep_exemplars([self.partial.exemplars, self.dearest.filter(drawn)]),
        )


def join(pieces: Sequence[Piece]) -> Piece:
    """One piece of several."""
    states = [(piece.requests, piece.level) for piece in pieces]
    dearest = pl.concat([pl.DataFrame(schema=EXEMPLAR_SCHEMA), *(p.dearest for p in pieces)])
    found, level = requests.Requests.of(states).state()
    # Of two pieces the dearest of each level are among those of both.
    return Piece(merge([piece.partial for piece in pieces]), found, level, dearest)
