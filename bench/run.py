"""Race `gonogo check` against DuckDB on the same files: wall time, memory, growth, start-up.

    python bench/run.py [--small | --full] [--data DIR] [--runs N] [--write]

Missing data is generated. Each round runs both engines, the first of them alternating, so that a
machine that slows down slows both; ratios are taken within a round. --write puts the report into
bench/RESULTS.md. The exit code is 1 when a command failed, whatever the figures are.

This file imports nothing outside the standard library: a child's peak memory is never below its
parent's at the fork.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from time import perf_counter

HERE = Path(__file__).parent
ROOT = HERE.parent
VERDICT_CODES = (0, 1, 3)
"""GO (or with conditions), NO-GO, INCONCLUSIVE: the run itself went well."""

SIZES = {
    "small": {"jsonl": (50_000, 200_000), "parquet": (250_000, 1_000_000)},
    "full": {"jsonl": (250_000, 1_000_000), "parquet": (5_000_000, 20_000_000)},
}
"""Calls of each data set: a quarter first, for the growth of time with size."""

MAX_RATIO, MAX_GROWTH, MAX_MB = 1.5, 4.3, 1_500
MAX_HELP_MS, MAX_SITE_S = 150, 3.0
FOREIGN_MB = 500
MIN_FOREIGN_SHARE = 0.5
"""Of the bytes a second that native JSON lines are read at."""
MAX_PRICED, PRICED_CALLS = 1.3, 1_000_000


@dataclass(frozen=True)
class Run:
    """One finished process. ``failure`` is empty where the exit code was an accepted one."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    failure: str = ""


@dataclass(frozen=True)
class Race:
    """The rounds of both engines over one data set, in the order in which they ran."""

    kind: str
    calls: int
    gonogo: list[Run]
    duckdb: list[Run]


def measure(
    command: Sequence[str | Path], accepted: Sequence[int] = (0,), timeout_s: int = 3_600
) -> Run:
    """Run ``command`` with its output thrown away, and account for it and its children."""
    with tempfile.TemporaryFile() as errors:
        start = perf_counter()
        child = subprocess.Popen(
            [str(word) for word in command], stdout=subprocess.DEVNULL, stderr=errors, cwd=ROOT
        )
        alarm = threading.Timer(timeout_s, child.kill)
        alarm.start()
        _, status, usage = os.wait4(child.pid, 0)
        wall = perf_counter() - start
        alarm.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read()[-2_000:].decode(errors="replace").split("\n")
    unit = 1e6 if sys.platform == "darwin" else 1e3
    failure = ""
    if child.returncode not in accepted:
        last = [line.strip() for line in said if line.strip()][-3:]
        failure = f"exit code {child.returncode}: {' / '.join(last) or 'no message'}"
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit, failure)


def data_set(folder: Path, kind: str, calls: int) -> Path:
    """The folder of a data set, generated where it is missing or was made otherwise."""
    label = f"{calls // 1_000_000}m" if calls % 1_000_000 == 0 else f"{calls // 1_000}k"
    place = folder / f"{kind}-{label}"
    wanted = {"kind": kind, "calls": calls, "duplicates": 0.01, "seed": 1}
    wanted["bad"] = 0.001 if kind == "jsonl" else 0.0
    manifest = place / ".manifest.json"
    held = json.loads(manifest.read_text()) if manifest.exists() else {}
    if any(held.get(key) != value for key, value in wanted.items()):
        say(f"generating {place}")
        words = [kind, "--calls", str(calls), "-o", str(place)]
        subprocess.run([sys.executable, str(HERE / "generate.py"), *words], check=True)
    return place


