"""Pictures below a URL are the inputs that they would be in a folder, read again only if they changed."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import yaml

from alignrec.core.features import FeatureSet
from alignrec.core.files import digest
from alignrec.core.network import NotHereError, offline
from alignrec.export.release.write import write_release
from alignrec.pipeline.catalog import contents
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.items import Catalogue, read_catalogue
from alignrec.pipeline.catalog.object_stores import RemoteFile, RemoteFolder
from alignrec.pipeline.catalog.original_images import item_pictures
from alignrec.pipeline.commands.download import download
from alignrec.pipeline.config.catalog import ItemsConfig
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import CatalogError, InputsChangedError
from alignrec.pipeline.report.gallery import read_entries
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.stages.chain import run, status
from tests.pipeline.catalogues import picture, write_items
from tests.pipeline.object_store import KEY, SECRET, ObjectStore, object_store

URL = "s3://shop/images"
# Its vector is the mean colour of the picture.
PLUGIN = """
import hashlib

import numpy as np
from alignrec.extractors.contract import Backend, Embeddings, Extractor, ExtractorCard
from alignrec.extractors.identity import ExtractorIdentity

NO_WEIGHTS = hashlib.sha256(b"").hexdigest()


class Colours(Extractor):
    batch_size = 4

    def __init__(self, name):
        self.card = ExtractorCard(name, "image", None, NO_WEIGHTS, 3, 3, {}, None)

    def prepare(self, value):
        return np.asarray(value, dtype=np.float32).mean(axis=(0, 1))

    def embed(self, prepared, tokens=False):
        return Embeddings(np.stack(prepared))


def identify(name, modality, sha256):
    return ExtractorIdentity.of_name(name, modality, weights_sha256=NO_WEIGHTS, libraries=["numpy"])


