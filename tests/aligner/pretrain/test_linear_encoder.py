"""The encoder in closed form, from raw vectors to saved files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from alignrec.aligner.errors import EncoderError, FeatureError
from alignrec.aligner.inputs import Inputs, ModalityInput, TokenSequences
from alignrec.aligner.pretrain.linear_encoder import LinearEncoder
from alignrec.aligner.pretrain.pretraining import pretrain
from alignrec.aligner.pretrain.settings import PretrainSettings

SETTINGS = PretrainSettings(vector="linear", dim=24, device="cpu")
WIDTHS = {"title": 12, "photo": 16, "maker": 10}


def inputs(n: int = 120, seed: int = 0, lost: Mapping[str, float] | None = None) -> Inputs:
    """Views of items of four common causes, none of them called image or text."""
    rng = np.random.default_rng(seed)
    causes = rng.standard_normal((n, 4))
    views = {}
    for m, width in WIDTHS.items():
        valid = rng.random(n) >= (lost or {}).get(m, 0.0)
        pooled = causes @ rng.standard_normal((4, width)) + 0.5 * rng.standard_normal((n, width)) + 1
        tokens = TokenSequences(np.zeros((0, 2), np.float16), np.zeros(n + 1, np.int64))
        views[m] = ModalityInput(np.where(valid[:, None], pooled, 0).astype(np.float32), valid, tokens)
    return views


def test_a_missing_view_is_told_so_that_items_stay_where_they_were() -> None:
    whole = inputs()
    encoder = LinearEncoder.fitted(SETTINGS, whole, seed=1)
    before, _ = encoder.encode(whole)
    left = {**whole, "photo": whole["photo"].without(np.arange(120) < 30)}
    after, valid = encoder.encode(left)
    assert valid.all()
    np.testing.assert_array_equal(after[30:], before[30:])
    cosine = (after * before).sum(axis=1) / np.linalg.norm(after, axis=1) / np.linalg.norm(before, axis=1)
    others = (
        before[:30] @ before.T / np.linalg.norm(before[:30], axis=1)[:, None] / np.linalg.norm(before, axis=1)
    )
    assert cosine[:30].mean() > 0.6 > others.mean() + 0.4
    length = np.square(after).sum(axis=1)
    assert length[:30].mean() == pytest.approx(length[30:].mean(), rel=0.25)


def test_any_views_any_gaps_and_nothing_at_all() -> None:
    given = inputs(lost={"title": 0.3, "photo": 0.3, "maker": 0.3})
    encoder = LinearEncoder.fitted(SETTINGS, given, seed=1)
    vectors, valid = encoder.encode(given)
    some = np.any([view.valid for view in given.values()], axis=0)
    np.testing.assert_array_equal(valid, some)
    assert not vectors[~some].any() and not some.all()
    assert vectors.shape == (120, 24) and np.isfinite(vectors).all() and vectors[some].any(axis=1).all()
    alone = {m: view for m, view in given.items() if m == "title"}
    assert LinearEncoder.fitted(SETTINGS, alone, seed=1).encode(alone)[0].shape == (120, 12)


def test_the_order_of_the_views_changes_nothing() -> None:
    given = inputs(lost={"title": 0.2})
    turned = dict(reversed(given.items()))
    first, second = (LinearEncoder.fitted(SETTINGS, views, 1).encode(views)[0] for views in (given, turned))
    np.testing.assert_array_equal(first, second)


def test_a_vector_depends_on_its_item_alone() -> None:
    given = inputs(lost={"photo": 0.3})
    encoder = LinearEncoder.fitted(SETTINGS, given, seed=1)
    whole, _ = encoder.encode(given)
    for i in range(10):
        row = {
            m: ModalityInput(
                v.pooled[[i]], v.valid[[i]], TokenSequences(v.tokens.values, v.tokens.offsets[:2])
            )
            for m, v in given.items()
        }
        np.testing.assert_allclose(encoder.encode(row)[0][0], whole[i], atol=1e-5)


def test_saved_and_loaded_it_gives_the_same_bytes_whatever_the_threads(tmp_path: Path) -> None:
    given = inputs(400, lost={"photo": 0.3})
    files = {}
    threads = torch.get_num_threads()
    for count in (1, 2):
        folder = tmp_path / str(count)
        folder.mkdir()
        torch.set_num_threads(count)
        with threadpool_limits(count):
            encoder = LinearEncoder.fitted(SETTINGS, given, seed=1)
            encoder.save_pretrained(folder)
            vectors = encoder.encode(given)[0].tobytes()
            assert LinearEncoder.from_pretrained(folder).encode(given)[0].tobytes() == vectors
        files[count] = {p.name: p.read_bytes() for p in folder.iterdir()} | {"vectors": vectors}
    torch.set_num_threads(threads)
    assert files[1] == files[2]


@pytest.mark.parametrize("damage", ["cut", "other", "strength"])
def test_damaged_files_are_refused(tmp_path: Path, damage: str) -> None:
    LinearEncoder.fitted(SETTINGS, inputs(), seed=1).save_pretrained(tmp_path)
    config, tensors = tmp_path / "config.json", tmp_path / "model.safetensors"
    if damage == "cut":
        tensors.write_bytes(tensors.read_bytes()[:-5])
    elif damage == "other":
        config.write_text(config.read_text().replace('"photo"', '"video"'))
    else:
        config.write_text(config.read_text().replace('"strength": ', '"strength": -'))
    with pytest.raises(EncoderError, match="linear encoder"):
        LinearEncoder.from_pretrained(tmp_path)


def test_other_views_and_a_view_that_nobody_has_are_refused() -> None:
    given = inputs()
    encoder = LinearEncoder.fitted(SETTINGS, given, seed=1)
    with pytest.raises(FeatureError, match="the encoder is for vectors of"):
        encoder.encode({**given, "photo": given["title"]})
    gone = {**given, "photo": given["photo"].without(np.ones(120, dtype=np.bool_))}
    with pytest.raises(FeatureError, match="no item has a usable photo"):
        LinearEncoder.fitted(SETTINGS, gone, seed=1)


def test_pretraining_gives_it_where_the_settings_ask_for_it() -> None:
    given = inputs()
    trained = pretrain(given, SETTINGS, seed=1)
    assert isinstance(trained.encoder, LinearEncoder) and trained.curves == []
    expected = LinearEncoder.fitted(SETTINGS, given, seed=1).encode(given)[0]
    np.testing.assert_array_equal(trained.encoder.encode(given)[0], expected)


def test_without_epochs_each_view_is_whitened_alone_and_none_is_told() -> None:
    given = inputs()
    apart = LinearEncoder.fitted(SETTINGS.model_copy(update={"epochs": 0, "dim": 64}), given, seed=1)
    covariance, widths = apart.consensus.covariance, list(apart.consensus.widths.values())
    assert not covariance[: widths[0], widths[0] :].any() and covariance[: widths[0], : widths[0]].any()
    gone = {**given, "photo": given["photo"].without(np.arange(120) < 30)}
    alone = {**given, "photo": given["photo"].without(np.ones(120, dtype=np.bool_))}
    np.testing.assert_array_equal(apart.encode(gone)[0][:30], apart.encode(alone)[0][:30])
    whole = LinearEncoder.fitted(SETTINGS.model_copy(update={"dim": 64}), given, seed=1)
    assert whole.consensus.covariance[: widths[0], widths[0] :].any()
