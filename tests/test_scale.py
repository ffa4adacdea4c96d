"""The map step in many places: whatever is cut, dealt and joined, the counts are those of one."""

from __future__ import annotations

import gzip
import json
import pickle
import random
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo import scale, stored
from gonogo.entries import entries_of
from gonogo.errors import InputError, UsageError
from gonogo.ingest.chunks import Cut
from gonogo.ingest.discover import discover
from gonogo.ingest.logs import LogInput, read_logs
from gonogo.request import Request, resolve
from gonogo.rollup import engine, requests
from gonogo.rollup.costs import Pricing
from gonogo.rollup.partial import Partial
from gonogo.settings import mapper_of
from test_stored import call, from_logs, from_rollups, roll, three_days, write

logs = three_days

ROOT = Path(__file__).parents[1]
SMALL = {"jsonl": 6_000, "parquet": 4_000}


def at_once(names: Sequence[str], config: Path | None = None) -> tuple[Partial, LogInput]:
    """The counts of one machine over all files together, as gonogo check makes them."""
    run = resolve(Request(tuple(names), config))
    read = read_logs(discover(names), run.config.fields, lambda _: None, checker=run.checker())
    mapper = mapper_of(run, read.dictionaries, Pricing(run.config.prices, run.config.cost))
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


@pytest.mark.parametrize(("config", "buckets"), [(None, 1), ("own.toml", 3)])
def test_the_counts_are_those_of_one_machine(week: Path, buckets: int, config: str | None) -> None:
    size = {"jsonl": 600_000, "parquet": 60_000}
    plan = scale.plan(["week"], config, buckets=buckets, share_bytes=size)
    assert len(plan.shares) > 2 * len(plan.found.sources)
    counts = in_pieces(plan)
    expected, read = at_once(["week"], Path(config) if config else None)
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


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60).map(lambda b: b.replace(b"\x00", b"\n")), st.sets(st.integers(0, 60)))
def test_every_line_is_in_one_share(data: bytes, at: set[int]) -> None:
    edges = sorted({0, len(data), *(a for a in at if a < len(data))})
    pieces = [Cut(BytesIO(data), start, end) for start, end in pairwise(edges)]
    found = [b"".join(iter(lambda piece=piece: piece.read(3), b"")) for piece in pieces]
    assert b"".join(found) == data
    for piece, text in zip(pieces, found, strict=True):
        if text:
            assert data[piece.begin :].startswith(text)
            assert piece.begin == 0 or data[piece.begin - 1 : piece.begin] == b"\n"


