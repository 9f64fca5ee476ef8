"""New items: encoded as the release would have, and appended to it without touching what it had."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner, Result

from alignrec.aligner.errors import EncoderError
from alignrec.core.plugins import adding
from alignrec.export import Manifest, RefusedError, load_features, verify_folder
from alignrec.export.errors import ReleaseError, VerificationError
from alignrec.export.release.opened import open_folder
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.commands.encode import encode
from alignrec.pipeline.commands.released_models import EXTRACTORS
from alignrec.pipeline.config.catalog import ItemsConfig
from alignrec.pipeline.engines.base import Timing, Unit
from alignrec.pipeline.engines.local import LocalEngine
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.stages.chain import run
from tests.export.release.cases import make_release, make_set, reseal
from tests.extractors import models
from tests.pipeline.catalogues import picture, write_catalogue, write_items

SETS = ["image", "text", "multimodal", "content", "aligned"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of 28 items; the same items and two more in new.jsonl."""
    folder = tmp_path_factory.mktemp("shop")
    config = write_catalogue(folder, items=30, users=12)
    lines = (folder / "items.jsonl").read_text().splitlines(keepends=True)
    (folder / "new.jsonl").write_text("".join(lines[26:]))
    (folder / "items.jsonl").write_text("".join(lines[:28]))
    settings = yaml.safe_load(config.read_text())
    settings["export"] = {"sets": SETS, "license": "mit"}
    settings["train"] = {"epochs": 1}
    config.write_text(yaml.safe_dump(settings))
    run(config, console=Console(quiet=True))
    return folder


def call(command: str, shop: Path, out: Path, *more: str, release: Path | None = None) -> Result:
    source = release or shop / "run" / "release"
    arguments = [command, str(shop / "new.jsonl"), "--release", str(source), "--out", str(out), *more]
    return CliRunner().invoke(app, arguments)


def test_encoded_vectors_are_those_of_the_release(shop: Path, tmp_path: Path) -> None:
    ended = call("encode", shop, tmp_path / "e", "--json")
    assert ended.exit_code == 0, ended.exception
    assert json.loads(ended.stdout.splitlines()[-1])["items"] == 4
    for name in ("image", "text", "multimodal"):
        new = load_features(tmp_path / "e" / "release", name)
        assert list(new.ids) == ["i26", "i27", "i28", "i29"] and new.valid.all()
        old, _ = load_features(shop / "run" / "release", name).align_to(["i26", "i27"])
        np.testing.assert_allclose(new.align_to(["i26", "i27"])[0], old, atol=1e-5)
    assert load_features(tmp_path / "e" / "release", "aligned").origin == ["content"] * 4


def test_extractors_run_where_the_engine_is(shop: Path, tmp_path: Path) -> None:
    ran: list[Unit] = []

    class Elsewhere(LocalEngine):
        name = "elsewhere"

        def run(self, units: Sequence[Unit], **options: Any) -> Timing:
            ran.extend(units)
            return super().run(units, **options)

    with adding([Elsewhere()]):
        ended = call("encode", shop, tmp_path / "e", "--engine", "elsewhere")
    assert ended.exit_code == 0 and {unit.model.modality.name for unit in ran} == {"image", "text"}
    wrong = call("extend", shop, tmp_path / "x", "--engine", "rey")
    assert wrong.exit_code != 0 and "did you mean 'ray'" in str(wrong.exception)


def test_the_columns_of_the_releases_catalogue_are_remembered(shop: Path, tmp_path: Path) -> None:
    """By name a table has them without a word; what the command line names goes before."""
    release = tmp_path / "release"
    shutil.copytree(shop / "run" / "release", release)
    manifest = Manifest.read(release)
    catalogue = manifest.provenance["catalogue"]
    assert catalogue["columns"] == {"id": "item_id", "image": "image"}
    columns = {"id": "sku", "image": "photo"}
    provenance = manifest.provenance | {"catalogue": catalogue | {"columns": columns}}
    renamed = manifest.model_copy(update={"provenance": provenance})
    (release / "manifest.json").write_bytes(renamed.to_bytes())
    rows = [json.loads(line) for line in (shop / "new.jsonl").read_text().splitlines()]
    there = [{"item_id": "sku", "image": "photo"}.get(key, key) for key in rows[0]]
    table = write_items(tmp_path, [dict(zip(there, row.values(), strict=True)) for row in rows])
    arguments = ["--release", str(release), "--image-root", str(shop), "--out"]
    ended = CliRunner().invoke(app, ["encode", str(table), *arguments, str(tmp_path / "e")])
    assert ended.exit_code == 0, ended.exception
    found = load_features(tmp_path / "e" / "release", "image")
    assert list(found.ids) == ["i26", "i27", "i28", "i29"] and found.valid.all()
    named = ["--id", "title", "--image", "photo"]
    ended = CliRunner().invoke(app, ["encode", str(table), *arguments, str(tmp_path / "n"), *named])
    assert ended.exit_code == 0, ended.exception
    assert load_features(tmp_path / "n" / "release", "image").ids[0] == "thing 26"


