"""Where the templates are, and the Jinja environment that they run in."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import gonogo


def templates_dir() -> Path:
    """The folder of templates and assets: inside an installed wheel, else beside `src/`.

    Raises FileNotFoundError where neither is there, which means a broken installation.
    """
    package = Path(gonogo.__file__).resolve().parent
    for folder in (package / "_templates", package.parents[1] / "site_templates"):
        if (folder / "base.html").is_file():
            return folder
    raise FileNotFoundError(f"the site templates are neither in {package} nor beside the checkout")


def environment(folder: Path) -> Environment:
    """Autoescaping, strict environment over `folder`."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
