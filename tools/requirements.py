"""Writes requirements/: what gonogo is tested with, at the newest and at the oldest.

    python tools/requirements.py

lock.txt holds the exact versions of every dependency, direct or not, in this environment;
minimum.txt the oldest version that pyproject.toml allows of each direct one. Both are constraints:
`pip install --constraint requirements/lock.txt gonogo`.
"""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_NOTE: Final = "# Written by tools/requirements.py; see there.\n"


def direct() -> list[str]:
    """The requirements of pyproject.toml as they are written."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(data["project"]["dependencies"])


def minimum() -> str:
    """The lower bound of each direct dependency."""
    lines = []
    for text in direct():
        name, bound = re.fullmatch(r"([\w-]+)>=([\d.]+)(?:,<[\d.]+)?", text).groups()  # type: ignore[union-attr]
        lines.append(f"{name}=={bound}\n")
    return _NOTE + "".join(sorted(lines))


def closure() -> dict[str, str]:
    """Name and installed version of everything that gonogo needs, by itself or through others."""
    found: dict[str, str] = {}
    ahead = direct()
    while ahead:
        text = ahead.pop()
        marker = text.partition(";")[2]
        name = _NAME.match(text)[0].lower().replace("_", "-")  # type: ignore[index]
        if name in found or "extra ==" in marker or "platform" in marker:
            continue
        try:
            found[name] = version(name)
        except ModuleNotFoundError:  # for another version of Python
            continue
        ahead += distribution(name).requires or []
    return found


def lock() -> str:
    """The whole of it, sorted."""
    return _NOTE + "".join(f"{name}=={number}\n" for name, number in sorted(closure().items()))


def main() -> None:
    """Write both files."""
    folder = ROOT / "requirements"
    folder.mkdir(exist_ok=True)
    for name, text in (("lock.txt", lock()), ("minimum.txt", minimum())):
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
