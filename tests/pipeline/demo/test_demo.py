"""The demo's catalogue: the same bytes for the same seed, the faults it promises, and its sounds."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from alignrec.extractors.errors import AudioRejectedError
from alignrec.extractors.inputs.audio import decode_audio
from alignrec.extractors.registry import load_extractor
from alignrec.pipeline.demo import faults as faults
from alignrec.pipeline.demo.catalogue import _draw_latent, make_catalogue
from alignrec.pipeline.demo.drawing import FINISHES, PLACES, SIDE, Chance, Look, draw
from alignrec.pipeline.demo.shapes import SHAPES
from alignrec.pipeline.demo.text import AUDIENCES, CATEGORIES, NOUNS, THEMES
from alignrec.pipeline.demo.tones import RATE, REGISTERS, TIMBRES, Play, tone, write_tone

ITEMS, USERS = 40, 30
Ints = NDArray[np.int64]


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
    assert {tuple(r) for r in records} == {
        ("item_id", "title", "category", "theme", "finish", "description", "image")
    }


def test_finishes_and_places_are_never_told_in_words(records: list[dict[str, str]]) -> None:
    words = set(" ".join(r["title"] + " " + r["description"] for r in records).lower().split())
    assert not words & set(" ".join([*FINISHES, *PLACES]).split())


def test_every_name_has_its_words() -> None:
    assert list(NOUNS) == list(SHAPES) == [shape for shapes in CATEGORIES.values() for shape in shapes]


def test_every_user_has_a_history_in_time_order(log: list[dict[str, str]]) -> None:
    times = [int(r["timestamp"]) for r in log]
    assert times == sorted(times)
    usable = [r for r in log if r["rating"].isdigit() and r["item_id"] != "p-unknown"]
    assert {int(r["rating"]) for r in usable} <= {1, 2, 3, 4, 5}
    pairs = Counter((r["user_id"], r["item_id"]) for r in usable)
    assert max(pairs.values()) == 1
    assert min(Counter(r["user_id"] for r in usable).values()) >= 15
    assert np.mean([int(r["rating"]) >= 4 for r in usable]) > 0.7


def top_share(given: Ints, guessed: Ints) -> float:
    """How often the likeliest value of `guessed` is right, where `given` is known."""
    pairs = Counter(zip(given.tolist(), guessed.tolist(), strict=True))
    right = {cell: max(n for (c, _), n in pairs.items() if c == cell) for cell in set(given.tolist())}
    return sum(right.values()) / len(given)


def test_shape_and_audience_together_decide_the_finish_but_neither_alone() -> None:
    latent = _draw_latent(4000, np.random.default_rng(0), np.random.default_rng(1))
    assert top_share(latent.shape * len(AUDIENCES) + latent.audience, latent.finish) > 0.95
    assert top_share(latent.shape, latent.finish) < 0.35
    assert top_share(latent.audience, latent.finish) < 0.4
    assert len(AUDIENCES) == len(FINISHES)


def test_the_theme_decides_the_place() -> None:
    latent = _draw_latent(4000, np.random.default_rng(0), np.random.default_rng(1))
    assert top_share(latent.theme, latent.place) > 0.95
    assert len(THEMES) == len(PLACES)


def test_pictures_show_what_they_should() -> None:
    def tones(place: str, finish: str, at: tuple[int, int]) -> tuple[float, ...]:
        picture = draw(Look("clock", finish, place, "studio"), Chance.by(np.random.default_rng(3)))
        assert picture.size == (SIDE, SIDE) and picture.mode == "RGB"
        x, y = (SIDE // 2 + step * SIDE // 5 for step in at)
        return tuple(np.asarray(picture.crop((x - 30, y - 30, x + 30, y + 30))).mean(axis=(0, 1)))

    for place, at in PLACES.items():
        covers = [tones(place, finish, at) for finish in FINISHES]
        bare = tones(place, "plain red", (-at[0], -at[1]))
        everything = np.array([*covers, bare])
        apart = np.abs(everything[:, None] - everything[None]).sum(axis=2)
        assert apart[~np.eye(len(everything), dtype=np.bool_)].min() > 30


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


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heard")
    make_catalogue(folder, seed=1, items=ITEMS, users=USERS, sound=True)
    return folder


def test_sound_changes_no_picture_and_no_word(catalogue: Path, heard: Path) -> None:
    silent, loud = digests(catalogue), digests(heard)
    assert {name: loud[name] for name in silent if name.startswith("images/")} == {
        name: digest for name, digest in silent.items() if name.startswith("images/")
    }
    rows = [json.loads(line) for line in (heard / "items.jsonl").read_text(encoding="utf-8").splitlines()]
    named = [row.pop("sound") for row in rows]
    assert rows == [json.loads(line) for line in (catalogue / "items.jsonl").read_text().splitlines()]
    assert all((heard / path).is_file() for path in named)
    assert loud["interactions.csv"] != silent["interactions.csv"], "users have a taste in it"


def test_the_same_seed_gives_the_same_sounds(heard: Path, tmp_path: Path) -> None:
    make_catalogue(tmp_path, seed=1, items=ITEMS, users=USERS, sound=True)
    assert digests(tmp_path) == digests(heard)


def test_broken_sounds_are_broken_and_a_renamed_one_is_read(heard: Path) -> None:
    def reason(item: str) -> str:
        with pytest.raises(AudioRejectedError) as caught:
            decode_audio((heard / "sounds" / f"{item}.wav").read_bytes())
        return caught.value.reason

    broken = [reason(item) for item in (faults.CUT, faults.SILENT, faults.SEEN)]
    assert broken == ["truncated", "silent", "not-audio"]
    assert decode_audio((heard / "sounds" / f"{faults.RENAMED}.mp3").read_bytes()).rate == RATE


def test_the_timbre_follows_nothing_and_the_register_the_theme() -> None:
    latent = _draw_latent(4000, np.random.default_rng(0), np.random.default_rng(1))
    for other in (latent.shape, latent.theme, latent.audience, latent.finish, latent.place):
        assert top_share(other, latent.timbre) < 0.3
    assert top_share(latent.theme, latent.register) > 0.95
    assert len(THEMES) == len(REGISTERS)


def test_tones_of_a_timbre_sound_alike_whatever_their_register(tmp_path: Path) -> None:
    extractor = load_extractor("signal:log-mel", "audio")
    rng = np.random.default_rng(5)
    names = [(timbre, register) for timbre in TIMBRES for register in REGISTERS for _ in range(6)]
    sounds = []
    for timbre, register in names:
        write_tone(tmp_path / "t.wav", tone(timbre, register, Play.by(rng)))
        sounds.append(decode_audio((tmp_path / "t.wav").read_bytes()))
    vectors = extractor.embed([extractor.prepare(one) for one in sounds]).pooled
    assert all(len(one.samples) == RATE for one in sounds)
    timbres, registers = (np.array(column) for column in zip(*names, strict=True))
    apart = ((vectors[:, None] - vectors[None]) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    nearest = apart.argmin(axis=1)
    assert (timbres[nearest] == timbres).mean() > 0.9  # of four, by chance a quarter
    assert (registers[nearest] == registers).mean() > 0.5
