"""Numbers of alignment as they are written, and as they are read again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignrec.core.cross_view import CrossView, Direction
from alignrec.core.documents import DocumentError

FORTH = Direction(
    given="image",
    wanted="text",
    items=40,
    explained=0.25,
    found_1=0.1,
    found_10=0.5,
    median_rank=9.5,
    sure=True,
)


def test_forms_are_written_where_they_were_measured() -> None:
    alone = CrossView(sentence="so", directions=[FORTH])
    assert "forms" not in alone.record()
    whole = alone.model_copy(update={"forms": {"multimodal in linear form": [FORTH]}})
    assert CrossView.parse(json.loads(json.dumps(whole.record()))) == whole
    with pytest.raises(DocumentError, match=r"alignment\.forms"):
        CrossView.parse(whole.record() | {"forms": [3]})


def test_chance_goes_by_the_number_of_items() -> None:
    assert (FORTH.chance_1, FORTH.chance_10, FORTH.chance_rank) == (0.025, 0.25, 20.5)
    assert FORTH.model_copy(update={"items": 4}).chance_10 == 1


@given(
    st.lists(
        st.builds(
            Direction,
            given=st.text(min_size=1, max_size=20),
            wanted=st.just("text"),
            items=st.integers(1, 10**9),
            explained=st.floats(-1e3, 1),
            found_1=st.floats(0, 1),
            found_10=st.floats(0, 1),
            median_rank=st.floats(1, 1e9),
            sure=st.booleans(),
        ),
        max_size=3,
    )
)
def test_what_is_written_is_read_back_to_six_places(directions: list[Direction]) -> None:
    whole = CrossView(sentence="so", directions=directions)
    again = CrossView.parse(json.loads(json.dumps(whole.record())))
    assert again.sentence == "so" and CrossView.parse(again.record()) == again
    for found, given_one in zip(again.directions, directions, strict=True):
        assert found.explained == pytest.approx(given_one.explained, abs=1e-6)
        assert found.given == given_one.given and found.sure == given_one.sure


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ([], "alignment"),
        ({"sentence": "so"}, "alignment.directions"),
        ({"sentence": 3, "directions": []}, "alignment.sentence"),
        ({"sentence": "so", "directions": [{}]}, "alignment.directions.0.given"),
        *(
            ({"sentence": "so", "directions": [FORTH.model_dump() | {key: wrong}]}, f"directions.0.{key}")
            for key, wrong in (
                ("items", 0),
                ("items", 2.5),
                ("explained", 1.5),
                ("explained", float("nan")),
                ("found_1", -0.1),
                ("found_10", "0.1"),
                ("median_rank", 0.0),
                ("sure", 1),
                ("given", "x" * 300),
            )
        ),
    ],
)
def test_what_is_not_of_that_form_is_named(value: Any, place: str) -> None:
    with pytest.raises(DocumentError, match=place.replace(".", r"\.")) as caught:
        CrossView.parse(value)
    assert len(str(caught.value)) < 600
