"""A real Chromium for tests that look at pages: started once, and asked from a thread of its own."""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
USER = dict(os.environ)  # fonts and the like are found by the user's home, which tests do not have
OUTPUT = Path(__file__).resolve().parents[2] / "test-output" / "pages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """What axe found wrong: the rule, and the elements that break it."""

    rule: str
    elements: tuple[str, ...]


class Browser:
    """Chromium, and what can be asked about a page in it.

    Playwright runs an event loop in its thread, where nothing else could run one; so that thread is not that of tests.
    """

    def __init__(self, program: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="chromium")
        self._open = ExitStack()
        self._browser = self._thread.submit(self._start, program).result()

    def _start(self, program: str):
        from playwright.sync_api import sync_playwright

        playwright = self._open.enter_context(sync_playwright())
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"] if root else [], env=USER, timeout=60_000
        )
        self._open.callback(browser.close)
        return browser

    def look(self, url: str, ask: Callable[..., T], *, width: int = 1280, height: int = 900, dark: bool = False) -> T:
        """Open a page and return what `ask` makes of it. What the page asks of the network or says is an error.

        The page's own policy does not bind what the test does in it.
        """
        return self._thread.submit(self._look, url, ask, width, height, dark).result()

    def _look(self, url: str, ask: Callable[..., T], width: int, height: int, dark: bool) -> T:
        context = self._browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", bypass_csp=True,
            is_mobile=width < 600, has_touch=width < 600,
        )  # fmt: skip
        try:
            page = context.new_page()
            said: list[str] = []
            page.on("dialog", lambda dialog: (said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
            page.on("console", lambda message: said.append(f"console: {message.text}"))
            page.on("pageerror", lambda error: said.append(f"error: {error}"))
            page.on("request", lambda request: request.url == url or said.append(f"request: {request.url}"))
            page.goto(url, wait_until="load")
            answer = ask(page)
            assert said == []
            return answer
        finally:
            context.close()

    def violations(self, url: str, **how: int | bool) -> list[Violation]:
        """Return what axe finds wrong with a page, with everything in it opened that can be."""
        from axe_playwright_python.sync_playwright import Axe

        def ask(page) -> list[Violation]:
            page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true })")
            found = Axe().run(page).response["violations"]
            return [
                Violation(rule=one["id"], elements=tuple(node["html"][:200] for node in one["nodes"])) for one in found
            ]

        return self.look(url, ask, **how)

    def screenshot(self, url: str, name: str, **how: int | bool) -> Path:
        """Keep a picture of the whole page as test output, which the summary of the tests names; return its path."""
        path = OUTPUT / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.look(url, lambda page: page.screenshot(path=path, full_page=True), **how)
        return path

    def close(self) -> None:
        """End the browser."""
        self._thread.submit(self._open.close).result()
        self._thread.shutdown()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Return Chromium; the test is skipped where there is none, or no library to drive it."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    chosen = USER.get("CMR_TEST_BROWSER", "")
    found = (chosen, *(shutil.which(name, path=USER.get("PATH")) for name in NAMES), *filter(os.path.exists, PLACES))
    program = next(filter(None, found), None)
    if program is None:
        pytest.skip("there is no Chromium; CMR_TEST_BROWSER names one that is not on the PATH")
    browser = Browser(program)
    yield browser
    browser.close()
