from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignrec.pipeline.catalog.rankings import RankedIds, read_rankings
from alignrec.pipeline.errors import CatalogError


def lists(found: RankedIds) -> dict[str, list[str]]:
    order = sorted(range(len(found.user)), key=lambda row: found.order[row])
    named: dict[str, list[str]] = {}
    for row in order:
        named.setdefault(found.user[row].as_py(), []).append(found.item[row].as_py())
    return named


def write(folder: Path, content: str, name: str = "lists.csv") -> Path:
    path = folder / name
    path.write_text(content)
    return path


@pytest.mark.parametrize("separator", ["\t", ","])
def test_lists_of_mmrec_are_numbers(tmp_path: Path, separator: str) -> None:
    text = "id\ttop_0\ttop_1\n0\t7\t3\n1\t2\t7\n".replace("\t", separator)
    found = read_rankings(write(tmp_path, text))
    assert found.dense and lists(found) == {"0": ["7", "3"], "1": ["2", "7"]}


def test_a_file_as_mmrec_names_and_writes_it(tmp_path: Path) -> None:
    """Fifty places, tabs under a name that says commas, users in the order of its test part."""
    rows = [["id", *(f"top_{place}" for place in range(50))]]
    rows += [[user, *(str(first + place) for place in range(50))] for user, first in (("3", 7), ("0", 11))]
    text = "".join("\t".join(row) + "\n" for row in rows)
    found = read_rankings(write(tmp_path, text, "FREEDOM-shop-idx0-top50-Nov-27-2026-14-32-01.csv"))
    wanted = {"3": range(7, 57), "0": range(11, 61)}
    assert found.dense and lists(found) == {user: [str(item) for item in row] for user, row in wanted.items()}


def test_lists_by_ids_may_end_early(tmp_path: Path) -> None:
    found = read_rankings(write(tmp_path, "top_1,user_id,top_0\nb,ann,a\n,bob,c\n"))
    assert not found.dense and lists(found) == {"ann": ["a", "b"], "bob": ["c"]}


def test_an_item_a_row_by_rank_or_score(tmp_path: Path) -> None:
    ranks = read_rankings(write(tmp_path, "user_id,item_id,rank\n007,b,2\n007,a,1\n"))
    assert lists(ranks) == {"007": ["a", "b"]}
    scores = "user_id:token\titem_id:token\tscore:float\nu\ta\t0.1\nu\tb\t7.5\nu\tc\t-3\n"
    assert lists(read_rankings(write(tmp_path, scores, "lists.tsv"))) == {"u": ["b", "a", "c"]}


def test_other_formats_of_tables_serve_too(tmp_path: Path) -> None:
    path = tmp_path / "lists.parquet"
    pq.write_table(pa.table({"user_id": [1, 1], "item_id": [5, 6], "score": [0.0, 1.0]}), path)
    assert lists(read_rankings(path)) == {"1": ["6", "5"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", r"holds no lists: it has the columns 'a', 'b'\. Expected the columns id, top_0"),
        ("user_id,item_id\n1,2\n", "holds no lists: it has the columns 'user_id', 'item_id'"),
        ("id,top_0,top_2\n1,2,3\n", "of the columns top_0 to top_2 some are missing"),
        ("user_id,item_id,rank\n", "it has no rows"),
        (
            "user_id,item_id,rank\nu,a,first\n",
            "1 values that are no finite numbers, such as that of user 'u'",
        ),
        ("user_id,item_id,rank\nu,,1\n", "column 'item_id' has 1 rows without an id"),
        ("id,top_0\n,3\n", "column 'id' has 1 rows without an id"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(CatalogError, match=message):
        read_rankings(write(tmp_path, content))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="there is no table"):
        read_rankings(tmp_path / "none.csv")
