"""The default modalities, and what their kinds say of content."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from alignrec.extractors.errors import ExtractorError, ImageRejectedError
from alignrec.extractors.modality import IMAGE, MODALITIES, TEXT, Modality, find_modality


def test_there_is_one_modality_of_each_kind() -> None:
    assert {"image": Modality("image", IMAGE), "text": Modality("text", TEXT)} == MODALITIES
    assert [find_modality(name) for name in ("image", "text")] == list(MODALITIES.values())


def test_a_name_that_is_not_known() -> None:
    with pytest.raises(ExtractorError) as caught:
        find_modality("audio")
    assert str(caught.value) == "modality 'audio' is unknown: use image or text"


def test_a_picture_is_decoded_and_can_be_blank() -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    assert IMAGE.decode is not None and IMAGE.blank is not None
    assert np.array_equal(np.asarray(IMAGE.decode(file.getvalue())), pixels)
    with pytest.raises(ImageRejectedError, match="not-an-image"):
        IMAGE.decode(b"a text")
    assert np.array_equal(np.asarray(IMAGE.blank()), np.zeros((64, 64, 3), dtype=np.uint8))
    assert (IMAGE.by_length, IMAGE.libraries) == (False, ("pillow",))


def test_a_text_is_read_as_it_stands_and_batched_by_length() -> None:
    assert (TEXT.decode, TEXT.blank, TEXT.by_length, TEXT.libraries) == (None, None, True, ())
