"""Result tables to table views and to downloads."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from gonogo import display
from gonogo.results import Column, Scalar, Table
from gonogo.site.model import Cell, Header, TableView
from gonogo.site.text import LONGEST, clipped, firm, heading, mean_text, ratio_text, value_text

LONG: Final = 12
"""Rows that a table shows before the rest folds."""

_INTERVAL: Final = re.compile(r"[−$\d., %]{1,16} to [−$\d., %]{1,16}")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_ADDITIVE: Final = ("count", "nano_usd", "tokens")
_NO_SUM: Final = ("hour",)
"""Columns of numbers that name a row and count nothing."""
_SUFFIX: Final = {"us": "us", "nano_usd": "nano_usd", "milli_tps": "milli_tps", "time": "utc"}


@dataclass(frozen=True, slots=True)
class Col:
    """One column of a view: a stored `key`, or `num` / `den` of a ratio or a mean.

    `parts` is the unit of a ratio's two numbers, `longest` where a text is cut.
    """

    title: str
    unit: str
    key: str = ""
    num: str = ""
    den: str = ""
    hint: str = ""
    parts: str = "count"
    longest: int = LONGEST

    @property
    def numeric(self) -> bool:
        return self.unit not in ("text", "time")

    @property
    def total(self) -> str:
        """Unit in which rows of the column add up; "" where they do not."""
        if self.den:
            return self.unit
        return self.unit if self.unit in _ADDITIVE and self.key not in _NO_SUM else ""

    def stored(self) -> tuple[str, ...]:
        return (self.key,) if self.key else (self.num, self.den)


def text(title: str, key: str) -> Col:
    return Col(title, "text", key)


def count(title: str, key: str, hint: str = "") -> Col:
    return Col(title, "count", key, hint=hint)


def time_us(title: str, key: str, hint: str = "") -> Col:
    return Col(title, "us", key, hint=hint)


def rate(title: str, num: str, den: str, hint: str = "") -> Col:
    return Col(title, "ratio", num=num, den=den, hint=hint)


def mean(title: str, unit: str, num: str, den: str, hint: str = "") -> Col:
    return Col(title, unit, num=num, den=den, hint=hint)


def from_column(column: Column) -> Col:
    """The Col of a result column, as its maker titled it."""
    if column.kind in ("ratio", "mean"):
        return Col(
            column.title, column.unit, num=column.num or "", den=column.den or "", hint=column.help
        )
    return Col(column.title, column.unit, column.key, hint=column.help)


def int_at(table: Table | None, key: str, row: int = 0) -> int | None:
    """A stored integer, or None where table, column, row or value is not there."""
    values = table.data.get(key, []) if table is not None else []
    value = values[row] if row < len(values) else None
    return value if isinstance(value, int) else None


def _known(table: Table, col: Col) -> bool:
    """True where a column says anything at all: it is stored, and not empty throughout."""
    if any(key not in table.data for key in col.stored()):
        return False
    decisive = table.data[col.den or col.key]
    if col.den:
        return any(decisive)
    return any(value is not None for value in decisive)


def _cell(table: Table, col: Col, row: int, zone: str) -> Cell:
    if not col.den:
        value = table.data[col.key][row]
        if isinstance(value, str):
            shown = clipped(value, col.longest)
            hint = clipped(value, 300) if shown != value else ""
            return Cell(shown, hint=hint, firm=bool(_INTERVAL.fullmatch(shown)))
        if value is None:
            return Cell("–", hint="not logged", sort="" if not col.numeric else "-")
        # Durations sort by a digit more than is shown; all of them would be a quarter of a page.
        order = int(float(f"{value:.4g}")) if col.unit == "us" else int(value)
        day = col.unit == "time" and col.key == "day"
        shown = firm(display.day(int(value), zone)) if day else value_text(value, col.unit, zone)
        return Cell(shown, sort=str(order), firm=col.unit == "time")
    num, den = int_at(table, col.num, row), int_at(table, col.den, row)
    if num is None or not den:
        return Cell("–", hint="nothing to divide by", sort="-")
    sort = f"{num / den:.6g}"
    if col.unit == "ratio":
        parts = f"{value_text(num, col.parts)} of {value_text(den, col.parts)}"
        return Cell(ratio_text(num, den), small=parts, sort=sort, num=str(num), den=str(den))
    hint = f"mean of {display.count(den)}"
    return Cell(mean_text(num, den, col.unit), hint=hint, sort=sort, num=str(num), den=str(den))


def sorted_by(rows: Sequence[Sequence[Cell]], column: int) -> str:
    """`aria-sort` value of a numeric column: how its rows already stand, "" where they do not."""
    try:
        values = [float(row[column].sort) for row in rows]
    except ValueError:
        return ""
    if len(set(values)) < 2:
        return ""
    pairs = list(pairwise(values))
    if all(a >= b for a, b in pairs):
        return "descending"
    return "ascending" if all(a <= b for a, b in pairs) else ""


def headers(cols: Sequence[Col], rows: Sequence[Sequence[Cell]]) -> tuple[Header, ...]:
    """The heads of `rows`; the first column of numbers or times that is in order says so."""
    found = [""] * len(cols)
    for i, col in enumerate(cols):
        if (col.numeric or col.unit == "time") and (order := sorted_by(rows, i)):
            found[i] = order
            break
    return tuple(
        Header(c.title, c.numeric, c.hint, sort, c.total)
        for c, sort in zip(cols, found, strict=True)
    )


def view(
    table: Table | None,
    cols: Sequence[Col],
    caption: str,
    *,
    note: str = "",
    top: int = LONG,
    download: str = "",
    zone: str = "UTC",
) -> TableView | None:
    """A view of `table` with those of `cols` that say anything; None where there is no row.

    `download` names the files under data/ where they are not named after the table; times are
    shown in `zone`.
    """
    if table is None or not table.height:
        return None
    shown = [c for c in cols if _known(table, c)]
    rows = tuple(tuple(_cell(table, c, i, zone) for c in shown) for i in range(table.height))
    fold = len(rows) if len(rows) <= top + 2 else top
    name = download or table.id
    return TableView(
        id=f"table-{name}",
        caption=caption,
        headers=headers(shown, rows),
        rows=rows[:fold],
        folded=rows[fold:],
        note=" ".join(part for part in (note, table.note) if part),
        csv=f"data/{name}.csv",
        json=f"data/{name}.json",
        span="half" if len(shown) <= 3 else "full",
    )


def chart_view(table: Table, chart_id: str, zone: str) -> TableView | None:
    """The frame behind a chart, every shown column of it, unfolded."""
    cols = [from_column(c) for c in table.columns if c.kind != "hidden"]
    cols = [replace(c, title=heading(c.title)) for c in cols]
    return view(
        table,
        cols,
        f"{table.title}, as a table",
        top=table.height,
        download=f"chart-{chart_id}",
        zone=zone,
    )


def _csv_value(value: Scalar, unit: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return datetime.fromtimestamp(value, UTC).isoformat() if unit == "time" else str(value)
    return "'" + value if value.startswith(_FORMULA) else value


def _csv_head(key: str, unit: str) -> str:
    suffix = _SUFFIX.get(unit, "")
    return key if not suffix or key.endswith(f"_{suffix}") else f"{key}_{suffix}"


def to_csv(table: Table) -> bytes:
    """RFC 4180 text of the stored columns (units in their names), ratios and means behind them.

    A text that a spreadsheet would take for a formula gets a leading apostrophe.
    """
    units: dict[str, str] = {c.key: c.unit for c in table.columns if c.kind in ("value", "hidden")}
    derived = [c for c in table.columns if c.kind in ("ratio", "mean")]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    data = _in_order(table)
    heads = [_csv_head(key, units.get(key, "")) for key in data]
    writer.writerow([*heads, *(_csv_head(c.key, c.unit) for c in derived)])
    for row in range(table.height):
        cells = [_csv_value(values[row], units.get(key, "")) for key, values in data.items()]
        for c in derived:
            num, den = int_at(table, c.num or "", row), int_at(table, c.den or "", row)
            cells.append("" if num is None or not den else f"{num / den:.9g}")
        writer.writerow(cells)
    return out.getvalue().encode("utf-8", "replace")


def to_json(table: Table) -> bytes:
    """The table as it is in the result, one key to a line."""
    content = table.model_dump(mode="python") | {"data": _in_order(table)}
    body = json.dumps(content, ensure_ascii=True, indent=1)
    return f"{body}\n".encode("ascii")


def _in_order(table: Table) -> dict[str, list[Scalar]]:
    """The stored columns as they are shown, then the rest: a saved result does not keep order."""
    shown = [column.key for column in table.columns if column.key in table.data]
    return {key: table.data[key] for key in dict.fromkeys([*shown, *sorted(table.data)])}


def plain(
    table_id: str,
    caption: str,
    cols: Sequence[tuple[str, bool]],
    rows: Iterable[Sequence[Cell]],
    sortable: bool = True,
    download: str = "",
) -> TableView:
    """A table that is made of cells directly; `cols` are (title, numeric), empty ones left out.

    `download` names the files under data/ that hold the same.
    """
    made = tuple(tuple(row) for row in rows)
    used = [i for i in range(len(cols)) if any(row[i] != Cell("") for row in made)]
    made = tuple(tuple(row[i] for i in used) for row in made)
    heads = [Col(cols[i][0], "count" if cols[i][1] else "text", "x") for i in used]
    fold = len(made) if len(made) <= LONG + 2 else LONG
    return TableView(
        id=table_id,
        caption=caption,
        headers=headers(heads, made if sortable else ()),
        rows=made[:fold],
        folded=made[fold:],
        csv=f"data/{download}.csv" if download else "",
        json=f"data/{download}.json" if download else "",
        sortable=sortable,
    )
