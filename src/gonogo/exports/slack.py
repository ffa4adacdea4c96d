"""The verdict as a Slack message in Block Kit; what is cut: see `gonogo.exports.blockkit`."""

from __future__ import annotations

from typing import Final

from gonogo.conventions import Status
from gonogo.exports import figures
from gonogo.exports.blockkit import context, header, message, section
from gonogo.exports.safe import slack
from gonogo.results import Decision, ReadinessResult

_LINE: Final = 600
_SHOWN: Final = (Status.BREACHED, Status.NO_DATA, Status.AT_RISK)


def slack_json(result: ReadinessResult, decision: Decision) -> str:
    """A message for an incoming webhook or chat.postMessage; nothing in it notifies anybody."""
    title = f"{figures.VERDICT_ICONS[decision.verdict]} {decision.verdict.value}"
    head = [slack(figures.summary(decision), _LINE)]
    if result.notice:
        head.append(slack(result.notice, _LINE))
    blocks = [header(title), section(head)]
    reasons = [
        f"*{figures.STATUS_WORDS[r.status]}* {slack(r.text, _LINE)}" for r in decision.reasons
    ]
    if reasons:
        blocks.append(section(reasons))
    objectives = [
        f"{figures.STATUS_ICONS[o.status]} {slack(o.id, 120)}: {slack(figures.observed(o), 40)}, "
        f"limit {slack(figures.limit(o), 40)}"
        for o in result.objectives
        if o.status in _SHOWN
    ]
    if objectives:
        blocks.append(section(objectives))
    facts = (
        f"{slack(figures.period(result), 200)} · {slack(figures.conservation(result.ingest), 200)}"
    )
    blocks.append(context(facts))
    return message(f"{title}: {slack(figures.summary(decision), _LINE)}", blocks)