BACKEND = Backend("colours", identify, lambda name, modality, runtime: Colours(name.full))
"""


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    """A bucket with three pictures, one in a folder of its own."""
    with object_store() as store:
        for number, name in enumerate(("a.png", "more/b.png", "c, d.png")):
            store.put("shop", f"images/{name}", picture(number))
        yield store


def _table(folder: Path, *names: str) -> Path:
    return write_items(folder, [{"item_id": f"i{n}", "image": name} for n, name in enumerate(names)])


def _read(table: Path, root: str | Path = URL, hashes: FileHashes | None = None) -> Catalogue:
    config = ItemsConfig(path=str(table), text=None, image_root=root)
    return read_catalogue(config, FileHashes() if hashes is None else hashes)


def test_inputs_are_those_of_the_same_files_in_a_folder(store: ObjectStore, tmp_path: Path) -> None:
    names = ("a.png", "more/b.png", "./more//b.png", "c, d.png", f"{URL}/a.png")
    for key, (data, _) in store.buckets["shop"].items():
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    there = _read(_table(tmp_path, *names))
    here = _read(_table(tmp_path, *names[:-1], "a.png"), tmp_path / "images")
    assert not there.rejections and len(there.inputs["image"]) == len(names)
    assert [(one.item_id, one.digest) for one in there.inputs["image"]] == [
        (one.item_id, one.digest) for one in here.inputs["image"]
    ]
    for one, other in zip(there.inputs["image"], here.inputs["image"], strict=True):
        assert pickle.loads(pickle.dumps(one)).file_bytes() == other.file_bytes()  # noqa: S301


def test_what_cannot_be_used_is_rejected_by_its_item(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("shop", "secret.png", picture(7))
    store.put("shop", "images/closed.png", picture(8))
    store.put("shop", "images/large.png", b"x" * 50_000)
    store.forbidden.add("images/closed.png")
    monkeypatch.setattr(contents, "MAX_BYTES", 40_000)
    outside = ("../secret.png", "more/../../secret.png", "/secret.png", "..", "s3://shop/secret.png")
    others = ("s3://other/images/a.png", "https://example.org/a.png", f"{URL}/../secret.png")
    names = ("a.png", "gone.png", "nowhere/b.png", "more", "closed.png", "large.png", *outside, *others)
    catalogue = _read(_table(tmp_path, *names))
    assert [one.item_id for one in catalogue.inputs["image"]] == ["i0"]
    assert Counter(one.reason for one in catalogue.rejections) == {
        "not-found": 3,
        "unreadable": 1,
        "too-large": 1,
        "outside-root": len(outside) + len(others),
    }
    assert "images/closed.png" not in store.read and "images/large.png" not in store.read
    assert not any("secret" in key for key in store.read)


def test_pictures_are_read_again_only_if_they_changed(store: ObjectStore, tmp_path: Path) -> None:
    table, kept = _table(tmp_path, "a.png", "more/b.png"), tmp_path / "hashes"

    def plan() -> list[str]:
        hashes = FileHashes.read(kept)
        found = [one.digest for one in _read(table, hashes=hashes).inputs["image"]]
        hashes.write(kept)
        return found

    first = plan()
    store.read.clear()
    assert plan() == first and not store.read
    same_size = bytes(reversed(picture(0)))
    store.put("shop", "images/a.png", same_size, changed=1_600_000_001)
    second = plan()
    assert second[0] != first[0] and second[1] == first[1] and set(store.read) == {"images/a.png"}


def test_what_changed_while_the_run_went_on_is_no_input(store: ObjectStore, tmp_path: Path) -> None:
    first, second = _read(_table(tmp_path, "a.png", "more/b.png")).inputs["image"]
    store.put("shop", "images/a.png", picture(9))
    with pytest.raises(InputsChangedError, match=r"s3://shop/images/a\.png changed while the run went on"):
        first.file_bytes()
    del store.buckets["shop"]["images/more/b.png"]
    with pytest.raises(InputsChangedError, match=r"more/b\.png cannot be read any more"):
        second.file_bytes()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("s3://shop/nothing", "there is no folder s3://shop/nothing"),
        ("s3://nobody/images", "there is no folder s3://nobody/images"),
        ("s3:///images", "cannot be opened"),
        ("http://127.0.0.1/images", "`alignrec download`"),
        ("https://example.org", "`alignrec download`"),
        ("file:///etc", "as a path"),
        ("nowhere://images", "[Pp]rotocol not known: nowhere"),
        ("s3://AKIA:hush-hush@shop/images", "no password belongs in a URL"),
    ],
)
def test_a_root_that_cannot_be_read_ends_the_run(
    store: ObjectStore, tmp_path: Path, url: str, says: str
) -> None:
    with pytest.raises(CatalogError, match=says) as error:
        _read(_table(tmp_path, "a.png"), url)
    assert "hush-hush" not in str(error.value)


def test_a_store_that_does_not_answer_ends_the_run_and_no_key_is_shown(
    store: ObjectStore, tmp_path: Path
) -> None:
    item = _read(_table(tmp_path, "a.png")).inputs["image"][0]
    store.away = True
    with pytest.raises(CatalogError, match=r"s3://shop/images/a\.png cannot be read") as error:
        item.file_bytes()
    assert KEY not in str(error.value) and SECRET not in str(error.value)


def test_wrong_keys_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with object_store() as store:
        store.put("locked", "images/a.png", picture(0))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFANOTHER")
        with pytest.raises(CatalogError, match=r"locked/images cannot be read \(.*ACCESS_DENIED") as error:
            _read(_table(tmp_path, "a.png"), "s3://locked/images")
    assert SECRET not in str(error.value)


def test_a_file_system_of_fsspec_serves_too_and_is_read_anew_where_it_tells_no_times(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/pictures/a.png", picture(0))
    try:
        hashes, table, kept = FileHashes(), _table(tmp_path, "a.png", "b.png"), tmp_path / "hashes"
        first = _read(table, "memory://pictures", hashes)
        assert [one.reason for one in first.rejections] == ["not-found"]
        hashes.write(kept)
        memory.pipe("/pictures/a.png", bytes(reversed(picture(0))))
        [again] = _read(table, "memory://pictures", FileHashes.read(kept)).inputs["image"]
        assert first.inputs["image"][0].digest != again.digest
        assert again.file_bytes() == bytes(reversed(picture(0)))
    finally:
        memory.rm("/pictures", recursive=True)


def test_a_scheme_whose_package_is_missing_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacks(*_: Any) -> Any:
        raise ImportError("Install adlfs to access Azure")

    monkeypatch.setattr("fsspec.core.url_to_fs", lacks)
    with pytest.raises(CatalogError, match=r"az://box/images cannot be opened: Install adlfs"):
        _read(_table(tmp_path, "a.png"), "az://box/images")


def test_nothing_is_read_where_all_keeps_to_this_machine(store: ObjectStore, tmp_path: Path) -> None:
    folder = RemoteFolder(URL)
    file = folder.find("a.png")
    with offline():
        for ask in (lambda: file.read(10**6), lambda: folder.find("more/b.png")):
            with pytest.raises(NotHereError, match="nothing is fetched now"):
                ask()
    assert not store.read and isinstance(file, RemoteFile) and file.read(10**6) == picture(0)


def test_the_report_and_a_push_show_the_pictures_of_the_store(store: ObjectStore, tmp_path: Path) -> None:
    config = ItemsConfig(path=str(_table(tmp_path, "a.png", "gone.png")), text=None, image_root=URL)
    there, gone = read_entries(config, ["i0", "i1"], []).items
    assert there.picture is not None and there.picture() == picture(0) and gone.picture is None
    settings = Config.model_validate({"catalog": {"items": config}, "export": {"sets": ["image"]}})
    inputs = read_catalogue(config, FileHashes()).inputs["image"]
    provenance = {"catalogue": {"inputs": {"image": digest([[one.item_id, one.digest] for one in inputs])}}}
    features = FeatureSet("image", ["i0"], np.ones((1, 2), np.float32), np.ones(1, np.bool_))
    write_release(tmp_path / "release", [features], [], provenance, extractors={})
    assert list(item_pictures(settings, tmp_path / "release")) == [("i0", picture(0))]


def test_nothing_is_downloaded_to_a_store(tmp_path: Path) -> None:
    items = ItemsConfig(path=str(_table(tmp_path, "https://example.org/a.png")), text=None, image_root=URL)
    with pytest.raises(CatalogError, match="name a folder to fetch those of URLs into"):
        download(items, Console(quiet=True))


def test_a_run_gives_the_release_of_the_same_pictures_in_a_folder(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(PLUGIN)
    _table(tmp_path, "a.png", "more/b.png", "gone.png")
    for key, (data, _) in store.buckets["shop"].items():
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(data)
    settings = {
        "plugins": ["own.py"],
        "catalog": {"items": {"path": "items.jsonl", "text": None, "image_root": "images"}},
        "extract": {"image": "colours:any", "max_rejected": 0.5},
        "export": {"sets": ["image"]},
    }
    config = tmp_path / "alignrec.yaml"
    config.write_text(yaml.safe_dump(settings))
    quiet = Console(quiet=True)
    releases = [
        run(config, "export", overrides, quiet).stages["export"].summary["release_id"]
        for overrides in (["out=here"], ["out=there", f"catalog.items.image_root={URL}"])
    ]
    assert releases[0] == releases[1]
    there = load_config(config, ["out=there", f"catalog.items.image_root={URL}"])
    assert next(state.state for state in status(there) if state.stage == "extract") == "unknown"
