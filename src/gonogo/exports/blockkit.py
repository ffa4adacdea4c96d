"""Slack messages in Block Kit, within its sizes.

Limits: https://docs.slack.dev/reference/block-kit/blocks (50 blocks a message, 3,000 characters a
section, 150 a header) and https://docs.slack.dev/reference/methods/chat.postMessage (4,000
characters of `text`, of which a section's worth is used). Rule for what is cut: the worst come
first, a section ends at a whole line, and what is left out is counted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

BLOCKS: Final = 50
SECTION: Final = 3000
HEADER: Final = 150

Block = dict[str, Any]


def length(text: str) -> int:
    """UTF-16 units: Slack does not say what it counts, and no other count of signs is larger."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, limit: int) -> str:
    """`text` in at most `limit` UTF-16 units, the cut marked with an ellipsis."""
    if length(text) <= limit:
        return text
    return text.encode("utf-16-le")[: 2 * (limit - 1)].decode("utf-16-le", "ignore") + "…"


def header(text: str) -> Block:
    """A title; nothing in it is markup."""
    plain = {"type": "plain_text", "text": cut(text, HEADER), "emoji": False}
    return {"type": "header", "text": plain}


def section(lines: Sequence[str]) -> Block:
    """As many whole lines as a section takes, and how many did not fit.

    Each line has been made harmless, and is far shorter than a section.
    """
    kept: list[str] = []
    room = SECTION - len("\nand 1,000,000 more")
    for line in lines:
        room -= length(line) + 1
        if room < 0:
            break
        kept.append(line)
    if more := len(lines) - len(kept):
        kept.append(f"and {more:,} more")
    return {"type": "section", "text": _text("\n".join(kept))}


def context(text: str) -> Block:
    """Small print."""
    return {"type": "context", "elements": [_text(cut(text, SECTION))]}


def message(summary: str, blocks: Sequence[Block]) -> str:
    """JSON for an incoming webhook or chat.postMessage; `summary` is what a notification shows."""
    data = {
        "text": cut(summary, SECTION),
        "blocks": list(blocks),
        "unfurl_links": False,
        "unfurl_media": False,
    }
    return json.dumps(data, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _text(text: str) -> Block:
    # Verbatim: Slack makes no link, mention or channel of its own accord.
    return {"type": "mrkdwn", "text": text, "verbatim": True}
