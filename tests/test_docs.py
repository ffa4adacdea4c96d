"""The documentation: its commands run, its links lead somewhere, its reference is the code's."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import types
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from gonogo.cli import main
from gonogo.config.gates import SPECS
from gonogo.config.load import load
from gonogo.conventions import Evidence, Status
from gonogo.errors import ConfigError
from gonogo.ingest.fields import CHILDREN, LINE_FIELDS
from gonogo.pipeline import Request, analyse
from gonogo.progress import Silent
from gonogo.results import ReadinessResult

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(
    [
        *(
            ROOT / name
            for name in (
                "README.md",
                "CHANGELOG.md",
                "sample_foreign/README.md",
                "sample_logs/README.md",
                "sample_project/README.md",
            )
        ),
        *DOCS.rglob("*.md"),
    ]
)
HEALTHY_DAYS = ("2026-11-16", "2026-11-19")
DEBIAN_PACKAGES = {"make", "python3-venv"}
LARGEST_PICTURE = 150_000


@dataclass(frozen=True)
class Block:
    """A fenced block: the words behind the fence, and its text."""

    words: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Command:
    """One command of a page, and the exit code that the page promises."""

    line: str
    code: int


def load_generator() -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATED: dict[Path, str] = load_generator().pages()


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[Block]:
    found = re.findall(r"^```([^\n]*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [Block(tuple(words.split()), text) for words, text in found]


def of_kind(page: Path, *words: str) -> list[str]:
    return [block.text for block in blocks(page) if block.words == words]


def with_kind(*words: str) -> list[Path]:
    return [page for page in PAGES if of_kind(page, *words)]


def commands(page: Path) -> list[Command]:
    lines: list[str] = []
    for block in blocks(page):
        if block.words == ("console",):
            lines += re.findall(r"^\$ (.*)$", block.text, re.MULTILINE)
        elif block.words == ("sh",):
            lines += [line for line in block.text.splitlines() if line.strip()]
        elif block.words == ("yaml",):
            lines += re.findall(r"^ *- run: (.*)$", block.text, re.MULTILINE)
    promised = [re.search(r"# exits with (\d+)$", line) for line in lines]
    return [
        Command(line, int(exits[1]) if exits else 0)
        for line, exits in zip(lines, promised, strict=True)
    ]


# --- commands -------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder like a reader's: the sample logs, logs of one's own, gonogo on the path."""
    for name in ("sample_foreign", "sample_logs", "sample_project"):
        shutil.copytree(ROOT / name, tmp_path / name)
    logs = tmp_path / "my-logs"
    logs.mkdir()
    for day in HEALTHY_DAYS:
        shutil.copy(ROOT / "sample_logs" / f"support-copilot-{day}.jsonl.gz", logs)
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, module in (("gonogo", "-m gonogo "), ("python", "")):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {module}"$@"\n')
        script.chmod(0o755)
    return tmp_path


def check_make(line: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for word in line.partition("#")[0].split()[1:]:
        assert "=" in word or word in targets, f"make has no target {word}"


def run(line: str, folder: Path) -> int:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GONOGO_")}
    env["PATH"] = f"{folder / 'bin'}:{env['PATH']}"
    env["GITHUB_STEP_SUMMARY"] = str(folder / "summary.md")
    shell = ["sh", "-c", line]
    done = subprocess.run(
        shell, check=False, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True
    )
    return done.returncode


@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=name_of)
def test_the_commands_of_a_page_run_in_order(page: Path, checkout: Path) -> None:
    for command in commands(page):
        first = command.line.split()[0]
        if first == "make":
            check_make(command.line)
        elif command.line.startswith("sudo apt-get install "):
            assert set(command.line.split()[3:]) <= DEBIAN_PACKAGES
        elif command.line != ". .venv/bin/activate":
            assert first in ("gonogo", "python"), f"who runs {command.line}?"
            assert run(command.line, checkout) == command.code, command.line


def shown(page: Path) -> list[str]:
    """Commands that need what a test has not got, such as a bucket or a cluster."""
    text = "".join(of_kind(page, "text"))
    return re.findall(rf"^(gonogo (?:{'|'.join(main.commands)}) .*)$", text, re.MULTILINE)


@pytest.mark.parametrize("page", [p for p in PAGES if shown(p)], ids=name_of)
def test_the_commands_that_cannot_be_run_here_can_be_parsed(page: Path) -> None:
    for line in shown(page):
        _, name, *words = shlex.split(line, comments=True)
        main.commands[name].make_context(name, words)


def test_the_readme_shows_the_demo_and_the_tests_first() -> None:
    assert [c.line for c in commands(ROOT / "README.md")][:2] == ["make demo", "make test"]


# --- links ----------------------------------------------------------------------------------------


def prose(page: Path) -> str:
    without = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", without)


