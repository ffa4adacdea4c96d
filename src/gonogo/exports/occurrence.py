"""An incident as text for the terminal, Markdown and JSON: facts in the order of a report.

Every form is made of the same lines. Nothing is guessed: what a person has to find out stands as an
empty field.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from gonogo import display
from gonogo.exports import figures
from gonogo.exports.safe import address, markdown
from gonogo.privacy import clean_label, printable
from gonogo.results import Excursion, Incident, ObjectiveResult, Standing
from gonogo.telling import coincidence, dimension, edges, impact, step

LONGEST_TEXT: Final = 1500
LARGEST: Final = 60_000
DEFAULTS: Final = "Default threshold, not your SLA."
EMPTY: Final = ("Root cause", "Resolution", "Actions")
_MOST: Final = 12


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
    found.append(Part("Timeline", tuple(_timeline(incident))))
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
    lines += [f"In the window: {_standing(s)}" for s in incident.standings[:_MOST]]
    return tuple(lines)


def _impact(e: Excursion, incident: Incident) -> str:
    """Whom it touched, and what it spent of the error budget of all the logs looked at."""
    text, o = f"{e.title}: {impact(e)}", _objective(e, incident)
    if o is not None and o.budget is not None and o.budget.allowed_num:
        spent = display.ratio(e.bad * o.budget.allowed_den, o.budget.allowed_num)
        text += f"; {spent} of the error budget of these logs"
    return text


def _timeline(incident: Incident) -> list[str]:
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


def terminal(incident: Incident) -> str:
    """At most 1,500 characters: what, since when, against the usual, impact, coincidence, owner."""
    lines = [DEFAULTS] if incident.default_thresholds else []
    lines.append(summary(incident))
    if incident.as_of is not None:
        lines.append(f"As of the newest record, {_at(incident.as_of, incident)}.")
    closing = []
    for e in incident.excursions:
        o, normal = _objective(e, incident), incident.normals.get(e.id)
        text = f"- {e.title}: {figures.share(e.bad, e.total)}"
        if o is not None:
            text += f", limit {figures.limit(o)}"
        if normal is not None:
            usual = display.ratio(normal.bad, normal.total)
            text += f"; usual {usual} ({normal.source})"
        if e.impact is not None:
            text += f"; {impact(e).split(';')[0]} affected"
        if e.coincidences:
            text += f"; coincides: {coincidence(e.coincidences[0])}"
        lines.append(text)
        if o is not None and (o.owner or o.runbook):
            closing.append(" · ".join(x for x in (o.owner, o.runbook) if x))
    lines += [f"Owner and run book: {line}" for line in dict.fromkeys(closing)]
    kept: list[str] = []
    size = 0
    for line in (printable(line, 600) for line in lines):
        if size + len(line) + 1 > LONGEST_TEXT - 40:
            kept.append("… and more: -o FOLDER writes it all")
            break
        kept.append(line)
        size += len(line) + 1
    return "\n".join(kept) + "\n"


def incident_md(incident: Incident) -> str:
    """The report as Markdown, under 64 KB."""
    blocks = [f"# Incident: {markdown(incident.title)}"]
    for part in parts(incident):
        lines = [f"## {part.title}", ""]
        shown = [address(line) if part.title == "Reproduce" else markdown(line)
                 for line in part.lines]  # fmt: skip
        lines += [f"- {line}" for line in shown] or ["_to be filled in_"]
        blocks.append("\n".join(lines))
    blocks.append(f"Made by {markdown(incident.generator, 60)}.")
    text, size = [], 0
    for block in blocks:
        size += len(block.encode()) + 2
        if size > LARGEST:
            text.append("… and more; it is in the JSON file.")
            break
        text.append(block)
    return "\n\n".join(text) + "\n"


def incident_json(incident: Incident) -> str:
    """The report for programs: keys sorted."""
    data = incident.model_dump(mode="json") | {"summary": clean_label(summary(incident), 600)}
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
