"""What users see of the sample week, word for word: every page, every export, every command.

A change here is a change for readers: look at the difference, and if it is meant, `make golden`
writes the files anew.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from gonogo.cli import main
from published import ID_KEY, SAMPLE

GOLDEN = Path(__file__).with_name("golden")
UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))

COMMANDS = {
    "build": "build logs -o site",
    "check": "check logs",
    "check-quiet": "check logs --quiet",
    "check-markdown": "check logs --format markdown",
    "check-junit": "check logs --format junit",
    "check-one-day": "check logs --period 2026-11-16..2026-11-17",
    "check-internal": "check logs --profile internal --where tenant_id=alder",
    "inspect": "inspect logs",
    "init": "init logs -o readiness.toml",
    "no-logs": "check nothing-here",
    "unknown-dimension": "check logs --where modle=gpt-4o",
    "explain": "explain I011",
}


def text_of(page: str) -> str:
    """A page a line an element: charts as the text in them, style and script left out."""
    page = re.sub(r"<(style|script)\b.*?</\1>", r"<\1/>", page, flags=re.DOTALL)
    charts = re.compile(r"<svg\b([^>]*)>(.*?)</svg>", re.DOTALL)
    page = charts.sub(lambda m: f"<svg{name_of(m[1])}>{words_of(m[2])}</svg>", page)
    page = re.sub(r"\s+", " ", page)
    return re.sub(r" ?(<(?!/)(?!(?:a|b|i|em|strong|code|span|abbr|time)\b))", r"\n\1", page) + "\n"


def name_of(attributes: str) -> str:
    found = re.search(r' (?:class|aria-label)="[^"]*"', attributes)
    return found[0] if found else ""


def words_of(svg: str) -> str:
    return " | ".join(re.findall(r">([^<>]+)<", svg))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder with the sample logs and a key for masks that is the same everywhere."""
    folder = tmp_path_factory.mktemp("golden")
    shutil.copytree(SAMPLE, folder / "logs", ignore=shutil.ignore_patterns("*.py", "*.md"))
    (folder / ".gonogo").mkdir()
    (folder / ".gonogo" / "id.key").write_text(ID_KEY + "\n")
    return folder


def run(place: Path, command: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The transcript of a command: what was typed, what it wrote, its exit code."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("COLUMNS", "100")
    done = CliRunner().invoke(main, command.split(), catch_exceptions=False)
    # How far a phase has come when it is told depends on which of two threads is ahead.
    errors = re.sub(r"gonogo: [\w ]+: \d+ %\n", "", done.stderr)
    streams = f"{done.stdout}--- stderr\n{errors}" if errors else done.stdout
    return f"$ gonogo {command}\n{streams.rstrip()}\n--- exit code {done.exit_code}\n"


def compare(name: str, found: str) -> None:
    path = GOLDEN / name
    if UPDATE:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found, encoding="utf-8")
    expected = path.read_text(encoding="utf-8") if path.is_file() else ""
    assert found == expected, f"{name} changed; if that is meant: make golden"


@pytest.mark.parametrize("name", COMMANDS)
def test_golden_transcript(name: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "readiness.toml").unlink(missing_ok=True)
    compare(f"cli/{name}.txt", run(place, COMMANDS[name], monkeypatch))
    if name == "init":
        written = (place / "readiness.toml").read_text(encoding="utf-8")
        compare("readiness.toml", written)
        (place / "readiness.toml").unlink()


def test_golden_site(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(place, "build logs -o site --quiet", monkeypatch)
    site = place / "site"
    files = sorted(path for path in site.rglob("*") if path.is_file())
    names = [path.relative_to(site).as_posix() for path in files]
    compare("site/files.txt", "\n".join(names) + "\n")
    for name, path in zip(names, files, strict=True):
        if path.suffix == ".html":
            compare(f"site/{name}.txt", text_of(path.read_text(encoding="utf-8")))
        elif path.suffix in (".md", ".svg") or name in ("badge.json", "breaches.json"):
            compare(f"site/{name}", path.read_text(encoding="utf-8"))
    kept = {path.name for path in (GOLDEN / "site").glob("*.html.txt")}
    assert kept == {f"{name}.txt" for name in names if name.endswith(".html")}
