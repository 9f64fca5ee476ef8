"""The example of docs/adding-an-extractor.md: the package's own text, short, found as a plugin, good for the
suite."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from alignrec.core import plugins
from alignrec.core.plugins import load_plugins
from alignrec.extractors.contract import Extractor
from alignrec.extractors.registry import BACKENDS, identify_extractor, load_extractor
from alignrec.extractors.testing import ExtractorSuite

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "adding-an-extractor.md"
PACKAGE = ROOT / "examples" / "colour-extractor"
SNIPPETS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module", autouse=True)
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The page's snippets as one file outside the project, loaded as a config's `plugins:` would."""
    file = tmp_path_factory.mktemp("plugin") / "colour.py"
    shutil.copy(PACKAGE / "alignrec_colour.py", file)
    before = dict(plugins._files)
    load_plugins([file])
    yield file
    plugins._files.clear()
    plugins._files.update(before)


class TestDocumented(ExtractorSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def extractor(cls) -> Extractor:
        return load_extractor("colour:histogram", "image", device="cpu")


def test_the_page_shows_the_package_as_it_is() -> None:
    assert "\n\n".join(SNIPPETS) == (PACKAGE / "alignrec_colour.py").read_text("utf-8")
    (shown,) = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert shown == (PACKAGE / "pyproject.toml").read_text("utf-8")


def test_the_example_is_under_forty_lines() -> None:
    backend = [line for line in SNIPPETS[0].splitlines() if line.strip()]
    assert len(SNIPPETS) == 2 and len(backend) < 40


def test_its_identity_is_that_of_its_card() -> None:
    assert list(BACKENDS) == [
        "beit3",
        "signal",
        "open_clip",
        "packaged",
        "given",
        "transformers",
        "vqkd",
        "colour",
    ]
    identity = identify_extractor("colour:histogram", "image")
    card = load_extractor("colour:histogram", "image", device="cpu").card
    assert (identity.scheme, identity.model) == ("colour", "histogram")
    assert (identity.modality, identity.weights_sha256) == (card.modality, card.weights_sha256)
    assert set(identity.libraries) == {"numpy", "pillow"}
