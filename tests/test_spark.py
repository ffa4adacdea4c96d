"""Real Spark on this machine: the counts of one machine, whatever dies or is badly spread."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gonogo import pipeline, scale
from gonogo.cli import main
from gonogo.engines import spark as engine
from gonogo.entries import entries_of
from gonogo.errors import InputError, UsageError
from gonogo.progress import Silent
from gonogo.request import Request
from test_scale import at_once, same
from test_stored import call, from_logs, from_rollups, three_days, write

logs = three_days


def has_java() -> bool:
    home = os.environ.get("JAVA_HOME")
    return bool(shutil.which("java") or (home and (Path(home) / "bin" / "java").exists()))


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """Two tasks at a time, each tried three times."""
    pytest.importorskip("pyspark", reason="PySpark is not installed: pip install 'gonogo[spark]'")
    pytest.importorskip("pandas", reason="PySpark needs pandas: pip install 'gonogo[spark]'")
    if not has_java():
        pytest.skip("Spark needs Java: apt-get install default-jre-headless")
    with engine._session("local[2,3]") as spark:
        yield spark


def test_the_command_gives_the_verdict_of_the_logs(logs: Path, session: Any) -> None:
    found = CliRunner().invoke(main, ["rollup", "logs", "--engine", "spark"])
    assert found.exit_code == 0, found.output
    assert "rollups: 3 files counted, 0 unchanged" in found.stdout
    assert from_rollups() == from_logs("logs")
    again = CliRunner().invoke(main, ["rollup", "logs", "--engine", "spark"])
    assert "0 files counted, 1 unchanged" in again.stdout


def test_a_killed_worker_costs_its_task_alone(logs: Path, session: Any) -> None:
    marks = logs.parent

    class Mortal(scale.Work):
        """The first task to read a share dies of it, and so does the first one to count."""

        def read(self, share: scale.Share) -> list[scale.Pack]:
            die_once(marks / "read", share.number == 1)
            return super().read(share)

        def count(self, packs: Any) -> scale.Counts:
            die_once(marks / "count", True)
            return super().count(packs)

    def die_once(mark: Path, here: bool) -> None:
        if here and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    plan = scale.plan(["logs"], buckets=2, share_bytes={"jsonl": 12_000, "parquet": 1})
    fields = {name: getattr(plan.work, name) for name in scale.Work.__dataclass_fields__}
    counts = engine.count(replace(plan, work=Mortal(**fields)), session)
    assert {p.name for p in marks.iterdir()} >= {"read", "count"}
    same(counts.piece.whole(), at_once(["logs"])[0])
    assert sum(counts.duplicates.values()) == 8


def test_a_worker_that_always_dies_ends_the_run(logs: Path, session: Any) -> None:
    class Doomed(scale.Work):
        def read(self, share: scale.Share) -> list[scale.Pack]:
            raise MemoryError("no room")

    plan = scale.plan(["logs"])
    fields = {name: getattr(plan.work, name) for name in scale.Work.__dataclass_fields__}
    with pytest.raises(UsageError, match="Spark gave up: MemoryError: no room"):
        engine.count(replace(plan, work=Doomed(**fields)), session)


def test_one_trace_may_hold_most_of_the_lines(logs: Path, session: Any) -> None:
    """All of it is in one bucket; a second copy of some, and lines without any id, are about."""
    rows = [call(0, n, trace_id="one", span_id=f"s{n % 900}") for n in range(1_200)]
    rows += [call(1, n, trace_id=None) for n in range(300)]
    write(logs / "0.jsonl", rows[:800])
    write(logs / "1.jsonl", rows[800:])
    plan = scale.plan(["logs"], buckets=18, share_bytes={"jsonl": 80_000, "parquet": 1})
    counts = engine.count(plan, session)
    same(counts.piece.whole(), at_once(["logs"])[0])
    assert sum(counts.duplicates.values()) == 300


def test_a_bad_file_is_named_as_ever(logs: Path, session: Any) -> None:
    write(logs / "1b.jsonl", [], *["nothing of a log"] * 90)
    request = Request(logs=("logs",), config_path=None)
    with pytest.raises(InputError, match="none of its 90 lines"):
        pipeline.roll_up(request, Path("rollups"), Silent(), "spark")
    assert not entries_of(Path("rollups"))


def test_what_is_missing_is_said(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught, engine._session(None):
        pass
    (said,) = caught.value.diagnostics
    assert (said.code, said.hint) == ("U055", "pip install 'gonogo[spark]'")


def test_a_master_is_for_spark(logs: Path) -> None:
    found = CliRunner().invoke(main, ["rollup", "logs", "--master", "yarn"])
    assert found.exit_code == 2
    assert "add --engine spark" in found.stderr
