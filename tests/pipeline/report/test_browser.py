"""The report in a real browser: it opens cleanly, answers to mouse and keyboard, and can be read."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alignrec.pipeline.config.catalog import ModalityConfig
from tests.pipeline.catalogues import sound
from tests.pipeline.report.runs import SETS, make_config, make_run, ordinary_rows, written

WIDTHS = (1280, 800, 360)
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

Open = Callable[..., Any]


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


def _neighbours(page: Any) -> dict[str, list[str]]:
    return {
        column.locator("h4").inner_text(): column.locator(".title").all_inner_texts()
        for column in page.locator(".near").all()
    }


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


def test_picking_an_item_changes_its_neighbours_under_every_set(ordinary: Path, view: Open) -> None:
    page = view(ordinary)
    before = _neighbours(page)
    page.locator("#items button", has_text="Café chair 7").click()
    assert page.locator("#picked h3").inner_text() == "Café chair 7"
    after = _neighbours(page)
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


def test_the_map_is_walked_with_the_keyboard(ordinary: Path, view: Open) -> None:
    page = view(ordinary)
    before = page.locator("#picked h3").inner_text()
    page.locator("#plane").focus()
    seen = set()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
        if page.locator("#hover").is_visible():
            seen.add(page.locator("#hover .title").inner_text())
    title = page.locator("#hover .title").inner_text()
    assert len(seen | {before}) >= 3
    assert page.locator("#hover img").count() == 1
    assert page.locator("#hovered").inner_text().startswith(title)
    page.keyboard.press("Enter")
    assert page.locator("#picked h3").inner_text() == title


def test_the_map_shows_pictures_under_the_pointer_and_changes_with_set_and_field(
    ordinary: Path, view: Open
) -> None:
    page = view(ordinary)
    canvas = page.locator("#plane")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = page.evaluate("points[3]")
    page.mouse.move(box["x"] + x, box["y"] + y)
    assert page.locator("#hover").is_visible()
    shown = page.locator("#hover .title").inner_text()
    assert "kind:" in page.locator("#hover").inner_text()
    page.mouse.click(box["x"] + x, box["y"] + y)
    assert page.locator("#picked h3").inner_text() == shown
    picture = "document.getElementById('plane').toDataURL()"
    first = page.evaluate(picture)
    page.get_by_label("Feature set", exact=True).select_option("image")
    second = page.evaluate(picture)
    page.get_by_label("Colour", exact=True).select_option(label="price")
    assert len({first, second, page.evaluate(picture)}) == 3
    assert page.locator("#legend li").count() == 5


def _middle(page: Any) -> tuple[float, float]:
    page.evaluate("canvas.scrollIntoView({ block: 'center' })")
    box = page.locator("#plane").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _move_to(page: Any, number: int) -> tuple[float, float]:
    page.evaluate("canvas.scrollIntoView({ block: 'center' })")
    box, (x, y) = page.locator("#plane").bounding_box(), page.evaluate(f"points[{number}]")
    page.mouse.move(box["x"] + x, box["y"] + y)
    return box["x"] + x, box["y"] + y


def test_the_map_zooms_and_moves(ordinary: Path, view: Open) -> None:
    page = view(ordinary)
    whole = page.evaluate("points.map((p) => p && [...p])")
    apart = "(a, b) => Math.hypot(points[a][0] - points[b][0], points[a][1] - points[b][1])"
    before = page.evaluate(f"({apart})(2, 5)")
    page.get_by_role("button", name="Zoom in").click()
    assert page.evaluate(f"({apart})(2, 5)") == pytest.approx(1.5 * before)
    x, y = _middle(page)
    still = page.evaluate("[...points[2]]")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 40, y - 30, steps=4)
    page.mouse.up()
    moved = page.evaluate("points[2]")
    # The first few pixels of a drag do not move yet: they could be a click.
    assert moved == pytest.approx([still[0] - 40, still[1] - 30])
    page.mouse.wheel(0, 100)
    assert page.evaluate("view.zoom") == pytest.approx(1.5), "the wheel alone scrolls the page"
    _middle(page)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    page.wait_for_function("view.zoom > 1.6")
    page.locator("#plane").press("0")
    assert page.evaluate("points") == whole
    page.locator("#plane").press("+")
    assert page.evaluate("view.zoom") == pytest.approx(1.5)
    page.get_by_role("button", name="Whole map").click()
    assert page.evaluate("points") == whole


def test_fingers_zoom_the_map(ordinary: Path, view: Open) -> None:
    page = view(ordinary, 360, has_touch=True)
    x, y = _middle(page)
    touch = page.context.new_cdp_session(page)
    for kind, apart in (("touchStart", 20), ("touchMove", 40), ("touchMove", 60), ("touchEnd", 0)):
        fingers = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}] if apart else []
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    assert page.evaluate("view.zoom") == pytest.approx(3, rel=0.1)


def test_few_points_are_shown_as_pictures_that_do_not_cover_one_another(ordinary: Path, view: Open) -> None:
    page = view(ordinary)
    page.wait_for_function("pictured > 5")
    first = page.evaluate("pictured")
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    in_view = "points.filter((point) => point && inView(point)).length"
    page.wait_for_function(f"pictured > 0 && pictured <= {in_view}")
    page.get_by_role("button", name="Whole map").click()
    assert page.evaluate("pictured") == first <= 29


def test_a_legend_filters_the_map(ordinary: Path, view: Open) -> None:
    page = view(ordinary)
    assert page.evaluate("colouring.name") == "kind", "users have items of one kind alone"
    assert page.locator("#map-about").inner_text() == (
        "Two items of one user have the same kind 3.0 times as often as by chance."
    )
    shown = "[...points.keys()].filter((number) => isShown(number)).map((number) => groupOf(number))"
    buttons = page.locator("#legend button")
    buttons.first.press("Enter")
    assert buttons.first.get_attribute("aria-pressed") == "true"
    assert set(page.evaluate(shown)) == {0}
    buttons.nth(2).click()
    assert set(page.evaluate(shown)) == {0, 2}
    page.get_by_role("button", name="List what is in view").click()
    assert page.locator("#chosen li").count() == len(page.evaluate(shown))
    hidden = page.evaluate("points.findIndex((point, number) => point && groupOf(number) === 1)")
    assert page.evaluate(f"nearest(...points[{hidden}], 1)") == -1, "what is not shown is not picked"
    buttons.first.click()
    buttons.nth(2).click()
    assert set(page.evaluate(shown)) == {0, 1, 2}


def test_a_lasso_lists_what_is_inside(ordinary: Path, view: Open) -> None:
    page = view(ordinary)
    page.get_by_role("button", name="Lasso").click()
    middle = page.evaluate("nearest(canvas.clientWidth / 2, canvas.clientHeight / 2, 1e6)")
    name = page.evaluate(f"items[{middle}].title")
    x, y = _move_to(page, middle)
    page.mouse.move(x - 30, y - 30)
    page.mouse.down()
    for a, b in ((30, -30), (30, 30), (-30, 30), (-30, -29)):
        page.mouse.move(x + a, y + b, steps=3)
    page.mouse.up()
    inside = page.evaluate(
        f"points.flatMap((p, n) => p && Math.abs(p[0] - points[{middle}][0]) < 29"
        f" && Math.abs(p[1] - points[{middle}][1]) < 29 ? [items[n].title] : [])"
    )
    assert set(inside) <= set(page.locator("#chosen .title").all_inner_texts()) and name in inside
    assert page.locator("#chosen-title").inner_text().endswith("items inside the lasso")
    page.locator("#chosen button", has_text=name).click()
    assert page.locator("#picked h3").inner_text() == name
    page.get_by_role("button", name="Clear").click()
    assert not page.locator("#chosen").is_visible()
    page.evaluate("canvas.scrollIntoView({ block: 'center' })")
    corner = page.locator("#plane").bounding_box()
    page.mouse.move(corner["x"] + 3, corner["y"] + 3)
    page.mouse.down()
    page.mouse.move(corner["x"] + 3, corner["y"] + 12)
    page.mouse.move(corner["x"] + 12, corner["y"] + 3)
    page.mouse.up()
    assert page.locator("#chosen-title").inner_text() == "No item is inside the lasso."


def test_an_item_picked_on_the_map_has_its_neighbours_beside_it(ordinary: Path, view: Open) -> None:
    page = view(ordinary)
    page.mouse.click(*_move_to(page, 6))
    beside = page.locator("#beside")
    assert beside.locator(".here .title").inner_text() == "Lamp 6"
    assert beside.locator("h3").inner_text() == "Nearest in aligned"
    titles = beside.locator("li .title").all_inner_texts()
    assert titles == _neighbours(page)["aligned"]
    assert beside.bounding_box()["y"] < page.locator("#plane").bounding_box()["y"] + 500
    page.get_by_label("Feature set", exact=True).select_option("image")
    assert beside.locator("li .title").all_inner_texts() == _neighbours(page)["image"]
    before = page.evaluate("scrollY")
    beside.locator("li button").first.click()
    assert beside.locator(".here .title").inner_text() == page.locator("#picked h3").inner_text() != "Lamp 6"
    assert page.evaluate("scrollY") == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_contrast(ordinary: Path, view: Open, scheme: str) -> None:
    page = view(ordinary, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_off_at_any_width(ordinary: Path, view: Open, width: int) -> None:
    page = view(ordinary, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


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


HOSTILE = (
    "<script>window.ran = 1</script>",
    "</script><script>window.ran = 2</script>",
    "<img src=x onerror='window.ran = 3'>",
    "\"'><svg onload=window.ran=4>",
    "{{ 7 * 7 }} {% raw %} ${7*7}",
    "مرحبا \u202e gnp.exe \u2066",
    "line\u2028separator \u2029 and \x00 control \x1b[31m",
    "\U0001f600" * 40,
    "half a pair \ud83d of surrogates",
    "W" * 200_000,
    "<!-- --><![CDATA[ ]]>",
    "   ",
)


def test_a_hostile_catalogue_is_shown_and_not_run(tmp_path: Path, view: Open) -> None:
    rows = ordinary_rows(tmp_path, len(HOSTILE))
    for number, (row, evil) in enumerate(zip(rows, HOSTILE, strict=True)):
        row |= {
            "item_id": f"{number}{evil[:100]}".replace("\ud83d", ""),
            "title": evil,
            "description": evil,
            "kind": evil,
            evil[:50]: evil,
        }
    columns = dict.fromkeys(name for row in rows for name in row)
    rows = [{name: row.get(name, "") for name in columns} for row in rows]
    (tmp_path / "images" / "0.png").write_bytes(b"<svg onload='window.ran = 5'>")
    rows[1]["image"] = "../../etc/passwd"
    rows[2]["image"] = "javascript:window.ran=6"
    rejected = [
        {"source": "items", "row": n, "item_id": HOSTILE[n], "user_id": None, "modality": "image",
         "stage": "extract", "reason": HOSTILE[1], "detail": HOSTILE[n]}
        for n in range(4)
    ]  # fmt: skip
    ids = [row["item_id"] for row in rows]
    report = written(make_config(tmp_path, rows), make_run(ids, rejected=rejected))
    for width in WIDTHS:
        page = view(report, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("#items button").count() == len(rows)
        for button in page.locator("#items button").all():
            button.click()
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        assert page.evaluate("window.ran") is None
        for evil in HOSTILE[:5]:
            assert page.locator("#items .title", has_text=evil).count() >= 1
        assert page.locator("#items img[src*=javascript], #items svg, #items script").count() == 0
    assert report.stat().st_size < 2 * 10**6


def test_the_page_lets_no_other_script_run(ordinary: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto(ordinary.as_uri())
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')")
    page.evaluate(
        "const s = document.createElement('script'); s.text = 'window.ran = 2'; document.body.append(s)"
    )
    page.wait_for_timeout(100)
    assert page.evaluate("window.ran") is None
    page.close()


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
    assert len(_neighbours(page)) == 2


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


def test_an_unseen_beginning_of_a_title_widens_no_phone(tmp_path: Path, view: Open) -> None:
    rows = ordinary_rows(tmp_path, 30)
    for number, row in enumerate(rows):
        row["title"] = f"A long beginning that all of these share, number {number}"
    page = view(written(make_config(tmp_path, rows), make_run([row["item_id"] for row in rows])), 360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
