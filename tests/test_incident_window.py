"""What `gonogo incident` says of its window: now and before, silence, clocks, means, owners."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo import incident as incidents
from gonogo.exports.occurrence import Brief, Owner, brief, terminal
from gonogo.exports.safe import note, note_address
from gonogo.privacy import printable
from hostile_result import excursion, objective
from test_incident import CONFIG, INCIDENT, SAMPLE, START, log_of, run
from test_incident_posts import hostile_incident

MINUTE, DAY = 60, 86_400


def write(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def calls(n: int, bad: range = range(0), **more: object) -> list[dict[str, Any]]:
    """A call a minute from START on."""
    return [
        {"timestamp": START + MINUTE * i, "trace_id": f"t{i}", "model": "m", "latency_ms": 300,
         "status": "error" if i in bad else "ok"} | more
        for i in range(n)
    ]  # fmt: skip


def told(place: Path, log: Path, *args: object) -> str:
    done = run("incident", log, *args, "-q", "--state", place / "state")
    assert done.exit_code == 0
    assert len(done.stdout) <= 1500
    return done.stdout


# ── now, and before ───────────────────────────────────────────────────────────────────────────


def test_what_goes_on_is_told_apart_from_what_has_ended(tmp_path: Path) -> None:
    text = told(tmp_path, SAMPLE, "-c", CONFIG, "--last", "7d")
    summary, *lines = text.splitlines()
    # Of the planted incidents the stale index alone lasts to the end of the week.
    assert summary.startswith(
        "1 objective is over the limit since Sat 21 Nov 2026 01:25 UTC (5 more were, and ended); "
        "above all: retrieval hit rate, "
    )
    assert lines[1].startswith(
        "- retrieval hit rate, since Sat 21 Nov 2026 01:25 UTC, still over its limit: "
    )
    assert lines[2].startswith(
        "- tool error rate {tool=get_order}, from Tue 17 Nov 2026 18:15 to 20:15 UTC: "
        "20 of 26 tool calls failed (76.9 %), limit 2 %; "
    )
    # The only owner that the project names answers for latency, and not for the index.
    assert lines[-1] == "Owner of p95 latency: chat team"


def test_what_blocks_and_the_whole_are_named_before_what_warns_and_a_part(tmp_path: Path) -> None:
    """In the last 5 h each call of the small model fails (60 of 60), and every second of the large
    one: the small one is furthest over any limit, and a part of the service (180 of 300)."""

    def row(i: int) -> dict[str, Any]:
        is_small, late = i % 5 == 0, i >= 2_700
        bad = late and (is_small or i % 2 == 0)
        return {
            "timestamp": START + MINUTE * i,
            "trace_id": f"t{i}",
            "latency_ms": 300,
            "model": "small" if is_small else "large",
            "status": "error" if bad else "ok",
        }

    log = write(tmp_path / "a.jsonl", (row(i) for i in range(3_000)))
    config = tmp_path / "readiness.toml"

    def order(*objectives: str) -> list[str]:
        config.write_text("[slo]\n" + "\n".join(objectives))
        data = json.loads(run("incident", log, "-c", config, "--last", "5h", "-q", "--state",
                              tmp_path / "s", "--format", "json").stdout)  # fmt: skip
        assert f"above all: {data['excursions'][0]['title']}, " in data["summary"]
        return [e["objective"] for e in data["excursions"]]

    small = '"error_rate{{model=small}}" = {{ limit = "<= 1%", severity = "{}" }}'
    large = '"error_rate{model=large}" = "<= 1%"'
    whole = '"error_rate" = {{ limit = "<= 1%", severity = "{}" }}'
    assert order(whole.format("blocking"), small.format("warning")) == [
        "error_rate", "error_rate{model=small}",
    ]  # fmt: skip
    assert order(whole.format("blocking"), small.format("blocking"), large) == [
        "error_rate", "error_rate{model=small}", "error_rate{model=large}",
    ]  # fmt: skip
    assert order(whole.format("informational"), small.format("warning")) == [
        "error_rate{model=small}", "error_rate",
    ]  # fmt: skip
    # Neither holds the other: the furthest is first.
    assert order(large, small.format("blocking"))[0] == "error_rate{model=small}"


def test_what_is_usual_counts_what_the_figure_counts(tmp_path: Path) -> None:
    text = told(tmp_path, SAMPLE, "--last", "2h")
    # 151 of 512 missed; outside of it 238 of 5,087 did: 95.32 % had a hit.
    assert "361 of 512 retrievals had a hit (70.5 %), limit at least 90 %; usual 95.32 %" in text


def test_two_stretches_with_quiet_between_are_not_one(tmp_path: Path) -> None:
    log = log_of(tmp_path / "a.jsonl", 1_500, bad=range(300, 360))
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    for row in rows[900:960]:
        row["latency_ms"] = 9_000
    text = told(tmp_path, write(log, rows), "--last", "1d")
    assert "2 objectives were at times over the limit from Mon 23 Nov 2026 05:00 UTC to" in text


def test_an_excursion_that_few_calls_have_followed_is_still_told(tmp_path: Path) -> None:
    """Nothing shows that it is over: at night the next call may be hours away."""
    rows = calls(700, bad=range(600, 700))
    late = {"timestamp": START + MINUTE * 940, "trace_id": "late", "model": "m", "status": "ok"}
    text = told(tmp_path, write(tmp_path / "a.jsonl", [*rows, late]), "--last", "2h")
    assert "1 objective is over the limit since Mon 23 Nov 2026 10:00 UTC" in text


def test_times_are_told_in_utc_and_in_the_declared_zone(tmp_path: Path) -> None:
    config = tmp_path / "readiness.toml"
    config.write_text('timezone = "Asia/Kolkata"\n[slo]\n"error_rate" = "<= 1%"\n')
    log = write(tmp_path / "a.jsonl", calls(1_000, bad=range(600, 700)))
    text = told(tmp_path, log, "-c", config, "--last", "12h")
    assert "from Mon 23 Nov 2026 10:00 UTC (Mon 23 Nov 2026 15:30 IST) to " in text
    assert "As of the newest record, Mon 23 Nov 2026 16:39 UTC (Mon 23 Nov 2026 22:09 IST)." in text


# ── silence ───────────────────────────────────────────────────────────────────────────────────


def test_a_log_that_stopped_is_a_report_and_no_mistake(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", calls(700))
    text = told(tmp_path, log, "--since", "2026-11-24T00:00")
    assert "No record since Tue 24 Nov 2026 00:00 UTC: either nothing was called, or" in text
    assert "As of the newest record, Mon 23 Nov 2026 11:39 UTC." in text


def test_a_quiet_stretch_inside_the_log_says_that_nothing_was_judged(tmp_path: Path) -> None:
    rows = [row for i, row in enumerate(calls(700)) if not 200 <= i < 400]
    log = write(tmp_path / "a.jsonl", rows)
    args = ("--since", "2026-11-23T03:30", "--until", "2026-11-23T06:00")
    assert "Nothing could be judged: no objective has an event" in told(tmp_path, log, *args)


def test_without_times_the_whole_is_told_and_no_stretch(tmp_path: Path) -> None:
    rows = calls(300, bad=range(30))
    for row in rows:
        del row["timestamp"]
    for args in ((), ("--since", "2026-11-23")):
        text = told(tmp_path, write(tmp_path / "a.jsonl", rows), *args)
        assert "No record carries a time, so nothing can be said of any stretch of it" in text
        assert "30 of 300 calls failed (10 %), limit 1 %" in text


# ── clocks ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("large", [False, True])
def test_one_record_from_the_future_does_not_hide_the_incident(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    if large:  # then only what is near to the newest record is read
        monkeypatch.setattr(incidents, "SMALL", 0)
    future = {"timestamp": "2031-01-01T00:00:00Z", "trace_id": "f", "model": "m", "status": "ok"}
    rows = calls(1_000, bad=range(900, 1_000))
    text = told(tmp_path, write(tmp_path / "a.jsonl", [future, *rows]), "--last", "2h")
    assert "1 objective is over the limit since Mon 23 Nov 2026 15:00 UTC" in text
    assert "As of the newest record, Mon 23 Nov 2026 16:39 UTC." in text
    assert (
        "1 call is dated Wed 1 Jan 2031 00:00 UTC, 1,499 d 7 h after all others: left out" in text
    )
    # Whoever asks for that time gets it.
    asked = told(tmp_path, tmp_path / "a.jsonl", "--since", "2030-12-31", "--until", "2031-02-01")
    assert "left out" not in asked
    assert "0 of 1 call failed" in asked


def test_a_record_that_may_be_right_is_only_told(tmp_path: Path) -> None:
    """After a quiet weekend the first call is the newest, and no wrong clock."""
    later = {"timestamp": START + 3 * DAY, "trace_id": "f", "model": "m", "status": "ok"}
    rows = calls(1_500, bad=range(900, 1_000))
    text = told(tmp_path, write(tmp_path / "a.jsonl", [*rows, later]), "--last", "2h")
    assert "As of the newest record, Thu 26 Nov 2026 00:00 UTC." in text
    assert "1 call is dated Thu 26 Nov 2026 00:00 UTC" in text
    assert "If that clock is wrong, say --until 2026-11-24T01:00Z." in text


# ── what is no rate of calls ──────────────────────────────────────────────────────────────────


def test_a_mean_over_its_limit_is_not_told_as_nothing(tmp_path: Path) -> None:
    config = tmp_path / "readiness.toml"
    config.write_text(
        '[slo]\n"error_rate" = "<= 1%"\n'
        '[slo."output_tokens.mean"]\nlimit = "<= 40"\nowner = "tokens"\n'
        'runbook = "https://r.example"\n'
    )
    drawn = random.Random(4)
    rows = [row | {"output_tokens": drawn.randint(45, 55)} for row in calls(600)]
    log = write(tmp_path / "a.jsonl", rows)
    summary, _, fact, owner = told(tmp_path, log, "-c", config).splitlines()
    assert summary.startswith("The mean output tokens is over the limit in this time")
    # The last two hours: the 120 minutes before the newest call, the bins that they touch.
    total = 125
    mean = sum(row["output_tokens"] for row in rows[-total:]) / total
    assert fact.startswith(f"- mean output tokens: the mean over {total} calls is {mean:.3g}")
    assert owner == "Owner: tokens, run book: https://r.example"
    within = [row | {"output_tokens": drawn.randint(25, 35)} for row in calls(600)]
    assert "Nothing over its limit" in told(tmp_path, write(log, within), "-c", config)


def test_slices_have_their_owner_and_are_held_against_slices(tmp_path: Path) -> None:
    config, state = tmp_path / "readiness.toml", tmp_path / "state"
    config.write_text(
        '[slo]\n"error_rate" = { limit = "<= 1%", slice = "5m", slices = ">= 99%", '
        'owner = "slicers", runbook = "https://r.example/s" }\n'
    )
    day_before = [row | {"timestamp": row["timestamp"] - DAY} for row in calls(1_500)]
    quiet = write(tmp_path / "quiet.jsonl", day_before)
    run("build", quiet, "-c", config, "-o", tmp_path / "site", "--state", state, "-q")
    log = write(tmp_path / "a.jsonl", calls(1_500, bad=range(900, 1_000)))
    text = told(tmp_path, log, "-c", config, "--last", "1d")
    assert "0 of 20 slices of 5 min kept within 1 % (0 %), limit at least 99 %" in text
    # 300 slices, of which the newest is not over and 20 are bad: 279 of 279 kept the limit.
    assert "usual 100 % (the rest of this log)" in text
    assert text.splitlines()[-1] == "Owner: slicers, run book: https://r.example/s"


# ── the report ────────────────────────────────────────────────────────────────────────────────


def test_detection_and_timeline_say_who_would_have_been_paged(tmp_path: Path) -> None:
    text = run("incident", SAMPLE, "-c", CONFIG, *INCIDENT, "-q", "--state", tmp_path,
               "--format", "markdown").stdout  # fmt: skip
    detection = text.partition("## Detection")[2].partition("## Coincidences")[0]
    assert "would have paged on Wed 18 Nov 2026 15:45 UTC, 2 h 10 min after onset" in detection
    timeline = text.partition("## Timeline")[2].partition("## Detection")[0]
    slow = [line for line in timeline.splitlines() if "p95 latency" in line]
    assert [line.rpartition("latency")[2] for line in slow] == [
        " goes over its limit",
        ": a burn-rate alert would have opened a ticket",
        " at its worst: 12 bad of 17 (70.6 %)",
        ": a burn-rate alert would have paged somebody",
        " is back within its limit",
    ]


def test_who_is_paged_needs_no_ticket_and_an_objective_no_ids(tmp_path: Path) -> None:
    """Two hours in which every call fails, twice: a page at once, and tickets after it."""
    bad = {*range(2_000, 2_120), *range(2_400, 2_520)}
    rows = calls(3_000)
    for i in bad:
        rows[i]["status"] = "error"
    log = write(tmp_path / "a.jsonl", rows)
    config = tmp_path / "readiness.toml"
    config.write_text('[slo]\n"error_rate" = "<= 1%"\n')
    args = ("incident", log, "-c", config, "--last", "2d", "-q", "--state", tmp_path)
    data = json.loads(run(*args, "--format", "json").stdout)
    burn = data["standings"][0]["objective"]["burn"]
    assert {"page", "ticket"} <= {a["alert"] for a in burn["alerts"]}
    assert len(data["excursions"]) == 2
    text = run(*args, "--format", "markdown").stdout
    timeline = text.partition("## Timeline")[2].partition("## Detection")[0]
    assert timeline.count("would have") == timeline.count("would have paged somebody") == 1
    assert timeline.count("goes over its limit, at its worst: 5 bad of 5") == 2
    detection = text.partition("## Detection")[2].partition("## Coincidences")[0]
    assert detection.count("would have paged on") == 1
    assert "ticket" not in detection
    assert not any(e["id"] in detection for e in data["excursions"])
    # Where it was looked, a line for each of the two, and one for the objective.
    assert len(re.findall("^- ", detection, re.MULTILINE)) == 4


def test_the_command_makes_the_same_report_again(tmp_path: Path) -> None:
    like = tmp_path / "like"
    log = write(tmp_path / "a.jsonl", calls(1_500, bad=range(900, 1_000), environment="a b"))
    run("build", log, "-o", like, "--state", tmp_path / "s", "-q")
    args = ("--last", "12h", "--where", "environment=a b", "--profile", "internal", "--like", like,
            "--reach", "3d")  # fmt: skip
    first = run("incident", log, *args, "-q", "--state", tmp_path, "--format", "json")
    command = json.loads(first.stdout)["command"]
    assert command == (
        "gonogo incident LOGS --where 'environment=a b' --since 2026-11-23T12:59:01Z "
        "--until 2026-11-24T00:59:01Z --reach 3d --like like --profile internal"
    )
    again = ("--since", "2026-11-23T12:59:01Z", "--until", "2026-11-24T00:59:01Z", *args[2:])
    second = run("incident", log, *again, "-q", "--state", tmp_path, "--format", "json")
    assert second.stdout == first.stdout


def test_run_books_and_traces_can_be_followed(tmp_path: Path) -> None:
    config = tmp_path / "readiness.toml"
    config.write_text(
        '[slo]\n"error_rate" = { limit = "<= 1%", owner = "chat team", '
        'runbook = "https://runs.example/errors" }\n'
        '[site]\ntrace_url = "https://traces.example/t/{trace_id}"\n'
    )
    rows = calls(1_000, bad=range(600, 700))
    rows[650] |= {"trace_id": 'a"><b/@c', "latency_ms": 9_000}
    log, out = write(tmp_path / "a.jsonl", rows), tmp_path / "o"
    run("incident", log, "-c", config, "--last", "12h", "-o", out, "-q", "--profile", "internal",
        "--state", tmp_path)  # fmt: skip
    text, page = ((out / f"incident.{kind}").read_text() for kind in ("md", "html"))
    trace = "https://traces.example/t/a%22%3E%3Cb%2F%40c"
    assert "- Owner: chat team, run book: `https://runs.example/errors`" in text
    assert f"; in the tracer: `{trace}`" in text
    assert '<a href="https://runs.example/errors" rel="noopener noreferrer">' in page
    assert f'<a href="{trace}" rel="noopener noreferrer">' in page
    # Under the public profile nothing leads into the tracer.
    run("incident", log, "-c", config, "--last", "12h", "-o", out, "-q", "--state", tmp_path)
    assert "traces.example" not in "".join(path.read_text() for path in out.iterdir())


TEXTS = st.text(
    st.sampled_from("aM 🤷é&<>`*_@#:/|{}[]\N{RIGHT-TO-LEFT OVERRIDE}\n\t\x1b\N{ZERO WIDTH SPACE}"),
    max_size=700,
)


@settings(max_examples=60)
@given(
    st.lists(TEXTS, min_size=1, max_size=3),
    st.lists(TEXTS, min_size=1, max_size=12),
    st.lists(st.tuples(TEXTS, TEXTS, st.lists(TEXTS, max_size=4)), max_size=5),
)
def test_whatever_it_is_about_it_fits_and_the_first_fact_stays(
    head: list[str], facts: list[str], owners: list[tuple[str, str, list[str]]]
) -> None:
    made = Brief(
        tuple(head), tuple(f"- {fact}" for fact in facts),
        tuple(Owner(name, f"https://r.example/{book}", tuple(of)) for name, book, of in owners),
    )  # fmt: skip
    for safe, link in ((printable, printable), (note, note_address)):
        text = made.within(1500, safe, link, "… and more")
        assert len(text) <= 1500
        assert text.endswith("\n")
        started = safe(f"- {facts[0]}", 600)[:50].rstrip()
        assert started in text


def test_the_worst_case_of_a_terminal_tells_the_furthest_and_its_owner() -> None:
    long, zone = "🤷" * 300, "America/Argentina/ComodRivadavia"
    many = tuple(excursion(long, i, id=f"e{i}", objective=f"{i}") for i in range(40))
    found = [
        objective(long, id=f"{i}", owner=f"{i} {long}", runbook=f"https://r.example/{i}{'x' * 290}")
        for i in range(40)
    ]
    standing = hostile_incident(long).standings[0]
    incident = hostile_incident(
        long, 0, excursions=many, timezone=zone, warnings=(),
        standings=tuple(standing.model_copy(update={"objective": o}) for o in found),
    )  # fmt: skip
    text = terminal(incident)
    assert len(text) <= 1500
    assert text.startswith("Default threshold, not your SLA.\n40 objectives were over the limit")
    furthest = next(line for line in text.splitlines() if line.startswith("- 🤷"))
    assert len(furthest) >= 300
    assert "… and more" in text
    assert "\nOwner of 🤷" in text
    assert len(brief(incident).owners) == 3