def links(page: Path) -> list[str]:
    text = prose(page)
    found = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src(?:set)?="([^"]+)"', text)
    return [link for link in found if not re.match(r"https?://", link)]


def anchors(page: Path) -> set[str]:
    """Names of the headings as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in seen:
            seen.add(page)
            paths = (link.partition("#")[0] for link in links(page))
            ahead += [(page.parent / path).resolve() for path in paths if path.endswith(".md")]
    assert {name_of(page) for page in PAGES} <= {name_of(page) for page in seen}


def test_the_pictures_are_small() -> None:
    pictures = list((DOCS / "images").iterdir())
    assert len(pictures) >= 2
    for picture in pictures:
        assert picture.stat().st_size < LARGEST_PICTURE, picture.name


# --- configurations and log lines -----------------------------------------------------------------


@pytest.mark.parametrize("page", with_kind("toml"), ids=name_of)
def test_the_configurations_of_a_page_can_be_used(page: Path, tmp_path: Path) -> None:
    for number, text in enumerate(of_kind(page, "toml")):
        path = tmp_path / f"{number}.toml"
        path.write_text(text)
        assert load(path).objectives


@pytest.mark.parametrize("page", with_kind("toml", "wrong"), ids=name_of)
def test_a_wrong_configuration_is_answered_as_the_page_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    every = blocks(page)
    for wrong, answer in pairwise(every):
        if wrong.words == ("toml", "wrong"):
            Path("readiness.toml").write_text(wrong.text)
            with pytest.raises(ConfigError) as caught:
                load(Path("readiness.toml"))
            said = "".join(f"{d} [{d.code}]\n" for d in caught.value.diagnostics)
            assert answer == Block(("text",), said)


def test_every_section_of_a_gate_has_an_example() -> None:
    shown = set(re.findall(r"^\[\[?(\w+)\]", "".join(of_kind(DOCS / "gates.md", "toml")), re.M))
    assert {spec.name for spec in SPECS} <= shown


def test_nothing_that_a_person_has_to_say_is_missing_from_the_shortest_examples(
    checkout: Path,
) -> None:
    page = (DOCS / "gates.md").read_text().partition("## The shortest of every other section")[2]
    texts = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    config = checkout / "shortest.toml"
    config.write_text("".join(text for text in texts if "[load_test]" not in text))
    request = Request((str(checkout / "my-logs"),), config, state=checkout / "state")
    gates = {gate.id: gate for gate in analyse(request, Silent()).gates}
    judged = {"data_flows", "oversight", "observability", "use_case", "owners", "failure_modes"}
    assert judged <= gates.keys()
    for name in judged - {"oversight"}:
        findings = gates[name].findings
        assert findings
        open_ = [f.text for f in findings
                 if f.evidence is Evidence.DECLARED and f.status is not Status.MET]  # fmt: skip
        assert not open_, open_
    about = [f for f in gates["oversight"].findings if "refund" in f.text or "close" in f.text]
    assert not [f.text for f in about if f.status in (Status.NO_DATA, Status.AT_RISK)]


def read_line(text: str, folder: Path) -> ReadinessResult:
    path = folder / "line.jsonl"
    path.write_text(json.dumps(json.loads(text)) + "\n")
    return analyse(Request((str(path),), None, state=folder / "state"), Silent())


@pytest.mark.parametrize("page", with_kind("json"), ids=name_of)
def test_the_log_lines_of_a_page_are_read_without_a_problem(page: Path, tmp_path: Path) -> None:
    for text in of_kind(page, "json"):
        read = read_line(text, tmp_path).ingest
        assert (read.lines, read.accepted, read.calls) == (1, 1, 1)
        assert read.problems == ()


def test_the_whole_line_has_every_field_that_a_production_log_must_have(tmp_path: Path) -> None:
    whole = of_kind(DOCS / "native-log.md", "json")[0]
    missing = [f.field for f in read_line(whole, tmp_path).coverage if f.present != f.applicable]
    assert missing == []


def test_every_field_that_is_read_is_described() -> None:
    written = (DOCS / "native-log.md").read_text().partition("<!-- generated")[0]
    names = [field.paths[0] for field in LINE_FIELDS]
    for child in CHILDREN:
        if child.names[0] in ("retrieval", "tool_calls", "guardrails"):
            names += [f"{child.names[0]}.{field.paths[0]}" for field in child.fields]
    assert [name for name in names if f"`{name}`" not in written] == []


# --- the reference --------------------------------------------------------------------------------


@pytest.mark.parametrize("page", GENERATED, ids=name_of)
def test_what_the_code_knows_best_is_written_by_the_code(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == GENERATED[page], "run: python docs/generate.py"


def test_the_reference_holds_generated_pages_only() -> None:
    assert set((DOCS / "reference").iterdir()) <= set(GENERATED)