def race(place: Path, kind: str, calls: int, runs: int) -> Race:
    ours = sorted(place.glob(f"*.{kind}"))
    theirs = sorted((place / "clean").glob("*.jsonl")) if kind == "jsonl" else ours
    warm(ours + theirs)
    threads = str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2)
    commands: dict[str, tuple[list[str | Path], tuple[int, ...]]] = {
        "gonogo": (gonogo("check", *ours, "--format", "json"), VERDICT_CODES),
        "duckdb": (
            [sys.executable, HERE / "run_duckdb.py", "--threads", threads, *theirs],
            (0,),
        ),
    }
    done: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(runs):
        names = list(commands) if number % 2 == 0 else list(reversed(commands))
        for name in names:
            run = measure(*commands[name])
            done[name].append(run)
            figures = f"{run.wall_s:.1f} s, {run.cpu_s:.1f} s CPU, {run.peak_mb:.0f} MB"
            say(f"{kind} {calls:,} {name}: {run.failure or figures}")
    return Race(kind, calls, done["gonogo"], done["duckdb"])


def warm(paths: list[Path]) -> None:
    """Read the files once, so that no round pays for the disk."""
    for path in paths:
        with path.open("rb") as file:
            while file.read(1 << 24):
                pass


def gonogo(*words: str | Path) -> list[str | Path]:
    script = Path(sys.executable).parent / "gonogo"
    return [*([script] if script.exists() else [sys.executable, "-m", "gonogo"]), *words]


# ── the report ──────────────────────────────────────────────────────────────────────────────────


def failure_of(runs: list[Run]) -> str:
    return next((run.failure for run in runs if run.failure), "")


def middle(runs: list[Run], what: str = "wall_s") -> float:
    return float(median(getattr(run, what) for run in runs))


def races_table(races: list[Race]) -> Iterator[str]:
    yield "| data | calls | engine | wall s, median (all) | CPU s | peak MB | gonogo / DuckDB |"
    yield "| --- | ---: | --- | --- | ---: | ---: | --- |"
    for one in races:
        for name, runs in (("gonogo", one.gonogo), ("DuckDB", one.duckdb)):
            start = f"| {one.kind} | {one.calls:,} | {name} |"
            if problem := failure_of(runs):
                yield f"{start} **failed**, {problem} | | | |"
                continue
            walls = ", ".join(f"{run.wall_s:.1f}" for run in runs)
            ratio = ""
            if name == "gonogo" and not failure_of(one.duckdb):
                pairs = ", ".join(f"{x:.2f}" for x in ratios(one))
                ratio = f"{median(ratios(one)):.2f} ({pairs})"
            yield (
                f"{start} {middle(runs):.1f} ({walls}) | {middle(runs, 'cpu_s'):.1f} "
                f"| {max(run.peak_mb for run in runs):,.0f} | {ratio} |"
            )


def ratios(one: Race) -> list[float]:
    return [a.wall_s / b.wall_s for a, b in zip(one.gonogo, one.duckdb, strict=True)]


def goal(name: str, limit: str, value: float, shown: str, most: float) -> str:
    return f"| {name} | {limit} | {shown} | {'met' if value <= most else '**missed**'} |"


def goals_table(races: list[Race], extras: list[str]) -> Iterator[str]:
    yield "| goal | at most | measured | |"
    yield "| --- | --- | --- | --- |"
    for kind in ("jsonl", "parquet"):
        quarter, whole = (one for one in races if one.kind == kind)
        title = f"{kind}, {whole.calls:,} calls"
        if failure_of(whole.gonogo) or failure_of(quarter.gonogo):
            yield f"| {title} | | **not measured**: gonogo failed | |"
            continue
        if not failure_of(whole.duckdb):
            ratio = median(ratios(whole))
            limit = f"{MAX_RATIO} × DuckDB"
            yield goal(f"{title}: wall time", limit, ratio, f"{ratio:.2f} ×", MAX_RATIO)
        peak = max(run.peak_mb for run in whole.gonogo)
        yield goal(f"{title}: peak memory", f"{MAX_MB:,} MB", peak, f"{peak:,.0f} MB", MAX_MB)
        growth = middle(whole.gonogo) / middle(quarter.gonogo)
        limit = f"{MAX_GROWTH} ×"
        yield goal(f"{title}: time at 4 × the calls", limit, growth, f"{growth:.2f} ×", MAX_GROWTH)
    yield from extras


