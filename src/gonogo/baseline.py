"""Where the result of an earlier period is found, and what is compared in a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from gonogo.assemble import config_echo
from gonogo.compare import against_baseline, compare_segments, refused
from gonogo.errors import ResultError
from gonogo.exports.json_out import load
from gonogo.request import Run
from gonogo.results import Comparison, IngestReport
from gonogo.rollup.partial import Partial

RESULT: Final = "readiness.json"
_PLACES: Final = (RESULT, f"latest/{RESULT}")
"""Where a folder keeps it: a site or a state, a site of several periods."""


def compared(
    run: Run, partial: Partial, report: IngestReport, label: Callable[[str, str], str]
) -> tuple[Comparison, ...]:
    """Every comparison that was asked for, the one with the baseline first."""
    if not report.calls:
        return ()
    found = compare_segments(partial, run.config, run.contrasts, label)
    path = _path(run)
    return found if path is None else (_baseline(run, path, partial, report), *found)


def _path(run: Run) -> Path | None:
    if run.request.baseline is not None:
        return run.request.baseline
    configured = run.config.compare.baseline
    return run.beside((configured,))[0] if configured else None


def _baseline(run: Run, path: Path, partial: Partial, report: IngestReport) -> Comparison:
    file = path
    if path.is_dir():
        places = [path / place for place in _PLACES]
        file = next((place for place in places if place.is_file()), places[0])
    name = run.masker.mask("paths", path.name) or path.name
    if not file.is_file():
        return refused(f"there is no baseline yet: {name} holds no {RESULT}")
    try:
        baseline = load(file)
    except ResultError as error:
        return refused(f"the baseline cannot be read: {error.diagnostics[0].what}")
    span = None
    if partial.first_us is not None and partial.last_us is not None:
        span = partial.first_us // 1_000_000, partial.last_us // 1_000_000
    return against_baseline(partial, run.config, baseline, config_echo(run).lines, report, span)
