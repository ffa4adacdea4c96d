"""Chromium for tests; where it or its driver is missing the tests say so and are skipped."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

WIDE, PHONE = (1440, 900), (390, 844)
MISSING = (
    "no browser: install Chromium (Debian and Ubuntu: apt-get install chromium) and the packages "
    "of the test extra (pip install -e '.[test]')"
)


def chromium() -> str | None:
    """Where Debian's (or another) Chromium is; None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if (found := shutil.which(name))), None)


def needed() -> str:
    """Where the browser is; skips the test where there is none, or nothing to drive it."""
    pytest.importorskip("playwright.sync_api", reason=MISSING)
    path = chromium()
    if path is None:
        pytest.skip(MISSING)
    return path


@contextmanager
def running() -> Iterator[Any]:
    """A headless browser; skips the test where there is none to run."""
    path = needed()
    import playwright.sync_api as sync

    with sync.sync_playwright() as driver:
        # Containers run as root, which the sandbox does not allow.
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """A page with what it complained about and whom it asked."""

    def __init__(self, browser: Any, size: tuple[int, int] = WIDE, **context: Any) -> None:
        width, height = size
        self.context = browser.new_context(viewport={"width": width, "height": height}, **context)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._alarm)
        self.refused: dict[str, str] = {}
        self.page.on("requestfailed", lambda r: self.refused.update({r.url: r.failure}))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _alarm(self, dialog: Any) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


def open_page(watched: Watched, address: str) -> Any:
    """The page, once it shows what is at an address."""
    watched.page.goto(address)
    return watched.page


def marks(page: Any, chart: str) -> Any:
    """The picture of a chart, which is pointed at and read with keys."""
    return page.locator(f"#chart-{chart} .picture")


@functools.cache
def axe() -> str:
    """The accessibility checker's script, from an installed package."""
    package = pytest.importorskip("axe_playwright_python", reason=MISSING)
    return (resources.files(package.__name__) / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Any, *only: str) -> list[str]:
    """What axe finds against WCAG 2.0 to 2.2, A and AA, and its best practices."""
    page.evaluate(axe())
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    run = {"type": "rule", "values": list(only)} if only else {"type": "tag", "values": tags}
    found = page.evaluate("run => axe.run(document, {runOnly: run})", run)
    return [
        f"{v['id']}: {node['html'][:160]} ({node['failureSummary'].splitlines()[-1].strip()})"
        for v in found["violations"]
        for node in v["nodes"]
    ]


@contextmanager
def served(folder: Path, at: str) -> Iterator[str]:
    """The folder's address on a local server, under the sub-path `at`."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            bare = path.partition("?")[0]
            return str(folder / bare.removeprefix(at).lstrip("/")) if bare.startswith(at) else "/-"

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}{at}"
        server.shutdown()
        thread.join()
