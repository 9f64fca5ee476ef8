from __future__ import annotations

import pytest
from pydantic import ValidationError

from alignrec.pipeline.config.section import Section


class _Shelf(Section):
    books: int = 3


def test_a_section_does_not_change_and_knows_no_other_keys() -> None:
    shelf = _Shelf(books=2)
    with pytest.raises(ValidationError, match="frozen"):
        shelf.books = 4
    assert shelf.books == 2
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        _Shelf.model_validate({"boks": 2})
