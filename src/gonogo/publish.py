"""What a run leaves behind: the site, and beside it the state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from gonogo.ingest.report import Trouble
from gonogo.measures import relabel
from gonogo.privacy import scrub, scrubbed
from gonogo.request import DEFAULT_STATE, Run
from gonogo.results import ReadinessResult
from gonogo.rollup import store
from gonogo.rollup.partial import Partial

if TYPE_CHECKING:
    from gonogo.progress import Progress


def publish(result: ReadinessResult, output: Path, progress: Progress) -> None:
    """Draw, render and write the site; what stood at `output` stays until the new one is whole."""
    from gonogo import site

    site.write(pages(result, progress), output)


def pages(result: ReadinessResult, progress: Progress) -> dict[str, bytes]:
    """Every file of the site of one result, by relative path."""
    from gonogo import charts, site
    from gonogo.exports import badge, breaches, json_out

    progress.phase("Drawing charts", None)
    drawn = charts.render(result)
    progress.phase("Writing the site", None)
    return dict(site.render(result, drawn)) | {
        "readiness.json": json_out.dumps(result).encode(),
        "breaches.md": breaches.breaches_md(result).encode(),
        "breaches.json": breaches.breaches_json(result).encode(),
        "badge.svg": badge.badge_svg(result).encode(),
        "badge.json": badge.badge_json(result).encode(),
    }


def remember(
    run: Run,
    trouble: Trouble,
    partial: Partial,
    result: ReadinessResult,
    rollup: Path | None = None,
) -> None:
    """The result, the rollup and the refused lines with their reasons: never in the site.

    `rollup` is where the rollup goes; by default into the state folder itself.
    """
    from gonogo.exports import json_out

    folder = run.request.state or Path(DEFAULT_STATE)
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
        for q in trouble.quarantined
    )
    try:
        store.save(relabel(partial, scrubbed), rollup or folder / "rollup")
        (folder / "readiness.json").write_bytes(json_out.dumps(result).encode())
        (folder / "quarantine.jsonl").write_text("".join(f"{line}\n" for line in lines))
        # The state holds the key of the hashed ids: it must not be committed by accident.
        (folder / ".gitignore").write_text("*\n")
    except OSError:
        # A read-only place keeps no memory; the site and its counts are whole all the same.
        return
