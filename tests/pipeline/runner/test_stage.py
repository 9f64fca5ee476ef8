"""What a stage's fingerprint is made of, and its sets in words."""

from __future__ import annotations

import pytest

from alignrec.core.files import digest
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.stage import Plan, StageContext, describe_sets, stage_parts
from alignrec.pipeline.stages.split import STAGE


def test_inputs_are_hashed_unless_they_are_words() -> None:
    parts = stage_parts(STAGE, Plan({"seed": "7", "settings": {"b": 1, "a": [2]}}))
    assert parts.pop("seed") == "7" and parts.pop("settings") == digest({"a": [2], "b": 1})
    assert parts.pop("stage version") == str(STAGE.version)
    assert set(parts) == {f"{library} version" for library in STAGE.libraries}


def test_sets_in_words() -> None:
    sets = {"image": {"valid": 1234, "dim": 8}, "text": {"valid": 2, "dim": 4}}
    assert describe_sets(sets) == "image 1,234 × 8, text 2 × 4"


def test_a_stage_that_calls_nobody_needs_no_assistance() -> None:
    config = Config.model_validate({"catalog": {"items": {"path": "x"}}})
    with pytest.raises(NotImplementedError, match="the stage split shares nothing"):
        STAGE.assist(StageContext(config, STAGE, {}))
