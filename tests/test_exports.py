"""readiness.json and its schema, and the badge."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.conventions import RESULT_SCHEMA_VERSION, Verdict
from gonogo.errors import ResultError
from gonogo.exports.badge import badge_json, badge_svg
from gonogo.exports.json_out import dumps, load
from gonogo.exports.schema import schema_json
from gonogo.results import Decision, ReadinessResult
from hostile import ATTACK_STRINGS
from hostile_result import hostile_result
from synthetic import synthetic_result

SCHEMA = Path(__file__).parent.parent / "docs" / "schema" / "readiness.schema.json"


def _judged(verdict: Verdict) -> ReadinessResult:
    return synthetic_result(readiness=Decision(verdict=verdict, headline="", reasons=()))


def test_a_saved_result_is_read_back_as_it_was(tmp_path: Path) -> None:
    result = synthetic_result()
    path = tmp_path / "readiness.json"
    path.write_text(dumps(result), encoding="utf-8")
    assert load(path) == result
    assert load(path.read_bytes()) == result
    assert dumps(load(path)) == dumps(result)


def test_the_text_has_sorted_keys_one_line_and_no_escapes_for_letters() -> None:
    text = dumps(synthetic_result())
    assert text.endswith("}\n")
    assert text.count("\n") == 1
    assert "10:00–16:00" in text

    def check(value: object) -> None:
        if isinstance(value, dict):
            assert list(value) == sorted(value)
            for child in value.values():
                check(child)
        elif isinstance(value, list):
            for child in value:
                check(child)

    check(json.loads(text))


def test_the_order_in_which_a_result_was_put_together_does_not_show() -> None:
    result = synthetic_result()
    turned = synthetic_result(tables=dict(reversed(result.tables.items())))
    assert dumps(turned) == dumps(result)


@pytest.mark.parametrize("text", [t for t in ATTACK_STRINGS if len(t) < 1000])
def test_hostile_text_survives_the_way_there_and_back(text: str) -> None:
    result = hostile_result(text, tables={})
    assert load(dumps(result).encode()) == result


def test_a_figure_that_is_not_finite_is_refused() -> None:
    bad = synthetic_result().objectives[0].model_copy(update={"observed": float("nan")})
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps(synthetic_result(objectives=(bad,)))


def _changed(**fields: object) -> bytes:
    return json.dumps(json.loads(dumps(synthetic_result())) | fields).encode()


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (_changed(schema_version=RESULT_SCHEMA_VERSION - 1), "R003", "too old"),
        (_changed(schema_version=RESULT_SCHEMA_VERSION + 1, generator="gonogo 9"), "R004",
         r"too new.*written by gonogo 9.*upgrade gonogo"),
        (_changed(schema_version=True), "R002", "not a saved gonogo result"),
        (_changed(schema_version="1"), "R002", "not a saved gonogo result"),
        (b"{}", "R002", "not a saved gonogo result"),
        (b"[1]", "R002", "not a saved gonogo result"),
        (b"", "R002", "not JSON"),
        (b"\xff\xfe", "R002", "not JSON"),
        (b"[" * 100_000, "R002", "not JSON"),
        (b'{"schema_version": NaN}', "R002", "NaN is not a JSON number"),
        (_changed(objectives="none"), "R005", "objectives"),
        (_changed(surprise=1), "R005", "surprise"),
    ],
)  # fmt: skip
def test_what_is_no_result_of_this_version_says_so(content: bytes, code: str, said: str) -> None:
    with pytest.raises(ResultError, match=said) as caught:
        load(content)
    assert {d.code for d in caught.value.diagnostics} == {code}
    assert all(d.hint for d in caught.value.diagnostics)


def test_at_most_three_problems_are_told_and_the_rest_counted() -> None:
    with pytest.raises(ResultError, match="and 2 more problems") as caught:
        load(_changed(a=1, b=2, c=3, d=4, e=5))
    assert len(caught.value.diagnostics) == 4


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.json"
    with pytest.raises(ResultError, match=r"none\.json: No such file") as caught:
        load(path)
    assert caught.value.diagnostics[0].code == "R001"


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_result_error(content: bytes) -> None:
    with pytest.raises(ResultError):
        load(content)


# --- schema


def test_the_committed_schema_is_the_one_that_is_made() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json.loads(schema_json())


def test_a_result_obeys_the_schema_and_a_broken_one_does_not() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schema_json()))
    data = json.loads(dumps(synthetic_result()))
    validator.validate(data)
    for broken in (
        {k: v for k, v in data.items() if k != "ingest"},
        data | {"schema_version": RESULT_SCHEMA_VERSION + 1},
        data | {"surprise": 1},
        data | {"profile": "secret"},
    ):
        assert not validator.is_valid(broken)


# --- badge


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_badge_says_the_verdict_and_is_well_formed(verdict: Verdict) -> None:
    svg = ET.fromstring(badge_svg(_judged(verdict)))
    texts = [e.text for e in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["readiness", verdict.value]
    badge = json.loads(badge_json(_judged(verdict)))
    assert badge["schemaVersion"] == 1
    assert badge["message"] == verdict.value
    assert f"#{badge['color']}" in badge_svg(_judged(verdict))


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("verdict", list(Verdict))
def test_white_text_can_be_read_on_every_colour(verdict: Verdict) -> None:
    badge = json.loads(badge_json(_judged(verdict)))
    for key in ("color", "labelColor"):
        assert 1.05 / (_luminance(badge[key]) + 0.05) >= 4.5


def test_inconclusive_is_grey_and_no_two_verdicts_look_alike() -> None:
    colours = {v: json.loads(badge_json(_judged(v)))["color"] for v in Verdict}
    grey = colours[Verdict.INCONCLUSIVE]
    channels = [int(grey[i : i + 2], 16) for i in (0, 2, 4)]
    assert max(channels) - min(channels) < 20
    assert len(set(colours.values())) == len(Verdict)
