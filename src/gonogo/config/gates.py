"""The sections of `readiness.toml` that hold evidence: their keys, and how they are read."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from gonogo.config import technical
from gonogo.config.evidence import (
    ALERTS,
    GATE_IDS,
    GUARDRAILS,
    OTHER_GATE_IDS,
    OWNERS,
    ROLES,
    STAGES,
    Action,
    Alert,
    DataFlow,
    Evals,
    FailureMode,
    Gates,
    Guardrail,
    Judge,
    LoadTest,
    Observability,
    Oversight,
    Owners,
    Signoff,
    Traffic,
    UseCase,
)
from gonogo.config.section import Section
from gonogo.config.tables import Key, TableSpec, read_rows

_TEXT: Final = "text"

_REQUIRED: Final = TableSpec(
    "gates",
    "which gates block when nothing is said about them",
    (
        Key(
            "required",
            "texts",
            "gates that must be judged: without evidence they are NO_DATA",
            options=(*GATE_IDS, *OTHER_GATE_IDS),
            default=(),
        ),
        Key("signoffs", "texts", "roles that must have signed off", options=ROLES, default=ROLES),
    ),
)
_EVALS: Final = TableSpec(
    "evals",
    "the golden set; paths are relative to this file",
    (
        Key("files", "texts", "result files: own JSONL, CSV or Parquet, promptfoo, Inspect, "
            "DeepEval, Ragas, OpenAI evals; --evals adds to them", default=()),
        Key("baseline", "texts", "result files of the version to compare with", default=()),
        Key("bar", "ratio", "smallest share of cases that must pass", default=Fraction(9, 10)),
        Key("minimum", "whole", "smallest number of cases", low=1, default=50),
        Key("regressions", "whole", "cases that may fail now though the baseline passed them",
            default=0),
        Key("threshold", "ratio", "score from which a case passes, where its file has none"),
        Key("thresholds", "ratios", "the same by metric: { faithfulness = 0.8 }"),
        Key("tags", "texts", "tags that must have cases",
            default=("normal", "edge", "known_failure")),
        Key("labeller", _TEXT, "who labelled the cases, where the file does not say"),
        Key("prompt_version", _TEXT, "prompt version of the run, where the file does not say"),
        Key("model", _TEXT, "served model of the run, where the file does not say"),
        Key("retrieval", _TEXT, "embedding model of the run, where the file does not say"),
    ),
)  # fmt: skip
_JUDGE: Final = TableSpec(
    "judge",
    "whether scores given by a model can be trusted",
    (
        Key("labels", "texts", "JSONL, CSV or Parquet with case_id, dimension, human and judge",
            required=True),
        Key("model", _TEXT, "the model that judges"),
        Key("stronger", "flag", "whether it is a stronger model than the deployed ones"),
        Key("bar", "ratio", "smallest agreement with people", default=Fraction(85, 100)),
    ),
)  # fmt: skip
_TRAFFIC: Final = TableSpec(
    "traffic",
    "the traffic to be ready for",
    (Key("target", "number", "calls per minute at the peak", required=True, low=0),),
)
_LOAD_TEST: Final = TableSpec(
    "load_test",
    "logs of a load test, judged by the objectives on latency and cost",
    (
        Key("logs", "texts", "files, relative to this one", required=True),
        Key("date", "date", "when it was run"),
    ),
)
_DATA_FLOW: Final = TableSpec(
    "data_flow",
    "data that leaves for a provider",
    (
        Key("data_class", _TEXT, "what kind of data", required=True),
        Key("provider", _TEXT, "as the log names it", required=True),
        Key("region", _TEXT, "where it is processed"),
        Key("retention", _TEXT, "how long it is kept"),
        Key("approved_by", _TEXT, "who approved it"),
        Key("approved_on", "date", "since when it is approved"),
    ),
    many=True,
)
_OVERSIGHT: Final = TableSpec(
    "oversight",
    "guardrails and human review",
    (
        Key("guardrails", "texts", "what must be guarded", options=GUARDRAILS, default=GUARDRAILS),
        Key("coverage", "ratio", "share of calls on which each guardrail must run",
            default=Fraction(9, 10)),
        Key("queue_owner", _TEXT, "who empties the review queue"),
        Key("test_days", "whole", "days after which a test is too old", low=1, default=180),
        Key("labels", "texts", "JSONL, CSV or Parquet with guardrail, attack and triggered: what "
            "people called an attack, and what the guardrail did", default=()),
        Key("recall", "ratio", "smallest share of labelled attacks that a guardrail must catch"),
        Key("precision", "ratio", "smallest share of its triggers that must be attacks"),
    ),
)  # fmt: skip
_GUARDRAIL: Final = TableSpec(
    "guardrail",
    "what a guardrail of the log covers",
    (
        Key("name", _TEXT, "as the log names it", required=True),
        Key("covers", "texts", "what it guards", required=True, options=GUARDRAILS),
        Key("tested", "date", "when it was last tested, by a red team for instance"),
        Key("coverage", "ratio", "share of calls it must run on, if not that of [oversight]"),
    ),
    many=True,
)
_ACTION: Final = TableSpec(
    "action",
    "an action in the real world",
    (
        Key("name", _TEXT, "as the log names it", required=True),
        Key("tier", "whole", "1 runs by itself, 2 is reviewed, 3 is approved before it runs",
            required=True, low=1, high=3),
        Key("reversible", "flag", "whether it can be undone"),
        Key("reviewer_sees", "texts", "what a reviewer is shown",
            options=("context", "reasoning"), default=()),
    ),
    many=True,
)  # fmt: skip
_OBSERVABILITY: Final = TableSpec(
    "observability",
    "what the logs themselves must be like",
    (
        Key("freshness_hours", "whole", "largest age of the newest record", low=1, default=24),
        Key("longest_gap_hours", "whole", "longest time without a call", low=1, default=12),
        Key("coverage", "ratio", "share of records that must carry each required field",
            default=Fraction(9, 10)),
        Key("alert_test_days", "whole", "days after which a test of an alert is too old", low=1,
            default=90),
    ),
)  # fmt: skip
_ALERT: Final = TableSpec(
    "alert",
    "an alert that wakes somebody",
    (
        Key("indicator", _TEXT, "what it watches; these three must exist", required=True,
            options=ALERTS),
        Key("over", _TEXT, "the threshold it fires over, such as 1%"),
        Key("owner", _TEXT, "whom it wakes"),
        Key("fired_in_test", "date", "when it last fired in a test"),
    ),
    many=True,
)  # fmt: skip
_USE_CASE: Final = TableSpec(
    "use_case",
    "whether this is worth doing, scored 1 (weak) to 3 (strong)",
    (
        Key("value", "whole", "what a success is worth", low=1, high=3),
        Key("frequency", "whole", "how often it is needed", low=1, high=3),
        Key("data", "whole", "how good and reachable the data are", low=1, high=3),
        Key("error_tolerance", "whole", "how little harm an error does", low=1, high=3),
        Key("measurable", "whole", "how well success can be measured", low=1, high=3),
        Key("cost_of_error", "number", "what a wrong answer costs, in US dollars"),
        Key("baseline_error_rate", "ratio", "how often it goes wrong today, without the model"),
        Key("accepted_by", _TEXT, "who accepts that cost"),
        Key("pilot_started", "date", "when the pilot began"),
        Key("production_date", "date", "when production is planned"),
        Key("stage", _TEXT, "how far the rollout is", options=STAGES),
    ),
)
_OWNERS: Final = TableSpec(
    "owners",
    "people by name",
    (
        Key("eval", _TEXT, "keeps the golden set"),
        Key("decision", _TEXT, "decides on the launch"),
        Key("production", _TEXT, "runs it, and belongs to the organisation"),
        Key("domain_expert", _TEXT, "knows what a right answer is"),
        Key("external", "texts", "which of them are consultants", options=OWNERS, default=()),
    ),
)
_SIGNOFF: Final = TableSpec(
    "signoff",
    "somebody's consent",
    (
        Key("role", _TEXT, "for what they sign", required=True, options=ROLES),
        Key("by", _TEXT, "name of a person", required=True),
        Key("date", "date", "when", required=True),
        Key("expires", "date", "from when it is void"),
        Key("scope", _TEXT, "what it covers"),
        Key("evidence", "link", "where it is filed; never on a public page"),
        Key("configuration", _TEXT, "hash of the configuration signed, as gonogo gates prints it"),
    ),
    many=True,
)
_FAILURE_MODE: Final = TableSpec(
    "failure_mode",
    "a way of failing that is known",
    (
        Key("name", _TEXT, "what goes wrong", required=True),
        Key("errors", "texts", "patterns of error classes of the log: rate_limit, time*",
            default=()),
        Key("constraints", "texts", "patterns of names of [[constraint]]: outputs that break them "
            "fail in this way", default=()),
        Key("likelihood", _TEXT, "how likely it is", options=("low", "medium", "high")),
        Key("mitigation", _TEXT, "what is done about it"),
        Key("owner", _TEXT, "whose it is"),
    ),
    many=True,
)  # fmt: skip

SPECS: Final = (
    _REQUIRED, _EVALS, _JUDGE, _TRAFFIC, _LOAD_TEST, _DATA_FLOW, _OVERSIGHT, _GUARDRAIL, _ACTION,
    _OBSERVABILITY, _ALERT, _USE_CASE, _OWNERS, _SIGNOFF, _FAILURE_MODE, *technical.SPECS,
)  # fmt: skip


def read_gates(root: Section) -> Gates:
    """All sections of evidence; problems are noted in `root`."""
    rows = {s.name: read_rows(root, s) for s in SPECS if s not in technical.SPECS}
    asked = next(iter(rows["gates"]), {})
    one = {name: found[0] for name, found in rows.items() if found}
    return Gates(
        required=asked.get("required", ()),
        signoff_roles=asked.get("signoffs", ROLES),
        evals=Evals(**one["evals"]) if "evals" in one else None,
        judge=Judge(**one["judge"]) if _is_whole(one, "judge", "labels") else None,
        traffic=Traffic(**one["traffic"]) if _is_whole(one, "traffic", "target") else None,
        load_test=LoadTest(**one["load_test"]) if _is_whole(one, "load_test", "logs") else None,
        data_flows=tuple(DataFlow(**row) for row in rows["data_flow"]),
        oversight=Oversight(**one["oversight"]) if "oversight" in one else None,
        guardrails=tuple(Guardrail(**row) for row in rows["guardrail"]),
        actions=tuple(Action(**row) for row in rows["action"]),
        observability=Observability(**one["observability"]) if "observability" in one else None,
        alerts=tuple(Alert(**row) for row in rows["alert"]),
        use_case=UseCase(**one["use_case"]) if "use_case" in one else None,
        owners=Owners(**one["owners"]) if "owners" in one else None,
        signoffs=tuple(Signoff(**row) for row in rows["signoff"]),
        failure_modes=tuple(FailureMode(**row) for row in rows["failure_mode"]),
        constraints=technical.read_constraints(root),
        tools=technical.read_tools(root),
        retrieval=technical.read_retrieval(root),
        red_team=technical.read_red_team(root),
    )


def _is_whole(one: dict[str, dict[str, object]], name: str, key: str) -> bool:
    return name in one and one[name][key] is not None
