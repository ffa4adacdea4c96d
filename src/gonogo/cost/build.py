"""All tables of the Cost page that the counts give."""

from __future__ import annotations

from collections.abc import Sequence

from gonogo.config.model import Config
from gonogo.cost import invoice, levers, proof, scenario, waste
from gonogo.cost.invoice import Bill
from gonogo.measures import Distributions
from gonogo.measures.traffic import sampling
from gonogo.pricing import Book
from gonogo.results import Table
from gonogo.rollup.partial import Partial


def cost_tables(
    partial: Partial,
    config: Config,
    distributions: Distributions,
    book: Book,
    bills: Sequence[Bill] = (),
) -> dict[str, Table]:
    """Tables by id; those without a row are left out."""
    if not partial.frames["costs"].height:
        return {}
    made = [
        proof.sources(partial),
        proof.by_model(partial),
        proof.unknown(partial),
        proof.differences(partial),
        proof.buckets(partial),
        waste.units(partial, distributions),
        waste.wasted(partial),
        waste.days(partial, config),
        scenario.sampled_traffic(partial, config),
        scenario.table(partial, config, distributions),
        scenario.by_model(partial, config),
        scenario.traffic(partial, config),
        levers.table(partial, config, distributions, book),
        *invoice.tables(partial, bills, book, sampling(partial, config).spend),
    ]
    return {table.id: table for table in made if table.height}
