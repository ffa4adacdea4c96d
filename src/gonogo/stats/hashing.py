"""A stable 64-bit hash of texts, the same in every process and version.

Distinct users are kept in rollups for months, so their hash must not change with a library. The
rounds and the finaliser are those of MurmurHash2-64A and MurmurHash3
(https://github.com/aappleby/smhasher/wiki/MurmurHash3, public domain), vectorised over texts.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

_MULTIPLIER: Final = np.uint64(0xC6A4A7935BD1E995)
_C1: Final = np.uint64(0xFF51AFD7ED558CCD)
_C2: Final = np.uint64(0xC4CEB9FE1A85EC53)
_SALT: Final = np.uint64(0x51_7C_C1_B7_27_22_0A_95)
"""Distinct ids are counted by their hash too; a sample is another draw."""

_TAIL_MASKS: Final = np.array([(1 << (8 * n)) - 1 for n in range(8)] + [2**64 - 1], dtype=np.uint64)


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread 64-bit integers over 64 bits (a bijection)."""
    mixed = values ^ (values >> np.uint64(33))
    mixed = mixed * _C1
    mixed ^= mixed >> np.uint64(33)
    mixed = mixed * _C2
    mixed ^= mixed >> np.uint64(33)
    return mixed


def sampled(hashes: NDArray[np.uint64], level: int) -> NDArray[np.bool_]:
    """Which of these stay at a level: a share of 1 / 2**level, drawn by the hash alone."""
    if not level:
        return np.ones(len(hashes), dtype=bool)
    drawn: NDArray[np.bool_] = (mix(hashes ^ _SALT) >> np.uint64(64 - level)) == 0
    return drawn


def stable_hash(texts: pl.Series) -> NDArray[np.uint64]:
    """Hash of each text, shape (n,); 0 for a null or empty text and for no other."""
    filled = texts.fill_null("").rechunk()
    arrow = filled.to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offset_buffer, data_buffer = arrow.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[arrow.offset :][: len(filled) + 1]
    raw = np.frombuffer(data_buffer, dtype=np.uint8) if data_buffer else np.empty(0, np.uint8)
    padded = np.concatenate([raw[: offsets[-1] if len(offsets) else 0], np.zeros(8, np.uint8)])
    words = np.ndarray((len(padded) - 7,), dtype="<u8", buffer=padded, strides=(1,))
    start = offsets[:-1]
    length = np.diff(offsets)
    state = mix(length.astype(np.uint64) + np.uint64(1))
    same = int(length[0]) if len(length) and (length == length[0]).all() else 0
    if same:
        # Ids of one length, as most are: their words stand at equal distances.
        for done in range(0, same, 8):
            at = int(start[0]) + done
            word = np.ndarray((len(filled),), "<u8", padded, at, (same,))
            word = word & _TAIL_MASKS[min(same - done, 8)]
            state = (state ^ mix(word * _MULTIPLIER)) * _MULTIPLIER
        return _finished(state, length)
    rows = np.arange(len(filled))
    done = 0
    while True:
        rows = rows[length[rows] > done]
        if not len(rows):
            return _finished(state, length)
        left = np.minimum(length[rows] - done, 8)
        word = words[start[rows] + done] & _TAIL_MASKS[left]
        state[rows] = (state[rows] ^ mix(word * _MULTIPLIER)) * _MULTIPLIER
        done += 8


def _finished(state: NDArray[np.uint64], length: NDArray[np.int64]) -> NDArray[np.uint64]:
    state = mix(state)
    state[state == 0] = 1
    state[length == 0] = 0
    return state
