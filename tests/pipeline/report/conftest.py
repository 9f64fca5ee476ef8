"""A headless browser, and a report to look at with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.report.browser import Open
from tests.pipeline.report.runs import make_config, make_run, ordinary_rows, written

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of thirty ordinary items under four sets."""
    folder = tmp_path_factory.mktemp("ordinary")
    rows = ordinary_rows(folder)
    return written(make_config(folder, rows), make_run([row["item_id"] for row in rows]))


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """The Chromium of this machine, headless."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("no Chromium on this machine: the report was not looked at in a browser")
    with playwright.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def view(browser: Any) -> Iterator[Open]:
    """Opens a report; the test fails on any message, error, dialog or request that the page makes."""
    complaints: list[str] = []
    pages = []

    def open_page(report: Path, width: int = 1280, **options: Any) -> Any:
        page = browser.new_page(viewport={"width": width, "height": 900}, **options)
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: _note_request(request.url, report, complaints))
        page.goto(report.as_uri())
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert complaints == []


def _note_request(url: str, report: Path, complaints: list[str]) -> None:
    if not url.startswith(("data:", report.as_uri())):
        complaints.append(f"request: {url[:100]}")
