"""The multimodal encoder and its mask-then-predict pretraining."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from alignrec.aligner.errors import EncoderError, FeatureError
from alignrec.aligner.inputs import ModalityInput, TokenSequences
from alignrec.aligner.pretrain.encoder import MultimodalEncoder
from alignrec.aligner.pretrain.pretraining import pretrain
from alignrec.aligner.pretrain.settings import PretrainSettings
from alignrec.aligner.processes import Processes
from tests.aligner.pretrain.kinds import TINY, weights, world
from tests.aligner.together import together

# Every form that is trained step by step.
TRAINED = [TINY.model_copy(update={"vector": form}) for form in ("filled", "cls", "residual")]


@pytest.mark.filterwarnings("error")
def test_a_modality_without_any_token_or_with_one_item_is_learned_from() -> None:
    inputs = dict(world(16))
    image = inputs["image"]
    none = TokenSequences(image.tokens.values[:0], np.zeros(len(image.pooled) + 1, dtype=np.int64))
    inputs["image"] = ModalityInput(image.pooled, image.valid, none)
    assert len(pretrain(inputs, TINY, seed=0).curves) == TINY.epochs
    inputs["text"] = inputs["text"].without(np.arange(len(image.pooled)) > 0)
    for one in (inputs, {"image": inputs["image"]}, {"text": inputs["text"]}):
        matrix, valid = pretrain(one, TINY, seed=0).encoder.encode(one)
        assert (
            np.isfinite(matrix).all()
            and valid.tolist() == np.any([m.valid for m in one.values()], 0).tolist()
        )
    gone = inputs["text"].without(np.ones(len(image.pooled), dtype=np.bool_))
    assert not gone.valid.any() and gone.tokens.values.shape == (0, 8)
    with pytest.raises(FeatureError, match="no item has a usable text"):
        pretrain(inputs | {"text": gone}, TINY, seed=0)


def test_training_tells_the_hidden_side_better_than_no_training() -> None:
    inputs = world(160)
    settings = TINY.model_copy(update={"epochs": 15, "learning_rate": 5e-3, "dropout": 0.0})
    curves = pretrain(inputs, settings, seed=0).curves
    for side in ("image", "text"):
        assert curves[-1][f"held out {side}"] < 0.5, "an untrained encoder predicts zeros: a loss of 1"


def test_a_direction_left_out_is_not_learned() -> None:
    settings = TINY.model_copy(update={"predict": ("image",)})
    trained = pretrain(world(), settings, seed=0)
    assert "held out image" in trained.curves[0]
    assert "held out text" not in trained.curves[0]
    assert not trained.encoder.predict["text"].weight.any()
    assert trained.encoder.predict["image"].weight.any()


def test_a_present_part_is_the_residual_path_and_a_missing_one_is_predicted() -> None:
    inputs = world(lost_text=20)
    untrained = MultimodalEncoder.fitted(TINY, inputs, seed=0)
    trained = pretrain(inputs, TINY, seed=0).encoder
    before, after = untrained.encode(inputs)[0], trained.encode(inputs)[0]
    np.testing.assert_array_equal(before[20:], after[20:])
    np.testing.assert_array_equal(before[:20, :6], after[:20, :6])
    alike = before[:20, 6:] @ before[:20, 6:].T
    size = np.linalg.norm(untrained.scales["text"](untrained.components["text"].spread).numpy())
    own = (0.5 * size) ** 2
    np.testing.assert_allclose(np.diag(alike), own, atol=1e-3, err_msg="nothing is told: own directions")
    assert after[:20, 6:].any(axis=1).all()


@pytest.mark.parametrize("form", TRAINED)
def test_an_item_with_nothing_has_zeros_and_is_not_valid(form: PretrainSettings) -> None:
    inputs = world(lost_text=2)
    gone = np.arange(80) == 0
    inputs["image"] = inputs["image"].without(gone)
    vectors, valid = pretrain(inputs, form, seed=0).encoder.encode(inputs)
    np.testing.assert_array_equal(valid, ~gone)
    assert not vectors[0].any()


@pytest.mark.parametrize("form", TRAINED)
def test_a_vector_depends_on_its_item_alone(form: PretrainSettings) -> None:
    inputs = world(lost_text=20)
    encoder = pretrain(inputs, form, seed=0).encoder
    whole, _ = encoder.encode(inputs)
    first = {m: _head(source, 7) for m, source in inputs.items()}
    np.testing.assert_allclose(encoder.encode(first)[0], whole[:7], atol=1e-5)


def _head(source: ModalityInput, n: int) -> ModalityInput:
    offsets = source.tokens.offsets[: n + 1]
    return ModalityInput(
        source.pooled[:n], source.valid[:n], TokenSequences(source.tokens.values[: offsets[-1]], offsets)
    )


@pytest.mark.parametrize("form", TRAINED)
def test_same_seed_same_bytes_and_resuming_anywhere_changes_nothing(form: PretrainSettings) -> None:
    inputs = world(lost_text=10)
    states: list[dict[str, Any]] = []
    whole = pretrain(inputs, form, seed=3, save=lambda state: states.append(_copied(state)))
    assert len(states) == form.epochs
    for state in states:
        resumed = pretrain(inputs, form, seed=3, state=state)
        assert weights(resumed) == weights(whole)
        assert resumed.curves == whole.curves
    assert weights(pretrain(inputs, form, seed=4)) != weights(whole)


def _copied(state: dict[str, Any]) -> dict[str, Any]:
    """As a file would keep it."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    copied: dict[str, Any] = torch.load(buffer, weights_only=True)
    return copied


