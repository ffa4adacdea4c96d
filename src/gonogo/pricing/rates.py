"""Rates of one price: integer pico-dollars for each token of a bucket.

$1 per million tokens is 1,000,000 pico-dollars a token, so every published price is a whole number.
The buckets are disjoint: a token is charged in exactly one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from typing import Final

BUCKETS: Final = (
    "input",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "audio_input",
    "image_input",
    "output",
    "reasoning",
    "audio_output",
)
"""Fresh input, input read from and written to the provider's cache, and so on."""

FALLBACK: Final = {
    "cache_read": "input",
    "cache_write": "input",
    "cache_write_1h": "cache_write",
    "audio_input": "input",
    "image_input": "input",
    "reasoning": "output",
    "audio_output": "output",
}
"""What a bucket costs where the price list names no price of its own for it."""

PICO_PER_DOLLAR_A_MILLION: Final = 10**6
LARGEST_RATE: Final = 10**10
"""$10,000 per million tokens: beyond it sums of a call could outgrow 64 bits."""

LARGEST_CALL: Final = 10**8
"""Tokens; no model reads or writes as many in one call, so a larger count is a mistake."""

NO_RATE: Final = -1


class Why(IntEnum):
    """Why a call has no price; PRICED where it has one."""

    PRICED = 0
    NO_MODEL = 1
    UNKNOWN_MODEL = 2
    NO_TOKENS = 3
    ABSURD = 4
    UNDATED = 5
    NOT_COVERED = 6
    AMBIGUOUS = 7
    NO_TIER = 8


REASONS: Final = {
    Why.NO_MODEL: "no model is logged",
    Why.UNKNOWN_MODEL: "no price is known for the model",
    Why.NO_TOKENS: "token counts are missing",
    Why.ABSURD: "a token count no model could reach, or counts that contradict each other",
    Why.UNDATED: "no time is logged, and the model's price has changed",
    Why.NOT_COVERED: "the price has no rate for some of the tokens",
    Why.AMBIGUOUS: "two prices in [prices] match the model equally well",
    Why.NO_TIER: "no price is known for the call's tier of service",
}


@dataclass(frozen=True, slots=True)
class Rates:
    """One price. `tiers` is (most input tokens it applies over, rates by bucket), ascending.

    The first tier starts at -1. A tier's rates apply to all tokens of a call whose input exceeds
    its start, as the providers bill long contexts. `per_call` is pico-dollars.
    """

    tiers: tuple[tuple[int, tuple[int, ...]], ...]
    per_call: int = 0

    def discounted(self, share: Fraction) -> Rates:
        """The same price less a share."""

        def less(rate: int) -> int:
            return rate if rate == NO_RATE else round(rate * (1 - share))

        tiers = tuple((start, tuple(map(less, rates))) for start, rates in self.tiers)
        return Rates(tiers, less(self.per_call))


def filled(found: dict[str, int]) -> tuple[int, ...]:
    """Rates in the order of BUCKETS; a bucket without its own takes that of its fallback."""

    def rate(name: str) -> int:
        if name in found:
            return found[name]
        return rate(FALLBACK[name]) if name in FALLBACK else NO_RATE

    return tuple(rate(name) for name in BUCKETS)
