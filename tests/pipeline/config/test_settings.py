from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from alignrec.pipeline.config.settings import Config

ITEMS: dict[str, Any] = {"items": {"path": "items.csv"}}
LOG: dict[str, Any] = {"interactions": {"path": "log.csv"}}


@pytest.mark.parametrize(
    ("settings", "sets", "pretrains", "trains"),
    [
        ({"catalog": ITEMS}, ("image", "text", "multimodal"), True, False),
        ({"catalog": ITEMS | LOG}, ("image", "text", "multimodal", "content", "aligned"), True, True),
        ({"catalog": ITEMS | LOG, "export": {"sets": ["text"]}}, ("text",), False, False),
        ({"catalog": {"items": ITEMS["items"] | {"image": None}}}, ("text", "multimodal"), True, False),
    ],
)
def test_the_sets_of_a_release_decide_what_runs(
    settings: dict[str, Any], sets: tuple[str, ...], pretrains: bool, trains: bool
) -> None:
    config = Config.model_validate(settings)
    assert (config.sets, config.pretrains, config.trains) == (sets, pretrains, trains)
    assert config.run_folder == Path("runs/alignrec")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"evaluate": {"seeds": [1, 1]}}, "seeds that differ"),
        ({"export": {"sets": ["text", "text"]}}, "expected distinct sets"),
        ({"export": {"sets": ["aligned"]}}, "there is nothing to train on"),
        ({"evaluate": {"full": True}}, "this run has none"),
        ({"seed": -1}, "greater than or equal to 0"),
        *(({"name": name}, "is not a name") for name in ("a/b", "..", ".", "", "a" * 101, "a\n", "é", "-x")),
        ({"name": "NUL.x"}, "some systems keep it for a device"),
    ],
)
def test_what_does_not_go_together_is_refused(settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        Config.model_validate({"catalog": ITEMS} | settings)


MODALITIES: dict[str, Any] = {
    "title": {"type": "text", "template": "{title}"},
    "photo": {"type": "image", "columns": ["front", "back"], "model": "a:b"},
}


def test_sets_masks_and_predictions_go_by_the_catalogue_s_own_modalities() -> None:
    catalog = {"items": {"path": "x"}, "modalities": MODALITIES}
    config = Config.model_validate({"catalog": catalog})
    assert list(config.modalities) == ["title", "photo"] == list(config.sets)[:2]
    assert (config.model_of("title"), config.model_of("photo")) == (config.extract.text, "a:b")
    config = Config.model_validate({"catalog": catalog, "export": {"sets": ["photo"]}})
    assert config.sets == ("photo",) and not config.pretrains
    Config.model_validate(
        {"catalog": catalog, "evaluate": {"masked": [0.5]}, "pretrain": {"predict": ["photo"]}}
    )
    for wrong in ({"export": {"sets": ["image"]}}, {"pretrain": {"predict": ["plot"]}}):
        with pytest.raises(ValidationError, match=r"export\.sets|pretrain\.predict"):
            Config.model_validate({"catalog": catalog, **wrong})
