"""Lines far from a stretch of time are left unread, and none that could count."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import reading
from gonogo.cli import main
from gonogo.ingest.discover import discover
from gonogo.ingest.stretch import Stretch, newest_hour

START = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())
DAY = 86_400
PER_DAY = 1_440
STRETCH = Stretch(START, START + DAY)

names = st.sampled_from(["timestamp", "start_time", "startTime", "@timestamp", "ts", "end_time"])
inside = st.integers(START, START + DAY - 1)
seconds = st.one_of(inside, st.integers(START - 4 * DAY, START + 5 * DAY))
zones = st.integers(-14 * 4, 14 * 4).map(lambda q: timezone(timedelta(minutes=15 * q)))
forms = st.sampled_from(["iso", "space", "Z", "s", "float", "ms", "us", "ns", "text"])


def written(second: int, form: str, zone: timezone) -> Any:
    here = datetime.fromtimestamp(second, zone)
    return {
        "iso": here.isoformat(),
        "space": here.isoformat(" "),
        "Z": datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "s": second,
        "float": second + 0.25,
        "ms": second * 1_000,
        "us": second * 1_000_000,
        "ns": second * 1_000_000_000,
        "text": str(second * 1_000),
    }[form]


@given(names, seconds, forms, zones, st.sampled_from([(",", ":"), (", ", ": ")]), st.booleans())
def test_what_may_count_is_near_and_what_is_days_off_is_far(
    name: str, second: int, form: str, zone: timezone, marks: tuple[str, str], first: bool
) -> None:
    rest = {"model": "a [b] {c}", "latency_ms": 12.5}
    time = {name: written(second, form, zone)}
    line = json.dumps(time | rest if first else {"service": "m"} | time | rest, separators=marks)
    (far,) = STRETCH.far(pl.Series([line])).tolist()
    if START <= second < START + DAY:
        assert not far
    if second < START - 30 * 3600 or second >= START + DAY + 30 * 3600:
        assert far


@pytest.mark.parametrize(
    "line",
    [
        '{"meta":{"timestamp":"2020-01-01T00:00:00Z"},"timestamp":"2026-11-20T05:00:00Z"}',
        '{"spans":[{"start_time":"2020-01-01T00:00:00Z"}],"ts":1795392000}',
        '{"input":"{\\"timestamp\\":\\"2020-01-01T00:00:00Z\\"}","time":"2026-11-20"}',
        '{"created_at":"2020-13-77T99:00:00Z"}',
        '{"model":"m"}', "", "{", "no JSON", '{"timestamp":12345}', '{"ts":17e8}', '{"ts":null}',
    ],
)  # fmt: skip
def test_a_line_that_does_not_plainly_say_its_time_is_read(line: str) -> None:
    assert STRETCH.far(pl.Series([line])).tolist() == [False]


def test_a_stretch_without_a_border_has_nothing_far_on_that_side() -> None:
    lines = pl.Series(['{"ts":1000000000}', '{"ts":1795132800}', '{"ts":1999999999}'])
    assert Stretch(START, None).far(lines).tolist() == [True, False, False]
    assert Stretch(None, START + DAY).far(lines).tolist() == [False, False, True]


def rows(days: int) -> list[dict[str, Any]]:
    """One call a minute; of the last six hours every third fails."""
    count = days * PER_DAY
    return [
        {"timestamp": datetime.fromtimestamp(START + 60 * i, UTC).isoformat(), "model": "m",
         "trace_id": f"t{i}", "latency_ms": 10 + i % 7, "user_id": f"u{i % 11}",
         "status": "error" if i >= count - 360 and i % 3 == 0 else "ok"}
        for i in range(count)
    ]  # fmt: skip


def logs(folder: Path, kind: str, days: int = 8) -> Path:
    folder.mkdir()
    if kind == "jsonl":
        reading.write(folder / "a.jsonl", *rows(days))
    else:
        frame = pl.DataFrame(rows(days)).with_columns(
            pl.col("timestamp").str.to_datetime(time_zone="UTC")
        )
        for day in range(days):
            frame.slice(PER_DAY * day, PER_DAY).write_parquet(folder / f"{day}.parquet")
    return folder


def report(folder: Path, out: Path, *args: str) -> dict[str, Any]:
    call = ["incident", str(folder), "-q", "--state", str(out / "s"), "-o", str(out), *args]
    done = CliRunner().invoke(main, call, catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    found: dict[str, Any] = json.loads((out / "incident.json").read_text())
    return found


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_an_incident_is_told_the_same_from_the_near_part_of_its_log(
    tmp_path: Path, kind: str
) -> None:
    folder = logs(tmp_path / "logs", kind)
    near = report(folder, tmp_path / "near", "--last", "8h", "--reach", "24h")
    whole = report(folder, tmp_path / "whole", "--last", "8h", "--reach", "all")
    assert [e["id"] for e in near["excursions"]] == [e["id"] for e in whole["excursions"]] != []
    for mine, theirs in zip(near["excursions"], whole["excursions"], strict=True):
        for key in ("onset", "end", "bad", "total", "impact"):
            assert mine[key] == theirs[key]
    read, all_read = near["ingest"], whole["ingest"]
    assert (read["lines"], read["accepted"]) == (all_read["lines"], all_read["accepted"])
    # The window and its reach of 32 hours begin on a full hour: 33 hours of sixty calls at most.
    assert 32 * 60 <= read["calls"] <= 33 * 60 < all_read["calls"] == 8 * PER_DAY
    assert read["outside_period"] == 8 * PER_DAY - read["calls"]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_far_lines_are_not_decoded(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gonogo.ingest import making, parts

    folder, decoded = logs(tmp_path / "logs", kind), []
    for module in (making, parts):
        plain = module.canonicalise
        monkeypatch.setattr(
            module,
            "canonicalise",
            lambda frame, *a, plain=plain, **k: (
                decoded.append(frame.height) or plain(frame, *a, **k)
            ),
        )
    report(folder, tmp_path / "near", "--last", "2h", "--reach", "24h")
    assert 0 < sum(set(decoded)) < 4 * PER_DAY


def test_what_began_before_reading_did_is_said_to(tmp_path: Path) -> None:
    folder = logs(tmp_path / "logs", "jsonl")
    found = report(folder, tmp_path / "o", "--last", "1h", "--reach", "3h")
    assert any("its beginning may be earlier, and --reach all" in note for note in found["notes"])
    whole = report(folder, tmp_path / "p", "--last", "1h", "--reach", "all")
    assert not any("--reach" in note for note in whole["notes"])


def test_a_newest_record_that_does_not_count_does_not_hide_the_others(tmp_path: Path) -> None:
    folder = logs(tmp_path / "logs", "jsonl", days=2)
    with (folder / "a.jsonl").open("a") as handle:
        handle.write('{"timestamp": "2031-01-01T00:00:00Z", "model": "m", broken\n')
    found = report(folder, tmp_path / "o", "--last", "8h", "--reach", "24h")
    assert found["excursions"]
    assert found["as_of"] == START + 2 * DAY - 60


def test_the_newest_hour_of_all_files(tmp_path: Path) -> None:
    folder = logs(tmp_path / "logs", "jsonl", days=1)
    reading.write(folder / "b.jsonl", {"ts": START + 40 * 3600, "model": "m"}, {"model": "m"})
    hour = newest_hour(discover([str(folder)]).sources, None)
    assert hour == START + 40 * 3600
    reading.write(folder / "c.jsonl", {"resourceSpans": []})
    assert newest_hour(discover([str(folder)]).sources, None) is None


def test_a_reach_that_is_none_is_a_mistake_of_usage(tmp_path: Path) -> None:
    log = reading.write(tmp_path / "a.jsonl", *rows(1)[:20])
    done = CliRunner().invoke(main, ["incident", str(log), "--reach", "far", "-q"])
    assert done.exit_code == 2
    assert "'far' is not a length of time" in done.stderr
