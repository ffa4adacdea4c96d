"""Charts of the evaluation page, against counts made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from gonogo.charts.model import Drawing
from gonogo.charts.render import drawings, specification
from gonogo.results import Column, Table
from synthetic import synthetic_result


def table(name: str, **data: list[Any]) -> Table:
    columns = tuple(Column(key=k, title=k, unit="text") for k in data)
    return Table(id=name, title=name, columns=columns, data=data)


def drawn(chart: str, *tables: Table) -> Drawing | None:
    result = synthetic_result(tables={t.id: t for t in tables})
    return {d.id: d for d in drawings(result)}.get(chart)


def runs(**more: list[Any]) -> Table:
    data: dict[str, list[Any]] = {
        "prompt_version": ["v1", "v1", "v2"], "model": ["a", "b", "b"],
        "retrieval": ["idx", "idx", "idx"], "passed": [9, 5, 10], "cases": [10, 10, 10],
    }  # fmt: skip
    return table("golden_runs", **(data | more))


def test_versions_stand_worst_first_under_what_tells_them_apart() -> None:
    found = drawn("golden-pass-rate", runs())
    assert found is not None
    assert [r["label"] for r in found.data["runs"]] == ["v1 · b", "v1 · a", "v2 · b"]
    # Wilson's 95 % interval of 5 in 10, worked out by hand: 0.2366 to 0.7634.
    first = found.data["runs"][0]
    assert (first["low"], first["high"]) == (pytest.approx(0.2366, abs=5e-5),
                                             pytest.approx(0.7634, abs=5e-5))  # fmt: skip
    assert found.caption.startswith("v1 · b passes fewest: 5 of 10 cases (50 %")
    specification(found, validate=True)


def test_versions_without_a_case_are_no_zero() -> None:
    found = drawn("golden-pass-rate", runs(cases=[10, 0, 10]))
    assert found is not None
    assert len(found.data["runs"]) == 2
    assert drawn("golden-pass-rate", runs(cases=[0, 0, 0])) is None
    assert drawn("golden-pass-rate") is None


def judged(**more: list[Any]) -> Table:
    data: dict[str, list[Any]] = {
        "dimension": ["tone", "tone", "tone", "truth"], "human": ["pass", "pass", "fail", "pass"],
        "judge": ["pass", "fail", "fail", "pass"], "items": [30, 10, 4, 6],
    }  # fmt: skip
    return table("judge_confusion", **(data | more))


def test_the_matrix_counts_agreement_and_names_the_largest_difference() -> None:
    found = drawn("judge-confusion", judged())
    assert found is not None
    cells = {(r["label"], r["x"]): (r["text"], r["s"]) for r in found.data["cells"]}
    assert cells == {
        ("tone: pass", "pass"): ("30", "agree"), ("tone: pass", "fail"): ("10", "differ"),
        ("tone: fail", "fail"): ("4", "agree"), ("truth: pass", "pass"): ("6", "agree"),
    }  # fmt: skip
    assert found.caption == (
        "People and judge agree on 40 of 50 items (80 %). They differ most on tone: 10 times "
        "people said pass and the judge fail."
    )
    specification(found, validate=True)


def test_scores_instead_of_labels_make_no_matrix() -> None:
    n = 13
    many = judged(dimension=["d"] * n, human=[str(i) for i in range(n)],
                  judge=[str(i) for i in range(n)], items=[1] * n)  # fmt: skip
    assert drawn("judge-confusion", many) is None
    assert drawn("judge-confusion", judged(items=[0, 0, 0, 0])) is None


def test_full_agreement_names_no_difference() -> None:
    found = drawn("judge-confusion", judged(judge=["pass", "pass", "fail", "pass"]))
    assert found is not None
    assert found.caption == "People and judge agree on 50 of 50 items (100 %)."
