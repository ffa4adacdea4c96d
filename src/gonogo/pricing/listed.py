"""The public price list, from the genai-prices package: offline, with dates and tiers.

https://github.com/pydantic/genai-prices; imported only when a call is to be priced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any, Final

from gonogo.pricing.rates import LARGEST_RATE, PICO_PER_DOLLAR_A_MILLION, Rates, filled
from gonogo.records import TIERS

_KEYS: Final = {
    "input": "input_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "audio_input": "input_audio_mtok",
    "image_input": "input_image_mtok",
    "output": "output_mtok",
    "reasoning": "output_reasoning_mtok",
    "audio_output": "output_audio_mtok",
}
_PROVIDERS: Final = {
    # Names of OpenTelemetry (gen_ai.provider.name) and of gateways that the list calls otherwise.
    "aws.bedrock": "aws",
    "aws_bedrock": "aws",
    "bedrock_converse": "aws",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "az.ai.openai": "azure",
    "az.ai.inference": "azure",
    "azure_openai": "azure",
    "gcp.gemini": "google",
    "gcp.vertex_ai": "google",
    "gcp.gen_ai": "google",
    "mistral_ai": "mistral",
    "x_ai": "x-ai",
}


_TIER_SHARES: Final = {
    "batch": dict.fromkeys(
        ("openai", "azure", "anthropic", "aws", "google", "mistral"), Fraction(1, 2)
    ),
    "flex": {"openai": Fraction(1, 2)},
}
"""What share of the list price a tier of service costs, by provider. Batch, half: OpenAI
(https://platform.openai.com/docs/guides/batch), Azure (global batch), Anthropic
(https://docs.anthropic.com/en/docs/build-with-claude/batch-processing), Bedrock
(https://aws.amazon.com/bedrock/pricing/), Gemini (https://ai.google.dev/gemini-api/docs/batch-api)
and Mistral. Flex at OpenAI costs what batch does. Priority has a price for each model."""
_HOUR: Final = 2
"""A cache write for an hour costs twice the input at every Claude model, wherever it is served:
https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching."""
_LONGEST_NAME: Final = 200


def newest_change() -> str:
    """The newest date from which a price of the list holds, as an ISO date; it may be ahead."""
    from genai_prices.data import providers
    from genai_prices.types import StartDateConstraint

    dates = (
        price.constraint.start_date
        for provider in providers
        for model in provider.models
        if isinstance(model.prices, list)
        for price in model.prices
        if isinstance(price.constraint, StartDateConstraint)
    )
    return max(dates).isoformat()


@dataclass(frozen=True, slots=True)
class Listed:
    """A model of the price list: its name there, and its price at any time.

    `changes` are the epoch seconds at which the price may change; `daily` says that it also
    depends on the time of day, so that no list of changes is complete. `provider` is the list's own
    name for it.
    """

    name: str
    changes: tuple[int, ...]
    daily: bool
    at: Callable[[int], Rates | None]
    provider: str

    def share(self, tier: str) -> Fraction | None:
        """What share of its price a tier of service costs; None where that is not published."""
        if tier == TIERS[0]:
            return Fraction(1)
        return _TIER_SHARES.get(tier, {}).get(self.provider)


def version() -> str:
    """The version of the price list."""
    from importlib.metadata import version as installed

    return installed("genai-prices")


@cache
def find(provider: str | None, model: str) -> Listed | None:
    """The list's entry for a model, or None.

    A logged provider decides alone: a model under a provider that the list does not know has no
    list price, be its name ever so familiar, for somebody else may ask another price.
    """
    from genai_prices import data_snapshot, types

    if len(model) > _LONGEST_NAME or len(provider or "") > _LONGEST_NAME:
        return None
    named = None
    if provider is not None:
        low = provider.strip().lower()
        named = _PROVIDERS.get(low, low)
    try:
        found, entry = data_snapshot.get_snapshot().find_provider_model(model, None, named, None)
    except LookupError:
        return None
    conditions = entry.prices if isinstance(entry.prices, list) else []
    starts, daily = [], False
    for condition in conditions:
        constraint = condition.constraint
        if isinstance(constraint, types.StartDateConstraint):
            midnight = datetime.combine(constraint.start_date, datetime.min.time(), UTC)
            starts.append(int(midnight.timestamp()))
        elif constraint is not None:
            daily = True

    def at(epoch: int) -> Rates | None:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=epoch)
        return _rates(entry.get_prices(moment), hours="claude" in entry.id.lower())

    name = f"{found.id}:{entry.id}"
    return Listed(name, tuple(sorted(set(starts))), daily, at, found.id)


def _rates(price: Any, *, hours: bool) -> Rates | None:
    """The rates of a ModelPrice; None where it does not charge by the token.

    `hours` says that its provider keeps a cache for an hour at a price of its own.
    """
    own = {bucket: getattr(price, key, None) for bucket, key in _KEYS.items()}
    own = {bucket: found for bucket, found in own.items() if found is not None}
    if "input" not in own and "output" not in own:
        return None
    starts = sorted({t.start for p in own.values() for t in getattr(p, "tiers", ())})
    tiers = []
    for start in (-1, *starts):
        rates = {bucket: _pico(_in_tier(found, start)) for bucket, found in own.items()}
        if hours and "cache_write" in rates and "input" in rates:
            rates["cache_write_1h"] = min(LARGEST_RATE, _HOUR * rates["input"])
        tiers.append((start, filled(rates)))
    per_call = getattr(price, "requests_kcount", None)
    return Rates(tuple(tiers), 0 if per_call is None else int(per_call * 10**9))


def _in_tier(price: Any, start: int) -> Decimal:
    if isinstance(price, Decimal):
        return price
    found: Decimal = price.base
    for tier in price.tiers:
        if tier.start <= start:
            found = tier.price
    return found


def _pico(dollars: Decimal) -> int:
    return min(LARGEST_RATE, int((dollars * PICO_PER_DOLLAR_A_MILLION).to_integral_value()))
