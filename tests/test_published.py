"""What is published: nothing that identifies, nothing that runs, whole sites only."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
import re
import signal
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote_to_bytes

import polars as pl
import pytest

from gonogo import counting, pipeline, site
from gonogo.site import writer
from hostile import ATTACK_STRINGS, CANARIES, CANARY_FILENAME, CANARY_TOKENS, cases, write_case
from hostile_canaries import canary_bad_lines, canary_lines
from published import Outcome, build, gonogo, ordinary, start, tree
from reading import write
from sitecheck import Page

IDS = {"tenant_id", "retrieval.chunk_ids", "file path"}
"""Canaries that the internal profile may show: ids and paths, never texts or secrets."""

# --- canaries


def canary_folder(folder: Path) -> Path:
    """Ordinary traffic, and the canaries in a file with a canary for a name."""
    folder.mkdir()
    write(folder / "ordinary.jsonl", *ordinary(1_500))
    lines = [*(line.encode() for line in canary_lines(240)), *canary_bad_lines()]
    write(folder / CANARY_FILENAME, *lines)
    return folder


def spellings(data: bytes) -> Iterator[bytes]:
    """The bytes in lower case, as they are and with HTML, URL and JSON escapes undone."""
    text = data.decode("utf-8", "replace")
    yield data.lower()
    yield html.unescape(text).encode("utf-8", "replace").lower()
    yield unquote_to_bytes(data).lower()
    yield (
        re.sub(r"\\u00([0-7][0-9a-fA-F])", lambda m: chr(int(m[1], 16)), text)
        .encode("utf-8", "replace")
        .lower()
    )


def forms(token: str) -> set[bytes]:
    """How the token may be written so that somebody can still read it."""
    raw = token.encode()
    return {
        form.lower()
        for form in (
            raw, html.escape(token).encode(), quote(token, safe="").encode(),
            quote_plus(token).encode(), raw[::-1], raw.hex().encode(), base64.b64encode(raw)[:-3],
        )
    }  # fmt: skip


def found_in(outcome: Outcome, allowed: set[str] = frozenset()) -> dict[str, list[str]]:  # type: ignore[assignment]
    """Field of each canary that came out -> where."""
    texts = outcome.files | {
        "<stdout>": outcome.stdout.encode(), "<stderr>": outcome.stderr.encode(),
    }  # fmt: skip
    searched = {name: tuple(spellings(data)) for name, data in texts.items()}
    out: dict[str, list[str]] = {}
    for path, token in CANARY_TOKENS.items():
        if path in allowed:
            continue
        wanted = forms(token)
        for name, ways in searched.items():
            if any(form in way for form in wanted for way in ways):
                out.setdefault(path, []).append(name)
    return out


@pytest.fixture(scope="module")
def canary_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return canary_folder(tmp_path_factory.mktemp("canary") / "logs")


@pytest.fixture(scope="module")
def public(canary_logs: Path) -> Outcome:
    return build(canary_logs, canary_logs.parent / "public")


@pytest.fixture(scope="module")
def internal(canary_logs: Path) -> Outcome:
    return build(canary_logs, canary_logs.parent / "internal", "--profile", "internal")


def published(outcome: Outcome) -> Outcome:
    """Without the state folder: what others can get to see."""
    files = {n: data for n, data in outcome.files.items() if not n.startswith("state/")}
    return Outcome(outcome.exit_code, outcome.stdout, outcome.stderr, files)


def test_the_canaries_were_read_and_the_search_finds_what_is_there(public: Outcome) -> None:
    result = json.loads(public.files["readiness.json"])
    assert result["ingest"]["lines"] == 1_742
    assert result["ingest"]["calls"] == 1_740
    assert result["ingest"]["quarantined"] == 2
    models = result["tables"]["by_model"]["data"]["value"]
    assert sorted(models) == ["gpt-4o", "gpt-4o Bearer [secret]", "gpt-4o [ip]"]
    for token in CANARY_TOKENS.values():
        for planted in (
            token.upper().encode(), quote(f"x{token}", safe="").encode(), token[::-1].encode(),
            base64.b64encode(token.encode()), "".join(f"&#{ord(c)};" for c in token).encode(),
            "".join(f"\\u{ord(c):04x}" for c in token).encode(),
        ):  # fmt: skip
            assert found_in(Outcome(0, "", "", {"x": planted})), planted


def test_no_canary_is_in_any_published_byte(public: Outcome) -> None:
    assert {"index.html", "breaches.md", "readiness.json", "badge.svg"} < set(public.files)
    assert len(public.files) > 60
    assert found_in(published(public)) == {}


def test_the_quarantine_names_places_and_reasons_only(public: Outcome) -> None:
    kept = public.files["state/quarantine.jsonl"]
    rows = [json.loads(line) for line in kept.splitlines()]
    assert [(row["line"], row["code"]) for row in rows] == [(241, "I007"), (242, "I011")]
    only = Outcome(0, "", "", {"quarantine.jsonl": kept})
    assert found_in(only, {"file path"}) == {}


def test_ids_are_hashed_in_public_and_shown_inside(public: Outcome, internal: Outcome) -> None:
    assert found_in(published(internal), IDS) == {}
    shown = found_in(published(internal))
    assert set(shown) == IDS
    assert "readiness.json" in shown["tenant_id"]
    tenants = json.loads(public.files["readiness.json"])["tables"]["by_tenant_id"]["data"]["value"]
    assert len(tenants) == 4
    assert all(re.fullmatch(r"tenant-[0-9a-f]{8}", name) for name in tenants)
    files = json.loads(public.files["readiness.json"])["ingest"]["files"]
    assert all(re.fullmatch(r"path-[0-9a-f]{8}", file["path"]) for file in files)


@pytest.mark.parametrize(
    "command",
    [
        ["check"], ["check", "--format", "json"], ["check", "--format", "junit"],
        ["check", "--format", "markdown"], ["check", "--quiet"], ["inspect"], ["init", "-o", "-"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_command_prints_a_canary(
    command: list[str], canary_logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = gonogo(*command, canary_logs, "--state", tmp_path / "state")
    assert ran.exit_code in (0, 1, 3), ran.said
    assert len(ran.stdout) > 20
    # To the user who has just typed them, inspect names the files.
    assert found_in(ran, {"file path"} if command == ["inspect"] else set()) == {}


def test_what_is_said_about_unusable_logs_quotes_nothing_from_them(tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    write(folder / CANARY_FILENAME, *canary_bad_lines())
    ran = build(folder, tmp_path / "site")
    assert ran.exit_code == 4
    assert found_in(published(ran), {"file path"}) == {}
    assert "file path" not in found_in(Outcome(0, "", "", ran.files))
    secret = CANARIES["unknown key"]
    pl.DataFrame({secret: [1], f"mail {CANARIES['service']}": [2]}).write_parquet(
        folder / "keys.parquet"
    )
    (folder / CANARY_FILENAME).unlink()
    ran = build(folder, tmp_path / "site")
    assert ran.exit_code == 4
    assert found_in(published(ran)) == {}
    assert "no column that is known" in ran.said


def test_a_short_file_name_is_not_taken_for_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    raw = b'{"output":"caf\xe9","status":"ok"}'
    write(tmp_path / "lines", raw, b"noise", *ordinary(20))
    write(tmp_path / "a", *ordinary(20, seed=2))
    (tmp_path / "b").write_bytes((tmp_path / "a").read_bytes())
    ran = build("lines", tmp_path / "site", "a", "b")
    problems = {p["code"]: p for p in json.loads(ran.files["readiness.json"])["ingest"]["problems"]}
    assert problems["I013"]["what"] == "lines with invalid UTF-8; the bad bytes were replaced"
    assert problems["I007"]["what"] == "lines refused: not JSON: Expecting value (column 1)"
    assert re.fullmatch(r"path-[0-9a-f]{8}:2", problems["I007"]["example"])
    assert re.fullmatch(r"path-[0-9a-f]{8}: the same content as an .*", problems["I020"]["what"])


# --- text that attacks whoever shows it


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("attack") / "logs"
    folder.mkdir()
    write(folder / "ordinary.jsonl", *ordinary(300))
    write_case(next(case for case in cases() if case.name == "attack-strings"), folder)
    return build(folder, folder.parent / "site", "--profile", "internal")


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("calm")
    return build(write(folder / "calm.jsonl", *ordinary(300)), folder / "site")


def pages(outcome: Outcome) -> dict[str, Page]:
    return {
        name: Page(data.decode()) for name, data in outcome.files.items() if name.endswith(".html")
    }


def loaded(page: Page, tag: str) -> list[dict[str, str]]:
    """What elements of a tag fetch or do; the words of a description and versions are left out."""
    return [
        {k: v.partition("?v=")[0] for k, v in e.attrs.items() if k != "content"}
        for e in page.all(tag)
    ]


def test_attacks_do_not_become_elements(attacked: Outcome, calm: Outcome) -> None:
    assert attacked.exit_code in (0, 1, 3)
    ours, theirs = pages(calm), pages(attacked)
    assert set(ours) == set(theirs)
    for name, page in theirs.items():
        for tag in ("script", "style", "link", "meta", "iframe", "object", "form", "base", "img"):
            assert loaded(page, tag) == loaded(ours[name], tag), (name, tag)
        assert [e.text for e in page.all("script")] == [e.text for e in ours[name].all("script")]
        assert not {e.tag for e in page.elements} & {"embed", "textarea", "video", "animate", "set"}
        for element in page.elements:
            assert not [a for a in element.attrs if a.startswith("on")], name
            for place in ("href", "src", "action", "xlink:href"):
                address = element.attrs.get(place, "")
                assert re.match(
                    r"(?:[\w./-]*(?:\?v=\w+)?(?:#[\w.:-]*)?|https?://[^\s]*)$", address
                ), address
                assert "evil.example" not in address
        ids = page.ids()
        assert len(ids) == len(set(ids)), name


def test_attacks_stay_text_in_every_other_file(attacked: Outcome) -> None:
    kinds = set()
    for name, data in published(attacked).files.items():
        kind = name.rpartition(".")[2]
        kinds.add(kind)
        text = data.decode("utf-8")
        assert not re.search(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
        if kind == "json":
            json.loads(text)
        elif kind == "svg":
            assert not [e for e in ET.fromstring(text).iter() if e.tag.endswith("script")]
        elif kind == "csv":
            for row in csv.reader(io.StringIO(text, newline="")):
                for cell in row:
                    assert not re.match(r"[=+@\t\r]|-(?![\d.])", cell), (name, cell)
        elif kind == "md":
            assert "<script" not in text
            assert not re.search(r"(?<!\\)!\[", text)
            assert "@everyone" not in text
    assert kinds >= {"html", "json", "svg", "csv", "md", "css", "js"}
    assert max(map(len, attacked.files.values())) < 4_000_000


def test_attacks_do_not_reach_the_terminal(attacked: Outcome) -> None:
    said = attacked.stdout + attacked.stderr
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", said)
    assert "::" not in said
    assert "##[" not in said
    assert len(ATTACK_STRINGS) > 60


# --- whole sites only

CUTS = {
    "reading": (counting, "read_logs"),
    "counting": (counting.engine, "add_all"),
    "judging": (pipeline, "evaluate"),
    "rendering": (site, "render"),
    "writing": (writer, "_fill"),
    "swapping": (writer, "_swap"),
}


@pytest.mark.parametrize("cut", CUTS)
def test_an_interrupted_build_leaves_the_old_site(
    cut: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = write(tmp_path / "calls.jsonl", *ordinary(60))
    out = tmp_path / "site"
    build(logs, out)
    (out / "CNAME").write_text("ready.example")
    before = tree(tmp_path)
    module, name = CUTS[cut]
    real = getattr(module, name)

    def interrupt(*args: object, **options: object) -> None:
        if cut in ("writing", "rendering"):
            real(*args, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, name, interrupt)
    ran = build(logs, out)
    assert ran.exit_code == 130
    assert "what was there before is unchanged" in ran.stderr
    assert tree(tmp_path) == before
    monkeypatch.undo()
    assert build(logs, out).exit_code in (0, 1, 3)
    assert {n: d for n, d in tree(tmp_path).items() if n.startswith("site/")} == {
        n: d for n, d in before.items() if n.startswith("site/")
    }


def test_a_build_that_is_killed_leaves_the_old_site(tmp_path: Path) -> None:
    logs = write(tmp_path / "calls.jsonl", *ordinary(60))
    out = tmp_path / "site"
    build(logs, out)
    before = tree(out)
    code = (
        "import os, pathlib\n"
        "from gonogo.__main__ import main\n"
        "real, done = pathlib.Path.write_bytes, []\n"
        "def write(self, data):\n"
        "    done.append(real(self, data))\n"
        "    if len(done) == 5: os.kill(os.getpid(), 9)\n"
        "pathlib.Path.write_bytes = write\n"
        "main()\n"
    )
    ran = start(
        "build", logs, "-o", out, "--state", tmp_path / "state", cwd=tmp_path, code=code
    )  # fmt: skip
    assert ran.returncode == -signal.SIGKILL
    assert tree(out) == before
    assert build(logs, out).exit_code in (0, 1, 3)
    assert tree(out) == before


@pytest.fixture
def good_site(tmp_path: Path) -> Path:
    out = tmp_path / "site"
    logs = write(tmp_path / "calls.jsonl", *ordinary(2_000))
    ran = build(logs, out)
    assert json.loads(ran.files["readiness.json"])["slo"]["verdict"] == "GO", ran.said
    return out


@pytest.mark.parametrize("why", ["none", "empty", "unreadable", "bad", "outside", "filtered"])
def test_a_run_without_usable_logs_publishes_that_it_had_none(
    why: str, good_site: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    logs, more, code = folder, [], 3
    if why == "none":
        code = 4
    elif why == "empty":
        write(folder / "a.jsonl").write_bytes(b"\n\n")
    elif why == "unreadable":
        (folder / "a.jsonl").symlink_to(folder / "gone")
        logs = folder / "a.jsonl"
    elif why == "bad":
        write(folder / "a.jsonl", "noise")
        code = 4
    else:
        write(folder / "a.jsonl", *ordinary(50))
        options = {"outside": ["--period", "2025-W10"], "filtered": ["--where", "service=other"]}
        more = options[why]
    ran = build(logs, good_site, *more)
    assert ran.exit_code == code, ran.said
    place = "2025-W10/" if why == "outside" else ""  # a period has a folder of its own
    result = json.loads(ran.files[f"{place}readiness.json"])
    assert result["slo"]["verdict"] == result["readiness"]["verdict"] == "INCONCLUSIVE"
    assert result["ingest"]["calls"] == 0
    assert result["readiness"]["headline"] == "INCONCLUSIVE: no usable logs were found"
    reasons = " ".join(reason["text"] for reason in result["readiness"]["reasons"])
    assert {
        "none": "no log file", "empty": "no record", "unreadable": "no record", "bad": "1 line",
        "outside": "50 outside the period", "filtered": "50 not selected",
    }[why] in reasons  # fmt: skip
    page = Page(ran.files[f"{place}index.html"].decode()).words()
    assert "INCONCLUSIVE" in page
    # Whether the application has tools or guardrails is not known of a log without a call.
    assert {o["status"] for o in result["objectives"]} == {"NO_DATA"}
    assert "Not applicable" not in page
    assert "if the application has any" not in page
    (hint,) = {o["hint"] for o in result["objectives"]}
    assert {
        "none": "no log file", "empty": "the file is empty. Check the writer",
        "unreadable": "cannot be opened", "bad": "none of its 1 line",
        "outside": "name another --period", "filtered": "50 not selected",
    }[why] in hint  # fmt: skip
    assert hint[:60] in page
    assert "INCONCLUSIVE" in ran.files["badge.svg"].decode()
    # What the lines of an earlier site said must not be left anywhere.
    assert not [n for n, data in ran.files.items() if b"gpt-4o" in data and n[:5] != "state"]
    if code == 3:
        allowed = build(logs, good_site, *more, "--allow-inconclusive")
        assert allowed.exit_code == 0


def test_a_failing_verdict_is_published_first_and_fails_last(tmp_path: Path) -> None:
    failing = [row | {"status": "error"} for row in ordinary(600)]
    logs = write(tmp_path / "calls.jsonl", *failing)
    ran = build(logs, tmp_path / "site")
    assert ran.exit_code == 1
    assert json.loads(ran.files["readiness.json"])["readiness"]["verdict"] == "NO-GO"
    assert "NO-GO" in Page(ran.files["index.html"].decode()).words()
    assert "NO-GO" in ran.stdout


def test_a_folder_that_is_no_site_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    logs = write(tmp_path / "calls.jsonl", *ordinary(20))
    ran = build(logs, tmp_path / "thesis")
    assert ran.exit_code == 2
    assert tree(tmp_path / "thesis") == {"chapter.txt": b"years of work"}
    assert "[U023]" in ran.stderr


def test_the_state_is_private_and_never_in_the_site(tmp_path: Path) -> None:
    logs = write(tmp_path / "calls.jsonl", *ordinary(20), "noise")
    key = start("build", logs, "-o", "site", cwd=tmp_path, GONOGO_ID_KEY="")
    assert key.returncode in (0, 1, 3), key.stderr
    state = tmp_path / ".gonogo"
    assert (state / "id.key").stat().st_mode & 0o077 == 0
    secret = (state / "id.key").read_bytes().strip()
    assert not [name for name, data in tree(tmp_path / "site").items() if secret in data]
    assert not {"quarantine.jsonl", "id.key", "rollup"} & {
        entry.name for entry in (tmp_path / "site").iterdir()
    }
    again = partial(start, "build", logs, "-o", cwd=tmp_path, GONOGO_ID_KEY="")
    assert again("second").returncode == key.returncode
    assert tree(tmp_path / "second") == tree(tmp_path / "site")
