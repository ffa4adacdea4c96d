"""All result tables of the made-up week, counted in plain Python from `synthetic_calls`."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from gonogo.results import Column, Table
from synthetic_calls import HOUR, LAST, START, Call, Check, Retrieval, Tool

Row = dict[str, Any]
DAY = 24 * HOUR

_RATIOS = {
    "error_rate": ("Error rate", "errors", "error_known"),
    "timeout_rate": ("Timeout rate", "timeouts", "error_known"),
    "rate_limit_rate": ("Rate-limit rate", "rate_limited", "error_known"),
    "retry_rate": ("Retry rate", "retried", "retry_known"),
    "cache_hit_rate": ("Cache hit rate", "cache_hits", "cache_known"),
    "guardrail_trigger_rate": ("Guardrail trigger rate", "guard_triggered", "guard_calls"),
    "guardrail_block_rate": ("Guardrail block rate", "guard_blocked", "guard_calls"),
    "guardrail_bypass_rate": ("Guardrail bypass rate", "guard_bypassed", "guard_calls"),
    "retrieval_hit_rate": ("Retrieval hit rate", "retrieval_hits", "retrieval_known"),
    "retrieval_empty_rate": ("Empty rate", "retrieval_empty", "retrieval_chunks_known"),
    "retrieval_failed_rate": ("Failed rate", "retrieval_failed", "retrievals"),
    "tool_error_rate": ("Tool error rate", "tool_errors", "tool_known"),
    "tool_timeout_rate": ("Tool timeout rate", "tool_timeouts", "tool_known"),
    "tool_invalid_argument_rate": ("Invalid arguments", "tool_args_invalid", "tool_args_known"),
    "tool_fallback_rate": ("Fallback rate", "tool_fallbacks", "tool_fallback_known"),
}
_MEANS: dict[str, tuple[str, Any, str, str]] = {
    "latency_mean": ("Mean latency", "us", "latency_sum", "latency_n"),
    "latency_ok_mean": ("Mean latency, successful", "us", "latency_ok_sum", "latency_ok_n"),
    "ttft_mean": ("Mean TTFT", "us", "ttft_sum", "ttft_n"),
    "tps_mean": ("Mean output tokens/s", "milli_tps", "tps_sum", "tps_n"),
    "cost_per_call": ("Cost per call", "nano_usd", "cost", "cost_n"),
    "chunks_per_retrieval": ("Chunks", "count", "retrieval_chunks", "retrieval_chunks_known"),
}
_SHOWN: dict[str, tuple[str, Any]] = {
    "calls": ("Calls", "count"),
    "latency_p50": ("p50 latency", "us"),
    "latency_p95": ("p95 latency", "us"),
    "latency_p99": ("p99 latency", "us"),
    "cost": ("Cost", "nano_usd"),
}


def spread(name: str, values: Sequence[int], moments: bool = True) -> Row:
    """n, sum, min, max, sd and nearest-rank quantiles of integers, keys prefixed by `name`."""
    v = sorted(values)
    row: Row = {f"{name}_n": len(v), f"{name}_sum": sum(v)}
    if moments:
        row |= {f"{name}_min": v[0] if v else None, f"{name}_max": v[-1] if v else None}
        mean = sum(v) / len(v) if v else 0
        row[f"{name}_sd"] = int(math.sqrt(sum((x - mean) ** 2 for x in v) / len(v))) if v else None
    for q in (50, 90, 95, 99) if moments else (50, 95, 99):
        row[f"{name}_p{q}"] = v[-(-q * len(v) // 100) - 1] if v else None
    return row


def _count(items: Iterable[Any], test: Callable[[Any], Any]) -> int:
    return sum(1 for i in items if test(i))


def measures(calls: Sequence[Call]) -> Row:
    """The measure columns of tables.md over some calls."""
    warm = [c for c in calls if not c.cache_hit]
    ok = [c for c in warm if c.error_class is None]
    retrievals = [c.retrieval for c in calls if c.retrieval]
    tools = [t for c in calls for t in c.tools]
    first = [c.ttft for c in warm if c.ttft is not None]
    rates = [c.output_tokens * 10**9 // c.latency for c in ok if c.output_tokens]
    row: Row = {
        "calls": len(calls),
        "errors": _count(calls, lambda c: c.error_class),
        "error_known": len(calls),
        "timeouts": _count(calls, lambda c: c.error_class == "timeout"),
        "rate_limited": _count(calls, lambda c: c.error_class == "rate_limit"),
        "retried": _count(calls, lambda c: c.retried),
        "retry_known": len(calls),
        "cache_hits": _count(calls, lambda c: c.cache_hit),
        "cache_known": len(calls),
    }
    row |= spread("latency", [c.latency for c in warm]) | {"latency_eligible": len(warm)}
    row |= spread("latency_ok", [c.latency for c in ok])
    row |= spread("ttft", first) | {"ttft_eligible": len(first)}
    row |= spread("tps", rates)
    row |= {
        "input_tokens": sum(c.input_tokens for c in calls), "input_tokens_n": len(calls),
        "output_tokens": sum(c.output_tokens for c in calls), "output_tokens_n": len(calls),
        "cache_read_tokens": 0, "cache_write_tokens": 0, "reasoning_tokens": 0,
        "cost": sum(c.cost for c in calls), "cost_n": len(calls),
        "session_cost": sum(c.cost for c in calls),
        "sessions": len({c.session for c in calls}), "users": len({c.session for c in calls}),
        "guard_calls": _count(calls, lambda c: c.checks),
        "guard_triggered": _count(calls, lambda c: any(k.triggered for k in c.checks)),
        "guard_blocked": _count(calls, lambda c: any(k.blocked for k in c.checks)),
        "guard_bypassed": _count(calls, lambda c: any(k.bypassed for k in c.checks)),
        "retrievals": len(retrievals), "retrieval_known": len(retrievals),
        "retrieval_hits": _count(retrievals, lambda r: r.hit),
        "retrieval_chunks_known": _count(retrievals, lambda r: not r.failed),
        "retrieval_empty": _count(retrievals, lambda r: not r.failed and not r.chunks),
        "retrieval_failed": _count(retrievals, lambda r: r.failed),
        "retrieval_chunks": sum(len(r.chunks) for r in retrievals),
        "tool_calls": len(tools), "tool_known": len(tools),
        "tool_errors": _count(tools, lambda t: t.status != "ok"),
        "tool_timeouts": _count(tools, lambda t: t.status == "timeout"),
        "tool_args_known": len(tools), "tool_args_invalid": _count(tools, lambda t: t.invalid),
        "tool_fallback_known": len(tools), "tool_fallbacks": _count(tools, lambda t: t.fallback),
        "tool_sum": sum(t.latency for t in tools),
    }  # fmt: skip
    return row


def table(
    name: str, title: str, first: Sequence[Column], rows: Sequence[Row],
    ratios: dict[str, tuple[str, str, str]] | None = None,
    means: dict[str, tuple[str, Any, str, str]] | None = None,
) -> Table:  # fmt: skip
    """A Table of `rows`: the `first` columns, derived ones, and the rest shown or hidden."""
    keys = list(rows[0]) if rows else [c.key for c in first]
    have = {c.key for c in first}
    rest = [k for k in keys if k not in have]
    columns = list(first)
    columns += [Column(key=k, title=_SHOWN[k][0], unit=_SHOWN[k][1]) for k in rest if k in _SHOWN]
    columns += [
        Column(key=k, title=t, unit="ratio", kind="ratio", num=n, den=d)
        for k, (t, n, d) in (ratios or {}).items()
    ]
    columns += [
        Column(key=k, title=t, unit=u, kind="mean", num=n, den=d)
        for k, (t, u, n, d) in (means or {}).items()
    ]
    columns += [
        Column(key=k, title=k, unit="count", kind="hidden") for k in rest if k not in _SHOWN
    ]
    return Table(
        id=name, title=title, columns=tuple(columns), data={k: [r[k] for r in rows] for k in keys}
    )


def text(key: str, title: str) -> Column:
    return Column(key=key, title=title, unit="text")


def count(key: str, title: str) -> Column:
    return Column(key=key, title=title, unit="count")


def _split(calls: Sequence[Call], key: Callable[[Call], Any]) -> dict[Any, list[Call]]:
    found: dict[Any, list[Call]] = defaultdict(list)
    for call in calls:
        found[key(call)].append(call)
    return dict(sorted(found.items()))


def _measured(name: str, title: str, first: Sequence[Column], rows: Sequence[Row]) -> Table:
    return table(name, title, first, rows, _RATIOS, _MEANS)


def _over_time(calls: Sequence[Call], name: str, title: str, width: int) -> Table:
    groups = _split(calls, lambda c: c.start - (c.start - START) % width)
    starts = range(START, max(groups) + 1, width)
    rows = [{"start": s, "partial": s + width > LAST} | measures(groups.get(s, ())) for s in starts]
    first = (
        Column(key="start", title="Start", unit="time"),
        Column(key="partial", title="Partial", unit="text", kind="hidden"),
    )
    return _measured(name, title, first, rows)


def _by(calls: Sequence[Call], dimension: str) -> Table:
    title = f"By {dimension.replace('_', ' ')}"
    groups = _split(calls, lambda c: getattr(c, dimension))
    rows = [{"value": value} | measures(part) for value, part in groups.items()]
    rows.sort(key=lambda r: (-r["calls"], r["value"]))
    if dimension == "tenant_id":
        rows = [{k: v for k, v in r.items() if "_p" not in k} for r in rows]
    return _measured(f"by_{dimension}", title, (text("value", title[3:].capitalize()),), rows)


def _counted(name: str, title: str, keys: Sequence[Column], items: Iterable[Any]) -> Table:
    found = sorted(Counter(items).items(), key=lambda kv: (-kv[1], kv[0]))
    names = [k.key for k in keys]
    rows = [dict(zip(names, key, strict=True)) | {"calls": n} for key, n in found]
    return table(name, title, (*keys, count("calls", "Calls")), rows)


def _guardrails(calls: Sequence[Call]) -> Table:
    groups: dict[tuple[str, str], list[Check]] = defaultdict(list)
    for call in calls:
        for check in call.checks:
            groups[check.name, check.stage].append(check)
    rows = [
        {"name": n, "stage": s, "calls": len(g), "triggered": _count(g, lambda k: k.triggered),
         "blocked": _count(g, lambda k: k.blocked), "bypassed": _count(g, lambda k: k.bypassed),
         "all_calls": len(calls)} | spread("latency", [k.latency for k in g], moments=False)
        for (n, s), g in sorted(groups.items())
    ]  # fmt: skip
    ratios = {
        "trigger_rate": ("Trigger rate", "triggered", "calls"),
        "block_rate": ("Block rate", "blocked", "calls"),
        "bypass_rate": ("Bypass rate", "bypassed", "calls"),
        "coverage": ("Coverage", "calls", "all_calls"),
    }
    first = (text("name", "Guardrail"), text("stage", "Stage"))
    return table("guardrails", "Guardrails", first, rows, ratios)


def _guardrail_hours(calls: Sequence[Call]) -> Table:
    ran: Counter[tuple[int, str]] = Counter()
    hit: Counter[tuple[int, str]] = Counter()
    for call in calls:
        for check in call.checks:
            key = (call.start - call.start % HOUR, check.name)
            ran[key] += 1
            hit[key] += check.triggered
    rows = [
        {"start": s, "name": n, "calls": ran[s, n], "triggered": hit[s, n]} for s, n in sorted(ran)
    ]
    first = (
        Column(key="start", title="Start", unit="time"), text("name", "Guardrail"),
        count("calls", "Calls"), count("triggered", "Triggered"),
    )  # fmt: skip
    return table("guardrail_hours", "Guardrails by hour", first, rows)


def _tools(calls: Sequence[Call]) -> Table:
    groups: dict[str, list[Tool]] = defaultdict(list)
    for call in calls:
        for tool in call.tools:
            groups[tool.tool].append(tool)
    total = sum(c.latency for c in calls)
    rows = [
        {"tool": name, "calls": len(g), "known": len(g),
         "errors": _count(g, lambda t: t.status != "ok"),
         "timeouts": _count(g, lambda t: t.status == "timeout"),
         "args_known": len(g), "args_invalid": _count(g, lambda t: t.invalid),
         "fallback_known": len(g), "fallbacks": _count(g, lambda t: t.fallback)}
        | spread("latency", [t.latency for t in g], moments=False) | {"calls_latency_sum": total}
        for name, g in sorted(groups.items(), key=lambda kv: -len(kv[1]))
    ]  # fmt: skip
    ratios = {
        "error_rate": ("Error rate", "errors", "known"),
        "timeout_rate": ("Timeout rate", "timeouts", "known"),
        "invalid_argument_rate": ("Invalid arguments", "args_invalid", "args_known"),
        "fallback_rate": ("Fallback rate", "fallbacks", "fallback_known"),
        "latency_share": ("Share of latency", "latency_sum", "calls_latency_sum"),
    }
    return table("tools", "Tools", (text("tool", "Tool"), count("calls", "Calls")), rows, ratios)


def _retrieval(calls: Sequence[Call]) -> Table:
    groups: dict[tuple[str, str], list[Retrieval]] = defaultdict(list)
    for call in calls:
        if call.retrieval:
            r = call.retrieval
            groups[r.index_version, r.embedding_model].append(r)
    rows: list[Row] = []
    for (index, model), g in sorted(groups.items()):
        took = spread("latency", [r.latency for r in g], moments=False)
        rows.append({
            "index_version": index, "embedding_model": model, "retrievals": len(g),
            "known": len(g), "hits": _count(g, lambda r: r.hit),
            "chunks_known": _count(g, lambda r: not r.failed),
            "empty": _count(g, lambda r: not r.failed and not r.chunks),
            "failed": _count(g, lambda r: r.failed), "chunks": sum(len(r.chunks) for r in g),
            "score_n": _count(g, lambda r: r.chunks),
            "score_sum": sum(r.score for r in g if r.chunks),
            "latency_n": took["latency_n"], "latency_sum": took["latency_sum"],
            "latency_p95": took["latency_p95"], "expected": 0, "expected_found": 0,
        })  # fmt: skip
    ratios = {
        "hit_rate": ("Hit rate", "hits", "known"),
        "empty_rate": ("Empty rate", "empty", "chunks_known"),
        "failed_rate": ("Failed rate", "failed", "retrievals"),
        "recall": ("Recall", "expected_found", "expected"),
    }
    means = {"chunks_per_retrieval": ("Chunks", "count", "chunks", "chunks_known")}
    first = (
        text("index_version", "Index"), text("embedding_model", "Embedding model"),
        count("retrievals", "Retrievals"),
    )  # fmt: skip
    return table("retrieval", "Retrieval", first, rows, ratios, means)


def _distribution(calls: Sequence[Call], name: str, title: str, key: str) -> Table:
    groups = {"all calls": calls} | _split(calls, lambda c: c.model)
    rows: list[Row] = []
    for group, part in groups.items():
        values = [v for c in part if not c.cache_hit and (v := getattr(c, key)) is not None]
        buckets = Counter(math.ceil(8 * math.log2(v)) for v in values)
        rows += [
            {"group": group, "upper": int(2 ** (b / 8)), "count": buckets[b]}
            for b in sorted(buckets)
        ]
    first = (
        text("group", "Group"), Column(key="upper", title="Up to", unit="us"),
        count("count", "Calls"),
    )  # fmt: skip
    return table(name, title, first, rows)


def _heatmap(calls: Sequence[Call]) -> Table:
    def at(call: Call) -> tuple[int, int]:
        when = datetime.fromtimestamp(call.start, UTC)
        return when.weekday(), when.hour

    rows = []
    for (day, hour), part in _split(calls, at).items():
        m = measures(part)
        keys = ("calls", "errors", "error_known", "latency_n", "latency_p95")
        rows.append({"weekday": day, "hour": hour} | {k: m[k] for k in keys})
    ratios = {"error_rate": ("Error rate", "errors", "error_known")}
    first = (count("weekday", "Weekday"), count("hour", "Hour"))
    return table("heatmap", "Hour by weekday", first, rows, ratios)


def _cost(calls: Sequence[Call]) -> Table:
    width = 6 * HOUR
    groups = _split(calls, lambda c: (c.start - (c.start - START) % width, c.model))
    rows = [
        {"start": s, "model": m, "cost": sum(c.cost for c in g), "cost_n": len(g), "calls": len(g)}
        for (s, m), g in groups.items()
    ]
    first = (Column(key="start", title="Start", unit="time"), text("model", "Model"))
    return table("cost_by_model", "Cost by model", first, rows)


def tables(calls: Sequence[Call]) -> dict[str, Table]:
    """Every table of a result but `objective_bins`, by id."""
    failed = [c for c in calls if c.error_class]
    overall = measures(calls) | {"minutes": 10060, "peak_bin_calls": 31}
    found = [
        _measured("overall", "Overall", (), [overall]),
        *(
            _by(calls, d)
            for d in ("service", "environment", "release", "prompt_version", "operation",
                      "provider", "model", "tenant_id")
        ),
        _over_time(calls, "hours", "By hour", HOUR),
        _over_time(calls, "days", "By day", DAY),
        _counted("error_classes", "Errors by class", (text("error_class", "Class"),),
                 ((c.error_class,) for c in failed)),
        _counted("error_classes_by_model", "Errors by class and model",
                 (text("model", "Model"), text("error_class", "Class")),
                 ((c.model, c.error_class) for c in failed)),
        _counted("finish_reasons", "Finish reasons", (text("finish_reason", "Finish reason"),),
                 ((c.finish_reason,) for c in calls)),
        _guardrails(calls), _guardrail_hours(calls), _tools(calls), _retrieval(calls),
        _distribution(calls, "latency_distribution", "Latency distribution", "latency"),
        _distribution(calls, "ttft_distribution", "TTFT distribution", "ttft"),
        _heatmap(calls), _cost(calls),
    ]  # fmt: skip
    chunks = Counter(k for c in calls if c.retrieval for k in c.retrieval.chunks)
    top = sorted(chunks.items(), key=lambda kv: (-kv[1], kv[0]))[:20]
    rows = [{"chunk": k, "retrievals": n} for k, n in top]
    keys = (text("chunk", "Chunk"), count("retrievals", "Retrievals"))
    found.append(table("chunks", "Chunks used most", keys, rows))
    return {t.id: t for t in found}
