"""The command for whoever is on call: what is over its limit, in the form that a service takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from gonogo import console
from gonogo.options import SETTINGS, Input, reads_logs_of_check

if TYPE_CHECKING:
    from gonogo.results import Incident

FORMATS: Final = ("markdown", "json", "slack", "pagerduty")
_FILES: Final = {
    "incident.md": "markdown",
    "incident.json": "json",
    "incident.html": "html",
    "slack.json": "slack",
    "pagerduty.json": "pagerduty",
}


@click.command(
    context_settings=SETTINGS,
    short_help="What is over its limit now, for whoever is on call.",
    epilog="\b\nExamples:\n  gonogo incident logs/ --last 2h\n"
    "  gonogo incident logs/ --since 2026-11-18T13:00 --until 2026-11-18T17:00 -o incident/\n"
    "  gonogo incident logs/ --format markdown > body.md     gh issue create --body-file body.md\n"
    "  gonogo incident logs/ --format slack                  for an incoming webhook\n\n"
    "Exits with 0 once the summary is written, whatever it says.",
)
@reads_logs_of_check
@click.option("--last", metavar="TIME", help="Back from the newest record: 2h (default), 90m, 1d.")
@click.option("--since", metavar="TIME", help="Begin of the window; zone as configured.")
@click.option("--until", metavar="TIME", help="End of the window; default: the newest record.")
@click.option(
    "--reach",
    metavar="TIME",
    help="How far before the window to read: 24h, 3d, all; default: all of up to 256 MB, else 24h.",
)
@click.option(
    "--like",
    type=click.Path(path_type=Path),
    metavar="DIR|FILE",
    help="A readiness.json to take the usual of these hours from; default: the state's last.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Folder for the whole report: Markdown, JSON, HTML, and the Slack and PagerDuty bodies.",
)
@click.option(
    "--format",
    "form",
    envvar="GONOGO_INCIDENT_FORMAT",
    type=click.Choice(["text", *FORMATS]),
    default="text",
    show_default=True,
    help="What to write to stdout; markdown is the body of an issue, slack and pagerduty what "
    "their APIs take.",
)
def incident(
    given: Input,
    form: str,
    last: str | None,
    since: str | None,
    until: str | None,
    reach: str | None,
    like: Path | None,
    output: Path | None,
) -> None:
    """Say in a few lines which SLA or SLO threshold is exceeded, since when, whom it touches.

    What coincides with it is counted and never called its cause. LOGS should reach back further
    than the window, so that onsets are found.
    """
    from gonogo import pipeline
    from gonogo.progress import open_progress

    if not given.quiet:
        console.say("looking at the logs for what is over its limit")
    with open_progress(quiet=given.quiet) as progress:
        found = pipeline.incident(given.request, last, since, until, like, progress, reach)
    if form == "text":
        console.text(rendered(found, form))
    else:
        console.data(rendered(found, form))
    if output is None:
        return
    console.folder(output)
    for name, kind in _FILES.items():
        console.save(output / name, rendered(found, kind))
    if not given.quiet:
        console.say(f"wrote {', '.join(_FILES)} into {output}")


def rendered(found: Incident, form: str) -> str:
    """The report as one of FORMATS, as text for the terminal, or as html."""
    from gonogo.exports import occurrence

    if form == "markdown":
        return occurrence.incident_md(found)
    if form == "json":
        return occurrence.incident_json(found)
    if form == "html":
        from gonogo.site.incident import incident_html

        told, parts = occurrence.summary(found), occurrence.parts(found)
        return incident_html(found.title, told, parts, found.generator).decode()
    if form == "slack":
        from gonogo.exports.posted import slack_incident

        return slack_incident(found)
    if form == "pagerduty":
        from gonogo.exports.posted import pagerduty_json

        return pagerduty_json(found)
    return occurrence.terminal(found)
