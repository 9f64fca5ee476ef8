"""Take the pictures of the README from a finished demo: `make stills`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from io import BytesIO, StringIO
from pathlib import Path

from PIL import Image, ImageOps
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.text import Text

HEIGHT, PAGE = 860, "#fbfbfa"
STILLS = Path(__file__).parent / "stills"
# Typed in the demo's folder; what they answer is what the still shows.
COMMANDS = ("alignrec status", "alignrec evaluate 2>&1 | tail -n 4")
COLUMNS = 100


def take(demo: Path, stills: Path = STILLS) -> None:
    """The verdict, the gallery of neighbours and a terminal, each a PNG.

    Args:
        demo: the folder of a finished demo.
        stills: where the pictures go.
    """
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        take_report(browser, demo / "run" / "report.html", stills)
        take_terminal(browser, demo, stills)
        browser.close()


def take_report(browser: Browser, report: Path, stills: Path) -> None:
    """`verdict.png` and `neighbours.png`, from a report."""
    page = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme="light")
    page.goto(report.resolve().as_uri())
    page.locator("#search").fill("tea pot")
    page.locator("#search").press("Enter")
    page.locator("#search").blur()
    for name, section in (("verdict", "#help"), ("neighbours", "#gallery")):
        _save(page.locator(section).screenshot(), stills / f"{name}.png")


def take_terminal(browser: Browser, demo: Path, stills: Path) -> None:
    """`terminal.png`: commands typed in the demo's folder, and what they really answer."""
    screen = Console(record=True, width=COLUMNS, file=StringIO())
    for command in COMMANDS:
        screen.print(Text.assemble(("$ ", "green"), (command, "bold")))
        screen.print(Text.from_ansi(answer(command, demo)))
    # Its fonts would come from the network.
    svg = re.sub(r"@font-face \{.*?\}", "", screen.export_svg(title="AlignRec"), flags=re.DOTALL)
    page = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme="light")
    page.set_content(f'<body style="margin: 0; background: {PAGE}">{svg}</body>')
    _save(page.locator("svg").first.screenshot(), stills / "terminal.png")


def answer(command: str, folder: Path) -> str:
    """What a command says on a terminal of `COLUMNS` columns."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    terminal = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "PATH": path}
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env={**os.environ, **terminal},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    ).stdout.rstrip()


def _save(screenshot: bytes, path: Path) -> None:
    with Image.open(BytesIO(screenshot)) as whole:
        still = ImageOps.expand(whole.crop((0, 0, whole.width, min(whole.height, HEIGHT))), 16, PAGE)
    still.quantize(256).save(path, optimize=True)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
