"""Text from logs and configurations, made harmless for each place where it is printed.

Everything is scrubbed once more here: a result may come from a file that somebody else wrote.
"""

from __future__ import annotations

import re
from typing import Final

from gonogo.privacy import clean_label, printable

_LIMIT: Final = 600

# GitHub and GitLab resolve mentions and references in the finished text, where a backslash or an
# entity no longer protects; only another character does. Slack and Teams read the same signs.
_REFERENCES: Final = str.maketrans({"@": "＠", "#": "＃"})
_COMPARATORS: Final = (("<=", "≤"), (">=", "≥"))
_LINKS: Final = ((re.compile(r"://"), "[:]//"), (re.compile(r"(?i)\bwww\."), "www[.]"))
_ISSUE: Final = re.compile(r"(?i)\b(GH)-(?=[0-9])")
# :white_check_mark: would be drawn as a check mark; 13:35:10 stays a time.
_EMOJI: Final = re.compile(r":(?=[0-9]*[A-Za-z_+-][\w+-]*:)", re.ASCII)
_MARKDOWN: Final = re.compile(r"[\\`*\[\]|~$!{}]|(?<![^\W_])_|_(?![^\W_])")
_ENTITIES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_IN_SLACK: Final = _ENTITIES | str.maketrans({"*": "∗", "`": "'", "~": "∼"})
_IN_NOTE: Final = str.maketrans({"`": "'", "<": "‹", ">": "›", "*": "∗"})
_IN_CODE: Final = str.maketrans({"`": "'", "|": "¦", "<": "‹", ">": "›"})
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.:-]+(?:/[\w.%+~/-]*)?(?:\?\[query\])?", re.ASCII)
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def markdown(text: str, limit: int = _LIMIT) -> str:
    """`text` for running Markdown: no mention, reference, link, image, HTML, table cell or code."""
    safe = _EMOJI.sub("∶", _defused(text, limit))
    return _MARKDOWN.sub(r"\\\g<0>", safe).translate(_ENTITIES)


def code(text: str, limit: int = 120) -> str:
    """`text` as a Markdown code span; pipes and backticks become look-alikes."""
    return f"`{_defused(text, limit).translate(_IN_CODE)}`"


def address(url: str, limit: int = 300) -> str:
    """A link of the configuration as a code span: whole, but not followed by itself."""
    safe = clean_label(url, limit)
    return f"`{safe}`" if _ADDRESS.fullmatch(safe) else code(url, limit)


def slack(text: str, limit: int = _LIMIT) -> str:
    """`text` for a Slack mrkdwn text: no mention, channel, link, bold or code; on one line.

    At most `limit` characters as they are sent: `&` counts as the five of `&amp;`.
    """
    safe = " ".join(_EMOJI.sub("∶", _defused(text, limit)).split())
    written = [char.translate(_IN_SLACK) for char in safe]
    if sum(map(len, written)) <= limit:
        return "".join(written)
    room, kept = limit - 1, []
    for char in written:
        room -= len(char)
        if room < 0:
            break
        kept.append(char)
    return "".join(kept) + "…"


def slack_address(url: str, limit: int = 300) -> str:
    """A link of the configuration for Slack: whole, as code, so that nothing follows it."""
    safe = clean_label(url, limit)
    return f"`{safe}`" if _ADDRESS.fullmatch(safe) else slack(url, limit)


def note(text: str, limit: int = _LIMIT) -> str:
    """`text` for a plain note that a service may hand on to chats and mail.

    No mention, link or HTML in it. A backslash would be seen there, so look-alikes stand in.
    """
    return _EMOJI.sub("∶", _defused(text, limit)).translate(_IN_NOTE)


def note_address(url: str, limit: int = 300) -> str:
    """A link of the configuration for a note: whole, since a run book is there to be opened."""
    safe = clean_label(url, limit)
    return safe if _ADDRESS.fullmatch(safe) else note(url, limit)


def xml(text: str, limit: int = _LIMIT) -> str:
    """`text` without the characters that XML 1.0 has no spelling for; not escaped otherwise."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", printable(text, limit))


def _defused(text: str, limit: int) -> str:
    safe = printable(text, limit)
    for written, sign in _COMPARATORS:
        safe = safe.replace(written, sign)
    for pattern, harmless in _LINKS:
        safe = pattern.sub(harmless, safe)
    return _ISSUE.sub("\\1\N{NON-BREAKING HYPHEN}", safe).translate(_REFERENCES)
