"""An incident as text for the terminal, Markdown and JSON: facts in the order of a report.

Every form is made of the same lines. Nothing is guessed: what a person has to find out stands as an
empty field.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from gonogo import display
from gonogo.exports import figures
from gonogo.exports.cut import characters
from gonogo.exports.safe import address, code, markdown
from gonogo.privacy import clean_label, printable
from gonogo.results import BurnAlert, Excursion, FirstSeen, Incident, ObjectiveResult, Standing
from gonogo.telling import coincidence, dimension, edges, impact, step

LONGEST_TEXT: Final = 1500
LARGEST_SECTION: Final = 7_000
"""Bytes; eight sections and what stands around them fit into the 65,536 signs of an issue."""
DEFAULTS: Final = "Default threshold, not your SLA."
EMPTY: Final = ("Root cause", "Resolution", "Actions")
_MOST: Final = 12
_MOST_OWNERS: Final = 3
_LONGEST_HEAD: Final = 400
_FIRST_FACT: Final = 400


@dataclass(frozen=True, slots=True)
class Part:
    """One section: a title and its lines; an empty field for people has none.

    `links` holds an address for each line, empty where it has none, or nothing at all.
    """

    title: str
    lines: tuple[str, ...]
    links: tuple[str, ...] = ()

    @staticmethod
    def of(title: str, lines: Sequence[tuple[str, str]]) -> Part:
        """A section of (line, address or "")."""
        return Part(title, tuple(line for line, _ in lines), tuple(link for _, link in lines))


def summary(incident: Incident) -> str:
    """One sentence with numbers."""
    if not incident.excursions:
        return _nothing(incident)
    worst = incident.excursions[0]
    now = [e for e in incident.excursions if e.ongoing]
    open_ = {e.objective for e in now}
    past = [e for e in incident.excursions if e.objective not in open_]
    over = len({e.objective for e in past})
    if now:
        since = _at(min(e.onset for e in now), incident)
        are = "1 objective is" if len(open_) == 1 else f"{len(open_)} objectives are"
        first = "" if len(open_) == 1 else ", the first"
        told = f"{are} over the limit{first} since {since}"
        if past:
            told += f" ({over} more {'was' if over == 1 else 'were'}, and ended)"
    else:
        were = "1 objective was" if over == 1 else f"{over} objectives were"
        start, end = min(e.onset for e in past), max(e.end for e in past)
        times = "" if _contiguous(past) else "at times "
        told = f"{were} {times}over the limit from {_at(start, incident)} to {_at(end, incident)}"
        told += ", ended"
    told += f"; above all: {worst.title}, {figures.share(worst.bad, worst.total)}."
    return f"{told} {means}" if (means := _means(incident.standings)) else told


def _contiguous(found: Sequence[Excursion]) -> bool:
    """Whether there is no time between the excursions without any."""
    spans = sorted((e.onset, e.end) for e in found)
    latest = spans[0][1]
    for onset, end in spans[1:]:
        if onset > latest:
            return False
        latest = max(latest, end)
    return True


def _nothing(incident: Incident) -> str:
    counted = [s for s in incident.standings if s.total]
    if means := _means(counted):
        return means
    if incident.as_of is None:
        return _untimed(counted)
    if incident.start is not None and incident.as_of < incident.start:
        return (
            f"No record since {_at(incident.start, incident)}: either nothing was called, or the "
            "log stopped."
        )
    if not counted:
        return "Nothing could be judged: no objective has an event in this time."
    return f"Nothing over its limit by more than chance explains; nearest: {_standing(counted[0])}."


def _means(standings: Sequence[Standing]) -> str:
    over = [s.objective.title for s in standings if s.is_over]
    if not over:
        return ""
    are = f"{len(over)} means are" if len(over) > 1 else f"The {over[0]} is"
    return f"{are} over the limit in this time; since when, a mean does not tell."


def _untimed(counted: Sequence[Standing]) -> str:
    if not counted:
        return "Nothing could be judged: no record has a time or an event that is judged."
    return (
        "No record carries a time, so nothing can be said of any stretch of it; over everything, "
        f"nearest to its limit or furthest over it: {_standing(counted[0])}."
    )


def _standing(s: Standing) -> str:
    seen = s.seen or figures.share(s.bad, s.total)
    return f"{s.objective.title} ({s.objective.expression}), {seen}"


def parts(incident: Incident) -> list[Part]:
    """The report, section by section."""
    found = [Part.of("Summary", _summary(incident))]
    if incident.excursions:
        found.append(Part("Impact", tuple(_impact(e, incident) for e in incident.excursions)))
    found.append(Part("Timeline", tuple(timeline(incident))))
    found.append(Part("Detection", _detection(incident)))
    if incident.excursions:
        found.append(Part("Coincidences", tuple(_coinciding(incident))))
        found.append(Part.of("Exemplars", _witnesses(incident)))
    found.append(Part("Data", _data(incident)))
    found += [Part(title, ()) for title in EMPTY]
    found.append(Part("Reproduce", (incident.command,)))
    return found


def _summary(incident: Incident) -> list[tuple[str, str]]:
    lines = [summary(incident)]
    if incident.default_thresholds:
        lines.insert(0, DEFAULTS)
    lines += incident.warnings
    lines += [f"In the window: {line}" for line in in_window(incident, _MOST)]
    return [(line, "") for line in lines] + [(o.text(), o.runbook) for o in _owners(incident)]


def in_window(incident: Incident, most: int) -> list[str]:
    """The objectives as counted in the window, the one that uses most of its limit first."""
    return [_standing(s) for s in incident.standings if s.total][:most]


def _impact(e: Excursion, incident: Incident) -> str:
    """Whom it touched, and what it spent of the error budget of all the logs looked at."""
    text, o = f"{e.title}: {impact(e)}", _objective(e, incident)
    if o is not None and o.budget is not None and o.budget.allowed_num:
        spent = display.ratio(e.bad * o.budget.allowed_den, o.budget.allowed_num)
        text += f"; {spent} of the error budget of these logs"
    return text


def timeline(incident: Incident) -> list[str]:
    """What happened when, in order, up to the newest record."""
    events: list[tuple[int, int, str]] = []
    for e in incident.excursions:
        worst = figures.share(e.peak_bad, e.peak_total)
        for first in e.first_seen:
            name = f"{dimension(first.dimension)} {first.value}"
            events.append((first.time, 0, f"{name} is seen for the first time"))
        if e.peak_at == e.onset:
            events.append((e.onset, 1, f"{e.title} goes over its limit, at its worst: {worst}"))
        else:
            events.append((e.onset, 1, f"{e.title} goes over its limit"))
            events.append((e.peak_at, 2, f"{e.title} at its worst: {worst}"))
        if not e.ongoing:
            events.append((e.end, 4, f"{e.title} is back within its limit"))
    for o, _ in _over(incident):
        events += [
            (alert.fired, 3, f"{o.title}: a burn-rate alert would have {_verb(alert)}")
            for alert in _alerts(o, incident)
        ]
    lines = [f"{_at(time, incident)}: {text}" for time, _, text in sorted(set(events))]
    if incident.as_of is not None:
        lines.append(f"{_at(incident.as_of, incident)}: newest record")
    return lines


def _detection(incident: Incident) -> tuple[str, ...]:
    window = "everything in the logs"
    if incident.start is not None and incident.end is not None:
        window = f"{_at(incident.start, incident)} to {_at(incident.end, incident)}"
    lines = [f"Looked at: {window}."]
    judged = {o.id: (o, found) for o, found in _over(incident)}
    told: set[str] = set()
    for e in incident.excursions:
        o, found = judged.get(e.objective, (None, [e]))
        name = e.title if len(found) == 1 else f"{e.title}, {span(e, incident)}"
        normal = incident.normals.get(e.id)
        said = [figures.share(e.bad, e.total) + (f", limit {figures.limit(o)}" if o else "")]
        if normal is not None:
            said.append(f"usual: {figures.share(normal.bad, normal.total)} in {normal.source}")
        said += [
            line[0].lower() + line[1:] for line in edges(e, figures.known_zone(incident.timezone))
        ]
        lines.append(f"{name}: {'; '.join(said)}")
        if o is None or o.id in told:
            continue
        told.add(o.id)
        lines.append(f"{e.title}: {figures.threshold(o)}{_alerted(o, incident)}")
    return tuple(lines)


def _alerted(o: ObjectiveResult, incident: Incident) -> str:
    """What burn-rate alerts would have done about an objective, as the end of a line."""
    if alerts := _alerts(o, incident):
        return "".join(f"; {alert.sentence}" for alert in alerts)
    if o.burn and not o.burn.alerts and any(not pair.note for pair in o.burn.pairs):
        return "; no burn-rate alert would have noticed it"
    return ""


def _over(incident: Incident) -> list[tuple[ObjectiveResult, list[Excursion]]]:
    """Each objective with its excursions, in their order."""
    found: dict[str, tuple[ObjectiveResult, list[Excursion]]] = {}
    for e in incident.excursions:
        if (o := _objective(e, incident)) is not None:
            found.setdefault(o.id, (o, []))[1].append(e)
    return list(found.values())


def _alerts(o: ObjectiveResult, incident: Incident) -> list[BurnAlert]:
    """The first page about an objective's excursions, and the first ticket where that is earlier:
    whoever has been paged needs no ticket to know."""
    onsets = {e.onset for e in incident.excursions if e.objective == o.id}
    about = [a for a in o.burn.alerts if a.onset in onsets] if o.burn else []
    first = {a.alert: a for a in sorted(about, key=lambda a: a.fired, reverse=True)}
    page, ticket = first.get("page"), first.get("ticket")
    if page and ticket and ticket.fired >= page.fired:
        ticket = None
    return [alert for alert in (ticket, page) if alert is not None]


def _verb(alert: BurnAlert) -> str:
    return "paged somebody" if alert.alert == "page" else "opened a ticket"


def _coinciding(incident: Incident) -> list[str]:
    lines = ["What coincides is not thereby the cause."]
    for e in incident.excursions:
        lines += [f"{e.title}: {coincidence(c)}" for c in e.coincidences]
        lines += [f"{e.title}: {_new(f, incident)}" for f in e.first_seen]
        if not e.coincidences and not e.first_seen:
            lines.append(f"{e.title}: no value stands out from the others of that time")
    return lines


def _new(first: FirstSeen, incident: Incident) -> str:
    name = f"{dimension(first.dimension)} {first.value}"
    return f"{name} is seen for the first time at {_at(first.time, incident)}"


def _witnesses(incident: Incident) -> list[tuple[str, str]]:
    lines = []
    for e in incident.excursions:
        for w in e.witnesses:
            told = [_at(w.time, incident), f"trace {w.trace_id or 'not logged'}"]
            if w.duration_us is not None:
                told.append(display.duration(w.duration_us))
            told += [x for x in (w.model, w.operation, w.release, w.error_class) if x]
            text = f"{e.title}, {w.kind} ({w.rule}): {', '.join(told)}"
            if w.steps:
                text += f"; in it: {'; '.join(map(step, w.steps))}"
            link = ""
            if incident.trace_url and w.trace_id:
                trace = quote(w.trace_id, safe="", errors="replace")
                link = incident.trace_url.replace("{trace_id}", trace)
                text += "; in the tracer"
            lines.append((text, link))
    return lines or [("no call carries an id", "")]


def _data(incident: Incident) -> tuple[str, ...]:
    read = incident.ingest
    lines = [figures.conservation(read)]
    lines += [f"{display.count(p.count)} × {p.what} [{p.code}]" for p in read.problems[:_MOST]]
    lines += list(incident.notes)
    lines += [f"{f.path}: sha256 {f.sha256 or 'not computed'}" for f in read.files[:_MOST]]
    if (more := len(read.files) - _MOST) > 0:
        lines.append(f"and {more} more files")
    return tuple(lines)


def _objective(e: Excursion, incident: Incident) -> ObjectiveResult | None:
    return next((s.objective for s in incident.standings if s.objective.id == e.objective), None)


def _at(epoch: int, incident: Incident) -> str:
    return figures.moment(epoch, incident.timezone)


# --- the forms ------------------------------------------------------------------------------------


Safe = Callable[[str, int], str]
"""Makes a text harmless for one place, in at most so many characters."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who answers for objectives and what to do about them; either may be empty."""

    name: str
    runbook: str
    of: tuple[str, ...] = ()
    """titles of the objectives, where there are others too"""

    def text(self) -> str:
        """What is named; an address is to follow where there is a run book."""
        of = f" of {', '.join(self.of)}" if self.of else ""
        if not self.name:
            return f"Run book{of}"
        return f"Owner{of}: {self.name}{', run book' if self.runbook else ''}"

    def line(self, safe: Safe, link: Safe) -> str:
        """What is named, on one line; `link` leaves an address whole."""
        of = f" of {safe(', '.join(self.of), 80)}" if self.of else ""
        if not self.runbook:
            return f"Owner{of}: {safe(self.name, 80)}"
        runbook = link(self.runbook, 200)
        if not self.name:
            return f"Run book{of}: {runbook}"
        return f"Owner{of}: {safe(self.name, 80)}, run book: {runbook}"


