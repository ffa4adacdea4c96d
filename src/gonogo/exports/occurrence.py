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
from gonogo.exports.safe import code, markdown
from gonogo.privacy import clean_label, printable
from gonogo.results import Excursion, Incident, ObjectiveResult, Standing
from gonogo.telling import coincidence, dimension, edges, impact, step

LONGEST_TEXT: Final = 1500
LARGEST_SECTION: Final = 7_000
"""Bytes; eight sections and what stands around them fit into the 65,536 signs of an issue."""
DEFAULTS: Final = "Default threshold, not your SLA."
EMPTY: Final = ("Root cause", "Resolution", "Actions")
_MOST: Final = 12
_MOST_OWNERS: Final = 3


@dataclass(frozen=True, slots=True)
class Part:
    """One section: a title and its lines; an empty field for people has none."""

    title: str
    lines: tuple[str, ...]


def summary(incident: Incident) -> str:
    """One sentence with numbers."""
    if not incident.excursions:
        return _nothing(incident)
    worst = incident.excursions[0]
    onset = min(e.onset for e in incident.excursions)
    ongoing = any(e.ongoing for e in incident.excursions)
    end = max(e.end for e in incident.excursions)
    many = len({e.objective for e in incident.excursions})
    when = f"since {_at(onset, incident)}"
    if not ongoing:
        when = f"from {_at(onset, incident)} to {_at(end, incident)}, ended"
    objectives = "1 objective was" if many == 1 else f"{many} objectives were"
    if ongoing:
        objectives = "1 objective is" if many == 1 else f"{many} objectives are"
    share = figures.share(worst.bad, worst.total)
    return f"{objectives} over the limit {when}; furthest: {worst.title}, {share}."


def _nothing(incident: Incident) -> str:
    if not incident.standings:
        return "Nothing could be judged: no objective has an event in this time."
    near = incident.standings[0]
    return f"Nothing over its limit by more than chance explains; nearest: {_standing(near)}."


def _standing(s: Standing) -> str:
    return f"{s.objective.title} ({s.objective.expression}), {figures.share(s.bad, s.total)}"


def parts(incident: Incident) -> list[Part]:
    """The report, section by section."""
    found = [Part("Summary", _summary(incident))]
    if incident.excursions:
        found.append(Part("Impact", tuple(_impact(e, incident) for e in incident.excursions)))
    found.append(Part("Timeline", tuple(timeline(incident))))
    found.append(Part("Detection", _detection(incident)))
    if incident.excursions:
        found.append(Part("Coincidences", tuple(_coinciding(incident))))
        found.append(Part("Exemplars", tuple(_witnesses(incident))))
    found.append(Part("Data", _data(incident)))
    found += [Part(title, ()) for title in EMPTY]
    found.append(Part("Reproduce", (incident.command,)))
    return found


def _summary(incident: Incident) -> tuple[str, ...]:
    lines = [summary(incident)]
    if incident.default_thresholds:
        lines.insert(0, DEFAULTS)
    lines += [f"In the window: {line}" for line in in_window(incident, _MOST)]
    return tuple(lines)


def in_window(incident: Incident, most: int) -> list[str]:
    """The objectives as counted in the window, the one that uses most of its limit first."""
    return [_standing(s) for s in incident.standings[:most]]


def _impact(e: Excursion, incident: Incident) -> str:
    """Whom it touched, and what it spent of the error budget of all the logs looked at."""
    text, o = f"{e.title}: {impact(e)}", _objective(e, incident)
    if o is not None and o.budget is not None and o.budget.allowed_num:
        spent = display.ratio(e.bad * o.budget.allowed_den, o.budget.allowed_num)
        text += f"; {spent} of the error budget of these logs"
    return text


def timeline(incident: Incident) -> list[str]:
    """What happened when, in order, up to the newest record."""
    events = []
    for e in incident.excursions:
        events.append((e.onset, f"{e.title} goes over its limit"))
        worst = figures.share(e.peak_bad, e.peak_total)
        events.append((e.peak_at, f"{e.title} at its worst: {worst}"))
        if not e.ongoing:
            events.append((e.end, f"{e.title} is back within its limit"))
        for first in e.first_seen:
            name = f"{dimension(first.dimension)} {first.value}"
            events.append((first.time, f"{name} is seen for the first time"))
    lines = [f"{_at(time, incident)}: {text}" for time, text in sorted(set(events))]
    if incident.as_of is not None:
        lines.append(f"{_at(incident.as_of, incident)}: newest record")
    return lines


