"""A picture and a text of one item, one of which may be missing."""

from __future__ import annotations

import pytest
from PIL import Image

from alignrec.extractors.inputs.pair import Pair


def test_half_a_pair() -> None:
    picture = Image.new("RGB", (2, 2))
    assert Pair.of("red").text == "red" and Pair.of("red").picture is None
    assert Pair.of(picture).picture is picture and Pair.of(picture).text is None
    whole = Pair(picture, "red")
    assert Pair.of(whole) is whole


def test_an_item_of_neither_is_none() -> None:
    with pytest.raises(ValueError, match="needs a picture or a text"):
        Pair(None, None)