@dataclass(frozen=True, slots=True)
class Brief:
    """The report in a few lines: what always stays, what is cut from its end, who owns it."""

    head: tuple[str, ...]
    facts: tuple[str, ...]
    owners: tuple[Owner, ...]

    def within(self, limit: int, safe: Safe, link: Safe, more: str) -> str:
        """Whole lines in at most `limit` characters.

        The facts are cut from their end, where the least is over its limit; `more` says so. The
        first of them stays, shortened if it must be, and so do the owners that leave it room.
        """
        head = [safe(line, _LONGEST_HEAD) for line in self.head]
        facts = [safe(fact, 600) for fact in self.facts]
        room = limit - sum(len(line) + 1 for line in [*head, more])
        first = min(len(facts[0]) + 1, _FIRST_FACT) if facts else 0
        owners: list[str] = []
        kept: list[str] = []
        for line in (o.line(safe, link) for o in self.owners):
            if len(line) + 1 <= room - first:
                owners.append(line)
                room -= len(line) + 1
        for fact in facts:
            if len(fact) + 1 > room:
                kept += [more] if kept else [characters(fact, max(room - 1, 1)), more]
                break
            kept.append(fact)
            room -= len(fact) + 1
        return characters("\n".join([*head, *kept, *owners]), limit - 1) + "\n"


