"""What BEiT-3 is given of an item."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.inputs.pair import Pair

pytest.importorskip("sentencepiece")

from alignrec.extractors.backends.beit3.files import BEiT3Files
from alignrec.extractors.backends.beit3.preparation import Preparation, open_word_pieces, scaled
from tests.extractors.backends.beit3.checkpoints import TINY, save_published

PICTURE = Image.new("RGB", (50, 20), (255, 0, 51))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> BEiT3Files:
    folder = save_published(tmp_path_factory.mktemp("published"))
    return BEiT3Files("beit3:tiny", "cls", folder / "beit3_tiny.pth")


def test_a_picture_is_bytes_of_a_square_and_a_text_is_ids(files: BEiT3Files) -> None:
    prepare = Preparation(TINY, open_word_pieces(files, TINY))
    pair = prepare(Pair(PICTURE, "a cup"))
    assert pair.form == (True, True) and prepare(PICTURE).form == (True, False)
    assert pair.pixels is not None and pair.ids is not None
    assert (pair.pixels.dtype, pair.pixels.shape) == (np.uint8, (TINY.image, TINY.image, 3))
    assert pair.ids[0] == 0 and pair.ids[-1] == 2
    assert len(prepare("cup " * 99).ids or []) == prepare.longest == TINY.longest
    assert Preparation(TINY, None)("a cup").ids is None


def test_pixels_lie_between_minus_one_and_one() -> None:
    prepared = Preparation(TINY, None)(PICTURE)
    assert prepared.pixels is not None
    values = scaled(torch.from_numpy(prepared.pixels.copy())[None])
    assert values.shape == (1, 3, TINY.image, TINY.image)
    assert values[0, :, 0, 0].tolist() == pytest.approx([1, -1, -0.6])


def test_word_pieces_of_another_checkpoint_are_refused(files: BEiT3Files) -> None:
    with pytest.raises(ExtractorError, match="more than the 8"):
        open_word_pieces(files, replace(TINY, vocabulary=8))
