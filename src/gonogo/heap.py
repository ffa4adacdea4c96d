"""Memory that the C library holds back.

NumPy takes its arrays from the C library. glibc gives each thread a heap of its own, and keeps what
is freed between two pieces that are in use: of a long run, hundreds of megabytes that nobody needs.
Elsewhere than on glibc nothing is done.
"""

from __future__ import annotations

import sys
from typing import Final

_M_ARENA_MAX: Final = -8
"""malloc.h of glibc"""


def one_arena() -> None:
    """Let all threads take memory from one heap; of use before there are any."""
    _call("mallopt", _M_ARENA_MAX, 1)


def give_back() -> None:
    """Return what is free to the system; some milliseconds."""
    _call("malloc_trim", 0)


def _call(name: str, *numbers: int) -> None:
    if sys.platform != "linux":
        return
    import ctypes

    function = getattr(ctypes.CDLL(None), name, None)  # not in musl
    if function is not None:
        function(*numbers)
