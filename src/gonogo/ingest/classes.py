"""What status and error texts mean."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from gonogo.conventions import ErrorClass
from gonogo.records import ERROR_CLASSES, NO, REVIEWS, TIERS, UNKNOWN_FLAG, YES

OK: Final = 0
FAILED: Final = 1
STATUS_MISSING: Final = 2
BLOCKED: Final = 3

_FAILED_WORDS: Final = frozenset(
    {"error", "failed", "failure", "timeout", "cancelled", "exception"}
)
_BLOCKED_WORDS: Final = frozenset({"blocked", "guardrail_blocked", "content_filter"})
_BLOCKING_ACTIONS: Final = frozenset({"block", "blocked", "deny", "reject"})
_STANDARD_TIERS: Final = frozenset(
    {"", "auto", "default", "standard", "standard_only", "on_demand", "none", "null"}
)
_HTTP_ERROR: Final = 400

_BY_CODE: Final = {
    429: ErrorClass.RATE_LIMIT,
    408: ErrorClass.TIMEOUT,
    504: ErrorClass.TIMEOUT,
    401: ErrorClass.AUTH,
    403: ErrorClass.AUTH,
    400: ErrorClass.INVALID_REQUEST,
    404: ErrorClass.INVALID_REQUEST,
    413: ErrorClass.INVALID_REQUEST,
    422: ErrorClass.INVALID_REQUEST,
    500: ErrorClass.SERVER_ERROR,
    502: ErrorClass.SERVER_ERROR,
    503: ErrorClass.SERVER_ERROR,
    529: ErrorClass.SERVER_ERROR,
}
# The first pattern that is found decides, so the narrow ones stand first.
_BY_WORD: Final = (
    (ErrorClass.RATE_LIMIT, re.compile("rate_?limit|too_many_requests|throttl")),
    (ErrorClass.TIMEOUT, re.compile("timeout|timed_?out|deadline")),
    (ErrorClass.CONTEXT_LENGTH, re.compile("context_length|too_long")),
    (ErrorClass.AUTH, re.compile("unauthori|forbidden|authentication|permission")),
    (ErrorClass.SERVER_ERROR, re.compile("overloaded|internal|unavailable|server_error")),
    (ErrorClass.CONNECTION, re.compile("connection|network|dns")),
    (ErrorClass.INVALID_REQUEST, re.compile("bad_request|invalid")),
)
_SEPARATORS: Final = re.compile(r"[\s\-]+")
_NUMBER: Final = re.compile(r"[+-]?\d{1,6}(\.0*)?$")


@lru_cache(maxsize=65_536)
def status_class(text: str) -> int:
    """OK, FAILED, BLOCKED or STATUS_MISSING of a status text or HTTP code."""
    word = text.strip().lower()
    if not word:
        return STATUS_MISSING
    if word in _BLOCKED_WORDS:
        return BLOCKED
    if word in _FAILED_WORDS:
        return FAILED
    return FAILED if _NUMBER.match(word) and float(word) >= _HTTP_ERROR else OK


@lru_cache(maxsize=65_536)
def service_tier(text: str) -> int:
    """Index into TIERS of a tier of service; what is not known is not the standard one."""
    word = _SEPARATORS.sub("_", text.strip().lower())
    if word in _STANDARD_TIERS:
        return 0
    return TIERS.index(word) if word in TIERS else len(TIERS) - 1


@lru_cache(maxsize=65_536)
def error_class(text: str) -> int:
    """Index into ERROR_CLASSES of an error type, code or message."""
    word = _SEPARATORS.sub("_", text.strip().lower())
    if _NUMBER.match(word):
        found = _BY_CODE.get(int(float(word)), ErrorClass.OTHER)
    else:
        found = next((kind for kind, rule in _BY_WORD if rule.search(word)), ErrorClass.OTHER)
    return ERROR_CLASSES.index(found)


@lru_cache(maxsize=65_536)
def is_timeout(text: str) -> int:
    """1 where the text is that of a timeout, else 0."""
    return int(error_class(text) == ERROR_CLASSES.index(ErrorClass.TIMEOUT))


_REVIEWS: Final = {
    "none": ("none", "not_required", "skipped", "no", "auto", "automatic"),
    "approved": ("approved", "approve", "accepted", "confirmed", "yes"),
    "rejected": ("rejected", "reject", "denied", "declined"),
    "overridden": ("overridden", "override", "edited", "modified", "changed"),
    "pending": ("pending", "queued", "waiting", "open"),
    "afterwards": ("afterwards", "approved_after", "post_hoc", "reviewed_after"),
}
_REVIEW_BY_WORD: Final = {
    word: REVIEWS.index(review) for review, words in _REVIEWS.items() for word in words
}


_PASSED: Final = frozenset(("pass", "passed", "true", "yes", "correct", "ok", "good", "success"))
_NOT_PASSED: Final = frozenset(
    ("fail", "failed", "false", "no", "incorrect", "bad", "failure", "not_passed")
)


@lru_cache(maxsize=4_096)
def review(text: str) -> int:
    """Index into REVIEWS of a review's outcome; a word that is not known is unknown."""
    return _REVIEW_BY_WORD.get(_SEPARATORS.sub("_", text.strip().lower()), 0)


@lru_cache(maxsize=4_096)
def passed(text: str) -> int:
    """YES or NO where the label of a score says so, else UNKNOWN_FLAG."""
    word = _SEPARATORS.sub("_", text.strip().lower())
    return YES if word in _PASSED else NO if word in _NOT_PASSED else UNKNOWN_FLAG


@lru_cache(maxsize=4_096)
def is_blocking(text: str) -> int:
    """1 where the action of a guardrail kept the call from going on, else 0."""
    return int(text.strip().lower() in _BLOCKING_ACTIONS)
