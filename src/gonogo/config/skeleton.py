"""The part of a first `readiness.toml` that nobody can propose: what people have to say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from gonogo.config.evidence import DIMENSIONS, GATE_IDS, OWNERS, ROLES
from gonogo.results import ReadinessResult

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.:/@+-]{0,60}")

_HEAD: Final = """
# Readiness is more than telemetry. A gate is judged once its section stands here; those that are
# required block as long as they have no evidence. `gonogo gates` prints what is missing.
[gates]
required = [{required}]
#signoffs = [{roles}]

# 1. The golden set: result files (paths are relative to this file), and the baseline's.
#[evals]
#files = ["golden/current.jsonl"]
#baseline = ["golden/accepted.jsonl"]
#bar = "90%"
# A model that gives scores has to agree with people first.
#[judge]
#labels = ["golden/labels.csv"]
#model = "the model that judges"
#stronger = true

# 2. The traffic to be ready for, in calls per minute, and a load test where it was never reached.
#[traffic]
#target = 400
#[load_test]
#logs = ["load-test.jsonl"]
#date = 2026-11-16

# 3. Where data go: each provider of the log, and who approved it.
"""

_FLOW: Final = """\
#[[data_flow]]
#data_class = "customer messages"
#provider = "{name}"
#region = "EU"
#retention = "30 days"
#approved_by = "name of a person"
#approved_on = 2026-11-16
"""

_OVERSIGHT: Final = """
# 4. What guards the model, and what a person looks at before or after it happens.
#[oversight]
#queue_owner = "name of a person"
"""

_RED_TEAM: Final = """\
#[red_team]
#files = ["red-team/garak.report.jsonl"]
"""

_GUARDRAIL: Final = """\
#[[guardrail]]
#name = "{name}"
#covers = ["input:prompt_injection"]
#tested = 2026-11-16
"""

_ACTION: Final = """\
#[[action]]
#name = "refund"
#tier = 2
#reversible = true
#reviewer_sees = ["context", "reasoning"]

# 5. The three alerts that must exist, and when each last fired in a test.
#[observability]
#freshness_hours = 24
"""

_ALERTS: Final = (("latency.p95", "4s"), ("error_rate", "1%"), ("guardrail_trigger_rate", "2%"))
_ALERT: Final = """\
#[[alert]]
#indicator = "{name}"
#over = "{over}"
#owner = "who is woken"
#fired_in_test = 2026-11-16
"""

_TECHNICAL: Final = """
# What every output has to be like. Without a [[constraint]] no output is ever read, and none is
# published.
#[[constraint]]
#name = "no personal data"
#pii = ["email", "phone", "card", "iban", "national_id", "secret"]
#[[constraint]]
#name = "sources named"
#citation = true
#operations = ["chat"]
#limit = "1%"

# How passages are found, and each tool.
#[retrieval]
#embedding_model = "{embedding}"
"""
_TOOL: Final = """\
#[[tool]]
#name = "{name}"
#schema = "strict"
#timeout = "5s"
#fallback = "what happens when it fails"
"""

_PEOPLE: Final = """
# Whether it is worth doing: 1 (weak) to 3 (strong) each; 13 or more is strong, 8 or less a trap.
#[use_case]
{dimensions}#cost_of_error = 4
#baseline_error_rate = "9%"
#accepted_by = "name of a person"
#pilot_started = 2026-08-03
#production_date = 2026-12-01
#stage = "pilot"

# People by name; production is owned inside the organisation.
#[owners]
{owners}
# Ways of failing that are known; error classes of the log and broken constraints that none of them
# knows are listed.
#[[failure_mode]]
#name = "provider limits"
#errors = ["rate_limit"]
#constraints = ["no personal*"]
#likelihood = "medium"
#mitigation = "retries with backoff"
#owner = "name of a team"

# Sign-offs. `gonogo gates` prints the hash of the configuration that they are given for.
#[[signoff]]
#role = "legal"
#by = "name of a person"
#date = 2026-11-16
#expires = 2027-05-16
#configuration = "the hash"
"""


def skeleton(result: ReadinessResult) -> str:
    """The sections of evidence, commented out, with the names that the logs show filled in."""
    return "".join(
        (
            _HEAD.format(required=_list(GATE_IDS), roles=_list(ROLES)),
            *(_FLOW.format(name=name) for name in _names(result, "by_provider", "value")),
            _OVERSIGHT,
            _RED_TEAM,
            *(_GUARDRAIL.format(name=name) for name in _names(result, "guardrails", "name")),
            _ACTION,
            *(_ALERT.format(name=name, over=over) for name, over in _ALERTS),
            _TECHNICAL.format(embedding=_names(result, "retrieval", "embedding_model")[0]),
            *(_TOOL.format(name=name) for name in _names(result, "tools", "tool")),
            _PEOPLE.format(
                dimensions="".join(f"#{name} = 2\n" for name in DIMENSIONS),
                owners="".join(f'#{role} = "name of a person"\n' for role in OWNERS),
            ),
        )
    )


def _names(result: ReadinessResult, table: str, column: str) -> list[str]:
    """Names of a table that can stand in the file as they are; one to be replaced without any."""
    found = result.tables.get(table)
    texts = [] if found is None else [str(text) for text in found.data.get(column, [])]
    usable = dict.fromkeys(text for text in texts if _PLAIN.fullmatch(text))
    return list(usable) or ["as the log names it"]


def _list(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)
