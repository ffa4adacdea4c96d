"""A site of many periods: each stays as it was, late records make an edition, nothing is lost."""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from gonogo import series
from gonogo.history import Archive, Entry, is_period, read
from gonogo.request import Request, resolve
from published import Outcome, gonogo, tree
from sitecheck import Page
from weeks import CONFIG, calls_of, write_week


@dataclass(frozen=True)
class Place:
    """A folder with logs, configuration, site and state, and what each step left in the site."""

    folder: Path
    steps: dict[str, tuple[Outcome, dict[str, bytes]]]

    def build(self, *more: str, **folders: str) -> Outcome:
        return build(self.folder, *more, **folders)

    def copy(self, to: Path) -> Place:
        shutil.copytree(self.folder, to)
        return Place(to, self.steps)


def build(folder: Path, *more: str, site: str = "site", state: str = "state") -> Outcome:
    with contextlib.chdir(folder):
        return gonogo("build", "logs", "-o", site, "--state", state, *more)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("history")
    (folder / "readiness.toml").write_text(CONFIG)
    logs, steps = folder / "logs", {}

    def step(name: str, *more: str) -> None:
        steps[name] = (build(folder, *more), tree(folder / "site"))

    write_week(logs, "2026-W01", 400)
    write_week(logs, "2026-W02", 400)
    step("first", "--period", "2026-W01")
    step("second", "--period", "2026-W02")
    write_week(logs, "2026-W01", 60, bad_every=1, seed=2)
    step("late", "--period", "2026-W03", "--catch-up", "2")
    return Place(folder, steps)


