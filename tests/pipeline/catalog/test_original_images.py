from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alignrec.core.features import FeatureSet
from alignrec.core.files import digest
from alignrec.export.release.write import write_release
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.catalog.original_images import item_pictures
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import CatalogError, ConfigError
from tests.pipeline.catalogues import picture, write_catalogue


def _release(config: Config, folder: Path) -> Path:
    """A release that says it was made of the catalogue's pictures, of which the second was damaged."""
    inputs = read_catalogue(config.catalog.items, FileHashes()).inputs["image"]
    provenance = {"catalogue": {"inputs": {"image": digest([[i.item_id, i.digest] for i in inputs])}}}
    features = FeatureSet("image", ["i0"], np.ones((1, 2), np.float32), np.ones(1, np.bool_))
    rejected = {"source": "items", "row": 1, "item_id": "i1", "user_id": None, "modality": "image"}
    rows = [rejected | {"stage": "extract", "reason": "truncated"}]
    write_release(folder, [features], rows, provenance, extractors={})
    return folder


def test_the_pictures_that_a_model_could_read_are_given(tmp_path: Path) -> None:
    config = load_config(write_catalogue(tmp_path, items=3))
    release = _release(config, tmp_path / "release")
    assert list(item_pictures(config, release)) == [("i0", picture(0)), ("i2", picture(2))]
    (tmp_path / "images" / "2.png").write_bytes(picture(9))
    with pytest.raises(CatalogError, match=r"are not those that .*release was made of"):
        list(item_pictures(config, release))
    with pytest.raises(ConfigError, match="there are no pictures to take along"):
        list(
            item_pictures(
                load_config(tmp_path / "alignrec.yaml", ["catalog.items.image=null", "export.sets=[text]"]),
                release,
            )
        )
