"""JSON Schema of `readiness.toml`, for editors that complete and check while one types.

It knows names and shapes. What needs more than that (units, time zones, ranges that end before
they start) is said by the loader.
"""

from __future__ import annotations

from typing import Any

from gonogo.config.burn import ALERTS
from gonogo.config.compare import COMPARE
from gonogo.config.expressions import selector_keys
from gonogo.config.gates import SPECS
from gonogo.config.keys import (
    BURN_KEYS,
    CANONICAL_FIELDS,
    EXCLUDE_KEYS,
    MINIMUM_MAXIMUM,
    PRICE_RATES,
    REQUIRED_FIELDS,
    TABLES,
    TOP_MAXIMUM,
)
from gonogo.config.logs import LOGS
from gonogo.config.tables import schema_of
from gonogo.config.waivers import WAIVER
from gonogo.conventions import PUBLISHABLE, Severity
from gonogo.indicators import INDICATORS, PROJECTIONS
from gonogo.records import TIERS

GROUPS = tuple(dict.fromkeys(key for spec in INDICATORS.values() for key in selector_keys(spec)))
_DURATION = r"^\s*[0-9]{1,6}\s*(s|m|min|h|d|w)\s*$"
_TEXT: dict[str, Any] = {"type": "string", "pattern": r"\S"}


def config_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) as a dict that `json.dumps` can write."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gonogo readiness.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "timezone": {
                **_TEXT,
                "description": "IANA time zone of days and weeks, such as Europe/Berlin",
                "default": "UTC",
            },
            "minimum_coverage": {
                "description": "share of the calls that must carry a field for its indicator to "
                "be judged",
                "default": 0.5,
                "anyOf": [
                    {"type": "number", "minimum": 0, "maximum": 1},
                    {"type": "string", "pattern": r"^\s*[0-9]{1,3}(\.[0-9]{1,9})?\s*%\s*$"},
                ],
            },
            "top": {
                "type": "integer",
                "minimum": 1,
                "maximum": TOP_MAXIMUM,
                "default": 20,
                "description": "values of a dimension that a table shows before (other)",
            },
            "slo": _objectives(),
            "prices": _prices(),
            "cost": _cost(),
            "burn_rate": _burn_rates(),
            "fields": _names(CANONICAL_FIELDS, "canonical field = dotted path in your log"),
            "exclude": _exclusions(),
            "not_applicable": _names(
                (*TABLES, *REQUIRED_FIELDS),
                "table or field that the application does not have = the reason",
            ),
            "site": _site(),
            COMPARE.name: schema_of(COMPARE),
            LOGS.name: schema_of(LOGS),
            **{spec.name: schema_of(spec) for spec in SPECS},
        },
    }


def _objectives() -> dict[str, Any]:
    ratios = [name for name, spec in INDICATORS.items() if spec.kind == "ratio"]
    others = [name for name, spec in INDICATORS.items() if spec.kind == "distribution"]
    percentile = r"p[0-9]{1,2}(\.[0-9]+)?"
    scenarios = rf"cost\.({'|'.join(PROJECTIONS)})"
    names = rf"({'|'.join(ratios)})|({'|'.join(others)})\.({percentile}|mean)"
    pattern = rf"^\s*(({names})\s*(\{{.*\}})?|{scenarios})\s*$"
    limit = {
        "type": "string",
        "pattern": r"^\s*(<=|<|>=|>)",
        "description": "comparator, number and unit: <= 2.5s, <= 1%, >= 90%, <= $0.02",
    }
    long_form = {
        "type": "object",
        "additionalProperties": False,
        "required": ["limit"],
        "properties": {
            "limit": limit,
            "severity": {
                "enum": [str(s) for s in Severity],
                "default": "blocking",
                "description": "decides the verdict, is shown beside it, or is only listed",
            },
            "minimum": {
                "type": "integer",
                "minimum": 1,
                "maximum": MINIMUM_MAXIMUM,
                "description": "smallest sample that is judged; chosen from the limit if left out",
            },
            "window": {
                "type": "string",
                "pattern": _DURATION,
                "default": "7d",
                "description": "what its error budget is for: 7d, 28d or 30d, or any length of "
                "time that [[burn_rate]] states pairs for",
            },
            "group_by": {
                "enum": list(GROUPS),
                "description": "dimension, each value of which is judged by itself",
            },
            "slice": {
                "type": "string",
                "pattern": _DURATION,
                "description": "judge slices of this length, 5m to 1h, in place of single events",
            },
            "slices": {
                "type": "string",
                "pattern": r"^\s*(>=|>)",
                "description": "share of the slices that must keep the limit: >= 99%",
            },
            "owner": {**_TEXT, "description": "who looks after it"},
            "runbook": _link("what to do when it is missed"),
            "agreed_by": {"type": "string", "description": "who agreed to the threshold"},
            "proposed": {
                "type": "boolean",
                "description": "true until somebody agrees: see agreed_by",
            },
            "waiver": schema_of(WAIVER),
        },
    }
    return {
        "type": "object",
        "description": 'objectives: "latency.p95" = "<= 2.5s"',
        "propertyNames": {"pattern": pattern},
        "additionalProperties": {"anyOf": [limit, long_form]},
    }


