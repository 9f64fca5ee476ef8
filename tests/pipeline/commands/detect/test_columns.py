from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from alignrec.pipeline.catalog.tables import table_of_rows
from alignrec.pipeline.commands.detect.columns import (
    FIRST,
    MAX_COLUMNS,
    Column,
    is_number,
    is_time,
    sample_columns,
)
from tests.pipeline.catalogues import picture, sound


def column(*values: Any, name: str = "c", rows: int | None = None) -> Column:
    return Column(name, 0, len(values) if rows is None else rows, values)


def test_short_values_are_sampled_of_many_rows_and_long_ones_of_few() -> None:
    rows = [{"id": n, "text": "long " * 100, "empty": ("", None, float("nan"))[n % 3]} for n in range(900)]
    found = sample_columns(table_of_rows("here", ("id", "text", "empty"), lambda: iter(rows)))
    assert [(c.name, c.position, c.rows, len(c.values)) for c in found] == [
        ("id", 0, 900, 900),
        ("text", 1, FIRST, FIRST),
        ("empty", 2, 900, 0),
    ]
    assert (found[0].filled, found[0].distinct, found[1].words, found[2].filled) == (1, 1, 100, 0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *[
            ("2021-04-03", True),
            ("2021-04-03T10:00:00Z", True),
            ("03.04.2021", True),
            (date(2021, 4, 3), True),
        ],
        *[(881250949, True), ("881250949", True), (1617408000000, True), (1617408000 * 10**9, True)],
        *[("1.5", False), (20210403, False), (7, False), ("i-3-a", False), (None, False), (True, False)],
    ],
)
def test_what_looks_like_a_time(value: Any, expected: bool) -> None:
    assert is_time(value) is expected


def test_shares_say_what_values_are() -> None:
    assert (is_number("1e3"), is_number("inf"), is_number(True), is_number([1])) == (
        True,
        False,
        False,
        False,
    )
    assert column("a.jpg", "b.PNG", "c").pictures == pytest.approx(2 / 3)
    assert column(b"x", {"bytes": b"x", "path": None}, ["a.jpg"]).pictures == 1
    assert column("https://x.example/1", ["http://x.example/2"]).urls == 1
    assert (column("1.5", "2").fractions, column("1.5", "2").numbers) == (0.5, 1)
    lists = column(["red", "new"], ["old"])
    assert (lists.readable, lists.letters, lists.words, lists.distinct) == (1, 1, 1.5, 0)
    assert column({"a": 1}, [[1]]).readable == 0


def test_no_more_columns_are_looked_at_than_there_is_time_for() -> None:
    names = [f"c{n}" for n in range(3 * MAX_COLUMNS)]
    asked: list[int] = []

    class Counted(dict[str, str]):
        def get(self, name: str, default: object = None) -> str:  # type: ignore[override]
            asked.append(1)
            return f"of {name}"

    table = table_of_rows("a table", names, lambda: iter([Counted(), Counted()]))
    found = sample_columns(table)
    assert [(c.name, c.values) for c in found] == [(n, [f"of {n}"] * 2) for n in names[:MAX_COLUMNS]]
    assert (
        len(asked) == 2 * 2 * MAX_COLUMNS
    )  # two rows, read once for all values and once more for short ones


def test_sounds_are_told_from_pictures_by_content_or_ending() -> None:
    held = {
        "bytes": [sound(1), {"bytes": sound(2), "path": "a.bin"}],
        "paths": ["a/b.MP3", {"bytes": None, "path": "c.flac"}, ["d.wav", "e.wav"]],
        "waves": [{"array": [0.1], "sampling_rate": 8_000}],
        "seen": [picture(1), {"bytes": picture(2), "path": "a.wav"}, "a.png"],
        "words": ["loud", 7, {"title": "x"}],
    }
    found = {name: Column(name, 0, len(values), values) for name, values in held.items()}
    assert {name: (one.sounds, one.pictures) for name, one in found.items()} == {
        "bytes": (1, 0),
        "paths": (1, 0),
        "waves": (1, 0),
        "seen": (0, 1),
        "words": (0, 0),
    }
