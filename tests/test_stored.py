"""Rollups kept file by file: the same verdict as from the logs, nothing counted twice or lost."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from gonogo import pipeline, stored
from gonogo.cli import main
from gonogo.entries import entries_of
from gonogo.errors import InputError, ResultError, UsageError
from gonogo.progress import Silent
from gonogo.request import Request

DAY = 86_400
START = 1_795_392_000  # 2026-11-23T00:00Z


def call(day: int, number: int, **more: Any) -> dict[str, Any]:
    rng = random.Random(f"{day}/{number}")
    return {
        "timestamp": START + day * DAY + number * 60,
        "trace_id": f"t{day}-{number}",
        "span_id": f"s{day}-{number}",
        "session_id": f"session {rng.randrange(9)}",
        "user_id": f"user {rng.randrange(5)}",
        "tenant_id": f"tenant {rng.randrange(3)}",
        "model": rng.choice(["gpt-4o-mini", "claude-3-5-haiku-latest"]),
        "provider": "openai",
        "latency_ms": rng.randrange(100, 5000),
        "input_tokens": rng.randrange(2000),
        "output_tokens": rng.randrange(400),
        "status": rng.choice(["ok", "ok", "ok", "error"]),
        **more,
    }


def write(path: Path, rows: list[dict[str, Any]], *more: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in (*map(json.dumps, rows), *more)))
    return path


@pytest.fixture(name="logs")
def three_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three days, of which the second repeats lines of the first and has a bad one."""
    monkeypatch.chdir(tmp_path)
    days = [[call(day, n) for n in range(60 + 10 * day)] for day in range(3)]
    write(tmp_path / "logs/0.jsonl", days[0])
    write(tmp_path / "logs/1.jsonl", [*days[0][:7], *days[1], days[1][3]], "{bad", "")
    write(tmp_path / "logs/2.jsonl", days[2])
    return tmp_path / "logs"


def roll(*what: str | Path, output: str = "rollups") -> stored.Rolled:
    request = Request(logs=tuple(map(str, what)), config_path=None)
    return pipeline.roll_up(request, Path(output), Silent())


def from_logs(*what: str | Path, **more: Any) -> Any:
    """The result, without what takes a second look at the log lines: details of excursions."""
    request = Request(logs=tuple(map(str, what)), config_path=None, **more)
    result = pipeline.analyse(request, Silent())
    assert any(excursion.impact for excursion in result.excursions)
    bare = {"impact": None, "coincidences": (), "first_seen": (), "witnesses": ()}
    return result.model_copy(
        update={"excursions": tuple(e.model_copy(update=bare) for e in result.excursions)}
    )


def from_rollups(folder: str = "rollups", **more: Any) -> Any:
    request = Request(logs=(), config_path=None, rollups=Path(folder), **more)
    return pipeline.analyse(request, Silent())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_the_result_is_the_one_from_the_logs(logs: Path) -> None:
    roll("logs")
    kept = from_rollups()
    assert kept == from_logs("logs")
    assert (kept.ingest.lines, kept.ingest.quarantined, kept.ingest.duplicates) == (219, 1, 8)
    assert kept.ingest.calls == 60 + 70 + 80


