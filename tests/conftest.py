"""Property tests look at the same examples in every run, and are never judged by the clock."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "gonogo", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("gonogo")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that a test is run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in plain words what was not tested for want of a browser; `-q` would hide it."""
    skipped = terminalreporter.stats.get("skipped", [])
    n = sum("test_browser" in report.nodeid for report in skipped)
    if n:
        reason = next(r.longrepr[2] for r in skipped if "test_browser" in r.nodeid)
        terminalreporter.write_line(f"SKIPPED {n} tests in a browser. {reason}", yellow=True)
