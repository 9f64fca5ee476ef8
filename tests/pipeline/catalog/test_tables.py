from __future__ import annotations

from collections.abc import Iterator

import pytest

from alignrec.pipeline.catalog.tables import BATCH_BYTES, BATCH_ROWS, batch_rows, table_of_rows
from alignrec.pipeline.catalog.values import Row
from alignrec.pipeline.errors import CatalogError


def _records() -> Iterator[Row]:
    yield from ({"id": n, **({"odd": str(n)} if n % 2 else {})} for n in range(2500))


def test_rows_become_batches_of_the_columns_asked_for() -> None:
    table = table_of_rows("here", ("id", "odd"), _records)
    batches = list(table.batches(["odd", "id", "odd"], 5))
    assert [batch.schema.names for batch in batches] == [["odd", "id"]] * 3
    assert [batch.num_rows for batch in batches] == [1024, 1024, 447]
    expected = [{"odd": str(n) if n % 2 else None, "id": n} for n in range(5, 2500)]
    assert [row for batch in batches for row in batch.to_pylist()] == expected
    assert list(table.rows(["odd", "id"], 5)) == expected


def test_an_absent_column_is_named_with_its_key() -> None:
    table = table_of_rows("here", ("id", "odd"), _records)
    table.require({"catalog.items.id": "id"})
    expected = (
        "here has no column 'idd', which catalog.items.id names; did you mean 'id'.*It has: .id., .odd."
    )
    with pytest.raises(CatalogError, match=expected):
        table.require({"catalog.items.id": "idd"})


def test_batches_hold_about_as_many_bytes_whatever_a_row_takes() -> None:
    assert batch_rows(0, 10) == batch_rows(10**9, 10**9) == BATCH_ROWS
    assert batch_rows(1000 * BATCH_BYTES, 10_000) == 10
    assert batch_rows(1000 * BATCH_BYTES, 10) == 1


def test_a_name_that_no_utf8_can_hold_is_a_column_like_any_other() -> None:
    table = table_of_rows("here", ("half \ud83d", "b"), lambda: iter([{"half \ud83d": "a", "b": "c"}]))
    assert list(table.rows(["half \ud83d", "b"])) == [{"half \ud83d": "a", "b": "c"}]
