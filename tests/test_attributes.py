"""The dialect table as it is applied to a span: the first attribute that has a value counts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.adapters import attributes, dialect
from gonogo.adapters.attributes import kind_of, look_of, picked
from gonogo.adapters.values import mapping_of, number, text

NAMES = sorted(
    {key.partition(">")[0] for table in (dialect.TEXTS, dialect.NUMBERS) for keys in table.values()
     for key in keys} | {"error.type", "unknown.name"}
)  # fmt: skip
VALUES = st.sampled_from(
    [None, "", "gpt", 0, 7, "12", 1.5, True, [], {"model": "inner"}, '{"model": "packed"}',
     '{"input_tokens": 3, "total_cost": "0.5"}', '"quoted"', '""', "{broken"]
)  # fmt: skip


def by_the_table(have: dict[str, Any], fields: set[str]) -> dict[str, Any]:
    """The same, read off the table entry by entry, with no thought for time."""
    found: dict[str, Any] = {}
    for name in sorted(fields, key=lambda field: field == "request_model"):
        is_number = name in dialect.NUMBERS
        for key in (dialect.NUMBERS if is_number else dialect.TEXTS)[name]:
            attribute, _, member = key.partition(">")
            value = have.get(attribute)
            if member and name == "request_model" and "response_model" in found:
                continue
            if member:
                value = mapping_of(value).get(member)
            elif not is_number and value in ('"quoted"', '""'):
                value = value.strip('"')
            read = number(value) if is_number else text(value)
            if read is not None:
                found[name] = read
                break
    return found


@given(have=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8), is_call=st.booleans())
@settings(max_examples=300, deadline=None)
def test_what_is_picked_is_what_the_table_says(have: dict[str, Any], is_call: bool) -> None:
    every = {*dialect.TEXTS, *dialect.NUMBERS} - {"error_type"}
    fields = every if is_call else {"session_id", "user_id", "prompt_version"}
    assert picked(look_of(have), have, is_call=is_call) == by_the_table(have, fields)


def test_spans_of_the_same_names_have_values_of_their_own() -> None:
    one = {"gen_ai.request.model": "a", "gen_ai.usage.input_tokens": 1}
    two = {"gen_ai.usage.input_tokens": "2", "gen_ai.request.model": ""}
    assert picked(look_of(one), one, is_call=True) == {"request_model": "a", "input_tokens": 1}
    assert picked(look_of(two), two, is_call=True) == {"input_tokens": 2}
    assert look_of(one) is look_of(two)


def test_an_empty_attribute_gives_way_to_the_next_one() -> None:
    have = {"gen_ai.usage.input_tokens": None, "llm.token_count.prompt": 9, "gen_ai.system": ""}
    assert picked(look_of(have), have, is_call=True) == {"input_tokens": 9}


@pytest.mark.parametrize(
    ("have", "kind"),
    [
        ({"openinference.span.kind": "LLM"}, ("llm", "llm")),
        ({"mlflow.spanType": '"TOOL"'}, ("tool", "tool")),
        ({"gen_ai.operation.name": "unheard of", "openinference.span.kind": "CHAIN"},
         ("chain", "chain")),
        ({"gen_ai.operation.name": 7}, (None, "")),
        ({"llm.model_name": "m", "llm.token_count.prompt": 3}, ("llm", "")),
        ({"llm.model_name": "m"}, (None, "")),
        ({"ai.usage.tokens": 3, "gen_ai.request.model": "m"}, (None, "")),
    ],
)  # fmt: skip
def test_the_kind_of_a_span(have: dict[str, Any], kind: tuple[str | None, str]) -> None:
    assert kind_of(look_of(have), have) == kind


def test_names_made_up_by_a_log_do_not_fill_the_memory() -> None:
    before = attributes._look.cache_info().currsize
    for number_ in range(10_000):
        look_of({f"made.up.{number_}": 1, "session.id": "s"})
    assert attributes._look.cache_info().currsize <= before + 1
