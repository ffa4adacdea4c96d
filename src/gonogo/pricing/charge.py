"""The charge of each call: tokens in disjoint buckets times the rates of its price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gonogo.pricing.rates import BUCKETS, LARGEST_CALL, NO_RATE, Rates, Why
from gonogo.records import MISSING

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_PICO: Final = 1000
_INPUTS: Final = 6
"""The first of BUCKETS, which are parts of the input; the rest are parts of the output."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What calls cost by the price book. Arrays have one entry a call.

    `nano` is the whole charge in nano-dollars, MISSING where there is none; `parts` are the same
    by bucket (they add up to it, but for what is charged by the call) and `tokens` the tokens
    behind them, zero where there is no charge. `rates` are pico-dollars a token.
    """

    nano: Ints
    why: NDArray[np.uint8]
    parts: Ints
    tokens: Ints
    rates: Ints


def split(columns: Mapping[str, NDArray[Any]]) -> tuple[Ints, Mask]:
    """(tokens by bucket, shape (9, n); which rows add up).

    `input_tokens` holds cache reads and writes, audio and images; `output_tokens` holds reasoning
    and audio; the writes hold those for an hour. Where more reasoning is logged than output, the
    log keeps the two apart.
    """
    known = {k: np.maximum(columns[k], 0).astype(np.int64) for k in _SOURCES}
    read, hour = known["cache_read_tokens"], known["cache_write_1h_tokens"]
    write = np.maximum(known["cache_write_tokens"], hour)
    audio, image = known["audio_input_tokens"], known["image_input_tokens"]
    spoken, thought = known["audio_output_tokens"], known["reasoning_tokens"]
    fresh = known["input_tokens"] - read - write - audio - image
    output = known["output_tokens"]
    shown = np.where(thought > output, output, output - thought) - spoken
    tokens = np.stack([fresh, read, write - hour, hour, audio, image, shown, thought, spoken])
    sane = (tokens >= 0).all(axis=0) & (tokens <= LARGEST_CALL).all(axis=0)
    return tokens, np.asarray(sane)


_SOURCES: Final = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "audio_input_tokens",
    "image_input_tokens",
    "audio_output_tokens",
)


def charge(columns: Mapping[str, NDArray[Any]], number: Ints, book: Sequence[Rates]) -> Charge:
    """The charges of calls whose prices have these numbers (-why where there is none).

    A charge is rounded once, to the nano-dollar, half up; its parts are differences of rounded
    running sums, so that they add up to it exactly.
    """
    tokens, sane = split(columns)
    why = np.where(number < 0, -number, int(Why.PRICED)).astype(np.uint8)
    priced = number >= 0
    embedding = columns["is_embedding"].astype(bool)
    lacking = (columns["input_tokens"] == MISSING) | (
        (columns["output_tokens"] == MISSING) & ~embedding
    )
    # Whatever else is the matter: so the reason does not depend on the calls around this one.
    why[lacking & (why != Why.NO_MODEL)] = Why.NO_TOKENS
    why[priced & ~lacking & ~sane] = Why.ABSURD
    rates, per_call = _gathered(tokens, np.where(priced, number, 0), book)
    uncovered = ((rates == NO_RATE) & (tokens > 0)).any(axis=0)
    why[(why == Why.PRICED) & uncovered] = Why.NOT_COVERED
    good = why == Why.PRICED
    tokens = np.where(good, tokens, 0)
    rates = np.maximum(rates, 0)
    running = np.cumsum(tokens * rates, axis=0)
    rounded = (running + _PICO // 2) // _PICO
    parts = np.diff(rounded, axis=0, prepend=0)
    whole = (running[-1] + per_call + _PICO // 2) // _PICO
    return Charge(np.where(good, whole, MISSING), why, parts, tokens, rates)


def _gathered(tokens: Ints, number: Ints, book: Sequence[Rates]) -> tuple[Ints, Ints]:
    """Rates (9, n) and the amount for each call (n,), by price and by size of the input."""
    if not book:
        return np.zeros_like(tokens), np.zeros_like(number)
    depth = max(len(price.tiers) for price in book)
    unreachable = np.iinfo(np.int64).max
    starts = np.full((len(book), depth), unreachable, dtype=np.int64)
    table = np.zeros((len(book), depth, len(BUCKETS)), dtype=np.int64)
    for k, price in enumerate(book):
        for tier, (start, rates) in enumerate(price.tiers):
            starts[k, tier], table[k, tier] = start, rates
    per_call = np.array([price.per_call for price in book], dtype=np.int64)[number]
    place = number * depth
    if depth > 1:
        size = tokens[:_INPUTS].sum(axis=0)
        for tier in range(1, depth):
            place += size > starts[number, tier]
    flat = np.ascontiguousarray(table.reshape(-1, len(BUCKETS)).T)
    return flat[:, place], per_call