def _prices() -> dict[str, Any]:
    amount = {
        "type": "string",
        "pattern": r"^\s*\$\s*[0-9]",
        "description": "US dollars per million tokens (per_call: for each call): $2.50",
    }
    moment = {"type": "string", "description": "the price holds from then, or until then"}
    entry = {
        "model": {**_TEXT, "description": "model, or a glob pattern: llama-3*"},
        "provider": {**_TEXT, "description": "provider, or a glob pattern; any if left out"},
        "tier": {"enum": list(TIERS), "description": "tier of service; any if left out"},
        "from": moment,
        "to": {**moment, "description": f"{moment['description']}; not part of the range"},
        **dict.fromkeys(PRICE_RATES, amount),
        "discount": _share("off these rates, or off the list price where none are written"),
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "description": "prices of your own: contracts, self-hosted models, discounts",
        "properties": {
            "prefer": {
                "enum": ["logged", "priced"],
                "default": "logged",
                "description": "which cost counts where a call has both",
            },
            "public_list": {
                "type": "boolean",
                "default": True,
                "description": "price models without an entry of their own by the public list",
            },
            "discount": _share("off every list price"),
            "max_unknown": _share("calls without a price above which no cost is judged", "5%"),
            "model": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["model"],
                    "properties": entry,
                },
            },
        },
    }


def _share(description: str, default: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "description": f"share {description}",
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": 1},
            {"type": "string", "pattern": r"^\s*[0-9]{1,3}(\.[0-9]{1,6})?\s*%\s*$"},
        ],
    }
    return made if default is None else made | {"default": default}


def _cost() -> dict[str, Any]:
    def number(description: str, most: int) -> dict[str, Any]:
        return {"type": "integer", "minimum": 1, "maximum": most, "description": description}

    def names(description: str) -> dict[str, Any]:
        return {"type": "array", "items": _TEXT, "description": description}

    return {
        "type": "object",
        "additionalProperties": False,
        "description": "the traffic that is planned for, and levers to estimate",
        "properties": {
            "calls_per_day": number("the target that cost is projected to", 10**11),
            "cheaper_model": {**_TEXT, "description": "a model that some calls could go to"},
            "cheaper_provider": {**_TEXT, "description": "its provider, if its price needs it"},
            "cheaper_under_tokens": number("calls of at most so many input tokens could", 10**8),
            "cheaper_operations": names("calls of these operations could"),
            "stable_prefix_tokens": number("tokens that begin every prompt alike", 10**8),
            "trim_percentile": {
                **number("percentile of input tokens to trim longer contexts to", 99),
                "default": 90,
            },
            "offline_operations": names("operations that could wait for a batch"),
            "batch_discount": _share("that a batch is cheaper by", "50%"),
        },
    }


def _burn_rates() -> dict[str, Any]:
    def window(description: str) -> dict[str, Any]:
        return {"type": "string", "pattern": _DURATION, "description": description}

    return {
        "type": "array",
        "description": "pairs of windows in place of the published burn-rate tables",
        "items": {
            "type": "object",
            "additionalProperties": False,
            "required": list(BURN_KEYS),
            "properties": {
                "alert": {"enum": list(ALERTS), "description": "who would have been told, and how"},
                "budget": _share("of the error budget that the long window may not spend"),
                "long": window("long window, a multiple of 5 minutes: 1h"),
                "short": window("short window, for an alert that ends with its cause: 5m"),
            },
        },
    }


def _exclusions() -> dict[str, Any]:
    moment = {
        "type": "string",
        "description": "date and time; without an offset, in the declared time zone",
    }
    properties = {
        "from": moment,
        "to": {**moment, "description": f"{moment['description']}; not part of the range"},
        "reason": {**_TEXT, "description": "why; printed on the page"},
        "owner": {**_TEXT, "description": "who says so; printed on the page"},
    }
    return {
        "type": "array",
        "description": "ranges of time that are left out (maintenance, load tests) and printed",
        "items": {
            "type": "object",
            "additionalProperties": False,
            "required": list(EXCLUDE_KEYS),
            "properties": properties,
        },
    }


def _names(names: tuple[str, ...], description: str) -> dict[str, Any]:
    """A table of texts; `a.b` may be written quoted, or as TOML's dotted key."""
    properties: dict[str, Any] = dict.fromkeys(names, _TEXT)
    tables: dict[str, dict[str, Any]] = {}
    for name in names:
        outer, dot, inner = name.partition(".")
        if dot:
            tables.setdefault(outer, {})[inner] = _TEXT
    for outer, inner_properties in tables.items():
        table = {"type": "object", "additionalProperties": False, "properties": inner_properties}
        properties[outer] = {"anyOf": [_TEXT, table]} if outer in names else table
    return {
        "type": "object",
        "description": description,
        "additionalProperties": False,
        "properties": properties,
    }


def _site() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "title": {**_TEXT, "description": "name of the application; its service if left out"},
            "subtitle": {"type": "string", "description": "a line under the title"},
            "logo": {
                **_TEXT,
                "description": "picture in place of the sign on every page, relative to this file: "
                "PNG, JPEG, WebP or SVG of at most 100 KB",
            },
            "accent": {
                "type": "string",
                "pattern": "^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$",
                "description": "colour of links and marks, such as #0a7ea4",
            },
            "footer": {"type": "string", "description": "a line at the foot of every page"},
            "trace_url": {
                **_link("link to one trace in your tracer; {trace_id} is filled in"),
                "pattern": r"^https?://.*\{trace_id\}",
            },
            "publish": {
                "type": "array",
                "items": {"enum": list(PUBLISHABLE)},
                "description": "what the public profile may show",
            },
        },
    }


def _link(description: str) -> dict[str, Any]:
    return {"type": "string", "pattern": "^https?://", "description": description}
