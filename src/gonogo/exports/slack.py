"""The verdict as a Slack message in Block Kit.

Limits: https://docs.slack.dev/reference/block-kit/blocks (50 blocks, 3,000 characters a section,
150 a header). Rule for what is cut: the worst come first, a section ends at a whole line, and what
is left out is counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from gonogo.conventions import Status
from gonogo.exports import figures
from gonogo.exports.cut import characters
from gonogo.exports.safe import slack
from gonogo.results import Decision, ReadinessResult

SECTION: Final = 3000
_HEADER: Final = 150
_LINE: Final = 600
_SHOWN: Final = (Status.BREACHED, Status.NO_DATA, Status.AT_RISK)


def slack_json(result: ReadinessResult, decision: Decision) -> str:
    """A message for an incoming webhook or chat.postMessage; nothing in it notifies anybody."""
    title = f"{figures.VERDICT_ICONS[decision.verdict]} {decision.verdict.value}"
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:_HEADER], "emoji": False}}
    ]
    head = [slack(figures.summary(decision), _LINE)]
    if result.notice:
        head.append(slack(result.notice, _LINE))
    blocks.append(_section(head))
    reasons = [
        f"*{figures.STATUS_WORDS[r.status]}* {slack(r.text, _LINE)}" for r in decision.reasons
    ]
    if reasons:
        blocks.append(_section(reasons))
    objectives = [
        f"{figures.STATUS_ICONS[o.status]} {slack(o.id, 120)}: {slack(figures.observed(o), 40)}, "
        f"limit {slack(figures.limit(o), 40)}"
        for o in result.objectives
        if o.status in _SHOWN
    ]
    if objectives:
        blocks.append(_section(objectives))
    facts = (
        f"{slack(figures.period(result), 200)} · {slack(figures.conservation(result.ingest), 200)}"
    )
    blocks.append({"type": "context", "elements": [_text(facts)]})
    message = {
        "text": characters(f"{title}: {slack(figures.summary(decision), _LINE)}", SECTION),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }
    return json.dumps(message, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _section(lines: Iterable[str]) -> dict[str, Any]:
    """As many whole lines as a section takes, and how many did not fit."""
    lines = list(lines)
    kept: list[str] = []
    room = SECTION - len("\nand 1,000,000 more")
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    if more := len(lines) - len(kept):
        kept.append(f"and {more:,} more")
    return {"type": "section", "text": _text("\n".join(kept))}


def _text(text: str) -> dict[str, Any]:
    # Verbatim: Slack makes no link, mention or channel of its own accord.
    return {"type": "mrkdwn", "text": text, "verbatim": True}
