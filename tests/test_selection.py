"""--period, --where and [[exclude]]: what does not count is counted, and nothing is lost."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import run_engine
from gonogo.errors import UsageError
from gonogo.results import IngestReport, ReadinessResult
from hostile import fields
from published import gonogo
from reading import write

MOMENTS = (
    "2026-11-15T22:59:59Z", "2026-11-15T23:00:00Z", "2026-11-16T00:00:00Z", "2026-11-18T12:00:00Z",
    "2026-11-22T22:59:59.999999Z", "2026-11-22T23:00:00Z", "2026-11-23T04:59:59Z",
    "2026-11-23T05:00:00Z", None,
)  # fmt: skip


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A call at each moment, the edges of week 47 in three time zones."""
    path = tmp_path / "logs" / "calls.jsonl"
    path.parent.mkdir()
    return write(path, *(fields("when", i, timestamp=t) for i, t in enumerate(MOMENTS)))


def judged(logs: Path, config: str = "", **options: Any) -> ReadinessResult:
    folder = logs.parents[1]
    path = None
    if config:
        path = folder / "readiness.toml"
        path.write_text(config)
    result = run_engine.check(folder / "state", logs, config=path, **options)
    read = result.ingest
    left_out = read.outside_period + read.filtered + read.excluded
    assert read.calls + read.not_calls + left_out == read.accepted
    assert read.lines == read.accepted + read.quarantined + read.duplicates
    return result


def counts(read: IngestReport) -> tuple[int, int, int, int]:
    return read.calls, read.outside_period, read.filtered, read.excluded


@pytest.mark.parametrize(
    ("zone", "period", "calls"),
    [
        ("UTC", "2026-W47", 4),
        ("Europe/Berlin", "2026-W47", 4),
        ("America/New_York", "2026-W47", 4),
        ("America/New_York", "2026-W48", 1),
        ("UTC", "2026-11-16..2026-11-18", 2),
        ("UTC", "2026-11-18..2026-11-18", 1),
        ("Europe/Berlin", "2026-11-16..2026-11-16", 2),
        ("UTC", "2026-11-16T00:00:00Z..2026-11-18T12:00:00Z", 1),
        ("Europe/Berlin", "2026-11-16T00:00:00..2026-11-18T13:00:01", 3),
        ("UTC", "2026-11-15T23:00:00+00:00..2026-11-22T23:00:00", 4),
        ("UTC", "2025-W10", 0),
    ],
)
def test_a_period_is_cut_in_the_declared_zone(
    zone: str, period: str, calls: int, logs: Path
) -> None:
    result = judged(logs, f'timezone = "{zone}"\n', period=period)
    assert counts(result.ingest) == (calls, len(MOMENTS) - calls, 0, 0)
    assert result.period.label == period
    if "-W" in period:
        assert result.period.start is not None
        assert result.period.end is not None
        monday = datetime.fromtimestamp(result.period.start, ZoneInfo(zone))
        assert (monday.strftime("%G-W%V-%u %H:%M:%S")) == f"{period}-1 00:00:00"
        assert result.period.end - result.period.start == 7 * 86_400


def test_without_a_period_everything_counts_and_untimed_calls_are_said(logs: Path) -> None:
    result = judged(logs)
    assert counts(result.ingest) == (len(MOMENTS), 0, 0, 0)
    assert result.period.untimed_calls == 1
    assert any("carry no time" in note for note in result.notes)


def test_last_week_is_the_one_before_the_present(logs: Path) -> None:
    told = gonogo(
        "check", logs, "--period", "last-week", "--as-of", "2026-11-25", "--format", "json",
        "--state", logs.parent / "state",
    )  # fmt: skip
    assert '"label":"2026-W47"' in told.stdout
    assert '"outside_period":5' in told.stdout


