"""What changed, drawn: relative changes worked out by hand."""

from __future__ import annotations

from typing import Any

from gonogo.charts.model import Drawing
from gonogo.charts.render import drawings, specification
from gonogo.conventions import ChangeWord
from gonogo.results import Change, Comparison
from synthetic import synthetic_result


def change(title: str, **more: Any) -> Change:
    given: dict[str, Any] = {
        "objective": title, "title": title, "unit": "ratio", "word": ChangeWord.WORSE,
        "text": "", "new": 0.03, "old": 0.02, "new_total": 100, "old_total": 100,
        "difference": 0.01, "low": 0.005, "high": 0.015, "band": 0.001, "method": "",
        "adjusted": None, "adjusted_low": None, "adjusted_high": None, "adjusted_note": "",
    }  # fmt: skip
    return Change(**(given | more))


def drawn(*changes: Change, refused: str = "") -> Drawing | None:
    found = Comparison(id="c", title="t", kind="segment", new="b", old="a", refused=refused,
                       changes=changes)  # fmt: skip
    result = synthetic_result(tables={}, comparisons=(found,))
    return {d.id: d for d in drawings(result)}.get("what-changed")


def test_a_change_is_drawn_relative_to_the_old_side_with_its_interval() -> None:
    found = drawn(change("error rate"), change("p95", unit="us", new=900_000, old=1_000_000,
                                               difference=-100_000, low=-150_000, high=-50_000,
                                               word=ChangeWord.BETTER))  # fmt: skip
    assert found is not None
    first, second = found.data["changes"]
    assert (first["v"], first["low"], first["high"], first["s"]) == (0.5, 0.25, 0.75, "worse")
    assert (second["v"], second["low"], second["high"]) == (-0.1, -0.15, -0.05)
    assert second["text"] == "1 s → 900 ms"
    assert found.caption == "Of 2 figures: 1 better, 1 worse. Error rate went from 2 % to 3 %."
    specification(found, validate=True)


def test_too_few_calls_are_no_verdict_and_nothing_is_drawn_from_nothing() -> None:
    few = drawn(change("error rate", word=ChangeWord.TOO_FEW))
    assert few is not None
    assert few.data["changes"][0]["s"] == "cannot be told"
    assert drawn(change("x", old=0.0)) is None
    assert drawn(change("x", difference=None)) is None
    assert drawn(change("x"), refused="another schema") is None
    assert drawn() is None


def test_a_change_beyond_the_scale_is_cut_and_says_so() -> None:
    found = drawn(change("x", new=0.2, difference=0.18, low=0.1, high=0.26))
    assert found is not None
    assert found.data["changes"][0]["v"] == 1.0
    assert "cut at ±100 %" in found.subtitle
