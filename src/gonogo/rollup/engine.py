"""From an opened input to one partial, on all processors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.records import Block
from gonogo.rollup.mapper import Mapper
from gonogo.rollup.partial import Partial

Loader = Callable[[], tuple[Block, NDArray[np.bool_]]]


def run(
    loaders: Iterable[Loader],
    mapper: Mapper,
    fetch_ids: Callable[[int, list[int]], pl.DataFrame],
    advance: Callable[[int], None],
    threads: int | None = None,
) -> Partial:
    """Map every block and merge; `advance` is told the number of lines done."""

    def work(item: tuple[int, Loader]) -> int:
        number, load = item
        block, keep = load()
        mapper.add(block, keep, number)
        return len(keep)

    workers = threads or os.cpu_count() or 1
    numbered = enumerate(loaders)
    with ThreadPoolExecutor(workers) as pool:
        pending = {pool.submit(work, item) for item in islice(numbered, workers)}
        while pending:
            future = next(iter(pending))
            pending.discard(future)
            advance(future.result())
            pending |= {pool.submit(work, item) for item in islice(numbered, 1)}
    return mapper.finish(fetch_ids)
