"""Ids as a catalogue has them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignrec.core.catalogue_ids import as_ids


@given(st.lists(st.text()))
def test_texts_are_as_they_are(ids: list[str]) -> None:
    assert as_ids(ids) is ids
    assert as_ids(np.array(ids, dtype=object)) == as_ids(tuple(ids)) == ids


@given(st.lists(st.integers() | st.text()))
def test_whole_numbers_are_their_digits(ids: list[int | str]) -> None:
    assert as_ids(ids) == [str(value) for value in ids]


def test_a_column_of_any_library_is_read() -> None:
    for column in (np.array([10, 2]), pd.Series([10.0, 2.0]), pa.array([10, 2]), np.array([10, 2], np.uint8)):
        assert as_ids(column) == ["10", "2"]


@pytest.mark.parametrize("value", [None, True, 1.5, float("inf"), float("nan"), b"a", ["a"], pd.NA])
def test_what_is_no_id_is_named_with_its_place(value: object) -> None:
    with pytest.raises(TypeError, match=r"the id at place 1 is .*: expected text, as in the catalogue"):
        as_ids(["a", value])


def test_one_id_is_no_list_of_them() -> None:
    with pytest.raises(TypeError, match="expected a list of ids, got one alone: 'ab'"):
        as_ids("ab")