@pytest.mark.parametrize("period", ["yesterday", "2026-W54", "2026-11-18..2026-11-16", "2026-W9"])
def test_a_period_that_is_none_is_refused(period: str, logs: Path) -> None:
    with pytest.raises(UsageError) as caught:
        judged(logs, period=period)
    assert caught.value.diagnostics[0].code == "U002"
    assert "2026-W47" in caught.value.diagnostics[0].hint


def test_where_selects_by_dimension_and_counts_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    rows = [
        fields("where", 0, environment="production", model="gpt-4o-mini", tenant_id="a"),
        fields("where", 1, environment="production", model="claude", tenant_id="b"),
        fields("where", 2, environment="staging", model="gpt-4o", tenant_id="a"),
        fields("where", 3, environment=None, model=""),
        {**fields("where", 4, environment="production"), "timestamp": "2020-01-01T00:00:00Z"},
    ]
    for row in rows:
        row.pop("request_model")
    logs = write(folder / "calls.jsonl", *rows, rows[0], "noise")
    for where, calls in (
        (["environment=production"], 3), (["model=gpt-4o*"], 2), (["model=gpt-?o"], 1),
        (["environment=production", "model=gpt*"], 1), (["environment=*"], 4),
        (["environment=Production"], 0), (["tenant_id=a"], 2), (["model="], 0),
    ):  # fmt: skip
        result = judged(logs, where=where)
        assert counts(result.ingest) == (calls, 0, 5 - calls, 0), where
        assert (result.ingest.duplicates, result.ingest.quarantined) == (1, 1)
    both = judged(logs, where=["environment=production"], period="2026-W47")
    assert counts(both.ingest) == (2, 1, 2, 0)


def test_where_says_which_keys_there_are(logs: Path) -> None:
    with pytest.raises(UsageError) as caught:
        judged(logs, where=["enviroment=production"])
    (problem,) = caught.value.diagnostics
    assert problem.code == "U003"
    assert "environment=production" in problem.hint


def test_a_tenant_that_is_selected_is_not_named_in_public(logs: Path) -> None:
    told = gonogo(
        "check", logs, "--where", "tenant_id=acme-corp", "--format", "json",
        "--state", logs.parent / "state",
    )  # fmt: skip
    assert "where tenant_id = tenant-" in told.stdout
    assert "acme-corp" not in told.stdout


EXCLUDE = """
timezone = "Europe/Berlin"
[[exclude]]
from = "2026-11-18T13:00:00"
to = "2026-11-18T13:00:01"
reason = "load test"
owner = "Ada"
[[exclude]]
from = 2026-11-16T00:00:00Z
to = 2026-11-22T22:59:59Z
reason = "maintenance"
owner = "Grace"
"""


def test_what_is_excluded_is_counted_printed_and_not_dropped(logs: Path) -> None:
    result = judged(logs, EXCLUDE)
    # Its end is not part of a range, and no time lies in none.
    assert counts(result.ingest) == (len(MOMENTS) - 2, 0, 0, 2)
    told = " ".join(result.config.lines)
    assert "load test (Ada)" in told
    assert "maintenance (Grace)" in told
    week = judged(logs, EXCLUDE, period="2026-W47", where=["service=hostile"])
    assert counts(week.ingest) == (2, 5, 0, 2)
    none = judged(logs, EXCLUDE, where=["service=other"])
    assert counts(none.ingest) == (0, 0, len(MOMENTS), 0)


def test_fields_are_mapped_from_the_configuration(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    logs = write(
        folder / "own.jsonl",
        *({"llm": {"took_s": 2, "name": "m"}, "gen_ai.tokens": 5, "ok": True} for _ in range(9)),
    )
    config = '[fields]\nlatency_ms = "llm.took_s"\nrequest_model = "llm.name"\n'
    result = judged(logs, config + 'input_tokens = "gen_ai.tokens"\n')
    table = result.tables["by_model"]
    assert table.data["value"] == ["m"]
    assert table.data["latency_sum"] == [9 * 2_000_000]
    assert table.data["input_tokens"] == [45]
    assert "field latency_ms = llm.took_s" in result.config.lines
