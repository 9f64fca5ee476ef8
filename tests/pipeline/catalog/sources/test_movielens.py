"""MovieLens in the format of each edition, whole, damaged and detected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alignrec.pipeline.catalog.sources.movielens import MOVIELENS
from alignrec.pipeline.catalog.sources.source import Draft
from alignrec.pipeline.catalog.values import Row
from alignrec.pipeline.errors import CatalogError
from tests.pipeline.catalog.tables import interaction_rows, item_rows
from tests.pipeline.catalogues import picture


def _items(scheme: str, path: Path) -> list[Row]:
    return item_rows(f"{scheme}:{path}", path if path.is_dir() else path.parent)


def _interactions(scheme: str, path: Path) -> list[Row]:
    return interaction_rows(f"{scheme}:{path}")


def _movielens(folder: Path, edition: str) -> tuple[Path, Path]:
    flags = "|".join("1" if n in (3, 4, 5) else "0" for n in range(19))
    movies, ratings = {
        "100k": (
            ("u.item", f"1|Toy Story (1995)|01-Jan-1995||http://us.imdb.com/x|{flags}\n".encode("latin-1")),
            ("u.data", b"196\t1\t3\t881250949\n"),
        ),
        "1m": (
            ("movies.dat", "1::Toy Story (1995)::Animation|Children's|Comedy\n".encode("latin-1")),
            ("ratings.dat", b"196::1::3::881250949\n"),
        ),
        "latest": (
            ("movies.csv", b"movieId,title,genres\r\n1,Toy Story (1995),Animation|Children's|Comedy\r\n"),
            ("ratings.csv", b"userId,movieId,rating,timestamp\r\n196,1,3,881250949\r\n"),
        ),
    }[edition]
    folder.mkdir(exist_ok=True)
    for name, content in (movies, ratings):
        (folder / name).write_bytes(content)
    return folder / movies[0], folder / ratings[0]


@pytest.mark.parametrize("edition", ["100k", "1m", "latest"])
def test_movielens_with_a_posters_folder(tmp_path: Path, edition: str) -> None:
    movies, ratings = _movielens(tmp_path / "ml", edition)
    posters = tmp_path / "posters"
    posters.mkdir()
    (item,) = item_rows(f"movielens:{movies}", posters)
    assert item == {
        "item_id": "1",
        "title": "Toy Story",
        "year": "1995",
        "genres": ["Animation", "Children's", "Comedy"],
        "image": None,
    }
    (posters / "1.jpg").write_bytes(picture(1, "JPEG"))
    assert item_rows(f"movielens:{movies}", posters)[0]["image"] == "1.jpg"
    assert _interactions("movielens", ratings) == [
        {"user_id": "196", "item_id": "1", "rating": "3", "timestamp": "881250949"}
    ]


@pytest.mark.parametrize(
    ("read", "name", "content", "expected"),
    [
        (_items, "movies.csv", b"id,title,genres\n1,a,b\n", "line 1: expected the header movieId"),
        (_items, "movies.csv", b"movieId,title,genres\n1,\xe9,b\n", "line 2: not UTF-8"),
        (_items, "movies.dat", b"1::a::b\n2::c\n", "line 2: expected 3 fields"),
        (_interactions, "ratings.csv", b"userId,movieId\n", "line 1: expected the header userId"),
        (_interactions, "u.data", b"1\t2\t3\t4\n1 2 3 4\n", "line 2: expected 4 fields"),
    ],
)
def test_what_is_damaged_is_named_with_its_line(
    tmp_path: Path, read: Callable[[str, Path], list[Row]], name: str, content: bytes, expected: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CatalogError, match=expected):
        read("movielens", tmp_path / name)


def test_a_file_of_another_name_is_not_read(tmp_path: Path) -> None:
    # A name that says nothing of the layout: no line of the file is at fault, and none is read.
    (tmp_path / "films.csv").write_bytes(b"x")
    with pytest.raises(CatalogError, match=r"films\.csv: MovieLens calls this file movies\.csv"):
        _items("movielens", tmp_path / "films.csv")


@pytest.mark.parametrize("edition", ["100k", "1m", "latest"])
def test_movies_are_detected_with_what_lies_beside_them(tmp_path: Path, edition: str) -> None:
    assert MOVIELENS.detect(tmp_path) is None
    movies, ratings = _movielens(tmp_path / "ml", edition)
    interactions = {"path": f"movielens:ml/{ratings.name}", "rating": "rating", "timestamp": "timestamp"}
    interactions |= {"min_rating": 4}
    items = {"path": f"movielens:ml/{movies.name}", "text": "{title} ({year}). {genres}."}
    note = "No pictures were found: image is null, and the run goes by text alone."
    assert MOVIELENS.detect(tmp_path) == Draft(items | {"image": None}, interactions, notes=[note])
    (tmp_path / "posters").mkdir()
    (tmp_path / "posters" / "1.jpg").touch()
    assert MOVIELENS.detect(tmp_path) == Draft(items | {"image_root": "posters"}, interactions)
    ratings.unlink()
    assert MOVIELENS.detect(tmp_path) == Draft(items | {"image_root": "posters"})
