"""Processes of our own that work beside this one: they take jobs on stdin, and answer on stdout.

They end when their input ends: with this process, however it ends.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

Worker = subprocess.Popen[bytes]


def start(code: str, **environment: str) -> Worker | None:
    """A Python that runs `code` with the packages of this one; None where there is none to be had.

    Returns at once: what the code imports is imported meanwhile.
    """
    if not sys.executable:
        return None
    # It finds the same packages as this process, and its pipes hold UTF-8 in any locale.
    path: Sequence[str] = [entry for entry in sys.path if entry]
    own = {"PYTHONPATH": os.pathsep.join(path), "PYTHONUTF8": "1", **environment}
    try:
        worker = subprocess.Popen(
            # -P: what lies in the working directory must not be imported.
            [sys.executable, "-P", "-c", code],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=os.environ | own,
        )  # fmt: skip
    except OSError:
        return None
    atexit.register(stop, worker)
    return worker


def stop(worker: Worker) -> None:
    """End it, at whatever it is."""
    worker.kill()
    worker.wait()
    for pipe in (worker.stdin, worker.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
