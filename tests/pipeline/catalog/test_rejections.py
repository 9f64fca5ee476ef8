from __future__ import annotations

import pytest

from alignrec.pipeline.catalog.rejections import ABSENT, Rejection, check_limit, counts
from alignrec.pipeline.errors import CatalogError

REJECTIONS = [
    Rejection("items", 3, "extract", "no-id", "the id is None"),
    Rejection("items", 4, "extract", "truncated", "it ends", item_id="a", modality="image"),
    Rejection("items", 5, "extract", "truncated", "it ends", item_id="b", modality="image"),
    Rejection("items", 5, "extract", ABSENT, "no text", item_id="b", modality="text"),
    Rejection("interactions", 1, "extract", "no-user", "{}", item_id="b"),
]
TOTALS = {"items": 20, "interactions": 20}


def test_rejections_are_counted_most_first() -> None:
    assert list(counts(REJECTIONS).items()) == [
        ("items image: truncated", 2),
        ("interactions: no-user", 1),
        ("items text: missing", 1),
        ("items: no-id", 1),
    ]
    assert REJECTIONS[1].as_row() == {
        "source": "items",
        "row": 4,
        "stage": "extract",
        "reason": "truncated",
        "detail": "it ends",
        "item_id": "a",
        "user_id": None,
        "modality": "image",
    }


def test_too_many_stop_a_run_and_absent_ones_do_not_count() -> None:
    check_limit(REJECTIONS, TOTALS, 0.1)
    check_limit([REJECTIONS[3]], TOTALS, 0.0)
    with pytest.raises(CatalogError) as error:
        check_limit(REJECTIONS, TOTALS, 0.05)
    assert str(error.value) == (
        "2 of 20 images of items cannot be used (10.0%: 2 truncated), and extract.max_rejected allows 5.0%. "
        "For example:\n  row 4: it ends\n  row 5: it ends\n"
        "Mend the catalogue or its column names, or raise the limit with -o extract.max_rejected=…"
    )
