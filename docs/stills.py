"""Take the pictures of the README from the demo's report: `make stills`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

STILLS = Path(__file__).parent / "stills"


def take(report: Path) -> None:
    """The gallery of neighbours and the map, each a PNG.

    Args:
        report: of a finished demo.
    """
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 860}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        page.locator("#search").fill("tea pot")
        page.locator("#search").press("Enter")
        for name, section in (("neighbours", "#gallery"), ("map", "#map"), ("verdict", "#help")):
            page.locator(section).screenshot(path=STILLS / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]))
