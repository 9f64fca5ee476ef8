"""BEiT-3 as an extractor: the shared suite, and what each pooling is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from alignrec.extractors.backends.beit3.extractor import BEiT3Extractor
from alignrec.extractors.backends.beit3.preparation import pad
from alignrec.extractors.backends.beit3.word_pieces import PAD
from alignrec.extractors.contract import Extractor
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.inputs.pair import Pair
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


@pytest.mark.parametrize("pooling", ["", "mean:"], scope="class")
class TestPairs(ExtractorSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def extractor(cls, folder: Path, pooling: str) -> Extractor:
        return load_extractor(f"beit3:{pooling}{folder}", "pair", device="cpu")


def test_a_pair_is_read_at_once_and_half_of_one_as_what_it_is(folder: Path) -> None:
    picture, text = sample_images(1)[0], "a red cotton shirt"
    model = load_extractor(f"beit3:{folder}", "pair", device="cpu")
    pictures, texts = (load_extractor(f"beit3:{folder}", kind, device="cpu") for kind in ("image", "text"))
    values = [Pair(picture, text), picture, text, Pair(None, text)]
    prepared = [model.prepare(value) for value in values]
    found = model.embed(prepared, tokens=True)
    alone = pictures.embed([pictures.prepare(picture)]), texts.embed([texts.prepare(text)])
    assert np.allclose(found.pooled[1], alone[0].pooled[0], atol=1e-5)
    assert np.allclose(found.pooled[2], alone[1].pooled[0], atol=1e-5)
    assert np.allclose(found.pooled[3], found.pooled[2], atol=1e-5)
    one = prepared[0]
    with torch.no_grad():
        pixels = torch.tensor(one.pixels).permute(2, 0, 1)[None] / 127.5 - 1
        expected = random_model().beit3(pixels, torch.tensor([one.ids]))[0].numpy()
    assert found.tokens is not None and found.mask is not None
    assert np.allclose(found.tokens[0], expected, atol=1e-5) and found.mask[0].all()
    assert np.allclose(found.pooled[0], expected[0], atol=1e-5)
    lengths = [1 + TINY.patches + len(one.ids), 1 + TINY.patches, len(one.ids), len(one.ids)]
    assert [model.length(value) for value in prepared] == found.mask.sum(axis=1).tolist() == lengths


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
    square = prepared.pixels
    assert square.shape == (TINY.image, TINY.image, 3) and square.dtype == np.uint8
    assert not square[:, :14].any() and (square[:, 18:] == 255).all()
    pixels = torch.tensor(square).permute(2, 0, 1)[None] / 255 * 2 - 1
    with torch.no_grad():
        expected = random_model().beit3(pixels)[:, 0].numpy()
    assert np.allclose(model.embed([prepared]).pooled, expected, atol=1e-5)
    assert model.card.preprocessing["mean"] == model.card.preprocessing["std"] == 127.5


def test_texts_are_cut_at_what_the_positions_have_room_for(folder: Path) -> None:
    model = load_extractor(f"beit3:{folder}", "text", device="cpu")
    assert model.length(model.prepare("a red cotton shirt " * 99)) == TINY.longest == 32
    assert model.card.preprocessing == {"pooling": "cls", "max_length": 32}


def test_published_positions_leave_room_for_128_word_pieces(tmp_path: Path) -> None:
    model = load_extractor(f"beit3:{save_published(tmp_path, replace(TINY, positions=1024))}", "text")
    assert isinstance(model, BEiT3Extractor)
    assert model.length(model.prepare("a red cotton shirt " * 99)) == 128


def test_padding() -> None:
    ids, mask = pad([[0, 5, 2], [0, 2]])
    assert ids.tolist() == [[0, 5, 2], [0, 2, PAD]]
    assert mask.tolist() == [[True, True, True], [True, True, False]]


def test_what_does_not_fit_together_is_refused(tmp_path: Path) -> None:
    save_published(tmp_path, replace(TINY, vocabulary=20, retrieval=False))
    with pytest.raises(ExtractorError, match="word pieces, more than the 20 that"):
        load_extractor(f"beit3:{tmp_path}", "text")
    with pytest.raises(ExtractorError, match="are of pictures alone and of texts alone"):
        load_extractor(f"beit3:itc:{tmp_path}", "pair")
    with pytest.raises(ExtractorError, match="has no head of image-text contrast"):
        load_extractor(f"beit3:itc:{tmp_path}", "image")
    (tmp_path / "beit3.spm").unlink()
    load_extractor(f"beit3:{tmp_path}", "image")  # reads no texts
    with pytest.raises(ExtractorError, match="a SentencePiece file, such as"):
        load_extractor(f"beit3:{tmp_path}", "text")
