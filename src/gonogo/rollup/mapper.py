"""The map step: one block of canonical records to counts, added to what is there already.

Within a run texts are codes; `finish` turns them into texts, so that partials of other runs merge.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo import heap
from gonogo.config.model import Objective
from gonogo.records import (
    BROKEN_BY,
    ERROR_CLASSES,
    MISSING,
    NO_TIME,
    YES,
    Block,
    Dictionaries,
    Dictionary,
)
from gonogo.rollup import exemplars, requests, spend
from gonogo.rollup.blocks import NOTHING, Contrasts
from gonogo.rollup.context import context
from gonogo.rollup.costs import Pricing
from gonogo.rollup.coverage import count_fields
from gonogo.rollup.objectives import counted, selected_lines
from gonogo.rollup.partial import (
    FRAMES,
    PAIR_SEPARATOR,
    PAIRS,
    Partial,
    Spec,
    keep_exemplars,
)
from gonogo.rollup.piece import Piece
from gonogo.rollup.select import Calendar, Selection, split
from gonogo.rollup.step import Step
from gonogo.rollup.sums import Sums, narrowed
from gonogo.rollup.tally import METRICS, PAIR_FACTOR, SCOPES
from gonogo.rollup.watched import Watched, witnesses
from gonogo.stats.distinct import Distinct


class Mapper:
    """Maps blocks, on any number of threads, and holds the sums."""

    def __init__(
        self,
        wanted: Sequence[Objective],
        selection: Selection,
        calendar: Calendar,
        dictionaries: Dictionaries,
        pricing: Pricing | None = None,
        contrast: Contrasts = NOTHING,
        watch: Watched | None = None,
    ) -> None:
        self._watch = watch or Watched()
        self._objectives = wanted
        self._selection = selection
        self._calendar = calendar
        self._dictionaries = dictionaries
        self._pricing = pricing
        self._contrast = contrast
        self._sums = {name: Sums(spec) for name, spec in FRAMES.items()}
        self._counters: Counter[str] = Counter()
        self._exemplars: list[pl.DataFrame] = []
        self._sessions, self._users, self._prompts = Distinct(), Distinct(), Distinct()
        self._requests = requests.Requests()
        self._spend = pl.DataFrame(schema=FRAMES["spend"].schema)
        self._asked = {
            number: (objective, requests.Requests())
            for number, objective in enumerate(map(counted, wanted))
            if objective.spec.table == "traces"
        }
        self._times: list[int] = []
        self.spans: dict[int, tuple[int, int]] = {}
        """first and last time (epoch µs) of the lines of each part that count"""
        self._lock = threading.Lock()

    def add(self, block: Block, keep: NDArray[np.bool_], part: int) -> None:
        """Count the lines of a block that are kept and selected."""
        parted = split(block.lines, keep, self._selection, self._dictionaries)
        ctx = context(block, parted.taken, self._calendar)
        step = Step(ctx, self._dictionaries, self._pricing, self._contrast, self._watch)
        if ctx.height:
            step.run(self._objectives)
        seen = witnesses(ctx, step.broken, self._dictionaries)
        found = exemplars.candidates(ctx, part, seen)
        asked_for, selected = None, {}
        if self._pricing is not None:
            asked_for = requests.of_block(ctx, part, self._requests.level)
            spent = spend.of_block(ctx)
        for number, (objective, kept) in self._asked.items():
            lines = selected_lines(objective, ctx, self._dictionaries)
            selected[number] = requests.of_block(ctx, part, kept.level, lines)
        calls = ctx.calls
        sessions = Distinct.of(ctx["session_hash"][calls])
        users = Distinct.of(ctx["user_hash"][calls])
        asked = calls & (ctx["cache_hit"] != YES) & (ctx["cost_nano_usd"] != MISSING)
        prompts = Distinct.of(ctx["input_hash"][asked])
        start = ctx["start_us"][ctx["start_us"] != NO_TIME]
        counters = Counter(count_fields(ctx))
        counters.update(
            outside=parted.outside,
            filtered=parted.filtered,
            excluded=parted.excluded,
            later=parted.later,
            calls=int(calls.sum()),
            not_calls=int(ctx.height - calls.sum()),
            untimed_calls=int((calls & (ctx["start_us"] == NO_TIME)).sum()),
        )
        for name, frames in step.frames.items():
            self._sums[name].add(list(map(narrowed, frames)))
        with self._lock:
            self._counters.update(counters)
            self._exemplars.append(found)
            if asked_for is not None:
                self._requests.add(asked_for)
                self._spend = spend.thinned(pl.concat([self._spend, spent]))
            for number, some in selected.items():
                self._asked[number][1].add(some)
            self._sessions = self._sessions.merge(sessions)
            self._users = self._users.merge(users)
            self._prompts = self._prompts.merge(prompts)
            if len(start):
                self.spans[part] = int(start.min()), int(start.max())
                self._times += self.spans[part]

    def finish(self, fetch_ids: Callable[[int, list[int]], pl.DataFrame]) -> Partial:
        """The partial of everything added; `fetch_ids(part, rows)` gives ids of chosen lines."""
        self._add_requests()
        return self._partial(fetch_ids)

    def piece(self, fetch_ids: Callable[[int, list[int]], pl.DataFrame]) -> Piece:
        """The same, if more traces may come from elsewhere: see `rollup.piece`."""
        found = self._requests.finish()
        state = self._requests.state()
        dearest = exemplars.choose(
            [found.whichever()], fetch_ids, self._dictionaries, every_one=True
        )
        return Piece(self._partial(fetch_ids), *state, dearest)

    def _partial(self, fetch_ids: Callable[[int, list[int]], pl.DataFrame]) -> Partial:
        heap.give_back()  # else what the blocks left behind is held beside what is made here
        decoder = _Decoder(self._dictionaries, self._watch)
        frames = {}
        for name, spec in FRAMES.items():
            # Codes and texts correspond one to one, so adding up by codes is adding up by texts.
            codes = self._sums[name].take()
            frames[name] = decoder.frame(name, spec, codes) if codes.height else codes
        counters = sorted(self._counters.items())
        frames["spend"] = self._spend
        frames["counters"] = pl.DataFrame(counters, schema=FRAMES["counters"].schema, orient="row")
        chosen = exemplars.choose(self._exemplars, fetch_ids, self._dictionaries)
        return Partial(
            frames,
            self._sessions,
            self._users,
            keep_exemplars([chosen]),
            min(self._times, default=None),
            max(self._times, default=None),
            self._prompts,
        )

    def _add_requests(self) -> None:
        found = self._requests.finish()
        self._counters.update(found.counters())
        self._exemplars.append(found.dearest())
        for name, columns in found.distribution().items():
            self._put(name, columns, metric=METRICS.index(requests.METRIC), dimension=0, value=0)
        for number, (objective, kept) in self._asked.items():
            scope = {"metric": METRICS.index("objective"), "dimension": SCOPES.index("objective")}
            for name, columns in requests.judged(kept.finish(), objective, number).items():
                keys = {} if name == "objectives" else {**scope, "value": number}
                self._put(name, columns, **keys)

    def _put(self, name: str, columns: pl.DataFrame, **codes: int) -> None:
        """Counts over all blocks, beside those of each block."""
        keys = [pl.lit(code).alias(key) for key, code in codes.items()]
        start = [pl.lit(None).alias("start")] if keys else []
        frame = columns.with_columns(*keys, *start)
        rows = frame.select(list(FRAMES[name].schema)).cast(pl.Int64)
        self._sums[name].add([narrowed(rows)])


class _Decoder:
    """Codes back to texts."""

    def __init__(self, dictionaries: Dictionaries, watch: Watched) -> None:
        self._constraints = [constraint.name for constraint in watch.constraints]
        self._of_column: dict[str, Dictionary] = {
            **dictionaries.dimensions,
            "finish_reason": dictionaries.finish_reason,
            "tool": dictionaries.tool,
            "name": dictionaries.guardrail,
            "stage": dictionaries.stage,
            "action": dictionaries.action,
            "evaluation": dictionaries.evaluation,
            "index_version": dictionaries.index_version,
            "embedding_model": dictionaries.embedding_model,
            "chunk": dictionaries.chunk,
        }
        self._texts: dict[str, pl.Series] = {}

    def frame(self, name: str, spec: Spec, codes: pl.DataFrame) -> pl.DataFrame:
        """The rows in the order of a partial, a column at a time: as texts they take much more."""
        if name in ("histograms", "extremes"):
            texts = self._scoped(codes)
        else:
            texts = [self._column(column, codes[column]) for column in spec.texts]
        keys = codes.select(spec.numbers).with_columns(texts)
        order = spec.packed(keys).arg_sort()
        whole = {**dict(zip(codes.columns, codes, strict=True)), **{t.name: t for t in texts}}
        return pl.DataFrame(
            [whole[column].gather(order).cast(dtype) for column, dtype in spec.schema.items()]
        )

    def _column(self, name: str, codes: pl.Series) -> pl.Series:
        codes = codes.cast(pl.Int64)
        if name == "error_class":
            return _table([str(c) for c in ERROR_CLASSES], codes)
        if name in ("objective", "side"):
            return codes.cast(pl.String)
        if name == "constraint":
            return _table(self._constraints, codes)
        if name == "user":
            return codes.reinterpret(signed=False).cast(pl.String)
        if name == "by":
            return _table(["", *BROKEN_BY], codes)
        if name not in self._texts:
            self._texts[name] = self._of_column[name].series()
        return self._texts[name].gather(codes).alias(name)

    def _scoped(self, codes: pl.DataFrame) -> list[pl.Series]:
        parts, rows = [], []
        for scope in codes["dimension"].unique().sort():
            own = codes["dimension"] == scope
            rows.append(own.arg_true())
            values = codes["value"].filter(own).cast(pl.Int64)
            parts.append(self._values(SCOPES[scope], values).alias("value"))
        place = pl.concat(rows).arg_sort()
        return [
            _table(list(METRICS), codes["metric"]),
            _table(list(SCOPES), codes["dimension"]),
            pl.concat(parts).gather(place),
        ]

    def _values(self, name: str, codes: pl.Series) -> pl.Series:
        if name == "":
            return pl.Series([None], dtype=pl.String).new_from_index(0, len(codes))
        if name in PAIRS:
            first, second = PAIRS[name]
            return (
                self._column(first, codes // PAIR_FACTOR).fill_null("")
                + PAIR_SEPARATOR
                + self._column(second, codes % PAIR_FACTOR).fill_null("")
            )
        return self._column(name, codes)


def _table(texts: list[str], codes: pl.Series) -> pl.Series:
    return pl.Series(texts, dtype=pl.String).gather(codes).alias(codes.name)
