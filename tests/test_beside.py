"""Portions that other processes read: the same records, whatever becomes of those."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

import reading
from foreign_logs import chat, litellm, otlp
from gonogo.adapters import Format, Line, Options, Record, choose
from gonogo.ingest import chunks, reader
from gonogo.ingest.beside import IN_FLIGHT, WORTH, Readers
from gonogo.ingest.chunks import Chunk
from gonogo.ingest.foreign import Foreign
from gonogo.ingest.making import Made, Maker, Portion

BOTH = 2 * IN_FLIGHT


def portion_of(*records: object, foreign: Foreign | None = None) -> Portion:
    made = (record if isinstance(record, str) else json.dumps(record) for record in records)
    return Portion(Chunk("\n".join(made).encode(), 1, 0), "a.jsonl", 3, foreign)


def native(number: int, **fields: object) -> dict[str, object]:
    model = f"model-{number % 3}"
    return {"timestamp": 1_700_000_000 + number, "trace_id": f"t{number}", "model": model, **fields}


def of_litellm() -> Foreign:
    return Foreign("lines", choose("litellm"), Options({"tenant_id": "call_type"}))


FOREIGN = portion_of(
    litellm(1), "{broken", "", litellm(2, status="failure"), "[1]", {"startTime": 1},
    foreign=of_litellm(),
)  # fmt: skip
NATIVE = portion_of(
    native(1, tenant_id="a"),
    "{broken",
    native(2, tool_calls=[{"name": "search"}], input_tokens="many"),
    native(3, retrieval={"chunk_ids": ["c1", "c2"], "index_version": "i7"}),
)


def told(made: Made, readers: Readers) -> tuple[object, ...]:
    """All that became of a portion, with texts for codes."""
    rows = reading.rows_of(made.block, readers.maker.dictionaries) if made.block else []
    position = made.block.position.tolist() if made.block else []
    return rows, position, made.lines, made.refused, made.tally, made.far, made.versions


def here(portion: Portion) -> tuple[object, ...]:
    alone = Readers(Maker({}), threads=1)
    return told(alone.make(portion), alone)


@pytest.fixture
def readers() -> Iterator[Readers]:
    made = Readers(Maker({}), threads=2, begin_at=0, worth=0)
    yield made
    made.close()


@pytest.mark.parametrize("portion", [FOREIGN, NATIVE])
def test_another_process_makes_the_same_records(readers: Readers, portion: Portion) -> None:
    expected = here(portion)
    assert [line.line for line in expected[3]] == ([2, 5] if portion is FOREIGN else [2])
    assert told(readers.make(portion), readers) == expected
    assert len(readers._started) == 2
    assert readers._idle.qsize() == BOTH


def test_texts_keep_their_codes_however_many_processes_tell_them(readers: Readers) -> None:
    portions = [
        portion_of(*(native(n, tenant_id=f"tenant {n % 7}") for n in range(at, at + 20)))
        for at in range(0, 400, 20)
    ]
    with ThreadPoolExecutor(BOTH) as pool:
        made = list(pool.map(readers.make, portions))
    for portion, found in zip(portions, made, strict=True):
        assert told(found, readers) == here(portion)
    tenants = readers.maker.dictionaries.dimensions["tenant_id"].texts()
    assert sorted(map(str, tenants)) == ["None", *(f"tenant {n}" for n in range(7))]


def test_small_inputs_start_no_process() -> None:
    made = Readers(Maker({}), threads=2)
    made.make(FOREIGN)
    assert made._started == []
    made.expected = 10**9
    made.make(FOREIGN)  # one small file among much that is to come
    assert made._started == []
    alone = Readers(Maker({}), threads=1, begin_at=0, worth=0)
    alone.make(FOREIGN)
    assert alone._started == []


def test_processes_start_where_enough_is_to_come() -> None:
    made = Readers(Maker({}), threads=2, begin_at=0)
    for seen, expected, number in ((1, WORTH, 0), (2, WORTH + 2, 2)):
        made.expected = expected
        assert made.askers == (2 if not number else BOTH)
        assert (made._take(1) is not None) is bool(number)
        assert (made._seen, len(made._started)) == (seen, number)
    made.close()
    pipe = Readers(Maker({}), threads=2, begin_at=0)
    assert pipe._take(WORTH - 1) is None
    assert pipe._take(1) is not None
    pipe.close()


def test_a_process_that_dies_loses_no_line(readers: Readers) -> None:
    expected = here(NATIVE)
    assert told(readers.make(NATIVE), readers) == expected
    for worker in readers._started:
        os.kill(worker.process.pid, signal.SIGKILL)
    # Both are asked and found dead, those who wait at their doors too; then nobody is left to ask.
    for _ in range(2):
        with ThreadPoolExecutor(BOTH) as pool:
            for found in pool.map(readers.make, [NATIVE] * BOTH):
                assert told(found, readers) == expected
    assert readers._idle.empty()


def printing(record: Record, options: Options) -> Iterable[Line]:
    print("what a format prints is no answer", flush=True)
    os.write(1, b"nor is this")
    yield {"timestamp": record["at"], "operation": "chat", "model": "m"}


PRINTING = Format("printing", "one that prints", bool, printing)


@pytest.mark.usefixtures("capfd")
def test_what_a_format_prints_does_not_disturb(readers: Readers) -> None:
    found = readers.make(
        portion_of({"at": 1_700_000_000}, foreign=Foreign("lines", PRINTING, Options()))
    )
    assert found.block is not None
    assert found.block.lines["start_us"].to_list() == [1_700_000_000_000_000]
    assert readers._idle.qsize() == BOTH


def test_a_format_that_cannot_be_sent_is_used_here(readers: Readers) -> None:
    def own(record: Record, options: Options) -> Iterable[Line]:
        yield {"timestamp": record["at"], "model": "m"}

    local = Format("own", "made in a function", bool, own)
    found = readers.make(
        portion_of({"at": 1_700_000_000}, foreign=Foreign("lines", local, Options()))
    )
    assert found.block is not None
    assert found.block.lines["start_us"].to_list() == [1_700_000_000_000_000]
    assert readers._idle.qsize() == BOTH


@pytest.mark.parametrize("kind", ["native", "otlp", "litellm"])
def test_a_file_is_the_same_log_with_and_without_them(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "otlp":
        usage = {"gen_ai.usage.input_tokens": 7}
        records = [otlp(chat(2 * n + 1, **usage), chat(2 * n + 2, 2 * n + 1)) for n in range(200)]
    elif kind == "litellm":
        records = [litellm(n, prompt_tokens=n) for n in range(200)]
    else:
        records = [native(n, span_id="s", tenant_id=f"t{n % 9}") for n in range(200)]
    path = reading.write(tmp_path / "a.jsonl", *records)
    with path.open("a") as file:
        file.write("{broken\n" + json.dumps(records[0]) + "\n")
    alone = reading.read(path)
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 10_000)
    monkeypatch.setattr(reader, "Readers", partial(Readers, begin_at=0, worth=0))
    started: list[int] = []
    close = Readers.close

    def closing(self: Readers) -> None:
        started.append(len(self._started))
        close(self)

    monkeypatch.setattr(Readers, "close", closing)
    beside = reading.read(path, threads=2)
    assert started == [2]
    assert beside.kept == alone.kept
    assert len(alone.kept) == (400 if kind == "otlp" else 200)
    (count,) = beside.logs.files
    assert (count.quarantined, count.duplicates) == (1, 2 if kind == "otlp" else 1)
