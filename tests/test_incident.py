"""What drove an excursion, whom it touched, and what `gonogo incident` says of it."""

from __future__ import annotations

import json
import random
import re
import shutil
from itertools import combinations
from math import comb, log
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.cli import main
from gonogo.pipeline import Request, analyse
from gonogo.progress import Silent
from gonogo.stats.lift import log_tail
from test_planted import OBJECTIVE_OF
from test_sample_logs import PLANTED

SAMPLE = Path(__file__).parents[1] / "sample_logs"
CONFIG = Path(__file__).parents[1] / "sample_project" / "readiness.toml"
START = 1_795_392_000  # Mon 2026-11-23T00:00Z
INCIDENT = ("--since", "2026-11-18T12:00", "--until", "2026-11-18T17:00")


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in args], catch_exceptions=False)


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The sample week; its tools are judged together, so that what drove one can be told."""
    project = tmp_path_factory.mktemp("project") / "p"
    shutil.copytree(CONFIG.parent, project)
    config, state = project / CONFIG.name, tmp_path_factory.mktemp("state")
    text = config.read_text().replace(', group_by = "tool"', "")
    assert text != CONFIG.read_text()
    config.write_text(text)
    done = run("check", SAMPLE, "-c", config, "--format", "json", "--profile", "internal",
               "--state", state)  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def of(week: dict[str, Any], objective: str) -> dict[str, Any]:
    (found,) = [e for e in week["excursions"] if e["objective"] == objective]
    return dict(found)


def seconds(plant: Any) -> tuple[int, int]:
    return int(plant.onset.timestamp()), int(plant.end.timestamp())


# ── the statistics ────────────────────────────────────────────────────────────────────────────


@settings(max_examples=60)
@given(st.data())
def test_the_tail_is_that_of_every_way_to_deal(data: st.DataObject) -> None:
    everything = data.draw(st.integers(1, 9))
    bad_all = data.draw(st.integers(0, everything))
    events = data.draw(st.integers(0, everything))
    bad = data.draw(st.integers(0, min(events, bad_all)))
    ways = [sum(i < bad_all for i in hand) for hand in combinations(range(everything), events)]
    share = sum(w >= bad for w in ways) / comb(everything, events)
    assert log_tail(bad, events, bad_all, everything) == pytest.approx(log(share), abs=1e-9)


def test_a_tail_far_below_the_smallest_float_is_found() -> None:
    # All 1,000 bad ones among 1,000 of 10,000: one way of C(10000, 1000).
    assert log_tail(1000, 1000, 1000, 10_000) == pytest.approx(
        -sum(log(10_000 - i) - log(1000 - i) for i in range(1000)), rel=1e-9
    )


# ── the sample week ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", OBJECTIVE_OF)
def test_what_truly_drove_it_is_ranked_first(week: dict[str, Any], name: str) -> None:
    first = of(week, OBJECTIVE_OF[name])["coincidences"][0]
    plant: Any = PLANTED[name]
    assert (first["dimension"].replace("tool_name", "tool"), first["value"]) == (
        plant.dimension.removeprefix("retrieval."), plant.value,
    )  # fmt: skip
    assert first["lift"] > 1


@pytest.mark.parametrize(
    ("name", "both"),
    [("provider-slow", True), ("model-errors", False), ("injection-burst", False)],
)
def test_onset_and_end_are_exact_to_the_bin_where_the_bins_show_it(
    week: dict[str, Any], name: str, both: bool
) -> None:
    e, (onset, end) = of(week, OBJECTIVE_OF[name]), seconds(PLANTED[name])
    if both:
        assert (e["onset"], e["end"]) == (onset, end)
    else:
        # The errors begin in their first bin; of the burst the first bin holds one blocked call of
        # 21. Ends lie on the last bad event.
        assert 0 <= e["onset"] - onset <= 300
        assert 0 <= end - e["end"] <= 900


def test_the_incident_of_wednesday_is_told_from_its_first_to_its_last_bin() -> None:
    done = run("incident", SAMPLE, "-c", CONFIG, *INCIDENT, "-q")
    assert done.exit_code == 0
    assert "from Wed 18 Nov 2026 13:35 UTC to Wed 18 Nov 2026 16:10 UTC" in done.stdout
    assert len(done.stdout) <= 1500
    assert "provider openai has 147 of the 147 bad events" in done.stdout
    assert "model gpt-4o-2024-08-06" in done.stdout
    assert "chat team" in done.stdout
    assert not re.search(r"\bcause[ds]?\b|because|due to", done.stdout)


def test_whom_it_touched_is_a_direct_count_over_the_log(week: dict[str, Any]) -> None:
    import gzip

    onset, end = seconds(PLANTED["model-errors"])
    e = of(week, "error_rate")
    rows = []
    with gzip.open(SAMPLE / "support-copilot-2026-11-18.jsonl.gz", "rt") as lines:
        for line in lines:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict) and row.get("status") == "error":
                rows.append(row)
    from datetime import datetime

    bad = {
        row["span_id"]: row
        for row in rows
        if onset <= datetime.fromisoformat(row["timestamp"]).timestamp() < e["end"]
    }
    assert end >= e["end"]
    impact = e["impact"]
    assert impact["calls"] == len(bad) == e["bad"]
    for key, name in (("sessions", "session_id"), ("users", "user_id"), ("tenants", "tenant_id")):
        assert impact[key] == len({row[name] for row in bad.values()})


def test_exemplars_are_the_worst_a_typical_one_and_a_good_one(week: dict[str, Any]) -> None:
    e = of(week, "latency.p95")
    worst, typical, control = e["witnesses"]
    assert [w["kind"] for w in e["witnesses"]] == ["worst", "typical", "control"]
    assert worst["duration_us"] >= typical["duration_us"] > 4_000_000 >= control["duration_us"]
    assert control["error_class"] is None
    assert len({w["span_id"] for w in e["witnesses"]}) == 3
    assert all(e["onset"] <= w["time"] < e["end"] for w in e["witnesses"])
    hang = of(week, "tool_error_rate")["witnesses"]
    assert {"name": "tool get_order", "duration_us": 30_000_000, "failed": True} in hang[0]["steps"]


def test_the_public_profile_masks_the_tenant_and_the_page_shows_the_details(
    tmp_path: Path,
) -> None:
    run("build", SAMPLE, "-c", CONFIG, "-o", tmp_path / "site", "--state", tmp_path / "state", "-q")
    page = (tmp_path / "site" / "breaches.html").read_text()
    assert "which is not to say that it is the cause" in page
    assert "provider openai has 147 of the 147 bad events" in page
    text = run("incident", SAMPLE, "-c", CONFIG, "--since", "2026-11-20T10:00", "--until",
               "2026-11-20T12:00", "-q", "--state", tmp_path / "state").stdout  # fmt: skip
    assert "coincides: tenant " in text
    assert "maple" not in text + page
    # The state holds this very week: the usual is that of the same hours without the incident.
    assert "the same hours of the day in" in text


# ── what is said otherwise ────────────────────────────────────────────────────────────────────


def log_of(path: Path, n: int, *, bad: range = range(0), name: str = "a") -> Path:
    drawn = random.Random(5)
    rows = [
        {"timestamp": START + 60 * i, "trace_id": f"t{i}", "model": name,
         "latency_ms": drawn.randint(100, 900), "status": "error" if i in bad else "ok"}
        for i in range(n)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_nothing_over_its_limit_names_the_nearest(tmp_path: Path) -> None:
    log = log_of(tmp_path / "a.jsonl", 600, bad=range(500, 501))
    done = run("incident", log, "--last", "3h", "-q", "--state", tmp_path)
    assert done.exit_code == 0
    assert done.stdout.startswith("Default threshold, not your SLA.\nNothing over its limit")
    # The bin of the newest record counts here: 185 of the calls are of the last three hours.
    assert "nearest: error rate (error_rate <= 1%), 1 of 185 calls failed (0.54 %)" in done.stdout


def test_the_worst_call_is_found_in_whichever_file_it_is(tmp_path: Path) -> None:
    """Lines of JSON and Parquet are parts of their own, which are looked at one after the other."""
    folder = tmp_path / "logs"
    folder.mkdir()
    log = log_of(folder / "a.jsonl", 3_000, bad=range(1_000, 1_600))
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    other = [row | {"trace_id": f"{row['trace_id']}-b"} for row in rows]
    other[1_234]["latency_ms"] = 60_000
    pl.DataFrame(other).write_parquet(folder / "b.parquet")
    request = Request((str(folder),), None, profile="internal", state=tmp_path / "state")
    (found,) = analyse(request, Silent()).excursions
    worst = next(w for w in found.witnesses if w.kind == "worst")
    assert (worst.trace_id, worst.duration_us) == ("t1234-b", 60_000_000)
    assert found.bad == 1_200


def test_for_the_verdict_alone_nothing_is_read_twice(tmp_path: Path) -> None:
    log = log_of(tmp_path / "a.jsonl", 3_000, bad=range(1_000, 1_600))
    request = Request((str(log),), None, state=tmp_path / "state")
    alone, whole = (analyse(request, Silent(), verdict_only=only) for only in (True, False))
    assert alone.slo == whole.slo
    assert [e.id for e in alone.excursions] == [e.id for e in whole.excursions] != []
    assert {e.impact for e in alone.excursions} == {None}
    assert None not in {e.impact for e in whole.excursions}


def test_an_incident_that_goes_on_is_said_to_and_stays_itself(tmp_path: Path) -> None:
    log = log_of(tmp_path / "a.jsonl", 700, bad=range(600, 700))
    done = run("incident", log, "--last", "1h", "-o", tmp_path / "o", "--state", tmp_path)
    assert "1 objective is over the limit since Mon 23 Nov 2026 10:00 UTC" in done.stdout
    first = json.loads((tmp_path / "o" / "incident.json").read_text())
    log_of(tmp_path / "a.jsonl", 760, bad=range(600, 705))
    run("incident", log, "--last", "3h", "-o", tmp_path / "o", "--state", tmp_path)
    later = json.loads((tmp_path / "o" / "incident.json").read_text())
    assert [e["id"] for e in first["excursions"]] == [e["id"] for e in later["excursions"]]
    assert (first["excursions"][0]["ongoing"], later["excursions"][0]["ongoing"]) == (True, False)
    (normal,) = later["normals"].values()
    assert (normal["bad"], normal["total"], normal["source"]) == (0, 655, "the rest of this log")


def test_the_three_files_hold_the_report_and_leave_the_rest_to_people(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> @channel [x](http://evil.example)"
    log = log_of(tmp_path / "a.jsonl", 700, bad=range(600, 660), name=hostile)
    run("incident", log, "--last", "3h", "-o", tmp_path / "o", "--state", tmp_path)
    text = (tmp_path / "o" / "incident.md").read_text()
    titles = re.findall("^## (.*)$", text, re.MULTILINE)
    assert titles == ["Summary", "Impact", "Timeline", "Detection", "Coincidences", "Exemplars",
                      "Data", "Root cause", "Resolution", "Actions", "Reproduce"]  # fmt: skip
    assert text.count("_to be filled in_") == 3
    assert len(text.encode()) < 64_000
    assert "gonogo incident LOGS --since 2026-11-23T" in text
    assert "sha256" in text
    page = (tmp_path / "o" / "incident.html").read_text()
    assert "<script" not in page + text
    assert "@channel" not in text
    assert "http" not in re.sub(r'http-equiv', "", page).replace("http[:]", "").replace(
        "http://evil.example", "")  # fmt: skip
    assert page.count("To be filled in") == 3
    data = json.loads((tmp_path / "o" / "incident.json").read_text())
    assert data["excursions"][0]["impact"]["calls"] == 60
    assert data["excursions"][0]["impact"]["without_session"] == 60
    # 700 calls at a limit of 1 % allow 7 bad ones.
    assert "857.1 % of the error budget of these logs" in text


def test_an_outage_of_a_young_service_is_told(tmp_path: Path) -> None:
    """225 calls are under the minimum sample of 300, and 75 failures are beyond doubt."""
    log = log_of(tmp_path / "a.jsonl", 225, bad=range(150, 225))
    done = run("incident", log, "--last", "2h", "-q", "--state", tmp_path)
    assert done.exit_code == 0
    # Those of the newest five minutes are not complete.
    assert "error rate, 70 bad of 70 (100 %)" in done.stdout
    few = log_of(tmp_path / "b.jsonl", 225, bad=range(215, 217))
    done = run("incident", few, "--last", "2h", "-q", "--state", tmp_path)
    assert "Nothing over its limit" in done.stdout


def test_a_value_that_is_new_at_the_onset_is_said(tmp_path: Path) -> None:
    rows = [
        {"timestamp": START + 60 * i, "trace_id": f"t{i}", "release": "2" if i >= 600 else "1",
         "model": "m", "latency_ms": 300, "status": "error" if i >= 600 and i % 3 == 0 else "ok"}
        for i in range(900)
    ]  # fmt: skip
    log = tmp_path / "a.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run("incident", log, "--last", "5h", "-o", tmp_path / "o", "--state", tmp_path)
    text = (tmp_path / "o" / "incident.md").read_text()
    assert text.count("release 2 is seen for the first time") == 2  # timeline and coincidences
    assert "stands out" not in text
    # It was the only one: there is no other release in that time to tell it from.
    assert "release 2 has" not in text


def test_what_all_events_have_is_no_coincidence(tmp_path: Path) -> None:
    """One model of one provider, judged alone beside another: all its calls are the provider's."""
    rows = [
        {"timestamp": START + 60 * i, "trace_id": f"t{i}", "latency_ms": 300,
         "model": "claude-x" if i % 2 == 0 else "gpt-y",
         "provider": "anthropic" if i % 2 == 0 else "openai",
         "status": "error" if i >= 600 and i % 2 == 0 else "ok"}
        for i in range(900)
    ]  # fmt: skip
    log, config = tmp_path / "a.jsonl", tmp_path / "readiness.toml"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config.write_text('[slo]\n"error_rate{model=claude*}" = "<= 1%"\n')
    args = (log, "-c", config, "--last", "5h", "--format", "json", "--state", tmp_path)
    (alone,) = json.loads(run("incident", *args).stdout)["excursions"]
    assert alone["bad"] > 50
    assert alone["coincidences"] == []
    config.write_text('[slo]\n"error_rate" = "<= 1%"\n')
    (together,) = json.loads(run("incident", *args).stdout)["excursions"]
    assert {c["value"] for c in together["coincidences"]} == {"claude-x", "anthropic"}


