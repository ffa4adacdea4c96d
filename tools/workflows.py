"""Writes the home of this repository and its release into the workflows of docs/ci.

    python tools/workflows.py

Both stand in pyproject.toml, under [tool.gonogo], and nowhere else: the repository as `uses:` and
`pip install` name it, and the commit of the release. The version is that of the package. A test
fails where a file says something else.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_USES: Final = re.compile(r"[\w.-]+/gonogo@[0-9a-f]{40}(\"?) # v[\w.]+")
_NAMED: Final = re.compile(r"`uses: [\w.-]+/gonogo@`")
_VERSION: Final = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)


def files(root: Path) -> list[Path]:
    """Everything that says where gonogo comes from."""
    return [root / "docs" / "ci.md", *sorted((root / "docs" / "ci").iterdir())]


def written(text: str, root: Path) -> str:
    """`text` with the home and the release of the project at `root`."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    home = project["tool"]["gonogo"]
    source = (root / "src" / "gonogo" / "__init__.py").read_text(encoding="utf-8")
    match = _VERSION.search(source)
    assert match is not None
    text = _USES.sub(rf"{home['repository']}@{home['commit']}\1 # v{match[1]}", text)
    return _NAMED.sub(f"`uses: {home['repository']}@`", text)


def main(root: Path = ROOT) -> None:
    for path in files(root):
        text = path.read_text(encoding="utf-8")
        path.write_text(written(text, root), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
