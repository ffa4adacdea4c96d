"""The tables of the Evaluation page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import polars as pl

from gonogo import display
from gonogo.evidence.cases import ERRORED, PASSED
from gonogo.evidence.observed import Version
from gonogo.results import Column, Scalar, Table
from gonogo.stats.intervals import wilson

_TITLES = {"tags": "Golden set by tag", "stage": "Golden set by stage"}


def _text(key: str, title: str, about: str = "") -> Column:
    return Column(key=key, title=title, unit="text", help=about)


def _rate(key: str, title: str, num: str, about: str = "") -> Column:
    return Column(
        key=key, title=title, unit="ratio", kind="ratio", num=num, den="cases", help=about
    )


def _hidden(key: str) -> Column:
    return Column(key=key, title=key, unit="count", kind="hidden")


def _table(
    table_id: str, title: str, columns: Sequence[Column], rows: Sequence[dict[str, Scalar]]
) -> Table:
    stored = [c.key for c in columns if c.kind in ("value", "hidden")]
    return Table(
        id=table_id,
        title=title,
        columns=tuple(columns),
        data={key: [row[key] for row in rows] for key in stored},
    )


def interval(passed: int, cases: int) -> str:
    """Wilson's 95 % interval as text."""
    low, high = wilson(passed, cases)
    return display.interval(float(low), float(high), "ratio")


def run_table(runs: Sequence[tuple[Version, int, int, pl.DataFrame]]) -> Table:
    """One row a run: cases, passes, errors and flaky cases."""
    rows: list[dict[str, Scalar]] = [
        {
            "prompt_version": version.prompt_version or None,
            "model": version.model or None,
            "retrieval": version.retrieval or None,
            "cases": cases,
            "passed": passed,
            "interval": interval(passed, cases),
            "errored": int((items["outcome"] == ERRORED).sum()),
            "critical": int(items["critical"].sum()),
            "critical_failed": int((items["critical"] & (items["outcome"] != PASSED)).sum()),
            "flaky": int(items["flaky"].sum()),
        }
        for version, cases, passed, items in runs
    ]
    columns = (
        _text("prompt_version", "prompt version"),
        _text("model", "model"),
        _text("retrieval", "retrieval", "embedding model"),
        Column(key="cases", title="cases", unit="count"),
        _hidden("passed"),
        _rate("pass_rate", "passed", "passed"),
        _text("interval", "95 % interval", "Wilson"),
        _hidden("errored"),
        _rate("error_rate", "errors", "errored", "no pass, and not left out"),
        Column(key="critical", title="critical", unit="count"),
        Column(key="critical_failed", title="critical not passed", unit="count"),
        _hidden("flaky"),
        _rate("flake_rate", "flaky", "flaky", "passed in some repeats and failed in others"),
    )
    return _table("golden_runs", "Golden set", columns, rows)


def part_table(cases: pl.DataFrame, column: Literal["tags", "stage"]) -> Table | None:
    """Single trials by tag or stage; None where no case carries one."""
    frame = cases.explode("tags") if column == "tags" else cases
    frame = frame.filter(pl.col(column).is_not_null() & (pl.col(column) != ""))
    if not frame.height:
        return None
    grouped = frame.group_by(column).agg(
        pl.len().alias("cases"), (pl.col("outcome") == PASSED).sum().alias("passed")
    )
    rows: list[dict[str, Scalar]] = [
        {"part": part, "cases": n, "passed": passed, "interval": interval(passed, n)}
        for part, n, passed in grouped.sort(column).rows()
    ]
    columns = (
        _text("part", "tag" if column == "tags" else "stage"),
        Column(key="cases", title="runs of cases", unit="count"),
        _hidden("passed"),
        _rate("pass_rate", "passed", "passed"),
        _text("interval", "95 % interval", "Wilson"),
    )
    return _table(f"golden_{column}", _TITLES[column], columns, rows)


def change_table(changes: Sequence[tuple[str, str, str, str]]) -> Table | None:
    """Regressions and fixes against the baseline, item by item; regressions first."""
    if not changes:
        return None
    ordered = sorted(changes, key=lambda c: (c[2] != "regression", c[0], c[1]))
    keys = ("version", "case", "change", "outcome")
    columns = (
        _text("case", "case"),
        _text("change", "change"),
        _text("outcome", "before → now"),
        _text("version", "version"),
    )
    rows: list[dict[str, Scalar]] = [dict(zip(keys, change, strict=True)) for change in ordered]
    return _table("golden_changes", "Regressions and fixes", columns, rows)
