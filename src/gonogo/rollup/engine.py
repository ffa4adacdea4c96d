"""From an opened input to one partial, on all processors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Final, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo import heap
from gonogo.records import Block
from gonogo.rollup.mapper import Mapper
from gonogo.rollup.partial import Partial

GIVE_BACK_EVERY: Final = 16
"""Blocks after which memory that is free is returned to the system."""

Loader = Callable[[], tuple[Block, NDArray[np.bool_]]]


class Counts(Protocol):
    """What blocks are added to: one map step, or several."""

    def add(self, block: Block, keep: NDArray[np.bool_], part: int) -> None: ...


def run(
    loaders: Iterable[Loader],
    mapper: Mapper,
    fetch_ids: Callable[[int, list[int]], pl.DataFrame],
    advance: Callable[[int], None],
    threads: int | None = None,
) -> Partial:
    """Map every block and merge; `advance` is told the number of lines done."""
    add_all(loaders, mapper, advance, threads)
    return mapper.finish(fetch_ids)


def add_all(
    loaders: Iterable[Loader],
    mapper: Counts,
    advance: Callable[[int], None],
    threads: int | None = None,
) -> None:
    """Map every block."""

    def work(item: tuple[int, Loader]) -> int:
        number, load = item
        block, keep = load()
        mapper.add(block, keep, number)
        return len(keep)

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        pending = [pool.submit(work, item) for item in enumerate(loaders)]
        try:
            for done, future in enumerate(as_completed(pending), 1):
                advance(future.result())
                if not done % GIVE_BACK_EVERY:
                    heap.give_back()
        finally:
            pool.shutdown(cancel_futures=True)
