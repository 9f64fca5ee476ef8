"""Faults put into a catalogue are named with the right words; where there are none, that is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alignrec.core.features import FeatureSet
from alignrec.pipeline.report.contents import RunContents
from alignrec.pipeline.report.quality import Check, check_quality, table_rows
from tests.pipeline.report.runs import make_config, make_run, ordinary_rows, written

N = 240
KINDS = {"image": "image", "text": "text", "jingle": "audio"}


def catalogue(**kinds: str) -> RunContents:
    """A run with raw sets alone, each of the same causes; modalities by name and kind."""
    rng = np.random.default_rng(8)
    causes = rng.standard_normal((12, 10))[np.arange(N) % 12] + 0.5 * rng.standard_normal((N, 10))
    ids = [f"i{n}" for n in range(N)]
    sets = {}
    for m in kinds:
        vectors = causes @ rng.standard_normal((10, 24)) + 1.5 * rng.standard_normal((N, 24))
        sets[m] = FeatureSet(m, ids, vectors.astype(np.float32), np.ones(N, dtype=np.bool_))
    columns = {m: frozenset({m}) for m in kinds}
    return replace(make_run(ids, trained=False), sets=sets, kinds=kinds, columns=columns)


def checked(run: RunContents) -> dict[str, Check]:
    """The checks by their key."""
    return {check.key: check for check in check_quality(run, seed=1)}


def test_what_is_there_twice_under_several_modalities_is_one_finding() -> None:
    run = catalogue(**KINDS)
    for m in ("image", "text"):
        run.sets[m].matrix[[9, 120]] = run.sets[m].matrix[4]
    run.sets["text"].matrix[77] = run.sets["text"].matrix[70]
    duplicates = checked(run)["duplicates"]
    assert [(one.where, [f.items for f in one.findings]) for one in duplicates.listings] == [
        ("image and text", [[4, 9, 120]]),
        ("text", [[70, 77]]),
    ]
    assert duplicates.remarks == ["Nothing was found in jingle."]
    assert duplicates.counts == {
        "image and text": {"findings": 1, "items": 3},
        "text": {"findings": 1, "items": 2},
    }
    assert duplicates.named == {4, 9, 120, 70, 77}
    rows = table_rows(duplicates)
    assert [(row.where, row.number, row.item) for row in rows[2:]] == [
        ("image and text", 1, 120),
        ("text", 1, 70),
        ("text", 1, 77),
    ]
    assert [round(row.measure, 6) for row in rows] == [0.0] * 5


def test_a_sound_that_is_nowhere_else_and_one_of_another_item() -> None:
    run = catalogue(**KINDS)
    odd = run.sets["jingle"].matrix
    odd[5] = np.linalg.svd(odd)[2][-1]  # the direction in which the others have least
    items = [30, 60, 100, 150, 200]
    odd[items] = odd[np.roll(items, 1)]
    checks = checked(run)
    (alone,) = [one for one in checks["outliers"].listings if one.where == "jingle"]
    assert alone.findings[0].items == [5] and alone.sounds
    assert alone.findings[0].note.endswith("% as far as a random one")
    found = {one.where: one for one in checks["mismatches"].listings}
    assert set(found) <= {"picture and sound", "text and sound"} and found
    assert all(one.sounds for one in found.values())
    assert {f.items[0] for one in found.values() for f in one.findings} <= {5, *items}
    assert "Nothing was found between picture and text." in checks["mismatches"].remarks


def test_a_sound_catalogue_of_one_modality_says_so() -> None:
    checks = checked(catalogue(text="text"))
    assert [one.where for one in checks["duplicates"].listings] == []
    assert checks["duplicates"].remarks == ["Nothing was found in text."]
    assert checks["mismatches"].listings == []
    assert checks["mismatches"].remarks[0].startswith("Nothing to compare")


def test_modalities_that_tell_no_items_apart_are_left_out_with_the_reason() -> None:
    run = catalogue(text="text", department="text", brand="text")
    run.sets["department"].matrix[:] = run.sets["department"].matrix[np.arange(N) % 5]
    few = np.arange(N) < 10
    run.sets["brand"].matrix[~few] = 0
    run.sets["brand"].valid[:] = few
    for key in ("duplicates", "outliers"):
        check = checked(run)[key]
        assert not {"department", "brand"} & {one.where for one in check.listings}
        assert check.remarks[-2].startswith("Left out: department, in which most items equal another")
        assert check.remarks[-1] == "Left out: brand, which fewer than 20 items have."


def test_more_modalities_share_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alignrec.pipeline.report.quality.MOST_SHOWN", 4)
    run = catalogue(**KINDS)
    for number, m in enumerate(KINDS):
        start = 60 * number
        run.sets[m].matrix[start : start + 10] = run.sets[m].matrix[start + 10 : start + 20]
    duplicates = checked(run)["duplicates"]
    assert [(len(one.findings), one.shown) for one in duplicates.listings] == [(10, 2)] * 3
    assert len(duplicates.named) == 12 and len(table_rows(duplicates)) == 60


def test_the_page_shows_what_was_found_though_the_gallery_had_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alignrec.pipeline.report.gallery.MAX_ITEMS", 12)
    rows = ordinary_rows(tmp_path, 30)
    run = make_run([row["item_id"] for row in rows])
    run.sets["image"].matrix[28] = run.sets["image"].matrix[27]
    page = " ".join(written(make_config(tmp_path, rows), run).read_text().split())
    section = page[page.index('id="quality"') :].partition("Outliers")[0]
    assert "image: 1 group of 2 items" in section
    assert section.count("data-item=") == 2
    assert '<bdi class="title" dir="auto">Café chair 27</bdi>' in section
    assert "this page shows 12" in page
