"""Packages: all are installed, say what they hold, show it, and cost nothing before it is asked for."""

from __future__ import annotations

import inspect
import pydoc
import subprocess
import sys
import tomllib
from importlib import import_module

import pytest

import alignrec
from tests.structure.modules import ROOT, modules

PACKAGES = sorted(m.name for m in modules().values() if m.is_package)
# Packages that do not show yet what they hold.
NOT_YET: tuple[str, ...] = ()
SHOWING = [
    pytest.param(name, marks=pytest.mark.xfail(strict=True) if name in NOT_YET else ()) for name in PACKAGES
]


def test_the_packages_that_are_installed_are_the_folders() -> None:
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    assert sorted(setup["packages"]) == PACKAGES
    folders = {m.name.rpartition(".")[0] for m in modules().values() if not m.is_package}
    assert folders <= set(PACKAGES)


@pytest.mark.parametrize("name", SHOWING)
def test_a_package_says_and_shows_what_it_holds(name: str) -> None:
    package = import_module(name)
    assert package.__doc__ and package.__doc__.strip().splitlines()[0].endswith(".")
    assert dir(package) == sorted(package.__all__)
    inside = {m.name.rpartition(".")[2] for m in modules().values() if m.name.rpartition(".")[0] == name}
    if name != "alignrec":
        assert inside <= set(package.__all__)
    assert all(hasattr(package, shown) for shown in package.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = package.nothing


@pytest.mark.parametrize("name", SHOWING)
def test_a_name_of_a_package_is_no_module_of_it(name: str) -> None:
    """Whether `from package import name` gives one or the other would depend on what was imported before."""
    package = import_module(name)
    for shown in package.__all__:
        if f"{name}.{shown}" in modules():
            assert getattr(package, shown) is import_module(f"{name}.{shown}")


def test_help_tells_of_all_that_alignrec_gives() -> None:
    text = pydoc.plaintext.document(alignrec)
    for name in set(alignrec.__all__) - {"__version__"}:
        assert name in text
        assert inspect.getdoc(getattr(alignrec, name))
    assert f"VERSION\n    {alignrec.__version__}" in text


@pytest.mark.parametrize("name", ["alignrec", "alignrec.export", "alignrec.pipeline", "alignrec.extractors"])
def test_importing_a_package_loads_no_library(name: str) -> None:
    check = (
        f"import sys, {name}; print(sorted({{'torch', 'numpy', 'pandas', 'pyarrow'}} & sys.modules.keys()))"
    )
    answer = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
