"""Clock skew and events in the future: said, counted, and never silently the present."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gonogo.cli import main


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def notes(place: Path, odd: list[str], *options: str, usual: int = 2000) -> list[str]:
    """The notes of a result over calls of 16 and 17 November, and one more for each odd time."""
    times = [f"2026-11-{16 + n % 2}T{n % 24:02}:{n % 60:02}:00Z" for n in range(usual)] + odd
    lines = [
        json.dumps({"trace_id": f"t{n}", "timestamp": at, "latency_ms": 5, "status": "ok"})
        for n, at in enumerate(times)
    ]
    (place / "log.jsonl").write_text("\n".join(lines))
    run = CliRunner().invoke(main, ["check", "log.jsonl", "--format", "json", *options])
    result = json.loads(run.stdout)
    assert result["ingest"]["calls"] == len(times)
    return list(result["notes"])


def test_usual_times_need_no_word(place: Path) -> None:
    assert notes(place, []) == []
    assert notes(place, ["2026-11-18T20:00:00Z"]) == []  # within a day of the others


def test_a_few_calls_far_off_are_said(place: Path) -> None:
    (late,) = notes(place, ["2027-03-01T00:00:00Z", "2027-03-01T00:10:00Z"])
    assert late.startswith("2 calls are dated over a day after all others, up to Mon 1 Mar 2027")
    (early,) = notes(place, ["2019-05-01T00:00:00Z"])
    assert early.startswith("1 call is dated over a day before all others, from Wed 1 May 2019")


def test_a_handful_very_far_off_is_said_of_a_small_log_too(place: Path) -> None:
    far = ["2031-01-01T00:00:00Z"] * 3
    (late,) = notes(place, far, usual=57)
    assert late.startswith("3 calls are dated over a day after all others")
    assert notes(place, far, usual=56) == []  # more than a twentieth of the calls
    assert notes(place, ["2026-12-10T00:00:00Z"], usual=57) == []  # within 30 days


def test_a_service_that_was_resumed_has_no_wrong_clock(place: Path) -> None:
    assert notes(place, [f"2026-12-01T10:{n:02}:00Z" for n in range(30)]) == []


def test_calls_after_the_present_are_said(place: Path) -> None:
    said = notes(place, [], "--as-of", "2026-11-17")
    assert said[0].startswith("1,000 calls are dated after the present that was given")
    assert notes(place, [], "--as-of", "2026-11-18") == []


def test_an_odd_clock_at_either_end_does_not_stop_a_run(place: Path) -> None:
    said = notes(place, ["2019-01-01T00:00:00Z", "2027-12-31T23:59:59Z"])
    assert [text.split(":")[0].split(" dated")[1][:18] for text in said] == [
        " over a day after ", " over a day before",
    ]  # fmt: skip


def test_a_period_without_a_call_is_inconclusive_and_says_why(place: Path) -> None:
    notes(place, [])
    run = CliRunner().invoke(main, ["check", "log.jsonl", "--period", "2026-12-01..2026-12-02"])
    assert run.exit_code == 3
    assert "of 2,000 records none counts: 2,000 outside the period" in " ".join(run.stdout.split())