def test_an_extended_release_keeps_every_byte_it_had(shop: Path, tmp_path: Path) -> None:
    ended = call("extend", shop, tmp_path / "x", "--json")
    assert ended.exit_code == 0, ended.exception
    answer = json.loads(ended.stdout.splitlines()[-1])
    assert (answer["added"], answer["there"]) == (2, 2)
    old, new = shop / "run" / "release", tmp_path / "x" / "release"
    before, after = Manifest.read(old), verify_folder(new)
    assert set(before.files) <= set(after.files)
    assert {e.path for e in set(after.files) - set(before.files)} == {
        "data/rejected-00001.parquet",
        *(f"data/{name}/part-00001.parquet" for name in SETS),
    }
    assert after.provenance["extends"] == [before.release_id]
    aligned = load_features(new, "aligned")
    assert len(aligned.ids) == 30 and aligned.origin is not None
    assert aligned.origin[-2:] == ["content", "content"]
    again = call("extend", shop, tmp_path / "y", release=new)
    assert isinstance(again.exception, ReleaseError) and "no new item" in str(again.exception)


@pytest.mark.parametrize("command", ["encode", "extend"])
def test_other_weights_are_refused(shop: Path, tmp_path: Path, command: str) -> None:
    release = copied(shop, tmp_path)
    change_card(release, "text", weights_sha256="0" * 64)
    ended = call(command, shop, tmp_path / "z", release=release)
    assert isinstance(ended.exception, RefusedError) and "weights_sha256 differ" in str(ended.exception)
    assert not (tmp_path / "z" / "release").exists()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of texts alone, by a model in a folder; other/ has one of other weights."""
    folder = tmp_path_factory.mktemp("local")
    config = write_catalogue(folder, items=8)
    settings = yaml.safe_load(config.read_text())
    settings["catalog"] = {"items": settings["catalog"]["items"] | {"image": None}}
    settings["extract"] = {"text": f"transformers:{models.bert(folder / 'bert')}", "device": "cpu"}
    settings["export"] = {"sets": ["text"], "license": "mit"}
    config.write_text(yaml.safe_dump(settings))
    (folder / "items.jsonl").rename(folder / "all.jsonl")
    lines = (folder / "all.jsonl").read_text().splitlines(keepends=True)
    (folder / "items.jsonl").write_text("".join(lines[:6]))
    (folder / "new.jsonl").write_text("".join(lines[6:]))
    run(config, console=Console(quiet=True))
    weights = shutil.copytree(folder / "bert", folder / "other") / "model.safetensors"
    save_file({name: t + 0.1 for name, t in load_file(weights).items()}, weights, {"format": "pt"})
    return folder


@pytest.mark.parametrize("command", ["encode", "extend"])
def test_a_model_in_a_folder_is_the_callers_to_name(
    local: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(local)  # where a folder has the name that the release has
    ended = call(command, local, tmp_path / "a")
    assert isinstance(ended.exception, RefusedError)
    assert "--extractor text=transformers:PATH" in str(ended.exception)
    ended = call(command, local, tmp_path / "b", "--extractor", f"text=transformers:{local / 'other'}")
    assert isinstance(ended.exception, RefusedError) and "weights_sha256 differ" in str(ended.exception)
    ended = call(command, local, tmp_path / "c", "--extractor", f"text=transformers:{local / 'bert'}")
    assert ended.exit_code == 0, ended.exception
    assert {"i6", "i7"} <= set(load_features(tmp_path / "c" / "release", "text").ids)
    assert not any((tmp_path / name / "release").exists() for name in "ab")


def test_the_releases_own_cards_come_along(local: Path, tmp_path: Path) -> None:
    release = open_folder(local / "run" / "release")
    items = ItemsConfig(path=str(local / "new.jsonl"))
    own = {"text": f"transformers:{local / 'bert'}"}
    encoded = encode(release, items, tmp_path, Console(quiet=True), extractors=own)
    assert [(s.name, list(s.ids), s.valid.all()) for s in encoded.sets] == [("text", ["i6", "i7"], True)]
    assert encoded.rejected == []
    assert encoded.extractors == json.loads((local / "run" / "release" / EXTRACTORS).read_bytes())


@pytest.mark.parametrize("name", ["given:{}", "transformers:{}", "open_clip:local-dir:{}", "colour:{}"])
def test_a_path_in_a_strangers_release_is_not_opened(local: Path, tmp_path: Path, name: str) -> None:
    release = copied(local, tmp_path)
    trap = tmp_path / "trap"
    os.mkfifo(trap)  # whoever opens it waits for ever
    change_card(release, "text", name=name.format(trap))
    ended = call("encode", local, tmp_path / "work", release=release)
    assert isinstance(ended.exception, RefusedError)
    assert "--extractor text=transformers:PATH" in str(ended.exception)
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("file", "content", "error"),
    [
        ("encoder/extractors.json", b"[]", VerificationError),
        ("encoder/extractors.json", b'{"text": 1}', VerificationError),
        ("encoder/multimodal/config.json", b"[]", EncoderError),
        ("encoder/multimodal/config.json", {"depth": 10**6, "width": 10**6, "dim": 10**6}, EncoderError),
        ("encoder/multimodal/model.safetensors", (10**9).to_bytes(8, "little") + b"{}", EncoderError),
        ("encoder/aligner/config.json", b'{"format": 1, "neighbours": "x"}', EncoderError),
    ],
)
def test_a_strangers_files_that_are_none_are_refused(
    shop: Path, tmp_path: Path, file: str, content: Any, error: type[Exception]
) -> None:
    release = copied(shop, tmp_path)
    if isinstance(content, dict):
        config = json.loads((release / file).read_bytes())
        config["settings"] |= content
        content = json.dumps(config).encode()
    (release / file).write_bytes(content)
    reseal(release, {})
    ended = call("encode", shop, tmp_path / "work", release=release)
    assert isinstance(ended.exception, error)
    assert not (tmp_path / "work" / "release").exists()


@pytest.mark.parametrize("command", ["encode", "extend"])
@pytest.mark.parametrize("encoder", ["multimodal", "aligner"])
def test_vectors_that_are_no_numbers_are_never_written(
    shop: Path, tmp_path: Path, command: str, encoder: str
) -> None:
    """Tensors that are finite, and so large that what they give is not."""
    release = copied(shop, tmp_path)
    path = release / "encoder" / encoder / "model.safetensors"
    tensors = load_file(path)
    save_file({n: t if n == "features" else np.full_like(t, 3e38) for n, t in tensors.items()}, path)
    reseal(release, {})
    ended = call(command, shop, tmp_path / "work", release=release)
    assert isinstance(ended.exception, ReleaseError), ended.exception
    assert "no usable set" in str(ended.exception) and "no finite number" in str(ended.exception)
    assert not (tmp_path / "work" / "release").exists()


@pytest.mark.parametrize("command", ["encode", "extend"])
def test_a_release_of_users_alone_is_refused(shop: Path, tmp_path: Path, command: str) -> None:
    users = replace(make_set("user"), key="user_id")
    ended = call(command, shop, tmp_path / "work", release=make_release(tmp_path / "users", users))
    assert isinstance(ended.exception, ReleaseError) and "has no set of items" in str(ended.exception)


def copied(folder: Path, target: Path) -> Path:
    """A copy of a folder's release, for changing it."""
    return Path(shutil.copytree(folder / "run" / "release", target / "copy"))


