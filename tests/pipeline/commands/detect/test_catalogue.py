"""`alignrec init` on the folders that people have: the config it writes is read, and so is the catalogue."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.interactions import read_interactions
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.commands.detect import trial as trial_module
from alignrec.pipeline.commands.detect.catalogue import detect_catalogue
from alignrec.pipeline.commands.detect.trial import try_draft
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import ConfigError
from tests.pipeline.catalogues import picture, sound, write_catalogue, write_items


def init(folder: Path, *more: str) -> Config:
    ended = CliRunner().invoke(app, ["init", str(folder), *more])
    assert ended.exit_code == 0, ended.exception
    return load_config(folder / "alignrec.yaml")


def read(config: Config) -> tuple[list[str], dict[str, int], int]:
    """Ids, usable inputs of each modality, and interactions."""
    catalogue = read_catalogue(config.catalog.items, FileHashes(), config.catalog.modalities)
    source = config.catalog.interactions
    count = read_interactions(source, catalogue.item_ids).table.num_rows if source else 0
    return catalogue.item_ids, {m: len(inputs) for m, inputs in catalogue.inputs.items()}, count


def test_a_plain_catalogue(tmp_path: Path) -> None:
    write_catalogue(tmp_path, items=30, users=9).unlink()
    config = init(tmp_path)
    assert config.catalog.items.text == "{title}. {description}"
    ids, inputs, interactions = read(config)
    assert len(ids) == 30 and inputs == {"image": 30, "text": 30} and interactions > 0
    assert config.catalog.interactions is not None and config.catalog.interactions.min_rating == 4
    text = (tmp_path / "alignrec.yaml").read_text()
    assert text.count("#") > 10
    assert isinstance(CliRunner().invoke(app, ["init", str(tmp_path)]).exception, ConfigError)
    init(tmp_path, "--force")


def test_a_shop_with_its_own_names(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(picture(1))
    (tmp_path / "stock.csv").write_text("SKU,Photo,Name,Price\n1,a.png,Mug,3\n2,,Cup,4\n")
    (tmp_path / "orders.csv").write_text("CustomerID,SKU,created_at\nx,1,2024-01-01\ny,2,2024-01-02\n")
    config = init(tmp_path)
    assert read(config) == (["1", "2"], {"image": 1, "text": 2}, 2)
    assert config.catalog.items.image_root == tmp_path / "photos"


def test_movielens(tmp_path: Path) -> None:
    (tmp_path / "movies.dat").write_bytes("1::Amélie (2001)::Comedy\n".encode("latin-1"))
    (tmp_path / "ratings.dat").write_bytes(b"7::1::5::978300760\n")
    assert read(init(tmp_path)) == (["1"], {"text": 1}, 1)
    (tmp_path / "posters").mkdir()
    (tmp_path / "posters" / "1.jpg").write_bytes(picture(1, "JPEG"))
    assert read(init(tmp_path, "--force")) == (["1"], {"image": 1, "text": 1}, 1)


@pytest.mark.parametrize(
    ("scheme", "item", "user", "more"),
    [
        ("amazon-2014", "asin", "reviewerID", {"imUrl": "http://x.example/1.jpg"}),
        ("amazon-2018", "asin", "reviewerID", {"imageURL": ["http://x.example/1.jpg"]}),
        ("amazon-2023", "parent_asin", "user_id", {"images": []}),
    ],
)
def test_amazon(tmp_path: Path, scheme: str, item: str, user: str, more: dict[str, object]) -> None:
    meta, review = {item: "B1", "title": "Mug", **more}, {item: "B1", user: "u", "rating": 5, "overall": 5}
    (tmp_path / "meta_X.json.gz").write_bytes(gzip.compress(json.dumps(meta).encode()))
    (tmp_path / "X.json.gz").write_bytes(gzip.compress(json.dumps(review).encode()))
    config = init(tmp_path)
    assert config.catalog.items.path == f"{scheme}:{tmp_path / 'meta_X.json.gz'}"
    assert config.catalog.interactions is not None
    assert config.catalog.interactions.path == f"{scheme}:{tmp_path / 'X.json.gz'}"


def test_mmrec(tmp_path: Path) -> None:
    (tmp_path / "baby.inter").write_text("userID\titemID\tx_label\n0\t0\t0\n0\t1\t1\n")
    (tmp_path / "i_id_mapping.csv").write_text("asin\titemID\nA\t0\nB\t1\n")
    (tmp_path / "u_id_mapping.csv").write_text("user_id\tuserID\nU\t0\n")
    for side in ("image", "text"):
        np.save(tmp_path / f"{side}_feat.npy", np.ones((2, 4), np.float32))
    config = init(tmp_path)
    assert read(config) == (["A", "B"], {"image": 2, "text": 2}, 2)
    assert config.split.method == "mmrec"
    assert config.extract.image == f"given:{tmp_path / 'image_feat.npy'}"


def test_a_folder_without_items_says_what_it_saw(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    ended = CliRunner().invoke(app, ["init", str(tmp_path)])
    assert isinstance(ended.exception, ConfigError) and "Tables seen: notes.csv" in str(ended.exception)
    assert not (tmp_path / "alignrec.yaml").exists()
    with pytest.raises(ConfigError, match=r"there is no folder .*none"):
        detect_catalogue(tmp_path / "none")


def _items(folder: Path, header: str, row: str, count: int = 12, name: str = "items.csv") -> None:
    """A table whose row `{n}` is filled with numbers, and a picture `p{n}.png` for each in photos/."""
    (folder / "photos").mkdir(exist_ok=True)
    for n in range(count):
        (folder / "photos" / f"p{n}.png").write_bytes(picture(n))
    (folder / name).write_text("\n".join([header, *(row.format(n=n) for n in range(count))]) + "\n")


def test_a_shop_by_what_its_columns_hold(tmp_path: Path) -> None:
    _items(tmp_path, "sku,name,desc,img,price", "s{n},Mug {n},A large mug of clay.,photos/p{n}.png,{n}.5")
    items = init(tmp_path).catalog.items
    assert (items.id, items.image, items.text) == ("sku", "img", "{name}")
    _items(tmp_path, "sku,name,desc,img,price", "s{n},Mug {n},Mug {n} of clay.,p{n},{n}.5")
    items = init(tmp_path, "--force").catalog.items
    assert (items.id, items.image, items.text) == ("sku", "img", "{name}. {desc}")
    assert items.image_root == tmp_path / "photos"


def test_news_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "news.csv").write_text(
        "id,headline,body\n" + "".join(f"{n},Sun {n},Rain {n}\n" for n in range(9))
    )
    config = init(tmp_path)
    items = config.catalog.items
    assert (items.id, items.image, items.text) == ("id", None, "{headline}. {body}")
    assert read(config)[1] == {"text": 9}


def test_pictures_by_id_without_their_ending(tmp_path: Path) -> None:
    _items(tmp_path, "code,label", "p{n},thing {n}")
    config = init(tmp_path)
    assert (config.catalog.items.image, config.catalog.items.image_root) == ("code", tmp_path / "photos")
    assert read(config)[1] == {"image": 12, "text": 12}


def test_pictures_alone_and_with_labels_and_with_metadata(tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        (tmp_path / "train" / label).mkdir(parents=True)
        (tmp_path / "train" / label / "1.png").write_bytes(picture(1))
    config = init(tmp_path)
    assert read(config) == (["train/cat/1", "train/dog/1"], {"image": 2, "text": 2}, 0)
    (tmp_path / "train" / "metadata.csv").write_text("file_name,caption\ncat/1.png,a cat\ndog/1.png,a dog\n")
    config = init(tmp_path, "--force")
    assert read(config) == (["cat/1.png", "dog/1.png"], {"image": 2, "text": 2}, 0)


def test_events_with_times_are_split_by_them(tmp_path: Path) -> None:
    _items(tmp_path, "asin,title", "B{n},thing {n}")
    rows = [f"{n % 9},B{(n * 5 + n // 9) % 12},{881250949 + 100 * n}" for n in range(108)]
    (tmp_path / "events.csv").write_text("\n".join(["uid,asin,ts", *rows]) + "\n")
    config = init(tmp_path)
    log = config.catalog.interactions
    assert log is not None and (log.user, log.item, log.timestamp) == ("uid", "asin", "ts")
    assert config.split.method == "temporal" and read(config)[2] == 108


def test_two_tables_of_items_the_one_that_interactions_are_about(tmp_path: Path) -> None:
    _items(tmp_path, "id,title,body,more", "x{n},thing {n},what {n} is,so {n}", name="articles.csv")
    _items(tmp_path, "id,title", "y{n},thing {n}", name="products.csv")
    rows = [f"u{n % 9},y{n % 12}" for n in range(100)]
    (tmp_path / "log.csv").write_text("\n".join(["user,product", *rows]) + "\n")
    ended = CliRunner().invoke(app, ["init", str(tmp_path)])
    assert load_config(tmp_path / "alignrec.yaml").catalog.items.path == str(tmp_path / "products.csv")
    assert (
        "articles.csv could be the items too; products.csv was taken (interactions are about it)"
        in ended.stderr
    )
    assert f"Next: alignrec run -c {tmp_path / 'alignrec.yaml'}" in ended.stderr


def test_a_table_of_users_holds_no_items_and_a_repeated_id_is_said(tmp_path: Path) -> None:
    _items(tmp_path, "isbn,title", "b{n},thing {n}")
    with (tmp_path / "items.csv").open("a") as table:
        table.write("b3,again\n")
    people = [f"u{n},Name {n},likes {n} things,lives in {n}" for n in range(20)]
    (tmp_path / "people.csv").write_text("\n".join(["user_id,name,bio,city", *people]) + "\n")
    ended = CliRunner().invoke(app, ["init", str(tmp_path)])
    assert load_config(tmp_path / "alignrec.yaml").catalog.items.id == "isbn"
    assert "12 in isbn; 1 duplicate-id" in ended.stderr


def test_lists_are_texts(tmp_path: Path) -> None:
    rows = [{"id": f"i{n}", "tags": ["red", f"new {n}"], "sizes": [1, 2], "deep": [["a"]]} for n in range(9)]
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert init(tmp_path).catalog.items.text == "{tags}"


def test_an_item_needs_a_picture_or_a_text(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("id,price\n" + "".join(f"{n},{n}.5\n" for n in range(9)))
    ended = CliRunner().invoke(app, ["init", str(tmp_path)])
    assert isinstance(ended.exception, ConfigError)
    assert "items.csv: id could be the ids, but no column holds a text, or pictures or sounds" in str(
        ended.exception
    )
    config = tmp_path / "own.yaml"
    config.write_text("catalog: {items: {path: items.csv, id: id, image: null, text: null}}")
    with pytest.raises(ConfigError, match=r"catalog\.items\.image and catalog\.items\.text are null"):
        load_config(config)


@pytest.mark.parametrize("name", ["hm", "ml100k", "baby", "sports"])
def test_real_catalogues_need_no_editing(name: str, tmp_path: Path) -> None:
    source = Path(__file__).resolve().parents[5] / "shared" / "data" / name
    if not source.is_dir():
        pytest.skip(f"{source} is not here")
    trial = try_draft(detect_catalogue(source), source)
    rows, items, log, joined = {
        "hm": (4153, "product_id", "customer", 17746),
        "ml100k": (1682, "item_id", "user_id", 55375),
        "baby": (7050, "item_id", "user_id", 160792),
        "sports": (18357, "item_id", "user_id", 296337),
    }[name]
    found = dict(trial.found)
    assert (found["rows"], found["unique ids"]) == (f"{rows:,}", f"{rows:,} in {items}")
    assert found["users"].endswith(f"in {log}") and found["usable"].startswith(f"{joined:,} of ")
    if name in ("hm", "ml100k"):
        assert found["images"].startswith("20 of 20 tried open: image")
        assert trial.draft.split["method"] == "temporal"


def shop_of_sounds(folder: Path, place: str, *, pictures: bool) -> None:
    """Items with a title and a sound, whose name has another ending than its content; perhaps a picture."""
    rows = []
    for number in range(12):
        file = folder / place / f"n{number}.ogg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(sound(number))
        rows.append(
            {"sku": f"s{number}", "title": f"A thing of number {number}", "clip": f"audio/n{number}.ogg"}
        )
        if pictures:
            (folder / f"p{number}.png").write_bytes(picture(number))
            rows[-1]["photo"] = f"p{number}.png"
    write_items(folder, rows)


@pytest.mark.parametrize("pictures", [True, False])
def test_sounds_beside_pictures_or_alone(tmp_path: Path, pictures: bool) -> None:
    shop_of_sounds(tmp_path, "audio", pictures=pictures)
    config = init(tmp_path)
    assert config.catalog.items.image == ("photo" if pictures else None)
    assert config.catalog.modalities["audio"].columns == ("clip",)
    assert config.catalog.items.text == "{title}", "the name of a file is no text"
    _, usable, _ = read(config)
    assert usable == {**({"image": 12} if pictures else {}), "text": 12, "audio": 12}


def test_the_root_of_sounds_is_found_and_one_that_pictures_do_not_share_is_said(tmp_path: Path) -> None:
    shop_of_sounds(tmp_path / "a", "files/audio", pictures=False)
    config = init(tmp_path / "a")
    assert config.catalog.items.image_root == tmp_path / "a" / "files"
    assert read(config)[1]["audio"] == 12
    shop_of_sounds(tmp_path / "b", "files/audio", pictures=True)
    config = init(tmp_path / "b")
    assert not config.catalog.modalities
    assert (
        "clip holds sounds, but its paths do not start where"
        in (tmp_path / "b" / "alignrec.yaml").read_text()
    )


def test_sounds_by_id_and_embedded_sounds(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for number in range(9):
        (tmp_path / "a" / f"0{number}.mp3").write_bytes(sound(number))
    write_items(tmp_path / "a", [{"id": f"0{n}", "title": f"The thing number {n}"} for n in range(9)])
    config = init(tmp_path / "a")
    assert config.catalog.modalities["audio"].columns == ("id",) and read(config)[1]["audio"] == 9
    table = {"id": [f"i{n}" for n in range(9)], "song": [sound(n) for n in range(9)]}
    (tmp_path / "b").mkdir()
    pq.write_table(pa.table(table), tmp_path / "b" / "items.parquet")
    config = init(tmp_path / "b")
    assert config.catalog.modalities["audio"].columns == ("song",) and config.catalog.items.image is None
    assert read(config)[1] == {"audio": 9}


def test_sounds_that_do_not_open_are_a_problem(tmp_path: Path) -> None:
    shop_of_sounds(tmp_path, "audio", pictures=False)
    for number in range(6):
        (tmp_path / "audio" / f"n{number}.ogg").write_bytes(b"OggS and no more")
    trial = try_draft(detect_catalogue(tmp_path), tmp_path)
    assert dict(trial.found)["sounds"].startswith("6 of 12 tried open: clip; ")
    assert len(trial.problems) == 1 and trial.problems[0].startswith("6 of 12 sounds do not open")


def test_without_what_decodes_them_sounds_are_known_by_their_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_of_sounds(tmp_path, "audio", pictures=False)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    monkeypatch.setattr(trial_module, "is_installed", lambda _: False)
    trial = try_draft(detect_catalogue(tmp_path), tmp_path)
    assert dict(trial.found)["sounds"] == "12 of 12 tried open: clip"
    assert trial.problems == ["sounds are decoded by soundfile: pip install 'alignrec[audio]'"]
