"""The sections in a real browser: what is there, the navigation, tables and findings."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.pipeline.report.browser import WIDTHS, Open, neighbours
from tests.pipeline.report.runs import SETS, make_config, make_run, ordinary_rows, written


def test_every_section_is_there_and_filled(ordinary: Path, view: Open) -> None:
    page = view(ordinary)
    assert page.locator("h2").all_inner_texts() == [
        "Did it help?",
        "What the features know",
        "The catalogue from above",
        "What was made",
        "Catalogue quality",
        "Numbers and curves",
    ]
    words = page.locator(".plain").inner_text()
    assert words.startswith("On average 20 of 100 things people chose, and training did not know of, were")
    assert words.endswith(
        "by aligned (the strongest landmark, popularity: 19). The difference may be chance."
    )
    assert page.locator(".first .headline").inner_text() == "No proof that aligned features helped"
    assert page.locator("#items button").count() == 30
    assert page.locator("#legend li").count() == 3
    loaded = "[...document.images].every((image) => image.complete && image.naturalWidth > 0)"
    assert page.evaluate(loaded) and page.locator("#items img").count() == 30


@pytest.mark.parametrize("width", WIDTHS)
def test_the_navigation_stays(ordinary: Path, view: Open, width: int) -> None:
    page = view(ordinary, width)
    page.locator("nav a", has_text="What was made").click()
    page.wait_for_function("scrollY > 500")
    assert page.locator("nav").bounding_box()["y"] == 0
    heading = page.locator("#overview-title").bounding_box()["y"]
    assert page.locator("nav").bounding_box()["height"] < heading < 200


def test_numbers_and_curves_are_there_when_asked_for(ordinary: Path, view: Open) -> None:
    page = view(ordinary)
    assert not page.locator("#numbers figure, #numbers table").first.is_visible()
    page.locator("#numbers summary", has_text="Recommendation").focus()
    page.keyboard.press("Enter")
    assert page.locator("#numbers figure").first.is_visible()


def test_a_table_is_sorted_by_mouse_and_keyboard_and_copied(ordinary: Path, view: Open) -> None:
    page = view(ordinary)
    table = page.locator("#overview table.sorted")
    names = table.locator("tbody th")
    assert names.all_inner_texts() == list(SETS)
    table.get_by_role("button", name="dimensions").click()
    assert names.all_inner_texts() == ["multimodal", "aligned", "text", "image"]
    assert table.get_by_role("columnheader", name="dimensions").get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")
    assert names.all_inner_texts() == ["image", "text", "multimodal", "aligned"]
    table.get_by_role("button", name="set", exact=True).press("Enter")
    assert names.all_inner_texts() == sorted(SETS)
    assert table.locator("[aria-sort]").all_inner_texts() == ["set"]
    # What is copied is whole, whether this browser lets a page write to the clipboard or not.
    page.evaluate("() => { navigator.clipboard.writeText = async (text) => { window.copied = text; }; }")
    page.locator("#overview .copy button").click()
    rows = list(csv.reader(page.evaluate("copied").splitlines()))
    assert rows[0] == ["set", "what it holds", "dimensions", "items with a vector", "model"]
    assert [(row[0], row[2], row[3]) for row in rows[1:]] == [(n, str(SETS[n]), "29") for n in sorted(SETS)]
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    page.locator("#overview .copy button").click()
    assert page.get_by_label("The table as CSV").input_value().splitlines()[0] == ",".join(rows[0])


def test_what_the_quality_page_names_is_seen_and_picked(tmp_path: Path, view: Open) -> None:
    rows = ordinary_rows(tmp_path, 30)
    run = make_run([row["item_id"] for row in rows])
    run.sets["image"].matrix[[12, 20]] = run.sets["image"].matrix[7]
    page = view(written(make_config(tmp_path, rows), run))
    found = page.locator(".findings:not(.alone) li", has=page.get_by_role("button", name="Lamp 12"))
    assert found.locator("button .title").all_inner_texts() == ["Café chair 7", "Lamp 12", "Lamp 20"]
    assert found.locator("img").evaluate_all("all => all.every((image) => image.naturalWidth > 0)")
    found.get_by_role("button", name="Lamp 12").press("Enter")
    assert page.locator("#picked h3").inner_text() == "Lamp 12"
    assert page.evaluate("document.activeElement.id") == "picked"
    page.locator("#quality summary").first.press("Enter")
    table = page.locator("#quality table").first
    assert table.locator("tbody tr").first.locator("td, th").all_inner_texts() == [
        "image", "1", "i7", "Café chair 7", "0.000",
    ]  # fmt: skip


def test_a_run_that_was_never_measured_says_so(tmp_path: Path, view: Open) -> None:
    rows = ordinary_rows(tmp_path, 5)
    run = make_run([row["item_id"] for row in rows], trained=False)
    page = view(written(make_config(tmp_path, rows), run))
    assert page.locator(".first .headline").inner_text() == "Not measured yet"
    assert page.locator("#numbers").count() == 0
    assert page.locator("nav a").all_inner_texts() == [
        "Did it help?",
        "Neighbours",
        "Map",
        "What was made",
        "Quality",
    ]
    assert len(neighbours(page)) == 2
