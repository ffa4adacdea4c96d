"""A whole site from a result: pages, assets and downloads, as bytes by relative path."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment
from markupsafe import Markup

from gonogo import display
from gonogo.charts import Chart, wall_second
from gonogo.pictures import logo_of_uri
from gonogo.results import ReadinessResult, Table
from gonogo.site import breaches, data, readiness
from gonogo.site.cost import cost
from gonogo.site.model import ChartView, Link, SectionsPage, Shade, Tone
from gonogo.site.objectives import verdict_pill
from gonogo.site.records import records
from gonogo.site.sections import BUILDERS
from gonogo.site.shell import HREF, shell
from gonogo.site.tables import chart_view, to_csv, to_json
from gonogo.site.templates import blamed, check_overrides, environment, templates_dir
from gonogo.site.text import clipped, prose, visible

TEMPLATES: Final = {
    "readiness": "index.html",
    "latency": "sections.html",
    "errors": "sections.html",
    "quality": "sections.html",
    "evaluation": "sections.html",
    "cost": "sections.html",
    "breaches": "breaches.html",
    "data": "data.html",
}
EXPORTS: Final = (
    Link("readiness.json", "readiness.json"),
    Link("breaches.md", "breaches.md"),
    Link("breaches.json", "breaches.json"),
)
"""What the pipeline puts beside the pages; made by gonogo.exports."""

FIRST: Final = (
    "latency-over-time",
    "error-budget",
    "guardrail-rate",
    "retrieval-hit-rate",
    "tool-outcomes",
)
"""Charts that the first page shows, wherever they live."""

LOGO: Final = "logo."
_ACCENT: Final = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,120}")
_FAVICON: Final = {
    "good": ("#0f7d55", "M9 16.5l5 5 9.5-10.5"),
    "warn": ("#9a6200", "M16 8v9.5M16 23.5v.1"),
    "bad": ("#c22733", "M10.5 10.5l11 11M21.5 10.5l-11 11"),
    "none": ("#5b616e", "M12 12.5c0-2.4 1.8-4 4-4s4 1.5 4 3.7c0 2.8-4 3.2-4 6M16 23.5v.1"),
}


def _places(chart: Chart) -> str:
    """Numbers as text; those of a time axis as differences, which are short and mostly equal."""
    before = (0, *chart.places) if chart.kind == "time" else (0,) * len(chart.places)
    return " ".join(str(b - a) for a, b in zip(before, chart.places, strict=False))


def _shaded(chart: Chart, result: ReadinessResult) -> tuple[Shade, ...]:
    zone = result.period.timezone
    if chart.kind != "time" or not chart.objective:
        return ()
    return tuple(
        Shade(
            text=display.span(e.onset, e.end, zone),
            href=f"{HREF['breaches']}#{e.id}",
            start=str(wall_second(e.onset, zone)),
            end=str(wall_second(e.end, zone)),
        )
        for e in result.excursions
        if e.objective == chart.objective
    )


def _chart(chart: Chart, result: ReadinessResult) -> ChartView:
    zone = result.period.timezone
    wide, narrow = (" ".join(map(str, plot)) for plot in chart.plots or ((), ()))
    return ChartView(
        id=chart.id,
        title=chart.title,
        subtitle=prose(chart.subtitle),
        caption=prose(chart.caption, 500),
        span=chart.span,
        svg_wide=Markup(chart.svg_wide),
        svg_narrow=Markup(chart.svg_narrow),
        table=chart_view(chart.table, chart.id, zone),
        kind=chart.kind,
        domain=" ".join(f"{end:g}" if chart.kind == "log" else str(int(end))
                        for end in chart.domain),
        places=_places(chart),
        plots=(wide, narrow),
        shaded=_shaded(chart, result),
    )  # fmt: skip


def _first_page(drawn: Mapping[str, tuple[ChartView, ...]]) -> tuple[ChartView, ...]:
    """The charts of the first page: its own and leading ones of other pages, in FIRST's order."""
    pages = {chart.id: name for name, charts in drawn.items() for chart in charts}
    by_id = {chart.id: chart for charts in drawn.values() for chart in charts}
    order = [*(i for i in FIRST if i in by_id), *(c.id for c in drawn["readiness"])]
    return tuple(
        by_id[i]
        if pages[i] == "readiness"
        else replace(by_id[i], href=f"{HREF[pages[i]]}#chart-{i}")
        for i in dict.fromkeys(order)
    )


