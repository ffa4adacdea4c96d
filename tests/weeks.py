"""Small logs of whole weeks for the tests of history: quiet ones, bad ones, late records."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from published import ordinary

CONFIG = """\
[slo]
"error_rate" = "<= 5%"
"latency.p95" = "<= 5s"
"""


def calls_of(week: str, n: int, *, bad_every: int = 0, seed: int = 1) -> list[dict[str, Any]]:
    """`n` calls spread evenly over an ISO week (UTC), each `bad_every`-th failed."""
    monday = date.fromisocalendar(int(week[:4]), int(week[6:]), 1)
    start = datetime(monday.year, monday.month, monday.day, tzinfo=UTC)
    rows = ordinary(n, seed)
    for i, row in enumerate(rows):
        row["timestamp"] = (start + timedelta(days=7) * i / n).isoformat()
        row["trace_id"] = f"{week}{seed:04}{i:022}".replace("-", "").replace("W", "a")[:32]
        row["span_id"] = f"{i:016x}"
        if bad_every and i % bad_every == 0:
            row |= {"status": "error", "error_type": "timeout"}
    return rows


def write_week(folder: Path, week: str, n: int, *, bad_every: int = 0, seed: int = 1) -> Path:
    """The same as a file of JSON lines in `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{week}-{seed}.jsonl"
    rows = calls_of(week, n, bad_every=bad_every, seed=seed)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
