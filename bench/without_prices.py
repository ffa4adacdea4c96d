"""`gonogo` as it would be without pricing: what bench/run.py takes the price of prices against.

Left out: looking prices up, charging calls, the sums and requests made of that, and the tables of
cost. All else is in place, the second look at the lines of excursions included.
"""

from __future__ import annotations

from typing import Any

from gonogo import pipeline, settings
from gonogo.__main__ import main
from gonogo.rollup import costs
from gonogo.rollup.mapper import Mapper


class Unpriced(Mapper):
    """A map step that is given no prices."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given[:4], *([None] if given[4:] else ()), *given[5:], **named)


def leave_out_prices() -> None:
    """For the rest of this process."""
    # Any: a type checker takes what a module holds for constant.
    counting: Any = settings
    counting.Mapper = Unpriced
    judging: Any = pipeline
    judging.cost_tables = judging.price_changes = lambda *_: {}
    pricing: Any = costs
    pricing.price = lambda *_: None


if __name__ == "__main__":
    leave_out_prices()
    main()
