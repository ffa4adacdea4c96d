"""What is released: the same bytes from the same commit, and versions that are written down."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import types
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from published import ROOT

NOT_RELEASED = shutil.ignore_patterns(
    "__pycache__", ".git", ".venv*", ".*_cache", ".hypothesis", "site", "dist", ".gonogo", "golden"
)


def tool(name: str = "requirements") -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built(source: Path, kind: str) -> Path:
    code = f"import hatchling.build as b; print(b.build_{kind}('dist'))"
    (source / "dist").mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=source, capture_output=True, text=True, check=True,
        env=os.environ | {"SOURCE_DATE_EPOCH": "1800000000"},
    )  # fmt: skip
    return source / "dist" / done.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Path]]:
    """Wheel and sdist from two checkouts: other folders, other times, another umask."""
    found = []
    for i, umask in enumerate((0o022, 0o077)):
        before = os.umask(umask)
        try:
            source = tmp_path_factory.mktemp(f"checkout-{i}") / ("a" * (i + 1))
            shutil.copytree(ROOT, source, ignore=NOT_RELEASED, copy_function=shutil.copyfile)
            for path in sorted(source.rglob("*"), reverse=bool(i)):
                os.utime(path, (1_000_000_000 + i * 86400, 1_000_000_000 + i * 86400))
            found.append({kind: built(source, kind) for kind in ("wheel", "sdist")})
        finally:
            os.umask(before)
    return found


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_two_builds_of_a_commit_have_the_same_bytes(
    releases: list[dict[str, Path]], kind: str
) -> None:
    one, other = (release[kind] for release in releases)
    assert one.name == other.name
    hashes = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (one, other)}
    assert len(hashes) == 1


def test_the_wheel_says_what_it_is_and_holds_templates_and_mappings(
    releases: list[dict[str, Path]],
) -> None:
    with zipfile.ZipFile(releases[0]["wheel"]) as wheel:
        names = set(wheel.namelist())
        (path,) = (n for n in names if n.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(wheel.read(path).decode())
    assert {"gonogo/_templates/base.html", "gonogo/_templates/history/index.html",
            "gonogo/adapters/presets/azure.toml", "gonogo/py.typed"} <= names  # fmt: skip
    for key in ("Name", "Version", "Summary", "License-Expression", "Requires-Python", "Keywords",
                "Author", "Classifier", "Description-Content-Type", "License-File"):  # fmt: skip
        assert metadata[key], key


def test_the_oldest_versions_are_those_of_the_project() -> None:
    written = (ROOT / "requirements" / "minimum.txt").read_text()
    assert written == tool().minimum(), "run: make requirements"
    for text in tool().direct():
        assert re.fullmatch(r"[\w-]+>=[\d.]+(,<[\d.]+)?", text), f"no lower bound: {text}"


def test_the_lock_pins_every_dependency_within_the_bounds_of_the_project() -> None:
    lines = (ROOT / "requirements" / "lock.txt").read_text().splitlines()[1:]
    pinned = dict(line.split("==") for line in lines)
    assert list(pinned) == sorted(pinned)
    assert pinned.keys() >= tool().closure().keys()

    def number(text: str) -> list[int]:
        return [int(part) for part in re.findall(r"\d+", text.partition(".post")[0])]

    for text in tool().direct():
        name, low, high = re.fullmatch(r"([\w-]+)>=([\d.]+)(?:,<([\d.]+))?", text).groups()  # type: ignore[union-attr]
        assert number(pinned[name]) >= number(low), name
        assert high is None or number(pinned[name]) < number(high), name


def test_the_project_has_what_an_index_shows() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for key in ("description", "readme", "license", "authors", "keywords", "classifiers"):
        assert project[key], key
    assert project["scripts"] == {"gonogo": "gonogo.__main__:main"}


def test_every_place_that_says_where_gonogo_comes_from_says_the_same() -> None:
    workflows = tool("workflows")
    for path in workflows.files(ROOT):
        text = path.read_text(encoding="utf-8")
        assert workflows.written(text, ROOT) == text, f"run: make workflows ({path.name})"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    home = project["tool"]["gonogo"]["repository"]
    urls = project["project"].get("urls", {})
    assert home == "OWNER/gonogo" or urls.get("Repository") == f"https://github.com/{home}"


def test_one_setting_moves_the_project_to_another_home(tmp_path: Path) -> None:
    for name in ("docs/ci", "src/gonogo/__init__.py", "docs/ci.md", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    settings = tmp_path / "pyproject.toml"
    moved = settings.read_text().replace("OWNER/gonogo", "acme/gonogo").replace("0" * 40, "a" * 40)
    settings.write_text(moved)
    version = tmp_path / "src" / "gonogo" / "__init__.py"
    version.write_text('__version__ = "1.2.3"\n')
    tool("workflows").main(tmp_path)
    texts = {p.name: p.read_text() for p in tmp_path.rglob("docs/**/*") if p.is_file()}
    assert not [name for name, text in texts.items() if "OWNER/" in text or "0" * 40 in text]
    assert not [name for name, text in texts.items() if "gonogo==" in text]
    used = re.findall(r"acme/gonogo@a{40} # v1\.2\.3$", "".join(texts.values()), re.MULTILINE)
    assert len(used) == 3
    source = f"git+https://github.com/acme/gonogo@{'a' * 40}"
    installed = f'pip install --quiet "gonogo @ {source}" # v1.2.3'
    for name in ("gitlab.yml", "github-comment.yml", "github-incident.yml"):
        assert texts[name].count(installed) == 1, name
    assert "`uses: acme/gonogo@`" in texts["ci.md"]