def test_what_is_unchanged_is_not_read_again(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roll("logs")
    read: list[str] = []
    reader = stored.read_logs

    def watched(discovery: Any, *a: Any, **k: Any) -> Any:
        read.extend(source.name for source in discovery.sources)
        return reader(discovery, *a, **k)

    monkeypatch.setattr(stored, "read_logs", watched)
    os.utime(logs / "0.jsonl")  # as a fresh download: another time, the same content
    write(logs / "3.jsonl", [call(3, n) for n in range(20)])
    rolled = roll("logs")
    assert read == rolled.made == ["logs/3.jsonl"]
    assert rolled.unchanged == ["logs/0.jsonl", "logs/1.jsonl", "logs/2.jsonl"]
    assert from_rollups() == from_logs("logs")


def test_late_lines_of_a_file_replace_what_was_counted(logs: Path) -> None:
    roll("logs")
    write(logs / "2.jsonl", [call(2, n) for n in range(95)])
    assert roll("logs").made == ["logs/2.jsonl"]
    assert from_rollups() == from_logs("logs")
    assert len(entries_of(Path("rollups"))) == 3


def test_logs_may_be_gone_once_they_are_rolled_up(logs: Path) -> None:
    whole = from_logs("logs")
    roll("logs")
    for path in logs.iterdir():
        path.unlink()
    assert from_rollups() == whole


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_another_process_knows_the_lines_that_were_counted(logs: Path, kind: str) -> None:
    """As a job of every night is one, and each has a seed of its own for its hashes."""
    for path in sorted(logs.iterdir()) if kind == "parquet" else ():
        rows = [json.loads(line) for line in path.read_text().splitlines() if line[:2] == '{"']
        pl.DataFrame(rows).write_parquet(path.with_suffix(".parquet"))
        path.unlink()
    for path in sorted(logs.iterdir()):
        subprocess.run(
            [sys.executable, "-m", "gonogo", "rollup", f"logs/{path.name}", "-o", "rollups", "-q"],
            check=True,
        )
    assert from_rollups().ingest.duplicates == 8
    assert from_rollups() == from_logs("logs")


def test_lines_that_only_a_copy_has_left_are_counted_again(logs: Path) -> None:
    roll("logs")
    write(logs / "0.jsonl", [call(0, n) for n in range(5, 60)])  # five that file 1 has too are gone
    rolled = roll("logs")
    assert rolled.made == ["logs/0.jsonl", "logs/1.jsonl"]
    assert from_rollups().ingest.calls == 60 + 70 + 80


def test_a_lost_original_whose_copy_is_not_given_is_said(logs: Path) -> None:
    roll("logs")
    write(logs / "0.jsonl", [call(0, n) for n in range(5, 60)])
    said: list[str] = []

    class Heard(Silent):
        def note(self, text: str) -> None:
            said.append(text)

    request = Request(logs=("logs/0.jsonl",), config_path=None)
    pipeline.roll_up(request, Path("rollups"), Heard())
    assert len(said) == 1
    assert said[0].startswith("logs/1.jsonl left out lines")


def test_the_same_file_under_two_names_counts_once(logs: Path) -> None:
    rows = [{k: v for k, v in call(5, n).items() if k != "span_id"} for n in range(9)]
    write(logs / "5.jsonl", rows)
    write(logs / "copy.jsonl", rows)
    roll("logs")
    assert from_rollups() == from_logs("logs")


def test_a_killed_run_leaves_whole_entries_and_goes_on(
    logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, done = Path.rename, []

    def killed(part: Path, target: Path) -> Path:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(target)
        return rename(part, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            roll("logs")
    assert len(entries_of(Path("rollups"))) == 2
    assert roll("logs").made == ["logs/2.jsonl"]
    assert from_rollups() == from_logs("logs")


def test_concurrent_runs_do_no_harm(logs: Path) -> None:
    failed: list[BaseException] = []

    def go() -> None:
        try:
            roll("logs")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(entries_of(Path("rollups"))) == 3
    assert from_rollups().ingest.calls == 60 + 70 + 80


def test_stores_of_two_machines_merge(logs: Path) -> None:
    roll("logs/0.jsonl", output="a")
    roll("logs/2.jsonl", "logs/0.jsonl", output="b")
    assert run("merge", "a", "b", "-o", "both").exit_code == 0
    assert from_rollups("both") == from_logs("logs/0.jsonl", "logs/2.jsonl")


def test_stores_that_share_lines_are_not_added_up(logs: Path) -> None:
    roll("logs/0.jsonl", output="a")
    roll("logs/1.jsonl", output="b")
    found = run("merge", "a", "b", "-o", "both")
    assert found.exit_code == 2
    assert "7 lines are in more than one" in found.stderr
    assert "R024" in found.stderr


def test_two_contents_of_one_file_are_not_merged(logs: Path) -> None:
    roll("logs/0.jsonl", output="a")
    write(logs / "0.jsonl", [call(0, n) for n in range(80)])
    roll("logs/0.jsonl", output="b")
    assert "R023" in run("merge", "a", "b", "-o", "both").stderr


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ('[slo]\n"latency.p95" = "<= 1s"\n', "objectives"),
        ('timezone = "Europe/Berlin"\n', "timezone"),
        ('[fields]\nuser_id = "who"\n', "[fields]"),
        ('[prices]\nprefer = "priced"\n', "[prices]"),
    ],
)
def test_counts_by_other_settings_are_refused_by_name(logs: Path, config: str, named: str) -> None:
    roll("logs")
    Path("readiness.toml").write_text(config)
    found = run("check", "--from-rollups", "rollups", "-q")
    assert found.exit_code == 2, found.output
    assert f"other settings: {named}" in found.stderr
    assert run("rollup", "logs", "-o", "rollups").exit_code == 0
    assert run("check", "--from-rollups", "rollups", "-q").exit_code in (0, 1, 3)


def test_who_agreed_to_an_objective_changes_no_count(logs: Path) -> None:
    first = Path("a.toml")
    first.write_text('[slo]\n"latency.p95" = { limit = "<= 2s" }\n')
    assert run("rollup", "logs", "-c", "a.toml").exit_code == 0
    first.write_text(
        '# agreed\n[slo]\n"latency.p95" = { limit = "<= 2s", owner = "Ann", agreed_by = "Bob", '
        'severity = "warning" }\n'
    )
    found = run("check", "--from-rollups", "rollups", "-c", "a.toml", "-q")
    assert found.exit_code in (0, 1, 3), found.stderr


def test_a_period_takes_the_files_that_lie_in_it(logs: Path) -> None:
    write(logs / "1.jsonl", [call(1, n) for n in range(70)])
    roll("logs")
    period = "2026-11-24..2026-11-26"
    assert from_rollups(period=period).ingest.calls == 70 + 80
    same = from_logs("logs/1.jsonl", "logs/2.jsonl", period=period)
    assert from_rollups(period=period) == same


def test_a_file_that_reaches_past_the_period_is_not_cut(logs: Path) -> None:
    roll("logs")
    with pytest.raises(ResultError, match=r"logs/0\.jsonl reaches past it"):
        from_rollups(period="2026-11-22..2026-11-23T00:30")


def test_calls_without_a_time_are_in_no_period(logs: Path) -> None:
    write(
        logs / "2.jsonl", [call(2, n, timestamp=None) if n == 3 else call(2, n) for n in range(9)]
    )
    roll("logs/2.jsonl")
    with pytest.raises(ResultError, match="without a time"):
        from_rollups(period="2026-11-24..2026-11-26")


def test_an_unfinished_entry_is_no_entry(logs: Path) -> None:
    roll("logs")
    entry = entries_of(Path("rollups"))[0]
    (entry.folder / "entry.json").unlink()
    assert len(entries_of(Path("rollups"))) == 2
    assert roll("logs").made == [entry.name]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": 1}'])
def test_a_damaged_entry_is_named(logs: Path, text: str) -> None:
    roll("logs")
    entry = entries_of(Path("rollups"))[0]
    (entry.folder / "entry.json").write_text(text)
    with pytest.raises(ResultError) as caught:
        from_rollups()
    assert caught.value.diagnostics[0].code in ("R006", "R007")


def test_secrets_in_names_are_not_kept(logs: Path) -> None:
    secret = "AKIAIOSFODNN7EXAMPLE"  # the one of the provider's own documentation
    write(logs / "0.jsonl", [call(0, n, model=f"m {secret}") for n in range(5)])
    roll("logs/0.jsonl")
    for path in Path("rollups").rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes()


def test_bad_input_is_told(logs: Path) -> None:
    with pytest.raises(UsageError, match="pipe"):
        roll("-")
    with pytest.raises(UsageError, match="whole"):
        pipeline.roll_up(
            Request(logs=("logs",), config_path=None, period="2026-W47"), Path("r"), Silent()
        )
    with pytest.raises(ResultError, match="no rollups"):
        from_rollups("nowhere")
    write(logs / "9.jsonl", [], "not json", "nor this")
    with pytest.raises(InputError):
        roll("logs")
    assert len(entries_of(Path("rollups"))) == 3  # those before the bad file


def test_logs_and_rollups_together_are_a_mistake(logs: Path) -> None:
    roll("logs")
    assert (
        "either LOGS or --from-rollups" in run("check", "logs", "--from-rollups", "rollups").stderr
    )
    assert "Missing argument" in run("check").stderr


def test_the_period_of_a_rollup_is_its_own(logs: Path) -> None:
    """What a store was made from is in the result, as from logs."""
    roll("logs")
    kept, whole = from_rollups(), from_logs("logs")
    assert [f.sha256 for f in kept.ingest.files] == [f.sha256 for f in whole.ingest.files]
    assert replace(Request(logs=(), config_path=None), rollups=Path("x")).rollups == Path("x")