def _detection(incident: Incident) -> tuple[str, ...]:
    window = "everything in the logs"
    if incident.start is not None and incident.end is not None:
        window = f"{_at(incident.start, incident)} to {_at(incident.end, incident)}"
    lines = [f"Looked at: {window}."]
    for e in incident.excursions:
        o = _objective(e, incident)
        limit = f", limit {figures.limit(o)}; {figures.threshold(o)}" if o else ""
        normal = incident.normals.get(e.id)
        usual = ""
        if normal is not None:
            usual = f"; usual: {figures.share(normal.bad, normal.total)} in {normal.source}"
        lines.append(f"{e.id}: {figures.share(e.bad, e.total)}{limit}{usual}")
        lines += [f"{e.id}: {line}" for line in edges(e, figures.known_zone(incident.timezone))]
    return tuple(lines)


def _coinciding(incident: Incident) -> list[str]:
    lines = ["What coincides is not thereby the cause."]
    for e in incident.excursions:
        lines += [f"{e.title}: {coincidence(c)}" for c in e.coincidences]
        if not e.coincidences:
            lines.append(f"{e.title}: nothing stands out; it is spread over all values")
    return lines


def _witnesses(incident: Incident) -> list[str]:
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
            if incident.trace_url and w.trace_id:
                text += f"; {incident.trace_url.replace('{trace_id}', quote(w.trace_id, safe=''))}"
            lines.append(text)
    return lines or ["no call carries an id"]


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
    """Who answers for an objective and what to do about it; either may be empty."""

    name: str
    runbook: str

    def line(self, safe: Safe, link: Safe) -> str:
        """What is named, on one line; `link` leaves an address whole."""
        if not self.runbook:
            return f"Owner: {safe(self.name, 80)}"
        runbook = link(self.runbook, 200)
        return (
            f"Owner: {safe(self.name, 80)}, run book: {runbook}"
            if self.name
            else (f"Run book: {runbook}")
        )


@dataclass(frozen=True, slots=True)
class Brief:
    """The report in a few lines: what always stays, what is cut from its end, who owns it."""

    head: tuple[str, ...]
    facts: tuple[str, ...]
    owners: tuple[Owner, ...]

    def within(self, limit: int, safe: Safe, link: Safe, more: str) -> str:
        """Whole lines in at most `limit` characters.

        The facts are cut from their end, where the least is over its limit; `more` says so.
        """
        head = [safe(line, 400) for line in self.head]
        owners = [o.line(safe, link) for o in self.owners]
        room = limit - sum(len(line) + 1 for line in [*head, *owners, more])
        kept: list[str] = []
        for line in (safe(fact, 600) for fact in self.facts):
            room -= len(line) + 1
            if room < 0:
                kept.append(more)
                break
            kept.append(line)
        return "\n".join([*head, *kept, *owners]) + "\n"


def brief(incident: Incident) -> Brief:
    """What, since when, against the usual, impact, coincidence, owner."""
    head = [DEFAULTS] if incident.default_thresholds else []
    head.append(summary(incident))
    if incident.as_of is not None:
        head.append(f"As of the newest record, {_at(incident.as_of, incident)}.")
    facts = tuple(f"- {e.title}: {fact(e, incident)}" for e in incident.excursions)
    owners = [o for e in incident.excursions if (o := owner_of(e, incident))]
    return Brief(tuple(head), facts, tuple(dict.fromkeys(owners))[:_MOST_OWNERS])


def span(e: Excursion, incident: Incident) -> str:
    """Since when, and until when if it has ended."""
    if e.ongoing:
        return f"since {_at(e.onset, incident)}, still over its limit"
    return f"from {_at(e.onset, incident)} to {_at(e.end, incident)}"


def measured(e: Excursion, incident: Incident) -> str:
    """Its share, its limit, and what is usual."""
    o, normal = _objective(e, incident), incident.normals.get(e.id)
    text = figures.share(e.bad, e.total)
    if o is not None:
        text += f", limit {figures.limit(o)}"
    if normal is not None:
        text += f"; usual {display.ratio(normal.bad, normal.total)} ({normal.source})"
    return text


def fact(e: Excursion, incident: Incident) -> str:
    """One excursion in a line: its share, limit, the usual, whom it touches, what coincides."""
    text = measured(e, incident)
    if e.impact is not None:
        text += f"; {impact(e).split(';')[0]} affected"
    if e.coincidences:
        text += f"; coincides: {coincidence(e.coincidences[0])}"
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
