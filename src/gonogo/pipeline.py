"""The use cases: read, count, judge, render. The only module that knows the whole story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gonogo import __version__, period, stored
from gonogo.assemble import (
    as_of,
    assessed_tables,
    config_echo,
    exemplar_traces,
    inconclusive,
    ingest_report,
    label,
    notes,
    period_of,
    present_day,
    published,
    site_info,
    unjudged,
    unreadable,
    what_is_missing,
    with_odd_units,
)
from gonogo.baseline import compared
from gonogo.compare import block_sums, regressions
from gonogo.conventions import PUBLIC, Source
from gonogo.cost import changes as price_changes
from gonogo.cost import cost_tables
from gonogo.counting import Counted, count
from gonogo.errors import Diagnostic, InputError, UsageError
from gonogo.evidence.assess import assess
from gonogo.evidence.observed import observe
from gonogo.gather import gather, guardrail_p95
from gonogo.incident import (
    hardly_any,
    nearby,
    occurrence,
    reach_seconds,
    window,
    without_strays,
)
from gonogo.ingest.discover import discover
from gonogo.ingest.stretch import newest_hour
from gonogo.measures import (
    Distributions,
    build_tables,
    field_coverage,
    first_seen,
    objective_data,
    relabel,
)
from gonogo.publish import Memory, Presentation, publish, remember, remembered_prices
from gonogo.readiness import decide
from gonogo.request import DEFAULT_STATE, Request, Run, resolve
from gonogo.results import Excursion, Incident, IngestReport, ReadinessResult
from gonogo.rollup.costs import Pricing
from gonogo.rollup.partial import Partial
from gonogo.rollup.select import Calendar
from gonogo.series import Series, refuse_periods
from gonogo.slo import evaluate

if TYPE_CHECKING:
    from gonogo.progress import Progress

__all__ = [
    "Request",
    "analyse",
    "build",
    "incident",
    "judge",
    "render",
    "roll_up",
]

TELEMETRY_ONLY: Final = "telemetry only, default thresholds: this is not a readiness decision"


def analyse(request: Request, progress: Progress, *, verdict_only: bool = False) -> ReadinessResult:
    """Read the logs and judge them; for the verdict alone, excursions are not looked into.

    Raises:
        ConfigError, UsageError: the request cannot be carried out.
        InputError: the logs cannot be read.
    """
    return _analyse(resolve(request), progress, verdict_only=verdict_only)[0]


def build(
    request: Request,
    output: Path,
    progress: Progress,
    how: Presentation | None = None,
    *,
    keep: int | None = None,
    catch_up: int = 0,
) -> ReadinessResult:
    """Read, judge and publish a site; a run without usable logs publishes that it had none.

    With a period in the request, the site is one of many periods (see `gonogo.series`), of which
    the newest `keep` are published; `catch_up` weeks before it are looked at too.

    Raises:
        ConfigError, UsageError: the request cannot be carried out; nothing is written.
        InputError: the logs cannot be read; an INCONCLUSIVE site is published first.
    """
    from gonogo.charts import warm_up

    run = resolve(request)
    if run.label is not None:
        if how is not None and how.special:
            what = "a site of many periods is made with the built-in templates, and not as one file"
            hint = "render one period: gonogo render site/PERIOD/readiness.json -o DIR"
            raise UsageError([Diagnostic("U073", "--period", what, hint)])
        earlier = _weeks_before(request, run, catch_up)
        warm_up()
        return _build_period(run, earlier, output, keep, progress)
    refuse_periods(output, keep, catch_up)
    warm_up()
    try:
        result, memory = _analyse(run, progress)
    except InputError as error:
        publish(_nothing(run, error), output, progress, how)
        raise
    publish(result, output, progress, how)
    if not remember(run, memory, result):
        place = request.state or DEFAULT_STATE
        progress.note(f"{place} may not be written: the next build has nothing to compare with")
    return result


def incident(
    request: Request,
    last: str | None,
    since: str | None,
    until: str | None,
    like: Path | None,
    progress: Progress,
    reach: str | None = None,
) -> Incident:
    """What is over its limit in a stretch of time, for whoever is on call.

    Of the logs, `reach` before the window is read: a day where they are large, else all.

    Raises:
        ConfigError, UsageError: the request cannot be carried out.
        InputError: the logs cannot be read.
    """
    run = resolve(request)
    sources = discover(request.logs).sources
    before, newest = reach_seconds(reach, sum(s.size for s in sources)), None
    if before is not None and since is None and until is None:
        progress.phase("Looking for the newest record", None)
        # Where a mapping of the project says what the time is, no line tells it by itself.
        newest = None if run.config.mappings else newest_hour(sources, request.log_format)
    near = nearby(run, last, since, until, before, newest)
    result, memory = _analyse(near, progress, only_near=True)
    if near is not run and (
        (result.period.last or -1) < (newest or 0) or (newest is not None and hardly_any(result))
    ):
        # Nothing counts there: what says to be newest is none of the records that do, or strays.
        near = run
        result, memory = _analyse(run, progress)
    cleared, newest, warning = without_strays(near, memory.partial, (since, until))
    if cleared is not near:
        progress.note(warning)
        near = nearby(cleared, last, since, until, before, newest)
        result, memory = _analyse(near, progress, only_near=True)
    bounds = window(last, since, until, run.zone, result.period.last)
    return occurrence(memory.run or near, result, memory.partial, bounds, like, reach, warning)


def _build_period(
    run: Run, earlier: list[Run], output: Path, keep: int | None, progress: Progress
) -> ReadinessResult:
    series = Series(run, output)
    if earlier:
        progress.note(f"looking for missed weeks and late records from {earlier[0].label} on")
    name = _folder(run)
    memory: Memory | None = None
    missing: InputError | None = None
    try:
        *before, counted = _counted([*earlier, run], progress)
    except InputError as error:
        for week in earlier:
            progress.note(f"{week.label}: no logs of it")
        series.refuse_loss(name, 0)
        result, missing = _nothing(_with_baseline(run, series), error), error
    else:
        for other in before:
            progress.note(f"{other.run.label}: {_catch_up(other, series, progress)}")
        if earlier:
            progress.note(f"{run.label}: the period that was asked for")
        result, memory = _judged(counted, series)
    series.refuse_loss(name, result.ingest.calls)
    result = series.add(name, result, progress)
    series.publish(keep)
    if missing:
        raise missing
    if memory:
        remember(run, memory, result, series.rollup(name))
    return result


def _catch_up(counted: Counted, series: Series, progress: Progress) -> str:
    """A week before: added where it is missing, and again where it says something else now.

    A week of which the logs hold nothing is left as it is: published, or missing. Returns which.
    """
    if not counted.report.calls:
        return "no call of it in the logs"
    name = _folder(counted.run)
    result, memory = _judged(counted, series)
    if not series.is_news(name, result):
        return "nothing new"
    before = series.entry(name)
    result = series.add(name, result, progress)
    series.save(name)
    remember(counted.run, memory, result, series.rollup(name))
    if before is None:
        return "added, it was missing"
    if len(result.revisions) > len(before.editions):
        return f"built again, {result.revisions[-1].reason}"
    return "provisional no more"


def _with_baseline(run: Run, series: Series) -> Run:
    """Without a baseline of the user's own, a period is compared with the one before it."""
    before = series.before(run.selection.start)
    if run.request.baseline or run.config.compare.baseline or before is None:
        return run
    return replace(run, request=replace(run.request, baseline=before))


