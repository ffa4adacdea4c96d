"""What a run leaves behind: the site, and beside it the state."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gonogo.ingest.report import Trouble
from gonogo.measures import relabel
from gonogo.privacy import scrub, scrubbed
from gonogo.request import DEFAULT_STATE, Run
from gonogo.results import ReadinessResult
from gonogo.rollup import store
from gonogo.rollup.partial import Partial

if TYPE_CHECKING:
    from gonogo.progress import Progress

_PRICES: Final = "prices.json"


@dataclass(frozen=True)
class Presentation:
    """How a site is to be put before its readers."""

    templates: Path | None = None
    """folder of templates and assets that go before the built-in ones"""
    single_file: Path | None = None
    """where the whole site is also written as one HTML file"""

    @property
    def special(self) -> bool:
        """True where anything is asked for."""
        return self.templates is not None or self.single_file is not None


def publish(
    result: ReadinessResult, output: Path, progress: Progress, how: Presentation | None = None
) -> None:
    """Draw, render and write the site; what stood at `output` stays until the new one is whole.

    Raises:
        UsageError: something that was asked for cannot be written, or a template cannot be used.
    """
    from gonogo import site

    how = how or Presentation()
    files = pages(result, progress, how.templates)
    site.write(files, output)
    if how.single_file is not None:
        site.write_one(site.single_file(files), how.single_file)


def pages(
    result: ReadinessResult, progress: Progress, templates: Path | None = None
) -> dict[str, bytes]:
    """Every file of the site of one result, by relative path."""
    from gonogo import charts, site
    from gonogo.exports import badge, breaches, json_out

    progress.phase("Drawing charts", None)
    drawn = charts.under_way(result)
    progress.phase("Writing the site", None)
    # In this order, since charts are still being drawn: they are needed last.
    files = {
        "readiness.json": json_out.dumps(result).encode(),
        "breaches.md": breaches.breaches_md(result).encode(),
        "breaches.json": breaches.breaches_json(result).encode(),
        "badge.svg": badge.badge_svg(result).encode(),
        "badge.json": badge.badge_json(result).encode(),
    }
    return site.render(result, drawn, templates) | files


def remembered_prices(run: Run) -> str | None:
    """The prices of the last build, as `remember` wrote them; None where there was none."""
    try:
        return (_state(run) / _PRICES).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _state(run: Run) -> Path:
    return run.request.state or Path(DEFAULT_STATE)


@dataclass(frozen=True, slots=True)
class Memory:
    """What a run knows beside its result."""

    trouble: Trouble
    partial: Partial
    prices: str = ""
    """the price of each model; "" where nothing was priced"""
    run: Run | None = None
    """the run with its grouped objectives spread over what the logs hold; None from rollups"""


def remember(run: Run, memory: Memory, result: ReadinessResult, rollup: Path | None = None) -> bool:
    """The result, the rollup, the prices, and the refused lines with their reasons.

    False where the place may not be written. None of it is in the site. `rollup` is where the
    rollup goes; by default into the state folder. What was judged from a store of rollups is kept
    there, and not a second time.
    """
    from gonogo.exports import json_out

    folder = _state(run)
    lines = (
        json.dumps(
            {
                "file": scrub(q.file),
                "line": q.line,
                "offset": q.offset,
                "code": q.code,
                "reason": q.reason,
            }
        )
        for q in memory.trouble.quarantined
    )
    try:
        counts = rollup or folder / "rollup"
        if run.request.rollups is None:
            store.save(relabel(memory.partial, scrubbed), counts)
        else:
            shutil.rmtree(counts, ignore_errors=True)  # that of another result, made from logs
            folder.mkdir(parents=True, exist_ok=True)
        (folder / "readiness.json").write_bytes(json_out.dumps(result).encode())
        if memory.prices:
            (folder / _PRICES).write_text(memory.prices, "utf-8")
        (folder / "quarantine.jsonl").write_text("".join(f"{line}\n" for line in lines))
        # The state holds the key of the hashed ids: it must not be committed by accident.
        (folder / ".gitignore").write_text("*\n")
    except OSError:
        # A read-only place keeps no memory; the site and its counts are whole all the same.
        return False
    return True
