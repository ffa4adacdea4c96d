"""The pages that are lists of sections: Latency, Errors, Quality, Evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from gonogo.conventions import DIMENSIONS, WIDE_DIMENSIONS
from gonogo.results import ReadinessResult, Table
from gonogo.site import figures as f
from gonogo.site.evaluation import evaluation, traces
from gonogo.site.figures import Figure, tiles
from gonogo.site.layout import blocks
from gonogo.site.model import Absent, ChartView, Choice, Section
from gonogo.site.objectives import rows_of_page
from gonogo.site.pivot import errors_by_model, summary
from gonogo.site.tables import Col, count, mean, rate, text, time_us, view

Charts = Sequence[ChartView]

_DIMENSION_TITLES: Final = {
    "service": "service", "environment": "environment", "release": "release",
    "prompt_version": "prompt version", "operation": "operation", "provider": "provider",
    "model": "model", "tenant_id": "tenant",
}  # fmt: skip
_ORDER: Final = ("model", "operation", "prompt_version", "release", "provider", "service",
                 "environment", "tenant_id")  # fmt: skip


def any_of(table: Table | None, key: str) -> bool:
    """True where a stored count of the table is not zero throughout."""
    return table is not None and any(table.data.get(key, []))


def pick(charts: Charts, *prefixes: str) -> list[ChartView]:
    """Charts whose id starts with one of `prefixes`."""
    return [c for c in charts if c.id.startswith(prefixes)]


def by_dimension(
    result: ReadinessResult, cols: Sequence[Col], what: str, page: str
) -> tuple[Choice, ...]:
    """One table for each dimension with two values or more, and always one for the model."""
    found = []
    for dimension in _ORDER:
        table = result.tables.get(f"by_{dimension}")
        if table is None or (table.height < 2 and dimension != "model"):
            continue
        name = _DIMENSION_TITLES[dimension]
        made = view(table, (text(name.capitalize(), "value"), *cols), f"{what} by {name}")
        if made is not None and len(made.headers) > 2:
            table_id = f"table-{page}-by-{dimension.replace('_', '-')}"
            found.append(Choice(name.capitalize(), replace(made, id=table_id, span="full")))
    return tuple(found)


def _missing_dimensions(result: ReadinessResult) -> tuple[Absent, ...]:
    gone = [d for d in (*DIMENSIONS, *WIDE_DIMENSIONS) if f"by_{d}" not in result.tables]
    if not gone:
        return ()
    names = ", ".join(_DIMENSION_TITLES[d] for d in gone)
    return (Absent(f"By {names}", "to compare them, log", ", ".join(gone)),)


def objectives(result: ReadinessResult, page: str) -> Section:
    return Section("objectives", "", objectives=rows_of_page(result, page))


def or_absent(
    made: Section, title: str, words: str, field: str, reason: str | None = None
) -> Section:
    """The section itself, or where it holds nothing its one line."""
    if made.tiles or made.blocks:
        return made
    if reason:
        line = Absent(title, f"declared not applicable: {reason}", "")
    else:
        line = Absent(title, words, field)
    return Section(made.id, title, absent=(line,))


LATENCY_COLS: Final = (
    count("Calls", "latency_n", "calls that log a duration"),
    time_us("p50", "latency_p50"), time_us("p90", "latency_p90"), time_us("p95", "latency_p95"),
    time_us("p99", "latency_p99"), time_us("Max", "latency_max"),
    mean("Mean", "us", "latency_sum", "latency_n"),
    time_us("p95, successful", "latency_ok_p95", "calls that did not fail"),
    time_us("p95 to first token", "ttft_p95"),
)  # fmt: skip
TTFT: Final = Figure("p95 to first token", "us", "ttft_n", key="ttft_p95", indicator="ttft",
                     statistic="p95", colour="c3", sample="streamed calls")  # fmt: skip


def latency(result: ReadinessResult, charts: Charts) -> tuple[Section, ...]:
    figures = (
        Figure("p50", "us", "latency_n", key="latency_p50", indicator="latency", statistic="p50"),
        replace(f.P95, label="p95"),
        Figure("p99", "us", "latency_n", key="latency_p99", indicator="latency", statistic="p99"),
        Figure("p95, successful calls", "us", "latency_ok_n", key="latency_ok_p95",
               indicator="latency_ok", statistic="p95", colour="c6"),
        TTFT,
        Figure("Output speed, p50", "milli_tps", "tps_n", key="tps_p50",
               indicator="output_tokens_per_second", statistic="p50", colour="c4"),
    )  # fmt: skip
    first = [c for c in charts if not c.id.startswith("ttft")]
    main = Section(
        "latency",
        "",
        tiles=tiles(result, figures),
        blocks=blocks(first, [summary(result.tables.get("overall"))]),
    )
    ttft = Section("ttft", "Time to first token", blocks=blocks(pick(charts, "ttft")))
    parts = Section(
        "parts", "Where the time goes", "The same percentiles, part by part",
        choices=by_dimension(result, LATENCY_COLS, "Latency", "latency"),
        absent=_missing_dimensions(result),
    )  # fmt: skip
    words = "no call logs how long it took, so nothing here can be judged. Log"
    wanted = [objectives(result, "latency"), or_absent(main, "Latency", words, "latency_ms")]
    if ttft.blocks or not any_of(result.tables.get("overall"), "ttft_n"):
        first_token = "no streamed call logs it. Log"
        wanted.append(or_absent(ttft, ttft.title, first_token, "ttft_ms, stream"))
    return (*wanted, parts)


ERROR_COLS: Final = (
    count("Calls", "calls"),
    rate("Error rate", "errors", "error_known"),
    rate("Timeouts", "timeouts", "error_known"),
    rate("Rate limited", "rate_limited", "error_known"),
    rate("Retried", "retried", "retry_known"),
)


def errors(result: ReadinessResult, charts: Charts) -> tuple[Section, ...]:
    t = result.tables
    figures = (
        f.ERROR_RATE,
        Figure("Timeouts", "ratio", "error_known", num="timeouts", indicator="timeout_rate",
               colour="c2", whole="calls", counted="timeouts"),
        Figure("Rate limited", "ratio", "error_known", num="rate_limited",
               indicator="rate_limit_rate", colour="c4", whole="calls", counted="refused"),
        Figure("Calls retried", "ratio", "retry_known", num="retried", indicator="retry_rate",
               colour="c3", whole="calls", counted="retried"),
        Figure("Gateway cache hits", "ratio", "cache_known", num="cache_hits",
               indicator="cache_hit_rate", colour="c1", whole="calls", counted="hits"),
    )  # fmt: skip
    classes = view(
        t.get("error_classes"), (text("Class", "error_class"), count("Calls", "calls")),
        "Failed calls by class", note="A guardrail block is not an error.",
    )  # fmt: skip
    reasons = view(
        t.get("finish_reasons"),
        (text("Finish reason", "finish_reason"), count("Calls", "calls")),
        "How calls ended",
    )
    by_model = errors_by_model(t.get("error_classes_by_model"))
    main = Section(
        "errors",
        "",
        tiles=tiles(result, figures),
        blocks=blocks(charts, [classes, reasons, by_model]),
    )
    parts = Section(
        "parts", "Where calls fail",
        choices=by_dimension(result, ERROR_COLS, "Errors", "errors"),
        absent=_missing_dimensions(result),
    )  # fmt: skip
    absent = []
    if reasons is None:
        words = "no call says why it stopped. Log"
        absent.append(Absent("Finish reasons", words, "finish_reason"))
    if not any_of(t.get("overall"), "retry_known"):
        words = "not logged. Log the number of tries after the first,"
        absent.append(Absent("Retries", words, "retries"))
    found = [
        objectives(result, "errors"),
        or_absent(main, "Errors", "no call says how it ended. Log", "status, error_type"),
    ]
    if absent:
        found.append(Section("not-logged", "Not logged", absent=tuple(absent)))
    return (*found, parts)


def _guardrails(result: ReadinessResult, charts: Charts) -> Section:
    figures = (
        f.TRIGGERS,
        Figure("Blocked", "ratio", "guard_calls", num="guard_blocked",
               indicator="guardrail_block_rate", colour="c2"),
        Figure("Bypassed", "ratio", "guard_calls", num="guard_bypassed",
               indicator="guardrail_bypass_rate", colour="c5"),
    )  # fmt: skip
    cols = (
        text("Guardrail", "name"), text("Stage", "stage"), count("Calls checked", "calls"),
        rate("Triggered", "triggered", "calls"), rate("Blocked", "blocked", "calls"),
        rate("Bypassed", "bypassed", "calls"),
        rate("Coverage", "calls", "all_calls", "calls on which it ran / all calls"),
        time_us("Added, p50", "latency_p50"), time_us("Added, p95", "latency_p95"),
    )  # fmt: skip
    table = view(result.tables.get("guardrails"), cols, "Guardrails by name and stage",
                 note="Rates are of the calls on which the guardrail ran."
                      + ("" if "guardrail_cost" in result.tables else
                         " The log carries no cost of a check, so its share of the cost cannot be "
                         "told."))  # fmt: skip
    cost = view(
        result.tables.get("guardrail_cost"),
        (count("Checks", "checks"), count("Say their cost", "costed"),
         Col("Cost", "nano_usd", "own"),
         count("Calls that checks make", "calls"), Col("Cost of those", "nano_usd", "below"),
         rate("Of what calls cost", "spent", "cost", "both costs / cost of all calls")),
        "What guardrails cost",
    )  # fmt: skip
    matrix = view(
        result.tables.get("guardrail_matrix"),
        (
            text("Guards against", "guards"), text("Guardrail", "guardrail"),
            rate("Ran on", "calls", "every", "calls on which it ran / all calls"),
            count("Bypassed", "bypassed"), text("Last tested", "tested"),
        ),
        "What must be guarded",
    )  # fmt: skip
    crowds = view(
        result.tables.get("trigger_spikes"),
        (text("When or who", "who"), count("Calls triggered", "triggered"),
         rate("Trigger rate", "triggered", "checked"),
         rate("Of all triggers", "triggered", "every")),
        "Triggers that crowd",
    )  # fmt: skip
    labels = view(
        result.tables.get("guardrail_labels"),
        (text("Guardrail", "guardrail"),
         rate("Recall", "caught", "attacks", "attacks caught / attacks that people labelled"),
         rate("Precision", "caught", "triggers", "attacks caught / times it triggered"),
         count("Items", "items")),
        "Guardrails against people",
    )  # fmt: skip
    attacks = view(
        result.tables.get("red_team"),
        (text("Attack", "attack"), rate("Withstood", "withstood", "tried"), text("Tool", "tool"),
         text("File", "file")),
        "Attacks by a red team",
    )  # fmt: skip
    made = Section(
        "guardrails", "Guardrails", "How often checks trigger, block and are bypassed",
        tiles=tiles(result, figures),
        blocks=blocks(pick(charts, "guard"), [table, cost, matrix, crowds, labels, attacks]),
    )  # fmt: skip
    return or_absent(made, "Guardrails", "no check is logged. Log",
                      "guardrails[].name, .stage, .triggered, .action, .latency_ms",
                      result.not_applicable.get("guardrail_checks"))  # fmt: skip


def _retrieval(result: ReadinessResult, charts: Charts) -> Section:
    figures = (
        f.HITS,
        Figure("Empty retrievals", "ratio", "retrieval_chunks_known", num="retrieval_empty",
               indicator="retrieval_empty_rate", colour="c2", sample="retrievals"),
        Figure("Failed retrievals", "ratio", "retrievals", num="retrieval_failed",
               indicator="retrieval_failed_rate", colour="c5", sample="retrievals"),
    )  # fmt: skip
    cols = (
        text("Index", "index_version"), text("Embedding model", "embedding_model"),
        count("Retrievals", "retrievals"), rate("Hits", "hits", "known"),
        rate("Empty", "empty", "chunks_known"), rate("Failed", "failed", "retrievals"),
        mean("Chunks", "count", "chunks", "chunks_known"),
        mean("Top score", "score", "score_sum", "score_n"),
        rate("Recall", "expected_found", "expected", "expected chunks that were found"),
        time_us("p95", "latency_p95"),
    )  # fmt: skip
    table = view(
        result.tables.get("retrieval"),
        cols,
        "Retrieval by index and embedding model",
        note="A failed retrieval counts as no hit; one that found nothing did not fail.",
    )
    chunks = view(result.tables.get("chunks"),
                  (text("Chunk", "chunk"), count("Retrievals", "retrievals")),
                  "Chunks used most", top=8,
                  note="A log tells only of chunks that were retrieved; which ones never are takes "
                       "the list of an index.")  # fmt: skip
    made = Section(
        "retrieval",
        "Retrieval",
        "Whether the right passages are found",
        tiles=tiles(result, figures),
        blocks=blocks(pick(charts, "retriev", "chunk"), [table, chunks]),
    )
    return or_absent(made, "Retrieval", "no retrieval is logged. Log",
                      "retrieval.chunk_ids, .hit, .scores, .index_version, .latency_ms",
                      result.not_applicable.get("retrievals"))  # fmt: skip


def _tools(result: ReadinessResult, charts: Charts) -> Section:
    figures = (
        f.TOOL_ERRORS,
        Figure("Tool timeouts", "ratio", "tool_known", num="tool_timeouts",
               indicator="tool_timeout_rate", colour="c2", sample="tool calls"),
        Figure("Invalid arguments", "ratio", "tool_args_known", num="tool_args_invalid",
               indicator="tool_invalid_argument_rate", colour="c4", sample="tool calls"),
        Figure("Answered by a fallback", "ratio", "tool_fallback_known", num="tool_fallbacks",
               indicator="tool_fallback_rate", colour="c6", sample="tool calls"),
    )  # fmt: skip
    cols = (
        text("Tool", "tool"),
        count("Calls", "calls"),
        rate("Errors", "errors", "known"),
        rate("Timeouts", "timeouts", "known"),
        rate("Invalid arguments", "args_invalid", "args_known"),
        rate("Fallbacks", "fallbacks", "fallback_known"),
        time_us("p50", "latency_p50"),
        time_us("p95", "latency_p95"),
        Col(
            "Share of latency",
            "ratio",
            num="latency_sum",
            den="calls_latency_sum",
            hint="time in the tool / time of all calls",
            parts="us",
        ),
    )
    table = view(
        result.tables.get("tools"), cols, "Tools", note="A timed-out tool call is an error too."
    )
    declared = view(
        result.tables.get("tool_declarations"),
        (
            text("Tool", "tool"),
            text("Schema", "schema"),
            time_us("Timeout", "timeout"),
            rate("Over its timeout", "over", "timed"),
            count("Invalid arguments", "invalid"),
            count("Of these handled", "handled", "refused, or answered by a fallback"),
            text("Fallback", "fallback"),
            text("MCP server", "mcp"),
        ),
        "Tools as declared",
    )
    made = Section(
        "tools", "Tools", "Whether tools answer, and how long they take",
        tiles=tiles(result, figures), blocks=blocks(pick(charts, "tool"), [table, declared]),
    )  # fmt: skip
    return or_absent(made, "Tools", "no tool call is logged. Log",
                      "tool_calls[].name, .status, .latency_ms, .arguments_valid",
                      result.not_applicable.get("tool_calls"))  # fmt: skip


def quality(result: ReadinessResult, charts: Charts) -> tuple[Section, ...]:
    parts = (_guardrails(result, charts), _retrieval(result, charts), _tools(result, charts))
    placed = {b.chart.id for part in parts for b in part.blocks if b.chart is not None}
    rest = blocks(c for c in charts if c.id not in placed)
    found = [objectives(result, "quality"), *parts]
    if rest:
        found.append(Section("further", "Further", blocks=rest))
    return (*found, _review(result))


def _review(result: ReadinessResult) -> Section:
    title = "Actions and human review"
    cols = (
        text("Action", "action"), text("Declared tier", "tier"), text("Logged tier", "logged"),
        text("Review", "review"), count("Times", "actions"),
        mean("To review, mean", "us", "latency_us", "latency_n"),
    )  # fmt: skip
    note = "Tier 1 runs by itself, 2 is reviewed, 3 is approved beforehand."
    table = view(result.tables.get("actions"), cols, title, note=note)
    made = Section("review", title, "What was done in the real world, and who looked at it",
                   blocks=blocks((), [table, traces(result, "action_traces",
                   ("Action", "What is missing"), "Actions without their review")]))  # fmt: skip
    words = "none is logged, or none is declared in [[action]]. Log"
    return or_absent(made, title, words, "action.name, .tier, .review, .review_latency_ms")


BUILDERS: Final[dict[str, Callable[[ReadinessResult, Charts], tuple[Section, ...]]]] = {
    "latency": latency,
    "errors": errors,
    "quality": quality,
    "evaluation": evaluation,
}
