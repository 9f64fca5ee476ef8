"""A catalogue that lies on the Hub, read through the real client over loopback."""

from __future__ import annotations

import hashlib
from dataclasses import astuple
from io import BytesIO
from pathlib import Path
from textwrap import indent

import datasets
import pytest

from alignrec.pipeline.catalog.sources.hub import DATASET, HubName
from alignrec.pipeline.catalog.sources.source import SOURCES
from tests.export.hub_cases import client
from tests.hub.client import environment, run_python
from tests.hub.server import HubServer
from tests.pipeline.catalogues import picture

READ = """
import hashlib, sys
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.config.catalog import ItemsConfig
from alignrec.pipeline.catalog.file_hashes import FileHashes
catalogue = read_catalogue(ItemsConfig(path=sys.argv[1], text="{title}"), FileHashes())
print(list(catalogue.item_ids), [item.row for item in catalogue.inputs["image"]])
print([hashlib.sha256(data).hexdigest() for _, _, data in catalogue.embedded(["image"], 0, 3)])
"""


def _parquet() -> bytes:
    features = datasets.Features(
        {"item_id": datasets.Value("string"), "title": datasets.Value("string"), "image": datasets.Image()}
    )
    images = [{"bytes": picture(0), "path": None}, None, {"bytes": picture(2), "path": None}]
    rows = {"item_id": ["001", "nan", "c"], "title": ["a", "b", "c"], "image": images}
    out = BytesIO()
    datasets.Dataset.from_dict(rows, features=features).to_parquet(out)
    return out.getvalue()


def test_a_hub_dataset_with_an_image_column_is_a_catalogue(tmp_path: Path) -> None:
    with HubServer() as hub:
        client(hub).create_repo("team/catalogue", repo_type="dataset")
        hub.add("team/catalogue", "data/train-00000-of-00001.parquet", _parquet())
        env = environment(hub.url, tmp_path / "hf")
        read = run_python(READ, env, "hf:team/catalogue")
        assert read.stdout.splitlines() == [
            "['001', 'nan', 'c'] [0, 2]",
            str([hashlib.sha256(picture(n)).hexdigest() for n in (0, 2)]),
        ], read.stderr
        # Nothing is asked for what is here, where nothing is to be asked.
        before = len(hub.log)
        quietly = f"from alignrec.core.network import offline\nwith offline():\n{indent(READ, ' ')}"
        again = run_python(quietly, env, "hf:team/catalogue")
        assert (again.stdout, len(hub.log)) == (read.stdout, before), again.stderr
        absent = run_python(READ, env, "hf:team/nothing")
        assert "the dataset 'team/nothing' cannot be loaded from the Hub" in absent.stderr


OPEN = """
import sys
from alignrec.core.errors import AlignRecError
from alignrec.pipeline.catalog.sources.source import open_interactions
for path in sys.argv[1:]:
    try:
        table = open_interactions(path)
        print([row["id"] for row in table.rows(["id"])], *table.notes)
    except AlignRecError as error:
        print(error)
"""
CARD = b"""---
configs:
- config_name: items
  data_files: [{split: train, path: items/a.csv}, {split: test, path: items/b.csv}]
- config_name: log
  data_files: log.csv
---
"""


def test_configurations_and_splits_are_named_or_said(tmp_path: Path) -> None:
    with HubServer() as hub:
        client(hub).create_repo("team/shop", repo_type="dataset")
        tables = {"items/a.csv": b"id\na\nb\n", "items/b.csv": b"id\nc\n", "log.csv": b"id,user\na,u\n"}
        for path, data in (tables | {"README.md": CARD}).items():
            hub.add("team/shop", path, data)
        names = ("/items", "/items#test", "/items@main#train", "/log", "", "/itms", "/items#tset", "/log/x")
        paths = [f"hf:team/shop{name}" for name in names]
        opened = run_python(OPEN, environment(hub.url, tmp_path / "hf"), *paths, "hf:#x")
        hub.add("team/shop", "README.md", CARD.replace(b"config_name: log", b"config_name: default"))
        default = run_python(OPEN, environment(hub.url, tmp_path / "hf"), "hf:team/shop")
    no_config = "the dataset 'team/shop' has no configuration"
    assert opened.stdout.splitlines() == [
        "['a', 'b', 'c'] hf:team/shop/items: all splits are read, train 2, test 1 rows.",
        "['c']",
        "['a', 'b']",
        "['a']",
        "the dataset 'team/shop' cannot be loaded from the Hub as a whole: name one of its configurations, "
        "items, log: hf:team/shop/items",
        f"{no_config} 'itms'; did you mean 'items'?. It has: items, log.",
        "hf:team/shop/items has no split 'tset'; did you mean 'test'?. It has: train, test.",
        f"{no_config} 'log/x'; did you mean 'log'?. It has: items, log.",
        "hf:#x names no dataset: expected hf:ORG/NAME[/CONFIG][@REVISION][#SPLIT]",
    ], opened.stderr
    assert default.stdout.splitlines() == [
        "['a'] hf:team/shop: the configuration default is read; there are items, default."
    ], default.stderr


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("imdb", ("imdb", "", "", "")),
        ("a/b", ("a/b", "", "", "")),
        ("a/b@v1", ("a/b", "", "v1", "")),
        ("a/b/c d@refs/pr/1#train", ("a/b", "c d", "refs/pr/1", "train")),
        ("a/b#test", ("a/b", "", "", "test")),
    ],
)
def test_the_parts_of_a_name(text: str, parts: tuple[str, ...]) -> None:
    name = HubName.parse(text)
    assert astuple(name) == parts and str(name) == f"hf:{text}"


def test_the_scheme_of_the_hub_is_a_source_that_no_folder_holds(tmp_path: Path) -> None:
    assert SOURCES["hf"] is DATASET and DATASET.detect(tmp_path) is None
