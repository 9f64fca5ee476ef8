"""The report can be read by everyone: contrast, widths, names, and what axe-core finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.report.browser import WIDTHS, Open
from tests.pipeline.report.runs import make_config, make_run, ordinary_rows, written

# Where `make axe` puts it.
AXE = Path(__file__).parents[3] / ".axe/node_modules/axe-core/axe.min.js"
# Whatever text can be read: its contrast with what lies behind it, as WCAG 2.2 defines it.
CONTRAST = """() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !e.getClientRects().length || e.closest("script, style")) continue;
    const style = getComputedStyle(e);
    const svg = e.namespaceURI.endsWith("svg");
    const [a, b] = [light(parse(svg ? style.fill : style.color)), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${e.tagName} "${e.textContent.trim().slice(0, 30)}" ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_contrast(ordinary: Path, view: Open, scheme: str) -> None:
    page = view(ordinary, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_off_at_any_width(ordinary: Path, view: Open, width: int) -> None:
    page = view(ordinary, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_unseen_beginning_of_a_title_widens_no_phone(tmp_path: Path, view: Open) -> None:
    rows = ordinary_rows(tmp_path, 30)
    for number, row in enumerate(rows):
        row["title"] = f"A long beginning that all of these share, number {number}"
    page = view(written(make_config(tmp_path, rows), make_run([row["item_id"] for row in rows])), 360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_names_for_those_who_do_not_see_the_page(ordinary: Path, view: Open) -> None:
    page = view(ordinary)
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.locator("h1").count() == 1
    assert page.evaluate("[...document.images].every((image) => image.hasAttribute('alt'))")
    assert page.locator("#picked img").get_attribute("alt").startswith("Picture of ")
    nameless = "[...document.querySelectorAll('button')].filter((b) => !b.textContent.trim()).length"
    assert page.evaluate(nameless) == 0
    page.locator("#numbers summary", has_text="Pretraining").click()
    assert page.get_by_role("img", name="loss over epoch").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_no_fault(ordinary: Path, view: Open, scheme: str, width: int) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not here: `make axe` fetches it from npm and runs this")
    page = view(ordinary, width, color_scheme=scheme, bypass_csp=True)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "async () => (await axe.run()).violations"
        ".map((v) => `${v.impact} ${v.id}: ${v.nodes.map((node) => node.html).join(' ')}`)"
    )
    assert found == []
