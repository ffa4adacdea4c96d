"""What a change of readiness.toml does to the bar: which objectives went, came, or moved, and how.

For a pull request: its own thresholds do not judge it, and that it changes them is a finding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Final

from gonogo import display
from gonogo.config.expressions import default_minimum
from gonogo.config.model import Config, Objective
from gonogo.conventions import Severity

_RANK: Final = {Severity.BLOCKING: 0, Severity.WARNING: 1, Severity.INFORMATIONAL: 2}
_NOT_SETTINGS: Final = ("path", "sha256", "content", "objectives", "objectives_source")
_OWN: Final = ("limit", "comparator", "severity", "defined_at", "expression", "source")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; `looser` where the bar is lower than before, or could be."""

    text: str
    where: str
    looser: bool


def changes(base: Config, head: Config) -> tuple[Change, ...]:
    """Every difference of `head` from `base`, those that lower the bar first."""
    found = [*_objectives(base, head), *_settings(base, head)]
    return tuple(sorted(found, key=lambda change: not change.looser))


def file_changes(base: Path, head: Path, names: Iterable[str]) -> tuple[Change, ...]:
    """Files that are others below the folder `head` than below `base`: any may lower the bar.

    `names` are files or folders in both, such as templates, mappings and the golden baseline. A
    link is compared by where it leads to, and never followed.
    """
    found = []
    for name in names:
        before, after = _contents(base, name), _contents(head, name)
        for path in sorted(before.keys() | after.keys()):
            if before.get(path) != after.get(path):
                what = "gone" if path not in after else "changed" if path in before else "new"
                found.append(Change(f"{path}: {what}", f"{head / path}:1:1", True))
    return tuple(found)


def _contents(folder: Path, name: str) -> dict[str, str]:
    """A hash of each file by its path in `folder`; empty where there is none."""
    place = folder / name
    is_folder = place.is_dir() and not place.is_symlink()
    found = {}
    for path in place.rglob("*") if is_folder else [place]:
        if path.is_symlink():
            found[path.relative_to(folder).as_posix()] = f"link to {path.readlink()}"
        elif path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[path.relative_to(folder).as_posix()] = digest
    return found


def _objectives(base: Config, head: Config) -> Iterator[Change]:
    before = {o.id: o for o in base.objectives}
    after = {o.id: o for o in head.objectives}
    for name, old in before.items():
        new = after.get(name)
        if new is None:
            yield Change(f"{name}: no longer an objective (was {_limit(old)})", _at(head), True)
        else:
            yield from _moved(old, new)
    for name, new in after.items():
        if name not in before:
            yield Change(f"{name}: a new objective, {_limit(new)}", new.defined_at or "", False)


def _moved(old: Objective, new: Objective) -> Iterator[Change]:
    where = new.defined_at or ""
    if (old.comparator, old.limit) != (new.comparator, new.limit):
        text = f"{new.id}: {_limit(old)} became {_limit(new)}"
        yield Change(text, where, _is_looser(old, new))
    if old.severity is not new.severity:
        text = f"{new.id}: severity {old.severity.value} became {new.severity.value}"
        yield Change(text, where, _RANK[new.severity] > _RANK[old.severity])
    own = {*_OWN, "minimum"} if _follows(old) and _follows(new) else _OWN
    names = (field.name for field in fields(new) if field.name not in own)
    others = [n for n in names if _bare(getattr(old, n)) != _bare(getattr(new, n))]
    if others:
        yield Change(f"{new.id}: {', '.join(others)} changed", where, True)


def _follows(objective: Objective) -> bool:
    """Whether the smallest sample is the one that goes with the limit."""
    return objective.minimum == default_minimum(objective.target)


def _is_looser(old: Objective, new: Objective) -> bool:
    upper = new.comparator in ("<=", "<")
    if upper != (old.comparator in ("<=", "<")):
        return True
    if old.limit == new.limit:
        return new.comparator in ("<=", ">=")
    return new.limit > old.limit if upper else new.limit < old.limit


def _settings(base: Config, head: Config) -> Iterator[Change]:
    """Any other part of the configuration: it may lower the bar (a gate, an exclusion)."""
    for field in fields(head):
        if field.name in _NOT_SETTINGS:
            continue
        if _bare(getattr(base, field.name)) != _bare(getattr(head, field.name)):
            name = "what is left out" if field.name == "exclusions" else field.name
            yield Change(f"{name.replace('_', ' ')}: changed", _at(head), field.name != "site")


def _bare(value: Any) -> Any:
    """`value` without the places where things stand: a line more above is no change."""
    if is_dataclass(value):
        return [_bare(getattr(value, f.name)) for f in fields(value) if f.name != "defined_at"]
    return [_bare(one) for one in value] if isinstance(value, tuple | list) else value


def _limit(objective: Objective) -> str:
    return f"{objective.comparator} {display.exact(objective.limit, objective.spec.unit)}"


def _at(config: Config) -> str:
    return f"{config.path}:1:1" if config.path else ""
