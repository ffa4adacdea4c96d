"""Names as they may be shown: every text of a partial passes here before it is built on."""

from __future__ import annotations

import functools
from collections.abc import Callable

import polars as pl

from gonogo.measures.runs import heads
from gonogo.rollup.partial import FRAMES, PAIR_SEPARATOR, PAIRS, WITNESS_SEPARATOR, Partial

Label = Callable[[str, str], str]
"""(column, text) -> the text to show"""


def relabel(partial: Partial, label: Label) -> Partial:
    """The same counts under other names; values that get one name become one row."""
    frames = dict(partial.frames)
    for name, spec in FRAMES.items():
        if name in ("objectives", "counters", "constraints"):
            continue
        frame = partial.frames[name]
        if name in ("histograms", "extremes"):
            renamed, merged = _scoped(frame, label)
        else:
            found = {c: _renamed(frame[c], c, label) for c in spec.texts}
            merged = any(are_merged for _, are_merged in found.values())
            renamed = frame.with_columns(s for c, (s, _) in found.items() if s is not frame[c])
        frames[name] = spec.ordered(spec.grouped([renamed])) if merged else renamed
    exemplars = partial.exemplars.with_columns(
        _renamed(partial.exemplars[c], c, label)[0] for c in ("model", "operation", "release")
    )
    exemplars = exemplars.with_columns(
        _renamed(exemplars["kind"], "kind", lambda _, kind: _witness(kind, label))[0]
    )
    return Partial(
        frames,
        partial.sessions,
        partial.users,
        exemplars,
        partial.first_us,
        partial.last_us,
        partial.prompts,
    )


def _witness(kind: str, label: Label) -> str:
    """The kind of a witness with the name of its action as it may be shown."""
    what, *rest = kind.split(WITNESS_SEPARATOR)
    if what != "action":
        return kind
    name = WITNESS_SEPARATOR.join(rest[:-1])
    return WITNESS_SEPARATOR.join((what, label("action", name) if name else name, rest[-1]))


def _renamed(series: pl.Series, column: str, label: Label) -> tuple[pl.Series, bool]:
    """The column under its new names, and whether two of them became one."""
    changed, merged = _changes(series, column, label)
    return (series.replace(changed) if changed else series), merged


def _changes(series: pl.Series, column: str, label: Label) -> tuple[dict[str, str], bool]:
    """New names by the old ones that they differ from, and whether two of them become one."""
    texts = series.unique().drop_nulls().to_list()
    new = [label(column, text) for text in texts]
    changed = {old: name for old, name in zip(texts, new, strict=True) if old != name}
    return changed, len(set(new)) < len(new)


def _scoped(frame: pl.DataFrame, label: Label) -> tuple[pl.DataFrame, bool]:
    held = frame.select("dimension", "value")[heads(frame, [pl.col("dimension"), pl.col("value")])]
    merged, named = False, pl.col("value")
    for (dimension,), part in held.unique().group_by("dimension"):
        name = str(dimension)
        if name in ("", "objective"):
            continue
        changed, are_merged = _changes(part["value"], name, functools.partial(_of_scope, label))
        merged |= are_merged
        if changed:
            here = pl.col("dimension") == name
            named = pl.when(here).then(pl.col("value").replace(changed)).otherwise(named)
    return frame.with_columns(value=named), merged


def _of_scope(label: Label, scope: str, text: str) -> str:
    if scope not in PAIRS:
        return label(scope, text)
    pieces = zip(PAIRS[scope], text.split(PAIR_SEPARATOR), strict=True)
    return PAIR_SEPARATOR.join(label(column, piece) if piece else piece for column, piece in pieces)
