"""Times what a site takes to draw and to write, without reading a log.

    python bench/pages.py    the sample project's week, and 52 weeks of history

Prints seconds of wall time, the best of three; the machine should have nothing else to do.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from gonogo.history.entry import Entry, read
from gonogo.site.history import render_history

ROOT = Path(__file__).resolve().parents[1]
LAST, MONDAY = "2026-W47", date(2026, 11, 16)


def best(work: Callable[[], object], times: int = 3) -> float:
    """Seconds of the fastest of some runs."""
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        found.append(time.perf_counter() - begin)
    return min(found)


def gonogo(*words: object) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gonogo", *map(str, words)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1, 3):
        raise SystemExit(done.stderr)


def charts(saved: Path, number: int) -> None:
    """The charts of the sample week to SVG, each in two widths, in a process that is warm and in
    one that has just begun."""
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from gonogo.charts.render import drawings, job\n"
        "from gonogo.exports.json_out import load\n"
        "from gonogo.vega.workers import draw, start\n"
        "result = load(Path(sys.argv[1]))\n"
        "begin = time.perf_counter()\n"
        "start()\n"
        "jobs = [job(d) for d in drawings(result)][:int(sys.argv[2])]\n"
        "draw(jobs)\n"
        "print(len(jobs), time.perf_counter() - begin)\n"
        "for _ in range(2):\n"
        "    begin = time.perf_counter()\n"
        "    draw(jobs)\n"
        "    print(len(jobs), time.perf_counter() - begin)\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", script, str(saved), str(number)],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.split()
        for _ in range(3)
    ]  # fmt: skip
    cold = min(float(r[1]) for r in runs)
    warm = min(float(x) for r in runs for x in (r[3], r[5]))
    print(f"{runs[0][0]} charts, two SVGs each, renderers starting   {cold:6.2f} s")
    print(f"{runs[0][0]} charts, two SVGs each, renderers running    {warm:6.2f} s")


def history(out: Path, weeks: int) -> None:
    """A period added to the published history of some weeks, and what of it the history takes:
    reading what the weeks have published, and writing the page of them all."""
    whole = json.loads((out / LAST / "readiness.json").read_text())
    for i in range(1, weeks):
        monday = MONDAY - timedelta(weeks=i)
        year, week, _ = monday.isocalendar()
        label, back = f"{year}-W{week:02}", 7 * 86_400 * i
        period = whole["period"]
        earlier = {key: period[key] - back for key in ("start", "end", "first", "last")}
        (out / label).mkdir()
        (out / label / "readiness.json").write_text(
            json.dumps(whole | {"period": period | earlier | {"label": label}})
        )

    def entries() -> list[Entry]:
        files = sorted(out.glob("*-W*/readiness.json"))
        found = (read(file.read_bytes(), file.parent.name) for file in files)
        return [entry for entry in found if entry is not None]

    known = entries()
    if len(known) != weeks:
        raise SystemExit(f"{len(known)} of {weeks} weeks can be read")
    read_in = best(entries)
    drawn_in = best(lambda: render_history(known, "bench"))
    print(f"{weeks} weeks, what they published read             {read_in:6.2f} s")
    print(f"{weeks} weeks, page of all periods with its trends  {drawn_in:6.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--charts", type=int, default=15)
    parser.add_argument("--weeks", type=int, default=52)
    asked = parser.parse_args()
    os.environ.setdefault("PYTHONPATH", str(ROOT / "src"))
    with tempfile.TemporaryDirectory() as folder:
        out, state = Path(folder) / "public", Path(folder) / "state"
        gonogo("build", "sample_logs", "-c", "sample_project/readiness.toml", "-o", out,
               "--state", state, "--period", LAST)  # fmt: skip
        charts(out / LAST / "readiness.json", asked.charts)
        history(out, asked.weeks)


if __name__ == "__main__":
    main()
