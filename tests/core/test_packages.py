"""What a package shows: modules and names, none imported before it is asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from alignrec.core.packages import public


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a package of two modules, on the path."""
    folder = tmp_path / "shelf_of_test_packages"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "book.py").write_text("TITLE = 'Emma'\n")
    (folder / "attic.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return folder.name


def test_modules_and_names_come_when_asked_for(package: str, tmp_path: Path) -> None:
    get, shown, names = public(
        package, [str(tmp_path / package)], {"title": "nowhere", "TITLE": f"{package}.book"}, ["attic"]
    )
    assert shown() == names == ["TITLE", "book", "title"]
    assert f"{package}.book" not in sys.modules
    assert get("TITLE") == "Emma" and get("book") is sys.modules[f"{package}.book"]
    for absent in ("attic", "paper"):
        with pytest.raises(AttributeError, match=f"module '{package}' has no attribute '{absent}'"):
            get(absent)
    with pytest.raises(ModuleNotFoundError):
        get("title")