def test_no_complete_item_leaves_the_residual_path() -> None:
    inputs = world(20)
    inputs["text"] = inputs["text"].without(np.arange(20) < 10)
    inputs["image"] = inputs["image"].without(np.arange(20) >= 10)
    trained = pretrain(inputs, TINY, seed=0)
    assert trained.curves == []
    assert trained.encoder.encode(inputs)[1].all()


def test_a_modality_that_nobody_has_is_refused() -> None:
    inputs = world(20, lost_text=20)
    with pytest.raises(FeatureError, match="no item has a usable text"):
        pretrain(inputs, TINY, seed=0)


def test_saved_and_loaded_the_encoder_is_the_same(tmp_path: Path) -> None:
    inputs = world(lost_text=5)
    encoder = pretrain(inputs, TINY, seed=0).encoder
    encoder.save_pretrained(tmp_path)
    loaded = MultimodalEncoder.from_pretrained(tmp_path)
    np.testing.assert_array_equal(loaded.encode(inputs)[0], encoder.encode(inputs)[0])


@pytest.mark.parametrize("damage", ["format", "cut", "absent"])
def test_a_damaged_encoder_is_refused(tmp_path: Path, damage: str) -> None:
    MultimodalEncoder.fitted(TINY, world(), seed=0).save_pretrained(tmp_path)
    config, tensors = tmp_path / "config.json", tmp_path / "model.safetensors"
    if damage == "format":
        config.write_text(json.dumps(json.loads(config.read_text()) | {"format": 99}))
    elif damage == "cut":
        tensors.write_bytes(tensors.read_bytes()[:100])
    else:
        tensors.unlink()
    with pytest.raises(EncoderError, match=str(tmp_path)):
        MultimodalEncoder.from_pretrained(tmp_path)


def test_other_widths_are_refused() -> None:
    encoder = MultimodalEncoder.fitted(TINY, world(), seed=0)
    inputs = world()
    with pytest.raises(FeatureError, match="vectors and tokens of"):
        encoder.encode({"image": inputs["text"], "text": inputs["image"]})


def test_what_only_a_place_tells_is_learned() -> None:
    """Something stands at one of four places of a picture; its text tells which. Pooling has lost it."""
    rng = np.random.default_rng(0)
    n, kinds = 240, 4
    kind = rng.integers(kinds, size=n)
    tokens = np.tile(np.array([1.0, 0, 0, 0, 0, 0]), (n, kinds, 1)) + 0.1 * rng.standard_normal((n, kinds, 6))
    tokens[np.arange(n), kind, 1] += 2
    text = np.eye(kinds, 8)[kind] + 0.05 * rng.standard_normal((n, 8))
    offsets = np.arange(n + 1)
    inputs = {
        "image": ModalityInput(
            tokens.mean(axis=1).astype(np.float32),
            np.ones(n, dtype=np.bool_),
            TokenSequences(tokens.reshape(n * kinds, 6).astype(np.float16), offsets * kinds),
        ),
        "text": ModalityInput(
            text.astype(np.float32),
            np.ones(n, dtype=np.bool_),
            TokenSequences(text.astype(np.float16), offsets),
        ),
    }
    learns = {"width": 32, "tokens": 8, "epochs": 20, "batch_size": 32, "learning_rate": 1e-2}
    settings = TINY.model_copy(update=learns)
    curves = pretrain(inputs, settings, 1).curves
    assert min(curve["held out text"] for curve in curves) < 0.3  # 1 is knowing nothing


