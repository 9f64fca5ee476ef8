"""A headless browser, and reports to look at with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

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
