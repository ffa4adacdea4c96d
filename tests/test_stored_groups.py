"""Grouped objectives from rollups: whichever file a value is in, judged as from the logs."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo import pipeline, stored
from gonogo.conventions import INTERNAL, PUBLIC, Status
from gonogo.errors import ResultError
from gonogo.progress import Silent
from gonogo.request import Request
from gonogo.results import ReadinessResult
from gonogo.rollup.segments import MOST

START = 1_795_392_000  # 2026-11-23T00:00Z
SAMPLE = Path(__file__).parents[1] / "sample_logs"
CONFIG = """
[slo.error_rate]
limit = "<= 5%"
minimum = 20
group_by = "model"

[slo."error_rate{model=b}"]
limit = "<= 50%"

[slo."latency.p95"]
limit = "<= 2s"
minimum = 20
group_by = "tenant_id"

[slo."tool_error_rate{tool=s*}"]
limit = "<= 10%"
minimum = 5
group_by = "tool"

[slo."error_rate{operation=chat}"]
limit = "<= 20%"
slice = "1h"
slices = ">= 50%"
minimum = 2
group_by = "model"
"""

Call = dict[str, Any]


def call(number: int, model: str | None) -> Call:
    rng = random.Random(f"{number}/{model}")
    tool = {"name": rng.choice(["search", "send", "pay"]), "status": rng.choice(["ok", "error"])}
    return {
        "timestamp": START + number * 97,
        "trace_id": f"t{number}",
        "span_id": f"s{number}",
        "operation": "chat",
        "tenant_id": rng.choice(["maple", "oak", "elm"]),
        "latency_ms": rng.randrange(100, 2600),
        "status": rng.choice(["ok"] * 12 + ["error"]),
        "tool_calls": [tool] * rng.randrange(2),
    } | ({} if model is None else {"response_model": model})


def write(folder: Path, files: list[list[Call]]) -> None:
    (folder / "logs").mkdir(exist_ok=True)
    for number, rows in enumerate(files):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "logs" / f"{number}.jsonl").write_text(text)
    (folder / "readiness.toml").write_text(CONFIG)


def request(folder: Path, profile: str, **more: Any) -> Request:
    config = folder / "readiness.toml"
    return Request((str(folder / "logs"),), config, profile=profile, state=folder, **more)


def both(folder: Path, profile: str = INTERNAL) -> tuple[ReadinessResult, ReadinessResult]:
    """The results from rollups and from the logs."""
    pipeline.roll_up(request(folder, profile), folder / "rollups", Silent())
    kept = request(folder, profile, rollups=folder / "rollups")
    return pipeline.analyse(kept, Silent()), pipeline.analyse(request(folder, profile), Silent())


def assert_same(kept: ReadinessResult, whole: ReadinessResult) -> None:
    assert kept.objectives == whole.objectives
    assert kept.readiness == whole.readiness
    assert [e.sentence for e in kept.excursions] == [e.sentence for e in whole.excursions]
    assert kept.blocks == whole.blocks
    assert kept.tables == whole.tables


@pytest.mark.parametrize("profile", [PUBLIC, INTERNAL])
def test_values_of_one_file_only_are_judged_as_from_the_logs(tmp_path: Path, profile: str) -> None:
    """Model c is in the last file alone, b has an objective of its own, d is too small."""
    models = [["a"] * 60 + ["b"] * 40, ["b"] * 30 + [None] * 30, ["c"] * 50 + ["a"] * 9 + ["d"] * 3]
    number, files = 0, []
    for names in models:
        files.append([call(number + n, name) for n, name in enumerate(names)])
        number += len(names)
    write(tmp_path, files)
    kept, whole = both(tmp_path, profile)
    assert_same(kept, whole)
    ids = {o.id for o in kept.objectives}
    assert {f"error_rate{{model={m}}}" for m in ("a", "b", "c", "(not logged)", "(other)")} <= ids
    tenants = [o for o in kept.objectives if o.group_by == "tenant_id"]
    assert len(tenants) == 3
    assert ("maple" in str([o.id for o in tenants])) is (profile == INTERNAL)
    assert {o.id for o in kept.objectives if o.group_by == "tool"} == {
        "tool_error_rate{tool=search}",
        "tool_error_rate{tool=send}",
    }
    # Counted by hand, from the lines alone.
    rows = [row for rows in files for row in rows if row.get("response_model") == "c"]
    (found,) = (o for o in kept.objectives if o.id == "error_rate{model=c}")
    assert found.total == len(rows)
    assert found.good == sum(row["status"] == "ok" for row in rows)


@settings(max_examples=5, deadline=None)
@given(
    models=st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=80),
    seed=st.integers(0, 99),
)
def test_no_split_into_files_and_stores_changes_a_verdict(
    models: list[str | None], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("law")
    rng, files = random.Random(seed), [list[Call](), list[Call](), list[Call]()]
    for number, model in enumerate(models):
        rng.choice(files).append(call(number, model))
    write(folder, [rows for rows in files if rows])
    kept, whole = both(folder)
    assert_same(kept, whole)
    paths = sorted((folder / "logs").iterdir(), reverse=True)
    for path in paths:
        alone = Request((str(path),), folder / "readiness.toml", state=folder)
        pipeline.roll_up(alone, folder / f"of {path.stem}", Silent())
    stored.combine([folder / f"of {path.stem}" for path in paths], folder / "joined")
    again = request(folder, INTERNAL, rollups=folder / "joined")
    assert_same(pipeline.analyse(again, Silent()), whole)


def test_more_values_than_can_be_judged_pass_nothing_whichever_file_they_are_in(
    tmp_path: Path,
) -> None:
    half = MOST // 2 + 3
    files = [[call(n, f"m{n}") for n in range(half)], [call(n, f"m{n}") for n in range(half, 107)]]
    write(tmp_path, files)
    kept, whole = both(tmp_path)
    assert_same(kept, whole)
    (found,) = (o for o in kept.objectives if o.id == "error_rate")
    assert found.status is Status.NO_DATA
    assert "model has 108 values" in found.reason  # and those calls that would name none


def test_another_dimension_is_another_count(tmp_path: Path) -> None:
    write(tmp_path, [[call(n, "a") for n in range(30)]])
    pipeline.roll_up(request(tmp_path, INTERNAL), tmp_path / "rollups", Silent())
    config = tmp_path / "readiness.toml"
    config.write_text(CONFIG.replace('group_by = "tenant_id"', 'group_by = "release"'))
    with pytest.raises(ResultError, match="other settings: objectives"):
        pipeline.analyse(request(tmp_path, INTERNAL, rollups=tmp_path / "rollups"), Silent())


def test_the_sample_week_by_model_and_tool_is_the_same_from_rollups(tmp_path: Path) -> None:
    (tmp_path / "readiness.toml").write_text(
        '[slo.error_rate]\nlimit = "<= 1%"\ngroup_by = "model"\n'
        '[slo.tool_error_rate]\nlimit = "<= 2%"\ngroup_by = "tool"\nminimum = 100\n'
    )
    asked = Request((str(SAMPLE),), tmp_path / "readiness.toml", state=tmp_path)
    pipeline.roll_up(asked, tmp_path / "rollups", Silent())
    rolled = Request((), asked.config_path, state=tmp_path, rollups=tmp_path / "rollups")
    kept, whole = pipeline.analyse(rolled, Silent()), pipeline.analyse(asked, Silent())
    assert kept.objectives == whole.objectives
    assert {o.id for o in kept.objectives} >= {
        "error_rate{model=gpt-4o-2024-08-06}",
        "tool_error_rate{tool=get_order}",
    }
