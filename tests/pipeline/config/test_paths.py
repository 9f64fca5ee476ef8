from __future__ import annotations

from pathlib import Path

import pytest

from alignrec.pipeline.config.paths import make_absolute, named_split, split_scheme
from alignrec.pipeline.config.settings import Config


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("items.csv", ("", "items.csv")),
        ("amazon-2018:meta.json.gz", ("amazon-2018", "meta.json.gz")),
        ("hf:ORG/NAME@main", ("hf", "ORG/NAME@main")),
        ("unheard-of:a:b", ("unheard-of", "a:b")),
        ("/data/odd:name.csv", ("", "/data/odd:name.csv")),
        ("C:/items.csv", ("", "C:/items.csv")),
        ("c:/items.csv", ("", "c:/items.csv")),
        ("mmrec:", ("", "mmrec:")),
    ],
)
def test_a_scheme_is_known_by_its_form(path: str, expected: tuple[str, str]) -> None:
    assert split_scheme(path) == expected


def test_a_file_whose_name_has_the_form_of_a_scheme_is_a_file(tmp_path: Path) -> None:
    assert split_scheme("odd:items.csv", tmp_path) == ("odd", "items.csv")
    (tmp_path / "odd:items.csv").touch()
    assert split_scheme("odd:items.csv", tmp_path) == ("", "odd:items.csv")


def test_every_path_of_a_config_starts_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    (tmp_path / "odd:log.csv").touch()
    config = Config.model_validate(
        {
            "plugins": ["own.py"],
            "catalog": {
                "items": {"path": "amazon-2018:meta.json.gz", "image_root": "images"},
                "interactions": {"path": "odd:log.csv"},
            },
            "split": {"method": "mmrec", "path": "a.inter", "items": "/b.csv", "users": "c.csv"},
            "extract": {"image": "transformers:clip", "text": "packaged:clip"},
        }
    )
    absolute = make_absolute(config, tmp_path)
    assert absolute.catalog.interactions is not None
    assert [
        absolute.out,
        absolute.plugins,
        absolute.catalog.items.path,
        absolute.catalog.items.image_root,
        absolute.catalog.interactions.path,
        absolute.split.path,
        absolute.split.items,
        absolute.split.users,
        absolute.extract.image,
        absolute.extract.text,
    ] == [
        tmp_path / "runs" / "alignrec",
        (tmp_path / "own.py",),
        f"amazon-2018:{tmp_path / 'meta.json.gz'}",
        tmp_path / "images",
        str(tmp_path / "odd:log.csv"),
        tmp_path / "a.inter",
        Path("/b.csv"),
        tmp_path / "c.csv",
        f"transformers:{tmp_path / 'clip'}",
        "packaged:clip",
    ]
    hub = Config.model_validate({"catalog": {"items": {"path": "hf:ORG/NAME"}}})
    assert make_absolute(hub, tmp_path).catalog.items.path == "hf:ORG/NAME"
    store = Config.model_validate({"catalog": {"items": {"path": "a.csv", "image_root": "s3://shop/images"}}})
    assert make_absolute(store, tmp_path).catalog.items.image_root == "s3://shop/images"


def test_what_is_fine_tuned_and_its_teacher_start_from_there_too(tmp_path: Path) -> None:
    for name in ("clip", "beit3"):
        (tmp_path / name).mkdir()
    models = {"image": "beit3:itc:beit3", "text": "beit3:beit3"}
    written = {
        "catalog": {"items": {"path": "x.csv"}},
        "extract": models,
        "finetune": {"teacher": "transformers:clip"},
    }
    config = make_absolute(Config.model_validate(written), tmp_path)
    assert config.finetune is not None
    assert config.finetune.teacher == f"transformers:{tmp_path / 'clip'}"
    assert config.published == f"beit3:{tmp_path / 'beit3'}"
    tuned = tmp_path / "runs" / "alignrec" / "finetune"
    assert config.model_of("image") == f"beit3:itc:{tuned}" and config.model_of("text") == f"beit3:{tuned}"


def test_a_split_is_named_behind_a_folder_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    saved = f"{tmp_path}/saved"
    assert named_split(f"{saved}#a") == (saved, "a")
    assert named_split(saved) == (saved, "") and named_split(f"{saved}#") == (saved, "")
    assert named_split(f"{tmp_path}/none#a") == (f"{tmp_path}/none#a", "")
    (tmp_path / "saved#a").mkdir()
    assert named_split(f"{saved}#a") == (f"{saved}#a", "")
