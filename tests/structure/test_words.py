"""Plain names; and modalities by their type, not by literals."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.structure.modules import ROOT, modules, tree

# Words that say nothing of what they name.
VAGUE = {"said", "told", "made", "near"}
# `of` is a plain name of a constructor (`Thing.of(other)`), and none of a value.
VAGUE_VALUES = {"of"}
# Names that were changed for plainer ones.
OLD = {
    *("Before", "Work", "Side", "Sides", "Announced", "judge", "judged", "judged_file", "whole_table"),
    *("hub_record", "hub_source", "likeness"),
}

MODALITIES = {"image", "text", "audio"}
# Where these words are written as they are, how often, and why.
DECLARED: dict[str, int] = {
    "core.vocabulary": 3,  # where the kinds of content are declared
    "pipeline.catalog.sources.amazon": 1,  # a key of that catalogue's own metadata
    "pipeline.commands.detect.roles": 3,  # names that columns have in other people's tables
    "pipeline.config.reference": 1,  # the English word for a string
    "pipeline.report.write": 1,  # a key that the page's script reads: the words of an item
}


def _named(path: Path) -> Iterator[tuple[str, int, bool]]:
    """Every name that a file gives or uses: the name, its line, and whether it is a value's."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Name):
            yield node.id, node.lineno, True
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno, True
        elif isinstance(node, ast.Attribute):
            yield node.attr, node.lineno, False
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, node.lineno, False
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg, node.value.lineno, True
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname, node.lineno, True


def _vague(path: Path, words: set[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for name, line, is_value in _named(path)
        if name in words or (is_value and name in VAGUE_VALUES)
    ]


def _all(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def test_names_of_the_project_say_what_they_name() -> None:
    vague = [line for m in modules().values() for line in _vague(m.path, VAGUE | OLD)]
    assert vague == []


@pytest.mark.parametrize("folder", ["benchmarks", "docs", "tests"])
def test_names_beside_it_do_too(folder: str) -> None:
    vague = [line for path in _all(folder) for line in _vague(path, VAGUE)]
    assert vague == []


def test_modalities_are_written_where_they_are_declared() -> None:
    written = Counter(
        str(module)
        for module in modules().values()
        for node in ast.walk(tree(module.path))
        if isinstance(node, ast.Constant) and node.value in MODALITIES
    )
    assert written == DECLARED
