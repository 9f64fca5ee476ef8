"""The demo's catalogue: the same bytes for the same seed, and the faults it promises."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from alignrec.pipeline import demo_faults as faults
from alignrec.pipeline.demo import _draw_latent, make_catalogue
from alignrec.pipeline.demo_drawing import BACKDROPS, PALETTES, PATTERNS, SIDE, Look, draw
from alignrec.pipeline.demo_shapes import SHAPES
from alignrec.pipeline.demo_text import AUDIENCES, CATEGORIES, NOUNS, STYLES, THEMES

ITEMS, USERS = 40, 30


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    make_catalogue(folder, seed=1, items=ITEMS, users=USERS)
    return folder


@pytest.fixture(scope="module")
def records(catalogue: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (catalogue / "items.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def log(catalogue: Path) -> list[dict[str, str]]:
    with (catalogue / "interactions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_same_seed_gives_the_same_bytes(catalogue: Path, tmp_path: Path) -> None:
    make_catalogue(tmp_path, seed=1, items=ITEMS, users=USERS)
    assert digests(tmp_path) == digests(catalogue)


def test_another_seed_gives_other_items_pictures_and_users(catalogue: Path, tmp_path: Path) -> None:
    make_catalogue(tmp_path, seed=2, items=ITEMS, users=USERS)
    ours, theirs = digests(catalogue), digests(tmp_path)
    assert ours.keys() == theirs.keys()
    assert all(ours[name] != theirs[name] for name in ours)


def test_it_has_the_size_asked_for(records: list[dict[str, str]], log: list[dict[str, str]]) -> None:
    assert len({r["item_id"] for r in records}) == ITEMS
    assert len({r["user_id"] for r in log}) == USERS


def test_titles_are_distinct_and_no_field_is_missing(records: list[dict[str, str]]) -> None:
    titles = Counter(r["title"] for r in records)
    assert max(titles.values()) == 1
    assert {tuple(r) for r in records} == {("item_id", "title", "category", "description", "image")}


def test_colours_and_patterns_are_never_told_in_words(records: list[dict[str, str]]) -> None:
    words = set(" ".join(r["title"] + " " + r["description"] for r in records).lower().split())
    assert not words & {*PALETTES, *PATTERNS}


def test_every_name_has_its_words() -> None:
    assert list(NOUNS) == list(SHAPES) == [shape for shapes in CATEGORIES.values() for shape in shapes]
    assert len(STYLES) == len(BACKDROPS)


def test_every_user_has_a_history_in_time_order(log: list[dict[str, str]]) -> None:
    times = [int(r["timestamp"]) for r in log]
    assert times == sorted(times)
    usable = [r for r in log if r["rating"].isdigit() and r["item_id"] != "p-unknown"]
    assert {int(r["rating"]) for r in usable} <= {1, 2, 3, 4, 5}
    pairs = Counter((r["user_id"], r["item_id"]) for r in usable)
    assert max(pairs.values()) == 1
    assert min(Counter(r["user_id"] for r in usable).values()) >= 15
    assert np.mean([int(r["rating"]) >= 4 for r in usable]) > 0.7


def test_style_with_theme_decides_the_colours_but_neither_alone() -> None:
    latent = _draw_latent(4000, np.random.default_rng(0))
    together = Counter(zip(latent.style, latent.theme, latent.palette, strict=True))
    cells = Counter(zip(latent.style, latent.theme, strict=True))
    for cell in cells:
        assert max(n for key, n in together.items() if key[:2] == cell) / cells[cell] > 0.85
    alone = Counter(zip(latent.theme, latent.palette, strict=True))
    for theme in range(len(THEMES)):
        counts = [n for key, n in alone.items() if key[0] == theme]
        assert max(counts) / sum(counts) < 0.6
    assert len(AUDIENCES) == len(PATTERNS) and len(THEMES) == len(PALETTES)


def test_pictures_show_what_they_should() -> None:
    looks = [Look("clock", palette, "plain", "studio") for palette in PALETTES]
    middles = []
    for look in looks:
        picture = draw(look, np.random.default_rng(3))
        assert picture.size == (SIDE, SIDE) and picture.mode == "RGB"
        middles.append(picture.getpixel((SIDE // 3, SIDE // 2)))
    assert len(set(middles)) == len(PALETTES)


@pytest.mark.parametrize("item", [faults.TRUNCATED, faults.MISSING])
def test_unreadable_pictures_are_unreadable(catalogue: Path, item: str) -> None:
    with pytest.raises(OSError), Image.open(catalogue / "images" / f"{item}.png") as picture:
        picture.load()


def test_odd_pictures_are_odd_and_readable(catalogue: Path, records: list[dict[str, str]]) -> None:
    path = {r["item_id"]: catalogue / r["image"] for r in records}
    with Image.open(path[faults.MISLABELLED]) as picture:
        assert picture.format == "JPEG" and path[faults.MISLABELLED].suffix == ".png"
    with Image.open(path[faults.CMYK]) as picture:
        assert picture.mode == "CMYK"
        picture.load()
    with Image.open(path[faults.TURNED]) as picture:
        assert picture.getexif()[0x0112] == 6
        upright = ImageOps.exif_transpose(picture)
        # Turned back, the product's shadow lies below and to the right again: same picture as drawn.
        assert np.array_equal(np.asarray(upright), np.asarray(picture.transpose(Image.Transpose.ROTATE_270)))


def test_every_other_picture_exists_and_is_small(catalogue: Path, records: list[dict[str, str]]) -> None:
    for record in records:
        if record["item_id"] not in (faults.TRUNCATED, faults.MISSING):
            with Image.open(catalogue / record["image"]) as picture:
                picture.load()
            assert (catalogue / record["image"]).stat().st_size < 64 * 1024
    assert {p.name for p in (catalogue / "images").iterdir()} <= {Path(r["image"]).name for r in records}


def test_broken_rows_are_there(records: list[dict[str, str]], log: list[dict[str, str]]) -> None:
    assert [r["item_id"] for r in records].count(faults.DUPLICATE) == 2
    empty = next(r for r in records if r["item_id"] == faults.NO_TEXT)
    assert not (empty["title"] + empty["category"] + empty["description"]).strip()
    assert [r["item_id"] for r in log].count("p-unknown") == 1
    assert [r["rating"] for r in log].count("great") == 1


@pytest.mark.parametrize(("items", "users"), [(19, 10), (40, 0)])
def test_too_small_a_catalogue_is_refused(tmp_path: Path, items: int, users: int) -> None:
    with pytest.raises(ValueError, match="at least 20 items"):
        make_catalogue(tmp_path, items=items, users=users)
    assert not any(tmp_path.iterdir())
