"""Whether a call, a retrieval or a tool failed, and by which class of error."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gonogo.ingest import classes
from gonogo.ingest.access import Reader, classify
from gonogo.ingest.fields import Field
from gonogo.records import ERROR_CLASSES, NO, NO_ERROR_CLASS, UNKNOWN_FLAG, YES

_NONE = 2


def _told(error: str) -> int:
    return NO if not error else _NONE if error.lower() in ("false", "0", "none") else YES


def outcome(
    read: Reader, status: NDArray[np.uint8], fields: Mapping[str, Field]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.uint8]]:
    """(failed, blocked, error class) from status, ok flag and error type, each of shape (n,).

    `failed` is YES, NO or UNKNOWN_FLAG, `error class` an index of ERROR_CLASSES, and `fields` has
    those that are read: "ok", "error_type" and "status".
    """
    ok = read.flags(fields["ok"])
    error = read.texts(fields["error_type"])
    # `error` may be a flag: false says that there was none.
    told = classify(error, _told, NO)
    none, has_error = told == _NONE, told == YES
    blocked = status == classes.BLOCKED
    failed = np.full(read.height, UNKNOWN_FLAG, dtype=np.uint8)
    failed[(status == classes.OK) | blocked | (ok == YES) | none] = NO
    failed[((status == classes.FAILED) | (ok == NO) | has_error) & ~blocked] = YES
    by_error = classify(error, classes.error_class, NO_ERROR_CLASS)
    by_status = read.classes(fields["status"], classes.error_class, NO_ERROR_CLASS)
    other = len(ERROR_CLASSES) - 1
    by_error = np.where(has_error, by_error, NO_ERROR_CLASS)
    found = np.where(by_error != NO_ERROR_CLASS, by_error, by_status)
    found = np.where(found == NO_ERROR_CLASS, other, found)
    kind = np.where(failed == YES, found, NO_ERROR_CLASS).astype(np.uint8)
    return failed, blocked, kind
