"""What the price of pricing is taken against leaves out pricing and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import run_engine

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_logs"


def test_without_prices_all_but_the_tables_of_cost_is_in_place(tmp_path: Path) -> None:
    """The sample logs carry the cost of each call, so nothing else can differ."""
    script = str(ROOT / "bench" / "without_prices.py")
    command = [sys.executable, script, "check", str(SAMPLE), "--profile", "internal", "--format"]
    done = subprocess.run(
        [*command, "json", "--state", str(tmp_path)], check=False, capture_output=True, text=True
    )
    unpriced = json.loads(done.stdout)
    priced = json.loads(run_engine.check(tmp_path, SAMPLE).model_dump_json())
    assert unpriced["excursions"] == priced["excursions"] != []
    assert all(e["impact"]["calls"] and e["witnesses"] for e in unpriced["excursions"])
    assert unpriced["objectives"] == priced["objectives"]
    lacking = set(priced["tables"]) - set(unpriced["tables"])
    assert lacking >= {"cost_scenarios", "cost_proof"}
    assert all(name.startswith("cost") for name in lacking)