def pages_of(files: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {path: content for path, content in files.items() if path.startswith(f"{name}/")}


def test_catching_up_says_which_week_and_what_became_of_it(place: Place) -> None:
    said = place.steps["late"][0].stderr
    at = [
        said.index(text)
        for text in (
            "gonogo: looking for missed weeks and late records from 2026-W01 on\n",
            "gonogo: 2026-W01: built again, late records: 60 more calls\n",
            "gonogo: 2026-W02: nothing new\n",
            "gonogo: 2026-W03: the period that was asked for\n",
        )
    ]
    assert at == sorted(at)


PLAIN = ("timestamp", "trace_id", "span_id", "operation", "model", "latency_ms", "status",
         "error_type", "input_tokens", "output_tokens", "session_id")  # fmt: skip


def mixed_weeks(folder: Path) -> None:
    """Two weeks, Parquet and lines, with an excursion, refused and conflicting lines."""
    bad, quiet = calls_of("2026-W01", 2000), calls_of("2026-W02", 900)
    for row in bad[800:900]:
        row |= {"status": "error", "error_type": "timeout"}
    for row in (*quiet, *bad):
        row["model"] = ("a", "b", "c")[int(row["span_id"], 16) % 3]
    quiet[5] |= {"latency_ms": "soon"}
    (folder / "logs").mkdir(parents=True)
    lines = [json.dumps(row) for row in (*quiet, bad[3], bad[3] | {"latency_ms": 77})]
    (folder / "logs" / "a.jsonl").write_text("\n".join([*lines, "{", ""]))
    columns = {key: [str(row.get(key, "")) for row in bad] for key in PLAIN}
    columns["latency_ms"][7:9] = ["soon", "later"]
    pl.DataFrame(columns).write_parquet(folder / "logs" / "b.parquet")
    (folder / "readiness.toml").write_text(
        CONFIG + '[slo."latency.p50"]\nlimit = "<= 2s"\ngroup_by = "model"\n'
    )


def test_weeks_that_are_caught_up_on_are_what_builds_of_their_own_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gonogo import counting

    for name in ("at-once", "one-by-one"):
        mixed_weeks(tmp_path / name)
    for week in ("2026-W01", "2026-W02"):
        build(tmp_path / "one-by-one", "--period", week)
    read, opened = counting.read_logs, []
    monkeypatch.setattr(
        counting, "read_logs", lambda *a, **k: (opened.append(a[0]), read(*a, **k))[1]
    )
    said = build(tmp_path / "at-once", "--period", "2026-W02", "--catch-up", "2").stderr
    assert "2025-W52: no call of it in the logs" in said
    assert "2026-W01: added, it was missing" in said
    assert len(opened) == 1
    site = tree(tmp_path / "one-by-one" / "site")
    assert tree(tmp_path / "at-once" / "site") == site
    assert tree(tmp_path / "at-once" / "state") == tree(tmp_path / "one-by-one" / "state")
    saved = json.loads(site["2026-W01/readiness.json"])
    # A line that is no JSON, three latencies that are no numbers, and of call 3 two more copies:
    # one with another latency, one with the columns of the Parquet file. Each is told once.
    told = {p["code"]: p["count"] for p in saved["ingest"]["problems"]}
    assert told == {"I011": 1, "I015": 3, "I024": 2}
    (excursion,) = saved["excursions"]
    assert excursion["impact"]["calls"] == 100
    assert {o["id"] for o in saved["objectives"]} >= {f"latency.p50{{model={m}}}" for m in "abc"}


def test_periods_stand_beside_each_other_and_stay_as_they_were(place: Place) -> None:
    (one, first), (two, second) = place.steps["first"], place.steps["second"]
    assert (one.exit_code, two.exit_code) == (0, 0), one.said + two.said
    assert pages_of(first, "2026-W01")
    assert pages_of(second, "2026-W01") == pages_of(first, "2026-W01")
    assert pages_of(second, "2026-W02")
    assert b'href="../index.html"' in second["2026-W02/index.html"]
    assert b'href="../feed.xml"' in second["2026-W02/index.html"]


def test_a_week_is_provisional_until_there_are_records_of_a_day_after_it(tmp_path: Path) -> None:
    def period_of(week: str) -> tuple[bool, int]:
        (path,) = (tmp_path / "site").glob(f"{week}*/readiness.json")
        result = json.loads(path.read_text())
        return result["period"]["provisional"], len(result["revisions"])

    (tmp_path / "readiness.toml").write_text(CONFIG)
    write_week(tmp_path / "logs", "2026-W01", 200)
    build(tmp_path, "--period", "2026-W01")
    assert period_of("2026-W01") == (True, 1)
    write_week(tmp_path / "logs", "2026-W02", 200)
    said = build(tmp_path, "--period", "2026-W02", "--catch-up", "1").stderr
    assert "gonogo: 2026-W01: provisional no more\n" in said
    assert (period_of("2026-W01"), period_of("2026-W02")) == ((False, 1), (True, 1))
    said = build(tmp_path, "--period", "2026-W02", "--catch-up", "1").stderr
    assert "gonogo: 2026-W01: nothing new\n" in said

    # Of rollups too, where a day is left unread as a whole.
    with contextlib.chdir(tmp_path):
        for week in ("2026-W01", "2026-W02"):
            gonogo("rollup", *map(str, Path("logs").glob(f"{week}*")), "-o", "rollups")
        told = {}
        for week in ("2026-W01", "2026-W02"):
            said = gonogo(
                "check", "--from-rollups", "rollups", "--period", week, "--format", "json"
            )
            told[week] = json.loads(said.stdout)["period"]["provisional"]
    assert told == {"2026-W01": False, "2026-W02": True}


def test_late_records_of_a_week_make_an_edition_with_its_reason(place: Place) -> None:
    done, files = place.steps["late"]
    before = place.steps["second"][1]
    assert done.exit_code == 3  # the third week has no records, and says so
    assert json.loads(files["badge.json"])["message"] == "INCONCLUSIVE"
    saved = json.loads(files["2026-W01/readiness.json"])
    first, second = saved["revisions"]
    assert (first["verdict"], first["calls"]) == ("GO", 400)
    assert (second["verdict"], second["calls"]) == ("NO-GO", 460)
    assert second["reason"] == "late records: 60 more calls"
    words = Page(files["index.html"].decode()).words()
    assert "2026-W01, edition 2: GO → NO-GO, late records: 60 more calls" in words
    assert pages_of(files, "2026-W02") == pages_of(before, "2026-W02")
    kept = place.folder / "state" / "periods" / "public" / "2026-W01"
    assert (kept / "editions" / "1.json.gz").is_file()
    assert (kept / "rollup" / "rollup.json").is_file()


def test_a_saved_result_of_a_period_renders_to_its_pages(place: Place, tmp_path: Path) -> None:
    saved = place.folder / "site" / "2026-W01" / "readiness.json"
    assert gonogo("render", saved, "-o", tmp_path / "again").exit_code == 0
    again_ = {f"2026-W01/{n}": c for n, c in tree(tmp_path / "again").items()}
    del again_["2026-W01/.gonogo-site"]
    assert again_ == pages_of(place.steps["late"][1], "2026-W01")


def test_a_lost_site_comes_back_from_the_state_byte_for_byte(place: Place, tmp_path: Path) -> None:
    copy = place.copy(tmp_path / "copy")
    shutil.rmtree(copy.folder / "site")
    copy.build("--period", "2026-W03")
    assert tree(copy.folder / "site") == place.steps["late"][1]


def test_a_lost_state_comes_back_from_the_site(place: Place, tmp_path: Path) -> None:
    copy = place.copy(tmp_path / "copy")
    shutil.rmtree(copy.folder / "state")
    copy.build("--period", "2026-W03")
    assert tree(copy.folder / "site") == place.steps["late"][1]
    stored = Archive(copy.folder / "state", "public")
    assert sorted(stored.results()) == ["2026-W01", "2026-W02", "2026-W03"]


def test_only_the_newest_are_published_and_the_rest_is_kept(place: Place, tmp_path: Path) -> None:
    copy = place.copy(tmp_path / "copy")
    copy.build("--period", "2026-W03", "--keep", "1")
    assert sorted(p.name for p in (copy.folder / "site").iterdir() if is_period(p.name)) == [
        "2026-W03"
    ]
    copy.build("--period", "2026-W03")
    assert tree(copy.folder / "site") == place.steps["late"][1]


def test_a_published_week_is_not_taken_back_when_its_logs_are_gone(
    place: Place, tmp_path: Path
) -> None:
    copy = place.copy(tmp_path / "copy")
    for path in (copy.folder / "logs").iterdir():
        path.unlink()
    done = copy.build("--period", "2026-W02")
    assert done.exit_code == 4
    assert "I043" in done.stderr
    assert tree(copy.folder / "site") == place.steps["late"][1]


def test_a_week_without_any_logs_is_published_as_that(place: Place, tmp_path: Path) -> None:
    copy = place.copy(tmp_path / "copy")
    shutil.rmtree(copy.folder / "logs")
    done = copy.build("--period", "2026-W04")
    assert done.exit_code == 4
    files = tree(copy.folder / "site")
    assert json.loads(files["2026-W04/readiness.json"])["readiness"]["verdict"] == "INCONCLUSIVE"
    assert b"#656d76" in files["badge.svg"]
    assert pages_of(files, "2026-W01") == pages_of(place.steps["late"][1], "2026-W01")
    assert copy.build("--period", "2026-W05", "--exit-zero").exit_code == 0


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ((), "U063"),
        (("--period", "2026-W02", "--profile", "internal"), "U060"),
        (("--period", "2026-01-05..2026-01-06", "--catch-up", "1"), "U064"),
    ],
)
def test_what_would_spoil_the_history_is_refused(
    place: Place, tmp_path: Path, more: tuple[str, ...], code: str
) -> None:
    done = place.build(*more)
    assert done.exit_code == 2
    assert f"[{code}]" in done.stderr
    assert tree(place.folder / "site") == place.steps["late"][1]


