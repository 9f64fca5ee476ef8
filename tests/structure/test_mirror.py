"""Tests lie where what they test lies: tests/ROOM/FOLDER/test_MODULE.py imports its module.

Where several modules are one thing that only works as a whole, one suite tests it, and is named here.
"""

from __future__ import annotations

from tests.structure.modules import ROOT, Module, imported, modules

# Suites that cover several modules of their own folder, and why.
SHARED: dict[str, str] = {
    "tests/aligner/pretrain/test_pretraining.py": "an encoder's parts are right if the whole learns",
    "tests/extractors/backends/test_backends.py": "every backend passes the suite for extractors",
    "tests/pipeline/demo/test_demo.py": "the demo's pictures, texts, sounds and faults are one catalogue",
}


def _own_test(module: Module) -> str:
    return "/".join(("tests", *module.parts[:-1], f"test_{module.parts[-1]}.py"))


def _is_imported(module: Module, test: str) -> bool:
    path = ROOT / test
    return path.is_file() and module.name in imported(path)


def test_every_module_has_its_test() -> None:
    """Packages say and show what they hold, which tests/structure/test_packages.py looks at."""
    without = {
        str(module)
        for module in modules().values()
        if not module.is_package
        and not _is_imported(module, _own_test(module))
        and not any(_is_imported(module, suite) for suite in SHARED)
    }
    assert sorted(without) == []


def test_no_suite_is_named_that_is_gone() -> None:
    assert [suite for suite in SHARED if not (ROOT / suite).is_file()] == []
