"""The gallery in a real browser: search, the shelf, the picked item and its neighbours."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignrec.pipeline.config.catalog import ModalityConfig
from tests.pipeline.catalogues import sound
from tests.pipeline.report.browser import Open, neighbours
from tests.pipeline.report.runs import SETS, make_config, make_run, ordinary_rows, written


def test_picking_an_item_changes_its_neighbours_under_every_set(ordinary: Path, view: Open) -> None:
    page = view(ordinary)
    before = neighbours(page)
    page.locator("#items button", has_text="Café chair 7").click()
    assert page.locator("#picked h3").inner_text() == "Café chair 7"
    after = neighbours(page)
    assert list(after) == list(SETS)
    assert all(len(titles) == 10 and titles != before[name] for name, titles in after.items())
    assert len({tuple(titles) for titles in after.values()}) == len(SETS)
    nearest = after["text"][0]
    page.locator(".near", has=page.locator("h4", has_text="text")).locator("button").first.click()
    assert page.locator("#picked h3").inner_text() == nearest


def test_the_address_leads_back_to_the_item(ordinary: Path, view: Open) -> None:
    page = view(ordinary)
    page.locator("#items button", has_text="Lamp 12").click()
    address = page.url
    assert address.endswith("#item=i12")
    page.goto("about:blank")
    page.goto(address)
    assert page.locator("#picked h3").inner_text() == "Lamp 12"
    page.evaluate("location.hash = '#item=%E0%A4%A'")
    assert page.locator("#picked h3").inner_text() == "Lamp 12"


def test_an_item_without_a_vector_says_so(ordinary: Path, view: Open) -> None:
    page = view(ordinary)
    page.locator("#items button", has_text="Café chair 29").click()
    assert page.locator(".near .note").all_inner_texts() == ["This set has no vector for the item."] * len(
        SETS
    )


def test_search_finds_by_title_text_and_id(ordinary: Path, view: Open) -> None:
    page = view(ordinary)
    search = page.get_by_label("Find an item")
    for words, count in (("cafe", 15), ("CHAIR 29", 1), ("square thing", 10), ("i17", 1), ("zeppelin", 0)):
        search.fill(words)
        assert page.locator("#items button").count() == count, words
        assert page.locator("#found").inner_text().startswith(f"{count} of 30 items")
    search.fill("afé")
    assert page.locator("#items button").count() == 0, "no word begins so"
    search.fill("chair zeppelin")
    assert page.locator("#found").inner_text() == (
        "0 of 30 items: no title, text, id or field has words that begin with “chair” and “zeppelin”."
    )
    search.fill("lamp 22")
    search.press("Enter")
    assert page.locator("#picked h3").inner_text() == "Lamp 22"


def test_a_word_is_found_anywhere_where_words_have_no_space_between(tmp_path: Path, view: Open) -> None:
    rows = ordinary_rows(tmp_path, 4)
    rows[1]["title"], rows[2]["description"] = "木製の椅子", "Goes with 椅子 and tables"
    page = view(written(make_config(tmp_path, rows), make_run([row["item_id"] for row in rows])))
    page.get_by_label("Find an item").fill("椅子")
    titles = page.locator("#items .title").all_inner_texts()
    assert titles == ["木製の椅子", "Lamp 2"], "titles come first"


def test_titles_of_neighbours_show_what_differs(tmp_path: Path, view: Open) -> None:
    rows = ordinary_rows(tmp_path, 4)
    beginning = "Garden chair of the house"
    for row, rest in zip(rows, ("oak green", "oak red", "pine green", ""), strict=True):
        row["title"] = f"{beginning} {rest}".strip()
    page = view(written(make_config(tmp_path, rows), make_run([row["item_id"] for row in rows])))
    found = {}
    for title in page.locator(".near").first.locator(".title").all():
        seen = [t.strip() for t in title.locator("b").all_inner_texts()]
        found[title.get_attribute("title").removeprefix(beginning).strip()] = seen
        assert title.inner_text().startswith(beginning), "whole for those who listen"
        assert title.locator("[aria-hidden]").inner_text().strip() == "…"
    assert found == {"oak red": ["red"], "pine green": ["pine"]}


def test_the_shelf_is_walked_with_the_keyboard(ordinary: Path, view: Open) -> None:
    page = view(ordinary)
    page.get_by_label("Find an item").focus()
    page.keyboard.press("Tab")
    focused = "document.activeElement.dataset.item"
    assert page.evaluate(focused) == "0"
    for key, item in (
        ("ArrowRight", "1"),
        ("End", "29"),
        ("ArrowRight", "29"),
        ("Home", "0"),
        ("ArrowRight", "1"),
    ):
        page.keyboard.press(key)
        assert page.evaluate(focused) == item, key
    page.keyboard.press("Enter")
    assert page.locator("#picked h3").inner_text() == page.locator("#items button").nth(1).inner_text()


def test_a_sound_is_played_beside_its_picture_without_any_request(tmp_path: Path, view: Open) -> None:
    rows = ordinary_rows(tmp_path)
    for number, row in enumerate(rows):
        (tmp_path / f"{number}.wav").write_bytes(sound(number))
        row["jingle"] = f"{number}.wav" if number else None
    config = make_config(tmp_path, rows, {"jingle": ModalityConfig(type="audio", columns=("jingle",))})
    page = view(written(config, make_run([row["item_id"] for row in rows])))
    player = page.locator("#picked audio")
    assert player.count() == 0, "the first item has none"
    page.locator("#items button").nth(3).click()
    assert player.count() == 1 and player.get_attribute("src").startswith("data:audio/mpeg;base64,")
    assert page.locator("#picked").get_by_label("Sound of Café chair 3").count() == 1
    lasts = player.evaluate(
        "p => new Promise((done, fail) => { p.onloadedmetadata = () => done(p.duration);"
        " p.onerror = () => done(-1); p.load(); })"
    )
    assert lasts == pytest.approx(0.4, abs=0.15)
