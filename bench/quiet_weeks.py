"""How often something is "found" in weeks in which nothing happened, from the log lines on.

    python bench/quiet_weeks.py [--weeks 200] [--calls 10500] [--jobs 2]

Each week is the healthy one of the sample logs under another seed, judged by the agreed thresholds
of the sample project: an excursion, a burn-rate alert that counts or a verdict that is not GO is a
false alarm.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from gonogo import pipeline
from gonogo.conventions import Verdict
from gonogo.progress import Silent

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sample_logs"))

from copilot_week import CALLS, calls_for_week


def _sample_generator() -> ModuleType:
    """sample_logs/generate.py under a name of its own: this folder has a generate.py too."""
    path = Path(__file__).resolve().parents[1] / "sample_logs/generate.py"
    spec = importlib.util.spec_from_file_location("sample_generate", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


json_line = _sample_generator().json_line

CONFIG = """
[slo]
"latency.p95" = { limit = "<= 4s", agreed_by = "operations" }
"ttft.p95" = { limit = "<= 1.5s", agreed_by = "operations" }
"error_rate" = { limit = "<= 1%", agreed_by = "operations" }
"guardrail_trigger_rate" = { limit = "<= 2%", agreed_by = "security" }
"retrieval_hit_rate" = { limit = ">= 90%", agreed_by = "search" }
"tool_error_rate" = { limit = "<= 2%", agreed_by = "operations" }
"""


class Week(NamedTuple):
    """What was said of one quiet week."""

    seed: int
    found: tuple[str, ...]
    """objective of each excursion"""
    breaches: int
    """excursions of objectives that were missed"""
    alerts: int
    """burn-rate alerts that are not put down to chance"""
    verdict: Verdict


def judged(seed: int, calls: int) -> Week:
    """The quiet week of a seed, written as JSON lines, read and judged."""
    with tempfile.TemporaryDirectory() as name:
        log, config = Path(name) / "week.jsonl", Path(name) / "readiness.toml"
        with log.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(json_line(c) + "\n" for c in calls_for_week(seed, False, calls))
        config.write_text(CONFIG)
        request = pipeline.Request((str(log),), config, state=Path(name))
        result = pipeline.analyse(request, Silent())
    alerts = [a for o in result.objectives if o.burn for a in o.burn.alerts if not a.by_chance]
    return Week(
        seed,
        tuple(e.objective for e in result.excursions),
        sum(e.is_breach for e in result.excursions),
        len(alerts),
        result.readiness.verdict,
    )


def weeks(count: int, calls: int = CALLS, jobs: int = 2, first: int = 1) -> list[Week]:
    """`count` quiet weeks of `calls` calls each, in order of their seeds."""
    seeds = range(first, first + count)
    if jobs == 1 or count == 1:
        return [judged(seed, calls) for seed in seeds]
    found = []
    # Not forked: Polars has threads of its own, and a fork would copy their locks.
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for week in pool.map(partial(judged, calls=calls), seeds):
            found.append(week)
            alarms = sum(bool(w.found) for w in found)
            print(f"{len(found)} weeks, {alarms} with any excursion", file=sys.stderr, flush=True)
    return found


HEAD = ("calls a week", "weeks", "with a false breach", "with any excursion",
        "with an alert that counts", "not GO")  # fmt: skip


def row(calls: int, found: Sequence[Week]) -> tuple[str, ...]:
    """The line of the study that the weeks make."""

    def share(part: int) -> str:
        return f"{100 * part / len(found):.1f} %"

    return (
        f"{calls:,}",
        f"{len(found):,}",
        share(sum(bool(w.breaches) for w in found)),
        share(sum(bool(w.found) for w in found)),
        share(sum(bool(w.alerts) for w in found)),
        share(sum(w.verdict is not Verdict.GO for w in found)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--weeks", type=int, default=200)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--first", type=int, default=1, help="seed of the first week")
    args = parser.parse_args()
    found = weeks(args.weeks, args.calls, args.jobs, args.first)
    for name, value in zip(HEAD, row(args.calls, found), strict=True):
        print(f"{name}: {value}")
    where = Counter(objective for week in found for objective in week.found)
    print("found in: " + (", ".join(f"{o} {n}" for o, n in where.most_common()) or "nothing"))
    verdicts = Counter(week.verdict.value for week in found)
    print("verdicts: " + ", ".join(f"{name} {n}" for name, n in verdicts.most_common()))


if __name__ == "__main__":
    main()
