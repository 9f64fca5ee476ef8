"""Nothing that a catalogue says is run by a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.pipeline.report.browser import WIDTHS, Open
from tests.pipeline.report.runs import make_config, make_run, ordinary_rows, written

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
