"""Data inside a page."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from alignrec.pipeline.report.page import embedded_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=4)
)


@given(JSON)
def test_embedded_json_reads_the_same_and_can_close_no_element(value: object) -> None:
    text = embedded_json(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029") & set(text)
