"""What settings refuse."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from alignrec.aligner.finetune.settings import FinetuneSettings


@pytest.mark.parametrize(
    "wrong", [{"step": 3}, {"steps": 0}, {"codes": 1}, {"layer_decay": 1.1}, {"precision": "float16"}]
)
def test_what_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FinetuneSettings.model_validate(wrong)
