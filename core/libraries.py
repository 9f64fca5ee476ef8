"""Versions of the libraries that decide bytes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version


def library_versions(distributions: Iterable[str]) -> dict[str, str]:
    """Versions of installed distributions, without the mark of a build (`+cpu`), which is the machine's."""
    return {name: version(name).partition("+")[0] for name in sorted(set(distributions))}


def is_installed(distribution: str) -> bool:
    """Whether a distribution is installed."""
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def versions_behind(module: str) -> dict[str, str]:
    """Versions of the distributions that a module is installed by; empty where no distribution has it.

    Args:
        module: its dotted name; what counts is the package at its top.
    """
    return library_versions(_distributions().get(module.partition(".")[0], ()))


@cache
def _distributions() -> dict[str, list[str]]:
    """Distributions by the packages that they install; looked up once, as every list of files is read."""
    return dict(packages_distributions())
