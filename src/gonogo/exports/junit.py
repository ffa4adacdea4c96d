"""JUnit XML: an objective is a test case, so that every CI system can show it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree as ET

from gonogo.conventions import Severity, Status
from gonogo.exports import figures
from gonogo.exports.safe import xml
from gonogo.results import Gate, ObjectiveResult, ReadinessResult

_OUTCOMES: Final = {
    Status.BREACHED: "failure",
    Status.NO_DATA: "error",
    Status.NOT_APPLICABLE: "skipped",
}


def junit_xml(result: ReadinessResult, *, slo_only: bool = False) -> str:
    """One suite for the objectives, and one for the gates unless `slo_only`.

    BREACHED is a failure, NO_DATA an error (a test that could not be run is none that passed),
    NOT_APPLICABLE is skipped; AT_RISK and what is waived pass and say so.
    """
    root = ET.Element("testsuites", name="gonogo")
    objectives = [_objective(o) for o in result.objectives]
    suites = [_suite(f"SLO: {result.slo.verdict.value}", objectives, result)]
    if result.gates and not slo_only:
        gates = [_gate(g) for g in result.gates]
        suites.append(_suite(f"Gates: {result.readiness.verdict.value}", gates, result))
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in suites)))
    root.extend(suites)
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _suite(name: str, cases: list[ET.Element], result: ReadinessResult) -> ET.Element:
    suite = ET.Element("testsuite", name=name, tests=str(len(cases)))
    for key, outcome in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(key, str(sum(case.find(outcome) is not None for case in cases)))
    if result.as_of is not None:
        # The only clock is the data's: the same logs give the same file.
        moment = datetime.fromtimestamp(result.as_of, UTC)
        suite.set("timestamp", f"{moment:%Y-%m-%dT%H:%M:%S}")
    suite.extend(cases)
    return suite


def _objective(o: ObjectiveResult) -> ET.Element:
    case = ET.Element("testcase", classname="gonogo.slo", name=xml(o.expression), time="0")
    severity = "" if o.severity is Severity.BLOCKING else f" ({o.severity.value})"
    evidence = f"{figures.observed(o)}, limit {figures.limit(o)}, {figures.counts(o)}"
    if o.is_waived:
        said = o.accepted.replace("waived", "WAIVED", 1)
        ET.SubElement(case, "system-out").text = f"{xml(said)}; {xml(o.reason)} {evidence}"
        return case
    _outcome(case, o.status, f"{xml(o.reason)}{severity}", f"{evidence}; {xml(_source(o))}")
    return case


def _source(o: ObjectiveResult) -> str:
    return f"{figures.threshold(o)}. {o.hint}" if o.hint else figures.threshold(o)


def _gate(gate: Gate) -> ET.Element:
    case = ET.Element("testcase", classname="gonogo.gate", name=xml(gate.title), time="0")
    _outcome(case, gate.status, xml(gate.text), xml(gate.next_step))
    return case


def _outcome(case: ET.Element, status: Status, message: str, text: str) -> None:
    outcome = _OUTCOMES.get(status)
    if outcome is None:
        ET.SubElement(case, "system-out").text = f"{status.value}: {message} {text}"
        return
    child = ET.SubElement(case, outcome, message=message)
    child.text = text
    if outcome != "skipped":
        child.set("type", status.value)
