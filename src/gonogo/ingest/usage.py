"""Token counts and costs as every later step expects them, whoever wrote the log.

Canonical input tokens hold cache reads and writes, as OpenTelemetry's and OpenAI's do.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gonogo.ingest.access import Reader
from gonogo.ingest.fields import BESIDE_INPUT, LINE_FIELDS
from gonogo.records import MISSING

MODALITIES: Final = (
    "audio_input_tokens",
    "image_input_tokens",
    "audio_output_tokens",
    "cache_write_1h_tokens",
)
_LINE: Final = {f.name: f for f in LINE_FIELDS}
_LARGEST_WEIGHT: Final = 10**9
_DOLLARS: Final = ("usd", "us$", "$", "us dollar", "us dollars")

Counts = NDArray[np.int64]


def with_cached(read: Reader, tokens: dict[str, Counts]) -> Counts:
    """Input tokens, cached ones included; shape (n,).

    Cached tokens are added where they were reported under a name that says that they stand beside
    the input.
    """
    counted = tokens["input_tokens"]
    cached = np.zeros_like(counted)
    for name in BESIDE_INPUT:
        cached += np.maximum(tokens[name], 0)
    if not cached.any():
        return counted
    beside = np.zeros(len(counted), dtype=bool)
    for name, paths in BESIDE_INPUT.items():
        for path, series in read.sources(_LINE[name]):
            if path in paths:
                beside |= series.is_not_null().to_numpy()
    return np.where(beside & (counted != MISSING), counted + cached, counted)


def weights(read: Reader) -> Counts:
    """How many calls each line stands for, in thousandths; MISSING where nothing is logged.

    A weight under one is no weight but most likely the share that was kept, and no sampler keeps
    one call of more than a million: neither is used.
    """
    field = _LINE["sample_weight"]
    found = read.scaled(field, 1e3)
    odd = (found != MISSING) & ((found < 1_000) | (found > _LARGEST_WEIGHT))
    read.count("I015", field, int(odd.sum()))
    return np.where(odd, MISSING, found)


def in_dollars(read: Reader, cost: Counts) -> Counts:
    """Costs without those in another currency, which are counted: no rate is known to convert."""
    field = _LINE["currency"]
    if not read.has(field):
        return cost
    named = read.texts(field)
    other = ~named.str.strip_chars().str.to_lowercase().is_in(list(_DOLLARS)) & (
        named.str.len_bytes() > 0
    )
    foreign = other.fill_null(False).to_numpy() & (cost != MISSING)
    read.count("I041", field, int(foreign.sum()))
    return np.where(foreign, MISSING, cost)
