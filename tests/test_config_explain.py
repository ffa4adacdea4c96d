"""The catalogue of diagnostic codes: complete, and readable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gonogo
from gonogo.config.codes import CONFIG_CODES
from gonogo.errors import UsageError
from gonogo.explain import _INPUT, CODES, explain
from gonogo.explanations import RESULT, USAGE

SOURCES = sorted(Path(gonogo.__file__).parent.rglob("*.py"))


def used(pattern: str) -> set[str]:
    """Codes that stand as literals in the code, the catalogue itself left out."""
    return {
        code
        for path in SOURCES
        if path.name not in ("explain.py", "codes.py")
        for code in re.findall(pattern, path.read_text(encoding="utf-8"))
    }


def test_every_code_in_the_code_base_is_explained() -> None:
    found = used(r"""["']([A-Z][0-9]{3})["']""")
    assert len(found) > 30
    assert found - set(CODES) == set()


def test_every_code_of_the_configuration_is_used() -> None:
    assert {code for code in CODES if code.startswith("C")} == used(r'"(C[0-9]{3})"')


@pytest.mark.parametrize("code", sorted(CODES))
def test_each_explanation_says_what_and_what_to_do(code: str) -> None:
    found = CODES[code]
    assert re.fullmatch(r"[CUIRD][0-9]{3}", code)
    assert len(found.title) <= 60
    assert not found.title.endswith(".")
    assert found.text.endswith(".")
    assert len(found.text) >= 40
    assert len(found.todo) >= 10
    assert explain(f" {code.lower()} ").startswith(f"{code}: {found.title}\n\n")


def test_titles_differ() -> None:
    titles = [found.title for found in CODES.values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("C0O5", "did you mean C005"),
        ("I00", "I00"),
        ("", "looks like C005"),
        ("\x1b[31m", "?[31m"),
    ],
)
def test_unknown_codes_are_usage_errors_with_suggestions(code: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        explain(code)
    assert caught.value.diagnostics[0].code == "U001"
    assert says in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_no_code_has_two_explanations() -> None:
    """The tables are joined, and the later one would hide the other's text."""
    tables = (CONFIG_CODES, USAGE, _INPUT, RESULT)
    assert sum(map(len, tables)) == len(CODES)
