"""Records that other processes convert: the same lines, whatever becomes of those."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest

import reading
from foreign_logs import chat, litellm, otlp
from gonogo.adapters import Format, Line, Options, Record, choose
from gonogo.ingest import chunks, reader
from gonogo.ingest.chunks import Chunk
from gonogo.ingest.converters import WORTH, Converters
from gonogo.ingest.foreign import Adapted, Foreign


def lines_of(found: Adapted) -> tuple[object, ...]:
    return (
        found.texts.to_list(), found.numbers.tolist(), found.offsets.tolist(), found.refused,
        found.invalid_utf8,
    )  # fmt: skip


def chunk_of(*records: object) -> Chunk:
    made = (record if isinstance(record, str) else json.dumps(record) for record in records)
    return Chunk("\n".join(made).encode(), 1, 0)


SOME = chunk_of(litellm(1), "{broken", "", litellm(2, status="failure"), "[1]", {"startTime": 1})


@pytest.fixture
def converters() -> Iterator[Converters]:
    made = Converters(threads=2, begin_at=0, worth=0)
    yield made
    made.close()


def foreign(name: str = "litellm") -> Foreign:
    return Foreign("lines", choose(name), Options({"tenant_id": "call_type"}))


def test_another_process_makes_the_same_lines(converters: Converters) -> None:
    here = foreign().adapt(SOME)
    assert len(here.texts) == 3
    assert [number for number, _, _ in here.refused] == [2, 5]
    assert lines_of(converters.adapt(foreign(), SOME)) == lines_of(here)
    assert len(converters._started) == 2


def test_small_inputs_start_no_process() -> None:
    made = Converters(threads=2)
    made.adapt(foreign(), SOME)
    assert made._started == []
    made.expected = 10**9
    made.adapt(foreign(), SOME)  # one small file among much that is native
    assert made._started == []
    alone = Converters(threads=1, begin_at=0, worth=0)
    alone.adapt(foreign(), SOME)
    assert alone._started == []


def test_processes_start_where_enough_is_to_come() -> None:
    made = Converters(threads=2, begin_at=0)
    for seen, expected, number in ((1, WORTH, 0), (2, WORTH + 2, 2)):
        made.expected = expected
        assert (made._take(1) is not None) is bool(number)
        assert (made._seen, len(made._started)) == (seen, number)
    made.close()
    pipe = Converters(threads=2, begin_at=0)
    assert pipe._take(WORTH - 1) is None
    assert pipe._take(1) is not None
    pipe.close()


def test_a_process_that_dies_loses_no_line(converters: Converters) -> None:
    here = lines_of(foreign().adapt(SOME))
    assert lines_of(converters.adapt(foreign(), SOME)) == here
    for worker in converters._started:
        os.kill(worker.pid, signal.SIGKILL)
    # Both are asked and found dead, and after that nobody is left to be asked.
    for _ in range(4):
        assert lines_of(converters.adapt(foreign(), SOME)) == here
    assert converters._idle.empty()


def printing(record: Record, options: Options) -> Iterable[Line]:
    print("what a format prints is no answer", flush=True)
    os.write(1, b"nor is this")
    yield {"timestamp": record["at"], "operation": "chat"}


PRINTING = Format("printing", "one that prints", bool, printing)


@pytest.mark.usefixtures("capfd")
def test_what_a_format_prints_does_not_disturb(converters: Converters) -> None:
    found = converters.adapt(Foreign("lines", PRINTING, Options()), chunk_of({"at": 5}))
    assert found.texts.to_list() == ['{"timestamp":5,"operation":"chat"}']
    assert converters._idle.qsize() == 2


def test_a_format_that_cannot_be_sent_is_used_here(converters: Converters) -> None:
    def own(record: Record, options: Options) -> Iterable[Line]:
        yield {"timestamp": record["at"]}

    local = Format("own", "made in a function", bool, own)
    found = converters.adapt(Foreign("lines", local, Options()), chunk_of({"at": 5}))
    assert found.texts.to_list() == ['{"timestamp":5}']
    assert converters._idle.qsize() == 2


@pytest.mark.parametrize("kind", ["otlp", "litellm"])
def test_a_file_is_the_same_log_with_and_without_them(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "otlp":
        usage = {"gen_ai.usage.input_tokens": 7}
        records = [otlp(chat(2 * n + 1, **usage), chat(2 * n + 2, 2 * n + 1)) for n in range(200)]
    else:
        records = [litellm(n, prompt_tokens=n) for n in range(200)]
    path = reading.write(tmp_path / "a.jsonl", *records)
    with path.open("a") as file:
        file.write("{broken\n" + json.dumps(records[0]) + "\n")
    alone = reading.read(path)
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 10_000)
    monkeypatch.setattr(reader, "Converters", partial(Converters, begin_at=0, worth=0))
    started: list[int] = []
    close = Converters.close

    def closing(self: Converters) -> None:
        started.append(len(self._started))
        close(self)

    monkeypatch.setattr(Converters, "close", closing)
    beside = reading.read(path, threads=2)
    assert started == [2]
    assert beside.kept == alone.kept
    assert len(alone.kept) == (400 if kind == "otlp" else 200)
    (count,) = beside.logs.files
    assert (count.quarantined, count.duplicates) == (1, 2 if kind == "otlp" else 1)
