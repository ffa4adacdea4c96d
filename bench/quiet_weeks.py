"""How often something is "found" in weeks in which nothing happened.

    python bench/quiet_weeks.py [--weeks 200] [--first 1]

Each week is the healthy one of the sample logs under another seed. Judged by the agreed thresholds
of the sample project: excursions, and verdicts that are not GO, are false alarms.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONFIG = """
[slo]
"latency.p95" = { limit = "<= 4s", agreed_by = "operations" }
"ttft.p95" = { limit = "<= 1.5s", agreed_by = "operations" }
"error_rate" = { limit = "<= 1%", agreed_by = "operations" }
"guardrail_trigger_rate" = { limit = "<= 2%", agreed_by = "security" }
"retrieval_hit_rate" = { limit = ">= 90%", agreed_by = "search" }
"tool_error_rate" = { limit = "<= 2%", agreed_by = "operations" }
"""


def judged(seed: int, folder: Path) -> dict[str, object]:
    log, config = folder / "week.jsonl", folder / "readiness.toml"
    generate = [sys.executable, str(ROOT / "sample_logs" / "generate.py")]
    subprocess.run([*generate, "--quiet-week", str(log), "--seed", str(seed)], check=True)
    config.write_text(CONFIG)
    command = [sys.executable, "-m", "gonogo", "check", str(log), "-c", str(config), "-q"]
    done = subprocess.run([*command, "--format", "json"], check=False, capture_output=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=200)
    parser.add_argument("--first", type=int, default=1, help="seed of the first week")
    args = parser.parse_args()
    weeks, first = args.weeks, args.first
    alarms, verdicts, where = 0, Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + weeks):
            result = judged(seed, Path(folder))
            found = result["excursions"]
            assert isinstance(found, list)
            alarms += bool(found)
            where.update(e["objective"] for e in found)
            readiness = result["readiness"]
            assert isinstance(readiness, dict)
            verdicts[readiness["verdict"]] += 1
            told = f"seed {seed}: {len(found)} excursions, {alarms} weeks with any so far"
            print(told, file=sys.stderr, flush=True)
    print(f"weeks with an excursion: {alarms} of {weeks} ({100 * alarms / weeks:.1f} %)")
    print("verdicts: " + ", ".join(f"{name} {n}" for name, n in verdicts.most_common()))
    print("found in: " + (", ".join(f"{o} {n}" for o, n in where.most_common()) or "nothing"))


if __name__ == "__main__":
    main()
