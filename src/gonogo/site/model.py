"""What the templates get: frozen dataclasses of finished text, one context for each kind of page.

Nothing in here computes and no template formats: a field is either text as the reader sees it, a
class name, or a relative address. `tests/test_site.py` proves that every field is used by a
template and that no template asks for anything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

Tone = Literal["good", "warn", "bad", "none"]


@dataclass(frozen=True, slots=True)
class Pill:
    """A status: icon, word and colour, never colour alone."""

    word: str
    tone: Tone
    icon: str


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the navigation; `badge` counts what is wrong there, "" for nothing."""

    href: str
    title: str
    icon: str
    current: bool
    badge: str
    badge_label: str
    badge_tone: Tone


@dataclass(frozen=True, slots=True)
class Shell:
    """What every page has around its content."""

    document_title: str
    description: str
    site_title: str
    site_subtitle: str
    heading: str
    lede: str
    nav: tuple[NavItem, ...]
    verdict: Pill
    facts: tuple[str, ...]
    generator: str
    footer: str
    css: str
    boot_js: str
    app_js: str
    charts_js: str
    favicon: str
    logo: str
    """relative address of the user's own picture, "" where there is none"""
    feed: str
    """relative address of the Atom feed, "" where there is none"""
    ended: str
    """when the period ended, in epoch seconds, "" where that is not known"""


@dataclass(frozen=True, slots=True)
class Link:
    """A link; `href` is "" where the text stands alone."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and its value, for definition lists."""

    label: str
    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One table cell: text, small print below it, sort key, tooltip, and what may stand beside.

    A `firm` text is never broken into lines (an instant, an interval). `num` and `den` are the
    parts of a ratio or a mean, for sums over the rows that a reader picks.
    """

    text: str
    small: str = ""
    sort: str = ""
    hint: str = ""
    href: str = ""
    pill: Pill | None = None
    bar: str = ""
    code: bool = False
    firm: bool = False
    num: str = ""
    den: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """One column head; `sort` is the `aria-sort` value that the rows already have.

    `total` is the unit in which rows add up: their values, or numerators over denominators; "" of
    what does not add (percentiles, texts).
    """

    text: str
    numeric: bool
    hint: str = ""
    sort: str = ""
    total: str = ""


@dataclass(frozen=True, slots=True)
class TableView:
    """A table ready to print; `csv` and `json` are relative addresses, "" where there is none.

    `span` is the place it takes on a wide screen; without `sortable` its rows stay in order.
    """

    id: str
    caption: str
    headers: tuple[Header, ...]
    rows: tuple[tuple[Cell, ...], ...]
    folded: tuple[tuple[Cell, ...], ...] = ()
    note: str = ""
    csv: str = ""
    json: str = ""
    span: Literal["full", "half"] = "full"
    sortable: bool = True


@dataclass(frozen=True, slots=True)
class Shade:
    """A shaded excursion of a chart: where it is told, and its first and last wall second."""

    text: str
    href: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class ChartView:
    """A chart in its card: two widths of one SVG, the finding, and the numbers behind it.

    `span` is "alone" for a half-width chart without a neighbour, which has its finding beside it;
    `href` leads to the page that says more; with `open` the table is unfolded from the start.
    `kind`, `domain`, `places` and `plots` tell scripts where the rows of the table stand (see
    gonogo.charts.axes); `places` of a time axis are differences to the row before.
    """

    id: str
    title: str
    subtitle: str
    caption: str
    span: Literal["full", "half", "alone"]
    svg_wide: Markup
    svg_narrow: Markup
    table: TableView | None
    href: str = ""
    open: bool = False
    kind: str = ""
    domain: str = ""
    places: str = ""
    plots: tuple[str, str] = ("", "")
    shaded: tuple[Shade, ...] = ()


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure; `unit` is set smaller, `note` stands below, `colour` is the trend's class."""

    label: str
    value: str
    unit: str
    note: str
    pill: Pill | None
    spark: Markup | None
    colour: str
    href: str


@dataclass(frozen=True, slots=True)
class Absent:
    """A section without data: one line that says what to log to get it."""

    title: str
    text: str
    field: str


@dataclass(frozen=True, slots=True)
class ChangeNote:
    """How far a figure is from that of an earlier period, and whether that is good."""

    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class ObjectiveRow:
    """One line of the table of objectives."""

    slug: str
    title: str
    expression: str
    sample: str
    observed: str
    interval: str
    limit: str
    budget: str
    budget_note: str
    status: Pill
    severity: str
    change: ChangeNote | None = None


