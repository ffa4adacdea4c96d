"""Partials on disk: one Parquet file a frame and a small description, each with a version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gonogo.conventions import ROLLUP_SCHEMA_VERSION
from gonogo.errors import Diagnostic, ResultError
from gonogo.rollup.partial import FRAMES, Partial
from gonogo.stats.distinct import Distinct

_META = "rollup.json"


def save(partial: Partial, folder: Path) -> None:
    """Write a partial into a folder, which is made where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in partial.frames.items():
        frame.write_parquet(folder / f"{name}.parquet", statistics=False)
    partial.exemplars.write_parquet(folder / "exemplars.parquet", statistics=False)
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


def load(folder: Path) -> Partial:
    """Read a partial.

    Raises:
        ResultError: the folder holds no finished rollup, or one of another version.
    """
    meta = _meta(folder)
    frames = {name: pl.read_parquet(folder / f"{name}.parquet") for name in FRAMES}
    distinct = {}
    for name, kind in meta["distinct"].items():
        values = pl.read_parquet(folder / f"{name}.parquet")["value"].to_numpy()
        exact = kind == "hashes"
        distinct[name] = (
            Distinct(values.astype(np.uint64))
            if exact
            else Distinct(registers=values.astype(np.uint8))
        )
    return Partial(
        frames,
        distinct["sessions"],
        distinct["users"],
        pl.read_parquet(folder / "exemplars.parquet"),
        meta["first_us"],
        meta["last_us"],
        distinct["prompts"],
    )


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
