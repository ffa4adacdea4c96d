"""Tiles: one figure of the whole period with its trend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gonogo import display
from gonogo.charts import sparkline
from gonogo.results import ObjectiveResult, ReadinessResult, Scalar, Table
from gonogo.site.model import Tile
from gonogo.site.objectives import pill_of
from gonogo.site.tables import int_at
from gonogo.site.text import limit_text, mean_text, ratio_text, split_unit, value_text

TREND_POINTS = 56


@dataclass(frozen=True, slots=True)
class Figure:
    """What a tile shows: a stored `key` with its `den` as sample, or `num` / `den`.

    `indicator` and `statistic` name the objective whose status the tile carries; `per` multiplies
    a mean (1,000 calls). `whole` is the stored number of calls that could say it, and `counted`
    what `num` counts: where under half of them say it there is no rate, only that number.
    """

    label: str
    unit: str
    den: str
    key: str = ""
    num: str = ""
    indicator: str = ""
    statistic: str = "rate"
    colour: str = "c1"
    sample: str = "calls"
    href: str = ""
    per: int = 1
    whole: str = ""
    counted: str = ""


def _pooled(table: Table, keys: Sequence[str]) -> list[list[tuple[int | None, ...]]]:
    """Rows of `keys`, in at most TREND_POINTS groups of neighbours."""
    rows = [tuple(int_at(table, key, row) for key in keys) for row in range(table.height)]
    step = max(1, -(-len(rows) // TREND_POINTS))
    return [rows[i : i + step] for i in range(0, len(rows), step)]


def _complete(table: Table) -> Table:
    """The table without its partial rows, which would look like a drop."""
    flags: list[Scalar] = table.data.get("partial", [False] * table.height)
    keep = [i for i, flag in enumerate(flags) if not flag]
    return table.model_copy(
        update={"data": {key: [values[i] for i in keep] for key, values in table.data.items()}}
    )


def trend(hours: Table | None, figure: Figure) -> Markup | None:
    """The sparkline of a figure; None where two points are not there.

    Neighbouring hours are pooled by adding numerators and denominators; of percentiles, which do
    not add, the highest hour stands for its group.
    """
    if hours is None:
        return None
    table = _complete(hours)
    points: list[float | None] = []
    if figure.key:
        for group in _pooled(table, (figure.key,)):
            known = [value for (value,) in group if value is not None]
            points.append(max(known) if known else None)
    else:
        for group in _pooled(table, (figure.num, figure.den)):
            num = sum(n or 0 for n, _ in group)
            den = sum(d or 0 for _, d in group)
            points.append(num / den if den else None)
    if sum(p is not None for p in points) < 2:
        return None
    return Markup(sparkline(points))


def objective_for(result: ReadinessResult, figure: Figure) -> ObjectiveResult | None:
    """The objective over all calls that judges the same figure."""
    for objective in result.objectives:
        if (
            objective.indicator == figure.indicator
            and objective.statistic == figure.statistic
            and not objective.selector
            and not objective.slice_seconds
        ):
            return objective
    return None


def _value(figure: Figure, num: int, den: int) -> str:
    if figure.key:
        return value_text(num, figure.unit)
    if figure.unit == "ratio":
        return ratio_text(num, den)
    return mean_text(num * figure.per, den, figure.unit)


def tile(result: ReadinessResult, figure: Figure) -> Tile | None:
    """The tile of a figure; None where its data are absent."""
    overall = result.tables.get("overall")
    num, den = int_at(overall, figure.key or figure.num), int_at(overall, figure.den)
    if num is None or not den:
        return None
    value, unit = split_unit(_value(figure, num, den))
    objective = objective_for(result, figure)
    sample = f"{display.count(den)} {figure.sample}"
    spark = trend(result.tables.get("hours"), figure)
    whole = int_at(overall, figure.whole) if figure.whole else None
    few = False
    if whole is not None and den < whole:
        sample = f"{display.count(den)} of {display.count(whole)} {figure.sample} log it"
        if few := 2 * den < whole:
            value, unit, spark = display.count(num), figure.counted, None
            sample += ": no rate"
    return Tile(
        label=figure.label,
        value=value,
        unit=unit,
        note=f"limit {limit_text(objective, figure.per)}" if objective and not few else sample,
        pill=pill_of(objective.status) if objective else None,
        spark=spark,
        colour=figure.colour,
        href=figure.href,
    )


def tiles(result: ReadinessResult, figures: Sequence[Figure]) -> tuple[Tile, ...]:
    """The tiles of those figures whose data are there, in order."""
    made = (tile(result, figure) for figure in figures)
    return tuple(t for t in made if t is not None)


P95 = Figure("p95 latency", "us", "latency_n", key="latency_p95", indicator="latency",
             statistic="p95")  # fmt: skip
ERROR_RATE = Figure("Error rate", "ratio", "error_known", num="errors", indicator="error_rate",
                    colour="c6")  # fmt: skip
COST_PER_1000 = Figure(
    "Cost per 1,000 calls",
    "nano_usd",
    "cost_n",
    num="cost",
    indicator="cost_per_call",
    statistic="mean",
    colour="c2",
    per=1000,
)
TRIGGERS = Figure("Guardrail triggers", "ratio", "guard_calls", num="guard_triggered",
                  indicator="guardrail_trigger_rate", colour="c4")  # fmt: skip
HITS = Figure("Retrieval hits", "ratio", "retrieval_known", num="retrieval_hits",
              indicator="retrieval_hit_rate", colour="c3", sample="retrievals")  # fmt: skip
TOOL_ERRORS = Figure("Tool errors", "ratio", "tool_known", num="tool_errors",
                     indicator="tool_error_rate", sample="tool calls")  # fmt: skip
