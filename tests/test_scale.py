"""The map step in many places: whatever is cut, dealt and joined, the counts are those of one."""

from __future__ import annotations

import gzip
import pickle
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gonogo import scale
from gonogo.compare import apart
from gonogo.errors import InputError, UsageError
from gonogo.ingest.discover import discover
from gonogo.ingest.reader import LogInput, read_logs
from gonogo.request import Request, resolve
from gonogo.rollup import engine
from gonogo.rollup.costs import Pricing
from gonogo.rollup.mapper import Mapper
from gonogo.rollup.partial import Partial
from gonogo.rollup.select import Calendar
from gonogo.rollup.watched import Watched
from test_stored import call, from_logs, from_rollups, write

ROOT = Path(__file__).parents[1]
SMALL = {"jsonl": 4_000, "parquet": 4_000}


def at_once(logs: Sequence[str], config: Path | None = None) -> tuple[Partial, LogInput]:
    """The counts of one machine over all files together, as gonogo check makes them."""
    run = resolve(Request(tuple(logs), config))
    read = read_logs(
        discover(logs), run.config.fields, lambda _: None, checker=run.checker()
    )
    mapper = Mapper(
        run.config.objectives,
        run.selection,
        Calendar(run.zone),
        read.dictionaries,
        Pricing(run.config.prices, run.config.cost),
        apart(run.config, run.contrasts),
        Watched.of(run.config.gates),
    )
    return engine.run(read.blocks(), mapper, read.ids, lambda _: None), read


def in_pieces(plan: scale.Plan, seed: int = 0) -> scale.Counts:
    """Each share and each bucket by itself, in any order, through pickles as between machines."""
    rng = random.Random(seed)
    buckets = defaultdict(list)
    for share in rng.sample(plan.shares, len(plan.shares)):
        for pack in pickle.loads(pickle.dumps(plan.read))(pickle.loads(pickle.dumps(share))):
            buckets[pack.bucket].append(pack)
    for packs in buckets.values():
        rng.shuffle(packs)
    counts = [
        pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(plan.count))(packs)))
        for packs in buckets.values()
    ]
    rng.shuffle(counts)
    half = len(counts) // 2
    return scale.join([scale.join(counts[:half] or counts), *counts[half:]] if half else counts)


def same(found: Partial, expected: Partial) -> None:
    for name, frame in expected.frames.items():
        assert found.frames[name].equals(frame), name
    assert found.exemplars.equals(expected.exemplars)
    for name in ("sessions", "users", "prompts"):
        assert getattr(found, name).count() == getattr(expected, name).count(), name
    assert (found.first_us, found.last_us) == (expected.first_us, expected.last_us)


@pytest.fixture
def week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample logs, most of them unpacked, and spans of a foreign format among them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "week").mkdir()
    for path in sorted((ROOT / "sample_logs").glob("support*")):
        data = path.read_bytes()
        if path.suffix == ".gz" and not path.stem.endswith("18.jsonl"):
            (tmp_path / "week" / path.stem).write_bytes(gzip.decompress(data))
        else:
            (tmp_path / "week" / path.name).write_bytes(data)
    spans = (ROOT / "sample_foreign" / "support-agent.otlp.jsonl").read_bytes()
    (tmp_path / "week" / "spans.jsonl").write_bytes(spans)
    config = (ROOT / "sample_project" / "readiness.toml").read_text()
    (tmp_path / "own.toml").write_text(config.replace(', group_by = "tool"', ""))
    return tmp_path / "week"


@pytest.mark.parametrize("config", [None, "own.toml"])
@pytest.mark.parametrize("buckets", [1, 7])
def test_the_counts_are_those_of_one_machine(week: Path, buckets: int, config: str | None) -> None:
    logs = "week"
    size = {"jsonl": 150_000, "parquet": 60_000}
    plan = scale.plan([logs], config, buckets=buckets, share_bytes=size)
    assert len(plan.shares) > 3 * len(plan.found.sources)
    counts = in_pieces(plan)
    expected, read = at_once([logs], Path(config) if config else None)
    same(counts.piece.whole(), expected)
    assert (counts.orphans, counts.folded, counts.conflicts) == (
        read.orphans,
        read.folded(),
        read.conflicting(),
    )
    files, trouble = plan.told(counts)
    for found, known in zip(files, read.files, strict=True):
        assert replace(found, sha256="") == replace(known, sha256="")
        assert found.sha256 in ("", known.sha256)
    read.conflicting()
    assert trouble.problems() == read.trouble.problems()
    assert trouble.quarantined == read.trouble.quarantined
