from __future__ import annotations

import pytest

from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.manifest import StageManifest
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.evaluate.stage import FULL, SHARES, STAGE

CATALOG = {"items": {"path": "x"}, "interactions": {"path": "y"}}
DONE = {name: StageManifest(name, {}, {}, {}) for name in ("extract", "split", "pretrain", "train")}


def inputs(**evaluate: object) -> dict[str, object]:
    config = Config.model_validate({"catalog": CATALOG, "evaluate": evaluate, "out": "/nowhere"})
    return dict(STAGE.plan(StageContext(config, STAGE, DONE)).inputs)


def test_without_interactions_there_is_nothing_to_measure_by() -> None:
    assert STAGE.skip(Config.model_validate({"catalog": CATALOG})) == ""
    why = STAGE.skip(Config.model_validate({"catalog": {"items": {"path": "x"}}}))
    assert why == "it has no interactions; name them under catalog.interactions."


def test_seeds_count_in_a_full_evaluation_alone() -> None:
    quick, full = inputs(), inputs(full=True)
    assert inputs(seeds=[8, 9]) == quick and FULL not in quick
    assert {name: value for name, value in full.items() if name != FULL} == quick
    assert inputs(full=True, seeds=[8, 9])[FULL] != full[FULL]


@pytest.mark.parametrize(
    ("setting", "part"),
    [
        ({"k": [5]}, "evaluate settings"),
        ({"exclude_valid": True}, "evaluate settings"),
        ({"masked": [0.5]}, SHARES),
        ({"thinned": []}, SHARES),
    ],
)
def test_settings_that_change_numbers_are_inputs(setting: dict[str, object], part: str) -> None:
    changed, quick = inputs(**setting), inputs()
    assert [name for name in quick if quick[name] != changed[name]] == [part]


def test_it_is_described_by_its_numbers() -> None:
    assert STAGE.describe({"records": 1234, "users": 50, "items": 7}) == [
        "evaluate: 1,234 numbers over 50 users and 7 items"
    ]
