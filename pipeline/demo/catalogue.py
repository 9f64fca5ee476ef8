"""The embedded catalogue of `alignrec demo`: drawn products, their texts, and users with tastes.

Picture and text overlap in part. Both show the shape. The finish is in the picture alone, theme and audience
in the text alone; yet each side lets the other be guessed, from what simple features do not show. Every kind
of product has its own code of finishes for audiences, so that neither tells the finish alone. And every theme
has its place in the picture, which the average over a picture hides. Most items follow these codes. Users
care least for the shape, which features show best.

Theme and finish, which users care for most, are columns of their own too: no model reads them, people do.

With sound, every product has a tone too. Its register follows the theme; its timbre is in nothing else, and
users care for it as much as for the theme.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alignrec.core.vocabulary import IMAGE
from alignrec.pipeline.demo.drawing import BACKDROPS, FINISHES, PLACES, Chance, Look, draw
from alignrec.pipeline.demo.faults import SOUND, break_images, break_interactions, break_items, break_sounds
from alignrec.pipeline.demo.shapes import SHAPES
from alignrec.pipeline.demo.text import AUDIENCES, THEMES, category_of, description, title
from alignrec.pipeline.demo.tones import REGISTERS, TIMBRES, Play, tone, write_tone

_DECIDED = 0.97  # share of items whose finish (and, independently, place) follows the code
_TASTE = {"shape": 0.4, "finish": 1.5, "theme": 1.5, "audience": 0.5}
_TASTE_IN_SOUND = {"timbre": 1.5}
_SHARPNESS = 4.0  # of tastes, against chance
_START, _DAY = 1_700_000_000, 86_400

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class _Latent:
    """What is true of each item: int64 `[n]` of positions in the names of that attribute."""

    shape: Ints
    theme: Ints
    audience: Ints
    finish: Ints
    place: Ints
    timbre: Ints
    register: Ints


def make_catalogue(
    folder: Path, seed: int = 1, items: int = 800, users: int = 1200, *, sound: bool = False
) -> None:
    """Write a catalogue: `items.jsonl`, `images/` and `interactions.csv`, and with sound `sounds/`.

    The same arguments give the same bytes (with the same Pillow and numpy). A few entries are broken
    on purpose; `alignrec.pipeline.demo.faults` lists them.

    Args:
        folder: made if absent; files of the same names are overwritten.
        seed: of everything random.
        items: number of distinct items, at least 20.
        users: number of users.
        sound: whether products have a tone, and users a taste in it; pictures and texts are the same either
            way.

    Raises:
        ValueError: fewer than 20 items or no user.
    """
    if items < 20 or users < 1:
        raise ValueError(f"the demo needs at least 20 items and one user, got {items} and {users}")
    streams = np.random.SeedSequence(seed).spawn(5)
    latent_rng, picture_rng, text_rng, user_rng, sound_rng = (np.random.default_rng(s) for s in streams)
    latent = _draw_latent(items, latent_rng, sound_rng)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    _write_pictures(folder, latent, picture_rng)
    break_images(folder)
    if sound:
        (folder / "sounds").mkdir(exist_ok=True)
        _write_sounds(folder, latent, sound_rng)
        break_sounds(folder)
    _write_items(folder, latent, text_rng, sound=sound)
    taste = _TASTE | _TASTE_IN_SOUND if sound else _TASTE
    _write_interactions(folder, _affinity(latent, users, user_rng, taste), user_rng)


def _draw_latent(n: int, rng: np.random.Generator, sound_rng: np.random.Generator) -> _Latent:
    shape, theme, audience = (rng.integers(len(names), size=n) for names in (SHAPES, THEMES, AUDIENCES))
    finish = _mostly(_codes(len(SHAPES), len(FINISHES), rng)[shape, audience], len(FINISHES), rng)
    place = _mostly(rng.permutation(len(PLACES))[theme], len(PLACES), rng)
    timbre = sound_rng.integers(len(TIMBRES), size=n)
    register = _mostly(sound_rng.permutation(len(REGISTERS))[theme], len(REGISTERS), sound_rng)
    return _Latent(shape, theme, audience, finish, place, timbre, register)


def _codes(rows: int, columns: int, rng: np.random.Generator) -> Ints:
    """A table whose rows are permutations and whose columns hold all values about equally often."""
    shifts = rng.permutation(rows)[:, None]
    codes: Ints = rng.permutation(columns)[(np.arange(columns) + shifts) % columns]
    return codes


def _mostly(decided: Ints, values: int, rng: np.random.Generator) -> Ints:
    """The decided values, but for a share of 1 - `_DECIDED` drawn at random."""
    return np.where(rng.random(len(decided)) < _DECIDED, decided, rng.integers(values, size=len(decided)))


def _write_pictures(folder: Path, latent: _Latent, rng: np.random.Generator) -> None:
    names = [list(table) for table in (SHAPES, FINISHES, PLACES, BACKDROPS)]
    backdrop = rng.integers(len(BACKDROPS), size=len(latent.shape))
    rows = np.stack([latent.shape, latent.finish, latent.place, backdrop], axis=1)
    looks = [Look(*(choices[i] for choices, i in zip(names, row, strict=True))) for row in rows]
    chances = [Chance.by(rng) for _ in looks]
    paths = [folder / "images" / f"{_item_id(number)}.png" for number in range(len(looks))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow lets other threads run while it draws
        list(pool.map(lambda path, look, chance: draw(look, chance).save(path), paths, looks, chances))


def _write_sounds(folder: Path, latent: _Latent, rng: np.random.Generator) -> None:
    timbres, registers = list(TIMBRES), list(REGISTERS)
    for number, (timbre, register) in enumerate(zip(latent.timbre, latent.register, strict=True)):
        samples = tone(timbres[timbre], registers[register], Play.by(rng))
        write_tone(folder / "sounds" / f"{_item_id(number)}.wav", samples)


def _write_items(folder: Path, latent: _Latent, rng: np.random.Generator, *, sound: bool) -> None:
    shapes, themes, audiences, finishes = (list(t) for t in (SHAPES, THEMES, AUDIENCES, FINISHES))
    records = []
    for number in range(len(latent.shape)):
        shape, audience = shapes[latent.shape[number]], audiences[latent.audience[number]]
        record = {
            "item_id": _item_id(number),
            "title": title(number, shape, audience, rng),
            "category": category_of(shape),
            "theme": themes[latent.theme[number]],
            "finish": finishes[latent.finish[number]],
            "description": description(themes[latent.theme[number]], audience, rng),
            IMAGE: f"images/{_item_id(number)}.png",
        }
        if sound:
            record[SOUND] = f"sounds/{_item_id(number)}.wav"
        records.append(record)
    lines = [json.dumps(record, ensure_ascii=False) for record in break_items(records)]
    (folder / "items.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _affinity(
    latent: _Latent, users: int, rng: np.random.Generator, taste: Mapping[str, float]
) -> NDArray[np.float64]:
    """How much each user likes each item, float64 `[users, items]`; each row of mean 0 and variance 1."""
    total = np.zeros((users, len(latent.shape)))
    for attribute, weight in taste.items():
        values: Ints = getattr(latent, attribute)
        likes = rng.standard_normal((users, int(values.max()) + 1))
        likes = np.sign(likes) * np.abs(likes) ** 1.5  # a few strong tastes, many weak ones
        total += weight * rng.uniform(0.3, 1.7, size=(users, 1)) * likes[:, values]
    total -= total.mean(axis=1, keepdims=True)
    total /= total.std(axis=1, keepdims=True)
    return total


def _write_interactions(folder: Path, affinity: NDArray[np.float64], rng: np.random.Generator) -> None:
    users, items = len(affinity), int(affinity.shape[1])
    popularity = 0.5 * rng.standard_normal(items)
    # Gumbel noise and the largest: draws from the softmax, without repeats.
    score = _SHARPNESS * affinity + popularity + rng.gumbel(size=affinity.shape)
    counts = np.minimum(rng.integers(15, 41, size=users), items // 2)
    user = np.repeat(np.arange(users), counts)
    rank = np.arange(len(user)) - np.repeat(np.cumsum(counts) - counts, counts)
    item = np.argsort(-score, axis=1, kind="stable")[user, rank]
    felt = affinity[user, item] + 0.6 * rng.standard_normal(len(user))
    rating = 1 + np.digitize(felt, [-0.9, -0.4, 0.1, 1.2])
    joined = rng.integers(0, 180 * _DAY, size=users)
    time = _START + joined[user] + rng.integers(0, 90 * _DAY, size=len(user))
    order = np.lexsort((item, user, time))
    rows = [(f"u{user[i]:04d}", _item_id(int(item[i])), str(rating[i]), str(time[i])) for i in order]
    with (folder / "interactions.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("user_id", "item_id", "rating", "timestamp"))
        writer.writerows(break_interactions(rows))


def _item_id(number: int) -> str:
    return f"p{number:04d}"
