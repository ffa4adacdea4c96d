"""What stands where in the lines of a log, and the type that each place is decoded with.

A decoder has to be told the type of every place beforehand, and logs mix types: text here, an
object there. The type of a place is chosen by what was seen in it and decides how fast lines are
read, never what they mean: a value that does not fit is projected into it, or is no value at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import polars as pl

from gonogo.ingest.fields import Kind, known_paths

_NOTHING: Final = pl.Struct({"\x00": pl.String})
_THERE: Final = "…"
"""Stands for an object or a list of which only the presence is read."""

Tree = dict[str, Any]  # member name -> Tree; "" -> Kind where the path may end here
Path = tuple[str, ...]
Odd = Counter[tuple[str, str]]  # (path, kind of value) -> values that mean nothing there


@dataclass(frozen=True, slots=True)
class Leaf:
    """A text is read here; of an object, the first of `members` that is one."""

    kind: Kind | None
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    kind: Kind | None
    item: Shape


@dataclass(frozen=True, slots=True)
class Members:
    """An object; `may_be_list` where a list of one object, or of nothing, means the same."""

    kind: Kind | None
    members: dict[str, Shape]
    may_be_list: bool


Shape = Leaf | Items | Members


class Places:
    """The known places of one file's lines: which there are, and what was seen in them."""

    def __init__(self, mapping: Mapping[str, str]) -> None:
        self._tree: Tree = {}
        self._lists: set[Path] = set()
        self._found: dict[Path, Counter[str]] = {}
        self._seen: set[str] = set()
        for path, kind in known_paths(mapping).items():
            node, here = self._tree, cast(Path, ())
            for part in path.split("."):
                name = part.removesuffix("[]")
                here = (*here, name)
                node = node.setdefault(name, {})
                if name != part:
                    self._lists.add(here)
            node[""] = kind
            if path in mapping.values():  # `a.b` may also be one name with a dot in it
                self._tree.setdefault(path, {})[""] = kind
        self._names = sorted(_names(self._tree))

    def unseen(self) -> list[str]:
        """Known names that no line had so far, anywhere."""
        return [name for name in self._names if name not in self._seen]

    def observe(self, value: dict[str, Any]) -> None:
        """Look at one line."""
        names: set[str] = set()
        _collect_names(value, names)
        self.assume(names)
        self._walk(self._tree, value, ())

    def assume(self, names: set[str]) -> None:
        """These names were met: from now on they are read wherever they may stand."""
        self._seen |= names & set(self._names)

    def types(self) -> dict[str, pl.DataType]:
        """The type of each known member of a line that was met."""
        return self._members(self._tree, ())

    def shape(self, types: Mapping[str, pl.DataType]) -> Members:
        """How values are projected into these types."""
        return self._object_shape(types, self._tree, ())

    def _walk(self, tree: Tree, value: dict[str, Any], path: Path) -> None:
        for name, member in value.items():
            if not name or name not in tree:
                continue
            here, sub = (*path, name), tree[name]
            if isinstance(member, dict):
                self._count(here, "object")
                self._walk(sub, member, here)
            elif isinstance(member, list):
                objects = [item for item in member if isinstance(item, dict)]
                self._count(here, "objects" if objects else "list")
                if len(member) > 1 or member == [None]:
                    self._count(here, "several")
                for item in objects:
                    self._walk(sub, item, here)
            elif member is not None:
                self._count(here, "scalar")

    def _count(self, path: Path, what: str) -> None:
        self._found.setdefault(path, Counter())[what] += 1

    def _members(self, tree: Tree, path: Path) -> dict[str, pl.DataType]:
        return {
            name: self._type(sub, (*path, name)) for name, sub in tree.items() if name in self._seen
        }

    def _type(self, tree: Tree, path: Path) -> pl.DataType:
        found = self._found.get(path, Counter())
        kind: Kind | None = tree.get("")
        members = self._members(tree, path)
        inner = pl.Struct(members) if members else _NOTHING
        if kind == "texts":
            return _NOTHING if set(found) == {"object"} else pl.List(pl.String)
        if kind == "presence":
            most = max(("scalar", "list", "objects", "object"), key=lambda what: found[what])
            types: dict[str, pl.DataType] = {"object": inner, "objects": pl.List(inner)}
            return types.get(most, pl.String())
        if kind:
            return inner if set(found) == {"object"} else pl.String()
        if path not in self._lists:
            return inner
        # A child table may be one object or a list of them; inside of one, a list is a list.
        lists = found["list"] + found["objects"]
        as_list = len(path) > 1 or found["several"] or lists >= found["object"]
        return pl.List(inner) if as_list else inner

    def _object_shape(self, types: Mapping[str, Any], tree: Tree, path: Path) -> Members:
        members = {
            name: self._shape(dtype, tree.get(name, {}), (*path, name))
            for name, dtype in types.items()
        }
        return Members(tree.get(""), members, path in self._lists)

    def _shape(self, dtype: Any, tree: Tree, path: Path) -> Shape:
        if isinstance(dtype, pl.Struct):
            return self._object_shape({f.name: f.dtype for f in dtype.fields}, tree, path)
        if isinstance(dtype, pl.List):
            return Items(tree.get(""), self._shape(dtype.inner, tree, path))
        return Leaf(tree.get(""), tuple(name for name in tree if name))


