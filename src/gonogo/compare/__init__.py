"""This period against an earlier one, or one part of a log against another."""

from gonogo.compare.changes import regressions
from gonogo.compare.periods import against_baseline, refused
from gonogo.compare.samples import block_sums
from gonogo.compare.segments import apart, compare_segments

__all__ = [
    "against_baseline",
    "apart",
    "block_sums",
    "compare_segments",
    "refused",
    "regressions",
]
