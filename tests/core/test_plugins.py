"""Registries: ours, those of plugin files, names that clash, files that fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignrec.core import plugins
from alignrec.core.plugins import PluginError, Registry, adding, load_plugins

FORMAT = """
from dataclasses import dataclass
from tests.core.test_plugins import Thing

thing = Thing({name!r})
again = thing
"""


class Thing:
    def __init__(self, name: str) -> None:
        self.name = name


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_files", {})


def things() -> Registry[Thing]:
    return Registry(Thing, "thing", "alignrec.core")


def plugin(folder: Path, name: str, file: str = "own.py") -> Path:
    (folder / file).write_text(FORMAT.format(name=name))
    return folder / file


def test_a_file_adds_what_it_holds_once(tmp_path: Path) -> None:
    registry = things()
    assert list(registry) == []
    load_plugins([plugin(tmp_path, "sphere")] * 2)
    assert list(registry) == ["sphere"] and registry["sphere"].name == "sphere"
    assert registry.find("sphere") is registry["sphere"] and len(registry) == 1


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    load_plugins([plugin(tmp_path, "sphere")])
    with pytest.raises(PluginError, match="there is no thing 'spere'; did you mean 'sphere'"):
        things().find("spere")
    with pytest.raises(KeyError):
        things()["spere"]


def test_a_name_is_given_once(tmp_path: Path) -> None:
    load_plugins([plugin(tmp_path, "sphere"), plugin(tmp_path, "sphere", "other.py")])
    with pytest.raises(PluginError, match="adds the thing 'sphere', a name that is taken already"):
        list(things())


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("absent.py", None, "there is no plugin file"),
        ("broken.py", "1 / 0", "fails: ZeroDivisionError: division by zero"),
        ("notes.txt", "x = 1", "expected a name that ends in .py"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_an_error(
    tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(PluginError, match=words):
        load_plugins([tmp_path / name])


def test_a_caller_adds_things_for_as_long_as_a_block_runs(tmp_path: Path) -> None:
    load_plugins([plugin(tmp_path, "sphere")])
    registry, cube = things(), Thing("cube")
    with adding([cube, object()]):  # type: ignore[list-item]
        assert list(registry) == ["sphere", "cube"] and registry["cube"] is cube
        with adding([Thing("cube")]), pytest.raises(PluginError, match="the caller adds the thing 'cube'"):
            list(registry)
    assert list(registry) == ["sphere"]
    with pytest.raises(ZeroDivisionError), adding([cube]):
        1 / 0  # noqa: B018
    assert list(registry) == ["sphere"]
