"""The versions that a verdict rests on: the program's, and those of the data that come with it."""

from __future__ import annotations

from importlib.metadata import version

from gonogo import __version__
from gonogo.conventions import (
    RESULT_SCHEMA_VERSION,
    ROLLUP_SCHEMA_VERSION,
    SEMANTIC_CONVENTIONS_VERSION,
)
from gonogo.pricing.listed import newest_change


def versions() -> str:
    """A line each, the program's first."""
    return (
        f"gonogo, version {__version__}\n"
        f"price list: genai-prices {version('genai-prices')}, "
        f"with changes of price up to {newest_change()}\n"
        f"OpenTelemetry GenAI semantic conventions: up to {SEMANTIC_CONVENTIONS_VERSION}\n"
        f"time zones: tzdata {version('tzdata')}\n"
        f"readiness.json: schema {RESULT_SCHEMA_VERSION}; rollup: schema {ROLLUP_SCHEMA_VERSION}\n"
    )
