"""The numbers of the shared benchmark, reproduced by our own protocols and metrics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from alignrec.aligner.content_space import centre, concatenate
from alignrec.aligner.evaluate.bootstrap import interval
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.scorers import feature_cf, zero_shot
from alignrec.aligner.evaluate.splits import TEST, TRAIN, VALID, Split, read_mmrec
from alignrec.aligner.landmarks.item_cf import cooccurrence_cf
from alignrec.aligner.landmarks.popularity import popularity
from tests.conftest import SHARED

FOLDER = SHARED / "bench" / "ml100k"
TOLERANCE = 0.002
Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def split() -> Split:
    if not FOLDER.is_dir():
        pytest.skip("the shared benchmark is not beside the project")
    with (FOLDER / "ml100k.inter").open(encoding="utf-8") as lines:
        return read_mmrec(lines)


def check(scorer: Scorer, split: Split, valid_recall: float, recall: float, ndcg: float) -> None:
    test, valid = evaluate(scorer, split, TEST), evaluate(scorer, split, VALID)
    assert valid.mean("recall", 20) == pytest.approx(valid_recall, abs=TOLERANCE)
    assert test.mean("recall", 20) == pytest.approx(recall, abs=TOLERANCE)
    assert test.mean("ndcg", 20) == pytest.approx(ndcg, abs=TOLERANCE)


def test_the_split_has_the_stated_sizes(split: Split) -> None:
    assert (split.users, split.items) == (938, 1008)
    assert [int((split.label == part).sum()) for part in (TRAIN, VALID, TEST)] == [43_854, 5_063, 5_496]


def test_landmarks(split: Split) -> None:
    history = split.matrix(TRAIN)
    check(popularity(history), split, 0.1840, 0.1832, 0.1224)
    check(cooccurrence_cf(history), split, 0.3231, 0.3520, 0.2354)


@pytest.mark.parametrize(
    ("name", "prepare", "protocol", "expected"),
    [
        ("image", np.asarray, zero_shot, (0.0397, 0.0427, 0.0392)),
        ("image", centre, zero_shot, (0.0467, 0.0443, 0.0306)),
        ("text", np.asarray, zero_shot, (0.0423, 0.0541, 0.0288)),
        ("text", centre, zero_shot, (0.1169, 0.1392, 0.0875)),
        ("mm", np.asarray, zero_shot, (0.0555, 0.0690, 0.0517)),
        ("mm", centre, zero_shot, (0.1241, 0.1344, 0.0918)),
        ("image", np.asarray, feature_cf, (0.0341, 0.0364, 0.0224)),
        ("image", centre, feature_cf, (0.0531, 0.0505, 0.0361)),
        ("text", np.asarray, feature_cf, (0.0908, 0.1095, 0.0704)),
        ("text", centre, feature_cf, (0.0997, 0.1262, 0.0819)),
        ("mm", np.asarray, feature_cf, (0.0878, 0.1008, 0.0642)),
        ("mm", centre, feature_cf, (0.1090, 0.1136, 0.0798)),
    ],
)
def test_protocols(
    split: Split,
    name: str,
    prepare: Callable[[Floats], Floats],
    protocol: Callable[..., Scorer],
    expected: tuple[float, float, float],
) -> None:
    features = np.load(FOLDER / f"{name}_feat.npy", allow_pickle=False)
    check(protocol(prepare(features), split.matrix(TRAIN)), split, *expected)


def test_concatenating_the_raw_modalities_gives_the_shared_matrix(split: Split) -> None:
    image, text, both = (
        np.load(FOLDER / f"{n}_feat.npy", allow_pickle=False) for n in ("image", "text", "mm")
    )
    assert np.allclose(concatenate(image, text), both, atol=1e-5)


def test_the_standard_error_is_the_stated_one(split: Split) -> None:
    result = evaluate(cooccurrence_cf(split.matrix(TRAIN)), split)
    bounds = interval(result.values["recall", 20])
    assert (bounds.high - bounds.low) / 3.92 == pytest.approx(0.010, abs=0.002)
