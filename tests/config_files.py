"""Reads a readiness.toml of a test's own, and the problems in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonogo.config.load import load
from gonogo.config.model import Config
from gonogo.errors import ConfigError, Diagnostic


def read(text: str | bytes) -> Config:
    path = Path("readiness.toml")
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load(path)


def problems(text: str | bytes) -> list[Diagnostic]:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return list(caught.value.diagnostics)


def only(text: str | bytes) -> Diagnostic:
    (diagnostic,) = problems(text)
    return diagnostic
