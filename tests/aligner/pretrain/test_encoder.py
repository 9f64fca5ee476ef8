"""Encoders that earlier versions saved give the vectors they gave then; those that are none are refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from alignrec.aligner.errors import EncoderError
from alignrec.aligner.evaluate.baselines import ALONE, baselines
from alignrec.aligner.inputs import ModalityInput, TokenSequences
from alignrec.aligner.pretrain import encoder
from alignrec.aligner.pretrain.encoder import MultimodalEncoder
from alignrec.aligner.pretrain.pretraining import pretrain
from alignrec.aligner.pretrain.settings import PretrainSettings
from alignrec.core.vectors import unit_rows
from tests.aligner.pretrain.kinds import TINY, world

SAVED = Path(__file__).parents[1] / "saved"

Change = Callable[[dict[str, Any]], object]
HOSTILE: dict[str, Change] = {
    "depth of a million": lambda config: config["settings"].update(depth=10**6),
    "depth beyond any integer": lambda config: config["settings"].update(depth=10**30),
    "width of a million": lambda config: config["settings"].update(width=10**6),
    "dim of a million": lambda config: config["settings"].update(dim=10**6),
    "dim beyond any integer": lambda config: config["settings"].update(dim=10**300),
    "token_dim of a million": lambda config: config["settings"].update(token_dim=10**6),
    "another depth": lambda config: config["settings"].update(depth=2),
    "pooled width of a million": lambda config: config["widths"].update(image=[10**6, 10]),
    "token width of a million": lambda config: config["widths"].update(image=[10, 10**6]),
    "no width": lambda config: config["widths"].update(image=[0, 10]),
    "one modality fewer": lambda config: config["widths"].pop("image"),
    "no modality": lambda config: config["widths"].clear(),
    "a modality of the name of a method": lambda config: config["widths"].update(keys=[1, 1]),
    "many modalities": lambda config: config["widths"].update({f"m{n}": [1, 1] for n in range(3000)}),
    "a text for a number": lambda config: config["settings"].update(depth="1"),
    "a truth for a number": lambda config: config["settings"].update(depth=True),
    "a list for an object": lambda config: config.update(settings=[]),
    "a text for widths": lambda config: config["widths"].update(image="ab"),
    "scales that are not there": lambda config: config["settings"].update(whiten=None),
    "an unknown setting": lambda config: config["settings"].update(layers=1),
}


def changed(folder: Path, change: Change) -> Path:
    """The saved encoder with another config."""
    shutil.copytree(SAVED / "multimodal", folder, dirs_exist_ok=True)
    config = json.loads((folder / "config.json").read_bytes())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_an_encoder_that_an_earlier_version_saved_gives_the_same_vectors(tmp_path: Path) -> None:
    expected = load_file(SAVED / "expected.safetensors")
    inputs = {}
    for m in ("image", "text"):
        pooled = expected[f"{m} pooled"]
        tokens = TokenSequences(expected[f"{m} tokens"], expected[f"{m} offsets"])
        inputs[m] = ModalityInput(pooled, pooled.any(axis=1), tokens)
    loaded = MultimodalEncoder.from_pretrained(SAVED / "multimodal")
    vectors, valid = loaded.encode(inputs, "cpu")
    assert valid.all()
    np.testing.assert_allclose(vectors, expected["multimodal"], atol=1e-6)
    loaded.save_pretrained(tmp_path)
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / name).read_bytes() == (SAVED / "multimodal" / name).read_bytes()


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_config_of_other_tensors_is_refused_and_nothing_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    monkeypatch.setattr(encoder.nn, "Linear", None)
    with pytest.raises(EncoderError, match=str(tmp_path)) as caught:
        MultimodalEncoder.from_pretrained(changed(tmp_path, change))
    assert len(str(caught.value)) < len(str(tmp_path)) + 900 and "\n" not in str(caught.value)


def test_the_order_of_a_config_is_of_no_weight(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    MultimodalEncoder(PretrainSettings(dim=7), {"image": (3, 3), "text": (2, 2)}).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_bytes())
    config["widths"] = dict(reversed(config["widths"].items()))
    (folder / "config.json").write_text(json.dumps(config))
    assert MultimodalEncoder.from_pretrained(folder).parts == {"image": 3, "text": 4}


@pytest.mark.parametrize("heads", [3, 10**6])
def test_heads_that_do_not_divide_the_width_are_refused(tmp_path: Path, heads: int) -> None:
    with pytest.raises(EncoderError, match=f"heads must divide the width, got {heads} and 8"):
        MultimodalEncoder.from_pretrained(changed(tmp_path, lambda c: c["settings"].update(heads=heads)))


@pytest.mark.parametrize("change", ["missing", "more", "transposed", "halves", "nan"])
def test_tensors_of_another_encoder_are_refused(tmp_path: Path, change: str) -> None:
    folder = changed(tmp_path, lambda _: None)
    tensors = load_file(folder / "model.safetensors")
    name = "mmenc.blocks.0.feed.ways.cls.1.weight"
    if change == "missing":
        del tensors[name]
    elif change == "more":
        tensors["mmenc.blocks.1.norm.ways.cls.weight"] = np.ones(8, np.float32)
    elif change == "transposed":
        tensors[name] = np.ascontiguousarray(tensors[name].T)
    elif change == "halves":
        tensors[name] = tensors[name].astype(np.float16)
    else:
        tensors[name][3, 2] = np.nan
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(EncoderError, match=r"model\.safetensors: .*mmenc\.blocks\."):
        MultimodalEncoder.from_pretrained(folder)


def test_a_depth_of_a_million_costs_a_process_no_memory(tmp_path: Path) -> None:
    """A process of its own, since memory that a process once had still counts."""
    folder = changed(tmp_path, lambda config: config["settings"].update(depth=10**6, width=10**6, dim=10**6))
    code = (
        "import resource, sys\n"
        "from alignrec.aligner.errors import EncoderError\n"
        "from alignrec.aligner.pretrain.encoder import MultimodalEncoder\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    MultimodalEncoder.from_pretrained(sys.argv[1])\n"
        "except EncoderError:\n    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 50_000, "kibibytes"


NUMBERS = st.integers(-1, 70) | st.sampled_from([10**6, 10**30]) | st.floats(allow_nan=True)
VALUES = st.none() | st.booleans() | NUMBERS | st.text(max_size=4) | st.lists(NUMBERS, max_size=3)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_config_is_an_encoder_or_an_error_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    def change(config: dict[str, Any]) -> None:
        places = [config, config["settings"], config["widths"]]
        place = data.draw(st.sampled_from(places))
        key = data.draw(st.sampled_from([*place]) | st.text(max_size=4))
        place[key] = data.draw(VALUES | st.dictionaries(st.text(max_size=3), VALUES, max_size=2))
        for name in data.draw(st.lists(st.sampled_from(["dim", "width", "depth", "heads", "token_dim"]))):
            if isinstance(config.get("settings"), dict):
                config["settings"][name] = data.draw(NUMBERS)

    folder = changed(tmp_path_factory.getbasetemp() / "any", change)
    try:
        MultimodalEncoder.from_pretrained(folder)
    except EncoderError as error:
        assert str(folder) in str(error)


def test_a_whole_items_vector_is_that_of_modalities_whitened_alone_as_content_says(tmp_path: Path) -> None:
    inputs = world(lost_text=8)
    fitted = MultimodalEncoder.fitted(TINY.model_copy(update={"dim": 20}), inputs, seed=3)
    vectors = fitted.encode(inputs)[0]
    expected = baselines(inputs)[ALONE]
    ours, theirs = unit_rows(vectors[8:]), unit_rows(expected[8:])
    np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, atol=1e-5)
    assert np.square(vectors[8:]).sum(axis=1).mean() == pytest.approx(2, rel=0.05)
    fitted.save_pretrained(tmp_path)
    np.testing.assert_array_equal(MultimodalEncoder.from_pretrained(tmp_path).encode(inputs)[0], vectors)


def test_what_training_learns_does_not_depend_on_how_large_components_are_in_the_vector() -> None:
    inputs = world()
    ours, rooted = (pretrain(inputs, TINY.model_copy(update={"whiten": w}), seed=3) for w in (None, 0.5))
    assert ours.curves == rooted.curves
    assert not np.array_equal(ours.encoder.encode(inputs)[0], rooted.encoder.encode(inputs)[0])


def test_settings_have_their_way_with_the_size_of_pictures() -> None:
    inputs = world()
    rooted = MultimodalEncoder.fitted(TINY.model_copy(update={"whiten": 0.5}), inputs, seed=3)
    halved = MultimodalEncoder.fitted(
        TINY.model_copy(update={"whiten": 0.5, "image_weight": 0.5}), inputs, seed=3
    )
    image = slice(0, rooted.parts["image"])
    np.testing.assert_allclose(halved.encode(inputs)[0][:, image], rooted.encode(inputs)[0][:, image] / 2)
    quarter = MultimodalEncoder.fitted(TINY.model_copy(update={"image_weight": 0.25}), inputs, seed=3)
    lengths = np.square(quarter.encode(inputs)[0]).sum(axis=1)
    assert lengths.mean() == pytest.approx(1 + 0.25**2, rel=1e-4)
