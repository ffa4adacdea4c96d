"""Partials on disk: one Parquet file a frame and a small description, each with a version."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gonogo.conventions import ROLLUP_SCHEMA_VERSION
from gonogo.errors import Diagnostic, ResultError
from gonogo.rollup.partial import FRAMES, Partial
from gonogo.stats.distinct import Distinct

_META = "rollup.json"
_EXEMPLARS = "exemplars"


@dataclass(frozen=True, slots=True)
class Kept:
    """A partial on disk, of which nothing but the description was read."""

    folder: Path
    first_us: int | None
    last_us: int | None
    kinds: dict[str, str]
    """whether it has the hashes or the registers of `sessions`, `users` and `prompts`"""


def save(partial: Partial, folder: Path) -> None:
    """Write a partial into a folder, which is made where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in partial.frames.items():
        frame.write_parquet(folder / f"{name}.parquet", statistics=False)
    partial.exemplars.write_parquet(folder / f"{_EXEMPLARS}.parquet", statistics=False)
    kinds = {}
    for name, distinct in (
        ("sessions", partial.sessions),
        ("users", partial.users),
        ("prompts", partial.prompts),
    ):
        kinds[name] = "hashes" if distinct.is_exact else "registers"
        values = distinct.hashes if distinct.registers is None else distinct.registers
        pl.DataFrame({"value": values}).write_parquet(folder / f"{name}.parquet")
    meta = {
        "schema_version": ROLLUP_SCHEMA_VERSION,
        "first_us": partial.first_us,
        "last_us": partial.last_us,
        "distinct": kinds,
    }
    # Written last: a folder without it is a rollup that was never finished.
    (folder / _META).write_text(json.dumps(meta, sort_keys=True) + "\n")


def describe(folder: Path) -> Kept:
    """What a saved partial is of, without its counts.

    Raises:
        ResultError: the folder holds no finished rollup, or one of another version.
    """
    meta = _meta(folder)
    return Kept(folder, meta["first_us"], meta["last_us"], meta["distinct"])


def frames(kept: Sequence[Kept], name: str) -> list[pl.DataFrame]:
    """One of `FRAMES`, or "exemplars", of each partial.

    Raises:
        ResultError: a file is damaged or missing.
    """
    paths = [one.folder / f"{name}.parquet" for one in kept]
    try:
        # All at once: it is the number of files that takes the time, and the engine has threads.
        return pl.collect_all([pl.scan_parquet(path, glob=False) for path in paths])
    except (pl.exceptions.PolarsError, OSError):
        damaged = (path for path in paths if not _is_whole(path))
        path = next(damaged, paths[0])
        hint = "delete that folder, and roll its file up again"
        what = f"{path.name} is damaged or missing"
        raise ResultError([Diagnostic("R006", str(path.parent), what, hint)]) from None


def distinct(kept: Sequence[Kept], name: str) -> list[Distinct]:
    """The `sessions`, `users` or `prompts` of each partial; errors as for `frames`."""
    return [
        Distinct(values.astype(np.uint64))
        if one.kinds[name] == "hashes"
        else Distinct(registers=values.astype(np.uint8))
        for one, frame in zip(kept, frames(kept, name), strict=True)
        for values in [frame["value"].to_numpy()]
    ]


def load(folder: Path) -> Partial:
    """Read a partial.

    Raises:
        ResultError: the folder holds no finished rollup, or one of another version.
    """
    kept = [describe(folder)]
    (sessions,), (users,), (prompts,) = (
        distinct(kept, name) for name in ("sessions", "users", "prompts")
    )
    return Partial(
        {name: frames(kept, name)[0] for name in FRAMES},
        sessions,
        users,
        frames(kept, _EXEMPLARS)[0],
        kept[0].first_us,
        kept[0].last_us,
        prompts,
    )


def _is_whole(path: Path) -> bool:
    try:
        pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError):
        return False
    return True


def _meta(folder: Path) -> dict[str, Any]:
    try:
        meta: dict[str, Any] = json.loads((folder / _META).read_text())
        version = meta["schema_version"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ResultError(
            [
                Diagnostic(
                    "R006", str(folder), "holds no finished rollup", "make it again from the logs"
                )
            ]
        ) from None
    if version != ROLLUP_SCHEMA_VERSION:
        age = "older" if version < ROLLUP_SCHEMA_VERSION else "newer"
        raise ResultError(
            [
                Diagnostic(
                    "R007",
                    str(folder),
                    f"a rollup of a{'n' if age == 'older' else ''} {age} version "
                    f"({version}; this one reads {ROLLUP_SCHEMA_VERSION})",
                    "make it again from the logs",
                )
            ]
        )
    return meta
