"""Charts are drawn by processes of their own: with them or without, they are the same."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gonogo.charts.render import drawings, job
from gonogo.results import ReadinessResult
from gonogo.vega import workers
from gonogo.vega.svg import both_widths
from synthetic import synthetic_result


@pytest.fixture(scope="module")
def week() -> ReadinessResult:
    return synthetic_result()


@pytest.fixture
def fresh_workers() -> Iterator[None]:
    workers._workers.cache_clear()
    yield
    workers._workers.cache_clear()


def all_free() -> list[subprocess.Popen[str] | None]:
    free = workers._workers()
    found = [free.get() for _ in range(free.qsize())]
    for worker in found:
        free.put(worker)
    return found


def drawn(result: ReadinessResult) -> list[tuple[str, str]]:
    return workers.draw([job(d) for d in drawings(result)[:4]])


def test_workers_draw_what_this_process_would(week: ReadinessResult) -> None:
    jobs = [job(d) for d in drawings(week)[:4]]
    assert workers.draw(jobs) == [both_widths(j.spec, j.narrow, j.name, j.spoken) for j in jobs]
    assert all(worker and worker.poll() is None for worker in all_free())


@pytest.mark.usefixtures("fresh_workers")
def test_without_workers_the_charts_are_the_same(
    week: ReadinessResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = drawn(week)
    for executable in ("", "/nowhere/python", "/bin/false"):
        workers._workers.cache_clear()
        monkeypatch.setattr(sys, "executable", executable)
        assert drawn(week) == expected
        assert not any(worker and worker.poll() is None for worker in all_free())


@pytest.mark.usefixtures("fresh_workers")
def test_a_worker_that_dies_takes_no_chart_with_it(week: ReadinessResult) -> None:
    expected = drawn(week)
    for worker in all_free():
        assert worker
        worker.kill()
    assert drawn(week) == expected


@pytest.mark.usefixtures("fresh_workers")
def test_a_chart_at_fault_says_so_and_spoils_no_other(week: ReadinessResult) -> None:
    good = job(drawings(week)[0])
    with pytest.raises(ValueError, match="Vega-Lite"):
        workers.draw([workers.Job({"mark": 7, "params": 3}, {}, "x", "told"), good])
    assert workers.draw([good])


def test_workers_end_with_the_process_however_it_ends() -> None:
    code = (
        "import os, signal\nfrom gonogo.vega import workers\nworkers.start()\n"
        "free = workers._workers()\n"
        "print(*(free.get().pid for _ in range(free.qsize())), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    pids = [int(pid) for pid in done.stdout.split()]
    assert pids
    for _ in range(600):
        alive = [pid for pid in pids if is_alive(pid)]
        if not alive:
            break
        time.sleep(0.05)
    assert not alive


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
