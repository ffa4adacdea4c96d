"""Periods beside each other: what each said, its editions, and where they are kept.

entry = read(content, "2026-W47")     # of a readiness.json of any version
archive = Archive(Path("state"), "public")
"""

from gonogo.history.archive import Archive, is_period
from gonogo.history.editions import edition
from gonogo.history.entry import Edition, Entry, Point, read

__all__ = ["Archive", "Edition", "Entry", "Point", "edition", "is_period", "read"]
