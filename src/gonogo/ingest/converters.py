"""Processes that turn records of other tools into native lines.

Converting is work in Python, of which one process does one piece at a time however many threads it
has. Once it is plain that there is much to convert, others are started; each takes the next chunk
of lines that is left. What a worker cannot do is done here, with the same result.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from queue import Empty, SimpleQueue
from typing import Final

from gonogo import processes
from gonogo.ingest.chunks import CHUNK_BYTES, Chunk
from gonogo.ingest.containers import Batch
from gonogo.ingest.foreign import Adapted, Foreign

MOST: Final = 3
"""Each holds a chunk and what is made of it: some 250 MB at most."""
BEGIN_AT: Final = CHUNK_BYTES // 2
"""A few small files of another tool among native ones are converted here."""
WORTH: Final = 100 << 20
"""Bytes to come that are worth a start of the workers, which takes as long as some 60 MB."""
_CODE: Final = "from gonogo.ingest.converters import serve; serve()"


class Converters:
    """Converts here or elsewhere.

    `threads` is how many ask at the same time; `expected`, how many bytes there may be in all, may
    be set before the first one is asked.
    """

    def __init__(self, threads: int, *, begin_at: int = BEGIN_AT, worth: int = WORTH) -> None:
        self._number = min(threads, MOST) if threads > 1 else 0
        self._begin_at, self._worth = begin_at, worth
        self.expected = self._seen = 0
        self._lock = threading.Lock()
        self._started: list[processes.Worker] = []
        self._idle: SimpleQueue[processes.Worker] = SimpleQueue()

    def adapt(self, foreign: Foreign, piece: Chunk | Batch) -> Adapted:
        """The native lines of one share of a file."""
        worker = self._take(len(piece.data)) if isinstance(piece, Chunk) else None
        if worker is None:
            return foreign.adapt(piece)
        job = _packed(foreign, piece)
        made = _ask(worker, job) if job else None
        if job and made is None:
            processes.stop(worker)
        else:
            self._idle.put(worker)
        return foreign.adapt(piece) if made is None else made

    def close(self) -> None:
        for worker in self._started:
            processes.stop(worker)

    def _take(self, size: int) -> processes.Worker | None:
        """A worker that is free, where it is time for workers."""
        with self._lock:
            self._seen += size
            # Of a pipe nothing is known: as much again as there was may follow.
            to_come = max(self.expected - self._seen, self._seen)
            if not self._number or self._seen < self._begin_at or to_come < self._worth:
                return None
            if not self._started:
                # Its own libraries need no threads: there is a worker for each.
                for _ in range(self._number):
                    worker = processes.start(_CODE, POLARS_MAX_THREADS="1")
                    self._started += [worker] if worker else []
                for worker in self._started:
                    self._idle.put(worker)
                self._number = len(self._started)
        try:
            return self._idle.get_nowait()
        except Empty:
            return None


def _packed(foreign: Foreign, piece: Chunk | Batch) -> bytes | None:
    try:
        return pickle.dumps((foreign, piece), protocol=5)
    except Exception:  # a format of a third party may be anything
        return None


def _ask(worker: processes.Worker, job: bytes) -> Adapted | None:
    """What the worker made of it; None where it gave no answer."""
    assert worker.stdin
    assert worker.stdout
    try:
        worker.stdin.write(job)
        worker.stdin.flush()
        answer = pickle.load(worker.stdout)
    except (OSError, EOFError, pickle.UnpicklingError):
        return None
    return answer if isinstance(answer, Adapted) else None


def serve() -> None:
    """A worker's life: pairs of a format and a chunk on stdin, what was made of them on stdout."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What a format prints must not stand between the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    while True:
        try:
            foreign, piece = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(foreign.adapt(piece), answers, protocol=5)
        answers.flush()
        del piece  # or it stays until the next one is there
