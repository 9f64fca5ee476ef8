"""What a stage's fingerprint is made of, and its sets in words."""

from __future__ import annotations

from alignrec.core.files import digest
from alignrec.pipeline.runner.stage import Plan, describe_sets, stage_parts
from alignrec.pipeline.stages.split import STAGE


def test_inputs_are_hashed_unless_they_are_words() -> None:
    parts = stage_parts(STAGE, Plan({"seed": "7", "settings": {"b": 1, "a": [2]}}))
    assert parts.pop("seed") == "7" and parts.pop("settings") == digest({"a": [2], "b": 1})
    assert parts.pop("stage version") == str(STAGE.version)
    assert set(parts) == {f"{library} version" for library in STAGE.libraries}


def test_sets_in_words() -> None:
    sets = {"image": {"valid": 1234, "dim": 8}, "text": {"valid": 2, "dim": 4}}
    assert describe_sets(sets) == "image 1,234 × 8, text 2 × 4"
