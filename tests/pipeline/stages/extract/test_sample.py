"""Which inputs a rehearsal embeds."""

from __future__ import annotations

from pathlib import Path

from alignrec.pipeline.catalog.inputs import Input, InputList
from alignrec.pipeline.stages.extract.sample import sample, without

TEXTS = InputList(Input(f"i{number}", number, "0" * 64, f"text {number}") for number in range(100))


def rows(inputs: InputList) -> list[int]:
    return [item.row for item in inputs]


def test_a_small_catalogue_is_embedded_whole() -> None:
    assert sample(TEXTS[:8], size=8, places=2) == TEXTS[:8]


def test_a_sample_is_of_places_spread_over_the_catalogue() -> None:
    assert rows(sample(TEXTS, size=6, places=3)) == [0, 1, 49, 50, 98, 99]


def test_files_inside_the_table_are_of_one_place() -> None:
    embedded = InputList(Input(item.item_id, item.row, item.digest, None) for item in TEXTS)
    assert rows(sample(embedded, size=6, places=3)) == list(range(6))
    files = InputList(Input(item.item_id, item.row, item.digest, Path("x")) for item in TEXTS)
    assert len(set(rows(sample(files, size=6, places=3)))) == 6


def test_the_items_without_any_input_are_known() -> None:
    assert without(TEXTS[1:3], ["i0", "i1", "i2", "i3"]) == [0, 3]