def small_goals() -> tuple[list[str], bool]:
    """Rows for start-up and for the site, and whether every command ran."""
    rows: list[str] = []
    helps, passes = [], []
    for _ in range(10):
        helps.append(measure(gonogo("--help")))
        passes.append(measure([sys.executable, "-c", "pass"]))
    if problem := failure_of(helps):
        rows.append(f"| gonogo --help | | **failed**, {problem} | |")
    else:
        extra = 1_000 * (middle(helps) - middle(passes))
        text = f"{extra:.0f} ms ({1_000 * middle(helps):.0f} − {1_000 * middle(passes):.0f})"
        limit = f"{MAX_HELP_MS} ms"
        rows.append(goal("gonogo --help, over python -c pass", limit, extra, text, MAX_HELP_MS))
    builds, checks = [], []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as folder:
            place: list[str | Path] = [
                "-o",
                Path(folder) / "site",
                "--state",
                Path(folder) / "state",
            ]
            builds.append(measure(gonogo("build", "sample_logs", *place), VERDICT_CODES))
        checks.append(measure(gonogo("check", "sample_logs"), VERDICT_CODES))
    problem = failure_of(builds) or failure_of(checks)
    if problem:
        rows.append(f"| site of sample_logs | | **failed**, {problem} | |")
    else:
        build, check = middle(builds), middle(checks)
        limit = f"{MAX_SITE_S:.0f} s"
        rows.append(goal("gonogo build sample_logs", limit, build, f"{build:.2f} s", MAX_SITE_S))
        text = f"{build - check:.2f} s (check: {check:.2f} s)"
        rows.append(goal("what the site adds", limit, build - check, text, MAX_SITE_S))
    return rows, not (failure_of(helps) or problem)


def foreign_goals(folder: Path, megabytes: int, calls: int, runs: int) -> tuple[list[str], bool]:
    """Rows for the speed and memory of logs of other tools, and whether every command ran.

    Each round reads native lines too, and a ratio is of one round.
    """
    sets = {"native": sorted(data_set(folder, "jsonl", calls).glob("*.jsonl"))}
    for kind in ("otlp", "litellm"):
        path = folder / f"{kind}-{megabytes}mb.jsonl"
        if not path.exists():
            say(f"making {path}")
            make = [sys.executable, HERE / "foreign.py", kind, "--mb", str(megabytes), "-o", path]
            subprocess.run([str(word) for word in make], check=True)
        sets[kind] = [path]
    done: dict[str, list[Run]] = {name: [] for name in sets}
    for number in range(runs):
        for name in sorted(sets, reverse=bool(number % 2)):
            warm(sets[name])
            done[name].append(measure(gonogo("check", *sets[name]), VERDICT_CODES))
            say(f"{name}: {done[name][-1].failure or f'{done[name][-1].wall_s:.1f} s'}")
    sizes = {name: sum(path.stat().st_size for path in paths) / 1e6 for name, paths in sets.items()}
    rows, fine = [], True
    for kind in ("otlp", "litellm"):
        title = f"{kind}, {megabytes} MB"
        if problem := failure_of(done["native"]) or failure_of(done[kind]):
            rows.append(f"| {title} | | **failed**, {problem} | |")
            fine = False
            continue
        scale = sizes["native"] / sizes[kind]
        slower = [
            scale * own.wall_s / native.wall_s
            for own, native in zip(done[kind], done["native"], strict=True)
        ]
        cpu = scale * middle(done[kind], "cpu_s") / middle(done["native"], "cpu_s")
        text = (
            f"{median(slower):.2f} × native a MB ({', '.join(f'{x:.2f}' for x in slower)}), "
            f"{cpu:.2f} × processor time; {sizes[kind] / middle(done[kind]):.0f} MB/s"
        )
        limit = f"{1 / MIN_FOREIGN_SHARE:.0f} × native"
        rows.append(goal(f"{title}: time", limit, median(slower), text, 1 / MIN_FOREIGN_SHARE))
        peak = max(run.peak_mb for run in done[kind])
        rows.append(goal(f"{title}: memory", f"{MAX_MB:,} MB", peak, f"{peak:,.0f} MB", MAX_MB))
    return rows, fine


