"""The use cases: read, count, judge, render. The only module that knows the whole story."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from gonogo import __version__, display, period
from gonogo.config.model import Config
from gonogo.conventions import PUBLIC, Status, Verdict
from gonogo.cost import cost_tables
from gonogo.errors import Diagnostic, InputError
from gonogo.evidence.assess import assess
from gonogo.evidence.observed import observe
from gonogo.exports.inspection import InspectReport, ReadFormat
from gonogo.gather import gather, guardrail_p95
from gonogo.ingest.discover import discover
from gonogo.ingest.reader import LogInput, read_logs
from gonogo.ingest.report import Trouble
from gonogo.measures import Distributions, build_tables, field_coverage, objective_data, relabel
from gonogo.privacy import Masker, clean_label, fold_small, scrub
from gonogo.readiness import decide
from gonogo.request import DEFAULT_STATE, Request, Run, resolve
from gonogo.results import (
    ConfigEcho,
    Decision,
    Exemplar,
    IngestReport,
    Period,
    Problem,
    ReadinessResult,
    Reason,
    SiteInfo,
    SourceFile,
    Table,
)
from gonogo.rollup import engine, exemplars, store
from gonogo.rollup.costs import Pricing
from gonogo.rollup.mapper import Mapper
from gonogo.rollup.partial import Partial
from gonogo.rollup.select import Calendar
from gonogo.slo import evaluate

if TYPE_CHECKING:
    from gonogo.progress import Progress

__all__ = ["InspectReport", "Request", "analyse", "build", "inspect", "render"]

TELEMETRY_ONLY: Final = "telemetry only, default thresholds: this is not a readiness decision"
_PLACE: Final = re.compile(r"(.*?)((?::\d+){0,2})", re.DOTALL)
_DAY: Final = 86_400
_SHORTEST_SECRET: Final = 6
_MASKED: Final = {"tenant_id": "tenants"}


def analyse(request: Request, progress: Progress) -> ReadinessResult:
    """Read the logs and judge them.

    Raises:
        ConfigError, UsageError: the request cannot be carried out.
        InputError: the logs cannot be read.
    """
    return _analyse(resolve(request), progress)[0]


def build(request: Request, output: Path, progress: Progress) -> ReadinessResult:
    """Read, judge and publish a site; a run without usable logs publishes that it had none.

    Raises:
        ConfigError, UsageError: the request cannot be carried out; nothing is written.
        InputError: the logs cannot be read; an INCONCLUSIVE site is published first.
    """
    from gonogo.charts import warm_up

    run = resolve(request)
    warm_up()
    try:
        result, trouble, partial = _analyse(run, progress)
    except InputError as error:
        _publish(_nothing(run, error), output, progress)
        raise
    _publish(result, output, progress)
    _remember(run, trouble, partial)
    return result


def render(result_path: Path, output: Path) -> ReadinessResult:
    """A site from a saved result: the same bytes as the build that saved it.

    Raises:
        ResultError: the file is not a result that this version reads.
    """
    from gonogo.exports.json_out import load as load_result
    from gonogo.progress import Silent

    result = load_result(result_path)
    _publish(result, output, Silent())
    return result


def _analyse(run: Run, progress: Progress) -> tuple[ReadinessResult, Trouble, Partial]:
    found = discover(run.request.logs)
    total = sum(source.size for source in found.sources)
    progress.phase("Reading logs", total or None)
    logs = read_logs(found, run.config.fields, progress.advance, log_format=run.request.log_format)
    try:
        rows = max(sum(part.rows for part in logs.parts), 1)
        progress.phase("Counting", total or None)
        pricing = Pricing(run.config.prices, run.config.cost)
        mapper = Mapper(
            run.config.objectives,
            run.selection,
            Calendar(run.zone),
            logs.dictionaries,
            pricing,
        )
        partial = engine.run(
            logs.blocks(), mapper, logs.ids, lambda done: progress.advance(total * done // rows)
        )
        report = _ingest_report(logs, partial, run.masker)
    finally:
        logs.close()
    progress.phase("Judging", None)
    return _judge(run, partial, report, pricing), logs.trouble, partial


def _judge(
    run: Run, raw: Partial, report: IngestReport, pricing: Pricing | None = None
) -> ReadinessResult:
    config = run.config
    partial = relabel(raw, lambda column, text: _label(run.masker, column, text))
    distributions = Distributions(partial)
    objectives, excursions = evaluate(objective_data(partial, config, distributions), config)
    coverage = field_coverage(partial, config)
    telemetry_only = config.path is None
    tables = build_tables(partial, config, Calendar(run.zone), distributions)
    facts = observe(partial, coverage, _as_of(run, partial), run.zone, guardrail_p95(tables))
    assessed = assess(config, gather(run, facts, objectives))
    slo, readiness = decide(
        objectives, assessed.gates, telemetry_only=telemetry_only, coverage=coverage
    )
    if not report.calls + report.not_calls:
        slo = readiness = _inconclusive([_what_is_missing(report)])
    if pricing is not None:
        tables |= cost_tables(partial, config, distributions, pricing.book, run.bills)
    when = _period(run, partial)
    return ReadinessResult(
        generator=f"gonogo {__version__}",
        profile="public" if run.request.profile == PUBLIC else "internal",
        site=_site(config, partial),
        as_of=_as_of(run, partial),
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
        tables={**_published(tables, run), **assessed.tables},
        exemplars=_exemplars(partial),
        ingest=report,
        config=_echo(run),
        notes=_notes(run, partial),
    )


def _label(masker: Masker, column: str, text: str) -> str:
    if column == "chunk":
        return text  # masked in their table, where few of them are left
    kind = _MASKED.get(column)
    return masker.mask(kind, text) or text if kind else clean_label(text)


def _scrubbed(_: str, text: str) -> str:
    # No secret and no address is as short as this, and there may be very many chunk ids.
    return text if len(text) < _SHORTEST_SECRET else scrub(text)


def _published(tables: dict[str, Table], run: Run) -> dict[str, Table]:
    tenants = tables.get("by_tenant_id")
    if tenants and run.request.profile == PUBLIC and "tenants" not in run.config.site.publish:
        tables["by_tenant_id"] = fold_small(tenants, ["value"])
    chunks = tables.get("chunks")
    if chunks:
        names = [run.masker.mask("chunks", str(name)) for name in chunks.data["chunk"]]
        tables["chunks"] = chunks.model_copy(update={"data": {**chunks.data, "chunk": names}})
    return tables


def _period(run: Run, partial: Partial) -> Period:
    zone = run.config.timezone
    first = None if partial.first_us is None else partial.first_us // 1_000_000
    last = None if partial.last_us is None else partial.last_us // 1_000_000
    start, end = run.selection.start, run.selection.end
    chosen = start is not None
    if not chosen and first is not None and last is not None:
        start, end = first, last + 1
    label = run.label
    if label is None:
        label = "no times logged"
        if first is not None and last is not None:
            days = (display.day(first, zone), display.day(last, zone))
            label = days[0] if days[0] == days[1] else f"{days[0]} – {days[1]}"
    as_of = _as_of(run, partial)
    provisional = chosen and end is not None and (as_of is None or as_of < end + _DAY)
    return Period(
        label=label,
        start=start,
        end=end,
        first=first,
        last=last,
        timezone=zone,
        provisional=provisional,
        untimed_calls=partial.counter("untimed_calls"),
    )


def _as_of(run: Run, partial: Partial) -> int | None:
    if run.request.as_of:
        return period.instant(run.request.as_of, run.zone)
    return None if partial.last_us is None else partial.last_us // 1_000_000


def _site(config: Config, partial: Partial) -> SiteInfo:
    title = config.site.title
    if title is None:
        services = partial.frames["calls"]["service"].drop_nulls().unique().sort().to_list()
        title = services[0] if len(services) == 1 else "LLM application"
    return SiteInfo(
        title=title,
        subtitle=config.site.subtitle,
        accent=config.site.accent,
        footer=config.site.footer,
        trace_url=config.site.trace_url,
    )


def _exemplars(partial: Partial) -> tuple[Exemplar, ...]:
    return tuple(
        Exemplar(
            kind=row["kind"],
            rule=exemplars.RULES[row["kind"]],
            trace_id=_clean(row["trace_id"]),
            span_id=_clean(row["span_id"]),
            time=None if row["start_us"] is None else row["start_us"] // 1_000_000,
            model=row["model"],
            operation=row["operation"],
            release=row["release"],
            duration_us=row["duration_us"],
            cost_nano_usd=row["cost_nano_usd"],
            error_class=row["error_class"],
        )
        for row in partial.exemplars.to_dicts()
    )


def _clean(text: str | None) -> str | None:
    return None if text is None else clean_label(text)


def _ingest_report(logs: LogInput, partial: Partial, masker: Masker) -> IngestReport:
    files = tuple(
        SourceFile(
            path=masker.mask("paths", f.name) or f.name,
            format=f.kind,
            sha256=f.sha256,
            bytes=f.size,
            lines=f.lines,
            accepted=f.accepted,
            quarantined=f.quarantined,
            duplicates=f.duplicates,
            note="" if not f.note else f.note.split(" as ")[0],
        )
        for f in logs.files
    )
    conflicts = logs.conflicting()
    if conflicts:
        logs.trouble.tally["I024", ""] += conflicts
    return IngestReport(
        files=files,
        lines=sum(f.lines for f in files),
        accepted=sum(f.accepted for f in files),
        quarantined=sum(f.quarantined for f in files),
        duplicates=sum(f.duplicates for f in files),
        conflicting_duplicates=conflicts,
        outside_period=partial.counter("outside"),
        filtered=partial.counter("filtered"),
        excluded=partial.counter("excluded"),
        folded=logs.folded(),
        orphans=logs.orphans,
        calls=partial.counter("calls"),
        not_calls=partial.counter("not_calls"),
        problems=logs.trouble.problems(lambda name: masker.mask("paths", name) or name),
    )


def _echo(run: Run) -> ConfigEcho:
    config = run.config
    lines = [
        f"timezone = {config.timezone}",
        f"profile = {run.request.profile}",
        f"minimum coverage = {display.ratio(*config.minimum_coverage.as_integer_ratio())}",
    ]
    lines += [f"objective {o.id} {o.expression} ({o.source})" for o in config.objectives]
    lines += [
        f"where {name} = {_label(run.masker, name, pattern)}"
        for name, pattern in run.selection.where
    ]
    lines += [
        f"excluded {display.span(e.start, e.end, config.timezone)}: {e.reason} ({e.owner})"
        for e in config.exclusions
    ]
    lines += [f"not applicable: {name}: {why}" for name, why in config.not_applicable.items()]
    if run.request.log_format is not None:
        lines.append(f"log format = {Path(run.request.log_format).name}")
    if run.sampling_rate is not None:
        lines.append(f"sampling rate = {run.sampling_rate:g}")
    lines += [f"field {name} = {path}" for name, path in config.fields.items()]
    path = None if config.path is None else Path(config.path).name
    return ConfigEcho(
        path=path,
        sha256=config.sha256,
        objectives_source=config.objectives_source,
        lines=tuple(lines),
        content=config.content,
    )


def _notes(run: Run, partial: Partial) -> tuple[str, ...]:
    notes = []
    if run.sampling_rate is not None:
        notes.append(_sampled(run.sampling_rate, partial.counter("calls")))
    if not (partial.sessions.is_exact and partial.users.is_exact):
        notes.append(
            "Distinct sessions and users are estimated, to within about 0.8 %: "
            "there are more than 131,072 of them."
        )
    untimed = partial.counter("untimed_calls")
    if untimed:
        notes.append(f"{untimed:,} calls carry no time: they count in totals and are in no series.")
    return tuple(notes)


def _sampled(rate: float, calls: int) -> str:
    share = display.ratio(*Fraction(str(rate)).as_integer_ratio())
    return (
        f"The logs are said to hold {share} of the traffic: counts, tokens and costs are as "
        f"logged, and some {display.count(round(calls / rate))} calls were made. Rates and "
        "percentiles hold for all of them only if what was kept was drawn without regard to errors "
        "or latency."
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
        problems=tuple(_unreadable(d, run.masker) for d in error.diagnostics),
    )
    result = _judge(run, empty, report)
    decision = _inconclusive([problem.what for problem in report.problems])
    return result.model_copy(update={"slo": decision, "readiness": decision})


def _inconclusive(reasons: Sequence[str]) -> Decision:
    return Decision(
        verdict=Verdict.INCONCLUSIVE,
        headline="INCONCLUSIVE: no usable logs were found",
        reasons=tuple(Reason(status=Status.NO_DATA, text=text) for text in reasons),
    )


def _what_is_missing(report: IngestReport) -> str:
    left_out = (
        (report.outside_period, "outside the period"),
        (report.filtered, "not selected"),
        (report.excluded, "in declared exclusions"),
    )
    told = ", ".join(f"{display.count(number)} {what}" for number, what in left_out if number)
    if not told:
        return "the logs hold no record that can be read"
    return f"of {display.count(report.accepted)} records none counts: {told}"


def _unreadable(problem: Diagnostic, masker: Masker) -> Problem:
    path, line = _PLACE.fullmatch(problem.where).groups()  # type: ignore[union-attr]
    place = f"{masker.mask('paths', path)}{line}" if path else "the input"
    # What is said may name columns, and those are named by whoever writes the log.
    what = f"{place}: {clean_label(problem.what, 300)}"
    return Problem(code=problem.code, what=what, count=1, example=place, hint="")


def _publish(result: ReadinessResult, output: Path, progress: Progress) -> None:
    from gonogo import charts, site
    from gonogo.exports import badge, breaches, json_out

    progress.phase("Drawing charts", None)
    drawn = charts.render(result)
    progress.phase("Writing the site", None)
    files = dict(site.render(result, drawn))
    files |= {
        "readiness.json": json_out.dumps(result).encode(),
        "breaches.md": breaches.breaches_md(result).encode(),
        "breaches.json": breaches.breaches_json(result).encode(),
        "badge.svg": badge.badge_svg(result).encode(),
        "badge.json": badge.badge_json(result).encode(),
    }
    site.write(files, output)


def _remember(run: Run, trouble: Trouble, partial: Partial) -> None:
    """The rollup, and where the refused lines stand and why: beside the site, never in it."""
    folder = run.request.state or Path(DEFAULT_STATE)
    lines = (
        json.dumps(
            {
                "file": scrub(q.file),
                "line": q.line,
                "offset": q.offset,
                "code": q.code,
                "reason": q.reason,
            }
        )
        for q in trouble.quarantined
    )
    try:
        store.save(relabel(partial, _scrubbed), folder / "rollup")
        (folder / "quarantine.jsonl").write_text("".join(f"{line}\n" for line in lines))
        # The state holds the key of the hashed ids: it must not be committed by accident.
        (folder / ".gitignore").write_text("*\n")
    except OSError:
        # A read-only place keeps no memory; the site and its counts are whole all the same.
        return


def inspect(request: Request) -> InspectReport:
    """What the logs hold, without judging them; ids are masked as in a report.

    Raises:
        InputError: the logs cannot be read.
    """
    from gonogo.progress import Silent

    run = resolve(request)
    found = discover(request.logs)
    logs = read_logs(found, run.config.fields, Silent().advance, log_format=request.log_format)
    try:
        mapper = Mapper((), run.selection, Calendar(run.zone), logs.dictionaries)
        partial = engine.run(logs.blocks(), mapper, logs.ids, Silent().advance)
        report = _ingest_report(logs, partial, run.masker)
        sample = _sample(logs, run.masker)
    finally:
        logs.close()
    bare = Config(path=run.config.path)
    result = _judge(
        Run(request, bare, run.zone, run.selection, run.label, run.masker), partial, report
    )
    fields = [
        (f.field, f"of {f.applicable:,} ({f.title})", f.present)
        for f in result.coverage
        if f.present
    ]
    told = [
        ReadFormat(f.name, f.title, tuple(f.fields.items()), f.lacks) for f in logs.formats.values()
    ]
    return InspectReport(result, fields, sample, told)


def _sample(logs: LogInput, masker: Masker) -> pl.DataFrame:
    for load_block in logs.blocks():
        block, _ = load_block()
        head = block.lines.head(10)
        texts = {
            name: pl.Series(logs.dictionaries.dimensions[name].texts(), dtype=pl.String).gather(
                head[name]
            )
            for name in ("operation", "model", "release", "tenant_id")
        }
        shown = {
            name: pl.Series(
                [None if t is None else _label(masker, name, t) for t in column], dtype=pl.String
            )
            for name, column in texts.items()
        }
        return pl.DataFrame(
            {
                "start": head["start_us"].replace(-(2**62), None).cast(pl.Datetime("us")),
                **shown,
                **{
                    name: head[name]
                    for name in (
                        "is_call",
                        "failed",
                        "duration_us",
                        "ttft_us",
                        "input_tokens",
                        "output_tokens",
                        "cost_nano_usd",
                    )
                },
            }
        )
    return pl.DataFrame()
