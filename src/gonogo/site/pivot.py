"""Tables that are turned before they are shown."""

from __future__ import annotations

from collections.abc import Iterable

from gonogo import display
from gonogo.results import Table
from gonogo.site.model import Cell, TableView
from gonogo.site.tables import int_at, plain
from gonogo.site.text import clipped, mean_text, ratio_text, value_text

_POPULATIONS = (
    ("All calls, failures included", "latency", "us"),
    ("Successful calls", "latency_ok", "us"),
    ("Whole requests, by their root spans", "request", "us"),
    ("Time to first token, streamed calls", "ttft", "us"),
    ("Output tokens per second", "tps", "milli_tps"),
)
_STATISTICS = ("min", "p50", "p90", "p95", "p99", "max", "sd")


def summary(overall: Table | None) -> TableView | None:
    """One row for each distribution of the period; None where no call logs a duration."""
    rows = []
    for title, name, unit in _POPULATIONS:
        n, total = int_at(overall, f"{name}_n"), int_at(overall, f"{name}_sum")
        if not n or total is None:
            continue
        cells = [Cell(title), Cell(display.count(n), sort=str(n)),
                 Cell(mean_text(total, n, unit), sort=f"{total / n:.6g}")]  # fmt: skip
        for statistic in _STATISTICS:
            value = int_at(overall, f"{name}_{statistic}")
            cells.append(
                Cell("–") if value is None else Cell(value_text(value, unit), sort=str(value))
            )
        rows.append(cells)
    if not rows:
        return None
    heads = [("Over", False), ("n", True), ("Mean", True), ("Min", True), ("p50", True),
             ("p90", True), ("p95", True), ("p99", True), ("Max", True), ("sd", True)]  # fmt: skip
    return plain("table-latency-summary", "Distributions", heads, rows, sortable=False,
                 download="overall")  # fmt: skip


def errors_by_model(table: Table | None) -> TableView | None:
    """Failed calls, a row for each model and a column for each class; None with one model."""
    if table is None or len(set(table.data["model"])) < 2:
        return None
    counts: dict[tuple[str, str], int] = {}
    for row in range(table.height):
        key = (str(table.data["model"][row]), str(table.data["error_class"][row]))
        counts[key] = counts.get(key, 0) + (int_at(table, "calls", row) or 0)
    by_model = _totals((model, n) for (model, _), n in counts.items())
    by_class = _totals((name, n) for (_, name), n in counts.items())
    rows = [
        [
            Cell(clipped(model)),
            _tally(total),
            *(_tally(counts.get((model, c), 0)) for c in by_class),
        ]
        for model, total in by_model.items()
    ]
    heads = [("Model", False), ("Failed", True), *((clipped(c), True) for c in by_class)]
    return plain("table-errors-model-class", "Failed calls by model and class", heads, rows,
                 download="error_classes_by_model")  # fmt: skip


def _totals(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Sums by name, largest first."""
    sums: dict[str, int] = {}
    for name, n in pairs:
        sums[name] = sums.get(name, 0) + n
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))


def _tally(n: int) -> Cell:
    return Cell(display.count(n), sort=str(n))


_BUCKETS = (
    ("Input, caches included", "input_tokens"),
    ("of which read from the provider’s cache", "cache_read_tokens"),
    ("of which written to it", "cache_write_tokens"),
    ("Output, reasoning included", "output_tokens"),
    ("of which reasoning", "reasoning_tokens"),
)


def token_buckets(overall: Table | None) -> TableView | None:
    """Tokens of the period by kind; None where no call logs any."""
    sides = {
        "input": int_at(overall, "input_tokens_n"),
        "output": int_at(overall, "output_tokens_n"),
    }
    if not any(sides.values()):
        return None
    rows = []
    for title, key in _BUCKETS:
        side = "output" if key in ("output_tokens", "reasoning_tokens") else "input"
        value, whole, n = int_at(overall, key), int_at(overall, f"{side}_tokens"), sides[side]
        if value is None or not n:
            continue
        share = Cell(ratio_text(value, whole), sort=f"{value / whole:.6g}") if whole else Cell("–")
        rows.append([Cell(title), Cell(display.count(value), sort=str(value)), share,
                     Cell(mean_text(value, n, "tokens"), sort=f"{value / n:.6g}"),
                     Cell(display.count(n), sort=str(n))])  # fmt: skip
    heads = [("Tokens", False), ("Total", True), ("Share of its side", True), ("Per call", True),
             ("Calls that log it", True)]  # fmt: skip
    return plain("table-token-buckets", "Tokens by kind", heads, rows, sortable=False,
                 download="overall")  # fmt: skip