@dataclass(frozen=True, slots=True)
class ObjectiveDetail:
    """Everything about one objective, under its permanent address."""

    slug: str
    title: str
    status: Pill
    reason: str
    hint: str
    facts: tuple[Fact, ...]
    excursions: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A chart or a table."""

    chart: ChartView | None
    table: TableView | None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several tables that answer one question; `name` stands on the switch between them."""

    name: str
    table: TableView


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a page. With `absent` and nothing else it folds into one line.

    Of `choices` a screen shows one at a time where scripts run, and all of them elsewhere.
    """

    id: str
    title: str
    lede: str = ""
    objectives: tuple[ObjectiveRow, ...] = ()
    tiles: tuple[Tile, ...] = ()
    blocks: tuple[Block, ...] = ()
    choices: tuple[Choice, ...] = ()
    absent: tuple[Absent, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One of the two results."""

    name: str
    scope: str
    pill: Pill


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """One reason under the verdict; `lead` is what it is about and links to `href`."""

    pill: Pill
    lead: str
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One thing that a gate was judged by; `source` says how it is known, and by whom."""

    pill: Pill
    text: str
    source: str
    next_step: str


@dataclass(frozen=True, slots=True)
class GateLine:
    """One gate of readiness with its evidence, under its permanent address."""

    id: str
    title: str
    pill: Pill
    required: str
    evidence: str
    text: str
    next_step: str
    tally: str
    findings: tuple[FindingLine, ...]
    folded: tuple[FindingLine, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do next; `about` names what it would settle."""

    text: str
    about: tuple[Link, ...]
    pill: Pill


@dataclass(frozen=True, slots=True)
class Gap:
    """A field that a production log must have, and how much of it is there."""

    title: str
    share: str
    bar: str
    text: str


@dataclass(frozen=True, slots=True)
class ReadinessPage:
    """`index.html`: the verdict, its reasons, the objectives, the gates, figures, next steps."""

    shell: Shell
    notice: str
    verdict: Pill
    headline: str
    results: tuple[ResultLine, ...]
    reasons: tuple[ReasonLine, ...]
    more_reasons: str
    segments: tuple[Tone, ...]
    tally: str
    objectives: tuple[ObjectiveRow, ...]
    folded: tuple[ObjectiveRow, ...]
    folded_text: str
    gates: tuple[GateLine, ...]
    gates_met: str
    gates_text: str
    tables: tuple[Block, ...]
    tiles: tuple[Tile, ...]
    blocks: tuple[Block, ...]
    changes: str
    further: tuple[Block, ...]
    steps: tuple[Step, ...]
    gaps: tuple[Gap, ...]
    details: tuple[ObjectiveDetail, ...]
    downloads: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class SectionsPage:
    """`latency.html`, `errors.html`, `quality.html`, `evaluation.html` and `cost.html`."""

    shell: Shell
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A bar on the strip of the period, in thousandths of its width."""

    x: str
    width: str
    tone: Tone
    href: str
    title: str


@dataclass(frozen=True, slots=True)
class Strip:
    """One objective's excursions along the period."""

    label: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class ExcursionView:
    """One excursion or breach under its permanent address; `summary` is what gets copied.

    `chart` shows what took the time in the calls of `witnesses`; `command` looks at the same
    stretch of time again.
    """

    id: str
    title: str
    pill: Pill
    sentence: str
    interval: str
    facts: tuple[Fact, ...]
    impact: str
    coincidences: tuple[str, ...]
    chart: ChartView | None
    witnesses: TableView | None
    objective: Link
    page: Link
    summary: str
    command: str


@dataclass(frozen=True, slots=True)
class BreachesPage:
    """`breaches.html`."""

    shell: Shell
    empty: str
    strips: tuple[Strip, ...]
    axis: tuple[str, str]
    blocks: tuple[Block, ...]
    breaches: tuple[ExcursionView, ...]
    excursions: tuple[ExcursionView, ...]
    exemplars: TableView | None
    exemplars_absent: Absent
    downloads: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """One number of the conservation law, with the sign that stands before it."""

    sign: str
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class DataPage:
    """`data.html`."""

    shell: Shell
    blocks: tuple[Block, ...]
    law: tuple[Term, ...]
    law_holds: Pill
    counts: tuple[Fact, ...]
    files: TableView | None
    problems: TableView | None
    coverage: TableView
    gaps: str
    prices: str
    not_applicable: tuple[Fact, ...]
    config_facts: tuple[Fact, ...]
    config_lines: tuple[str, ...]
    command: str
    """what makes the same result again, "" where there was nothing to read"""
    history: TableView
    notes: tuple[str, ...]
    downloads: TableView


@dataclass(frozen=True, slots=True)
class IncidentPart:
    """One section of an incident report; without lines it is to be filled in by people.

    `links` holds an address for each line, empty where it has none.
    """

    title: str
    lines: tuple[str, ...]
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """`incident.html`, a file that stands alone."""

    title: str
    summary: str
    parts: tuple[IncidentPart, ...]
    generator: str
