from __future__ import annotations

import json
from pathlib import Path

import pytest

from alignrec.aligner.landmarks.registry import all_landmarks
from alignrec.core.cross_view import CrossView, Direction
from alignrec.core.protocols import definitions
from alignrec.core.results import SPLITS, Measurement, Results
from alignrec.core.vocabulary import MODALITIES
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.stages.evaluate.metrics_file import alignment_bytes, metrics_bytes, pooled_words

CONFIG = Config.model_validate(
    {"catalog": {"items": {"path": "x"}, "interactions": {"path": "y"}}, "seed": 3}
)
RECORD = Measurement("top-k", "aligned", "recall", 20, "test", 0.25, 0.2, 0.3, seed=3)


def test_numbers_stand_with_what_they_mean(tmp_path: Path) -> None:
    content = metrics_bytes([RECORD], CONFIG)
    (tmp_path / "metrics.json").write_bytes(content)
    results = Results.read(tmp_path / "metrics.json")
    assert list(results.records) == [RECORD]
    words = definitions(MODALITIES) | {mark.name: mark.sentence for mark in all_landmarks()}
    assert {name: results.definitions[name] for name in words} == words
    assert results.definitions["seed"] == 3
    split = CONFIG.split.model_dump(mode="json", exclude={"path", "items", "users"})
    assert results.definitions["split"] == split
    assert json.loads(content)["format"] == 1 and content == metrics_bytes([RECORD], CONFIG)


@pytest.mark.parametrize(
    ("splits", "seeds", "cut", "trained"),
    [
        (2, [1], "the one that a run of the seed 4 would cut", "over trainings of the seed 1,"),
        (5, [1, 2], "those that runs of the seeds 4 to 7 would cut", "over trainings of the seeds 1, 2,"),
    ],
)
def test_what_was_drawn_and_trained_is_told_by_its_seeds(
    splits: int, seeds: list[int], cut: str, trained: str
) -> None:
    evaluate = CONFIG.evaluate.model_copy(update={"splits": splits, "seeds": tuple(seeds)})
    words = pooled_words(CONFIG.model_copy(update={"evaluate": evaluate}))
    assert cut in words[SPLITS] and trained in words["value"]


def test_what_modalities_tell_of_one_another_is_part_of_it() -> None:
    numbers = {"explained": 0.25, "found_1": 0.1, "found_10": 0.5, "median_rank": 9.5}
    row = {"given": "image", "wanted": "text", "items": 40, "sure": True, **numbers}
    alignment = CrossView(sentence="something", directions=[Direction.model_validate(row)])
    content = json.loads(metrics_bytes([RECORD], CONFIG, alignment=alignment))
    assert content["alignment"] == {"sentence": "something", "directions": [row]}
    assert "chance" in content["definitions"]["alignment"]
    assert "alignment" not in json.loads(metrics_bytes([RECORD], CONFIG))["definitions"]
    alone = Results.parse(alignment_bytes(alignment))
    assert alone.alignment == alignment and not alone.records and list(alone.definitions) == ["alignment"]


def test_what_is_no_number_is_not_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        metrics_bytes([Measurement("top-k", "aligned", "recall", 20, "test", float("nan"))], CONFIG)
