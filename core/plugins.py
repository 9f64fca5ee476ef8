"""What can be added without touching this project: things of one kind, found by name.

A registry holds our own, one module each in the kind's folder, then those of installed packages (entry points
of the group `alignrec.plugins`, each naming a module) and those of plugin files that a config names. A module
adds what it holds at its top level: any object of the registry's type, whatever it is called there. Last come
things that a caller holds in memory, while `adding` them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar

from alignrec.core.errors import AlignRecError, suggest
from alignrec.core.files import sha256_file

GROUP = "alignrec.plugins"


class PluginError(AlignRecError):
    """A plugin cannot be loaded, or calls something by a name that is taken."""


class Named(Protocol):
    """Anything that a registry can hold."""

    @property
    def name(self) -> str:
        """What it is called in a config, on the command line and in a result."""


T = TypeVar("T", bound=Named)
_files: dict[Path, ModuleType] = {}
_added: list[Any] = []


class Registry(Mapping[str, T], Generic[T]):
    """Everything of one kind, by name: ours in their modules' order, then those of plugins.

    Args:
        kind: the type of what is held.
        what: the kind in words, for messages: `export format`.
        package: the package whose modules hold ours; imported when the registry is first asked.
    """

    def __init__(self, kind: type[T], what: str, package: str) -> None:
        """Name the kind; nothing is imported yet."""
        self.kind, self.what, self.package = kind, what, package

    def find(self, name: str) -> T:
        """The thing of that name.

        Raises:
            PluginError: there is none; the message names the nearest.
        """
        held = self._held()
        if name not in held:
            raise PluginError(f"there is no {self.what} {name!r}; {suggest(name, held)}")
        return held[name]

    def __getitem__(self, name: str) -> T:
        """The thing of that name; KeyError where there is none."""
        return self._held()[name]

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._held())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._held())

    def _held(self) -> dict[str, T]:
        held: dict[str, T] = {}
        modules = (*_own_modules(self.package), *_installed(), *_files.values())
        found = [(module.__name__, thing) for module in modules for thing in _things(module, self.kind)]
        found += [("the caller", thing) for thing in _added if isinstance(thing, self.kind)]
        for where, thing in found:
            if held.setdefault(thing.name, thing) is not thing:
                raise PluginError(
                    f"{where} adds the {self.what} {thing.name!r}, a name that is taken already"
                )
        return held


@contextmanager
def adding(things: Iterable[Named]) -> Iterator[None]:
    """Let registries find things that a caller holds, each the registry of its type, while the block runs."""
    given = list(things)
    _added.extend(given)
    try:
        yield
    finally:
        for thing in given:
            _added.remove(thing)


def load_plugins(files: Iterable[Path]) -> None:
    """Run plugin files, each once, so that registries find what they hold.

    Raises:
        PluginError: a file is not there, or fails.
    """
    for file in files:
        path = file.resolve()
        if path in _files:
            continue
        if not path.is_file():
            raise PluginError(f"there is no plugin file {file}")
        name = f"alignrec_plugin_{path.stem}_{sha256_file(path)[:8]}"
        spec = spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise PluginError(f"the plugin {file} is no Python file: expected a name that ends in .py")
        module = module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[name]
            raise PluginError(f"the plugin {file} fails: {type(error).__name__}: {error}") from error
        _files[path] = module


def _things(module: ModuleType, kind: type[T]) -> list[T]:
    """What a module holds of a kind, each thing once."""
    values: dict[int, Any] = {id(v): v for v in vars(module).values() if isinstance(v, kind)}
    return list(values.values())


@cache
def _own_modules(package: str) -> tuple[ModuleType, ...]:
    folder = import_module(package)
    return tuple(import_module(f"{package}.{module.name}") for module in iter_modules(folder.__path__))


@cache
def _installed() -> tuple[ModuleType, ...]:
    """The modules that installed packages name.

    Raises:
        PluginError: one fails.
    """
    modules = []
    for point in entry_points(group=GROUP):
        try:
            modules.append(import_module(point.value))
        except Exception as error:
            raise PluginError(
                f"the plugin {point.value} of an installed package fails: {type(error).__name__}: {error}"
            ) from error
    return tuple(modules)