def brief(incident: Incident) -> Brief:
    """What, since when, against the usual, impact, coincidence, owner."""
    head = [DEFAULTS] if incident.default_thresholds else []
    head.append(summary(incident))
    if incident.as_of is not None:
        head.append(f"As of the newest record, {_at(incident.as_of, incident)}.")
    several = len(incident.excursions) > 1
    facts = [
        f"- {e.title}{f', {span(e, incident)}' if several else ''}: {fact(e, incident)}"
        for e in incident.excursions
    ]
    # Of a mean nothing more is known than what was counted in the window.
    facts += [f"- {s.objective.title}: {s.seen}" for s in incident.standings if s.is_over]
    return Brief((*head, *incident.warnings), tuple(facts), _owners(incident))


def _owners(incident: Incident) -> tuple[Owner, ...]:
    """Who answers for what is over its limit, in the order of the excursions, each once."""
    over = [o for e in incident.excursions if (o := _objective(e, incident))]
    over += [s.objective for s in incident.standings if s.is_over]
    titles: dict[tuple[str, str], dict[str, None]] = {}
    for o in over:
        if o.owner or o.runbook:
            titles.setdefault((o.owner or "", o.runbook or ""), {})[o.title] = None
    alone = len({o.id for o in over}) == 1
    found = [Owner(*who, () if alone else tuple(of)) for who, of in titles.items()]
    return tuple(found[:_MOST_OWNERS])


