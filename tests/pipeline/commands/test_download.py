"""Pictures that a catalogue names by URL: each comes once, and what does not come is told with its reason."""

from __future__ import annotations

import json
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.file_refs import downloaded_name
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.commands import download as downloading
from alignrec.pipeline.commands.download import download
from alignrec.pipeline.commands.safe_http import Limits
from alignrec.pipeline.config.catalog import ItemsConfig, ModalityConfig
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.runner.console import Console
from tests.core.left_over import left_over
from tests.pipeline.catalogues import write_items
from tests.pipeline.commands.web import url_of, web_server

server = web_server
LOCAL = Limits(bytes=1000, seconds=2.0, allow_private=True)


def test_a_catalogues_pictures_come_once_and_land_where_it_looks(
    server: ThreadingHTTPServer, tmp_path: Path
) -> None:
    urls = [url_of(server, path) for path in ("a.jpg", "b.jpg", "gone", "flaky")]
    rows = [{"item_id": str(n), "image": url} for n, url in enumerate([*urls, urls[0], "local.jpg", None])]
    items = ItemsConfig(path=str(write_items(tmp_path, rows)), text=None)
    left_over(tmp_path / downloaded_name(urls[0]))  # it is gone at the end
    pauses: list[float] = []
    done = download(items, Console(quiet=True), LOCAL, sleep=pauses.append)
    assert (done.fetched, done.there, list(done.failed)) == (3, 0, [urls[2]])
    assert done.reasons == {"status": [urls[2]]} and pauses == [1.0, 4.0]
    assert (tmp_path / downloaded_name(urls[0])).read_bytes() == b"picture /a.jpg"
    again = download(items, Console(quiet=True), LOCAL, sleep=pauses.append)
    assert (again.fetched, again.there, len(again.failed)) == (0, 3, 1)
    assert {p.name for p in tmp_path.iterdir()} == {"items.jsonl", *map(downloaded_name, urls[:2] + urls[3:])}


def test_each_reason_has_an_example_of_its_own(
    server: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloading, "PAUSES", ())
    urls = [url_of(server, path) for path in ("file", "gone", "a.jpg", "gone?again")]
    write_items(tmp_path, [{"item_id": str(n), "image": url} for n, url in enumerate(urls)])
    config = tmp_path / "alignrec.yaml"
    config.write_text(yaml.safe_dump({"catalog": {"items": {"path": "items.jsonl", "text": None}}}))
    command = ["download", "-c", str(config), "--allow-private"]
    answer = CliRunner().invoke(app, command)
    assert answer.exit_code == 0, answer.output
    folder = tmp_path.resolve()
    assert answer.stdout == f"{folder}: 1 files fetched, 0 were there\n"
    _, *reasons = answer.stderr.splitlines()
    assert reasons == [
        f"  2 × status, such as {urls[1]}: the server answered 404",
        f"  1 × bad-url, such as {urls[0]}: 'file:///etc/passwd': expected an http or https URL with a host",
    ]
    answer = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert (answer["folder"], answer["fetched"], answer["there"]) == (str(folder), 0, 1)
    assert list(answer["failed"]) == [urls[0], urls[1], urls[3]]


def test_of_several_urls_in_a_cell_the_one_that_a_run_reads_is_fetched(
    server: ThreadingHTTPServer, tmp_path: Path
) -> None:
    urls = [url_of(server, path) for path in ("a.jpg", "b.jpg", "c.jpg", "d.jpg")]
    cells = ["|".join(urls[:2]), [urls[2], urls[3]], "\ud800", "local.jpg"]
    rows = [{"item_id": str(n), "image": cell} for n, cell in enumerate(cells)]
    items = ItemsConfig(path=str(write_items(tmp_path, rows)), text=None)
    done = download(items, Console(quiet=True), LOCAL)
    assert (done.fetched, done.failed) == (2, {})
    assert {p.name for p in tmp_path.iterdir()} == {"items.jsonl", *map(downloaded_name, [urls[0], urls[2]])}


def test_a_column_without_any_url_is_an_error_that_says_what_is_in_it(tmp_path: Path) -> None:
    cells = ["a.jpg", "a.jpg", None, "z" * 10_000]
    path = write_items(tmp_path, [{"item_id": str(n), "image": cell} for n, cell in enumerate(cells)])
    expected = (
        r"no cell of 'image', .* rows, with 'a\.jpg' \(2 ×\), nothing \(1 ×\), 'zz.{,90} \(1 ×\)\. Name"
    )
    with pytest.raises(CatalogError, match=expected):
        download(ItemsConfig(path=str(path), text=None), Console(quiet=True), LOCAL)


def test_every_column_of_pictures_has_its_urls_fetched(tmp_path: Path) -> None:
    urls = [f"https://images.example/{number}.jpg" for number in range(4)]
    row = {"item_id": "a", "title": "t", "image": urls[0], "front": urls[1:3], "back": f"{urls[2]}|{urls[3]}"}
    items = ItemsConfig(path=str(write_items(tmp_path, [row])), image="image")
    for url in urls:
        (tmp_path / downloaded_name(url)).write_bytes(b"there")
    photo = ModalityConfig(type="image", columns=("front", "back"))
    assert download(items, Console(quiet=True), modalities={"photo": photo}).there == 4
    assert download(items, Console(quiet=True)).there == 1
    with pytest.raises(CatalogError, match=r"catalog\.modalities\.photo \(z\)"):
        bare = items.model_copy(update={"image": None})
        download(
            bare,
            Console(quiet=True),
            modalities={"photo": photo.model_copy(update={"columns": ("front", "z")})},
        )


def test_only_the_pictures_of_named_items_are_fetched(tmp_path: Path) -> None:
    urls = [f"https://images.example/{number}.jpg" for number in range(3)]
    rows = [{"item_id": number, "title": "t", "image": url} for number, url in enumerate(urls)]
    items = ItemsConfig(path=str(write_items(tmp_path, rows)))
    (tmp_path / downloaded_name(urls[1])).write_bytes(b"there")
    assert download(items, Console(quiet=True), only={"1"}).there == 1
    with pytest.raises(CatalogError, match=r"no cell of 'image'"):
        download(items, Console(quiet=True), only={"7"})


def test_sounds_are_fetched_to_where_a_run_looks_for_them(
    server: ThreadingHTTPServer, tmp_path: Path
) -> None:
    urls = [url_of(server, path) for path in ("a.mp3", "b.mp3")]
    rows = [{"item_id": "one", "clip": urls[0]}, {"item_id": "two", "clip": urls}]
    items = ItemsConfig(path=str(write_items(tmp_path, rows)), image=None, text=None)
    heard = {"clip": ModalityConfig(type="audio", columns=("clip",))}
    done = download(items, Console(quiet=True), LOCAL, modalities=heard)
    assert (done.fetched, done.failed) == (2, {})
    found = read_catalogue(items, FileHashes(), heard).inputs["clip"]
    assert [one.value for one in found] == [tmp_path / downloaded_name(urls[n]) for n in (0, 0, 1)]
