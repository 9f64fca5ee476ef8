"""A release to serve with: its trained sets have seen every interaction, and its numbers are of others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from alignrec.core.errors import AlignRecWarning
from alignrec.core.vocabulary import TRAINED_SETS
from alignrec.export.load import load_features
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.stages.chain import run, status
from alignrec.pipeline.stages.retrain import STAGE
from tests.pipeline.tiny_runs import ITEMS, SETTINGS, USERS, contents, write_tiny

FLAG = ["export.all_interactions=true"]
SETS = SETTINGS["export"]["sets"]  # type: ignore[index]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was measured, and then exported to serve with."""
    file = write_tiny(tmp_path_factory.mktemp("shop"))
    file.write_text(yaml.safe_dump(SETTINGS | {"split": {"method": "temporal", "k_core": 1}}))
    run(file)
    (file.parent / "run" / "release").rename(file.parent / "measured")
    result = run(file, overrides=FLAG)
    assert result.renewed == ("retrain", "export", "report")
    return file


def test_only_what_learns_from_interactions_is_another_and_its_encoder(config: Path) -> None:
    before, after = contents(config.parent / "measured"), contents(config.parent / "run" / "release")
    changed = {Path(name).parts[1] for name in after if before.get(name) != after[name] and "/" in name}
    assert changed == {*TRAINED_SETS, "aligner"}
    assert before["metrics.json"] == after["metrics.json"], "what is measured is the run's own training"


def test_the_sets_say_that_they_have_seen_everything_and_warn_whoever_measures(config: Path) -> None:
    release = config.parent / "run" / "release"
    with pytest.warns(AlignRecWarning, match="it is for serving"):
        features = load_features(release, "aligned", before="1970-01-01T00:03:59Z")
    learned = features.learned_from
    assert learned is not None and learned.everything
    assert (learned.rule, learned.interactions) == ("the whole log", 8 * USERS)
    assert learned.last == "1970-01-01T00:03:59Z", "the last of all, whichever part it is in"
    assert features.origin is not None and len(features) == ITEMS
    split = RunFolder(config.parent / "run").split().split
    touched = np.bincount(split.item, minlength=ITEMS) > 0
    assert [one == "trained" for one in features.origin] == touched.tolist()
    assert load_features(release, "multimodal").learned_from is None


def test_the_page_says_that_it_does_not_show_what_is_released(config: Path) -> None:
    page = (config.parent / "run" / "report.html").read_text()
    assert "The release has sets of these names that learned from all interactions" in page


def test_without_it_the_release_is_what_it_was(config: Path, tmp_path: Path) -> None:
    states = {one.stage: one.state for one in status(config)}
    assert states["export"] == "stale" and "retrain" not in states
    again = run(config, overrides=[f"out={config.parent / 'run'}"])
    assert again.renewed == ("export", "report") and again.release is not None
    assert contents(again.release) == contents(config.parent / "measured")
    assert run(config, overrides=FLAG).renewed == ("export", "report"), "trained once"


def test_it_is_for_sets_that_training_makes() -> None:
    catalog = {"items": {"path": "x"}, "interactions": {"path": "y"}}
    asked = {"catalog": catalog, "export": {"sets": ["aligned"]}}
    assert STAGE.skip(Config.model_validate(asked)) == "export.all_interactions is not set."
    asked["export"]["all_interactions"] = True
    assert STAGE.skip(Config.model_validate(asked)) == ""
    asked["export"]["sets"] = ["text", "multimodal"]
    with pytest.raises(ValidationError, match=r"export\.sets names none of content, aligned, user"):
        Config.model_validate(asked)
