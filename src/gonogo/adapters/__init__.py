"""Log formats: how each is recognised, and how its records become lines of the native log.

Built-in formats come first, then those that other packages register under the entry point
`gonogo.formats`, then the presets (mappings as data files in presets/).
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from pathlib import Path
from typing import Final

from gonogo.adapters import mapped
from gonogo.adapters.bedrock import BEDROCK
from gonogo.adapters.langfuse import LANGFUSE
from gonogo.adapters.langsmith import LANGSMITH
from gonogo.adapters.litellm import LITELLM, SPENDLOGS
from gonogo.adapters.mlflow import MLFLOW
from gonogo.adapters.model import Format, Line, Note, Options, Record, Refused, Versions
from gonogo.adapters.otlp import OTLP
from gonogo.adapters.phoenix import PHOENIX
from gonogo.adapters.readable import READABLE
from gonogo.adapters.results import NOT_LOGS, NotLog
from gonogo.errors import Diagnostic, UsageError

__all__ = [
    "GROUP",
    "NATIVE",
    "NOT_LOGS",
    "Format",
    "Line",
    "NotLog",
    "Note",
    "Options",
    "Record",
    "Refused",
    "Versions",
    "choose",
    "detect",
    "known",
    "not_a_log",
    "own_formats",
]

GROUP: Final = "gonogo.formats"
NATIVE: Final = "native"
_MAPPING_SUFFIX: Final = ".toml"
_BUILT_IN: Final = (
    OTLP,
    LITELLM,
    SPENDLOGS,
    LANGFUSE,
    PHOENIX,
    BEDROCK,
    MLFLOW,
    LANGSMITH,
    READABLE,
)


def _loaded(entry: EntryPoint) -> Format:
    try:
        registered = entry.load()
    except Exception as error:
        what = f"the format cannot be loaded ({type(error).__name__})"
        hint = "mend or remove the package that brings it"
        raise UsageError([Diagnostic("U033", f"{GROUP}: {entry.name}", what, hint)]) from error
    if not isinstance(registered, Format):
        what = "what the entry point names is no gonogo.adapters.Format"
        raise UsageError([Diagnostic("U033", f"{GROUP}: {entry.name}", what)])
    return registered


@cache
def known() -> dict[str, Format]:
    """All formats by name, in the order in which they are tried.

    Raises:
        UsageError: a format that another package registers cannot be used.
    """
    found = {one.name: one for one in _BUILT_IN}
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        registered = _loaded(entry)
        found.setdefault(registered.name, registered)
    presets = files("gonogo.adapters") / "presets"
    for resource in sorted(presets.iterdir(), key=lambda r: r.name):
        if resource.name.endswith(_MAPPING_SUFFIX):
            preset = mapped.from_toml(resource.read_text(encoding="utf-8"), resource.name)
            found.setdefault(preset.name, preset)
    return found


def own_formats(paths: Sequence[Path]) -> tuple[Format, ...]:
    """The formats of a project's own mapping files; one that claims every record comes last.

    Raises:
        UsageError: one cannot be read, or is no mapping; two of them claim every record.
    """
    found = [(path, *mapped.from_file_of_project(path)) for path in paths]
    greedy = [path for path, _, claims_all in found if claims_all]
    if len(greedy) > 1:
        names = " and ".join(path.name for path in greedy[:2])
        what = f"{names} both read every file"
        hint = "give all but one a table [detect] that says which files it reads"
        raise UsageError([Diagnostic("U031", "logs.mapping", what, hint)])
    ordered = sorted(found, key=lambda one: one[2])
    return tuple(one for _, one, _ in ordered)


def detect(records: Sequence[Record], own: Sequence[Format] = ()) -> Format | None:
    """The format that most of these records can only be of; None where no format claims any.

    Those of the project's `own` mappings are tried first.
    """
    votes: Counter[str] = Counter()
    formats = {one.name: one for one in own} | {
        name: one for name, one in known().items() if name not in {o.name for o in own}
    }
    for record in records:
        claimed = next((one.name for one in formats.values() if _claims(one, record)), None)
        if claimed is not None:
            votes[claimed] += 1
    if not votes:
        return None
    most = max(votes.values())
    return next(one for name, one in formats.items() if votes[name] == most)


def not_a_log(record: Record) -> NotLog | None:
    """What else the file is that begins with this record: results of an evaluation, say."""
    return next((kind for kind in NOT_LOGS if kind.detect(record)), None)


def _claims(one: Format, record: Record) -> bool:
    try:
        return bool(one.detect(record))
    except Exception:  # what is not of a format may be anything, and a third party's code too
        return False


def choose(name: str) -> Format | None:
    """The format that a user named: None for the native one, else a known one or a mapping file.

    Raises:
        UsageError: there is none of that name.
    """
    if name == NATIVE:
        return None
    formats = known()
    if name in formats:
        return formats[name]
    if name.endswith(_MAPPING_SUFFIX):
        return mapped.from_file(Path(name))
    names = [NATIVE, *formats]
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"known: {', '.join(names)}"
    raise UsageError([Diagnostic("U030", "--log-format", f"no format '{name}'", hint)])
