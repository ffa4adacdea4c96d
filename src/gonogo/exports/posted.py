"""An incident for the services it is posted to: Slack and PagerDuty. Nothing is sent from here.

PagerDuty publishes no length for the text of a note (its 2,000 are the notes that an incident
takes: https://developer.pagerduty.com/api-reference/, "Create a note on an incident", and the
schema in https://github.com/PagerDuty/api-schema). So the length here is our own: what can be read
on a phone without looking for the end.
"""

from __future__ import annotations

import json
from typing import Final

from gonogo.exports import figures, occurrence
from gonogo.exports.blockkit import BLOCKS, Block, context, header, message, section
from gonogo.exports.safe import note, note_address, slack, slack_address
from gonogo.results import Excursion, Incident
from gonogo.telling import coincidence, impact

NOTE: Final = 2000
_LINE: Final = 600
_COINCIDENCES: Final = 3
# Header, summary, the objectives in the window, the timeline, what was left out, small print.
_MOST_EXCURSIONS: Final = BLOCKS - 6
_IN_WINDOW: Final = 12


def pagerduty_json(incident: Incident) -> str:
    """The body of `POST /incidents/{id}/notes`: the report in a few lines of plain text."""
    more = "… and more: gonogo incident --format markdown has it all"
    content = occurrence.brief(incident).within(NOTE, note, note_address, more)
    return json.dumps({"note": {"content": content}}, ensure_ascii=False, indent=2) + "\n"


def slack_incident(incident: Incident) -> str:
    """A message for an incoming webhook or chat.postMessage; nothing in it notifies anybody.

    A section for each excursion, the one that matters most first; what a message has no
    block for is counted.
    """
    told = slack(occurrence.summary(incident), _LINE)
    brief = occurrence.brief(incident)
    title = f"Incident: {slack(incident.title, 120)}"
    blocks = [header(title), section([slack(line, _LINE) for line in brief.head])]
    shown = incident.excursions[:_MOST_EXCURSIONS]
    blocks += [_excursion(e, incident) for e in shown]
    if more := len(incident.excursions) - len(shown):
        blocks.append(section([f"and {more:,} more that are over their limit"]))
    if incident.standings:
        lines = [f"{slack(line, _LINE)}" for line in occurrence.in_window(incident, _IN_WINDOW)]
        blocks.append(section(["*In the window*", *lines]))
    if incident.excursions:
        lines = [slack(line, _LINE) for line in occurrence.timeline(incident)]
        blocks.append(section(["*Timeline*", *lines]))
    small = (figures.conservation(incident.ingest), incident.command, incident.generator)
    blocks.append(context(" · ".join(slack(text, _LINE) for text in small)))
    return message(told, blocks)


def _excursion(e: Excursion, incident: Incident) -> Block:
    lines = [f"*{slack(e.title, 120)}* {slack(occurrence.span(e, incident), 200)}"]
    lines.append(slack(occurrence.measured(e, incident), _LINE))
    if e.impact is not None:
        lines.append(f"Touched: {slack(impact(e), _LINE)}")
    lines += [f"Coincides: {slack(coincidence(c), _LINE)}" for c in e.coincidences[:_COINCIDENCES]]
    if owner := occurrence.owner_of(e, incident):
        lines.append(owner.line(slack, slack_address))
    return section(lines)
