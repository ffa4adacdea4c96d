"""Write a week of made-up logs for the bench: JSONL with broken lines, or Parquet.

    python bench/generate.py jsonl --calls 1000000 -o DIR
    python bench/generate.py parquet --calls 20000000 -o DIR

One file a day in DIR. ``jsonl`` writes every file twice: DIR/*.jsonl with the broken lines, and
DIR/clean/*.jsonl without them (the duplicates stay), for engines that stop at a broken line.
DIR/.manifest.json says what was written; it comes last, so that it marks a complete set.
The same arguments give the same lines.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

import traffic

MANIFEST = ".manifest.json"
JSONL_CHUNK = 50_000
PARQUET_CHUNK = 400_000
DUPLICATE_LAG = 3
"""Duplicates come back up to this many chunks after their first copy."""

NOT_UTF8 = "\ue000"
"""Stands for a lone 0xFF byte until the lines are bytes."""
BROKEN = ("truncated", "glued", "array", "two_objects", "python_repr", "stack_trace", "not_utf8")


@dataclass
class Manifest:
    """What a data set holds. ``lines`` = calls + duplicates + broken."""

    kind: str
    calls: int
    duplicates: float
    bad: float
    seed: int
    lines: int = 0
    duplicate_lines: int = 0
    broken_lines: dict[str, int] = field(default_factory=dict)
    bytes: int = 0


@dataclass(frozen=True)
class Part:
    """A run of calls of one day: its day, the first call's number, and the start times."""

    day: int
    first: int
    times: traffic.Ints


