"""BEiT-3 as an extractor: the shared suite, and what each pooling is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from alignrec.extractors.backends.beit3.extractor import BEiT3Extractor, pad
from alignrec.extractors.backends.beit3.word_pieces import PAD
from alignrec.extractors.contract import Extractor
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.registry import load_extractor
from alignrec.extractors.testing import ExtractorSuite, sample_images, sample_texts

pytest.importorskip("sentencepiece")

from tests.extractors.backends.beit3.checkpoints import TINY, random_model, save_published


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_published(tmp_path_factory.mktemp("beit3"))


@pytest.mark.parametrize("pooling", ["", "mean:", "itc:"], scope="class")
@pytest.mark.parametrize("kind", ["image", "text"], scope="class")
class TestBEiT3(ExtractorSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def extractor(cls, folder: Path, kind: str, pooling: str) -> Extractor:
        return load_extractor(f"beit3:{pooling}{folder}", kind, device="cpu")


@pytest.mark.parametrize("kind", ["image", "text"])
def test_poolings(folder: Path, kind: str) -> None:
    values = sample_images(5) if kind == "image" else sample_texts(5)

    def embed(pooling: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        model = load_extractor(f"beit3:{pooling}:{folder}", kind, device="cpu")
        found = model.embed([model.prepare(value) for value in values], tokens=True)
        assert found.tokens is not None and found.mask is not None
        return found.pooled, found.tokens, found.mask

    first, tokens, mask = embed("cls")
    assert np.array_equal(first, tokens[:, 0])
    average = tokens.sum(axis=1) / mask.sum(axis=1)[:, None]
    assert np.allclose(embed("mean")[0], average, atol=1e-6)
    model = random_model()
    head = model.vision_head if kind == "image" else model.language_head
    projected = first @ head.weight.detach().numpy().T
    expected = projected / np.linalg.norm(projected, axis=1, keepdims=True)
    assert np.allclose(embed("itc")[0], expected, atol=1e-6)


def test_pictures_are_whole_squares_from_minus_one_to_one(folder: Path) -> None:
    model = load_extractor(f"beit3:{folder}", "image", device="cpu")
    halves = Image.new("RGB", (60, 20), "white")
    halves.paste("black", (0, 0, 30, 20))
    prepared = model.prepare(halves)
    assert prepared.shape == (TINY.image, TINY.image, 3) and prepared.dtype == np.uint8
    assert not prepared[:, :14].any() and (prepared[:, 18:] == 255).all()
    pixels = torch.tensor(prepared).permute(2, 0, 1)[None] / 255 * 2 - 1
    with torch.no_grad():
        expected = random_model().beit3(pixels)[:, 0].numpy()
    assert np.allclose(model.embed([prepared]).pooled, expected, atol=1e-5)
    assert model.card.preprocessing["mean"] == model.card.preprocessing["std"] == 127.5


def test_texts_are_cut_at_what_the_positions_have_room_for(folder: Path) -> None:
    model = load_extractor(f"beit3:{folder}", "text", device="cpu")
    assert len(model.prepare("a red cotton shirt " * 99)) == TINY.longest == 32
    assert model.card.preprocessing == {"pooling": "cls", "max_length": 32}


def test_published_positions_leave_room_for_128_word_pieces(tmp_path: Path) -> None:
    model = load_extractor(f"beit3:{save_published(tmp_path, replace(TINY, positions=1024))}", "text")
    assert isinstance(model, BEiT3Extractor)
    assert len(model.prepare("a red cotton shirt " * 99)) == 128


def test_padding() -> None:
    ids, mask = pad([[0, 5, 2], [0, 2]])
    assert ids.tolist() == [[0, 5, 2], [0, 2, PAD]]
    assert mask.tolist() == [[True, True, True], [True, True, False]]


def test_what_does_not_fit_together_is_refused(tmp_path: Path) -> None:
    save_published(tmp_path, replace(TINY, vocabulary=20, retrieval=False))
    with pytest.raises(ExtractorError, match="word pieces, more than the 20 that"):
        load_extractor(f"beit3:{tmp_path}", "text")
    with pytest.raises(ExtractorError, match="has no head of image-text contrast"):
        load_extractor(f"beit3:itc:{tmp_path}", "image")
    (tmp_path / "beit3.spm").unlink()
    load_extractor(f"beit3:{tmp_path}", "image")  # reads no texts
    with pytest.raises(ExtractorError, match="a SentencePiece file, such as"):
        load_extractor(f"beit3:{tmp_path}", "text")