def change_card(release: Path, modality: str, **changes: Any) -> None:
    """Write another card into a release, as its publisher could."""
    path = release / EXTRACTORS
    cards = json.loads(path.read_bytes())
    cards[modality] |= changes
    path.write_bytes(json.dumps(cards).encode())
    reseal(release, {})


@pytest.mark.parametrize(
    ("rows", "valid"),
    [
        ([("damaged", "thing")], {"image": [False], "text": [True]}),
        ([(None, "thing"), (None, "fine")], {"image": [False] * 2, "text": [True] * 2}),
        ([("whole", ""), ("damaged", "thing")], {"image": [True, False], "text": [False, True]}),
        ([("whole", "")], {"image": [True], "text": [False]}),
    ],
)
@pytest.mark.parametrize("command", ["encode", "extend"])
def test_new_items_may_all_lack_a_modality(
    shop: Path, tmp_path: Path, command: str, rows: list[tuple[str | None, str]], valid: dict[str, list[bool]]
) -> None:
    for name, data in (("whole", picture(1)), ("damaged", picture(1)[:-200])):
        (tmp_path / f"{name}.png").write_bytes(data)
    items = [
        {"item_id": f"n{n}", "image": image and f"{image}.png", "title": text, "description": text}
        for n, (image, text) in enumerate(rows)
    ]
    table = write_items(tmp_path, items)
    release = str(shop / "run" / "release")
    arguments = [
        command,
        str(table),
        "--release",
        release,
        "--out",
        str(tmp_path / "o"),
        "--max-rejected",
        "1",
    ]
    ended = CliRunner().invoke(app, arguments)
    assert ended.exit_code == 0, ended.exception
    verify_folder(tmp_path / "o" / "release")
    known = valid | {"multimodal": [True] * len(rows), "aligned": [True] * len(rows)}
    for name, expected in known.items():
        found = load_features(tmp_path / "o" / "release", name)
        matrix, there = found.align_to([item["item_id"] for item in items])
        assert there.tolist() == expected and np.isfinite(matrix).all()
        assert matrix.any(axis=1).tolist() == expected


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.jsonl", "", "is empty"),
        ("none.csv", "item_id,title,description,image\n", "no usable item: 0 rows"),
        ("none.jsonl", '{"item_id": "a", "title": "", "description": "", "image": null}\n', "not one of 1"),
    ],
)
def test_tables_without_anything_to_encode_say_so(
    shop: Path, tmp_path: Path, name: str, content: str, words: str
) -> None:
    (tmp_path / name).write_text(content)
    release = str(shop / "run" / "release")
    arguments = ["encode", str(tmp_path / name), "--release", release, "--out", str(tmp_path / "o")]
    ended = CliRunner().invoke(app, arguments)
    assert isinstance(ended.exception, CatalogError) and words in str(ended.exception)
