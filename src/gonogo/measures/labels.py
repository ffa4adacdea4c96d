"""Names as they may be shown: every text of a partial passes here before it is built on."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

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
            renamed, merged = _renamed(frame, spec.texts, label)
        frames[name] = spec.ordered(spec.grouped([renamed])) if merged else renamed
    exemplars, _ = _renamed(partial.exemplars, ("model", "operation", "release"), label)
    exemplars, _ = _renamed(exemplars, ("kind",), lambda _, kind: _witness(kind, label))
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


def _renamed(
    frame: pl.DataFrame, columns: Sequence[str], label: Label
) -> tuple[pl.DataFrame, bool]:
    """The columns under their new names, and whether two of one column became one."""
    if not columns:
        return frame, False
    texts = frame.select(pl.col(columns).unique().drop_nulls().implode())
    found = {c: _changes(texts[c][0].to_list(), c, label) for c in columns}
    renamed = (pl.col(c).replace(changed) for c, (changed, _) in found.items() if changed)
    return frame.with_columns(renamed), any(merged for _, merged in found.values())


def _changes(texts: Sequence[str], column: str, label: Label) -> tuple[dict[str, str], bool]:
    """New names by the old ones that they differ from, and whether two of them become one."""
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
        texts = part["value"].drop_nulls().to_list()
        changed, are_merged = _changes(texts, name, functools.partial(_of_scope, label))
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
