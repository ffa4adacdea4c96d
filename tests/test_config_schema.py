"""The JSON Schema and the loader allow the same keys."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gonogo.config import keys as names
from gonogo.config.load import load
from gonogo.config.schema import config_schema
from gonogo.errors import ConfigError
from gonogo.indicators import INDICATORS
from test_config_load import FULL

SCHEMA = config_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def as_json(value: Any) -> Any:
    """What an editor hands to the schema: dates are texts."""
    if isinstance(value, dict):
        return {key: as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_json(inner) for inner in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


def schema_accepts(text: str) -> bool:
    return VALIDATOR.is_valid(as_json(tomllib.loads(text)))


def loader_codes(text: str, tmp_path: Path) -> list[str]:
    path = tmp_path / "readiness.toml"
    path.write_text(text)
    try:
        load(path)
    except ConfigError as error:
        return [diagnostic.code for diagnostic in error.diagnostics]
    return []


def test_the_schema_is_one_and_plain_json() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_the_full_file_of_the_loader_is_valid() -> None:
    assert list(VALIDATOR.iter_errors(as_json(tomllib.loads(FULL)))) == []


def allowed() -> Iterator[tuple[str, list[str]]]:
    """(a file with one key missing from it at `%s`, the keys that the schema allows there)."""
    top = SCHEMA["properties"]
    long_form = top["slo"]["additionalProperties"]["anyOf"][1]
    for place, properties in (
        ("%s = 0\n", top),
        ('[slo."latency.p95"]\n%s = 0\n', long_form["properties"]),
        ("[fields]\n%s = 0\n", top["fields"]["properties"]),
        ("[[exclude]]\n%s = 0\n", top["exclude"]["items"]["properties"]),
        ("[not_applicable]\n%s = 0\n", top["not_applicable"]["properties"]),
        ("[site]\n%s = 0\n", top["site"]["properties"]),
    ):
        yield place, sorted(properties)


CANDIDATES = sorted(
    {key for _, keys in allowed() for key in keys}
    | {*names.SETTINGS, *names.SECTIONS, *names.OBJECTIVE_KEYS, *names.EXCLUDE_KEYS}
    | {*names.SITE_KEYS, *names.CANONICAL_FIELDS, *names.TABLES, *names.REQUIRED_FIELDS}
    | {*names.RESERVED, "unknown", "target", "retrieval.x"}
)


@pytest.mark.parametrize(("place", "keys"), list(allowed()))
def test_loader_and_schema_allow_the_same_keys(place: str, keys: list[str], tmp_path: Path) -> None:
    unknown = {"C005", "C006", "C028", "C032"}
    by_loader = [
        key for key in CANDIDATES if not unknown & set(loader_codes(place % f'"{key}"', tmp_path))
    ]
    # A bare name of a group (`retrieval`) is allowed by the schema as TOML's dotted key only.
    groups = {key.partition(".")[0] for key in keys if "." in key}
    assert set(by_loader) == {key for key in keys if key in by_loader or key not in groups}


@pytest.mark.parametrize("indicator", sorted(INDICATORS))
def test_every_indicator_is_completed(indicator: str, tmp_path: Path) -> None:
    spec = INDICATORS[indicator]
    right, wrong = (indicator, f"{indicator}.p95")
    if spec.kind == "distribution":
        right, wrong = wrong, right
    elif spec.kind == "projection":
        right = f"{indicator}.monthly_at_10x"
    number = {"us": "2s", "ratio": "5%", "nano_usd": "$1"}.get(spec.unit, "5")
    limit = f"{'<=' if spec.good_is_low else '>='} {number}"
    narrowed = [] if spec.kind == "projection" else [f"{right}{{model=gpt*}}"]
    for key in (right, *narrowed):
        text = f"[slo]\n'{key}' = '{limit}'\n"
        assert schema_accepts(text)
        assert loader_codes(text, tmp_path) == []
    text = f"[slo]\n'{wrong}' = '{limit}'\n"
    assert not schema_accepts(text)
    assert loader_codes(text, tmp_path) == ["C011"]


@pytest.mark.parametrize(
    "text",
    [
        "[slo]\nerror_rate = 1\n",
        "[slo]\nerror_rate = 'soon'\n",
        "[slo]\nerror_rate = { owner = 'x' }\n",
        "[slo]\nerror_rate = { limit = '<= 1%', severity = 'fatal' }\n",
        "[slo]\nerror_rate = { limit = '<= 1%', minimum = 0 }\n",
        "minimum_coverage = 2\n",
        "top = 0\n",
        "[[exclude]]\nfrom = 2026-01-01\n",
        "[site]\naccent = 'red'\n",
        "[site]\nlogo = ' '\n",
        "[site]\npublish = ['x']\n",
        "[site]\ntrace_url = 'https://t.example/'\n",
        "[not_applicable]\ntool_calls = ' '\n",
    ],
)
def test_both_refuse(text: str, tmp_path: Path) -> None:
    assert not schema_accepts(text)
    assert loader_codes(text, tmp_path)
