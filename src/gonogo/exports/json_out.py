"""readiness.json: a result as text, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from gonogo.conventions import RESULT_SCHEMA_VERSION
from gonogo.errors import Diagnostic, ResultError
from gonogo.privacy import plain, shorten
from gonogo.results import ReadinessResult

_SHOWN_PROBLEMS = 3


def dumps(result: ReadinessResult) -> str:
    """`result` as JSON: keys sorted, one line and a newline; the same result gives the same bytes.

    Raises:
        ValueError: a figure is not finite, which JSON cannot say.
    """
    data = result.model_dump(mode="json")
    text = json.dumps(
        data, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text + "\n"


def load(source: Path | bytes) -> ReadinessResult:
    """A result from a file or its content.

    Raises:
        ResultError: it cannot be read, is not a result, or is of another version.
    """
    where = "readiness.json" if isinstance(source, bytes) else str(source)
    data = _parse(source, where)
    version = data.get("schema_version") if isinstance(data, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        _refuse("R002", where, "this is not a saved gonogo result", "give a readiness.json")
    writer = shorten(plain(str(data.get("generator", "another version"))), 60)
    if version < RESULT_SCHEMA_VERSION:
        what = f"too old: version {version} of the result, written by {writer}"
        _refuse("R003", where, what, "build it again from the logs")
    if version > RESULT_SCHEMA_VERSION:
        what = (
            f"too new: version {version} of the result, written by {writer}; "
            f"this gonogo reads version {RESULT_SCHEMA_VERSION}"
        )
        _refuse("R004", where, what, "upgrade gonogo")
    try:
        return ReadinessResult.model_validate(data)
    except (ValidationError, RecursionError) as error:
        raise ResultError(_problems(where, error)) from error


def _parse(source: Path | bytes, where: str) -> Any:
    try:
        content = source if isinstance(source, bytes) else source.read_bytes()
    except OSError as error:
        _refuse("R001", where, error.strerror or "cannot be read", "check the path")
    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        _refuse("R002", where, f"this is not JSON: {shorten(reason, 120)}", "give a readiness.json")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _problems(where: str, error: ValidationError | RecursionError) -> tuple[Diagnostic, ...]:
    hint = "build it again from the logs"
    if isinstance(error, RecursionError):
        return (Diagnostic("R005", where, "the result is nested too deeply", hint),)
    found = error.errors(include_url=False, include_input=False, include_context=False)
    shown = [
        Diagnostic(
            "R005",
            f"{where}: {shorten(plain('.'.join(map(str, problem['loc']))), 120)}",
            problem["msg"],
            hint,
        )
        for problem in found[:_SHOWN_PROBLEMS]
    ]
    if more := len(found) - len(shown):
        shown.append(Diagnostic("R005", where, f"and {more} more problems of this kind", hint))
    return tuple(shown)


def _refuse(code: str, where: str, what: str, hint: str) -> NoReturn:
    raise ResultError((Diagnostic(code, where, what, hint),))
