"""What fine-tuning asks of a model is what the tests' model and BEiT-3 have."""

from __future__ import annotations

import inspect

import pytest

from alignrec.aligner.finetune.model import MaskedModel
from alignrec.extractors.backends.beit3.trainable import TrainableBEiT3
from tests.aligner.finetune.tiny_model import TinyModel


@pytest.mark.parametrize("model", [TinyModel, TrainableBEiT3])
@pytest.mark.parametrize("name", ["states", "words", "codes", "depth_of"])
def test_a_model_takes_what_it_is_given(model: type, name: str) -> None:
    asked, there = (inspect.signature(getattr(owner, name)) for owner in (MaskedModel, model))
    assert list(there.parameters) == list(asked.parameters)
