"""All gates of a configuration, judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from gonogo.config.evidence import Evals, Gates, Observability
from gonogo.config.model import Config
from gonogo.evidence import golden as golden_set
from gonogo.evidence import outputs, people, tools
from gonogo.evidence.findings import DECLARED, Judged, make_gate
from gonogo.evidence.judge import judge as judge_of
from gonogo.evidence.observability import observability
from gonogo.evidence.observed import Observed
from gonogo.evidence.oversight import oversight
from gonogo.evidence.redteam import red_team
from gonogo.evidence.traffic import Measured, projected_traffic
from gonogo.results import Gate, Table


@dataclass(frozen=True, slots=True)
class GateSpec:
    """A gate: its title, the sections that it is judged from, and what to do without them."""

    title: str
    sections: str
    next_step: str


SPECS: Final = {
    "golden_set": GateSpec(
        "Golden set", "[evals]", "run a golden set and name its results in [evals]"
    ),
    "projected_traffic": GateSpec(
        "Projected traffic", "[traffic]", "write the target in calls per minute in [traffic]"
    ),
    "data_flows": GateSpec(
        "Data flows", "[[data_flow]]", "declare each provider in a [[data_flow]], with its approval"
    ),
    "oversight": GateSpec(
        "Guardrails and human oversight",
        "[[guardrail]] and [[action]]",
        "declare guardrails and actions in [[guardrail]] and [[action]]",
    ),
    "observability": GateSpec(
        "Observability", "[[alert]]", "declare the alerts in [[alert]], with the date of a test"
    ),
    "constraints": GateSpec(
        "Hard constraints",
        "[[constraint]]",
        "write what every output has to be like in [[constraint]]",
    ),
    "tools": GateSpec("Tools", "[[tool]]", "declare each tool of the log in a [[tool]]"),
    "retrieval": GateSpec(
        "Retrieval", "[retrieval]", "name the embedding model of the index in [retrieval]"
    ),
    "use_case": GateSpec("Use case", "[use_case]", "score the use case in [use_case]"),
    "owners": GateSpec("Owners", "[owners]", "name the people in [owners]"),
    "signoffs": GateSpec("Sign-offs", "[[signoff]]", "collect the sign-offs in [[signoff]]"),
    "failure_modes": GateSpec(
        "Failure modes", "[[failure_mode]]", "list known failure modes in [[failure_mode]]"
    ),
}


@dataclass(frozen=True, slots=True)
class Given:
    """What gates are judged by beside the configuration; paths are ready to be opened."""

    observed: Observed
    zone: ZoneInfo
    traffic: Measured
    load_test: Measured | None = None
    evals: Sequence[Path] = ()
    baseline: Sequence[Path] = ()
    labels: Sequence[Path] = ()
    attacks: Sequence[Path] = ()
    guardrail_labels: Sequence[Path] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    """constraints that cannot be judged, and why"""


@dataclass(frozen=True, slots=True)
class Assessment:
    """Gates in their order, and tables for the pages by id."""

    gates: tuple[Gate, ...] = ()
    tables: dict[str, Table] = field(default_factory=dict)


def assess(config: Config, given: Given) -> Assessment:
    """Judge every gate whose section stands in the configuration, and every required one."""
    gates, observed = config.gates, given.observed
    evals = gates.evals or (Evals() if given.evals else None)
    golden = golden_set.load(evals, given.evals, given.baseline) if evals else None
    judge = judge_of(gates.judge, given.labels, observed)
    wrong = golden.trusted(judge)[0].wrong if golden else None
    judges: dict[str, Callable[[], Judged] | None] = dict.fromkeys(SPECS)
    if evals and golden:
        judges["golden_set"] = lambda: golden_set.golden_set(evals, golden, observed, judge)
    if traffic := gates.traffic:
        judges["projected_traffic"] = lambda: projected_traffic(
            traffic, given.traffic, gates.load_test, given.load_test, observed.today
        )
    if gates.data_flows:
        judges["data_flows"] = lambda: people.data_flows(gates.data_flows, observed, given.zone)
    if gates.guardrails or gates.actions or gates.oversight or gates.red_team:
        attacked = red_team(gates.red_team, given.attacks, observed.today)
        judges["oversight"] = lambda: oversight(gates, observed, *attacked, given.guardrail_labels)
    if gates.alerts or gates.observability:
        judges["observability"] = lambda: observability(
            gates.alerts, gates.observability or Observability(), observed
        )
    if gates.constraints:
        judges["constraints"] = lambda: outputs.constraints(
            gates.constraints, observed, given.problems, config.minimum_coverage
        )
    if gates.tools:
        judges["tools"] = lambda: tools.tools(gates.tools, observed)
    if declared := gates.retrieval:
        judges["retrieval"] = lambda: tools.retrieval(declared, observed)
    if case := gates.use_case:
        judges["use_case"] = lambda: people.use_case(case, observed, wrong)
    if owners := gates.owners:
        judges["owners"] = lambda: people.owners(owners)
    if gates.signoffs:
        judges["signoffs"] = lambda: people.signoffs(gates, observed, config.content)
    if gates.failure_modes:
        judges["failure_modes"] = lambda: people.failure_modes(gates.failure_modes, observed)
    return _assessed(gates, judges)


def _assessed(gates: Gates, judges: dict[str, Callable[[], Judged] | None]) -> Assessment:
    found: list[Gate] = []
    tables: dict[str, Table] = {}
    for gate_id, judge in judges.items():
        spec, required = SPECS[gate_id], gate_id in gates.required
        if judge is not None:
            judged = judge()
            found.append(make_gate(gate_id, spec.title, judged.findings, required=required))
            tables |= {table.id: table for table in judged.tables if table.height}
        elif required:
            text = f"required, and no evidence stands in {spec.sections}"
            finding = DECLARED.missing(text, spec.next_step)
            found.append(make_gate(gate_id, spec.title, [finding], required=True))
    return Assessment(tuple(found), tables)