def _weeks_before(request: Request, run: Run, count: int) -> list[Run]:
    """The `count` weeks before the one that was asked for, oldest first."""
    if not count:
        return []
    names = period.weeks_before(run.label or "", count)
    if not names or "-" in request.logs:
        what = "needs a period of one week, and logs that can be read again"
        hint = "use it with --period last-week or 2026-W47, and with files instead of -"
        raise UsageError([Diagnostic("U064", "--catch-up", what, hint)])
    return [resolve(replace(request, period=name)) for name in names]


def _folder(run: Run) -> str:
    start, end = run.selection.start, run.selection.end
    assert run.label is not None
    assert start is not None
    assert end is not None
    return period.folder(run.label, start, end, run.zone)


def render(result_path: Path, output: Path, how: Presentation | None = None) -> ReadinessResult:
    """A site from a saved result: the same bytes as the build that saved it.

    Raises:
        ResultError: the file is not a result that this version reads.
    """
    from gonogo.exports.json_out import load as load_result
    from gonogo.progress import Silent

    result = load_result(result_path)
    publish(result, output, Silent(), how)
    return result


def roll_up(
    request: Request,
    folder: Path,
    progress: Progress,
    engine: str = "local",
    master: str | None = None,
) -> stored.Rolled:
    """Count each file of the logs that a store of rollups does not hold yet.

    The engine "spark" counts all files together, where `master` says.

    Raises:
        ConfigError, UsageError: the request cannot be carried out.
        InputError: a file cannot be read; the files before it are kept.
    """
    if request.period:
        hint = "give --period to the command that judges; a rollup holds its whole file"
        raise UsageError([Diagnostic("U051", "--period", "a file is rolled up whole", hint)])
    if engine != "spark":
        if master is not None:
            hint = "add --engine spark, or leave it out"
            raise UsageError([Diagnostic("U057", "--master", "is for Spark", hint)])
        return stored.roll_up(resolve(request), folder, progress)
    from gonogo.engines import spark

    progress.phase("Rolling up on Spark", None)
    return spark.roll_up(resolve(request), folder, master)


