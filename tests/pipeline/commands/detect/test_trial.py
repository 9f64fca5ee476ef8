from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.catalog.sources.source import Draft
from alignrec.pipeline.commands.config_template import render
from alignrec.pipeline.commands.detect.catalogue import detect_catalogue
from alignrec.pipeline.commands.detect.trial import try_draft
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.errors import CatalogError, ConfigError
from tests.pipeline.catalogues import picture

ITEMS: dict[str, Any] = {"path": "items.csv", "id": "id", "image": "pic", "text": "{title}"}
LOG: dict[str, Any] = {"path": "log.csv", "user": "u", "item": "id"}


def _write(folder: Path, items: list[str], log: list[str] | None = None) -> Path:
    (folder / "items.csv").write_text("\n".join(["id,title,pic", *items]) + "\n")
    (folder / "a.png").write_bytes(picture(1))
    if log is not None:
        (folder / "log.csv").write_text("\n".join(["u,id,stars,at", *log]) + "\n")
    return folder


def test_what_works_stays_and_is_counted(tmp_path: Path) -> None:
    rows = [f"u{n % 8},i{(n * (1 + n // 32)) % 9},{n % 5 + 1},{881250949 + 90000 * n}" for n in range(80)]
    _write(tmp_path, [*(f"i{n},thing {n},a.png" for n in range(9)), "i0,again,a.png"], rows)
    draft = Draft(ITEMS, LOG | {"rating": "stars", "timestamp": "at"})
    trial = try_draft(draft, tmp_path)
    found = dict(trial.found)
    assert found["rows"] == "10" and found["unique ids"] == "9 in id; 1 duplicate-id"
    assert found["texts"] == "9 of 9: {title}" and found["images"] == "10 of 10 tried open: pic"
    assert found["users"] == "8 in u" and found["usable"] == "80 of 80"
    assert found["times"] == "1997-12-04 to 1998-02-24 in at"
    assert found["split"].startswith("temporal, k-core ")
    assert trial.draft.interactions == draft.interactions and trial.next_commands == ["run"]
    assert trial.problems == [
        "1 of 10 items cannot be used; 1 duplicate-id; extract.max_rejected allows 5%: mend them, or raise it"
    ]


def test_what_keeps_a_table_from_being_read_is_left_out_and_named(tmp_path: Path) -> None:
    rows = [f"u{n % 4},i{n % 3},1,whenever" for n in range(40)]
    _write(tmp_path, [f"i{n},thing,a.png" for n in range(3)], rows)
    times = try_draft(Draft(ITEMS, LOG | {"timestamp": "at"}), tmp_path)
    assert times.draft.interactions == LOG and times.draft.split["method"] == "random"
    assert times.draft.notes[0].startswith("Of the interactions, timestamp is left out: ")
    ratings = try_draft(Draft(ITEMS, LOG | {"rating": "stars", "min_rating": 4}), tmp_path)
    assert ratings.draft.interactions == LOG | {"rating": "stars"}
    assert ratings.draft.notes[0].startswith("Of the interactions, min_rating is left out: ")
    nothing = try_draft(Draft(ITEMS, LOG | {"item": "u"}), tmp_path)
    assert nothing.draft.interactions == {} and "The interactions are left out" in nothing.draft.notes[-1]


def test_times_that_do_not_part_anything_are_not_cut_by(tmp_path: Path) -> None:
    rows = [f"u{n % 8},i{(n * (1 + n // 32)) % 9},1,881250949" for n in range(80)]
    _write(tmp_path, [f"i{n},thing {n},a.png" for n in range(9)], rows)
    trial = try_draft(Draft(ITEMS, LOG | {"timestamp": "at"}), tmp_path)
    assert trial.draft.split["method"] == "random" and trial.draft.interactions["timestamp"] == "at"
    assert "split.method is random: temporal leaves nothing to train on or to test." in trial.draft.notes


def test_a_modality_without_any_is_null_and_an_item_needs_one(tmp_path: Path) -> None:
    _write(tmp_path, ["i0,thing,", "i1,thing,"])
    trial = try_draft(Draft(ITEMS), tmp_path)
    assert trial.draft.items["image"] is None and "name no picture in pic" in trial.draft.notes[0]
    with pytest.raises(ConfigError, match="neither pictures or sounds that open nor texts"):
        try_draft(Draft(ITEMS | {"text": None}), tmp_path)
    _write(tmp_path, ["i0,,a.png"])
    pictures_alone = try_draft(Draft(ITEMS), tmp_path)
    assert pictures_alone.draft.items["text"] is None and pictures_alone.draft.items["image"] == "pic"
    with pytest.raises(CatalogError, match="there is no table"):
        try_draft(Draft(ITEMS | {"path": "none.csv"}), tmp_path)


def test_urls_are_downloaded_first_and_broken_pictures_are_a_problem(tmp_path: Path) -> None:
    _write(tmp_path, ["i0,thing,http://x.example/1.jpg"])
    assert try_draft(Draft(ITEMS), tmp_path).next_commands == ["download", "run"]
    _write(tmp_path, ["i0,thing,a.png", "i1,thing,b.png"])
    assert try_draft(Draft(ITEMS), tmp_path).problems[0].startswith("1 of 2 pictures do not open")


@pytest.mark.parametrize("beside", [True, False])
def test_pictures_that_are_links_out_of_the_folder_run_as_the_config_is_written(
    tmp_path: Path, beside: bool
) -> None:
    """As the Hub's client keeps a snapshot: every file a link into a folder beside it."""
    blobs = tmp_path / ("hub/blobs" if beside else "another/disk/of/blobs")
    folder = tmp_path / "hub" / "snapshots" / "0123" if beside else tmp_path / "a" / "b" / "c" / "d" / "shop"
    folder.mkdir(parents=True)
    blobs.mkdir(parents=True)
    for n in range(6):
        (blobs / f"f{n}").write_bytes(picture(n))
        (folder / f"{n}.png").symlink_to(os.path.relpath(blobs / f"f{n}", folder))
    rows = "".join(f"i{n},thing {n},{n}.png\n" for n in range(6))
    (blobs / "table").write_text("id,title,pic\n" + rows)
    (folder / "items.csv").symlink_to(blobs / "table")
    draft = detect_catalogue(folder)
    assert draft.items["image"] == "pic"
    trial = try_draft(draft, folder)
    assert dict(trial.found)["images"] == "6 of 6 tried open: pic" and not trial.problems
    assert trial.draft.items["linked_folders"] == ["../../blobs" if beside else str(blobs)]
    assert "linked_folders lets a run read them there" in " ".join(trial.draft.notes)
    config = folder / "alignrec.yaml"
    config.write_text(render("shop", trial.draft))
    inputs = read_catalogue(load_config(config).catalog.items, FileHashes()).inputs["image"]
    assert [one.value for one in inputs] == [blobs / f"f{n}" for n in range(6)]
