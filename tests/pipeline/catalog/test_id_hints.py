from __future__ import annotations

import pytest

from alignrec.pipeline.catalog.id_hints import compare_ids


@pytest.mark.parametrize(
    ("unknown", "known", "difference"),
    [
        ("108775", "0108775", "leading zeros"),
        ("AB1", "ab1", "upper and lower case"),
        (" 7", "7", "blanks around it"),
        ("7.0", "7", "a decimal part .0"),
        ("item-7", "7", "a prefix"),
    ],
)
def test_one_id_of_each_table_and_what_they_differ_by(unknown: str, known: str, difference: str) -> None:
    assert compare_ids(unknown, ["zz", known]) == (
        f"The id {unknown!r} is not in the catalogue, and {known!r} is: they differ by {difference}."
    )


def test_ids_that_nothing_joins_stand_side_by_side() -> None:
    assert compare_ids("u1", ["B00X", "B00Y"]) == (
        "The id 'u1' is not in the catalogue, whose ids look like 'B00X'."
    )
