"""Whether the price book is another one than at the last build: prices in use, then and now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from gonogo import display
from gonogo.cost.parts import MOST, Row, made, value
from gonogo.pricing import BUCKETS, Book, Rates
from gonogo.pricing.listed import version
from gonogo.pricing.rates import NO_RATE
from gonogo.privacy import clean_label, scrub
from gonogo.results import Table

_VERSION: Final = 1
_NANO_A_MILLION: Final = 1000
"""Pico-dollars a token to nano-dollars a million tokens."""
_SHOWN: Final = ("input", "output")


def dumps(book: Book) -> str:
    """The prices that a run went by, each with the last moment that it was asked for, as JSON."""
    used = [
        {"provider": provider, "model": model, "tier": tier, "at": at,
         "price": _listed(book.at(provider, model, at, tier))}
        for (provider, model, tier), at in sorted(book.last.items(), key=str)
        if (scrub(model), scrub(provider or "")) == (model, provider or "")
    ]  # fmt: skip
    data = {"version": _VERSION, "list": version() if used else None, "prices": used}
    return json.dumps(data, indent=1, sort_keys=True) + "\n"


def _listed(rates: Rates | None) -> list[Any] | None:
    if rates is None:
        return None
    return [[[start, list(tier)] for start, tier in rates.tiers], rates.per_call]


def changes(book: Book, before: str | None) -> dict[str, Table]:
    """The table of prices that are not what `dumps` said before; none where nothing changed.

    A price that only began to hold since then is no change: each is looked up at the moment that it
    was asked for.
    """
    saved = _loaded(before)
    rows: list[Row] = []
    for entry in saved.get("prices", ()):
        try:
            now = book.at(entry["provider"], entry["model"], entry["at"], entry["tier"])
            then = entry["price"]
            if _listed(now) != then:
                rows.append(_row(entry, then, now))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            continue  # not what was written here: nothing is said about it
    shape = (
        value("model", "model", "text"),
        value("tier", "tier", "text"),
        value("input_then", "input, then", "nano_usd", "of a million tokens, at the last build"),
        value("input", "input, now", "nano_usd", "of a million tokens"),
        value("output_then", "output, then", "nano_usd", "of a million tokens, at the last build"),
        value("output", "output, now", "nano_usd", "of a million tokens"),
    )
    note = (
        "The price book is not that of the last build, so costs of the two are not to be compared: "
        f"{display.count(len(rows))} prices in use then are others now."
    )
    if rows and saved.get("list") not in (None, version()):
        note += f" The public list was {clean_label(str(saved['list']))} and is {version()}."
    table = made("cost_changes", "Prices that changed", shape, rows[:MOST], note)
    return {table.id: table} if rows else {}


def _row(entry: Mapping[str, Any], then: Any, now: Rates | None) -> Row:
    row: Row = {"model": clean_label(str(entry["model"])), "tier": clean_label(str(entry["tier"]))}
    first = None if then is None else then[0][0][1]
    latest = None if now is None else now.tiers[0][1]
    for bucket in _SHOWN:
        place = BUCKETS.index(bucket)
        row[f"{bucket}_then"] = _a_million(first, place)
        row[bucket] = _a_million(latest, place)
    return row


def _a_million(rates: Any, place: int) -> int | None:
    if rates is None or rates[place] == NO_RATE:
        return None
    return int(rates[place]) * _NANO_A_MILLION


def _loaded(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    if not isinstance(found, dict) or found.get("version") != _VERSION:
        return {}
    return found if isinstance(found.get("prices"), list) else {}
