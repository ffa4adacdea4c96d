"""Times one more period: a week from its rollup with a year of history and without, and a month.

    python bench/history.py [--weeks 52] [--runs 3] [--data DIR] [--month STORE]

The weeks are quiet ones of the sample logs, each under a seed of its own and moved to its date,
rolled up and built one after the other into --data (kept, and used again). Then the newest week is
built in turn into an empty site with nothing else in the store, and into the site, state and store
of all the others. --month times a site of everything in a folder of rollups.

Prints wall seconds, and processor seconds of the whole process tree: medians.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sample_logs"))

from copilot_week import CALLS, WEEK_START, calls_for_week

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "sample_project" / "readiness.toml"
LAST = date(2026, 11, 16)
VERDICT_CODES = (0, 1, 3)


class Run(NamedTuple):
    """One finished build."""

    wall: float
    cpu: float
    peak_mb: float


def gonogo(*words: object) -> Run:
    """Run a command to its end, children included."""
    command = [sys.executable, "-m", "gonogo", *map(str, words), "-q"]
    begin = perf_counter()
    # Not subprocess.run: the processor time of this one child is wanted.
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in VERDICT_CODES:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def write_week(path: Path, monday: date, calls: int) -> None:
    """The quiet week whose seed is its number, as it would have been logged from `monday` on."""
    moved = monday - WEEK_START.date()
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for call in calls_for_week(monday.toordinal(), planted=False, n=calls):
            at = datetime.fromisoformat(call["timestamp"]) + moved
            file.write(json.dumps(call | {"timestamp": at.isoformat()}) + "\n")


def name_of(monday: date) -> str:
    """The ISO week that a Monday begins."""
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02}"


def prepare(data: Path, weeks: int, calls: int, jobs: int) -> list[str]:
    """Logs, rollups, and the site and state of all weeks but the newest; the weeks' names."""
    mondays = [LAST - timedelta(weeks=back) for back in range(weeks, -1, -1)]
    names = [name_of(monday) for monday in mondays]
    logs = data / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    missing = [(logs / f"{n}.jsonl", m) for n, m in zip(names, mondays, strict=True)]
    missing = [(path, monday) for path, monday in missing if not path.exists()]
    with ProcessPoolExecutor(jobs) as pool:
        list(pool.map(partial(write_week, calls=calls), *zip(*missing, strict=True)))
    gonogo("rollup", logs, "-o", data / "all", "-c", CONFIG)
    gonogo("rollup", logs / f"{names[-1]}.jsonl", "-o", data / "one", "-c", CONFIG)
    for name in names[:-1]:
        if not (data / "site" / name).is_dir():
            build(data / "all", data, name)
    return names


def build(store: Path, place: Path, name: str) -> Run:
    """One week into the site and state of a place."""
    site, state = place / "site", place / "state"
    options = ("--from-rollups", store, "--period", name, "-c", CONFIG)
    return gonogo("build", *options, "-o", site, "--state", state)


def told(what: str, runs: Sequence[Run]) -> None:
    wall, cpu, peak = (median(column) for column in zip(*runs, strict=True))
    print(f"{what}: {wall:.2f} s, {cpu:.2f} s of processor time, {peak:,.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--weeks", type=int, default=52, help="of history")
    parser.add_argument("--calls", type=int, default=CALLS, help="a week")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--data", type=Path, default=Path("bench/data/history"))
    parser.add_argument("--month", type=Path, help="a folder of rollups")
    args = parser.parse_args()
    data = args.data.resolve()
    names = prepare(data, args.weeks, args.calls, args.jobs)
    first, later, month = [], [], []
    for _ in range(args.runs):
        with tempfile.TemporaryDirectory() as folder:
            first.append(build(data / "one", Path(folder), names[-1]))
        with tempfile.TemporaryDirectory() as folder:
            for part in ("site", "state"):
                shutil.copytree(data / part, Path(folder) / part)
            later.append(build(data / "all", Path(folder), names[-1]))
        if args.month:
            with tempfile.TemporaryDirectory() as folder:
                place = Path(folder)
                options = ("--from-rollups", args.month.resolve(), "-o", place / "site")
                month.append(gonogo("build", *options, "--state", place / "state"))
    told("the first week", first)
    told(f"week {args.weeks + 1}, beside {args.weeks} others", later)
    if month:
        told("a month of rollups", month)


if __name__ == "__main__":
    main()
