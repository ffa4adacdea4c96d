"""A whole input: every file, every duplicate, every trace, in bounded memory."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo import heap
from gonogo.adapters import Format
from gonogo.ingest import traces
from gonogo.ingest.access import Tally
from gonogo.ingest.discover import Discovery
from gonogo.ingest.duplicates import Doubles, find_duplicates, fingerprints, leave_out
from gonogo.ingest.outputs import Checker
from gonogo.ingest.parts import BlockStore, Part, learn, nothing
from gonogo.ingest.reader import Advance, Reading
from gonogo.ingest.report import FileCount, Trouble
from gonogo.ingest.spill import ask_for_room
from gonogo.ingest.stretch import Stretch, is_told
from gonogo.records import Block, Dictionaries


@dataclass(slots=True)
class LogInput:
    """All accepted and duplicate lines as parts, in the order of files and lines."""

    parts: list[Part]
    doubles: list[Doubles]
    rules: Sequence[traces.TraceRules | None]
    files: list[FileCount]
    trouble: Trouble
    dictionaries: Dictionaries
    store: BlockStore
    formats: dict[str, Format] = field(default_factory=dict)
    orphans: int = 0
    identities: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    """of the lines that stay, sorted; filled where it was asked what is read elsewhere"""
    elsewhere: int = 0
    """lines left out because they were read elsewhere"""
    far: int = 0
    """lines left unread because they lie far from the stretch of time that was asked for"""
    _conflicts: list[tuple[NDArray[Any], ...]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def blocks(self) -> Iterator[Callable[[], tuple[Block, NDArray[np.bool_]]]]:
        """Loaders, one a part; each gives (block, keep): keep is False on duplicates."""
        for number in range(len(self.parts)):
            yield partial(self._load, number)

    def _load(self, number: int) -> tuple[Block, NDArray[np.bool_]]:
        tally: Tally = Counter()
        block = self.parts[number].load(tally)
        doubles = self.doubles[number]
        with self._lock:
            self.trouble.tally.update(tally)
            if len(doubles.rows):
                self._conflicts.append(fingerprints(block, doubles))
        rules = self.rules[number]
        return (rules.apply(block) if rules else block), doubles.kept(self.parts[number].rows)

    def learn(self, keys: Collection[str]) -> None:
        """Make sure that the dictionaries hold all values of these keys."""
        learn(self.parts, keys)

    def ids(self, part: int, rows: list[int]) -> pl.DataFrame:
        """trace_id and span_id, as logged, of some rows of a part."""
        return self.parts[part].ids(rows)

    def folded(self) -> int:
        """Wrapper spans that only repeat the calls below them; known once the input is read."""
        return sum(int(rules.folded.sum()) for rules in self.rules if rules)

    def conflicting(self) -> int:
        """Duplicates that differ from the copy that was kept; known once all blocks were loaded."""
        if not self._conflicts:
            return 0
        identity, content, dropped = (np.concatenate(c) for c in zip(*self._conflicts, strict=True))
        frame = pl.DataFrame({"identity": identity, "content": content, "dropped": dropped})
        kept = frame.filter(~pl.col("dropped")).unique("identity").rename({"content": "kept"})
        both = frame.filter("dropped").join(kept, on="identity", how="inner")
        return both.filter(pl.col("content") != pl.col("kept")).height

    def close(self) -> None:
        self.store.cleanup()


def read_logs(
    discovery: Discovery,
    mapping: Mapping[str, str],
    advance: Advance,
    threads: int | None = None,
    *,
    store: BlockStore | None = None,
    log_format: str | None = None,
    elsewhere: NDArray[np.uint64] | None = None,
    checker: Checker | None = None,
    stretch: Stretch | None = None,
    own: Sequence[Format] = (),
) -> LogInput:
    """Read every source once (Parquet: its ids), find duplicates and resolve traces.

    `log_format` is a format's name or a mapping file; without one, each file's is told from it.
    `own` are the formats of the project's mapping files, tried before all others.
    `elsewhere` holds the identities, sorted, of lines that other inputs have: such lines are
    duplicates here.
    `checker` looks at what was answered; without one, no output is read.
    Native lines far from `stretch` are counted and not read.

    Raises:
        InputError: a file in which every line is bad, or a file that is no log at all; no room on
            the disk for what does not fit in memory.
        UsageError: there is no such format.
    """
    workers = threads or os.cpu_count() or 1
    store = store or BlockStore(lasting=elsewhere is not None)
    near = stretch if is_told(mapping) else None
    reading = Reading(mapping, advance, workers, store, log_format, checker, own, near)
    reading.trouble.files.extend(discovery.problems)
    heap.one_arena()
    ask_for_room(discovery.sources)
    with closing(reading):
        reading.read(discovery.sources)
    reading.store.close()
    parts: list[Part] = sorted(
        [*reading.store.parts, *reading.parquet], key=lambda p: int(p.file[0])
    )
    return settle(reading, parts, elsewhere)


def settle(
    reading: Reading, parts: list[Part], elsewhere: NDArray[np.uint64] | None = None
) -> LogInput:
    """Find the duplicates of all parts, count them per file, and resolve the traces."""
    every = [part.identity for part in parts]
    doubles = find_duplicates(every, [part.versions for part in parts])
    left_out, identities = 0, np.empty(0, np.uint64)
    if elsewhere is not None:
        doubles, left_out, identities = leave_out(every, doubles, elsewhere)
    for part, found in zip(parts, doubles, strict=True):
        dropped = found.rows[found.dropped]
        for index, count in Counter(part.file[dropped].tolist()).items():
            reading.files[index].duplicates += count
    rules, orphans = _trace_rules(parts, doubles, linked=reading.has_parents)
    reading.store.identities.close()
    for part in parts:
        # Twelve bytes a line are much when there are very many; from here on few are needed.
        part.identity, part.file = nothing, part.file[:1].copy()
    heap.give_back()
    return LogInput(
        parts,
        doubles,
        rules,
        reading.files,
        reading.trouble,
        reading.dictionaries,
        reading.store,
        reading.formats,
        orphans,
        identities,
        left_out,
        reading.far,
    )


def _trace_rules(
    parts: Sequence[Part], doubles: Sequence[Doubles], *, linked: bool
) -> tuple[Sequence[traces.TraceRules | None], int]:
    if not linked:
        return [None] * len(parts), 0
    scratch: Tally = Counter()
    links = [traces.links_of(part.load(scratch)) for part in parts]
    dropped = [~own.kept(part.rows) for part, own in zip(parts, doubles, strict=True)]
    return traces.resolve(links, dropped)