def test_row_groups_are_in_one_share_each(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    rows = [call(0, n) for n in range(1_000)]
    pl.DataFrame(rows).write_parquet(path, row_group_size=90)
    plan = scale.plan([str(path)], share_bytes=SMALL)
    assert len(plan.shares) > 4
    same(in_pieces(plan).piece.whole(), at_once([str(path)])[0])


def test_more_requests_than_are_held_are_sampled_as_on_one_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    init = requests.Requests.__init__
    monkeypatch.setattr(init, "__defaults__", (64, *(init.__defaults__ or ())[1:]))
    rows = [call(0, n, trace_id=f"t{n // 3}", cost_usd=(n * 7919 % 1009) / 1e4) for n in range(900)]
    write(tmp_path / "a.jsonl", rows)
    expected = at_once([str(tmp_path)])[0]
    assert 0 < expected.counter("requests.kept") <= 64  # of 300
    plan = scale.plan([str(tmp_path)], buckets=9, share_bytes={"jsonl": 20_000, "parquet": 1})
    same(in_pieces(plan).piece.whole(), expected)


def test_a_document_is_read_whole_by_its_first_share(week: Path) -> None:
    rows = [call(0, n) for n in range(200)]
    write(week / "b.json", [], json.dumps(rows))
    plan = scale.plan(["week/b.json"], share_bytes=SMALL)
    assert len(plan.shares) > 4
    counts = in_pieces(plan)
    same(counts.piece.whole(), at_once(["week/b.json"])[0])
    files, trouble = plan.told(counts)
    assert (files[0].lines, trouble.problems()) == (200, ())


def test_copies_of_a_file_without_ids_count_once(logs: Path) -> None:
    rows = [{k: v for k, v in call(5, n).items() if k != "span_id"} for n in range(9)]
    write(logs / "5.jsonl", rows)
    write(logs / "copy.jsonl", rows)
    counts = in_pieces(plan := scale.plan(["logs"], buckets=3))
    plan.save(counts, "rollups")
    assert from_rollups() == from_logs("logs")


def test_the_result_is_the_one_from_the_logs(logs: Path) -> None:
    plan = scale.plan(["logs"], buckets=3, share_bytes=SMALL)
    assert plan.save(in_pieces(plan), "rollups").made == ["logs"]
    kept, whole = from_rollups(), from_logs("logs")
    hashes = {f.path: f.sha256 for f in whole.ingest.files}
    assert all(f.sha256 in ("", hashes[f.path]) for f in kept.ingest.files)
    files = tuple(f.model_copy(update={"sha256": hashes[f.path]}) for f in kept.ingest.files)
    kept = kept.model_copy(update={"ingest": kept.ingest.model_copy(update={"files": files})})
    assert kept == whole
    assert (kept.ingest.quarantined, kept.ingest.duplicates) == (1, 8)


def test_what_is_unchanged_is_not_counted_again(logs: Path) -> None:
    plan = scale.plan(["logs"])
    plan.save(in_pieces(plan), "rollups")
    again = scale.plan(["logs"])
    assert again.roll_up(Path("rollups"), lambda: pytest.fail("counted")).unchanged == ["logs"]
    write(logs / "3.jsonl", [call(3, n) for n in range(20)])
    late = scale.plan(["logs"])
    assert late.save(in_pieces(late), "rollups").made == ["logs"]
    assert from_rollups().ingest.calls == 60 + 70 + 80 + 20


def test_a_file_is_in_one_entry(logs: Path) -> None:
    plan = scale.plan(["logs"])
    plan.save(in_pieces(plan), "rollups")
    with pytest.raises(UsageError, match=r"logs/0\.jsonl is in the entry 'logs'"):
        roll("logs/0.jsonl")
    roll("logs/0.jsonl", output="other")
    with pytest.raises(UsageError, match=r"logs/0\.jsonl is in the entry 'logs/0\.jsonl'"):
        plan.save(in_pieces(plan), "other")


def test_entries_that_may_share_lines_are_said(logs: Path) -> None:
    for name in ("0", "2"):
        plan = scale.plan([f"logs/{name}.jsonl"])
        plan.save(in_pieces(plan), "rollups")
    assert "R025" not in [p.code for p in from_rollups().ingest.problems]
    plan = scale.plan(["logs/1.jsonl"])
    plan.save(in_pieces(plan), "rollups")
    said = [p for p in from_rollups().ingest.problems if p.code == "R025"]
    assert len(said) == 2  # of days 0 and 1, not of day 2


def test_a_bad_file_in_the_middle_is_named_and_nothing_is_kept(logs: Path) -> None:
    lines = [json.dumps(call(7, n)) for n in range(40)]
    write(logs / "1a.jsonl", [], *lines[:20], '{"cut', *lines[20:])
    plan = scale.plan(["logs"], share_bytes={"jsonl": 4_000, "parquet": 1})
    _, trouble = plan.told(in_pieces(plan))
    assert {(q.file, q.line) for q in trouble.quarantined} == {
        ("logs/1a.jsonl", 21),
        ("logs/1.jsonl", 79),
    }
    at = next(q.offset for q in trouble.quarantined if q.line == 21)
    assert (logs / "1a.jsonl").read_bytes()[at:].startswith(b'{"cut')
    write(logs / "1b.jsonl", [], *["nothing of a log " * 10] * 90)
    (logs / "1c.parquet").write_bytes(b"PAR1 and no more")
    plan = scale.plan(["logs"], share_bytes={"jsonl": 4_000, "parquet": 1000})
    with pytest.raises(InputError) as caught:
        plan.save(in_pieces(plan), "rollups")
    assert [d.code for d in caught.value.diagnostics] == ["I022"]
    (logs / "1c.parquet").unlink()
    plan = scale.plan(["logs"], share_bytes={"jsonl": 4_000, "parquet": 1000})
    with pytest.raises(InputError, match="none of its 90 lines"):
        plan.save(in_pieces(plan), "rollups")
    assert not entries_of(Path("rollups"))


def test_workers_of_other_versions_are_refused(logs: Path) -> None:
    plan = scale.plan(["logs"])
    other = replace(plan.work, made_by=("gonogo 0", *plan.work.made_by[1:]))
    counts = in_pieces(replace(plan, work=other))
    with pytest.raises(UsageError, match="gonogo 0"):
        plan.save(counts, "rollups")


def test_a_worker_without_the_logs_is_told_of(logs: Path) -> None:
    plan = scale.plan(["logs"])
    hidden = (logs / "1.jsonl").rename(logs.parent / "1.jsonl")
    counts = in_pieces(plan)
    hidden.rename(logs / "1.jsonl")
    with pytest.raises(UsageError, match=r"logs/1\.jsonl: a worker does not find it"):
        plan.save(counts, "rollups")


def test_no_key_of_ids_is_sent(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONOGO_ID_KEY", "a key that nobody else knows")
    sent = pickle.dumps(scale.plan(["logs"]).work)
    assert b"nobody else knows" not in sent


def test_the_lines_for_dask_give_the_counts_of_one_machine(logs: Path) -> None:
    """Those of the documentation, as they stand there."""
    dask = pytest.importorskip("dask", reason="Dask is not installed: pip install '.[test]'")
    page = (ROOT / "docs" / "scale.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(code.strip().splitlines()) <= 10
    with dask.config.set(scheduler="threads"):
        exec(code, {})
    kept = entries_of(Path("rollups"))[0]
    assert (kept.count.lines, kept.count.duplicates) == (219, 8)
    run = resolve(Request(("logs",), None))
    same(stored.load(run, Path("rollups"), lambda _, text: text).partial, at_once(["logs"])[0])


@pytest.mark.parametrize("objective", ['error_rate" = { limit = "<= 1%", group_by = "model" }',
                                       'cost_per_request.p95" = "<= $0.10"'])  # fmt: skip
def test_what_only_all_tasks_together_know_is_refused(tmp_path: Path, objective: str) -> None:
    config = tmp_path / "readiness.toml"
    config.write_text(f'[slo]\n"{objective}\n')
    with pytest.raises(UsageError) as refused:
        scale.plan([str(tmp_path)], config)
    assert refused.value.diagnostics[0].code == "U052"