def test_bfloat16_learns_nearly_the_same() -> None:
    inputs = world()
    exact, coarse = (
        pretrain(inputs, TINY.model_copy(update={"precision": p}), 1) for p in ("float32", "bfloat16")
    )
    assert exact.curves != coarse.curves
    for ours, theirs in zip(exact.curves, coarse.curves, strict=True):
        assert ours["held out text"] == pytest.approx(theirs["held out text"], rel=0.1)
    assert all(t.dtype == torch.float32 for t in coarse.encoder.parameters())


def test_what_a_modality_is_called_decides_nothing_what_it_is_does() -> None:
    """Names that no code knows, one of them an attribute of every PyTorch module."""
    known = world(lost_text=8)
    settings = TINY.model_copy(update={"image_weight": 0.5})
    named = {
        "photo": replace(known["image"], kind="image"),
        "type": replace(known["text"], kind="text"),
    }
    expected, _ = pretrain(known, settings, 0).encoder.encode(known, "cpu")
    for order in (("photo", "type"), ("type", "photo")):
        encoder = pretrain(named, settings, 0).encoder
        vectors, valid = encoder.encode({name: named[name] for name in order}, "cpu")
        assert valid.all() and vectors.tobytes() == expected.tobytes()


def test_four_modalities_share_the_vector_and_each_is_predicted_from_the_others(tmp_path: Path) -> None:
    first, second = world(), world(seed=1)
    inputs = {
        "cover": replace(first["image"], kind="image"),
        "plot": replace(second["text"], kind="text"),
        "still": replace(first["image"].without(np.arange(80) < 10), kind="image"),
        "title": replace(first["text"], kind="text"),
    }
    trained = pretrain(inputs, TINY.model_copy(update={"dim": 14}), 0)
    assert {f"held out {name}" for name in inputs} <= set(trained.curves[-1])
    assert trained.encoder.parts == {"cover": 3, "plot": 3, "still": 3, "title": 5}
    vectors, valid = trained.encoder.encode(inputs, "cpu")
    assert vectors.shape == (80, 14) and valid.all() and np.isfinite(vectors).all()
    trained.encoder.save_pretrained(tmp_path)
    again = MultimodalEncoder.from_pretrained(tmp_path)
    assert again.kinds == {"cover": "image", "plot": "text", "still": "image", "title": "text"}
    assert again.encode(inputs, "cpu")[0].tobytes() == vectors.tobytes()


# All items at once: an epoch is a step.
SHARED = [form.model_copy(update={"batch_size": 80, "epochs": 20, "patience": 20}) for form in TRAINED]


def pretrained_in_each(processes: Processes) -> list[tuple[list[dict[str, float]], np.ndarray]]:
    """Curves and vectors of every form, with every process's share."""
    inputs, found = world(lost_text=9), []
    for form in SHARED:
        trained = pretrain(inputs, form, seed=0, processes=processes)
        found.append((trained.curves, trained.encoder.encode(inputs)[0]))
    return found


@pytest.mark.slow
def test_processes_that_share_a_pretraining_end_where_one_does() -> None:
    first, _ = together(2, pretrained_in_each)
    for form, (curves, vectors) in zip(SHARED, first, strict=True):
        alone = pretrain(world(lost_text=9), form, seed=0)
        assert len(curves) == 20
        for wanted, curve in zip(alone.curves, curves, strict=True):
            assert curve == pytest.approx(wanted, abs=1e-4), form.vector
        np.testing.assert_allclose(vectors, alone.encoder.encode(world(lost_text=9))[0], atol=1e-4)
