"""The cost of each call of a block, where it comes from, and its sums.

A call costs what its log says, else what its tokens cost by the price book (or the other way round
where `[prices] prefer` says so). A gateway's cache hit costs nothing. A failed call without an
answer costs nothing either, since providers bill no request that they refuse or fail; one that was
cut off while it answered, or timed out, costs what its tokens do, and so does a blocked one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from gonogo.config.model import CostPlan, Prices
from gonogo.conventions import DIMENSIONS, ErrorClass
from gonogo.pricing import BUCKETS, Book, Charge, Why, charge
from gonogo.records import ERROR_CLASSES, MISSING, NO, TIERS, YES, Dictionaries
from gonogo.rollup.context import Context, Mask
from gonogo.rollup.counting import Groups, Ints, group
from gonogo.rollup.partial import DIFFERENCES, WHY

SMALL_DEFAULT: Final = 1024
ABANDONED: Final = frozenset(
    ("cancelled", "canceled", "abort", "aborted", "disconnect", "client_disconnected")
)
"""Finish reasons of calls whose answer nobody waited for."""

_CENT: Final = 1000
_LARGEST_SUM: Final = 10**17
_TIMEOUT: Final = ERROR_CLASSES.index(ErrorClass.TIMEOUT)
_PROVIDER, _MODEL = DIMENSIONS.index("provider"), DIMENSIONS.index("model")
_IN, _READ, _WRITE = (BUCKETS.index(b) for b in ("input", "cache_read", "cache_write"))
_HOUR = BUCKETS.index("cache_write_1h")
_WAITS: Final = (TIERS.index("batch"), TIERS.index("flex"))
_OUT, _THOUGHT = BUCKETS.index("output"), BUCKETS.index("reasoning")


@dataclass(slots=True)
class Pricing:
    """What a run prices by."""

    prices: Prices = field(default_factory=Prices)
    plan: CostPlan = field(default_factory=CostPlan)
    book: Book = field(init=False)

    def __post_init__(self) -> None:
        self.book = Book(self.prices)


@dataclass(slots=True)
class Costs:
    """Costs of the lines of a block; arrays have one entry a line."""

    charge: Charge
    logged: Ints
    hit: Mask
    refused: Mask
    own: Mask


def price(ctx: Context, dictionaries: Dictionaries, pricing: Pricing) -> Costs:
    """Price every call of a block; `cost_nano_usd` of the context becomes what the call cost."""
    number = _numbers(ctx, dictionaries, pricing)
    found = charge(ctx.columns, number, pricing.book.rates)
    logged = ctx["cost_nano_usd"]
    calls = ctx.calls
    hit = calls & (ctx["cache_hit"] == YES)
    silent = (ctx["failed"] == YES) & (ctx["output_tokens"] <= 0)
    refused = calls & silent & (ctx["error_class"] != _TIMEOUT)
    own_numbers = np.zeros(len(pricing.book.rates) + 1, dtype=bool)
    own_numbers[list(pricing.book.own_numbers)] = True
    priced = np.where(refused, 0, found.nano)
    first, second = (logged, priced) if pricing.prices.prefer == "logged" else (priced, logged)
    cost = np.where(first != MISSING, first, second)
    ctx.columns["cost_nano_usd"] = np.where(hit, 0, np.where(calls, cost, logged))
    return Costs(found, logged, hit, refused, own_numbers[np.maximum(number, -1)])


def _numbers(ctx: Context, dictionaries: Dictionaries, pricing: Pricing) -> Ints:
    """The number of the price of each line, or -why; looked up once a model, tier and change."""
    combos = group([ctx.combo.index, ctx["service_tier"]])
    of_combo, tiers = combos.keys
    keys = (ctx.combo.keys[name][of_combo] for name in (_PROVIDER, _MODEL))
    pairs = group([*keys, tiers])
    pair_of = pairs.index[combos.index]
    providers, models = (dictionaries.dimensions[name].series() for name in ("provider", "model"))
    table = np.full((pairs.size, len(ctx.bins)), -int(Why.NO_MODEL), dtype=np.int64)
    used = np.zeros(pairs.size, dtype=bool)
    worth = ctx.calls & (ctx["input_tokens"] != MISSING)
    used[pair_of[worth]] = True
    for pair in range(pairs.size):
        model = models[int(pairs.keys[1][pair])]
        if model is None:
            continue
        if used[pair]:
            provider = providers[int(pairs.keys[0][pair])]
            tier = TIERS[int(pairs.keys[2][pair])]
            table[pair] = pricing.book.numbers(provider, model, ctx.bins, tier)
        else:
            table[pair] = -int(Why.NO_TOKENS)
    found: Ints = table[pair_of, ctx.bin]
    return found


def sums(ctx: Context, costs: Costs, dictionaries: Dictionaries, plan: CostPlan) -> Summed:
    """Sums of the calls of a block by provider, model, operation, day and size."""
    rows = np.flatnonzero(ctx.calls)
    limit = plan.cheaper_under or SMALL_DEFAULT
    size = ctx["input_tokens"][rows]
    small = ((size != MISSING) & (size <= limit)).astype(np.int64)
    keys = [ctx.day[rows], small, *(ctx[name][rows] for name in ("provider", "model", "operation"))]
    groups = group(keys)
    found: dict[str, Ints] = {}
    for name, mask, values in _each(ctx, costs, dictionaries, plan):
        own = mask[rows]
        if not own.any():
            found[name] = np.zeros(groups.size, dtype=np.int64)
        elif values is None:
            found[name] = groups.count(own)
        else:
            found[name] = groups.sum(np.where(own, values[rows], 0))
    return Summed(groups, found)


@dataclass(frozen=True, slots=True)
class Summed:
    """Groups with the keys day (index), small, provider, model, operation; sums by name."""

    groups: Groups
    sums: dict[str, Ints]


def _each(ctx: Context, costs: Costs, dictionaries: Dictionaries, plan: CostPlan) -> Any:
    """(name, lines that count, values to add or None to count them), COST_SUMS all of them."""
    calls, cost, found = ctx.calls, ctx["cost_nano_usd"], costs.charge
    known = calls & (cost != MISSING)
    by_tokens = found.nano != MISSING
    hit, logged, refused = costs.hit, costs.logged, costs.refused
    said = calls & ~hit & (logged != MISSING)
    billed = calls & ~hit & ~refused & by_tokens
    both = said & billed
    tokens = np.maximum(ctx["input_tokens"], 0) + np.maximum(ctx["output_tokens"], 0)
    free = hit | (refused & ~said)
    from_log = known & ~free & (logged == cost) & said
    from_price = known & ~free & ~from_log
    yield "calls", calls, None
    yield "cost", known, cost
    yield "cost_n", known, None
    yield "logged", said, logged
    yield "logged_n", said, None
    yield "from_log", from_log, None
    yield "from_list", from_price & ~costs.own, None
    yield "from_own", from_price & costs.own, None
    yield "free", known & free, None
    yield "hits", hit, None
    yield "hits_priced", hit & by_tokens, None
    yield "saved", hit & by_tokens, found.nano
    yield "both", both, None
    yield "both_logged", both, logged
    yield "both_priced", both, found.nano
    yield "tokens_known", known, tokens
    yield "tokens_unknown", calls & ~known, tokens
    for why in WHY:
        yield f"why_{int(why)}", calls & ~known & (found.why == why), None
    for k, bucket in enumerate(BUCKETS):
        yield f"tokens_{bucket}", billed, found.tokens[k]
        yield f"nano_{bucket}", billed, found.parts[k]
    yield "nano_per_call", billed, found.nano - found.parts.sum(axis=0)
    yield "priced", billed, found.nano
    yield "priced_n", billed, None
    for kind, mask in (
        ("failed", (ctx["failed"] == YES) & (cost > 0)),
        ("abandoned", _abandoned(ctx, dictionaries)),
        ("retried", ctx["retried"] == YES),
        ("missed", _missed(ctx)),
        ("hashed", (ctx["input_hash"] != 0) & ~hit),
        ("waited", np.isin(ctx["service_tier"], _WAITS)),
        ("guarding", ctx["is_guard"].astype(bool)),
    ):
        yield f"{kind}_n", known & mask, None
        yield f"{kind}_cost", known & mask, cost
    yield from _weighted(ctx, calls, known)
    prefix = np.minimum(found.tokens[_IN], plan.stable_prefix or 0)
    gain = np.maximum(found.rates[_IN] - found.rates[_READ], 0)
    yield "prefix_tokens", billed, prefix
    yield "prefix_saves", billed, prefix * gain // _CENT
    kinds, gap = _difference(ctx, costs, both)
    for k, kind in enumerate(DIFFERENCES):
        yield f"differs_{kind}_n", kinds == k, None
        yield f"differs_{kind}_nano", kinds == k, gap


def _weighted(ctx: Context, calls: Mask, known: Mask) -> Any:
    """The calls that carry a sampler's weight, and what they stand for; as `_each`."""
    weight, cost = ctx["weight_milli"], ctx["cost_nano_usd"]
    weighted = calls & (weight != MISSING)
    yield "weighted_n", weighted, None
    yield "weighted_known", weighted & known, None
    yield "weighted_cost", weighted & known, cost
    # What those calls stand for: counts in thousandths, as weights are.
    yield "stands_n", weighted, weight
    yield "stands_known", weighted & known, weight
    whole, rest = np.divmod(weight, 1000)
    cost = np.minimum(cost, _LARGEST_SUM // np.maximum(whole, 1))  # no product outgrows 64 bits
    yield "stands_cost", weighted & known, cost * whole + cost * rest // 1000


def _abandoned(ctx: Context, dictionaries: Dictionaries) -> Mask:
    texts = dictionaries.finish_reason.texts()
    table = np.array([(text or "").strip().lower() in ABANDONED for text in texts], dtype=bool)
    found: Mask = table[ctx["finish_reason"]]
    return found


def _missed(ctx: Context) -> Mask:
    """Calls whose own line holds a retrieval that found nothing of use."""
    child = ctx.retrievals
    out = np.zeros(ctx.height, dtype=bool)
    out[child.row[child["hit"] == NO]] = True
    return out


def _difference(ctx: Context, costs: Costs, both: Mask) -> tuple[Ints, Ints]:
    """(index into DIFFERENCES of each line with both costs, -1 for the rest; logged - priced).

    A cost that differs by no more than 0.5 % or a millionth of a dollar is the same. Else it is
    held against what a mistake with one bucket would have made of it: cached tokens at the full
    price, cache writes at the price of plain input, cached tokens on top of an input that holds
    them, cached tokens for nothing; reasoning on top of an output that holds it, or for nothing;
    cache writes for an hour at the usual price of writes; a tier that waits at twice its price.
    """
    found, kinds = costs.charge, np.full(ctx.height, -1, dtype=np.int64)
    gap = np.where(both, costs.logged - found.nano, 0)
    slack = np.maximum(_CENT, found.nano // 200)
    kinds[both & (np.abs(gap) <= slack)] = DIFFERENCES.index("same")
    rows = np.flatnonzero(both & (kinds == -1))
    if not len(rows):
        return kinds, gap
    tokens, rates = found.tokens[:, rows], found.rates[:, rows]
    read, write, thought, hour = (tokens[k] for k in (_READ, _WRITE, _THOUGHT, _HOUR))
    waits = np.isin(ctx["service_tier"][rows], _WAITS)
    candidates = {
        "cached_full": read * (rates[_IN] - rates[_READ])
        + write * (rates[_IN] - rates[_WRITE])
        + hour * (rates[_IN] - rates[_HOUR]),
        "written_plain": write * (rates[_IN] - rates[_WRITE]) + hour * (rates[_IN] - rates[_HOUR]),
        "cached_twice": (read + write + hour) * rates[_IN],
        "cached_free": -read * rates[_READ] - write * rates[_WRITE] - hour * rates[_HOUR],
        "reasoning_twice": thought * rates[_OUT],
        "reasoning_free": -thought * rates[_THOUGHT],
        "hour_as_usual": hour * (rates[_WRITE] - rates[_HOUR]),
        "tier_ignored": np.where(waits, found.nano[rows] * _CENT, 0),
    }
    chosen = np.full(len(rows), DIFFERENCES.index("other"), dtype=np.int64)
    for name, pico in reversed(candidates.items()):
        near = np.abs(gap[rows] - pico // _CENT) <= slack[rows]
        chosen[near & (pico != 0)] = DIFFERENCES.index(name)
    kinds[rows] = chosen
    return kinds, gap
