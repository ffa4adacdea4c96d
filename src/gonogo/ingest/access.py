"""Reading one field out of decoded columns, whatever type the log gave it.

Every reader takes the frame, tries the field's paths in order and gives a plain Series as long as
the frame. What is present but cannot be read is counted in a `Tally`, never guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.ingest.fields import Field, own_path, unit_factor
from gonogo.records import MISSING, NO, UNKNOWN_FLAG, YES

Tally = Counter[tuple[str, str]]  # (diagnostic code, field) -> rows

LARGEST: Final = 1e15
"""Numbers beyond this are not tokens of one call, nor nano-dollars."""

LONGEST_US: Final = 2.0**40
"""Some 13 days: beyond it a time is no duration of one call. Squares up to here add up exactly."""

_TRUE: Final = ("true", "1", "yes", "y", "t")
_FALSE: Final = ("false", "0", "no", "n", "f")


class Reader:
    """Fields of one decoded frame; `mapping` puts a user's own paths before the aliases."""

    def __init__(
        self,
        frame: pl.DataFrame,
        tally: Tally,
        mapping: Mapping[str, str] | None = None,
        prefix: str = "",
    ) -> None:
        # By name once: a frame makes its list of names anew each time that it is asked.
        self._columns = {series.name: series for series in frame.iter_columns()}
        self._tally = tally
        self._mapping = mapping or {}
        self._prefix = prefix
        self.height = frame.height

    def sources(self, field: Field) -> list[tuple[str, pl.Series]]:
        """The field's present columns in the order of its paths: (what tells the unit, values)."""
        own = own_path(self._mapping, self._prefix + field.native)
        paths = [*([own] if own else []), *((path, path) for path in field.paths)]
        found = []
        for path, unit in paths:
            series = self._columns.get(path)
            if series is None and ("." in path or "[]" in path):
                series = _follow(self._columns, path.split("."))
            if series is not None and series.null_count() < len(series):
                found.append((unit, series))
        return found

    def has(self, field: Field) -> bool:
        return bool(self.sources(field))

    def texts(self, field: Field) -> pl.Series:
        """Text of a scalar; null where there is none."""
        out: pl.Series | None = None
        for _, series in self.sources(field):
            text = self._as_text(series, field, out)
            out = text if out is None else out.zip_with(out.is_not_null(), text)
        return self._nulls(pl.String) if out is None else out

    def _as_text(self, series: pl.Series, field: Field, known: pl.Series | None) -> pl.Series:
        dtype = series.dtype
        if dtype == pl.String:
            return series
        if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
            # An error that is an object has told its type already.
            odd = series.is_not_null()
            self._count("I014", field, odd if known is None else odd & known.is_null())
            return self._nulls(pl.String)
        if dtype.is_float():
            whole = series.cast(pl.Int64, strict=False)
            exact = (whole.cast(dtype) == series).fill_null(False)
            return whole.cast(pl.String).zip_with(exact, series.cast(pl.String))
        return series.cast(pl.String)

    def numbers(
        self, field: Field, *, durations: bool = False, largest: float = LARGEST
    ) -> NDArray[np.float64]:
        """Finite numbers, NaN where missing; durations in µs by the unit of their name."""
        out: NDArray[np.float64] | None = None
        for path, series in self.sources(field):
            if durations:
                factor = unit_factor(path)
                number = self._as_number(series, field, LONGEST_US / factor) * factor
            else:
                number = self._as_number(series, field, largest)
            out = number if out is None else np.where(np.isnan(out), number, out)
        return np.full(self.height, np.nan) if out is None else out

    def _as_number(self, series: pl.Series, field: Field, largest: float) -> NDArray[np.float64]:
        dtype = series.dtype
        if dtype == pl.String:
            number = series.cast(pl.Float64, strict=False)
            if number.null_count() > series.null_count():
                number = series.str.strip_chars().cast(pl.Float64, strict=False)
        elif dtype.is_numeric() or dtype.is_decimal():
            number = series.cast(pl.Float64)
        elif isinstance(dtype, pl.Duration):
            number = series.dt.total_microseconds().cast(pl.Float64) / 1e3
        else:
            number = self._nulls(pl.Float64)
        found = number.to_numpy()
        # False for what is no number, too.
        usable = np.abs(found) <= largest
        unread = len(series) - series.null_count() - int(np.count_nonzero(usable))
        self.count("I015", field, unread)
        return np.where(usable, found, np.nan) if unread else found

    def counts(self, field: Field) -> NDArray[np.int64]:
        """Whole numbers from 0 up; MISSING where absent or negative (which is counted)."""
        return self._whole(self.numbers(field), field)

    def durations(self, field: Field) -> NDArray[np.int64]:
        """Microseconds; MISSING where absent or negative (which is counted)."""
        return self._whole(self.numbers(field, durations=True), field)

    def scaled(self, field: Field, scale: float) -> NDArray[np.int64]:
        """Whole multiples of 1/scale; MISSING where absent or negative (which is counted)."""
        return self._whole(self.numbers(field, largest=LARGEST / scale) * scale, field)

    def _whole(self, numbers: NDArray[np.float64], field: Field) -> NDArray[np.int64]:
        negative = numbers < 0
        if negative.any():
            self._tally["I016", self._prefix + field.name] += int(negative.sum())
        known = ~(np.isnan(numbers) | negative)
        return np.where(known, np.rint(np.where(known, numbers, 0.0)), MISSING).astype(np.int64)

    def flags(self, field: Field) -> NDArray[np.uint8]:
        """YES, NO or UNKNOWN_FLAG."""
        out = np.full(self.height, UNKNOWN_FLAG, dtype=np.uint8)
        for _, series in self.sources(field):
            found = self._as_flag(series, field)
            out = np.where(out == UNKNOWN_FLAG, found, out)
        return out

    def _as_flag(self, series: pl.Series, field: Field) -> NDArray[np.uint8]:
        if series.dtype == pl.Boolean:
            return series.cast(pl.UInt8).fill_null(UNKNOWN_FLAG).to_numpy()
        if series.dtype.is_numeric():
            known = series.is_in([0, 1])
            values = series.set(~known.fill_null(False), None).cast(pl.UInt8)
        elif series.dtype == pl.String:
            found = classify(series, _flag)
            unread = int(np.count_nonzero(found == UNKNOWN_FLAG)) - series.null_count()
            self.count("I014", field, unread)
            return found
        else:
            values = self._nulls(pl.UInt8)
        self.count("I014", field, values.null_count() - series.null_count())
        return values.fill_null(UNKNOWN_FLAG).to_numpy()

    def presence(self, field: Field) -> NDArray[np.bool_]:
        """Whether the field is there at all; an empty text is not."""
        out = np.zeros(self.height, dtype=bool)
        for _, series in self.sources(field):
            there = series.is_not_null()
            if series.dtype == pl.String:
                there &= (series.str.len_bytes() > 0).fill_null(False)
            out |= there.to_numpy()
        return out

    def lists(self, field: Field) -> pl.Series:
        """Lists of texts; null where there is none."""
        out = unnamed = self._nulls(pl.List(pl.String))
        for path, series in self.sources(field):
            if isinstance(series.dtype, pl.List) and not series.dtype.inner.is_nested():
                found = series.cast(pl.List(pl.String))
                if "[]" in path:
                    # Objects that lack this member may have it under its next name; if they
                    # have it under none, there are still as many of them.
                    unnamed = unnamed.zip_with(unnamed.is_not_null(), found)
                    named = found.list.drop_nulls().list.len() == found.list.len()
                    found = found.zip_with(named.fill_null(True), self._nulls(found.dtype))
                out = out.zip_with(out.is_not_null(), found)
            else:
                self._count("I014", field, series.is_not_null())
        return out.zip_with(out.is_not_null(), unnamed)

    def classes(self, field: Field, judge: Callable[[str], int], missing: int) -> NDArray[np.uint8]:
        """`judge` of each text, worked out once per distinct text."""
        return classify(self.texts(field), judge, missing)

    def _count(self, code: str, field: Field, rows: pl.Series) -> None:
        self.count(code, field, int(rows.sum() or 0))

    def count(self, code: str, field: Field, number: int) -> None:
        """Note that a number of values of a field cannot be used."""
        if number:
            self._tally[code, self._prefix + field.name] += number

    def _nulls(self, dtype: Any) -> pl.Series:
        return pl.Series([None], dtype=dtype).new_from_index(0, self.height)


