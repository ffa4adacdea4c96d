"""What is wrong with a text: quoting it, guessing what was meant, and carrying it to the loader."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing wrong with an objective's text; `part` says on which side of the `=`."""

    code: str
    what: str
    hint: str
    part: Literal["key", "limit"] = "key"


class ExpressionError(ValueError):
    """The text of an objective cannot be used; holds everything that is wrong with it."""

    def __init__(self, troubles: Iterable[Trouble]) -> None:
        self.troubles = tuple(troubles)
        super().__init__("; ".join(f"{t.what}: {t.hint}" for t in self.troubles))


def quoted(text: str) -> str:
    """`text` in single quotes for a message: one line, no control characters, at most 60 long."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return f"'{shown[:_SHOWN]}…'" if len(shown) > _SHOWN else f"'{shown}'"


def nearest(
    word: str, options: Iterable[str], synonyms: Mapping[str, str] | None = None
) -> str | None:
    """The option that `word` most probably stands for; None where nothing is near.

    A synonym (lower case) stands for the option that it names, and wins where it is exact.
    """
    known = list(options)
    lower = word.strip().lower()
    meant = (synonyms or {}).get(lower)
    if meant in known:
        return meant
    by_lower = {word: option for word, option in (synonyms or {}).items() if option in known}
    by_lower |= {option.lower(): option for option in known}
    close = difflib.get_close_matches(lower, by_lower, n=1)
    return by_lower[close[0]] if close else None


def did_you_mean(
    word: str, options: Iterable[str], synonyms: Mapping[str, str] | None = None
) -> str:
    """A hint with the nearest option, or with all of them where none is near."""
    known = list(options)
    near = nearest(word, known, synonyms)
    return f"did you mean '{near}'?" if near else f"known are {', '.join(known)}"
