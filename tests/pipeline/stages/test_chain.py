"""The chain: which stages a config needs, and where a plugin's stage goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from alignrec.core import plugins
from alignrec.core.plugins import load_plugins
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import ConfigError
from alignrec.pipeline.stages.chain import chain, needed

PLUGIN = dedent(
    """
    from alignrec.pipeline.runner.stage import Plan, Stage

    class Own(Stage):
        name = "own"
        after = {after!r}

        def plan(self, context):
            return Plan({{}})

        def make(self, context, target):
            return {{}}

        def describe(self, summary):
            return []

    stage = Own()
    """
)


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(plugins, "_files", {})
    yield


def plugin(folder: Path, after: str) -> Path:
    (folder / "own.py").write_text(PLUGIN.format(after=after))
    return folder / "own.py"


def config(**changes: object) -> Config:
    catalog = {"items": {"path": "x"}, "interactions": {"path": "y"}}
    return Config.model_validate({"catalog": catalog, **changes})


def names(config: Config, until: str) -> list[str]:
    return [stage.name for stage in needed(config, until)]


def test_all_stages_in_their_order() -> None:
    order = ["extract", "split", "pretrain", "train", "evaluate", "export", "report"]
    assert [stage.name for stage in chain()] == order == names(config(), "export")


def test_a_stage_needs_what_it_reads() -> None:
    assert names(config(), "pretrain") == ["extract", "pretrain", "report"]
    assert names(config(), "train") == ["extract", "split", "pretrain", "train", "report"]
    raw = config(export={"sets": ["image"]})
    assert names(raw, "export") == ["extract", "split", "evaluate", "export", "report"]
    with pytest.raises(ConfigError, match="no train stage"):
        names(raw, "train")
    with pytest.raises(ConfigError, match="there is no stage 'trian'"):
        names(config(), "trian")


def test_a_plugins_stage_follows_the_one_that_it_names(tmp_path: Path) -> None:
    load_plugins([plugin(tmp_path, "train")])
    assert names(config(), "export")[3:6] == ["train", "own", "evaluate"]
    assert names(config(), "own") == ["extract", "split", "pretrain", "train", "own", "report"]


def test_a_plugins_stage_that_follows_nothing_is_an_error(tmp_path: Path) -> None:
    load_plugins([plugin(tmp_path, "trian")])
    with pytest.raises(
        ConfigError, match="the stage own follows 'trian', which is no stage; did you mean 'train'"
    ):
        chain()
