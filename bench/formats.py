"""How fast each format is read, beside native JSON lines: files to tables, nothing judged.

    python bench/formats.py [--mb 60] [--runs N] [--only otlp litellm] [--data DIR]

Missing data is generated. In each round every file is read once, in a process of its own, and a
share of the native speed is of one round. Processor time and peak memory include the processes that
were started. The exit code is 1 when a file was not read, whatever the figures are.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import foreign
import run

HERE = Path(__file__).parent
BYTES_A_CALL = 1_200
"""Of a native line of generate.py."""
HELD_TO = ("otlp", "litellm")
LEAST, MAX_MB = 0.5, 1_500

Figures = dict[str, float]


def files(folder: Path, megabytes: int, kinds: list[str]) -> dict[str, list[Path]]:
    calls = megabytes * 1_000_000 // BYTES_A_CALL
    found = {"native": sorted(run.data_set(folder, "jsonl", calls).glob("*.jsonl"))}
    for kind in kinds:
        path = folder / f"{kind}-{megabytes}mb.jsonl"
        if not path.exists():
            run.say(f"making {path}")
            foreign.write(kind, megabytes * 1_000_000, path)
        found[kind] = [path]
    return found


def read(paths: list[Path]) -> Figures:
    """Figures of one reading, taken in a fresh process; none where it failed."""
    command = [sys.executable, Path(__file__), "--read", *paths]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=run.ROOT)
    if done.returncode:
        run.say(done.stderr[-2_000:])
        return {}
    figures: Figures = json.loads(done.stdout)
    return figures


def read_here(paths: list[str]) -> None:
    """The other end of `read`."""
    import resource
    from time import perf_counter, process_time

    from gonogo.ingest.discover import discover
    from gonogo.ingest.logs import read_logs

    def spent(who: int) -> float:
        usage = resource.getrusage(who)
        return usage.ru_utime + usage.ru_stime

    start, busy = perf_counter(), process_time()
    logs = read_logs(discover(paths), {}, lambda _: None)
    wall, cpu = perf_counter() - start, process_time() - busy
    lines = sum(count.lines - count.quarantined for count in logs.files)
    logs.close()
    unit = 1e6 if sys.platform == "darwin" else 1e3
    peaks = [
        resource.getrusage(who).ru_maxrss / unit
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    cpu += spent(resource.RUSAGE_CHILDREN)
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": sum(peaks), "lines": lines}))


def table(sizes: dict[str, float], rounds: list[dict[str, Figures]]) -> tuple[list[str], bool]:
    rows = [
        "| format | MB | lines | MB/s | MB per processor second | peak MB | of native: wall "
        "(rounds) | processor | |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- | --- | --- |",
    ]
    fine = True
    for kind, size in sizes.items():
        mine = [done[kind] for done in rounds if done[kind] and done["native"]]
        if not mine:
            rows.append(f"| {kind} | {size:.0f} | **not read** | | | | | | |")
            fine = False
            continue
        shares = {}
        for what in ("wall", "cpu"):
            shares[what] = [
                size / done[kind][what] / (sizes["native"] / done["native"][what])
                for done in rounds
                if done[kind] and done["native"]
            ]
        wall, cpu = (median(one[what] for one in mine) for what in ("wall", "cpu"))
        told = ", ".join(f"{share:.2f}" for share in shares["wall"])
        peak = max(one["peak"] for one in mine)
        met = median(shares["wall"]) >= LEAST and peak <= MAX_MB
        goal = "" if kind not in HELD_TO else "met" if met else "**missed**"
        rows.append(
            f"| {kind} | {size:.0f} | {mine[0]['lines']:,.0f} | {size / wall:.0f} "
            f"| {size / cpu:.0f} | {peak:,.0f} | {median(shares['wall']):.2f} × ({told}) "
            f"| {median(shares['cpu']):.2f} × | {goal} |"
        )
    return rows, fine


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mb", type=int, default=60)
    parser.add_argument("--runs", type=int, default=3, help="rounds")
    kinds = list(foreign.KINDS)
    parser.add_argument("--only", nargs="+", choices=kinds, default=kinds)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "gonogo-bench")
    parser.add_argument("--read", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.read:
        read_here(args.read)
        return 0
    sets = files(args.data, args.mb, args.only)
    sizes = {kind: sum(path.stat().st_size for path in paths) / 1e6 for kind, paths in sets.items()}
    rounds: list[dict[str, Figures]] = []
    for number in range(args.runs):
        rounds.append({})
        for kind in sorted(sets, reverse=bool(number % 2)):
            run.warm(sets[kind])
            rounds[-1][kind] = read(sets[kind])
            figures = rounds[-1][kind]
            told = f"{figures['wall']:.2f} s, {figures['cpu']:.2f} s CPU" if figures else "failed"
            run.say(f"{kind}: {told}")
    rows, fine = table(sizes, rounds)
    print("\n".join(rows))
    print(f"\nThe goal of {' and '.join(HELD_TO)}: {LEAST} × native MB/s, at most {MAX_MB:,} MB.")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
