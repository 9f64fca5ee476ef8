"""The tasks of docs/tasks.md, each done as the page says, in its order, in one folder."""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from huggingface_hub import constants
from typer.testing import CliRunner

from alignrec.export import load_features
from alignrec.pipeline.cli.app import app
from tests.export.hub_cases import client
from tests.hub.server import HubServer
from tests.pipeline.catalogues import picture

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tasks.md"
HEAD = ("sku", "photo", "title", "category", "description")
NEW = ["sku-40", "sku-41"]


def blocks() -> dict[int, list[tuple[str, str]]]:
    """Of each task its snippets, as language and text."""
    tasks = re.split(r"^## (\d+)\. .*$", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return {
        int(number): re.findall(r"^```(\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        for number, text in zip(tasks[::2], tasks[1::2], strict=True)
    }


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The shop's tables and pictures, in the working folder, beside a Hub of its own."""
    folder = tmp_path_factory.mktemp("tasks") / "shop"
    (folder / "photos").mkdir(parents=True)
    orders = [
        (f"c{c}", f"sku-{(3 * c + n * (1 + c % 3)) % 40}", f"2026-{n + 1:02d}-{c % 28 + 1:02d}")
        for c in range(30)
        for n in range(10)
    ]
    tables: dict[str, list[tuple[Any, ...]]] = {
        "items.csv": [HEAD, *map(item, range(40)), item(7)],
        "new-items.csv": [HEAD, *map(item, (40, 41))],
        "orders.csv": [("customer", "sku", "time"), *orders],
    }
    for number in range(42):
        (folder / "photos" / f"{number}.png").write_bytes(picture(number))
    for name, rows in tables.items():
        with (folder / name).open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    with HubServer() as hub, pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "HF_HOME", str(folder.parent / "hf"))
        patch.setattr(constants, "HF_HUB_CACHE", str(folder.parent / "hf" / "hub"))
        patch.setattr("alignrec.export.hub.repository.HfApi", lambda **_options: client(hub))
        patch.chdir(folder)
        yield folder


def item(number: int) -> tuple[str, ...]:
    kind = f"kind {number % 4}"
    return f"sku-{number}", f"photos/{number}.png", f"thing {number}", kind, "fine " * (number % 7 + 1)


def do(task: int) -> list[Any]:
    """Run a task's snippets; what each printed, or in Python the value of its last line."""
    found: list[Any] = []
    for language, text in blocks()[task]:
        if language == "sh":
            for line in text.splitlines():
                program, *arguments = shlex.split(line)
                answer = CliRunner().invoke(app, arguments)
                assert program == "alignrec" and answer.exit_code == 0, answer.output
                found.append(answer)
        else:
            names: dict[str, Any] = {}
            *body, last = text.strip().splitlines()
            exec("\n".join(body), names)
            found.append(eval(last, names) if " = " not in last else exec(last, names) or names)
    return found


def test_there_are_ten() -> None:
    assert list(blocks()) == list(range(1, 11)) and all(blocks().values())


def test_the_first_needs_no_data() -> None:
    """The command alone: tests/export/hub/ runs the demo whole, which takes minutes."""
    assert "alignrec demo" in str(blocks()[1])


@pytest.fixture(scope="module")
def finished(shop: Path) -> Path:
    """Tasks 2 and 3; the run trains for an epoch."""
    (written,) = do(2)
    assert written.stdout == "alignrec.yaml\n" and "Next: alignrec run" in written.stderr
    config = shop / "alignrec.yaml"
    settings = yaml.safe_load(config.read_text())
    assert settings["catalog"]["interactions"]["timestamp"] == "time"
    assert settings["split"]["method"] == "temporal"
    config.write_text(yaml.safe_dump(settings | {"pretrain": {"epochs": 1}, "train": {"epochs": 1}}))
    (ran,) = do(3)
    assert ran.stderr.splitlines()[-1] == "next: alignrec run -o export.license=YOUR-LICENCE"
    assert "A ranker's input: " in ran.stderr
    assert (shop / "runs" / "shop" / "report.html").is_file()
    return shop


def test_what_was_left_out_is_listed_with_its_reason(finished: Path) -> None:
    (table,) = do(4)
    assert table[["item_id", "reason"]].values.tolist() == [["sku-7", "duplicate-id"]]


def test_vectors_come_in_the_callers_order(finished: Path) -> None:
    (names,) = do(5)
    features = names["features"]
    assert features.name == "aligned" and names["present"].tolist() == [True, True, False]
    expected = [features["sku-7"], features["sku-9"], np.zeros(features.dim)]
    np.testing.assert_array_equal(names["vectors"], expected)


def test_the_items_most_like_one(finished: Path) -> None:
    (found,) = do(6)
    assert len(found) == 5 and "sku-7" not in dict(found)


def test_another_tool_gets_features_and_split(finished: Path) -> None:
    do(7)
    inter = pd.read_csv(finished / "shop-mmrec" / "shop-mmrec.inter", sep="\t")
    assert set(inter["x_label"]) == {0, 1, 2}
    assert np.load(finished / "shop-mmrec" / "image_feat.npy").shape[0] == inter["itemID"].nunique()


def test_new_items_are_appended_and_the_columns_are_remembered(finished: Path) -> None:
    _, compared = do(8)
    assert "2 came" in compared.stdout
    extended = load_features(finished / "extended" / "release")
    assert extended.ids[-2:] == NEW and extended.valid[-2:].all()


def test_one_item_in_memory(finished: Path) -> None:
    (matrix,) = do(9)
    assert matrix.shape[0] == 1 and np.isfinite(matrix).all() and matrix.any()


def test_a_version_is_published_and_loaded(finished: Path) -> None:
    *printed, loaded = do(10)
    _, pushed, listed = printed
    assert "published" in pushed.stdout and listed.stdout.startswith("1.0.0  release ")
    local = load_features(finished / "runs" / "shop" / "release")
    np.testing.assert_array_equal(loaded.matrix, local.matrix)
    manifest = json.loads((finished / "runs" / "shop" / "release" / "manifest.json").read_bytes())
    assert manifest["provenance"]["licence"] == "cc-by-4.0"
