from __future__ import annotations

from dataclasses import asdict

import pytest

from alignrec.pipeline.catalog.rejections import (
    ABSENT,
    Rejection,
    Rejections,
    check_limit,
    counts,
    reasons_with_examples,
)
from alignrec.pipeline.errors import CatalogError

REJECTIONS = Rejections(
    [
        Rejection("items", 3, "extract", "no-id", "the id is None"),
        Rejection("items", 4, "extract", "truncated", "it ends", item_id="a", modality="image"),
        Rejection("items", 5, "extract", "truncated", "it ends", item_id="b", modality="image"),
        Rejection("items", 5, "extract", ABSENT, "no text", item_id="b", modality="text"),
        Rejection("interactions", 1, "extract", "no-user", "{}", item_id="b"),
    ]
)
TOTALS = {"items": 20, "interactions": 20}


def test_rejections_are_counted_most_first() -> None:
    assert list(counts(REJECTIONS).items()) == [
        ("items image: truncated", 2),
        ("interactions: no-user", 1),
        ("items text: missing", 1),
        ("items: no-id", 1),
    ]
    assert asdict(REJECTIONS[1]) == {
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
    check_limit(Rejections([REJECTIONS[3]]), TOTALS, 0.0)
    with pytest.raises(CatalogError) as error:
        check_limit(REJECTIONS, TOTALS, 0.05)
    assert str(error.value) == (
        "2 of 20 images of items cannot be used (10.0%: 2 truncated), and extract.max_rejected allows 5.0%. "
        "For example:\n  row 4: it ends\n  row 5: it ends\n"
        "Mend the catalogue or its column names, or raise the limit: -o extract.max_rejected=… of a run, "
        "--max-rejected of encode and extend"
    )


def test_rejections_are_a_sequence_that_sorts_by_source_and_row() -> None:
    found = Rejections()
    found.extend(Rejections(reversed(REJECTIONS)))
    assert list(found) == list(REJECTIONS)[::-1]
    assert (len(found), found[-1], list(found[1:3])) == (5, REJECTIONS[0], [REJECTIONS[3], REJECTIONS[2]])
    assert list(found.sorted()) == [REJECTIONS[4], *list(REJECTIONS)[:4]]
    assert found != REJECTIONS and found.sorted().sorted() == found.sorted()


def test_reasons_have_counts_and_a_short_example() -> None:
    long = Rejections([Rejection("items", 1, "extract", "gone", "x" * 500, modality="image"), *REJECTIONS])
    assert reasons_with_examples(long, "image") == (
        "\n  2 × truncated, such as row 4: it ends\n  1 × gone, such as row 1: " + "x" * 78 + "..." + "x" * 79
    )
    assert reasons_with_examples(long).count("\n") == 5
