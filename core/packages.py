"""What a package shows: its modules, and names of theirs, each imported when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any


def public(
    package: str,
    path: Iterable[str],
    names: Mapping[str, str] | None = None,
    hidden: Collection[str] = (),
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """The `__getattr__`, `__dir__` and `__all__` of a package.

    Importing the package imports nothing else, so the command line starts quickly; `dir()` and completion
    still show all there is, and `package.module` works without an import of its own.

    Args:
        package: its `__name__`.
        path: its `__path__`, the folders whose modules it shows.
        names: further names that it gives, each with the module it comes from.
        hidden: modules that it does not show.
    """
    modules = {module.name for module in iter_modules(path)} - set(hidden)
    homes = dict(names or {})

    def get(name: str) -> Any:
        if name in homes:
            return getattr(import_module(homes[name]), name)
        if name in modules:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    shown = sorted(modules | homes.keys())
    return get, lambda: shown, shown