def priced_goal(folder: Path, runs: int) -> tuple[list[str], bool]:
    """A row for what pricing a million calls adds, in rounds of both, and whether they ran."""
    place = data_set(folder, "parquet", PRICED_CALLS)
    files = sorted(place.glob("*.parquet"))
    warm(files)
    plain: list[str | Path] = [sys.executable, HERE / "without_prices.py"]
    done: dict[str, list[Run]] = {"with": [], "without": []}
    for number in range(runs):
        for name in sorted(done, reverse=bool(number % 2)):
            words = gonogo("check", *files) if name == "with" else [*plain, "check", *files]
            done[name].append(measure(words, VERDICT_CODES))
            say(f"{PRICED_CALLS:,} calls {name} prices: {done[name][-1].cpu_s:.1f} s CPU")
    if problem := failure_of(done["with"]) or failure_of(done["without"]):
        return [f"| pricing | | **failed**, {problem} | |"], False
    walls = [a.wall_s / b.wall_s for a, b in zip(done["with"], done["without"], strict=True)]
    cpu = middle(done["with"], "cpu_s") / middle(done["without"], "cpu_s")
    ratio = median(walls)
    title = f"{PRICED_CALLS:,} calls priced, over the same without prices"
    text = f"{ratio:.2f} × wall, {cpu:.2f} × processor time"
    return [goal(title, f"{MAX_PRICED} ×", ratio, text, MAX_PRICED)], True


def machine() -> Iterator[str]:
    def of(path: str, key: str) -> str:
        with contextlib.suppress(OSError):
            for line in Path(path).read_text().splitlines():
                if line.startswith(key):
                    return line.split(":", 1)[1].strip()
        return "unknown"

    memory = of("/proc/meminfo", "MemTotal").split()
    size = f"{int(memory[0]) / 1024**2:.0f} GiB" if memory[0].isdigit() else "unknown"
    yield f"- CPU: {of('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores; memory: {size}"
    yield f"- {platform.system()}, Python {platform.python_version()}"
    found = []
    for package in ("gonogo", "polars", "pyarrow", "numpy", "duckdb"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} not installed")
    yield f"- {', '.join(found)}"


def report(size: str, races: list[Race], extras: list[str]) -> str:
    lines = [
        f"# Bench results ({size})",
        "",
        "`gonogo check`, files to verdict, against DuckDB computing every indicator with",
        "`bench/duckdb.sql`, de-duplication included, on the same generated files: 1 % duplicates,",
        "and in JSONL 0.1 % broken lines, which DuckDB is spared. Files are in the page cache,",
        "rounds alternate, each ratio is of one round.",
        "",
        *machine(),
        "",
        *races_table(races),
        "",
        *goals_table(races, extras),
    ]
    return "\n".join(lines) + "\n"


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--small", dest="size", action="store_const", const="small")
    size.add_argument("--full", dest="size", action="store_const", const="full")
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "gonogo-bench")
    parser.add_argument("--runs", type=int, default=3, help="rounds for each data set")
    parser.add_argument("--write", action="store_true", help="into bench/RESULTS.md")
    parser.set_defaults(size="small")
    args = parser.parse_args()
    races = [
        race(data_set(args.data, kind, calls), kind, calls, args.runs)
        for kind, sizes in SIZES[args.size].items()
        for calls in sizes
    ]
    extras, fine = small_goals()
    calls = SIZES[args.size]["jsonl"][-1]
    more, fine_too = foreign_goals(args.data, FOREIGN_MB, calls, args.runs)
    extras, fine = extras + more, fine and fine_too
    priced, ran = priced_goal(args.data, args.runs)
    extras += priced
    fine = fine and ran
    text = report(args.size, races, extras)
    print(text)
    if args.write:
        (HERE / "RESULTS.md").write_text(text)
    failed = any(failure_of(one.gonogo) or failure_of(one.duckdb) for one in races)
    return 1 if failed or not fine else 0


if __name__ == "__main__":
    sys.exit(main())
