"""What does not fit in memory: temporary files, room for them, and what the C library holds."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from gonogo import heap
from gonogo.errors import InputError
from gonogo.ingest import spill
from gonogo.ingest.discover import discover
from gonogo.ingest.logs import read_logs
from gonogo.ingest.spill import Identities, ask_for_room, spilling
from hostile import fields
from reading import write

GB = 10**9


def free(bytes_free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=bytes_free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)


def parquet(path: Path, rows: int) -> Path:
    pl.DataFrame([fields("room", i) for i in range(rows)]).write_parquet(path)
    return path


def test_parquet_that_will_not_fit_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = parquet(tmp_path / "a.parquet", 400)
    monkeypatch.setattr(spill, "IDENTITY_BUDGET", 1_000)
    found = discover([str(path)])
    told: list[int] = []
    free(8 * 400 - 1_000 - 1, monkeypatch)
    with pytest.raises(InputError) as refused:
        read_logs(found, {}, told.append)
    (diagnostic,) = refused.value.diagnostics
    assert (diagnostic.code, diagnostic.where) == ("I028", tempfile.gettempdir())
    assert "at least 0.0 GB are needed there" in diagnostic.what
    assert "TMPDIR" in diagnostic.hint
    assert not told
    free(8 * 400 - 1_000, monkeypatch)
    logs = read_logs(found, {}, told.append)
    logs.close()
    assert sum(part.rows for part in logs.parts) == 400


@pytest.mark.parametrize(("packing", "times"), [("", 1), (".gz", 10)])
def test_lines_that_will_not_fit_are_refused(
    packing: str, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / f"a.jsonl{packing}", *(fields("room", i) for i in range(200)))
    monkeypatch.setattr(spill, "MEMORY_BUDGET", 100)
    least = path.stat().st_size * times // 10 - 100
    sources = discover([str(path)]).sources
    free(least, monkeypatch)
    ask_for_room(sources)
    free(least - 1, monkeypatch)
    with pytest.raises(InputError):
        ask_for_room(sources)


def test_what_fits_in_memory_asks_for_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.jsonl", *(fields("room", i) for i in range(20)))
    parquet(tmp_path / "b.parquet", 20)
    free(0, monkeypatch)
    ask_for_room(discover([str(tmp_path)]).sources)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_a_disk_that_fills_up_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: Any) -> Any:
        return Path("/dev/full").open("r+b", buffering=0)

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    identities = Identities(budget=8)
    assert identities.keep(np.array([7], dtype=np.uint64))().tolist() == [7]
    with pytest.raises(InputError) as refused:
        identities.keep(np.array([7], dtype=np.uint64))
    assert refused.value.diagnostics[0].code == "I028"
    assert "the disk is full" in refused.value.diagnostics[0].what


def test_other_troubles_of_a_disk_are_not_called_full() -> None:
    with pytest.raises(PermissionError), spilling():
        raise PermissionError(13, "not allowed")


HOLES = """
import numpy as np
from gonogo import heap

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

heap.one_arena()
arrays = [np.ones(8_000) for _ in range(2_000)]
last = arrays[-1]
del arrays
before = resident()
heap.give_back()
print(before - resident())
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not glibc"
)
def test_memory_between_pieces_in_use_is_given_back() -> None:
    run = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True)
    assert int(run.stdout) > 64_000_000  # of the 128 MB that were freed


def test_where_there_is_no_glibc_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "CDLL", lambda *_: pytest.fail("asked for"))
    heap.one_arena()
    heap.give_back()
