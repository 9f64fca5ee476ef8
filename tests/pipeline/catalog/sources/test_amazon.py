# ruff: noqa: E501  (samples keep the lines they have in the wild)
"""Each edition on a tiny sample in its true format, whole, damaged and detected."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.file_refs import downloaded_name
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.catalog.sources.amazon import AMAZON_2014, AMAZON_2018, AMAZON_2023
from alignrec.pipeline.catalog.sources.source import SOURCES, Draft, Source
from alignrec.pipeline.catalog.values import Row
from alignrec.pipeline.config.catalog import ItemsConfig
from alignrec.pipeline.errors import CatalogError
from tests.pipeline.catalog.tables import interaction_rows, item_rows, write_gzipped
from tests.pipeline.catalogues import picture

CUT = gzip.compress(
    b"".join(json.dumps({"asin": str(n), "x": "y" * n}).encode() + b"\n" for n in range(4000))
)
META_2014 = [
    "{'asin': '0000031852', 'title': \"Girls' Ballet Tutu\", 'price': 3.17, 'imUrl': 'http://ecx.example/51.jpg', "
    "'related': {'also_bought': ['B00JHONN1S']}, 'salesRank': {'Toys & Games': 211836}, 'brand': 'Coxlures', "
    "'categories': [['Sports & Outdoors', 'Other Sports', 'Dance'], ['Sports & Outdoors', 'Clothing']]}",
    "{'asin': 'B0002', 'description': 'Plain &amp; simple', 'categories': [[]]}",
]
REVIEWS_2014 = [
    '{"reviewerID": "A2SUAM1J3GNN3B", "asin": "0000031852", "reviewerName": "J. McDonald", "helpful": [2, 3], '
    '"reviewText": "I bought this", "overall": 5.0, "summary": "Heavenly", "unixReviewTime": 1252800000, '
    '"reviewTime": "09 13, 2009"}'
]
META_2018 = [
    '{"category": ["Clothing", "Girls"], "description": ["This tutu is great", "Really"], "fit": "", '
    '"title": "Tutu &quot;Pink&quot;", "also_buy": [], "brand": "Boutique", "feature": ["Botiquecutie"], '
    '"rank": "1,2", "asin": "0000031909", "imageURL": ["https://images.example/s.jpg"], '
    '"imageURLHighRes": ["https://images.example/l.jpg", "https://images.example/m.jpg"]}',
    '{"category": [], "description": [], "title": "No picture", "asin": "B0003", "imageURL": [], '
    '"imageURLHighRes": []}',
]
REVIEWS_2018 = [
    '{"image": ["https://images.example/r.jpg"], "overall": 4.0, "vote": "2", "verified": true, '
    '"reviewTime": "01 1, 2018", "reviewerID": "AUI6WTTT0QZYS", "asin": "0000031909", '
    '"reviewText": "Nice", "summary": "Nice", "unixReviewTime": 1514764800}'
]
META_2023 = [
    '{"main_category": "All Beauty", "title": "Lotion", "average_rating": 4.8, "rating_number": 10, '
    '"features": ["Soft"], "description": ["A lotion."], "price": null, "images": [{"thumb": "https://m.example/t.jpg", '
    '"large": "https://m.example/v.jpg", "variant": "PT01", "hi_res": "https://m.example/p.jpg"}, '
    '{"thumb": "https://m.example/t.jpg", "large": "https://m.example/main.jpg", "variant": "MAIN", "hi_res": null}], '
    '"videos": [], "store": "Shop", "categories": ["Beauty"], "details": {}, "parent_asin": "B01CUPMQZE", '
    '"bought_together": null}'
]
REVIEWS_2023 = [
    '{"rating": 5.0, "title": "Such a lovely scent", "text": "x", "images": [], "asin": "B00YQ6X8EO", '
    '"parent_asin": "B01CUPMQZE", "user_id": "AGKHLEW2SOWHNMFQIJGBECAF7INQ", "timestamp": 1588687728923, '
    '"helpful_vote": 0, "verified_purchase": true}'
]


def _items(scheme: str, path: Path) -> list[Row]:
    return item_rows(f"{scheme}:{path}", path if path.is_dir() else path.parent)


def _interactions(scheme: str, path: Path) -> list[Row]:
    return interaction_rows(f"{scheme}:{path}")


def test_amazon_2014(tmp_path: Path) -> None:
    first, second = _items("amazon-2014", write_gzipped(tmp_path / "meta_Toys.json.gz", META_2014))
    assert first["item_id"] == "0000031852" and first["title"] == "Girls' Ballet Tutu"
    assert first["categories"] == ["Sports & Outdoors", "Other Sports", "Dance", "Clothing"]
    assert first["image"] == "http://ecx.example/51.jpg" and second["image"] is None
    assert second["description"] == "Plain & simple"
    (review,) = _interactions("amazon-2014", write_gzipped(tmp_path / "reviews_Toys_5.json.gz", REVIEWS_2014))
    assert list(review.values()) == ["A2SUAM1J3GNN3B", "0000031852", 5.0, 1252800000]


def test_amazon_2018(tmp_path: Path) -> None:
    (tmp_path / "B0003.png").write_bytes(picture(1))
    first, second = _items("amazon-2018", write_gzipped(tmp_path / "meta_Fashion.json.gz", META_2018))
    assert first["title"] == 'Tutu "Pink"' and first["image"] == "https://images.example/l.jpg"
    assert first["features"] == ["Botiquecutie"] and first["categories"] == ["Clothing", "Girls"]
    assert second["image"] == "B0003.png"  # the user's own download, named by the item
    (review,) = _interactions("amazon-2018", write_gzipped(tmp_path / "Fashion.json.gz", REVIEWS_2018))
    assert list(review.values()) == ["AUI6WTTT0QZYS", "0000031909", 4.0, 1514764800]


def test_amazon_2023(tmp_path: Path) -> None:
    (item,) = _items("amazon-2023", write_gzipped(tmp_path / "meta_All_Beauty.jsonl.gz", META_2023))
    assert item["item_id"] == "B01CUPMQZE" and item["brand"] == "Shop"
    assert item["image"] == "https://m.example/main.jpg"
    (review,) = _interactions("amazon-2023", write_gzipped(tmp_path / "All_Beauty.jsonl.gz", REVIEWS_2023))
    assert list(review.values()) == ["AGKHLEW2SOWHNMFQIJGBECAF7INQ", "B01CUPMQZE", 5.0, 1588687728]


def test_amazon_2023_with_the_hubs_images(tmp_path: Path) -> None:
    row = json.loads(META_2023[0])
    row["images"] = {key: [image[key] for image in row["images"]] for key in row["images"][0]}
    (item,) = _items("amazon-2023", write_gzipped(tmp_path / "m.jsonl.gz", [json.dumps(row)]))
    assert item["image"] == "https://m.example/main.jpg"


def test_a_downloaded_picture_is_found_by_its_url(tmp_path: Path) -> None:
    path = write_gzipped(tmp_path / "meta.json.gz", META_2018)
    config = ItemsConfig(path=f"amazon-2018:{path}", text="{title}. {categories}. {description}")
    (tmp_path / downloaded_name("https://images.example/l.jpg")).write_bytes(picture(1))
    catalogue = read_catalogue(config, FileHashes())
    assert [one.item_id for one in catalogue.inputs["image"]] == ["0000031909"]
    texts = [one.value for one in catalogue.inputs["text"]]
    assert texts == ['Tutu "Pink". Clothing, Girls. This tutu is great, Really', "No picture"]
    (tmp_path / downloaded_name("https://images.example/l.jpg")).unlink()
    with pytest.raises(CatalogError, match="not one of 2 items has image"):
        read_catalogue(config, FileHashes())


@pytest.mark.parametrize(
    ("read", "name", "content", "expected"),
    [
        (_items, "m.json.gz", CUT[: len(CUT) // 2], r"m\.json\.gz, after line \d+, cannot be read"),
        (_items, "m.json", b'{"asin": "1"}\n{"asin": \n', "line 2: not a JSON object"),
        (_items, "m.json", b"{'asin': '1'}\n{'asin': __import__('os')}\n", "line 2: not a JSON"),
        (
            _items,
            "m.json",
            b'{"asin": "1"}\n{"asin": ' + b"[" * 100_000 + b"\n",
            "line 2: .*nested more than 100",
        ),
        (_items, "m.json", b'{"asin": ' + b"[" * 150 + b"]" * 150 + b"}", "line 1: .*nested more than 100"),
        (_items, "m.json", b'{"asin": ' + b"-" * 50_000 + b"1}", "line 1: "),
        (_items, "m.json", b'{"asin": "1"}\n{"asin": "\xe9"}\n', "line 2: not UTF-8"),
        (_interactions, "r.json", b'{"asin": "1"}\n', "line 1: no 'reviewerID'"),
    ],
)
def test_what_is_damaged_is_named_with_its_line(
    tmp_path: Path, read: Callable[[str, Path], list[Row]], name: str, content: bytes, expected: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CatalogError, match=expected):
        read("amazon-2018", tmp_path / name)


def test_another_edition_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_bytes(b'{"asin": "1"}\n')
    with pytest.raises(CatalogError, match=r"line 1: no 'parent_asin'.*edition"):
        _items("amazon-2023", tmp_path / "m.jsonl")
    with pytest.raises(CatalogError, match="there is no file"):
        _items("amazon-2018", tmp_path / "no.json")


@pytest.mark.parametrize(
    ("source", "metadata", "reviews"),
    [
        (AMAZON_2014, META_2014, REVIEWS_2014),
        (AMAZON_2018, META_2018, REVIEWS_2018),
        (AMAZON_2023, META_2023, REVIEWS_2023),
    ],
    ids=lambda value: value.name if isinstance(value, Source) else "",
)
def test_an_edition_is_detected_by_its_keys(
    tmp_path: Path, source: Source, metadata: list[str], reviews: list[str]
) -> None:
    assert source.detect(tmp_path) is None
    write_gzipped(tmp_path / "meta_X.json.gz", metadata)
    write_gzipped(tmp_path / "X.json.gz", reviews)
    assert source.detect(tmp_path) == Draft(
        {
            "path": f"{source.name}:meta_X.json.gz",
            "text": "{title}. {brand}. {categories}. {description}",
        },
        {"path": f"{source.name}:X.json.gz", "rating": "rating", "timestamp": "timestamp", "min_rating": 4},
        notes=[
            "`alignrec download` fetches pictures to where the metadata are, or into catalog.items.image_root."
        ],
    )
    others = {AMAZON_2014.name, AMAZON_2018.name, AMAZON_2023.name} - {source.name}
    assert [SOURCES[other].detect(tmp_path) for other in others] == [None, None] or source is AMAZON_2018