def span(e: Excursion, incident: Incident) -> str:
    """Since when, and until when if it has ended."""
    if e.ongoing:
        return f"since {_at(e.onset, incident)}, still over its limit"
    return f"from {figures.stretch(e.onset, e.end, incident.timezone)}"


def measured(e: Excursion, incident: Incident) -> str:
    """What was counted, its limit, and what is usual."""
    o, normal = _objective(e, incident), incident.normals.get(e.id)
    text = e.seen or figures.share(e.bad, e.total)
    if not e.seen and o is not None:
        text += f", limit {figures.limit(o)}"
    if normal is not None:
        share = normal.share or display.ratio(normal.bad, normal.total)
        text += f"; usual {share} ({normal.source})"
    return text


def fact(e: Excursion, incident: Incident) -> str:
    """One excursion in a line: its share, limit, the usual, whom it touches, what coincides."""
    text = measured(e, incident)
    if e.impact is not None:
        text += f"; {impact(e).split(';')[0]} affected"
    if e.coincidences:
        text += f"; coincides: {coincidence(e.coincidences[0])}"
    elif e.first_seen:
        text += f"; coincides: {_new(e.first_seen[0], incident)}"
    return text


def owner_of(e: Excursion, incident: Incident) -> Owner | None:
    """Owner and run book of an excursion's objective, where either is named."""
    o = _objective(e, incident)
    return Owner(o.owner or "", o.runbook or "") if o and (o.owner or o.runbook) else None


