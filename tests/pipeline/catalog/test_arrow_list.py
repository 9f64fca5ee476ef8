"""Lists held as Arrow columns behave as the plain lists that they stand for."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignrec.pipeline.catalog import arrow_list
from alignrec.pipeline.catalog.arrow_list import ArrowList

Pair = tuple[str, int | None]


class Pairs(ArrowList[Pair]):
    """A word and perhaps a number."""

    schema = pa.schema([pa.field("word", pa.string()), pa.field("number", pa.int64())])

    @staticmethod
    def to_cells(record: Pair) -> Sequence[Any]:
        return record

    @staticmethod
    def from_cells(*cells: Any) -> Pair:
        word, number = cells
        return word, number


PAIRS = st.lists(st.tuples(st.text(max_size=3), st.none() | st.integers(-9, 9)), max_size=12)
CUTS = st.none() | st.integers(-14, 14)


@settings(deadline=None, max_examples=60)
@given(PAIRS, PAIRS, CUTS, CUTS, st.none() | st.sampled_from([-2, -1, 1, 3]), st.integers(1, 5))
def test_a_list_is_the_plain_list_that_it_stands_for(
    first: list[Pair], second: list[Pair], start: int | None, stop: int | None, step: int | None, at_once: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrow_list, "_AT_ONCE", at_once)
        found, plain = Pairs(first), first + second
        found.extend(Pairs(second))
        assert found == plain and list(found) == plain and len(found) == len(plain)
        assert (found == Pairs(plain[1:])) is (plain == plain[1:])
        part = found[start:stop:step]
        assert isinstance(part, Pairs) and part == plain[start:stop:step]
        assert pickle.loads(pickle.dumps(part)) == part  # noqa: S301
        part.append(("more", 1))
        assert found == plain
        for place in range(-len(plain), len(plain)):
            assert found[place] == plain[place]
        with pytest.raises(IndexError):
            found[len(plain)]


def test_a_slice_is_no_copy_and_pickles_without_the_rest() -> None:
    found = Pairs((str(number) * 50, number) for number in range(10_000))
    before = pa.total_allocated_bytes()
    parts = [found[start : start + 100] for start in range(0, 10_000, 100)]
    assert pa.total_allocated_bytes() - before < 1_000_000 < found.table.nbytes
    assert len(pickle.dumps(parts[3])) < 2 * parts[3].table.nbytes + 2_000 < len(pickle.dumps(found)) / 10


def test_lists_of_different_kinds_are_not_equal() -> None:
    class Others(Pairs):
        pass

    assert Pairs([("a", 1)]) != Others([("a", 1)])
    with pytest.raises(TypeError, match="unhashable"):
        hash(Pairs())
