"""The sections `[prices]` and `[cost]`: what tokens cost, and what is planned for."""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any, Final, Literal, cast
from zoneinfo import ZoneInfo

from gonogo.config.keys import COST_KEYS, PRICE_KEYS, PRICE_RATES, PRICES_KEYS
from gonogo.config.messages import quoted
from gonogo.config.model import CostPlan, OwnPrice, Prices
from gonogo.config.section import Section, kind_of, shown
from gonogo.config.sections import instant
from gonogo.records import TIERS

_MONEY: Final = re.compile(r"\$\s*([0-9]{1,6}(?:\.[0-9]{1,12})?)")
_PERCENT: Final = re.compile(r"\s*([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%\s*")
_LARGEST: Final = 10_000
_DEFAULT_PRICES: Final = Prices()
_DEFAULT_PLAN: Final = CostPlan()
_MOST_CALLS: Final = 10**11
_MOST_TOKENS: Final = 10**8


def read_prices(root: Section, timezone: str) -> Prices:
    """The `[prices]` table; entries of one model whose dates overlap are a mistake."""
    table = root.expect("prices", dict, name="a table", hint="write it as [prices]") or {}
    section = Section(root.problems, ("prices",), table)
    section.known(PRICES_KEYS)
    prefer = section.choice("prefer", ("logged", "priced"), "C051")
    unknown = share(section, "max_unknown")
    listed = section.flag("public_list")
    models = _models(section, UTC if timezone == "UTC" else ZoneInfo(timezone))
    return Prices(
        models=models,
        prefer=cast(Literal["logged", "priced"], prefer or _DEFAULT_PRICES.prefer),
        public_list=_DEFAULT_PRICES.public_list if listed is None else listed,
        discount=share(section, "discount") or Fraction(0),
        max_unknown=_DEFAULT_PRICES.max_unknown if unknown is None else unknown,
    )


def share(section: Section, key: str) -> Fraction | None:
    """A share from 0 to 1, or a percentage as a text."""
    value = section.expect(key, str, int, Decimal, name="a share such as 5%")
    if value is None:
        return None
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    number = Decimal(match[1]) / 100 if match else value
    if isinstance(number, str) or not Decimal(number).is_finite() or not 0 <= number <= 1:
        what = f"{shown(value)} is not a share between 0 and 1"
        section.wrong(key, "C026", what, "write 0.05 or 5%")
        return None
    return Fraction(round(Decimal(number), 12))


def _models(section: Section, zone: tzinfo) -> tuple[OwnPrice, ...]:
    hint = "write it as [[prices.model]] with model, input and output"
    rows: list[Any] = section.expect("model", list, name="a list of tables", hint=hint) or []
    found: list[OwnPrice] = []
    for number, row in enumerate(rows):
        path = ("prices", "model", number)
        if not isinstance(row, dict):
            what = f"{kind_of(row)} stands where a table is expected"
            section.problems.add(path, "C007", what, hint)
            continue
        entry = _entry(Section(section.problems, path, row), zone)
        if entry is None:
            continue
        for other in found:
            if _clash(entry, other):
                what = f"{quoted(entry.model)} has a price at that time already"
                hint = f"see {other.defined_at}; end one with `to` where the other begins"
                section.problems.add(path, "C052", what, hint)
                break
        found.append(entry)
    return tuple(found)


def _entry(section: Section, zone: tzinfo) -> OwnPrice | None:
    section.known(PRICE_KEYS, required=("model",))
    model, provider = section.text("model"), section.text("provider")
    tier = section.choice("tier", TIERS, "C051")
    start, end = instant(section, "from", zone), instant(section, "to", zone)
    if start is not None and end is not None and end <= start:
        section.wrong("to", "C031", "the range ends before it starts", "swap from and to")
        return None
    rates = {}
    for key in PRICE_RATES:
        amount = _dollars(section, key)
        if amount is not None:
            rates[key] = amount
    discount = share(section, "discount")
    given = set(section.table)
    complete = {"input", "output"} <= given or "per_call" in given
    if not complete and (given & {*PRICE_RATES} or "discount" not in given) and "model" in given:
        what = "a price needs input and output, per_call, or a discount off the list price"
        section.problems.add(section.path, "C051", what, 'write input = "$2.50", output = "$10"')
        return None
    if model is None:
        return None
    line, column = section.problems.positions.at(section.path)
    return OwnPrice(
        model=model,
        provider=provider,
        start=None if start is None else ceil(start),
        end=None if end is None else ceil(end),
        rates=rates,
        discount=discount or Fraction(0),
        defined_at=f"line {line}, column {column}",
        tier=tier,
    )


def _dollars(section: Section, key: str) -> Fraction | None:
    hint = f'write {key} = "$2.50", US dollars per million tokens'
    if key == "per_call":
        hint = 'write per_call = "$0.001", US dollars for each call'
    value = section.expect(key, str, name="a text", hint=hint)
    if value is None:
        return None
    match = _MONEY.fullmatch(value.strip())
    if match is None or Fraction(match[1]) > _LARGEST:
        section.wrong(key, "C051", f"{quoted(value)} is not an amount in US dollars", hint)
        return None
    return Fraction(match[1])


def _clash(one: OwnPrice, other: OwnPrice) -> bool:
    same = one.model.lower() == other.model.lower()
    same = same and (one.provider, one.tier) == (other.provider, other.tier)
    before = one.end is not None and other.start is not None and one.end <= other.start
    after = other.end is not None and one.start is not None and other.end <= one.start
    return same and not before and not after


def read_cost(root: Section) -> CostPlan:
    """The `[cost]` table."""
    table = root.expect("cost", dict, name="a table", hint="write it as [cost]") or {}
    section = Section(root.problems, ("cost",), table)
    section.known(COST_KEYS)
    batch = share(section, "batch_discount")
    trim = section.integer("trim_percentile", 1, 99)
    return CostPlan(
        calls_per_day=section.integer("calls_per_day", 1, _MOST_CALLS),
        cheaper_model=section.text("cheaper_model"),
        cheaper_provider=section.text("cheaper_provider"),
        cheaper_under=section.integer("cheaper_under_tokens", 1, _MOST_TOKENS),
        cheaper_operations=_texts(section, "cheaper_operations"),
        stable_prefix=section.integer("stable_prefix_tokens", 1, _MOST_TOKENS),
        trim_percentile=_DEFAULT_PLAN.trim_percentile if trim is None else trim,
        offline_operations=_texts(section, "offline_operations"),
        batch_discount=_DEFAULT_PLAN.batch_discount if batch is None else batch,
    )


def _texts(section: Section, key: str) -> tuple[str, ...]:
    rows = section.expect(key, list, name="a list of texts") or []
    found = []
    for number, row in enumerate(rows):
        if isinstance(row, str) and row.strip():
            found.append(row.strip())
        else:
            what = f"{kind_of(row)} stands where a text is expected"
            section.problems.add((*section.path, key, number), "C007", what, f'write {key} = ["…"]')
    return tuple(found)
