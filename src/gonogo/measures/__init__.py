"""From merged counts to what a result holds: tables, objective counts, field coverage."""

from gonogo.measures.build import build_tables
from gonogo.measures.coverage import field_coverage
from gonogo.measures.firsts import first_seen
from gonogo.measures.frames import Distributions
from gonogo.measures.labels import relabel
from gonogo.measures.objectives import objective_data

__all__ = [
    "Distributions",
    "build_tables",
    "field_coverage",
    "first_seen",
    "objective_data",
    "relabel",
]
