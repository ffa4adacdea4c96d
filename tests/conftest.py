"""Property tests look at the same examples in every run, and are never judged by the clock."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from browser import needed, running

ROOT = Path(__file__).parents[1]

settings.register_profile(
    "gonogo", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("gonogo")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that a test is run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    with running() as found:
        yield found


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample project's site, to be looked at; made only where there is a browser."""
    needed()
    out = tmp_path_factory.mktemp("built") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "gonogo", "build", "sample_logs", "-c",
         "sample_project/readiness.toml", "-o", str(out), "--state", str(out.parent / "state")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    return out


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in plain words what was not tested, and for want of what; `-q` would hide it."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    for reason, n in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        tests = "1 test" if n == 1 else f"{n} tests"
        terminalreporter.write_line(f"SKIPPED {tests}: {reason}", yellow=True)
