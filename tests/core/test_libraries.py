"""Versions as fingerprints and identities have them."""

from __future__ import annotations

import importlib.metadata

import numpy as np
import pytest

from alignrec.core import libraries
from alignrec.core.libraries import is_installed, library_versions, versions_behind


def test_the_mark_of_a_build_is_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "version", {"torch": "2.9.0+cpu", "numpy": "2.3.1"}.__getitem__)
    assert library_versions(["torch", "numpy", "torch"]) == {"numpy": "2.3.1", "torch": "2.9.0"}
    monkeypatch.setattr(libraries, "version", {"torch": "2.9.0+cu128"}.__getitem__)
    assert library_versions(["torch"]) == {"torch": "2.9.0"}


def test_a_module_is_known_by_the_distribution_that_installs_it() -> None:
    assert versions_behind("numpy.linalg") == {"numpy": np.__version__}
    assert versions_behind("PIL.Image") == {"pillow": importlib.metadata.version("pillow")}
    assert versions_behind("json") == {} == versions_behind("no_such_package.module")


def test_what_is_installed() -> None:
    assert is_installed("numpy") and not is_installed("no-such-distribution")
