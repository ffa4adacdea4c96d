"""From statuses to a verdict: the worst wins, conditions are named, nothing absent passes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gonogo.conventions import Evidence, Severity, Source, Status, Verdict
from gonogo.readiness import decide
from gonogo.results import Decision, FieldCoverage, Gate, ObjectiveResult

ORDER = list(Verdict)
STATUSES = list(Status)


def objective(
    status: Status,
    severity: Severity = Severity.BLOCKING,
    source: Source = Source.WRITTEN,
    name: str = "error_rate",
    agreed_by: str | None = None,
) -> ObjectiveResult:
    return ObjectiveResult(
        id=name,
        slug=name,
        title=name,
        expression="",
        indicator="error_rate",
        statistic="rate",
        selector={},
        comparator="<=",
        limit="0.01",
        unit="ratio",
        formula="",
        source=source,
        severity=severity,
        status=status,
        reason=f"it is {status}",
        hint="",
        observed=None,
        low=None,
        high=None,
        bound=None,
        interval_method="",
        good=0,
        total=0 if status in (Status.NO_DATA, Status.NOT_APPLICABLE) else 500,
        eligible=500,
        minimum=1,
        needed=None,
        budget=None,
        agreed_by=agreed_by,
    )


def gate(status: Status, name: str = "golden") -> Gate:
    return Gate(
        id=name,
        title=name,
        status=status,
        evidence=Evidence.FILE,
        text=f"gate is {status}",
        next_step="",
    )


def field(
    present: int, applicable: int, required: bool = True, name: str = "ttft"
) -> FieldCoverage:
    return FieldCoverage(
        field=name,
        title=name,
        present=present,
        applicable=applicable,
        required=required,
        hint=f"log {name}",
    )


def both(
    objectives: list[ObjectiveResult],
    gates: list[Gate] | None = None,
    coverage: list[FieldCoverage] | None = None,
    telemetry_only: bool = False,
) -> tuple[Decision, Decision]:
    return decide(objectives, gates or [], telemetry_only=telemetry_only, coverage=coverage or [])


MET = objective(Status.MET, name="met")


def test_all_met_is_go_and_says_so() -> None:
    slo, ready = both([MET, objective(Status.MET)], [gate(Status.MET)])
    assert slo.verdict is ready.verdict is Verdict.GO
    assert slo.headline == "GO: all 2 objectives are met"
    assert ready.headline == "GO: all 2 objectives are met, the 1 gate is met"
    assert [r.status for r in ready.reasons] == [Status.MET]


def test_a_breach_is_a_no_go_whatever_else_there_is() -> None:
    slo, _ = both(
        [
            MET,
            objective(Status.AT_RISK, name="risk"),
            objective(Status.NO_DATA, name="empty"),
            objective(Status.BREACHED, name="bad"),
            objective(Status.BREACHED, name="worse"),
        ]
    )
    assert slo.verdict is Verdict.NO_GO
    assert slo.headline == "NO-GO: 2 of 5 objectives are breached"
    assert [r.objective for r in slo.reasons] == ["bad", "worse", "empty", "risk"]
    assert slo.reasons[0].text == "bad: it is BREACHED"


def test_no_data_is_inconclusive() -> None:
    slo, _ = both([MET, objective(Status.NO_DATA), objective(Status.AT_RISK, name="risk")])
    assert slo.verdict is Verdict.INCONCLUSIVE
    assert slo.headline == "INCONCLUSIVE: 1 of 3 objectives is without enough data"


def test_at_risk_is_go_with_conditions() -> None:
    slo, _ = both([MET, objective(Status.AT_RISK)])
    assert slo.verdict is Verdict.CONDITIONS
    assert slo.headline == "GO WITH CONDITIONS: 1 of 2 objectives is at risk"


def test_gates_count_for_readiness_and_not_for_the_slo() -> None:
    for status, verdict in (
        (Status.BREACHED, Verdict.NO_GO),
        (Status.NO_DATA, Verdict.INCONCLUSIVE),
        (Status.AT_RISK, Verdict.CONDITIONS),
        (Status.MET, Verdict.GO),
        (Status.NOT_APPLICABLE, Verdict.GO),
    ):
        slo, ready = both([MET], [gate(status), gate(Status.MET, "sign-off")])
        assert slo.verdict is Verdict.GO
        assert ready.verdict is verdict
    _, ready = both([MET, objective(Status.BREACHED)], [gate(Status.BREACHED)])
    assert ready.headline == "NO-GO: 1 of 2 objectives and the 1 gate are breached"


def test_a_breached_warning_is_a_condition_and_information_is_none() -> None:
    slo, _ = both([MET, objective(Status.BREACHED, Severity.WARNING)])
    assert slo.verdict is Verdict.CONDITIONS
    assert slo.reasons[0].text.endswith("(a warning, does not block)")
    assert slo.headline == "GO WITH CONDITIONS: 1 of 2 objectives is met, 1 condition"
    slo, _ = both([MET, objective(Status.NO_DATA, Severity.WARNING)])
    assert slo.verdict is Verdict.CONDITIONS
    slo, _ = both([MET, objective(Status.BREACHED, Severity.INFORMATIONAL)])
    assert slo.verdict is Verdict.GO


def test_without_a_blocking_objective_that_was_judged_nothing_is_concluded() -> None:
    for objectives in (
        [],
        [objective(Status.NOT_APPLICABLE)],
        [objective(Status.MET, Severity.WARNING)],
        [objective(Status.MET, Severity.INFORMATIONAL), objective(Status.NOT_APPLICABLE, name="x")],
    ):
        slo, ready = both(objectives, [gate(Status.MET)])
        assert slo.verdict is ready.verdict is Verdict.INCONCLUSIVE
        assert slo.headline == "INCONCLUSIVE: no blocking objective could be judged"
        assert slo.reasons[0].status is Status.NO_DATA


def test_a_required_field_on_under_half_of_its_rows_is_a_condition_of_both() -> None:
    slo, ready = both([MET], coverage=[field(49, 100), field(50, 100, name="half")])
    assert slo.verdict is ready.verdict is Verdict.CONDITIONS
    assert [r.text for r in slo.reasons] == ["ttft is logged on 49 % only (49 of 100); log ttft"]
    assert slo.headline == "GO WITH CONDITIONS: the 1 objective is met, 1 condition"
    slo, _ = both([MET], coverage=[field(0, 100, required=False), field(0, 0, required=False)])
    assert slo.verdict is Verdict.GO


def test_fields_of_a_table_that_never_appears_are_a_condition() -> None:
    gaps = [field(3, 10, name="b"), field(0, 0, name="c"), field(0, 10, name="a")]
    slo, _ = both([MET], coverage=gaps)
    assert slo.verdict is Verdict.CONDITIONS
    assert [r.text for r in slo.reasons] == [
        "c is not logged; log c",
        "a is not logged; log a",
        "b is logged on 30 % only (3 of 10); log b",
    ]


def test_proposed_thresholds_are_a_condition_until_somebody_agrees() -> None:
    proposed = objective(Status.MET, source=Source.PROPOSED)
    slo, _ = both([MET, proposed])
    assert slo.verdict is Verdict.CONDITIONS
    assert slo.reasons[0].text == "1 of 2 thresholds is proposed, not agreed: set agreed_by"
    agreed = objective(Status.MET, source=Source.PROPOSED, agreed_by="the committee")
    assert both([MET, agreed])[0].verdict is Verdict.GO


def test_conditions_never_hide_or_soften_something_worse() -> None:
    gaps = [field(0, 10)]
    slo, _ = both([objective(Status.BREACHED)], coverage=gaps)
    assert slo.verdict is Verdict.NO_GO
    slo, _ = both([objective(Status.NO_DATA)], coverage=gaps)
    assert slo.verdict is Verdict.INCONCLUSIVE
    slo, _ = both([MET, objective(Status.AT_RISK)], coverage=gaps)
    assert slo.headline == "GO WITH CONDITIONS: 1 of 2 objectives is at risk, 1 further condition"


def test_telemetry_only_is_said_in_the_headline_of_readiness() -> None:
    slo, ready = both([MET], telemetry_only=True)
    assert slo.headline == "GO: the 1 objective is met"
    assert ready.headline.endswith("(telemetry only, not a readiness decision)")
    assert ready.verdict is slo.verdict


statuses = st.sampled_from(STATUSES[:-1])
objectives = st.builds(
    objective,
    st.sampled_from(STATUSES),
    st.sampled_from(list(Severity)),
    st.sampled_from(list(Source)),
    st.uuids().map(str),
)
gates = st.builds(gate, st.sampled_from(STATUSES), st.uuids().map(str))
fields = st.builds(
    lambda a, b, r: field(min(a, b), max(a, b), r),
    st.integers(0, 20),
    st.integers(0, 20),
    st.booleans(),
)


@given(
    st.tuples(
        st.lists(objectives, max_size=5), st.lists(gates, max_size=3), st.lists(fields, max_size=3)
    ),
    objectives,
    st.tuples(statuses, statuses),
)
def test_a_worse_status_never_improves_the_verdict(
    around: tuple[list[ObjectiveResult], list[Gate], list[FieldCoverage]],
    changed: ObjectiveResult,
    pair: tuple[Status, Status],
) -> None:
    worse, better = sorted(pair, key=STATUSES.index)
    others, gated, covered = around

    def ranks(status: Status) -> list[int]:
        now = changed.model_copy(update={"status": status, "total": 500})
        return [ORDER.index(d.verdict) for d in both([*others, now], gated, covered)]

    assert all(a <= b for a, b in zip(ranks(worse), ranks(better), strict=True))


@given(st.lists(objectives, max_size=5), st.lists(gates, max_size=3), st.lists(fields, max_size=3))
def test_readiness_is_never_better_than_the_slo_and_every_condition_is_named(
    some: list[ObjectiveResult], gated: list[Gate], covered: list[FieldCoverage]
) -> None:
    slo, ready = both(some, gated, covered)
    assert ORDER.index(ready.verdict) <= ORDER.index(slo.verdict)
    for decision in (slo, ready):
        assert decision.reasons
        assert decision.headline.startswith(f"{decision.verdict.value}: ")
    if slo.verdict is Verdict.GO:
        assert all(r.status is Status.MET for r in slo.reasons)
        assert all(2 * f.present >= f.applicable > 0 for f in covered if f.required)
    for o in some:
        blocks = o.severity is Severity.BLOCKING
        if blocks and o.status not in (Status.MET, Status.NOT_APPLICABLE):
            assert o.id in [r.objective for r in slo.reasons]


@given(
    st.lists(objectives, max_size=5), st.lists(fields, min_size=1, max_size=4), st.integers(0, 3)
)
def test_losing_a_field_never_improves_the_verdict(
    some: list[ObjectiveResult], covered: list[FieldCoverage], at: int
) -> None:
    lost = list(covered)
    lost[at % len(lost)] = lost[at % len(lost)].model_copy(update={"present": 0})
    before, after = both(some, coverage=covered)[0], both(some, coverage=lost)[0]
    assert ORDER.index(after.verdict) <= ORDER.index(before.verdict)


@given(st.permutations([objective(s, name=s.value) for s in STATUSES]))
def test_reasons_come_worst_first_in_any_order_of_input(mixed: list[ObjectiveResult]) -> None:
    slo, _ = both(mixed)
    assert [r.status for r in slo.reasons] == [Status.BREACHED, Status.NO_DATA, Status.AT_RISK]