def project(value: Any, shape: Shape, path: str, odd: Odd) -> Any:
    """A value in the shape that a schema asks for; what means nothing there is counted in `odd`."""
    if value is None:
        return None
    if shape.kind == "presence":
        return _presence(value, shape)
    if isinstance(shape, Leaf):
        found = _scalar(value, shape.members)
    elif isinstance(shape, Items):
        found = _items(value, shape, path, odd)
    else:
        found = _members(value, shape, path, odd)
    if found is _ODD:
        odd[path, type(value).__name__] += 1
        return None
    return found


_ODD: Final = object()


def _presence(value: Any, shape: Shape) -> Any:
    if value == "":
        return None
    if isinstance(shape, Leaf):
        return _THERE if isinstance(value, (dict, list)) else text_of(value)
    return {} if isinstance(shape, Members) else []


def _scalar(value: Any, members: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        value = next((found for member in members if _is_scalar(found := value.get(member))), value)
    return _ODD if isinstance(value, (dict, list)) else text_of(value)


def _is_scalar(value: Any) -> bool:
    return value is not None and not isinstance(value, (dict, list))


def _items(value: Any, shape: Items, path: str, odd: Odd) -> Any:
    items = value if isinstance(value, list) else [value]
    if shape.kind == "texts":
        if any(isinstance(item, (dict, list)) for item in items):
            return _ODD
        return [None if item is None else text_of(item) for item in items]
    if _is_scalar(value):
        return _ODD
    kept = [item for item in items if item is None or isinstance(item, dict)]
    if len(kept) < len(items):
        odd[path, "item"] += len(items) - len(kept)
    return [project(item, shape.item, path, odd) for item in kept]


def _members(value: Any, shape: Members, path: str, odd: Odd) -> Any:
    if isinstance(value, list) and shape.may_be_list:
        if not value:
            return None
        if len(value) == 1:
            value = value[0]
    if not isinstance(value, dict):
        return _ODD
    start = f"{path}." if path else ""
    return {
        name: project(value[name], shape.members[name], start + name, odd)
        for name in value
        if name in shape.members
    }


def text_of(value: Any) -> str:
    """A scalar as the block decoder writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return np.format_float_positional(value, trim="-") if np.isfinite(value) else str(value)
    text = value if isinstance(value, str) else str(value)
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text


def _names(tree: Tree) -> set[str]:
    found = {name for name in tree if name}
    for name in found.copy():
        found |= _names(tree[name])
    return found


def _collect_names(value: Any, found: set[str]) -> None:
    open_values = [value]
    while open_values:
        current = open_values.pop()
        if isinstance(current, dict):
            found.update(current)
            open_values.extend(current.values())
        elif isinstance(current, list):
            open_values.extend(current)
