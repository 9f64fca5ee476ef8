"""The chain: which stages a config needs, and where a plugin's stage goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from alignrec.aligner.processes import Processes
from alignrec.core import plugins
from alignrec.core.network import NotHereError, is_offline
from alignrec.core.plugins import load_plugins
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import ConfigError
from alignrec.pipeline.runner.manifest import StageManifest
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.chain import assist, chain, needed, status
from alignrec.pipeline.stages.pretrain import PretrainStage
from tests.hub.client import environment, run_python
from tests.hub.server import HubServer

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
    assert [stage.name for stage in chain()] == ["finetune", *order[:-2], "retrain", *order[-2:]]
    serving = config(export={"all_interactions": True})
    assert names(serving, "export") == [*order[:-2], "retrain", *order[-2:]]
    assert order == names(config(), "export")
    tuned = config(finetune={}, extract={"image": "beit3:x", "text": "beit3:x"})
    assert names(tuned, "export") == ["finetune", *order]
    assert names(tuned, "finetune") == ["finetune"]  # nothing to report on yet
    assert names(tuned, "pretrain") == ["finetune", "extract", "pretrain", "report"]


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


STATUS = """
import sys
from alignrec.pipeline.cli.app import main
sys.argv = ["alignrec", "status", "--json", "-c", sys.argv[1]]
main()
"""


def states(hub: HubServer, folder: Path, **settings: object) -> dict[str, tuple[str, str]]:
    """What `status` says of each stage of a config, in a process whose Hub is the local server."""
    path = folder / "alignrec.yaml"
    path.write_text(yaml.safe_dump({"out": "run", "export": {"sets": ["text"]}} | settings))
    ended = run_python(STATUS, environment(hub.url, folder / "hf"), str(path))
    assert ended.returncode == 0, ended.stderr
    return {one["stage"]: (one["state"], one["why"]) for one in json.loads(ended.stdout)}


def test_status_asks_nobody_for_what_is_not_here(tmp_path: Path) -> None:
    table = tmp_path / "items.jsonl"
    table.write_text('{"item_id": "a", "title": "x"}\n')
    items = {"path": str(table), "text": "{title}", "image": None}
    with HubServer() as hub:
        model = states(hub, tmp_path, catalog={"items": items}, extract={"text": "transformers:team/model"})
        state, why = model["extract"]
        assert state == "to do" and "transformers:team/model is not on this machine" in why
        hf = states(hub, tmp_path, catalog={"items": items | {"path": "hf:team/catalogue"}})
        assert hf["extract"][0] == "to do" and "'team/catalogue' is not on this machine" in hf["extract"][1]
        assert {state for state, _ in hf.values()} == {"to do"}
        assert hub.log == []


def test_status_of_what_was_done_once_is_unknown_where_its_model_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_folder = tmp_path / "run"
    for name in ("extract", "split", "pretrain"):
        StageManifest(name, {}, {}, {"sets": {}}).write(run_folder / name / "stage.json")
    settings = config(out=str(run_folder))

    def gone(context: object) -> None:
        assert is_offline()
        raise NotHereError("the model is gone")

    monkeypatch.setattr("alignrec.pipeline.stages.chain.state_of", gone)
    found = {state.stage: (state.state, state.why) for state in status(settings)}
    assert not is_offline()
    assert found["extract"] == ("unknown", "the model is gone")
    assert found["pretrain"] == ("unknown", "extract is not known")
    assert found["train"] == ("to do", "not there yet")


class Called(Processes):
    """The second of two, called twice."""

    rank, count = 1, 2

    def calls(self) -> Iterator[str]:
        yield from ("pretrain", "pretrain")


def test_a_process_that_is_called_assists_with_what_earlier_stages_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[StageContext] = []
    monkeypatch.setattr(PretrainStage, "assist", lambda _stage, context: found.append(context))
    StageManifest("extract", {}, {}, {"items": 3, "sets": {}}).write(tmp_path / "extract" / "stage.json")
    processes = Called()
    assist(config(out=str(tmp_path)), processes)
    assert [context.stage.name for context in found] == ["pretrain"] * 2
    for context in found:
        assert context.processes is processes and context.console.quiet
        assert context.plan is not None and context.done.keys() == {"extract"}
    assert {path.name for path in tmp_path.iterdir()} == {"extract"}, "it writes nothing"
