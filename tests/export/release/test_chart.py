"""The card's chart."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from alignrec.export.release.chart import MOST_ROWS, draw_chart
from alignrec.export.release.scores import Score

OWN = Score("top-k", "aligned", 20, 0.2, 0.1, 0.15, 0.25)
REST = Score("top-k", "popularity", 20, 0.1, None, None, None)


def _size(chart: bytes) -> tuple[int, int]:
    with Image.open(BytesIO(chart)) as image:
        assert image.format == "PNG" and not image.info.get("Software")
        return image.size


def test_the_same_scores_are_drawn_in_the_same_bytes() -> None:
    assert draw_chart([OWN, REST]) == draw_chart([OWN, REST])
    assert draw_chart([OWN, REST]) != draw_chart([OWN])


def test_one_protocol_is_drawn() -> None:
    other = [replace(score, protocol="zero-shot") for score in (OWN, REST)]
    assert draw_chart([OWN, REST, *other]) == draw_chart([OWN, REST])


@pytest.mark.parametrize("name", ["$", "a $x$ b", r"\frac{$", "line\nbreak", "x" * 10_000, "標題"])
def test_any_name_is_drawn_as_it_stands(name: str) -> None:
    odd = [replace(OWN, subject=name, protocol=name)]
    assert _size(draw_chart(odd)) == _size(draw_chart([OWN]))


def test_a_chart_has_an_end() -> None:
    many = [replace(REST, subject=str(n)) for n in range(MOST_ROWS + 1)]
    assert draw_chart(many) == draw_chart(many[:-1])
