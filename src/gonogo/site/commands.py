"""What to type to see the same again; where the logs are is not told."""

from __future__ import annotations

from datetime import UTC, datetime

from gonogo.results import Excursion, ReadinessResult
from gonogo.site.text import clipped

_LONGEST = 600


def build(result: ReadinessResult) -> str:
    """The command that makes the same result of the same logs."""
    words = ("gonogo build LOGS", *result.config.options, f"--profile {result.profile} -o site/")
    return clipped(" ".join(words), _LONGEST)


def incident(e: Excursion, result: ReadinessResult) -> str:
    """The command that says what went on in an excursion."""
    words = ["gonogo incident LOGS", *result.config.options, f"--since {_instant(e.onset)}"]
    return clipped(" ".join([*words, f"--until {_instant(e.end)}"]), _LONGEST)


def _instant(epoch: int) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%dT%H:%M:%SZ}"
