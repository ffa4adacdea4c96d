"""What stands beside a call in a row: tool calls, retrievals, checks of guardrails, actions.

In a mapping each is a table of an array: `each` names the list that holds them (or one object; left
out, it is the row itself), `where` which of its items count, everything else is a rule of a field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gonogo.adapters.model import Line, Options, Record
from gonogo.adapters.rules import Rule, Wrong, at, first_of, near, read_rules, unknown
from gonogo.adapters.values import unpacked

_OUTCOME: Final = frozenset({"status", "ok", "error_type", "latency_ms"})
FIELDS: Final[dict[str, frozenset[str]]] = {
    "tool_calls": _OUTCOME
    | {"name", "timed_out", "arguments_valid", "fallback", "input", "output"},
    "retrieval": _OUTCOME
    | {
        "hit",
        "n_chunks",
        "chunk_ids",
        "scores",
        "expected_chunk_ids",
        "index_version",
        "embedding_model",
    },
    "guardrails": frozenset(
        {"name", "stage", "triggered", "action", "bypassed", "latency_ms", "cost_usd"}
    ),
    "action": frozenset({"name", "tier", "review", "review_latency_ms"}),
}
"""Fields by the member of the native line that holds them."""
_QUIET: Final = Options()
"""Of what a tool was given and gave back, only that it is there is of interest."""
_OWN: Final = frozenset({"each", "where"})


@dataclass(frozen=True, slots=True)
class Things:
    """One place of a row where things of a kind stand."""

    member: str
    each: str
    where: Mapping[str, frozenset[str]]
    rules: Mapping[str, tuple[Rule, ...]]

    def of(self, row: Record) -> Iterator[Line]:
        """Those of a row; an item that says nothing of any field is none."""
        for item in self._items(row):
            if not all(str(at(item, path)).lower() in told for path, told in self.where.items()):
                continue
            made = {
                name: value
                for name, rules in self.rules.items()
                if (value := first_of(name, rules, item, _QUIET)) is not None
            }
            told = any(
                rule.path and at(item, rule.path) is not None
                for rules in self.rules.values()
                for rule in rules
            )
            if told:
                yield made

    def _items(self, row: Record) -> Iterator[Record]:
        found = unpacked(at(row, self.each)) if self.each else row
        for item in found if isinstance(found, list) else [found]:
            inside = unpacked(item)
            if isinstance(inside, Mapping):
                yield inside

    def shown(self) -> str:
        """Where they stand, for people."""
        return self.each or ", ".join(
            dict.fromkeys(r.path for rules in self.rules.values() for r in rules if r.path)
        )


def read_things(member: str, raw: Any, index: int, wrong: Wrong) -> Things:
    """One table of a mapping; what is wrong with it is told to `wrong`."""
    place, known = f"{member}[{index}]", FIELDS[member]
    if not isinstance(raw, dict):
        wrong(place, "a table is needed", f"write it as [[{member}]]")
        return Things(member, "", {}, {})
    unknown(raw, known | _OWN, f"{place}.", wrong)
    each, where = raw.get("each", ""), raw.get("where", {})
    if not isinstance(each, str):
        wrong(f"{place}.each", "the path of a list is needed")
        each = ""
    if not isinstance(where, dict):
        wrong(f"{place}.where", "a table is needed", "where = { kind = ['tool'] }")
        where = {}
    rules = {n: read_rules(n, raw[n], place, wrong) for n in raw if n in known}
    if not any(rule.path for many in rules.values() for rule in many):
        wrong(place, "no field with a path", near("", known))
    return Things(
        member,
        each,
        {
            path: frozenset(str(v).lower() for v in (told if isinstance(told, list) else [told]))
            for path, told in where.items()
        },
        rules,
    )
