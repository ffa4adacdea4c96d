"""What the user asked for, and what it means with the configuration at hand."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from gonogo import period
from gonogo.adapters import Format, own_formats
from gonogo.config.compare import parse_contrast
from gonogo.config.load import default_config, load
from gonogo.config.logo import read_logo
from gonogo.config.model import Config, Contrast
from gonogo.conventions import DIMENSIONS, INTERNAL, PUBLIC, WIDE_DIMENSIONS
from gonogo.cost.invoice import Bill, read_invoice
from gonogo.errors import Diagnostic, UsageError
from gonogo.ingest.outputs import Checker
from gonogo.pictures import Logo
from gonogo.privacy import Masker, load_id_key
from gonogo.rollup.select import Selection

DEFAULT_STATE: Final = ".gonogo"


@dataclass(frozen=True)
class Request:
    """What the user asked for; texts are as typed."""

    logs: tuple[str, ...]
    config_path: Path | None
    period: str | None = None
    where: tuple[str, ...] = ()
    profile: str = PUBLIC
    as_of: str | None = None
    state: Path | None = None
    log_format: str | None = None
    sampling_rate: str | None = None
    evals: tuple[Path, ...] = ()
    """result files of a golden set, beside those of the configuration"""
    invoice: Path | None = None
    rollups: Path | None = None
    """a store of rollups, in place of logs"""
    baseline: Path | None = None
    compare: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """A request resolved against its configuration."""

    request: Request
    config: Config
    zone: ZoneInfo
    selection: Selection
    label: str | None
    masker: Masker
    sampling_rate: float | None = None
    """the share of the traffic that was logged, as the user says; None where nothing was said"""
    bills: tuple[Bill, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    """parts of the log to hold against each other: those configured, then those asked for"""
    logo: Logo | None = None
    """the picture that `[site]` names"""

    def beside(self, names: Iterable[str]) -> tuple[Path, ...]:
        """Paths as the configuration gives them: relative to where it is."""
        folder = (self.request.config_path or Path()).parent
        return tuple(folder / name for name in names)

    def own_formats(self) -> tuple[Format, ...]:
        """The formats of the mapping files that `[logs]` names.

        Raises:
            UsageError: one cannot be read, or is no mapping.
        """
        return own_formats(self.beside(self.config.mappings))

    def checker(self) -> Checker | None:
        """What looks at outputs; None where no constraint asks for it."""
        wanted, (folder,) = self.config.gates.constraints, self.beside(("",))
        return Checker(wanted, folder) if wanted else None


def resolve(request: Request) -> Run:
    """Read the configuration and make sense of every option.

    Raises:
        ConfigError, UsageError: the request cannot be carried out.
    """
    config = load(request.config_path) if request.config_path else default_config()
    zone = ZoneInfo(config.timezone)
    label, start, end = None, None, None
    if request.period:
        now = datetime.now(UTC)
        if request.as_of:
            now = datetime.fromtimestamp(period.instant(request.as_of, zone, "--as-of"), UTC)
        label, start, end = period.resolve(request.period, zone, now)
    selection = Selection(start, end, _where(request.where), config.exclusions)
    if request.profile not in (PUBLIC, INTERNAL):
        what, hint = f"no profile '{request.profile}'", f"choose {PUBLIC} or {INTERNAL}"
        raise UsageError([Diagnostic("U004", "--profile", what, hint)])
    for path in request.evals:
        if not path.is_file():
            hint = "results of a golden set are one file; repeat --evals for several"
            raise UsageError([Diagnostic("U013", "--evals", f"there is no file {path}", hint)])
    masker = Masker(request.profile, config.site.publish, load_id_key(request.state))
    rate = None if request.sampling_rate is None else _rate(request.sampling_rate)
    if rate is not None:
        config = replace(config, cost=replace(config.cost, sampling_rate=Fraction(str(rate))))
    bills = read_invoice(request.invoice) if request.invoice else ()
    if request.baseline is not None and not request.baseline.exists():
        what = f"there is no {request.baseline}"
        hint = "name a readiness.json, or a folder that holds one"
        raise UsageError([Diagnostic("U040", "--baseline", what, hint)])
    contrasts = tuple(dict.fromkeys((*config.compare.against, *_contrasts(request.compare))))
    logo = None
    if config.site.logo is not None:
        logo = read_logo(config.site.logo, (request.config_path or Path()).parent)
    return Run(request, config, zone, selection, label, masker, rate, bills, contrasts, logo)


def _contrasts(texts: Iterable[str]) -> list[Contrast]:
    found, wrong = [], []
    for text in texts:
        parsed = parse_contrast(text)
        if isinstance(parsed, Contrast):
            found.append(parsed)
        else:
            wrong.append(Diagnostic("U041", "--compare", *parsed))
    if wrong:
        raise UsageError(wrong)
    return found


def _rate(text: str) -> float:
    bare = text.strip()
    try:
        rate = float(bare.removesuffix("%")) / (100 if bare.endswith("%") else 1)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 1:
        what = f"'{text}' is no share of the traffic"
        raise UsageError([Diagnostic("U032", "--sampling-rate", what, "write 0.1 or 10%")])
    return rate


def _where(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    known = (*DIMENSIONS, *WIDE_DIMENSIONS)
    found = []
    for text in texts:
        name, equals, pattern = text.partition("=")
        if not equals or name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{close[0]}={pattern}'?" if close else f"use {', '.join(known)}"
            what = f"'{name}' is no dimension" if equals else f"'{text}' is not KEY=VALUE"
            raise UsageError([Diagnostic("U003", "--where", what, hint)])
        found.append((name, pattern))
    return tuple(found)
