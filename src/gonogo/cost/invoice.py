"""Reconciliation with the provider's bill: a CSV of date or month, model and amount."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Final

import polars as pl

from gonogo import display
from gonogo.conventions import BIN_SECONDS, UNKNOWN
from gonogo.cost.parts import Row, hidden, made, ratio, value
from gonogo.errors import Diagnostic, UsageError
from gonogo.pricing import Book
from gonogo.privacy import clean_label
from gonogo.results import Table
from gonogo.rollup.partial import Partial

_HEADS: Final = {
    "when": ("date", "day", "month", "period"),
    "model": ("model", "model_name", "line_item", "item"),
    "amount": ("amount", "amount_usd", "cost", "cost_usd", "total"),
    "currency": ("currency",),
}
_AMOUNT: Final = re.compile(r"(-?)\s*\$?\s*(-?)([0-9][0-9,]*(?:\.[0-9]{1,12})?|\.[0-9]{1,12})")
_LARGEST_FILE: Final = 10_000_000
_MOST_PROBLEMS: Final = 20
_SHORT: Final = 200
_EXAMPLE: Final = "write date,model,amount with rows such as 2026-11-16,gpt-4o,12.34"


@dataclass(frozen=True, slots=True)
class Bill:
    """What a provider billed for [start, end) (UTC days, epoch seconds); no model: for all."""

    label: str
    start: int
    end: int
    model: str | None
    nano: int


def read_invoice(path: Path) -> tuple[Bill, ...]:
    """The lines of a bill, equal period and model added up, in order.

    Raises:
        UsageError: the file cannot be read; everything that is wrong with it at once.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise _failed([(0, "the file is larger than a bill can be")], path)
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise _failed([(0, f"the file cannot be read ({error.strerror})")], path) from None
    except UnicodeDecodeError:
        raise _failed([(0, "the file is not UTF-8")], path) from None
    problems: list[tuple[int, str]] = []
    found: dict[tuple[int, int, str | None], Bill] = {}
    try:
        reader = csv.reader(io.StringIO(text, newline=""))
        head = [name.strip().lower() for name in next(reader, [])]
        places = {key: _place(head, names) for key, names in _HEADS.items()}
        problems += [
            (1, f"no column {' or '.join(_HEADS[key])}")
            for key in ("when", "amount")
            if places[key] is None
        ]
        for cells in [] if problems else reader:
            if any(cell.strip() for cell in cells):
                _line(cells, places, reader.line_num, found, problems)
    except csv.Error as error:
        problems.append((0, f"not CSV: {error}"))
    if problems:
        raise _failed(problems, path)
    if not found:
        raise _failed([(0, "the bill has no lines")], path)
    return tuple(sorted(found.values(), key=lambda b: (b.start, b.end, b.model or "")))


def _place(head: Sequence[str], names: Iterable[str]) -> int | None:
    return next((head.index(name) for name in names if name in head), None)


def _line(
    cells: Sequence[str],
    places: dict[str, int | None],
    number: int,
    found: dict[tuple[int, int, str | None], Bill],
    problems: list[tuple[int, str]],
) -> None:
    def cell(key: str) -> str:
        place = places[key]
        return "" if place is None or place >= len(cells) else cells[place].strip()

    currency = cell("currency").upper()
    span, amount = _span(cell("when")), _AMOUNT.fullmatch(cell("amount"))
    if currency not in ("", "USD", "$"):
        problems.append((number, f"the currency is {_shown(currency)}: only USD is reconciled"))
    if span is None:
        problems.append((number, f"{_shown(cell('when'))} is neither a date nor a month"))
    if amount is None:
        problems.append((number, f"{_shown(cell('amount'))} is not an amount in US dollars"))
    if span is None or amount is None:
        return
    sign = -1 if amount[1] or amount[2] else 1
    nano = sign * int((Decimal(amount[3].replace(",", "")) * 10**9).to_integral_value())
    model = clean_label(cell("model")[:_SHORT]) if cell("model") else None
    key = (span[1], span[2], model)
    before = found[key].nano if key in found else 0
    found[key] = Bill(span[0], span[1], span[2], model, before + nano)


def _span(text: str) -> tuple[str, int, int] | None:
    month = re.fullmatch(r"(\d{4})-(\d{2})", text)
    try:
        first = date(int(month[1]), int(month[2]), 1) if month else date.fromisoformat(text[:10])
    except ValueError:
        return None
    after = first + timedelta(days=1)
    if month:
        after = (first + timedelta(days=31)).replace(day=1)
    ends = [int(datetime.combine(d, datetime.min.time(), UTC).timestamp()) for d in (first, after)]
    return text[:10], ends[0], ends[1]


def _shown(text: str) -> str:
    return f"'{clean_label(text[:40])}'"


def _failed(problems: Sequence[tuple[int, str]], path: Path) -> UsageError:
    said = [
        Diagnostic("U034", f"{path}:{line}" if line else str(path), what, _EXAMPLE)
        for line, what in problems[:_MOST_PROBLEMS]
    ]
    return UsageError(tuple(said))


