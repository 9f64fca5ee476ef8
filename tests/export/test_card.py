"""The dataset card: metadata, tables, and values that try to break out."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from huggingface_hub import DatasetCard

from alignrec.export import ReleaseError
from alignrec.export.card import BEGIN, END, render_card
from alignrec.export.hub_withdrawn import Withdrawal
from alignrec.export.manifest import Manifest
from tests.export.hub_cases import SETS, make_release

REPO = "team/features"


def test_every_set_is_a_configuration(manifest: Manifest) -> None:
    card = DatasetCard(render_card(REPO, "1.2.0", manifest, {}))
    configs = {entry["config_name"]: entry for entry in card.data.to_dict()["configs"]}
    assert {name: entry["data_files"] for name, entry in configs.items()} == {
        name: f"data/{name}/*.parquet" for name in SETS
    }
    assert [name for name, entry in configs.items() if entry.get("default")] == ["multimodal"]
    assert card.data.license == "cc-by-4.0"


def test_the_page_says_what_is_needed(manifest: Manifest) -> None:
    text = render_card(REPO, "1.2.0", manifest, {})
    for needed in (
        "| `image` | `item_id` | 8 | 20 | 16 |",
        'load_features("team/features", "multimodal", version="1.2.0")',
        'revision="v1.2.0"',
        manifest.release_id,
        "| extract.image | packaged:efficientnet-lite0 |",
        "2403.12384",
        "Licence: cc-by-4.0",
    ):
        assert needed in text
    assert "Withdrawn" not in text


def test_withdrawn_versions_are_named(manifest: Manifest) -> None:
    gone = {"1.0.0": Withdrawal("bad | images", "2026-01-02", "0" * 40)}
    assert "> - **1.0.0** (2026-01-02): bad \\| images" in render_card(REPO, "1.2.0", manifest, gone)


def test_values_cannot_break_out(tmp_path: Path) -> None:
    manifest = make_release(tmp_path / "r")
    hostile = f"a | b\n{END}\n---\n# no\n<script>{'x' * 500}"
    manifest = manifest.model_copy(
        update={"provenance": {"licence": "mit", "name": hostile, "n": [{"a": 1}]}}
    )
    text = render_card(REPO, "1.0.0", manifest, {})
    assert text.count(END) == 1
    assert "<script>" not in text
    assert max(map(len, text.splitlines())) < 400
    assert "| n.0.a | 1 |" in text


def test_rendering_again_changes_only_our_part(manifest: Manifest) -> None:
    first = render_card(REPO, "1.0.0", manifest, {}, "---\nlanguage: [en]\n---\nBefore.\n")
    edited = first.replace(BEGIN, f"Above.\n{BEGIN}")
    again = render_card(REPO, "1.1.0", manifest, {}, edited)
    assert again.index("Above.") < again.index(BEGIN) < again.index(END) < again.index("Before.")
    assert "**1.1.0**" in again
    assert "**1.0.0**" not in again
    assert yaml.safe_load(again.split("---\n")[1])["language"] == ["en"]
    assert render_card(REPO, "1.1.0", manifest, {}, again) == again


@pytest.mark.parametrize("card", ["---\n[a, b]\n---\nx", "---\na: [\n---\nx"])
def test_a_card_that_cannot_be_read_is_not_overwritten(manifest: Manifest, card: str) -> None:
    with pytest.raises(ReleaseError, match=r"README\.md"):
        render_card(REPO, "1.0.0", manifest, {}, card)


def test_without_a_licence_there_is_no_card(tmp_path: Path) -> None:
    manifest = make_release(tmp_path / "r", licence=None)
    with pytest.raises(ReleaseError, match=r"export\.license"):
        render_card(REPO, "1.0.0", manifest, {})
