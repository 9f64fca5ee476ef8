"""Take the pictures of the README from the demo's report: `make stills`."""

from __future__ import annotations

import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps
from playwright.sync_api import sync_playwright

HEIGHT, PAGE = 860, "#fbfbfa"
STILLS = Path(__file__).parent / "stills"


def take(report: Path) -> None:
    """The gallery of neighbours and the map, each a PNG.

    Args:
        report: of a finished demo.
    """
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        page.locator("#search").fill("tea pot")
        page.locator("#search").press("Enter")
        page.locator("#search").blur()
        for name, section in (("neighbours", "#gallery"), ("map", "#map")):
            with Image.open(BytesIO(page.locator(section).screenshot())) as whole:
                still = ImageOps.expand(whole.crop((0, 0, whole.width, min(whole.height, HEIGHT))), 16, PAGE)
            still.quantize(256).save(STILLS / f"{name}.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]))