def classify(
    texts: pl.Series, judge: Callable[[str], int], missing: int = UNKNOWN_FLAG
) -> NDArray[np.uint8]:
    """`judge` of each text (shape (n,), uint8), `missing` for null."""
    if texts.null_count() == len(texts):
        return np.full(len(texts), missing, dtype=np.uint8)
    categories = pl.Categories.random()
    categorical = texts.cast(pl.Categorical(categories))
    codes = categorical.to_physical().cast(pl.Int64)
    if codes.null_count():
        codes = codes.fill_null(-1)
    table = [*(judge(text) for text in categories.to_series().to_list()), missing]
    found: NDArray[np.uint8] = np.array(table, dtype=np.uint8)[codes.to_numpy()]
    return found


def among(texts: pl.Series, words: Collection[str]) -> NDArray[np.bool_]:
    """Whether a text is one of some words, in lower or upper case; shape (n,)."""
    found = classify(texts, lambda text: YES if text.strip().lower() in words else NO, NO)
    return np.equal(found, YES)


def _flag(text: str) -> int:
    low = text.strip().lower()
    return YES if low in _TRUE else NO if low in _FALSE else UNKNOWN_FLAG


def _follow(columns: Mapping[str, pl.Series], parts: list[str]) -> pl.Series | None:
    series = columns.get(parts[0].removesuffix("[]"))
    if series is None:
        return None
    for part in parts[1:]:
        name = part.removesuffix("[]")
        dtype = series.dtype
        if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct):
            if name not in {f.name for f in dtype.inner.fields}:
                return None
            series = series.list.eval(pl.element().struct.field(name))
        elif isinstance(dtype, pl.Struct):
            if name not in {f.name for f in dtype.fields}:
                return None
            series = series.struct.field(name)
        else:
            return None
    return series
