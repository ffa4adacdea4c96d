"""The price book: prices of one's own first, then the public list; each by its dates."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from gonogo.config.model import OwnPrice, Prices
from gonogo.pricing import listed
from gonogo.pricing.rates import LARGEST_RATE, PICO_PER_DOLLAR_A_MILLION, Rates, Why, filled
from gonogo.records import TIERS

Ints = NDArray[np.int64]
_Key = tuple[str | None, str, str]
"""Provider, model and tier of service."""
Found = tuple[Rates | None, Why, bool]
"""The price, why there is none, and whether it is one's own."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The prices of one model at one provider.

    `name` is what the price list calls it; `own` are the entries of [prices] that match it; `tier`
    is one of records.TIERS.
    """

    name: str
    tier: str
    own: tuple[OwnPrice, ...]
    entry: listed.Listed | None
    changes: tuple[int, ...]

    @property
    def daily(self) -> bool:
        """Whether the price depends on the time of day."""
        return self.entry is not None and self.entry.daily


@dataclass(slots=True)
class Book:
    """All prices of a run. Prices get numbers as they are met; `rates[number]` is one of them."""

    prices: Prices = field(default_factory=Prices)
    rates: list[Rates] = field(default_factory=list)
    own_numbers: set[int] = field(default_factory=set)
    last: dict[_Key, int] = field(default_factory=dict)
    """the last moment (epoch seconds) that each price was asked for"""
    _numbers: dict[tuple[Rates, bool], int] = field(default_factory=dict)
    _quotes: dict[_Key, Quote] = field(default_factory=dict)
    _known: dict[tuple[_Key, int], int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def quote(self, provider: str | None, model: str, tier: str = TIERS[0]) -> Quote:
        """What is known about a model at a tier of service."""
        key = (provider, model, tier)
        if key not in self._quotes:
            own = tuple(
                p
                for p in self.prices.models
                if _matches(p, provider, model) and p.tier in (None, tier)
            )
            entry = listed.find(provider, model) if self.prices.public_list else None
            ends = [e for p in own for e in (p.start, p.end) if e is not None]
            changes = {*ends, *(entry.changes if entry else ())}
            name = entry.name if entry else f"{provider or 'any'}:{model}"
            self._quotes[key] = Quote(name, tier, own, entry, tuple(sorted(changes)))
        return self._quotes[key]

    def numbers(
        self,
        provider: str | None,
        model: str,
        starts: Sequence[int | None],
        tier: str = TIERS[0],
    ) -> Ints:
        """For each time (epoch seconds, ascending or None) the number of its price, or -why.

        Prices are those in force at the call's own time; one without a time has a price only where
        the price has never changed.
        """
        with self._lock:
            quote = self.quote(provider, model, tier)
            key = (provider, model, tier)
            dated = [start for start in starts if start is not None]
            self.last[key] = max([self.last.get(key, 0), *dated])
            found = [self._number(key, quote, start) for start in starts]
        return np.array(found, dtype=np.int64)

    def at(
        self, provider: str | None, model: str, epoch: int | None, tier: str = TIERS[0]
    ) -> Rates | None:
        """The price of a model at a time, or None."""
        with self._lock:
            quote = self.quote(provider, model, tier)
            number = self._number((provider, model, tier), quote, epoch)
        return self.rates[number] if number >= 0 else None

    def _number(self, model: _Key, quote: Quote, start: int | None) -> int:
        if start is None:
            if quote.changes or quote.daily:
                return -Why.UNDATED
            start = 0
        # Between two changes the price is the same: one answer for each such span.
        span = start if quote.daily else bisect_right(quote.changes, start)
        key = (model, span)
        if key not in self._known:
            rates, why, own = self._find(quote, start)
            if rates is None:
                self._known[key] = -why
            else:
                known = (rates, own)
                if known not in self._numbers:
                    self._numbers[known] = len(self.rates)
                    self.rates.append(rates)
                    if own:
                        self.own_numbers.add(self._numbers[known])
                self._known[key] = self._numbers[known]
        return self._known[key]

    def _find(self, quote: Quote, epoch: int) -> Found:
        active = [
            p
            for p in quote.own
            if (p.start is None or p.start <= epoch) and (p.end is None or epoch < p.end)
        ]
        best = max((_weight(p) for p in active), default=None)
        chosen = [p for p in active if _weight(p) == best]
        if len(chosen) > 1:
            return None, Why.AMBIGUOUS, True
        of_list = quote.entry.at(epoch) if quote.entry else None
        share = quote.entry.share(quote.tier) if quote.entry else None
        untiered = of_list is not None and share is None
        of_list = None if of_list is None or share is None else of_list.discounted(1 - share)
        if chosen:
            price = chosen[0]
            if price.rates:
                return _own(price), Why.PRICED, True
            if of_list is not None:
                return of_list.discounted(price.discount), Why.PRICED, True
        if untiered:
            return None, Why.NO_TIER, False
        if of_list is None:
            return None, Why.NOT_COVERED if quote.entry else Why.UNKNOWN_MODEL, False
        discount = self.prices.discount
        return (of_list.discounted(discount) if discount else of_list), Why.PRICED, bool(discount)


def _matches(price: OwnPrice, provider: str | None, model: str) -> bool:
    if not fnmatchcase(model.lower(), price.model.lower()):
        return False
    if price.provider is None:
        return True
    return provider is not None and fnmatchcase(provider.lower(), price.provider.lower())


def _weight(price: OwnPrice) -> tuple[bool, int, bool, int, bool]:
    """The more exactly a price names a model, the more it weighs."""

    def literal(pattern: str | None) -> int:
        return sum(c not in "*?[]" for c in pattern or "")

    exact = not set(price.model) & set("*?[")
    named = (price.provider is not None, literal(price.provider), price.tier is not None)
    return exact, literal(price.model), *named


def _own(price: OwnPrice) -> Rates:
    rates = {
        bucket: min(LARGEST_RATE, round(dollars * PICO_PER_DOLLAR_A_MILLION * (1 - price.discount)))
        for bucket, dollars in price.rates.items()
        if bucket != "per_call"
    }
    each = price.rates.get("per_call")
    per_call = 0 if each is None else round(each * 10**12 * (1 - price.discount))
    if not rates:  # a price for each call alone, whatever its tokens
        rates = {"input": 0, "output": 0}
    return Rates(((-1, filled(rates)),), per_call)
