"""What logs are counted by: whatever of a configuration changes a count."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from gonogo.compare import apart
from gonogo.config.model import Objective
from gonogo.pricing import listed
from gonogo.records import Dictionaries
from gonogo.request import Run
from gonogo.rollup.costs import Pricing
from gonogo.rollup.mapper import Mapper
from gonogo.rollup.objectives import counted
from gonogo.rollup.select import Calendar
from gonogo.rollup.watched import Watched

Settings = dict[str, str]

_NO_MATTER: Final = frozenset(
    (
        "agreed_by",
        "defined_at",
        "minimum",
        "owner",
        "runbook",
        "severity",
        "source",
        "waiver",
        "window",
    )
)
"""What an objective says that changes no count."""

PRICE_LIST: Final = "price list"
"""A new one is a reason to price again, but calls that were priced by an older one still count."""


def mapper_of(
    run: Run,
    dictionaries: Dictionaries,
    pricing: Pricing,
    objectives: Sequence[Objective] | None = None,
) -> Mapper:
    """The map step of a run: what it counts of blocks whose codes are those of `dictionaries`.

    Counted for `objectives` where they are given, else for those of the configuration as they are.
    """
    return Mapper(
        run.config.objectives if objectives is None else objectives,
        run.selection,
        Calendar(run.zone),
        dictionaries,
        pricing,
        apart(run.config, run.contrasts),
        Watched.of(run.config.gates),
    )


def settings_of(run: Run) -> Settings:
    """Whatever changes a count, each by a hash or as it is."""
    config = run.config
    objectives = [
        {k: v for k, v in asdict(counted(o)).items() if k not in _NO_MATTER}
        | {"group_by": o.group_by}
        for o in config.objectives
    ]
    parts: dict[str, Any] = {
        "objectives": objectives,
        "[fields]": config.fields,
        "[prices]": asdict(config.prices),
        "[cost]": asdict(replace(config.cost, sampling_rate=Fraction(1))),
        "[[exclude]]": [asdict(e) for e in config.exclusions],
        "timezone": config.timezone,
        "[[constraint]]": checker.meaning() if (checker := run.checker()) else "",
        "[[tool]]": dict(Watched.of(config.gates).timeouts),
        "--where": run.selection.where,
        "--compare": repr(apart(config, run.contrasts)),
        "--log-format": run.request.log_format and Path(run.request.log_format).name,
        "[logs]": [p.read_bytes().hex() for p in run.beside(config.mappings) if p.is_file()],
        PRICE_LIST: listed.version(),
    }
    if run.request.log_format and Path(run.request.log_format).is_file():
        parts["--log-format"] = Path(run.request.log_format).read_text(encoding="utf-8")
    return {
        name: hashlib.sha256(json.dumps(value, default=str, sort_keys=True).encode()).hexdigest()[
            :16
        ]
        for name, value in parts.items()
    }
