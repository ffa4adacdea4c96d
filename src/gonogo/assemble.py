"""The parts of a result that say what was read, when, by which settings, and what is missing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Final, Protocol

from gonogo import display, period
from gonogo.conventions import PUBLIC, Status, Verdict
from gonogo.errors import Diagnostic
from gonogo.explain import CODES
from gonogo.ingest.mapped import Astray, not_read
from gonogo.ingest.report import FileCount, Trouble
from gonogo.measures.clocks import clocks
from gonogo.measures.traffic import sampling
from gonogo.privacy import Masker, clean_label, fold_small
from gonogo.request import Run
from gonogo.results import (
    ConfigEcho,
    Decision,
    Exemplar,
    IngestReport,
    ObjectiveResult,
    Period,
    Problem,
    Reason,
    SiteInfo,
    SourceFile,
    Table,
)
from gonogo.rollup import exemplars
from gonogo.rollup.partial import Partial
from gonogo.rollup.select import SETTLED

_PLACE: Final = re.compile(r"(.*?)((?::\d+){0,2})", re.DOTALL)
_MOST_PLACES: Final = 3
_MASKED: Final = {"tenant_id": "tenants", "user": "users"}

_FASTEST: Final = 10_000_000
_SLOWEST: Final = 50
"""Output tokens in a thousand seconds: beyond them half of all calls cannot be. Of the services
that say how fast they are, the fastest write some thousands a second."""


class Counted(Protocol):
    """Logs that were read, now or once."""

    files: list[FileCount]
    trouble: Trouble
    orphans: int

    def folded(self) -> int: ...

    def conflicting(self) -> int: ...


def label(masker: Masker, column: str, text: str) -> str:
    """A value of a dimension as it may be shown: cleaned, and masked where it names somebody."""
    if column == "chunk":
        return text  # masked in their table, where few of them are left
    kind = _MASKED.get(column)
    return masker.mask(kind, text) or text if kind else clean_label(text)


def published(tables: dict[str, Table], run: Run) -> dict[str, Table]:
    """The tables as the profile lets them be seen."""
    tenants = tables.get("by_tenant_id")
    if tenants and run.request.profile == PUBLIC and "tenants" not in run.config.site.publish:
        tables["by_tenant_id"] = fold_small(tenants, ["value"])
    chunks = tables.get("chunks")
    if chunks:
        names = [run.masker.mask("chunks", str(name)) for name in chunks.data["chunk"]]
        tables["chunks"] = chunks.model_copy(update={"data": {**chunks.data, "chunk": names}})
    return tables


def assessed_tables(tables: dict[str, Table], run: Run) -> dict[str, Table]:
    """The tables of the gates as the profile lets them be seen: no link to what was signed."""
    signed = tables.get("signoffs")
    if signed is None or run.request.profile != PUBLIC:
        return tables
    columns = tuple(c for c in signed.columns if c.key != "evidence")
    data = {key: values for key, values in signed.data.items() if key != "evidence"}
    return {**tables, "signoffs": signed.model_copy(update={"columns": columns, "data": data})}


def period_of(run: Run, partial: Partial) -> Period:
    """The period asked for, or what the logs span; provisional until a day past its end."""
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
    present = as_of(run, partial)
    provisional = (
        chosen
        and end is not None
        and (present is None or present < end + SETTLED)
        and not partial.counter("later")
    )
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


def as_of(run: Run, partial: Partial) -> int | None:
    """The present in epoch seconds: as asked for, or the newest record."""
    if run.request.as_of:
        return period.instant(run.request.as_of, run.zone, "--as-of")
    return None if partial.last_us is None else partial.last_us // 1_000_000


def present_day(run: Run, partial: Partial) -> date | None:
    """The day of the present in the declared zone; None where no record has a time."""
    present = as_of(run, partial)
    return None if present is None else datetime.fromtimestamp(present, run.zone).date()


def site_info(run: Run, partial: Partial) -> SiteInfo:
    """Title and look; without a title the only service that the logs name."""
    config = run.config
    title = config.site.title
    if title is None:
        services = partial.frames["calls"]["service"].drop_nulls().unique().sort().to_list()
        title = services[0] if len(services) == 1 else "LLM application"
    return SiteInfo(
        title=title,
        subtitle=config.site.subtitle,
        logo=None if run.logo is None else run.logo.uri(),
        accent=config.site.accent,
        footer=config.site.footer,
        trace_url=config.site.trace_url,
    )


def exemplar_traces(partial: Partial) -> tuple[Exemplar, ...]:
    """The calls that stand as examples, with the rule that chose each."""
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
            calls=row["calls"],
        )
        for row in partial.exemplars.to_dicts()
        if row["kind"] in exemplars.RULES
    )


def _clean(text: str | None) -> str | None:
    return None if text is None else clean_label(text)


def ingest_report(logs: Counted, partial: Partial, masker: Masker, far: int = 0) -> IngestReport:
    """What became of every line: accepted, quarantined, duplicate; per file and in all.

    `far` lines were left unread, since their time is far outside of the period.
    """
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
        logs.trouble.tally["I024", ""] = conflicts
    return IngestReport(
        files=files,
        lines=sum(f.lines for f in files),
        accepted=sum(f.accepted for f in files),
        quarantined=sum(f.quarantined for f in files),
        duplicates=sum(f.duplicates for f in files),
        conflicting_duplicates=conflicts,
        outside_period=partial.counter("outside") + far,
        filtered=partial.counter("filtered"),
        excluded=partial.counter("excluded"),
        folded=logs.folded(),
        orphans=logs.orphans,
        calls=partial.counter("calls"),
        not_calls=partial.counter("not_calls"),
        problems=logs.trouble.problems(lambda name: masker.mask("paths", name) or name),
    )


def with_odd_units(report: IngestReport, tables: Mapping[str, Table]) -> IngestReport:
    """The report, with a word where durations can hardly be in the unit that they were read in."""
    overall = tables.get("overall")
    speed = overall.data["tps_p50"][0] if overall is not None and overall.height else None
    if overall is None or not isinstance(speed, int) or _SLOWEST <= speed <= _FASTEST:
        return report
    many = overall.data["tps_n"][0]
    half = f"half of {display.count(int(str(many)))} calls"
    seen = f"{display.value(speed, 'milli_tps')} or {'more' if speed > _FASTEST else 'less'}"
    problem = Problem(
        code="I042",
        what=f"{half} wrote {seen}, which no model does: "
        "their durations are most likely in another unit than the one they were read in",
        count=1,
        example="latency_ms",
        hint="are the durations in another unit? say so in the name: latency_s in [fields]",
    )
    return report.model_copy(update={"problems": (*report.problems, problem)})


def with_settings(report: IngestReport, astray: Sequence[Astray], unread: int = 0) -> IngestReport:
    """The report with what is to be mended in `[fields]` as problems, before all others.

    Paths that lead nowhere, and `unread` fields that nothing reads while others are missing.
    """
    told = [one.told(report.lines) for one in astray] + ([not_read(unread)] if unread else [])
    problems = [
        Problem(
            code=d.code,
            what=f"{d.where}: {d.what}" if d.where else d.what,
            count=1,
            example=d.where,
            hint=d.hint,
        )
        for d in told
    ]
    return report.model_copy(update={"problems": (*problems, *report.problems)})


def config_echo(run: Run) -> ConfigEcho:
    """The settings as they were understood."""
    config = run.config
    lines = [
        f"timezone = {config.timezone}",
        f"profile = {run.request.profile}",
        f"minimum coverage = {display.ratio(*config.minimum_coverage.as_integer_ratio())}",
    ]
    lines += [
        f"objective {o.id} {o.expression} ({o.source})"
        + (f", for each {o.group_by}" if o.group_by else "")
        for o in config.objectives
        if o.segment is None
    ]
    lines += [
        f"where {name} = {label(run.masker, name, pattern)}"
        for name, pattern in run.selection.where
    ]
    lines += [
        f"excluded {display.span(e.start, e.end, config.timezone)}: {e.reason} ({e.owner})"
        for e in config.exclusions
    ]
    lines += [f"not applicable: {name}: {why}" for name, why in config.not_applicable.items()]
    if run.request.log_format is not None:
        lines.append(f"log format = {Path(run.request.log_format).name}")
    lines += [f"mapping = {Path(name).name}" for name in config.mappings]
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
        options=_options(run),
    )


def _options(run: Run) -> tuple[str, ...]:
    """What picks and reads the calls; where the logs are is not told, and names are masked."""
    asked, path = run.request, run.config.path
    found = [("-c", None if path is None else Path(path).name)]
    found.append(("--period", run.label))
    found += [
        ("--where", f"{name}={label(run.masker, name, text)}") for name, text in run.selection.where
    ]
    found.append(("--as-of", asked.as_of))
    found.append(("--log-format", asked.log_format and Path(asked.log_format).name))
    found.append(("--sampling-rate", asked.sampling_rate))
    return tuple(f"{name} {shlex.quote(clean_label(text, 200))}" for name, text in found if text)


def notes(run: Run, partial: Partial) -> tuple[str, ...]:
    """What the reader of the figures has to know of how they came about."""
    said = []
    made = round(partial.counter("calls") * sampling(partial, run.config).calls)
    if run.sampling_rate is not None:
        said.append(_sampled(run.sampling_rate, made))
    elif made != partial.counter("calls"):
        said.append(
            f"Calls carry the weight of a sampler: some {display.count(made)} were made. Counts, "
            "tokens and costs are as logged; what a month costs is projected for all of them."
        )
    if not (partial.sessions.is_exact and partial.users.is_exact):
        said.append(
            "Distinct sessions and users are estimated, to within about 0.8 %: "
            "there are more than 131,072 of them."
        )
    untimed = partial.counter("untimed_calls")
    if untimed:
        said.append(f"{untimed:,} calls carry no time: they count in totals and are in no series.")
    said += _clocks(run, partial)
    return tuple(said)


def _clocks(run: Run, partial: Partial) -> list[str]:
    """What is odd about the times in the log; nobody can say which of them are right."""
    present = as_of(run, partial) if run.request.as_of else None
    found, zone = clocks(partial, present), run.config.timezone
    said = []
    if found.ahead is not None:
        said.append(
            f"{_calls(found.ahead.calls)} dated after the present that was given, up to "
            f"{display.time(found.ahead.edge, zone)}: a clock is ahead, or --as-of is too early. "
            "They count all the same."
        )
    elif found.late is not None:
        said.append(
            f"{_calls(found.late.calls)} dated over a day after all others, up to "
            f"{display.time(found.late.edge, zone)}: a clock may be wrong. They count, and the "
            "newest of them is taken for the present; --period leaves them out, --as-of gives "
            "the present."
        )
    if found.early is not None:
        said.append(
            f"{_calls(found.early.calls)} dated over a day before all others, from "
            f"{display.time(found.early.edge, zone)}: a clock may be wrong. They count; --period "
            "leaves them out."
        )
    return said


def _calls(number: int) -> str:
    return "1 call is" if number == 1 else f"{display.count(number)} calls are"


def _sampled(rate: float, made: int) -> str:
    share = display.ratio(*Fraction(str(rate)).as_integer_ratio())
    return (
        f"The logs are said to hold {share} of the traffic: counts, tokens and costs are as "
        f"logged, and some {display.count(made)} calls were made, for all of which a month’s cost "
        "is projected. Rates and percentiles hold for all of them only if what was kept was drawn "
        "without regard to errors or latency."
    )


def inconclusive(reasons: Sequence[str]) -> Decision:
    """The decision of a run that had nothing to judge."""
    return Decision(
        verdict=Verdict.INCONCLUSIVE,
        headline="INCONCLUSIVE: no usable logs were found",
        reasons=tuple(Reason(status=Status.NO_DATA, text=text) for text in reasons),
    )


def what_is_missing(report: IngestReport) -> str:
    """Why none of the records counts."""
    left_out = (
        (report.outside_period, "outside the period"),
        (report.filtered, "not selected"),
        (report.excluded, "in declared exclusions"),
    )
    told = ", ".join(f"{display.count(number)} {what}" for number, what in left_out if number)
    if not told:
        return "the logs hold no record that can be read"
    return f"of {display.count(report.accepted)} records none counts: {told}"


def unjudged(
    objectives: Sequence[ObjectiveResult], report: IngestReport
) -> tuple[ObjectiveResult, ...]:
    """Objectives where no record counts: of none is known whether the application needs it.

    What is declared not applicable stays so; all others say which input was of no use.
    """
    told = {"status": Status.NO_DATA, "reason": what_is_missing(report), "hint": _try(report)}
    declared = (o.status is Status.NOT_APPLICABLE and not o.hint for o in objectives)
    return tuple(
        o if is_declared else o.model_copy(update=told)
        for o, is_declared in zip(objectives, declared, strict=True)
    )


def _try(report: IngestReport) -> str:
    """What to do about input of which nothing counts, with the names of up to three files."""
    if report.outside_period or report.filtered or report.excluded:
        return f"{what_is_missing(report)}; name another --period, or leave out less"
    if not report.problems:
        return "name files or folders that hold calls"
    places = [p.what if p.example in p.what else f"{p.example}: {p.what}" for p in report.problems]
    more = len(places) - _MOST_PLACES
    told = "; ".join(places[:_MOST_PLACES]) + (f"; and {more} more" if more > 0 else "")
    return f"{told}. {CODES[report.problems[0].code].todo}"


def unreadable(problem: Diagnostic, masker: Masker) -> Problem:
    """A diagnostic of the reader as a problem on the Data page."""
    found = _PLACE.fullmatch(problem.where)
    assert found is not None  # it matches every text
    path, line = found.groups()
    place = f"{masker.mask('paths', path)}{line}" if path else "the input"
    # What is said may name columns, and those are named by whoever writes the log.
    what = f"{place}: {clean_label(problem.what, 300)}"
    return Problem(code=problem.code, what=what, count=1, example=place, hint="")