def _analyse(
    run: Run, progress: Progress, *, verdict_only: bool = False, only_near: bool = False
) -> tuple[ReadinessResult, Memory]:
    """The result and what it was made of; its run has grouped objectives spread out."""
    (counted,) = _counted([run], progress, verdict_only=verdict_only, only_near=only_near)
    return _judged(counted)


def _counted(
    runs: list[Run], progress: Progress, *, verdict_only: bool = False, only_near: bool = False
) -> list[Counted]:
    """The counts of runs over the same logs or rollups, which differ in their periods alone."""
    folder = runs[0].request.rollups
    if folder is None:
        return count(runs, progress, verdict_only=verdict_only, only_near=only_near)
    progress.phase("Reading rollups", None)
    found, masker = [], runs[0].masker
    for run in runs:
        kept = stored.load(run, folder, lambda *of: label(masker, *of))
        judged = replace(run, config=replace(run.config, objectives=kept.objectives))
        found.append(
            Counted(
                judged,
                Memory(kept.trouble, kept.partial, run=judged),
                ingest_report(kept, kept.partial, masker),
                Pricing(run.config.prices, run.config.cost),
            )
        )
    return found


def _judged(counted: Counted, series: Series | None = None) -> tuple[ReadinessResult, Memory]:
    """A run judged by its counts; one of a series is compared with the period before it."""
    run = _with_baseline(counted.run, series) if series else counted.run
    memory = counted.memory
    return judge(run, memory.partial, counted.report, counted.pricing, counted.closer), memory


def judge(
    run: Run,
    raw: Partial,
    report: IngestReport,
    pricing: Pricing | None = None,
    closer: Mapping[str, Excursion] | None = None,
) -> ReadinessResult:
    """The result of what was counted; `closer` has the excursions that were looked into, by id.

    Without `pricing`, nothing is said of cost.
    """
    config = run.config
    partial = relabel(raw, lambda column, text: label(run.masker, column, text))
    distributions = Distributions(partial)
    today = present_day(run, partial)
    judged = objective_data(partial, config, distributions)
    objectives, excursions = evaluate(judged, config, today)
    excursions = tuple((closer or {}).get(e.id, e) for e in excursions)
    usable = report.calls + report.not_calls
    if not usable:
        objectives = unjudged(objectives, report)
    coverage = field_coverage(partial, config)
    tables = build_tables(partial, config, Calendar(run.zone), distributions) | first_seen(partial)
    facts = observe(partial, coverage, as_of(run, partial), run.zone, guardrail_p95(tables))
    assessed = assess(config, gather(run, facts, objectives))
    # A file that only says how the logs are to be read adds nothing to decide by.
    telemetry_only = config.objectives_source is Source.DEFAULT and not assessed.gates
    comparisons = compared(run, partial, report, lambda name, text: label(run.masker, name, text))
    slo, readiness = decide(
        objectives,
        assessed.gates,
        telemetry_only=telemetry_only,
        coverage=coverage,
        regressions=regressions(comparisons, config.compare),
    )
    if not usable:
        slo = readiness = inconclusive([what_is_missing(report)])
    report = with_odd_units(report, tables)
    if pricing is not None:
        tables |= cost_tables(partial, config, distributions, pricing.book, run.bills)
        if run.request.rollups is None:  # nothing was priced there
            tables |= price_changes(pricing.book, remembered_prices(run))
    when = period_of(run, partial)
    return ReadinessResult(
        generator=f"gonogo {__version__}",
        profile="public" if run.request.profile == PUBLIC else "internal",
        site=site_info(run, partial),
        as_of=as_of(run, partial),
        period=when,
        readiness=readiness,
        slo=slo,
        telemetry_only=telemetry_only,
        notice=TELEMETRY_ONLY if telemetry_only else "",
        objectives=objectives,
        excursions=excursions,
        gates=assessed.gates,
        not_applicable=dict(config.not_applicable),
        coverage=coverage,
        tables={**published(tables, run), **assessed_tables(assessed.tables, run)},
        exemplars=exemplar_traces(partial),
        ingest=report,
        config=config_echo(run),
        notes=notes(run, partial),
        comparisons=comparisons,
        blocks=block_sums(partial, config.objectives),
    )


def _nothing(run: Run, error: InputError) -> ReadinessResult:
    """The result of a run that had no usable logs: INCONCLUSIVE, and why."""
    empty = Partial.zero()
    report = IngestReport(
        files=(),
        lines=0,
        accepted=0,
        quarantined=0,
        duplicates=0,
        conflicting_duplicates=0,
        outside_period=0,
        filtered=0,
        excluded=0,
        folded=0,
        calls=0,
        not_calls=0,
        problems=tuple(unreadable(d, run.masker) for d in error.diagnostics),
    )
    result = judge(run, empty, report)
    decision = inconclusive([problem.what for problem in report.problems])
    return result.model_copy(update={"slo": decision, "readiness": decision})
