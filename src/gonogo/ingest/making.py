"""A portion of a file to records: what is done many times over, here or in other processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from gonogo.ingest.access import Tally
from gonogo.ingest.canonical import canonicalise
from gonogo.ingest.chunks import Chunk, Lines, split
from gonogo.ingest.containers import Batch
from gonogo.ingest.decode import Decoder, Rejected
from gonogo.ingest.foreign import Adapted, Foreign
from gonogo.ingest.outputs import Checker
from gonogo.ingest.parts import FILE_SHIFT
from gonogo.ingest.report import Quarantined
from gonogo.ingest.stretch import Stretch
from gonogo.records import Block, Dictionaries


@dataclass(frozen=True, slots=True)
class Portion:
    """Some lines or records of one file; `number` is the file's place in the input."""

    piece: Chunk | Batch
    name: str
    number: int
    foreign: Foreign | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a portion."""

    block: Block | None
    lines: int
    refused: list[Quarantined]
    tally: Tally
    far: int = 0
    versions: Counter[str] = field(default_factory=Counter)


class Maker:
    """Makes blocks, on any number of threads; their texts are codes of `dictionaries`.

    `mapping` holds the user's own names of native fields. `checker` looks at what was answered;
    without one, no output is read. Native lines far from `stretch` are counted and not read.
    """

    def __init__(
        self,
        mapping: Mapping[str, str],
        checker: Checker | None = None,
        stretch: Stretch | None = None,
    ) -> None:
        self.mapping, self.checker, self.stretch = mapping, checker, stretch
        self.dictionaries = Dictionaries()
        # One for all files: mostly they are of one kind, and what it learns changes no meaning.
        self._native, self._foreign = Decoder(mapping), Decoder()

    def make(self, portion: Portion) -> Made:
        """The records of a portion, and what was met."""
        tally: Tally = Counter()
        refused: list[Quarantined] = []
        far = 0
        versions: Counter[str] = Counter()
        lines: Lines | Adapted
        # The user's [fields] name places in the records, where the adapter of a format looks.
        own = portion.foreign is None or portion.foreign.format is None
        decoder, mapping = (self._native, self.mapping) if own else (self._foreign, {})
        if portion.foreign is not None:
            lines = portion.foreign.adapt(portion.piece)
            refused = [
                Quarantined(portion.name, number, at, why.code, why.reason)
                for number, at, why in lines.refused
            ]
            versions = lines.versions
        else:
            assert isinstance(portion.piece, Chunk)
            lines, far = self._near(split(portion.piece))
        if lines.invalid_utf8:
            tally["I013", ""] += lines.invalid_utf8
        decoder.learn(lines.texts)
        decoded = decoder.decode(lines.texts)
        for path, rows in decoded.odd_types.items():
            tally["I014", path] += rows
        total = len(lines.texts) + len(refused) + far
        refused += [
            _refusal(portion.name, lines.numbers, lines.offsets, r) for r in decoded.rejected
        ]
        block = None
        if len(decoded.kept):
            position = (np.uint64(portion.number) << np.uint64(FILE_SHIFT)) | (
                lines.numbers[decoded.kept].astype(np.uint64)
            )
            block = canonicalise(
                decoded.frame, position, self.dictionaries, tally, mapping, keep_ids=True
            )
            if self.checker is not None:
                kept = lines.texts.gather(decoded.kept)
                block = replace(block, outputs=self.checker.look(decoded.frame, mapping, kept))
        return Made(block, total, refused, tally, far, versions)

    def _near(self, lines: Lines) -> tuple[Lines, int]:
        """(the lines that have to be read, how many have not)."""
        if self.stretch is None:
            return lines, 0
        near = ~self.stretch.far(lines.texts)
        texts, far = lines.texts.filter(near), len(near) - int(near.sum())
        kept = Lines(texts, lines.numbers[near], lines.offsets[near], lines.invalid_utf8)
        return kept, far


def _refusal(
    name: str, numbers: NDArray[np.int64], offsets: NDArray[np.int64], rejected: Rejected
) -> Quarantined:
    at = rejected.index
    return Quarantined(name, int(numbers[at]), int(offsets[at]), rejected.code, rejected.reason)
