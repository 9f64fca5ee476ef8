"""The example of docs/adding-an-extractor.md is short, runs as printed and passes the suite."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from alignrec.extractors.contract import Extractor
from alignrec.extractors.testing import ExtractorSuite

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-an-extractor.md"
SNIPPETS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


class TestDocumented(ExtractorSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def extractor(cls) -> Extractor:
        namespace: dict[str, Any] = {}
        for snippet in SNIPPETS:
            exec(compile(snippet, str(PAGE), "exec"), namespace)
        extractor: Extractor = namespace["extractor"]
        return extractor


def test_the_example_is_under_forty_lines() -> None:
    backend = [line for line in SNIPPETS[0].splitlines() if line.strip()]
    assert len(SNIPPETS) == 2 and len(backend) < 40