def terminal(incident: Incident) -> str:
    """At most 1,500 characters, for whoever has just been woken."""
    more = "… and more: --format markdown, or -o FOLDER, has it all"
    return brief(incident).within(LONGEST_TEXT, printable, printable, more)


def incident_md(incident: Incident) -> str:
    """The report as Markdown, under 64 KB, as the body of an issue takes it.

    Every section stays, those for people to fill in too: a section that is too long is cut at a
    whole line, from its end, and says how many lines were left out.
    """
    blocks = [f"# Incident: {markdown(incident.title)}"]
    for part in parts(incident):
        shown = [code(line, 1000) if part.title == "Reproduce" else markdown(line)
                 for line in part.lines]  # fmt: skip
        for i, link in enumerate(part.links):
            shown[i] += f": {address(link)}" if link else ""
        lines = _within_section(shown) if part.lines else ["_to be filled in_"]
        blocks.append("\n".join([f"## {part.title}", "", *lines]))
    blocks.append(f"Made by {markdown(incident.generator, 60)}.")
    return "\n\n".join(blocks) + "\n"


def _within_section(lines: Sequence[str]) -> list[str]:
    kept: list[str] = []
    room = LARGEST_SECTION
    for line in lines:
        room -= len(line.encode()) + 3
        if room < 0:
            kept.append(f"- … and {len(lines) - len(kept)} more; they are in the JSON form.")
            break
        kept.append(f"- {line}")
    return kept


def incident_json(incident: Incident) -> str:
    """The report for programs: keys sorted."""
    data = incident.model_dump(mode="json") | {"summary": clean_label(summary(incident), 600)}
    text = json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    # "##[" is a command in the logs of some CI systems; inside a JSON text it can be spelt so.
    return text.replace("##", "#\\u0023")
