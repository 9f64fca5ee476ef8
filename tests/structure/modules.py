"""The project's modules and what each imports, read from their source: nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("core", "extractors", "aligner", "export", "pipeline")
FACADE = ROOT / "pipeline" / "package"


@dataclass(frozen=True)
class Module:
    """One file of the project.

    Attributes:
        name: as Python imports it; a package's `__init__.py` has the package's name.
        path: the file.
    """

    name: str
    path: Path

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def parts(self) -> tuple[str, ...]:
        """The path inside the project, `__init__` being the last part of a package's."""
        return (*self.name.split(".")[1:], *(["__init__"] if self.is_package else []))

    @property
    def room(self) -> str:
        return self.parts[0]

    def __str__(self) -> str:
        return ".".join(self.parts)


@cache
def modules() -> dict[str, Module]:
    """Every module by its name."""
    found = [Module("alignrec", FACADE / "__init__.py")]
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if FACADE in path.parents:
                continue
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append(Module(".".join(("alignrec", *(p for p in parts if p != "__init__"))), path))
    return {module.name: module for module in found}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imported(path: Path) -> set[str]:
    """The project's modules that a file imports: at its top, inside functions, for type checkers alike."""
    return {name for name in imported_names(path) if name in modules()}


def imported_names(path: Path) -> set[str]:
    """Everything that a file imports; of `from a import b` both `a.b` and `a`, unless `a.b` is a module."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            base = str(node.module)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                found.add(inner if inner in modules() else base)
        elif isinstance(node, ast.Constant) and node.value in modules() and node.value != "alignrec":
            found.add(node.value)  # imported by its name, as registries and lazy packages do
    return found


@cache
def edges() -> tuple[tuple[Module, Module], ...]:
    """Every pair of importer and imported."""
    known = modules()
    return tuple((m, known[name]) for m in known.values() for name in sorted(imported(m.path)))


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The strongly connected parts of a graph that hold more than one node."""
    reach = {node: set(_reachable(graph, node)) for node in graph}
    parts, taken = [], set()
    for node in sorted(graph):
        if node in taken:
            continue
        part = {other for other in reach[node] if node in reach.get(other, ())}
        if part - {node}:
            parts.append(sorted(part | {node}))
            taken |= part
    return parts


def _reachable(graph: dict[str, set[str]], start: str) -> Iterator[str]:
    seen, waiting = set(), [start]
    while waiting:
        for target in graph.get(waiting.pop(), ()):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
                yield target
