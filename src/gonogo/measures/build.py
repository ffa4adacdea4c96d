"""The tables of a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from gonogo.config.model import Config
from gonogo.conventions import BIN_SECONDS, OTHER, UNKNOWN
from gonogo.measures import columns as c
from gonogo.measures.frames import (
    DISTRIBUTIONS,
    REQUESTS,
    Distributions,
    Row,
    Sums,
    describe,
    known,
    quantiles,
    sums_by,
)
from gonogo.measures.guards import guardrail_cost_table
from gonogo.measures.segments import numbered
from gonogo.measures.traffic import observed_seconds, timed_calls
from gonogo.records import YES
from gonogo.results import Table
from gonogo.rollup.counting import largest
from gonogo.rollup.partial import (
    EVALUATION_SUMS,
    GUARDRAIL_SUMS,
    PAIR_SEPARATOR,
    PAIRS,
    REQUEST_SUMS,
    RETRIEVAL_SUMS,
    TENANT_SUMS,
    TOOL_SUMS,
    Partial,
)
from gonogo.rollup.select import Calendar
from gonogo.stats.histogram import Histogram, borders

_HOUR: Final = 3_600
_COARSE: Final = 8
_TOP_MODELS: Final = 5
_table = c.made


def build_tables(
    partial: Partial, config: Config, calendar: Calendar, distributions: Distributions
) -> dict[str, Table]:
    """Every table that the partial has data for, by id."""
    return _Builder(partial, config, calendar, distributions).tables()


class _Builder:
    def __init__(
        self, partial: Partial, config: Config, calendar: Calendar, distributions: Distributions
    ) -> None:
        self.partial, self.config, self.zone = partial, config, ZoneInfo(config.timezone)
        self.mixes, self.hours = Sums.by_mix(partial), Sums.by_hour(partial, calendar)
        self.distributions = distributions
        self.everything: Row = next(iter(sums_by(self.mixes, [])), {})

    def tables(self) -> dict[str, Table]:
        made: list[Table] = []
        if self.everything:
            made.append(self._overall())
            made += [self._by(name) for name in known(self.mixes)]
            made += [self._tenants()] if self._known_tenants() else []
            made += [self._times("hours", "hour", _HOUR), self._times("days", "day", 24 * _HOUR)]
            made += self._outcomes()
            made += [
                self._guardrails(),
                self._guardrail_hours(),
                guardrail_cost_table(self.partial),
                self._tools(),
                self._retrieval(),
                self._chunks(),
                *self._scores(),
            ]
            made += [
                self._distribution("latency"),
                self._distribution("ttft"),
                self._heatmap(),
                self._costs(),
            ]
        made.append(self._objective_bins())
        return {table.id: table for table in made if table.height}

    def _histograms(self, dimension: str, values: Sequence[Any]) -> dict[str, Histogram]:
        return {
            key: self.distributions.get(metrics, dimension, values)
            for key, metrics in DISTRIBUTIONS.items()
        }

    def _measured(self, sums: Row, histograms: dict[str, Histogram]) -> Row:
        row = dict(sums)
        for key, histogram in histograms.items():
            row |= describe(key, histogram, sums)
        # A sum over nothing is not zero: it is not there.
        for key in ("input_tokens", "output_tokens", "cost"):
            if not sums[f"{key}_n"]:
                row[key] = None
        return row

    def _overall(self) -> Table:
        row = self._measured(self.everything, self._histograms("", self._hours_counted()))
        bins = timed_calls(self.partial, "calls").group_by("bin").agg(pl.col("calls").sum())
        row |= {
            "sessions": self.partial.sessions.count(),
            "users": self.partial.users.count(),
            "minutes": None,
            "peak_bin_calls": None,
        }
        if bins.height:
            minutes = observed_seconds(self.partial) // 60
            row |= {"minutes": minutes, "peak_bin_calls": largest(bins["calls"])}
        row |= self._requests()
        return _table("overall", "All calls", (*c.MEASURES, *c.OVERALL_ONLY), [row])

    def _requests(self) -> Row:
        """Whole requests, by their root spans."""
        frame = self.partial.frames["requests"]
        if not frame.height:
            return {}
        sums = {name: int(frame[name].sum()) for name in REQUEST_SUMS}
        failed = int(frame.filter(pl.col("failed") == YES)["request_n"].sum())
        hours = self.distributions.values(REQUESTS, "")
        found = describe("request", self.distributions.get((REQUESTS,), "", hours), sums)
        return {**found, "requests_failed": failed}

    def _hours_counted(self) -> list[Any]:
        """The hours that some histogram has, each once; None is that of calls without a time."""
        metrics = {metric for group in DISTRIBUTIONS.values() for metric in group}
        return list({hour for m in metrics for hour in self.distributions.values(m, "")})

    def _by(self, name: str) -> Table:
        sums = sums_by(self.mixes, [name])
        groups = _top(sums, name, "calls", self.config.top)
        rows = []
        for label, members in groups:
            values = [m[name] for m in members]
            row = self._measured(_added(members), self._histograms(name, values))
            rows.append({"value": label, **row})
        title = f"By {name.replace('_', ' ')}"
        return _table(
            f"by_{name}",
            title,
            (c.value("value", name.replace("_", " "), "text"), *c.MEASURES),
            rows,
        )

    def _known_tenants(self) -> bool:
        tenants = self.partial.frames["tenants"]["tenant_id"]
        return tenants.null_count() < len(tenants)

    def _tenants(self) -> Table:
        frame = (
            self.partial.frames["tenants"]
            .group_by("tenant_id")
            .agg(pl.col(name).sum() for name in TENANT_SUMS)
        )
        rows = [
            {"value": label, **_added(members)}
            for label, members in _top(
                frame.sort("tenant_id", nulls_last=True).to_dicts(), "tenant_id", "calls", None
            )
        ]
        keys = {*TENANT_SUMS}
        shown = [m for m in c.MEASURES if m.key in keys or {m.num, m.den} <= keys]
        return _table(
            "by_tenant_id", "By tenant", (c.value("value", "tenant", "text"), *shown), rows
        )

    def _times(self, table_id: str, unit: str, seconds: int) -> Table:
        dated = self.hours
        if unit == "day":
            children = dated.children().items()
            dated = replace(dated, **{name: self._with_day(part) for name, part in children})
        hours_of = self._hours_of(unit)
        rows = []
        for sums in sums_by(dated, [unit]):
            start = sums[unit]
            if start is None:
                continue
            row = self._measured(sums, self._histograms("", hours_of.get(start, [start])))
            rows.append({"start": start, "partial": self._is_partial(start, seconds), **row})
        title = "By hour" if unit == "hour" else "By day"
        return _table(
            table_id,
            title,
            (c.value("start", unit, "time"), c.hidden("partial"), *c.MEASURES),
            rows,
        )

    def _with_day(self, frame: pl.DataFrame) -> pl.DataFrame:
        days = {hour: self._day(hour) for hour in frame["hour"].drop_nulls().unique()}
        return frame.with_columns(
            day=pl.col("hour").replace_strict(days, default=None, return_dtype=pl.Int64)
        )

    def _day(self, hour: int) -> int:
        local = datetime.fromtimestamp(hour, self.zone)
        return int(datetime(local.year, local.month, local.day, tzinfo=self.zone).timestamp())

    def _hours_of(self, unit: str) -> dict[int, list[int]]:
        if unit == "hour":
            return {}
        found: dict[int, list[int]] = {}
        for hour in self.hours.calls["hour"].drop_nulls().unique().sort().to_list():
            found.setdefault(self._day(hour), []).append(hour)
        return found

    def _is_partial(self, start: int, seconds: int) -> bool:
        """Whether the data begin or end inside the interval, so that it is not whole."""
        first, last = self.partial.first_us, self.partial.last_us
        if first is None or last is None:
            return False
        begins = first // 1_000_000 >= start + BIN_SECONDS
        return begins or last // 1_000_000 < start + seconds - BIN_SECONDS

    def _outcomes(self) -> list[Table]:
        errors = self.partial.frames["errors"]
        by_class = errors.group_by("error_class").agg(pl.col("calls").sum())
        by_model = errors.group_by(["model", "error_class"]).agg(pl.col("calls").sum())
        reasons = (
            self.partial.frames["finish_reasons"]
            .group_by("finish_reason")
            .agg(pl.col("calls").sum())
        )
        calls = c.value("calls", "calls", "count")
        kind, model = c.value("error_class", "class", "text"), c.value("model", "model", "text")
        reason = c.value("finish_reason", "finish reason", "text")
        return [
            _table("error_classes", "Errors by class", (kind, calls), _ranked(by_class)),
            _table(
                "error_classes_by_model",
                "Errors by model and class",
                (model, kind, calls),
                _ranked(by_model),
            ),
            _table("finish_reasons", "Finish reasons", (reason, calls), _ranked(reasons)),
        ]

    def _guardrails(self) -> Table:
        frame = self.partial.frames["guardrails"]
        sums = _summed(frame, ["name", "stage"], GUARDRAIL_SUMS)
        for row in sums:
            histogram = self._paired("guardrail_latency", "guardrail", row)
            row.update(quantiles("latency", histogram, ("p50", "p95", "p99")))
            row["all_calls"] = self.everything["calls"] + self.everything["guard_only"]
        return _table("guardrails", "Guardrails", c.GUARDRAILS, _named(sums, "name", "stage"))

    def _paired(self, metric: str, scope: str, row: Row) -> Histogram:
        pair = PAIR_SEPARATOR.join(row[name] or "" for name in PAIRS[scope])
        return self.distributions.get((metric,), scope, (pair,))

    def _guardrail_hours(self) -> Table:
        sums = _summed(
            self.partial.frames["guardrails"].filter(pl.col("hour").is_not_null()),
            ["hour", "name", "stage"],
            ("calls", "known", "triggered"),
        )
        rows = [{"start": row["hour"], **row} for row in _named(sums, "name", "stage")]
        shape = (
            c.value("start", "hour", "time"),
            c.value("name", "guardrail", "text"),
            c.value("stage", "stage", "text"),
            c.value("calls", "calls checked", "count"),
            c.hidden("known"),
            c.hidden("triggered"),
            c.ratio("trigger_rate", "triggered", "triggered", "known"),
        )
        return _table("guardrail_hours", "Guardrail triggers by hour", shape, rows)

    def _tools(self) -> Table:
        sums = _summed(self.partial.frames["tool_calls"], ["tool"], TOOL_SUMS)
        rows = []
        for label, members in _top(sums, "tool", "calls", self.config.top):
            row = _added(members)
            histogram = self.distributions.get(
                ("tool_latency",), "tool", [m["tool"] for m in members]
            )
            row |= quantiles("latency", histogram, ("p50", "p95", "p99"))
            rows.append({**row, "tool": label, "calls_latency_sum": self.everything["latency_sum"]})
        return _table("tools", "Tools", c.TOOLS, rows)

    def _retrieval(self) -> Table:
        sums = _summed(
            self.partial.frames["retrievals"], ["index_version", "embedding_model"], RETRIEVAL_SUMS
        )
        for row in sums:
            histogram = self._paired("retrieval_latency", "index", row)
            row.update(quantiles("latency", histogram, ("p95",)))
        return _table(
            "retrieval",
            "Retrieval by index version",
            c.RETRIEVAL,
            _named(sums, "index_version", "embedding_model"),
        )

    def _chunks(self) -> Table:
        frame = self.partial.frames["chunks"].group_by("chunk").agg(pl.col("retrievals").sum())
        rows = _ranked(frame, "retrievals", self.config.top)
        shape = (c.value("chunk", "chunk", "text"), c.value("retrievals", "retrievals", "count"))
        note = f"{frame.height:,} different chunks were retrieved"
        return _table("chunks", "Chunks retrieved most", shape, rows, note)

    def _scores(self) -> list[Table]:
        frame = self.partial.frames["evaluations"]
        whole = _named(_summed(frame, ["evaluation"], EVALUATION_SUMS), "evaluation")
        made = [_table("online_scores", "Online scores", c.ONLINE_SCORES, whole)]
        if frame["release"].n_unique() > 1:
            keys = ("evaluation", "release")
            rows = _named(_summed(frame, list(keys), EVALUATION_SUMS), *keys)
            title = "Online scores by release"
            made.append(_table(f"{made[0].id}_by_release", title, c.ONLINE_SCORES_BY_RELEASE, rows))
        return made

    def _distribution(self, key: str) -> Table:
        metrics = DISTRIBUTIONS[key]
        groups: list[tuple[str, Histogram]] = [
            ("all calls", self.distributions.get(metrics, "", self._hours_counted()))
        ]
        models = _top(sums_by(self.mixes, ["model"]), "model", "calls", _TOP_MODELS)
        groups += [
            (label, self.distributions.get(metrics, "model", [m["model"] for m in members]))
            for label, members in models
            if label not in (OTHER, UNKNOWN)
        ]
        rows = [
            {"group": label, "upper": upper, "count": count}
            for label, histogram in groups
            for upper, count in _coarse(histogram)
        ]
        shape = (
            c.value("group", "calls", "text"),
            c.value("upper", "up to", "us"),
            c.value("count", "calls", "count"),
        )
        name = "Latency" if key == "latency" else "Time to first token"
        return _table(f"{key}_distribution", f"{name}, distribution", shape, rows)

    def _heatmap(self) -> Table:
        cells: dict[tuple[int, int], list[Row]] = {}
        for row in sums_by(self.hours, ["hour"]):
            if row["hour"] is not None:
                local = datetime.fromtimestamp(row["hour"], self.zone)
                cells.setdefault((local.weekday(), local.hour), []).append(row)
        rows = []
        for (weekday, hour), members in sorted(cells.items()):
            histogram = self.distributions.get(
                DISTRIBUTIONS["latency"], "", [m["hour"] for m in members]
            )
            rows.append(
                {
                    **_added(members),
                    **quantiles("latency", histogram, ("p95",)),
                    "weekday": weekday,
                    "hour": hour,
                }
            )
        shape = (
            c.value("weekday", "weekday (0 = Monday)", "count"),
            c.value("hour", "hour", "count"),
            c.value("calls", "calls", "count"),
            c.hidden("errors"),
            c.hidden("error_known"),
            c.ratio("error_rate", "error rate", "errors", "error_known"),
            c.hidden("latency_n"),
            c.value("latency_p95", "latency, p95", "us"),
        )
        return _table("heatmap", "By weekday and hour", shape, rows)

    def _costs(self) -> Table:
        timed = self.hours.calls.filter(pl.col("hour").is_not_null())
        quarter = pl.col("day") + (pl.col("hour") - pl.col("day")) // (6 * _HOUR) * (6 * _HOUR)
        frame = timed.with_columns(start=quarter)
        models = {
            m["model"]: label
            for label, members in _top(
                sums_by(self.mixes, ["model"]), "model", "calls", _TOP_MODELS
            )
            for m in members
        }
        rows: dict[tuple[int, str], Row] = {}
        for row in _summed(frame, ["start", "model"], ("cost", "cost_n", "calls")):
            key = (row["start"], models[row["model"]])
            rows[key] = _added([rows[key], row]) if key in rows else row
        if not any(row["cost_n"] for row in rows.values()):
            rows = {}
        made = [
            {**row, "start": start, "model": model} for (start, model), row in sorted(rows.items())
        ]
        shape = (
            c.value("start", "from", "time"),
            c.value("model", "model", "text"),
            c.value("cost", "cost", "nano_usd"),
            c.hidden("cost_n"),
            c.value("calls", "calls", "count"),
        )
        return _table("cost_by_model", "Cost by model", shape, made)

    def _objective_bins(self) -> Table:
        pairs = [(k, o.id) for o, numbers in numbered(self.partial, self.config) for k in numbers]
        text = {"objective": pl.String, "id": pl.String}  # there may be no objective at all
        ids = pl.DataFrame(pairs, schema=text, orient="row")
        frame = self.partial.frames["objectives"].filter(pl.col("bin").is_not_null())
        named = frame.join(ids, on="objective").with_columns(objective=pl.col("id"))
        hourly = named.with_columns(start=pl.col("bin") - pl.col("bin") % _HOUR)
        sums = _summed(hourly, ["objective", "start"], ("good", "total"))
        place = {name: k for k, (_, name) in enumerate(pairs)}
        rows = [row for row in sums if row["total"]]
        rows.sort(key=lambda row: (place[row["objective"]], row["start"]))
        shape = (
            c.value("objective", "objective", "text"),
            c.value("start", "hour", "time"),
            c.value("good", "good", "count"),
            c.value("total", "total", "count"),
        )
        return _table("objective_bins", "Objectives by hour", shape, rows)


def _summed(frame: pl.DataFrame, by: list[str], sums: Sequence[str]) -> list[Row]:
    grouped = frame.group_by(by).agg(pl.col(name).sum() for name in sums)
    return grouped.sort(by, nulls_last=True).to_dicts()


def _named(rows: list[Row], *keys: str) -> list[Row]:
    return [{**row, **{k: row[k] if row[k] else UNKNOWN for k in keys}} for row in rows]


def _ranked(frame: pl.DataFrame, by: str = "calls", number: int | None = None) -> list[Row]:
    texts = [name for name in frame.columns if name != by]
    ranked = frame.sort([by, *texts], descending=[True, *(False for _ in texts)], nulls_last=True)
    return _named(ranked[:number].to_dicts(), *texts)


def _added(rows: Sequence[Row]) -> Row:
    keys = [k for k, v in rows[0].items() if isinstance(v, int) and not isinstance(v, bool)]
    if len(rows) == 1:
        return {k: rows[0][k] for k in keys}
    return {k: sum(row[k] or 0 for row in rows) for k in keys}


def _top(
    rows: Sequence[Row], key: str, count: str, number: int | None
) -> list[tuple[str, list[Row]]]:
    """(label, members): the largest values by name, then the rest as one, then the unknown."""
    known = [row for row in rows if row[key] is not None]
    unknown = [row for row in rows if row[key] is None]
    ranked = sorted(known, key=lambda row: (-row[count], row[key]))
    cut = len(ranked) if number is None or len(ranked) <= number else number
    groups = [(str(row[key]), [row]) for row in ranked[:cut]]
    if ranked[cut:]:
        groups.append((OTHER, ranked[cut:]))
    if unknown and any(row[count] for row in unknown):
        groups.append((UNKNOWN, unknown))
    return groups


def _coarse(histogram: Histogram) -> list[tuple[int, int]]:
    """(upper border, count) of buckets sixteen to an octave."""
    edges = borders()
    counts: dict[int, int] = {}
    for bucket, count in zip(histogram.buckets.tolist(), histogram.counts.tolist(), strict=True):
        at = min((bucket // _COARSE + 1) * _COARSE, len(edges) - 1)
        counts[int(edges[at])] = counts.get(int(edges[at]), 0) + count
    return sorted(counts.items())
