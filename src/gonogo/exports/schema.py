"""The JSON Schema of readiness.json, for those who read it with other programs."""

from __future__ import annotations

import json

from gonogo.conventions import RESULT_SCHEMA_VERSION
from gonogo.results import ReadinessResult

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_json() -> str:
    """The schema as text, keys sorted; `gonogo schema` prints it, docs/schema keeps a copy."""
    schema = ReadinessResult.model_json_schema(mode="serialization")
    schema["$schema"] = _DIALECT
    schema["properties"]["schema_version"]["const"] = RESULT_SCHEMA_VERSION
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
