"""A matrix on disk in the place of a model: its rows are the vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alignrec.core.files import sha256_file
from alignrec.extractors.backends.precomputed import BACKEND, GivenFeatures, load
from alignrec.extractors.contract import ExtractorCard
from alignrec.extractors.errors import ExtractorError, RejectedError
from alignrec.extractors.identity import ExtractorIdentity
from alignrec.extractors.modality import MODALITIES
from alignrec.extractors.names import ModelName

TEXT = MODALITIES["text"]
# The runtime is not looked at: nothing is computed.
RUNTIME: Any = None
NAN, INF = float("nan"), float("inf")
MATRIX = np.array([[1, 2, 3], [0, 0, 0], [4, NAN, 6], [7, 8, INF], [-1, 0, 0.5]], dtype=np.float64)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("given") / "text_feat.npy"
    np.save(file, MATRIX)
    return file


@pytest.fixture(scope="module")
def given(path: Path) -> GivenFeatures:
    return load(ModelName.parse(f"given:{path}"), TEXT, RUNTIME)


def test_the_card_is_of_the_file(path: Path, given: GivenFeatures) -> None:
    assert given.card == ExtractorCard(
        name=f"given:{path}",
        modality="text",
        revision=None,
        weights_sha256=sha256_file(path),
        dim=3,
        token_dim=3,
        preprocessing={"kind": "given"},
        licence=None,
    )


def test_rows_are_given_in_the_order_asked_for(given: GivenFeatures) -> None:
    rows = [given.prepare("4"), given.prepare("0")]
    assert rows == [4, 0]
    alone = given.embed(rows)
    assert alone.pooled.dtype == np.float32 and alone.tokens is None and alone.mask is None
    assert alone.pooled.tolist() == [[-1, 0, 0.5], [1, 2, 3]]
    both = given.embed(rows, tokens=True)
    assert both.tokens is not None and both.mask is not None
    assert both.pooled.tolist() == alone.pooled.tolist()
    assert both.tokens.tolist() == [[[-1, 0, 0.5]], [[1, 2, 3]]]
    assert both.mask.dtype == np.bool_ and both.mask.tolist() == [[True], [True]]


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        ("5", "no-row", "text_feat.npy has no row 5: it has 5, from 0 on"),
        ("1", "no-vector", "text_feat.npy, row 1: all values are zero"),
        ("2", "not-finite", "text_feat.npy, row 2, column 1: nan is no number"),
        ("3", "not-finite", "text_feat.npy, row 3, column 2: inf is no number"),
    ],
)
def test_a_row_without_a_vector_is_rejected(
    given: GivenFeatures, value: str, reason: str, detail: str
) -> None:
    with pytest.raises(RejectedError) as caught:
        given.prepare(value)
    assert caught.value.reason == reason and caught.value.detail.endswith(detail)


@pytest.mark.parametrize("value", ["Toy Story", "-1", "1.0", "", 1, None])
def test_what_names_no_row_is_an_error(given: GivenFeatures, value: Any) -> None:
    with pytest.raises(ExtractorError, match="only the items of an mmrec: catalogue name"):
        given.prepare(value)


@pytest.mark.parametrize(
    "content",
    [
        np.ones(3),
        np.ones((2, 2, 2)),
        np.ones((2, 3), dtype=np.int64),
        np.array([["a"]]),
        np.array([[None]], dtype=object),
    ],
    ids=["vector", "cube", "integers", "texts", "pickled"],
)
def test_only_a_matrix_of_floats_is_loaded(tmp_path: Path, content: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", content)
    with pytest.raises(
        ExtractorError,
        match=r"expected a (matrix of floats.* got (int64|float64|<U1) \[|NumPy file of features)",
    ):
        load(ModelName.parse(f"given:{tmp_path / 'a.npy'}"), TEXT, RUNTIME)


def test_an_archive_and_a_text_are_not_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", MATRIX)
    (tmp_path / "b.npy").write_text("1 2 3")
    for name in ("a.npz", "b.npy", "absent.npy"):
        with pytest.raises(ExtractorError, match=r"given:.*: expected a "):
            load(ModelName.parse(f"given:{tmp_path / name}"), TEXT, RUNTIME)


def test_the_identity_is_the_content(path: Path) -> None:
    asked: list[Path] = []

    def remembered(file: Path) -> str:
        asked.append(file)
        return "0" * 64

    identity = BACKEND.identify(ModelName.parse(f"given:{path}"), TEXT, remembered)
    assert identity == ExtractorIdentity("given", "", "text", None, "0" * 64)
    assert asked == [path]
    with pytest.raises(ExtractorError, match=r"there is no file .*absent\.npy"):
        BACKEND.identify(ModelName.parse(f"given:{path.parent / 'absent.npy'}"), TEXT, remembered)
