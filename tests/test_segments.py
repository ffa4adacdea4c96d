"""Objectives for each value of a dimension: the same counts, taken apart, and nothing lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.cli import main
from gonogo.config.load import load
from gonogo.conventions import Severity, Status, Verdict
from gonogo.errors import ConfigError
from gonogo.measures import Distributions, objective_data
from gonogo.results import ObjectiveResult, ReadinessResult
from gonogo.rollup.segments import MOST, expand
from gonogo.slo import ObjectiveData
from run_engine import check, count

Call = dict[str, Any]
GROUPED = '[slo.error_rate]\nlimit = "<= 5%"\nminimum = 50\ngroup_by = "{}"\n'


def calls(model: str | None, number: int, failed: int, **more: Any) -> list[Call]:
    return [
        {
            "timestamp": f"2026-11-16T{n % 24:02}:{n % 60:02}:00Z",
            "latency_ms": 100 + n,
            "status": "error" if n < failed else "ok",
            **({} if model is None else {"response_model": model}),
            **more,
        }
        for n in range(number)
    ]


def judge(folder: Path, log: list[Call], config: str) -> ReadinessResult:
    (folder / "log.jsonl").write_text("".join(json.dumps(call) + "\n" for call in log))
    (folder / "readiness.toml").write_text(config)
    return check(folder, folder / "log.jsonl", config=folder / "readiness.toml")


def by_id(result: ReadinessResult) -> dict[str, ObjectiveResult]:
    return {o.id: o for o in result.objectives}


def test_each_value_is_judged_by_itself_and_small_ones_together(tmp_path: Path) -> None:
    log = calls("a", 600, 0) + calls("b", 200, 40) + calls(None, 300, 3)
    log += calls("c", 20, 1) + calls("d", 10, 0)
    result = judge(tmp_path, log, GROUPED.format("model"))
    found = by_id(result)
    assert {name: (o.good, o.total, o.status) for name, o in found.items()} == {
        "error_rate{model=a}": (600, 600, Status.MET),
        "error_rate{model=b}": (160, 200, Status.BREACHED),
        "error_rate{model=(not logged)}": (297, 300, Status.MET),
        "error_rate{model=(other)}": (29, 30, Status.NO_DATA),
    }
    rest = found["error_rate{model=(other)}"]
    assert rest.severity is Severity.WARNING
    assert rest.reason.endswith("2 values together of model with under 50 calls each")
    assert found["error_rate{model=b}"].expression == "error_rate{model=b} <= 5%"
    assert result.slo.verdict is Verdict.NO_GO


def test_small_values_make_a_condition_and_never_a_silent_go(tmp_path: Path) -> None:
    fields = '[not_applicable]\nretrievals = "none"\n'
    result = judge(
        tmp_path, calls("a", 600, 0) + calls("c", 20, 0), GROUPED.format("model") + fields
    )
    assert result.slo.verdict is Verdict.CONDITIONS
    assert any("model=(other)" in reason.text for reason in result.slo.reasons)


def test_a_small_value_beyond_doubt_still_blocks(tmp_path: Path) -> None:
    result = judge(tmp_path, calls("a", 600, 0) + calls("c", 20, 20), GROUPED.format("model"))
    rest = by_id(result)["error_rate{model=(other)}"]
    assert (rest.status, rest.severity) == (Status.BREACHED, Severity.BLOCKING)
    assert result.slo.verdict is Verdict.NO_GO


def test_an_outage_of_many_small_values_is_told(tmp_path: Path) -> None:
    """Together they pass the minimum sample, and have no selector to look at calls by."""
    log = calls("a", 600, 0) + [call for n in range(20) for call in calls(f"m{n}", 20, 20)]
    result = judge(tmp_path, log, GROUPED.format("model"))
    rest = by_id(result)["error_rate{model=(other)}"]
    assert (rest.status, rest.total) == (Status.BREACHED, 400)
    assert any(e.objective == rest.id and e.bad > 100 for e in result.excursions)


def test_without_a_large_value_the_whole_is_judged(tmp_path: Path) -> None:
    log = [call for n in range(20) for call in calls(f"m{n}", 20, 0)]
    (only,) = judge(tmp_path, log, GROUPED.format("model")).objectives
    assert (only.id, only.total, only.status) == ("error_rate", 400, Status.MET)


def test_a_written_objective_stands_in_place_of_its_segment(tmp_path: Path) -> None:
    own = '[slo."error_rate{model=b}"]\nlimit = "<= 30%"\n'
    log = calls("a", 600, 0) + calls("b", 200, 40)
    found = by_id(judge(tmp_path, log, GROUPED.format("model") + own))
    assert found["error_rate{model=b}"].limit == "0.3"
    assert [o.status for o in found.values()].count(Status.BREACHED) == 0
    assert len(found) == 2


def test_more_values_than_can_be_judged_are_said_and_pass_nothing(tmp_path: Path) -> None:
    log = [call for n in range(MOST + 1) for call in calls(f"m{n}", 2, 0)]
    (only,) = judge(tmp_path, log, GROUPED.format("model")).objectives
    assert only.status is Status.NO_DATA
    # the values and those calls that would name none
    assert only.reason == (
        f"model has {MOST + 2} values, and at most {MOST} can each be judged by itself"
    )


def test_a_selector_narrows_what_is_grouped(tmp_path: Path) -> None:
    config = '[slo."error_rate{model=gpt*}"]\nlimit = "<= 5%"\nminimum = 50\ngroup_by = "model"\n'
    log = calls("gpt-4o", 100, 0) + calls("gpt-4o-mini", 100, 0) + calls("claude", 100, 100)
    found = by_id(judge(tmp_path, log, config))
    assert set(found) == {"error_rate{model=gpt-4o}", "error_rate{model=gpt-4o-mini}"}
    assert {o.total for o in found.values()} == {100}


def test_tools_are_grouped_by_their_own_names(tmp_path: Path) -> None:
    log = calls("a", 60, 0, tool_calls=[{"name": "search", "status": "ok"}])
    log += calls("a", 80, 0, tool_calls=[{"name": "pay", "status": "error"}])
    config = '[slo.tool_error_rate]\nlimit = "<= 5%"\nminimum = 50\ngroup_by = "tool"\n'
    found = by_id(judge(tmp_path, log, config))
    assert found["tool_error_rate{tool=search}"].status is Status.MET
    assert found["tool_error_rate{tool=pay}"].status is Status.BREACHED
    assert found["tool_error_rate{tool=pay}"].total == 80


def test_a_hostile_value_is_a_label_like_any_other(tmp_path: Path) -> None:
    hostile = "x\u202e]}<script>alert(1)</script>\x1b[31m"
    result = judge(tmp_path, calls(hostile, 100, 0), GROUPED.format("model"))
    (only,) = result.objectives
    assert only.total == 100
    assert only.id.isprintable()
    assert "\u202e" not in only.id


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (GROUPED.format("modle"), "did you mean 'model'?"),
        (GROUPED.format("tenant"), "did you mean 'tenant_id'?"),
        (GROUPED.format("tool"), "'tool' is not a dimension of error_rate"),
        (
            '[slo."cost.monthly"]\nlimit = "<= $5k"\ngroup_by = "model"\n',
            "cost is about all calls and cannot be grouped",
        ),
    ],
)
def test_what_cannot_be_grouped_by_is_said(config: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "readiness.toml").write_text(config)
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "readiness.toml")
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "C064"
    assert said in str(diagnostic)


@settings(max_examples=25)
@given(
    log=st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "B ", "(other)", None]),
            st.sampled_from(["ok", "error", None]),
            st.integers(0, 23),
        ),
        min_size=1,
        max_size=80,
    ),
    minimum=st.sampled_from([1, 5, 30]),
)
def test_segments_add_up_to_the_whole(
    log: list[tuple[str | None, str | None, int]], minimum: int, tmp_path_factory: Any
) -> None:
    folder = tmp_path_factory.mktemp("law")
    rows = []
    for n, (model, status, hour) in enumerate(log):
        row: Call = {"timestamp": f"2026-11-16T{hour:02}:00:{n % 60:02}Z", "latency_ms": n}
        rows.append(row | {k: v for k, v in (("response_model", model), ("status", status)) if v})
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = GROUPED.format("model").replace("50", str(minimum))
    (folder / "readiness.toml").write_text(text + '[slo."error_rate{model=*}"]\nlimit = "<= 5%"\n')
    config = load(folder / "readiness.toml")
    found: list[ObjectiveData] = []

    def spread(wanted: Any, dictionaries: Any) -> Any:
        return expand(wanted, dictionaries, lambda _, text: text.strip())

    counted = count([folder / "log.jsonl"], config.objectives, spread=spread)
    config = counted.config(config)
    found = objective_data(counted.partial, config, Distributions(counted.partial))
    grouped = [d for d in found if d.objective.id != "error_rate{model=*}"]
    known = [(model, status) for model, status, _ in log if status]
    assert sum(d.count for d in grouped) == len(known)
    assert sum(d.good_count for d in grouped) == sum(status == "ok" for _, status in known)
    assert sum(d.eligible for d in grouped) == len(log)
    for one in grouped:
        segment = one.objective.segment
        if segment is not None and not segment.merged:
            mine = [s for m, s in known if (m.strip() if m else None) in {
                v.strip() if v else None for v in segment.values}]  # fmt: skip
            assert (one.count, one.good_count) == (len(mine), mine.count("ok"))


def test_parquet_is_judged_by_segment_as_json_lines_are(tmp_path: Path) -> None:
    """Model b and tool pay fail in a Parquet file alone; as a whole both objectives are met."""
    pay, search = ([{"name": name, "status": status}] for name, status in
                   (("pay", "error"), ("search", "ok")))  # fmt: skip
    early = calls("a", 600, 0, tool_calls=search)
    late = calls("b", 20, 20, tool_calls=pay) + calls("a", 300, 0, tool_calls=search)
    config = tmp_path / "readiness.toml"
    config.write_text(
        '[slo.error_rate]\nlimit = "<= 5%"\nminimum = 10\ngroup_by = "model"\n'
        '[slo.tool_error_rate]\nlimit = "<= 5%"\nminimum = 10\ngroup_by = "tool"\n'
    )
    (tmp_path / "lines").mkdir()
    (tmp_path / "mixed").mkdir()
    for folder, name, rows in (("lines", "a", early), ("lines", "b", late), ("mixed", "a", early)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / folder / f"{name}.jsonl").write_text(text)
    pl.DataFrame(late).write_parquet(tmp_path / "mixed" / "b.parquet")
    lines, mixed = (check(tmp_path, tmp_path / name, config=config) for name in ("lines", "mixed"))
    assert mixed.objectives == lines.objectives
    (alone,) = {check(tmp_path, tmp_path / "mixed/b.parquet", config=config).slo.verdict}
    assert lines.slo.verdict is alone is Verdict.NO_GO
    broken = {o.id for o in mixed.objectives if o.status is Status.BREACHED}
    assert broken == {"error_rate{model=b}", "tool_error_rate{tool=pay}"}


def test_logs_can_be_inspected_without_any_objective(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    judge(tmp_path, calls("a", 60, 0), GROUPED.format("model"))
    assert CliRunner().invoke(main, ["inspect", "log.jsonl"]).exit_code == 0