def parts(shape: traffic.Shape, chunk: int) -> Iterator[Part]:
    first = 0
    for day, calls in enumerate(traffic.calls_per_day(shape.calls)):
        times = traffic.times_of_day(shape, day, calls)
        for piece in np.array_split(times, max(1, -(-calls // chunk))):
            yield Part(day, first, piece)
            first += len(piece)


def day_name(day: int) -> str:
    return (traffic.FIRST_DAY + timedelta(days=day)).strftime("%Y-%m-%d")


def break_line(kind: str, line: str, other: str, cut: int) -> str:
    """A line that is no JSON object, of one of the kinds of ``BROKEN``."""
    cut = 1 + cut % (len(line) - 2)
    return {
        "truncated": line[:cut],
        "glued": line[:cut] + other,
        "array": f"[{line}]",
        "two_objects": f"{line},{other}",
        "python_repr": repr(json.loads(line)),
        "stack_trace": '  File "/srv/app/worker.py", line 218, in handle_message',
        "not_utf8": line[:-2] + NOT_UTF8 + line[-2:],
    }[kind]


def log_lines(table: pa.Table) -> pl.Series:
    """One JSON text a row, without fields that are null or an empty list, as loggers write it."""
    rows = pl.DataFrame(table).with_columns(
        pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
    )
    lines = rows.select(pl.struct(pl.all()).struct.json_encode().alias("line"))["line"]
    return lines.str.replace_all(r'"[a-z_]+":(?:null|\[\]),', "")


def write_jsonl(folder: Path, manifest: Manifest) -> None:
    shape = traffic.Shape(manifest.calls, manifest.seed)
    rng = np.random.default_rng([manifest.seed, 13])
    broken: Counter[str] = Counter()
    waiting: list[pl.Series] = []
    (folder / "clean").mkdir(parents=True, exist_ok=True)
    todo = list(parts(shape, JSONL_CHUNK))
    for number, part in enumerate(todo):
        fresh = log_lines(traffic.chunk(shape, part.first, part.times))
        again = late_copies(waiting, number == len(todo) - 1)
        waiting.append(fresh.filter(pl.Series(rng.random(len(fresh)) < manifest.duplicates)))
        if number == len(todo) - 1:
            again.extend(waiting.pop())
        number_bad = rng.poisson(manifest.bad * len(fresh))
        kinds = [BROKEN[i] for i in rng.integers(0, len(BROKEN), number_bad)]
        chosen = rng.integers(0, len(fresh) - 1, len(kinds))
        cuts = rng.integers(0, 2_000, len(kinds))
        bad = [
            break_line(kind, fresh[int(i)], fresh[int(i) + 1], int(cut))
            for kind, i, cut in zip(kinds, chosen, cuts, strict=True)
        ]
        broken.update(kinds)
        manifest.duplicate_lines += len(again)
        place = np.concatenate(
            [np.arange(len(fresh)), rng.random(len(again) + len(bad)) * len(fresh)]
        )
        good = np.arange(len(place)) < len(fresh) + len(again)
        order = np.argsort(place, kind="stable")
        lines = pl.concat([fresh, again, pl.Series("line", bad, dtype=pl.String)])
        name = f"{day_name(part.day)}.jsonl"
        mode = "ab" if number and todo[number - 1].day == part.day else "wb"
        manifest.lines += len(lines)
        manifest.bytes += append_lines(folder / name, mode, lines.gather(order))
        append_lines(folder / "clean" / name, mode, lines.gather(order[good[order]]))
        say(f"{name}: {manifest.lines:,} lines")
    manifest.broken_lines = {kind: broken[kind] for kind in BROKEN}


def late_copies(waiting: list[pl.Series], everything: bool) -> pl.Series:
    """Copies that are due: those of the oldest chunk that waits, or all at the end."""
    due = len(waiting) if everything else max(0, len(waiting) - DUPLICATE_LAG + 1)
    taken = [waiting.pop(0) for _ in range(due)]
    return pl.concat([pl.Series("line", [], dtype=pl.String), *taken])


def append_lines(path: Path, mode: str, lines: pl.Series) -> int:
    data = "".join([text + "\n" for text in lines]).encode()
    data = data.replace(NOT_UTF8.encode(), b"\xff")
    with path.open(mode) as file:
        return file.write(data)


def write_parquet(folder: Path, manifest: Manifest) -> None:
    shape = traffic.Shape(manifest.calls, manifest.seed, output_chars=40, dictionaries=True)
    rng = np.random.default_rng([manifest.seed, 13])
    waiting: list[pa.Table] = []
    todo = list(parts(shape, PARQUET_CHUNK))
    writer: pq.ParquetWriter | None = None
    for number, part in enumerate(todo):
        fresh = traffic.chunk(shape, part.first, part.times)
        last = number == len(todo) - 1
        due = len(waiting) if last else max(0, len(waiting) - DUPLICATE_LAG + 1)
        again = [waiting.pop(0) for _ in range(due)]
        copies = np.flatnonzero(rng.random(len(fresh)) < manifest.duplicates)
        waiting.append(fresh.take(pa.array(copies)))
        if last:
            again.append(waiting.pop())
        mixed = interleave(fresh, again)
        path = folder / f"{day_name(part.day)}.parquet"
        if writer is None or todo[number - 1].day != part.day:
            if writer is not None:
                writer.close()
            # without the Arrow schema in the file, readers see strings, not dictionaries
            writer = pq.ParquetWriter(path, mixed.schema, compression="zstd", store_schema=False)
        writer.write_table(mixed, row_group_size=len(mixed))
        manifest.lines += len(mixed)
        manifest.duplicate_lines += len(mixed) - len(fresh)
        say(f"{path.name}: {manifest.lines:,} rows")
    if writer is not None:
        writer.close()
    manifest.bytes = sum(path.stat().st_size for path in folder.glob("*.parquet"))


def interleave(fresh: pa.Table, again: list[pa.Table]) -> pa.Table:
    """``fresh`` with the rows of ``again`` put between its eighths."""
    copies = pa.concat_tables(again) if again else fresh.slice(0, 0)
    cuts = [len(fresh) * i // 8 for i in range(9)]
    ends = [len(copies) * i // 8 for i in range(9)]
    slices = []
    for i in range(8):
        slices.append(fresh.slice(cuts[i], cuts[i + 1] - cuts[i]))
        slices.append(copies.slice(ends[i], ends[i + 1] - ends[i]))
    return pa.concat_tables(slices)


def generate(
    kind: str, folder: Path, *, calls: int, duplicates: float, bad: float, seed: int
) -> Manifest:
    """Write one data set into ``folder``, replacing what it held, and return its manifest."""
    wanted = Manifest(kind, calls, duplicates, bad if kind == "jsonl" else 0.0, seed)
    folder.mkdir(parents=True, exist_ok=True)
    for old in [folder / MANIFEST, *folder.glob(f"*.{kind}"), *folder.glob(f"clean/*.{kind}")]:
        old.unlink(missing_ok=True)
    {"jsonl": write_jsonl, "parquet": write_parquet}[kind](folder, wanted)
    (folder / MANIFEST).write_text(json.dumps(asdict(wanted), indent=1) + "\n")
    return wanted


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["jsonl", "parquet"])
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--duplicates", type=float, default=0.01, help="share of calls sent twice")
    parser.add_argument("--bad", type=float, default=0.001, help="share of broken lines (jsonl)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    start = perf_counter()
    made = generate(
        args.kind,
        args.out,
        calls=args.calls,
        duplicates=args.duplicates,
        bad=args.bad,
        seed=args.seed,
    )
    say(f"{made.lines:,} lines, {made.bytes / 1e9:.2f} GB in {perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
