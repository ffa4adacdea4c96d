"""Names as they may be shown: every text of a partial passes here before it is built on."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from gonogo.rollup.partial import FRAMES, PAIR_SEPARATOR, PAIRS, Partial

Label = Callable[[str, str], str]
"""(column, text) -> the text to show"""


def relabel(partial: Partial, label: Label) -> Partial:
    """The same counts under other names; values that get one name become one row."""
    frames = dict(partial.frames)
    for name, spec in FRAMES.items():
        if name in ("objectives", "counters"):
            continue
        frame = partial.frames[name]
        if name in ("histograms", "extremes"):
            renamed = _scoped(frame, label)
        else:
            columns = {c: _renamed(frame[c], c, label) for c in spec.texts}
            renamed = frame.with_columns(s for c, s in columns.items() if s is not frame[c])
        if not renamed.equals(frame):
            frames[name] = spec.combine([renamed])
    exemplars = partial.exemplars.with_columns(
        _renamed(partial.exemplars[c], c, label) for c in ("model", "operation", "release")
    )
    return Partial(
        frames, partial.sessions, partial.users, exemplars, partial.first_us, partial.last_us
    )


def _renamed(series: pl.Series, column: str, label: Label) -> pl.Series:
    texts = series.drop_nulls().unique().to_list()
    changed = {text: new for text in texts if (new := label(column, text)) != text}
    return series.replace(changed) if changed else series


def _scoped(frame: pl.DataFrame, label: Label) -> pl.DataFrame:
    parts = []
    for (dimension,), part in frame.group_by("dimension", maintain_order=True):
        name = str(dimension)
        values = part["value"]
        if name in PAIRS:
            values = _renamed(
                values,
                name,
                lambda of, text: PAIR_SEPARATOR.join(
                    label(column, piece) if piece else piece
                    for column, piece in zip(PAIRS[of], text.split(PAIR_SEPARATOR), strict=True)
                ),
            )
        elif name not in ("", "objective"):
            values = _renamed(values, name, label)
        parts.append(part.with_columns(values.alias("value")))
    return pl.concat(parts) if parts else frame
