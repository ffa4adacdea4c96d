"""Where the templates are, and the Jinja environment that they run in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

import gonogo
from gonogo.errors import Diagnostic, UsageError

BUILT_IN: Final = "built-in"
_SUFFIXES: Final = (".html", ".svg")


def templates_dir() -> Path:
    """The folder of templates and assets: inside an installed wheel, else beside `src/`.

    Raises FileNotFoundError where neither is there, which means a broken installation.
    """
    package = Path(gonogo.__file__).resolve().parent
    for folder in (package / "_templates", package.parents[1] / "site_templates"):
        if (folder / "base.html").is_file():
            return folder
    raise FileNotFoundError(f"the site templates are neither in {package} nor beside the checkout")


def replaceable(folder: Path) -> tuple[str, ...]:
    """Names of the templates and assets of a folder, which another folder may replace."""
    found = [p.name for p in folder.iterdir() if p.suffix in _SUFFIXES]
    found += [f"assets/{p.name}" for p in (folder / "assets").iterdir() if p.is_file()]
    return tuple(sorted(found))


def check_overrides(own: Path) -> None:
    """Refuse a folder of a user's own templates that would change nothing or hold a mistyped name.

    Raises UsageError.
    """
    known = replaceable(templates_dir())
    if not own.is_dir():
        raise _refusal("U070", str(own), "there is no such folder", known)
    given = [p for pattern in ("*", "assets/*") for p in own.glob(pattern) if p.is_file()]
    # A template of one's own may be imported by another; an asset that nothing links to may not.
    strange = [p for p in given if p.parent != own and f"assets/{p.name}" not in known]
    if strange:
        raise _refusal("U070", str(strange[0]), "no page asks for an asset of this name", known)
    if not any(p.relative_to(own).as_posix() in known for p in given):
        raise _refusal("U070", str(own), "holds no template that a page is made from", known)


def _refusal(code: str, where: str, what: str, known: tuple[str, ...]) -> UsageError:
    return UsageError([Diagnostic(code, where, what, f"replace one of {', '.join(known)}")])


def environment(folder: Path, own: Path | None = None) -> Environment:
    """Autoescaping, strict environment over `folder`; templates in `own` go before those.

    `built-in/NAME` is the built-in template of a name, for one that replaces it to extend.

    With `own` it is a sandbox: a template that came from elsewhere reads what a page is given, and
    reaches neither Python's insides nor the machine. Its checks take a third of the rendering.
    """
    kind = ImmutableSandboxedEnvironment if own else Environment
    return kind(
        loader=ChoiceLoader([
            FileSystemLoader([own, folder] if own else [folder]),
            PrefixLoader({BUILT_IN: FileSystemLoader(folder)}),
        ]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )  # fmt: skip


@contextmanager
def blamed(own: Path | None) -> Iterator[None]:
    """Turn what goes wrong in templates into a UsageError where the user brought some."""
    try:
        yield
    except (TemplateError, TypeError, ValueError, RecursionError) as error:
        if own is None:
            raise
        where = str(own)
        if isinstance(error, TemplateSyntaxError):
            where = f"{error.filename or own}:{error.lineno}"
        else:
            where = _line_in(error, own) or where
        hint = "what a page is given is listed in docs/reference/templates.md"
        raise UsageError([Diagnostic("U071", where, str(error), hint)]) from error


def _line_in(error: Exception, own: Path) -> str:
    """file:line of the user's template in which an error arose; "" where it is not told."""
    found, step = "", error.__traceback__
    while step is not None:
        name = step.tb_frame.f_code.co_filename
        if Path(name).is_relative_to(own):
            found = f"{name}:{step.tb_lineno}"
        step = step.tb_next
    return found