def tables(
    partial: Partial, bills: Sequence[Bill], book: Book, scale: Fraction = Fraction(1)
) -> list[Table]:
    """The bill held against the log, line by line; no table without a bill.

    `scale` is what the cost of a sampled log is multiplied by, to be that of all of the traffic.
    """
    if not bills:
        return []
    ours = (
        partial.frames["calls"]
        .filter(pl.col("bin").is_not_null())
        .group_by("bin", "provider", "model")
        .agg(pl.col("cost", "cost_n", "calls").sum())
        .with_row_index("row")
    )
    names = {
        (provider, model): _names(book, provider, model)
        for provider, model in ours.select("provider", "model").unique().iter_rows()
    }
    rows: list[Row] = []
    taken: list[int] = []
    for bill in bills:
        inside = ours.filter((pl.col("bin") >= bill.start) & (pl.col("bin") < bill.end))
        if bill.model is not None:
            wanted = _names(book, None, bill.model)
            keep = [
                bool(names[provider, model] & wanted)
                for provider, model in inside.select("provider", "model").iter_rows()
            ]
            inside = inside.filter(pl.Series(keep, dtype=pl.Boolean))
        taken += inside["row"].to_list()
        calls, known = int(inside["calls"].sum()), int(inside["cost_n"].sum())
        cost = round(int(inside["cost"].sum()) * scale) if known else None
        rows.append(
            {
                "period": bill.label,
                "model": bill.model or "all models",
                "billed": bill.nano,
                "cost": cost,
                "gap": None if cost is None else cost - bill.nano,
                "calls": calls,
                "remark": _remark(partial, bill, calls, known),
            }
        )
    unbilled = _unbilled(ours, bills, names, book)
    rows += [{**row, "cost": round(row["cost"] * scale)} for row in unbilled]
    shape = (
        value("period", "billed for (UTC)", "text"),
        value("model", "model", "text"),
        value("billed", "billed", "nano_usd"),
        value("cost", "in the log", "nano_usd"),
        value("gap", "difference", "nano_usd", "log less bill"),
        ratio("share", "log of bill", "cost", "billed"),
        hidden("calls"),
        value("remark", "remark", "text"),
    )
    matched = [row for row in rows if row["cost"] is not None and row.get("billed") is not None]
    billed = sum(row["billed"] for row in matched)
    note = f"{len(matched)} of {len(bills)} lines of the bill are in the log"
    if len(set(taken)) < len(taken):
        note += "; some of them overlap, so they do not add up"
    elif billed > 0:
        together = sum(row["cost"] for row in matched)
        note += (
            f": {display.money(together)} in the log against {display.money(billed)} billed "
            f"({display.ratio(together, billed)})"
        )
    if scale != 1:
        note += "; the log holds a sample, scaled up here to all of the traffic"
    return [made("cost_invoice", "Against the bill", shape, rows, f"{note}.")]


def _unbilled(
    ours: pl.DataFrame,
    bills: Sequence[Bill],
    names: dict[tuple[str | None, str | None], set[str]],
    book: Book,
) -> list[Row]:
    """Models that cost something while the bill ran, and that no line of it names."""
    if any(bill.model is None for bill in bills):
        return []
    within = pl.any_horizontal(
        [(pl.col("bin") >= b.start) & (pl.col("bin") < b.end) for b in bills]
    )
    billed = set().union(*(_names(book, None, b.model) for b in bills))
    left = (
        ours.filter(within & (pl.col("cost") > 0))
        .group_by("provider", "model")
        .agg(pl.col("cost", "calls").sum())
        .sort("cost", "model", "provider", descending=[True, False, False], nulls_last=True)
    )
    return [
        {
            "period": "",
            "model": row["model"] or UNKNOWN,
            "cost": row["cost"],
            "calls": row["calls"],
            "remark": "no line of the bill names it",
        }
        for row in left.to_dicts()
        if not names[row["provider"], row["model"]] & billed
    ]


def _names(book: Book, provider: str | None, model: str | None) -> set[str]:
    """The names that a model goes by: as written, and as the price list has it."""
    if model is None:
        return set()
    entry = book.quote(provider, model)
    return {model.lower(), *([entry.name.partition(":")[2]] if entry.entry else [])}


def _remark(partial: Partial, bill: Bill, calls: int, known: int) -> str:
    if not calls:
        return "no such call in the log"
    parts = []
    first, last = partial.first_us, partial.last_us
    if first is not None and last is not None:
        start, end = max(bill.start, first // 10**6), min(bill.end, last // 10**6 + 1)
        if end - start < bill.end - bill.start - 2 * BIN_SECONDS * 12:
            share = display.ratio(max(0, end - start), bill.end - bill.start)
            parts.append(f"the log covers {share} of the time")
    if known < calls:
        parts.append(f"{display.count(calls - known)} calls without a cost")
    return "; ".join(parts)