def test_an_index_is_held_against_the_retrievals_of_its_own_objective(tmp_path: Path) -> None:
    """A model with an index of its own has it all the time; one that changes its index does not."""

    def row(i: int) -> dict[str, Any]:
        is_own, late = i % 2 == 0, i >= 600
        index = "own" if is_own else "new" if late else "old"
        hit = not late or i % 3 > 0
        return {"timestamp": START + 60 * i, "trace_id": f"t{i}", "latency_ms": 300,
                "model": "a" if is_own else "b", "status": "ok",
                "retrieval": {"index_version": index, "hit": hit}}  # fmt: skip

    log, config = tmp_path / "a.jsonl", tmp_path / "readiness.toml"
    log.write_text("".join(json.dumps(row(i)) + "\n" for i in range(900)))
    config.write_text(
        '[slo]\n"retrieval_hit_rate{model=a}" = ">= 95%"\n'
        '"retrieval_hit_rate{model=b}" = ">= 95%"\n'
    )
    args = (log, "-c", config, "--last", "5h", "--format", "json", "--state", tmp_path)
    found = json.loads(run("incident", *args).stdout)["excursions"]
    told = {e["objective"][-2]: e["coincidences"] for e in found}
    assert told["a"] == []
    (changed,) = told["b"]
    assert (changed["value"], changed["against"]) == ("new", "period")
    # 150 of the 450 retrievals of model b.
    assert changed["share"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--last", "soon"), "'soon' is not a length of time"),
        (("--last", "2h", "--since", "2026-11-23"), "exclude each other"),
        (
            ("--since", "18:00"),
            "--since: '18:00' is neither a date nor a time; write 2026-11-18T13:00",
        ),
        (("--since", "2027-01-01", "--until", "2026-01-01"), "ends before it begins"),
        (("--since", "yesterday"), "neither a date nor a time"),
        (("--like", "nowhere"), "there is no nowhere"),
    ],
)
def test_a_window_that_cannot_be_is_a_mistake_of_usage(
    tmp_path: Path, args: tuple[str, ...], said: str
) -> None:
    log = log_of(tmp_path / "a.jsonl", 30)
    done = run("incident", log, *args, "--state", tmp_path)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())


def test_segments_and_slices_are_told_like_other_objectives(tmp_path: Path) -> None:
    config = tmp_path / "readiness.toml"
    config.write_text(
        '[slo]\n"error_rate" = { limit = "<= 1%", group_by = "model" }\n'
        '"latency.p95" = { limit = "<= 4s", slice = "5m", slices = ">= 99%" }\n'
    )
    run("incident", SAMPLE, "-c", config, *INCIDENT, "-q", "--state", tmp_path, "-o", tmp_path)
    found = json.loads((tmp_path / "incident.json").read_text())
    onset = int(PLANTED["provider-slow"].onset.timestamp())
    slow, failed = sorted(found["excursions"], key=lambda e: e["objective"], reverse=True)
    assert (slow["onset"], failed["onset"]) == (onset, onset)
    assert slow["id"].endswith("20261118T1335Z")
    assert slow["coincidences"][0]["value"] == "openai"
    assert failed["objective"] == "error_rate{model=gpt-4o-2024-08-06}"
    assert "model" not in {c["dimension"] for c in failed["coincidences"]}
