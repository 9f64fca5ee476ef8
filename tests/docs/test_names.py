"""Every dotted name of ours in a page or a docstring leads to what is there."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from alignrec.core.plugins import GROUP
from tests.structure.modules import ROOT, modules, tree

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DOTTED = re.compile(r"(?<![\w./-])alignrec(?:\.[A-Za-z_]\w*)+")
# What looks like a module and is none: the config file, and the group of entry points.
OTHER = {"alignrec.yaml", GROUP}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def docstrings(path: Path) -> str:
    nodes = [node for node in ast.walk(tree(path)) if isinstance(node, DOCUMENTED)]
    return "\n".join(ast.get_docstring(node) or "" for node in nodes)


def names() -> dict[str, str]:
    """Each name, and the first file that has it."""
    texts = {page: page.read_text("utf-8") for page in PAGES}
    texts |= {module.path: docstrings(module.path) for module in modules().values()}
    found: dict[str, str] = {}
    for path, text in texts.items():
        for name in DOTTED.findall(text):
            found.setdefault(name, path.relative_to(ROOT).as_posix())
    return {name: where for name, where in found.items() if name not in OTHER}


def resolve(name: str) -> object:
    """The module, class or function of a dotted name."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        module = ".".join(parts[:cut])
        if module in modules():
            thing: object = import_module(module)
            for part in parts[cut:]:
                thing = getattr(thing, part)
            return thing
    raise AttributeError(f"there is no {name}")


@pytest.mark.parametrize(
    "name", [pytest.param(name, id=f"{where}: {name}") for name, where in names().items()]
)
def test_a_name_leads_somewhere(name: str) -> None:
    assert resolve(name) is not None


def test_the_names_are_found() -> None:
    assert {"alignrec.extractors.contract", "alignrec.pipeline.demo.faults"} <= set(names())
    with pytest.raises(AttributeError):
        resolve("alignrec.export.nothing")
