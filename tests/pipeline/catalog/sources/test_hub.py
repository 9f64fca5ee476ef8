"""A catalogue that lies on the Hub, read through the real client over loopback."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path

import datasets

from alignrec.pipeline.catalog.sources.hub import DATASET
from alignrec.pipeline.catalog.sources.source import SOURCES
from tests.export.hub_cases import client
from tests.hub.client import environment, run_python
from tests.hub.server import HubServer
from tests.pipeline.catalogues import picture

READ = """
import hashlib, sys
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.config.settings import ItemsConfig
from alignrec.pipeline.catalog.file_hashes import FileHashes
catalogue = read_catalogue(ItemsConfig(path=sys.argv[1], text="{title}"), FileHashes())
print(catalogue.item_ids, [item.row for item in catalogue.inputs["image"]])
print([hashlib.sha256(data).hexdigest() for _, data in catalogue.embedded(0, 3)])
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
        absent = run_python(READ, env, "hf:team/nothing")
        assert "the dataset 'team/nothing' cannot be loaded from the Hub" in absent.stderr


def test_the_scheme_of_the_hub_is_a_source_that_no_folder_holds(tmp_path: Path) -> None:
    assert SOURCES["hf"] is DATASET and DATASET.detect(tmp_path) is None