def _context(
    name: str,
    result: ReadinessResult,
    drawn: Mapping[str, tuple[ChartView, ...]],
    assets: Mapping[str, str],
) -> Any:
    """The context of a page; `drawn` holds the charts by page, `assets` is as `shell` wants it."""
    frame, charts = shell(result, name, assets), drawn[name]
    if name == "readiness":
        return readiness.page(result, frame, _first_page(drawn), EXPORTS)
    if name == "breaches":
        return breaches.page(result, frame, charts, (EXPORTS[1], EXPORTS[2]))
    if name == "data":
        downloads = [(clipped(t.title), t.id, t.height) for t in _stored(result) if t.height]
        return data.page(result, frame, charts, downloads)
    return SectionsPage(frame, (BUILDERS | {"cost": cost})[name](result, charts))


def _stored(result: ReadinessResult) -> list[Table]:
    """The tables to download: those of the result, and the rest that a page shows as one."""
    kept = {table.id: table for table in (*records(result), *result.tables.values())}
    return [table for _, table in sorted(kept.items())]


def _downloads(named: Iterable[tuple[str, Table]]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for name, table in named:
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a name for a file: {name!r}")
        if table.height:
            files[f"data/{name}.csv"] = to_csv(table)
            files[f"data/{name}.json"] = to_json(table)
    return files


def _assets(folders: Sequence[Path], env: Environment, result: ReadinessResult) -> dict[str, bytes]:
    """Assets of the folders, those of later ones in place of earlier ones."""
    files = {
        f"assets/{path.name}": path.read_bytes()
        for folder in folders
        if (folder / "assets").is_dir()
        for path in sorted((folder / "assets").iterdir())
        if path.is_file()
    }
    accent = result.site.accent
    if accent and _ACCENT.fullmatch(accent):
        files["assets/app.css"] += f":root {{ --accent: {accent}; --on-accent: #fff; }}\n".encode()
    files["assets/favicon.svg"] = favicon(env, verdict_pill(result.readiness.verdict).tone)
    return files | logo_file(result.site.logo)


def logo_file(uri: str | None) -> dict[str, bytes]:
    """The picture of a result by its path in the site; nothing where it may not be shown."""
    logo = logo_of_uri(uri) if uri else None
    return {f"assets/{LOGO}{logo.kind}": logo.data} if logo else {}


def favicon(env: Environment, tone: Tone) -> bytes:
    """The icon of a verdict: its sign on its colour."""
    colour, path = _FAVICON[tone]
    return env.get_template("favicon.svg").render(colour=colour, path=path).encode()


def _addresses(assets: Mapping[str, bytes]) -> dict[str, str]:
    """Addresses of the assets with a piece of their hash, so that no cache serves an old one."""

    def address(name: str) -> str:
        return f"{name}?v={hashlib.sha256(assets[name]).hexdigest()[:8]}"

    logo = next((name for name in assets if name.startswith(f"assets/{LOGO}")), None)
    return {
        "css": address("assets/app.css"),
        "boot_js": address("assets/theme.js"),
        "app_js": address("assets/app.js"),
        "charts_js": address("assets/charts.js"),
        "favicon": address("assets/favicon.svg"),
        "logo": address(logo) if logo else "",
    }


def render(
    result: ReadinessResult, charts: Iterable[Chart], templates: Path | None = None
) -> dict[str, bytes]:
    """Every file of the site, relative path -> content, in the order of paths.

    `charts` are those of gonogo.charts for the same result; they may still be under way. The pages
    link to `readiness.json`, `breaches.md` and `breaches.json`, which the caller adds. Templates
    and assets in the folder `templates` replace the built-in ones of their names. The same
    arguments give the same bytes anywhere.

    Raises UsageError where a template of `templates` cannot be used.
    """
    folder = templates_dir()
    if templates is not None:
        check_overrides(templates)
    env = environment(folder, templates)
    with blamed(templates):
        files = _assets((folder, templates) if templates else (folder,), env, result)
        forms = {name: env.get_template(template) for name, template in TEMPLATES.items()}
    addresses = _addresses(files)
    files |= _downloads((table.id, table) for table in _stored(result))
    drawn: dict[str, tuple[ChartView, ...]] = dict.fromkeys(HREF, ())

    def write(name: str) -> None:
        with blamed(templates):
            page = forms[name].render(page=_context(name, result, drawn, addresses))
            files[HREF[name]] = visible(page).encode("utf-8")

    # A page is written while the charts of the next one are being drawn.
    for name, group in groupby(charts, lambda chart: chart.page):
        for chart in group:
            drawn[name] += (_chart(chart, result),)
            files |= _downloads([(f"chart-{chart.id}", chart.table)])
        if name != "readiness":
            write(name)
    for name in HREF:
        if not drawn[name] or name == "readiness":
            write(name)
    files[".nojekyll"] = b""
    return dict(sorted(files.items()))
