"""Gates judged from evidence of a test's own making."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from gonogo.config.evidence import (
    Gates,
)
from gonogo.config.model import Config
from gonogo.conventions import Status
from gonogo.evidence.assess import Given, assess
from gonogo.evidence.observed import (
    Observed,
    Provider,
    Version,
)
from gonogo.evidence.traffic import Measured
from gonogo.results import Gate

BREACHED, NO_DATA, AT_RISK, MET = Status.BREACHED, Status.NO_DATA, Status.AT_RISK, Status.MET
TODAY = date(2026, 11, 22)
NOW = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp())
V = Version("v1", "m", "")
SEEN = Observed(
    today=TODAY, as_of=NOW, newest=NOW, calls=1000, versions={V: 1000},
    providers=(Provider("openai", 1000, NOW - 86_400),),
)  # fmt: skip


def judged(
    gates: Gates, observed: Observed = SEEN, content: str = "now", **more: Any
) -> dict[str, Gate]:
    traffic = more.pop("traffic", Measured(None))
    given = Given(observed, ZoneInfo("UTC"), traffic, **more)
    return {g.id: g for g in assess(Config(gates=gates, content=content), given).gates}


def only(gates: Gates, *args: Any, **more: Any) -> Gate:
    (gate,) = judged(gates, *args, **more).values()
    return gate


def said(gate: Gate, status: Status, *, advice: bool = False) -> list[str]:
    return [f.text for f in gate.findings if f.status is status and f.advice is advice]
