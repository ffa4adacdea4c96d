"""Processes that read beside this one.

Threads of one Python stand in each other's way, while rules are asked of single records and in the
many short calls that a block of lines takes. Where there is much to read, others are started, and
each takes the next portion that is left. What they cannot do is done here, with the same result.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo import processes
from gonogo.ingest.canonical import hash_seed, share_seed
from gonogo.ingest.chunks import CHUNK_BYTES, Chunk
from gonogo.ingest.making import Made, Maker, Portion

MOST: Final = 3
"""Each holds a chunk and what is made of it: some 250 MB at most."""
BEGIN_AT: Final = CHUNK_BYTES // 2
"""A few small files are read here."""
IN_FLIGHT: Final = 2
"""Portions that a process has at a time: one to work on, and the next one at its door."""
WORTH: Final = 100 << 20
"""Bytes to come that are worth a start of the workers, which takes as long as some 60 MB."""
_CODE: Final = "from gonogo.ingest.beside import serve; serve()"


_Column = tuple[str, str]
"""A frame of a block, and one of its columns that hold codes."""


@dataclass(slots=True)
class _Reader:
    """A process, and the codes here of the texts that it has told, by its own codes.

    Whoever asks it waits until those before have their answers.
    """

    process: processes.Worker
    codes: dict[_Column, NDArray[np.uint32]] = field(default_factory=dict)
    asked: int = 0
    answered: int = 0
    is_dead: bool = False
    sending: threading.Lock = field(default_factory=threading.Lock)
    turn: threading.Condition = field(default_factory=threading.Condition)


@dataclass(slots=True)
class _Answer:
    """What became of a portion, and the texts that each dictionary has got since the last one."""

    made: Made
    texts: dict[_Column, list[str | None]]


class Readers:
    """Makes blocks here, with `maker`, or elsewhere.

    `threads` is how many blocks are made here at the same time; `expected`, how many bytes there
    may be in all, may be set before the first one is asked.
    """

    def __init__(
        self, maker: Maker, threads: int, *, begin_at: int = BEGIN_AT, worth: int = WORTH
    ) -> None:
        self.maker = maker
        self._threads = threads
        self._number = min(threads, MOST) if threads > 1 else 0
        self._begin_at, self._worth = begin_at, worth
        self.expected = self._seen = 0
        self._lock = threading.Lock()
        self._making = threading.BoundedSemaphore(threads)
        self._started: list[_Reader] = []
        self._idle: SimpleQueue[_Reader] = SimpleQueue()

    @property
    def askers(self) -> int:
        """How many should ask at the same time."""
        beside = IN_FLIGHT * self._number if self.expected > self._worth else 0
        return max(self._threads, beside)

    def make(self, portion: Portion) -> Made:
        """The records of a portion, their texts as codes of the dictionaries here."""
        # Records that are parsed already would take longer to send than to convert.
        found = self._take(len(portion.piece.data)) if isinstance(portion.piece, Chunk) else None
        made = self._ask(found, portion) if found else None
        if made is None:
            with self._making:
                made = self.maker.make(portion)
        return made

    def _ask(self, reader: _Reader, portion: Portion) -> Made | None:
        """What a reader made of a portion; None where it cannot be asked, or gives no answer."""
        assert isinstance(portion.piece, Chunk)
        # The bytes go beside the pickle: they are many, and need not be copied.
        data = portion.piece.data
        bare = replace(portion, piece=replace(portion.piece, data=b""))
        job = _packed((bare, len(data)))
        if job is None:
            self._idle.put(reader)
            return None
        with reader.sending:
            turn = reader.asked
            reader.asked += 1
            is_sent = _send(reader.process, job, data)
        with reader.turn:
            reader.turn.wait_for(lambda: reader.answered == turn or reader.is_dead)
        made = None
        try:
            answer = _received(reader.process) if is_sent and not reader.is_dead else None
            made = self._here(reader, answer) if answer else None
        finally:  # or those behind would wait for ever
            with reader.turn:
                reader.is_dead = made is None
                reader.answered += 1
                reader.turn.notify_all()
        if made is None:
            processes.stop(reader.process)
        else:
            self._idle.put(reader)
        return made

    def close(self) -> None:
        """End the processes, at whatever they are."""
        for reader in self._started:
            processes.stop(reader.process)

    def _take(self, size: int) -> _Reader | None:
        """One that is free, where it is time for others."""
        with self._lock:
            self._seen += size
            # Of a pipe nothing is known: as much again as there was may follow.
            to_come = max(self.expected - self._seen, self._seen)
            if not self._number or self._seen < self._begin_at or to_come < self._worth:
                return None
            if not self._started:
                self._start()
        try:
            return self._idle.get_nowait()
        except Empty:
            return None

    def _start(self) -> None:
        maker = self.maker
        begin = _packed((hash_seed(), maker.mapping, maker.checker, maker.stretch))
        for _ in range(self._number if begin else 0):
            # Its own libraries need no threads: there is a process for each.
            worker = processes.start(_CODE, POLARS_MAX_THREADS="1")
            if worker is not None and begin and _send(worker, begin):
                self._started.append(_Reader(worker))
        for reader in self._started * IN_FLIGHT:
            self._idle.put(reader)
        self._number = len(self._started)

    def _here(self, reader: _Reader, answer: _Answer) -> Made:
        """The same with the codes of the dictionaries here."""
        block, frames = answer.made.block, {}
        for frame, columns in self.maker.dictionaries.coded().items():
            renewed = []
            for column, dictionary in columns.items():
                texts = pl.Series(answer.texts[frame, column], dtype=pl.String)
                before = reader.codes.get((frame, column), np.empty(0, np.uint32))
                codes = np.concatenate([before, dictionary.encode(texts).to_numpy()])
                reader.codes[frame, column] = codes
                if block is not None:
                    renewed.append(pl.Series(column, codes[getattr(block, frame)[column]]))
            if block is not None:
                frames[frame] = getattr(block, frame).with_columns(renewed)
        return (
            answer.made if block is None else replace(answer.made, block=replace(block, **frames))
        )


def _packed(what: object) -> bytes | None:
    try:
        return pickle.dumps(what, protocol=5)
    except Exception:  # a format of a third party may be anything
        return None


def _send(worker: processes.Worker, *what: bytes) -> bool:
    assert worker.stdin
    try:
        for part in what:
            worker.stdin.write(part)
        worker.stdin.flush()
    except (OSError, ValueError):
        return False
    return True


def _received(worker: processes.Worker) -> _Answer | None:
    assert worker.stdout
    try:
        answer = pickle.load(worker.stdout)
    except (OSError, ValueError, EOFError, pickle.UnpicklingError):
        return None
    return answer if isinstance(answer, _Answer) else None


def serve() -> None:
    """A reader's life: on stdin how to read and then portions, on stdout what became of each."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What a format prints must not stand between the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    seed, *how = pickle.load(sys.stdin.buffer)
    share_seed(seed)
    maker = Maker(*how)
    told: Counter[_Column] = Counter()
    while True:
        try:
            portion, size = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        portion.piece.data = sys.stdin.buffer.read(size)
        made, texts = maker.make(portion), {}
        del portion  # or it stays until the next one is there
        for frame, columns in maker.dictionaries.coded().items():
            for column, dictionary in columns.items():
                texts[frame, column] = dictionary.series()[told[frame, column] :].to_list()
                told[frame, column] += len(texts[frame, column])
        pickle.dump(_Answer(made, texts), answers, protocol=5)
        answers.flush()
        del made
