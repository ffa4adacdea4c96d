"""Processes that render charts.

A renderer takes most of a second to start and draws one chart at a time. So two are started with
the run, while others are busy with the logs, and each takes the next chart that is left. They speak
JSON, a line each way, and end when their input ends: with this process, however it ends.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from queue import SimpleQueue
from typing import Any, Final, NamedTuple

from gonogo import processes
from gonogo.vega import svg

MOST: Final = 2
_CODE: Final = "from gonogo.vega.workers import serve; serve()"


class Job(NamedTuple):
    """A chart to draw: specification, size of the narrow variant, prefix of ids, spoken text."""

    spec: dict[str, Any]
    narrow: dict[str, Any]
    name: str
    spoken: str


Pair = tuple[str, str]
"""Clean SVG, wide and narrow."""


def start() -> None:
    """Start the renderers; returns at once."""
    _workers()


def draw(jobs: Iterable[Job]) -> list[Pair]:
    """Every job drawn, in order; `jobs` may still be in the making."""
    return list(under_way(jobs))


def under_way(jobs: Iterable[Job]) -> Iterator[Pair]:
    """The same, begun at once: the caller may do something else before it asks for the first."""
    pool = ThreadPoolExecutor(MOST, thread_name_prefix="charts")
    begun = [pool.submit(_draw, job) for job in jobs]
    pool.shutdown(wait=False)
    return (done.result() for done in begun)


def serve() -> None:
    """A worker's life: jobs on stdin, pairs on stdout."""
    svg.warm_up()
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(svg.both_widths(**job)), flush=True)


def _draw(job: Job) -> Pair:
    workers = _workers()
    worker = workers.get()
    try:
        pair = _ask(worker, job) if worker else None
        if pair is None:
            worker = None
            # Without a worker it takes longer; and if the chart is at fault, here it is told why.
            pair = svg.both_widths(**job._asdict())
    finally:
        workers.put(worker)
    return pair


def _ask(worker: processes.Worker, job: Job) -> Pair | None:
    assert worker.stdin
    assert worker.stdout
    try:
        worker.stdin.write(json.dumps(job._asdict()).encode() + b"\n")
        worker.stdin.flush()
        wide, narrow = json.loads(worker.stdout.readline())
    except (OSError, ValueError):
        worker.kill()
        return None
    return wide, narrow


@cache
def _workers() -> SimpleQueue[processes.Worker | None]:
    """Those that are free; None stands for one that is not to be had."""
    workers: SimpleQueue[processes.Worker | None] = SimpleQueue()
    for _ in range(min(MOST, os.cpu_count() or 1)):
        workers.put(processes.start(_CODE))
    return workers