def test_options_of_periods_without_a_period_are_refused(place: Place) -> None:
    for option in ("--keep", "--catch-up"):
        assert "[U065]" in place.build(option, "2", site="elsewhere").stderr
    assert not (place.folder / "elsewhere").exists()


def test_internal_pages_never_come_back_into_a_public_site(place: Place, tmp_path: Path) -> None:
    copy = place.copy(tmp_path / "copy")
    copy.build("--period", "2026-W02", "--profile", "internal", site="inside")
    assert list(Archive(copy.folder / "state", "internal").results()) == ["2026-W02"]
    shutil.rmtree(copy.folder / "site")
    copy.build("--period", "2026-W03")
    assert tree(copy.folder / "site") == place.steps["late"][1]


def test_damaged_pages_in_the_state_are_told(place: Place, tmp_path: Path) -> None:
    copy = place.copy(tmp_path / "copy")
    shutil.rmtree(copy.folder / "site")
    (copy.folder / "state" / "periods" / "public" / "2026-W01" / "site.zip").write_bytes(b"PK")
    done = copy.build("--period", "2026-W03")
    assert done.exit_code == 2
    assert "U061" in done.stderr
    assert not (copy.folder / "site").exists()


def test_a_result_that_site_and_state_share_is_read_once(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = place.copy(tmp_path / "copy")
    seen: list[str] = []

    def watched(content: bytes, name: str) -> Entry | None:
        seen.append(name)
        return read(content, name)

    monkeypatch.setattr(series, "read", watched)
    monkeypatch.chdir(copy.folder)
    run = resolve(Request(("logs",), None, period="2026-W04", state=Path("state")))
    found = series.Series(run, Path("site"))
    assert seen == ["2026-W01", "2026-W02", "2026-W03"]
    # Where they differ, both are read, and the one with more editions is right.
    seen.clear()
    saved = json.loads(Path("site/2026-W01/readiness.json").read_bytes())
    saved["revisions"] = saved["revisions"][:1]
    Path("site/2026-W01/readiness.json").write_text(json.dumps(saved))
    found = series.Series(run, Path("site"))
    assert seen == ["2026-W01", "2026-W01", "2026-W02", "2026-W03"]
    entry = found.entry("2026-W01")
    assert entry is not None
    assert len(entry.editions) == 2
