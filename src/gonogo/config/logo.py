"""The picture that `[site] logo` names."""

from __future__ import annotations

from pathlib import Path

from gonogo.config.model import LogoFile
from gonogo.errors import ConfigError, Diagnostic
from gonogo.pictures import HINT, MAX_BYTES, Logo, UnusableLogo, logo_of


def read_logo(file: LogoFile, folder: Path) -> Logo:
    """The picture that a configuration in `folder` names.

    Raises:
        ConfigError: it is not there, is no picture of a known kind, too large, or not passive.
    """
    path = folder / file.path
    try:
        if not path.is_file():
            what = "this is a folder, not a file" if path.is_dir() else "there is no such file"
            raise UnusableLogo(what, "the path counts from where this file is")
        with path.open("rb") as opened:
            return logo_of(opened.read(MAX_BYTES + 1))
    except OSError as error:
        trouble = UnusableLogo(f"it cannot be read ({error.strerror})", HINT)
    except UnusableLogo as error:
        trouble = error
    what = f"site.logo: '{file.path}': {trouble.what}"
    raise ConfigError((Diagnostic("C037", file.defined_at, what, trouble.hint),))
