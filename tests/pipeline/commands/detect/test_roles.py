from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from alignrec.extractors.modality import AUDIO, IMAGE
from alignrec.pipeline.commands.detect.columns import Column
from alignrec.pipeline.commands.detect.roles import (
    ITEM,
    USER,
    best,
    id_score,
    in_reading_order,
    names_files,
    rating_score,
    text_score,
    time_score,
    user_score,
)


def column(name: str, values: Sequence[Any], position: int = 0) -> Column:
    return Column(name, position, len(values), values)


CODES = [f"0{n}" for n in range(30)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (CODES, 1),
        ([*CODES, "00"], 0.5),  # one of 31 occurs twice
        ([*CODES, *CODES], 0),
        ([f"a thing {n}" for n in CODES], 0),
        ([n + 0.5 for n in range(30)], 0),
        ([f"https://x.example/{n}" for n in CODES], 0),
        ([f"{n}.jpg" for n in CODES], 0.3),
        ([[n] for n in CODES], 0),
    ],
)
def test_ids_are_each_there_once_and_short(values: list[Any], expected: float) -> None:
    assert id_score(column("x", values)) == expected


def test_users_come_again_and_are_several() -> None:
    assert user_score(column("x", [f"u{n // 2}" for n in range(60)])) == 1
    assert user_score(column("x", CODES)) == 0.6
    assert user_score(column("x", [n % 5 for n in range(60)])) == 0.4
    assert user_score(column("x", [881250949 + n for n in range(60)])) == 0


def test_times_are_not_all_the_same_and_ratings_have_their_name() -> None:
    assert time_score(column("x", ["2021-01-02", "2021-01-03"])) == 1
    assert time_score(column("x", ["2021-01-02"] * 2)) == 0
    assert rating_score(column("stars", ["1", "5", "4.5"])) == 1
    assert rating_score(column("quantity", [1, 5, 4])) == 0
    assert rating_score(column("score", [100, 5000])) == 0


def test_texts_are_to_be_read() -> None:
    good = [["Mug", "Cup"], ["Blue mug. It is large.", "A cup"], [["red", "new"], ["old"]]]
    assert [text_score(column("x", values)) for values in good] == [1, 1, 1]
    bad = [["EUR"] * 9, ["9.5", "3"], ["B01A", "B02C"], ["a.jpg", "b.jpg"], [{"a": "b"}, {"a": "c"}]]
    assert [text_score(column("x", values)) for values in bad] == [0] * 5


def test_names_decide_between_equals_alone() -> None:
    first, second = column("code", CODES), column("SKU", CODES, 1)
    assert best([first, second], id_score, ITEM) is second
    repeated = column("sku", ["0"] * 30)
    assert best([repeated, first], id_score, ITEM) is first
    users = column("who", [f"u{n // 2}" for n in range(60)])
    assert best([users, column("user", [n % 5 for n in range(60)], 1)], user_score, USER) is users
    assert best([repeated], id_score, ITEM) is None


def test_pictures_and_sounds_have_a_word_in_their_name() -> None:
    names = ("main_image", "Poster URL", "fileName", "link", "page", "preview_mp3", "Audio")
    seen = [names_files(column(name, []), IMAGE) for name in names]
    heard = [names_files(column(name, []), AUDIO) for name in names]
    assert seen == [True, True, True, False, False, False, False]
    assert heard == [False, False, False, False, False, True, True]


def test_names_of_sounds_are_neither_texts_nor_ids() -> None:
    files = [f"jingle-{letter}.ogg" for letter in "abcdef"]
    assert text_score(column("clip", files)) == 0 and id_score(column("clip", files)) == 0.3


def test_known_texts_come_first_and_long_ones_last() -> None:
    long = ["word " * 20] * 2
    columns = [column("body", long), column("colour", ["a"], 1), column("name", ["a"], 2)]
    assert [c.name for c in in_reading_order(columns)] == ["name", "colour", "body"]
