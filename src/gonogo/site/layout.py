"""Which blocks stand side by side on a wide screen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gonogo.site.model import Block, ChartView, TableView


def _is_half(block: Block) -> bool:
    part = block.chart or block.table
    return part is not None and part.span == "half"


def _single(block: Block) -> Block:
    """A half block without a neighbour: a chart gets its finding beside it, a table the row."""
    if block.chart is not None:
        return Block(replace(block.chart, span="alone"), None)
    if block.table is not None:
        return Block(None, replace(block.table, span="full"))
    return block


def blocks(
    charts: Iterable[ChartView], tables: Iterable[TableView | None] = ()
) -> tuple[Block, ...]:
    """Charts, then those tables that are there; each half block draws the next half one to its
    side, so that no row has a hole."""
    left = [Block(c, None) for c in charts] + [Block(None, t) for t in tables if t is not None]
    placed: list[Block] = []
    while left:
        block = left.pop(0)
        if not _is_half(block):
            placed.append(block)
            continue
        partner = next((i for i, other in enumerate(left) if _is_half(other)), None)
        placed += [_single(block)] if partner is None else [block, left.pop(partner)]
    return tuple(placed)
