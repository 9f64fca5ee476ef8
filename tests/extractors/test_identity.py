"""One identity decides: files and versions change it, a folder's place does not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from alignrec.core import libraries
from alignrec.core.files import sha256_file
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.identity import ExtractorIdentity, files_sha256, weights_sha256
from alignrec.extractors.modality import IMAGE, Modality
from alignrec.extractors.registry import identify_extractor, load_extractor
from tests.extractors import models

LOCAL: dict[str, tuple[str, str, Callable[[Path], Path], str]] = {
    "transformers": ("transformers:", "text", models.sentence_bert, "tokenizer.json"),
    "pooling": ("transformers:", "text", models.sentence_bert, "1_Pooling/config.json"),
    "open_clip": ("open_clip:local-dir:", "image", models.open_clip_model, "open_clip_config.json"),
}


@pytest.mark.parametrize("case", LOCAL)
def test_a_moved_folder_is_the_same_and_a_changed_file_another(case: str, tmp_path: Path) -> None:
    scheme, modality, save, file = LOCAL[case]
    folder = save(tmp_path / "here")
    first = identify_extractor(f"{scheme}{folder}", modality)
    assert (
        first.weights_sha256
        == load_extractor(f"{scheme}{folder}", modality, device="cpu").card.weights_sha256
    )
    moved = folder.rename(tmp_path / "there")
    assert identify_extractor(f"{scheme}{moved}", modality) == first
    assert str(tmp_path) not in json.dumps(asdict(first))
    (moved / file).write_text((moved / file).read_text() + " ")
    other = identify_extractor(f"{scheme}{moved}", modality)
    assert replace(other, files_sha256=first.files_sha256) == first != other
    assert other.differences(asdict(first)) == ["files_sha256"]


def test_what_loading_does_not_read_changes_nothing(tmp_path: Path) -> None:
    folder = models.bert(tmp_path / "bert")
    first = identify_extractor(f"transformers:{folder}", "text")
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    (folder / "checkpoint-1").mkdir()
    (folder / "checkpoint-1" / "trainer_state.json").write_text("{}")
    assert identify_extractor(f"transformers:{folder}", "text") == first


def test_another_version_of_a_library_is_another_identity_but_the_same_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = identify_extractor("packaged:all-minilm-l6-v2", "text")
    assert set(first.libraries) == {"torch", "transformers", "tokenizers"}
    installed = {"torch": "1.0+cpu", "transformers": "1.0", "tokenizers": "99.0+cu128"}
    monkeypatch.setattr(libraries, "version", installed.__getitem__)
    later = identify_extractor("packaged:all-minilm-l6-v2", "text")
    assert later.libraries == {"torch": "1.0", "transformers": "1.0", "tokenizers": "99.0"}
    assert later != first and later.differences(asdict(first)) == []


def test_precision_and_content_are_compared_with_a_record(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((2, 3), dtype=np.float32))
    given = identify_extractor(f"given:{tmp_path / 'a.npy'}", "image")
    assert given == ExtractorIdentity("given", "", "image", None, sha256_file(tmp_path / "a.npy")), (
        "nothing is decoded"
    )
    rough = identify_extractor(f"given:{tmp_path / 'a.npy'}", "image", precision="bfloat16")
    assert rough.differences(asdict(given)) == ["precision"]
    assert rough.differences({"weights_sha256": "other", "dim": 3}) == ["weights_sha256"]


def test_how_pictures_are_decoded_is_part_of_it() -> None:
    pictures = identify_extractor("packaged:efficientnet-lite0", "image")
    texts = identify_extractor("packaged:all-minilm-l6-v2", "text")
    assert pictures.decoding == IMAGE.decoding != "full" and texts.decoding == "full"
    in_full = replace(pictures, decoding="full")
    assert in_full.differences(asdict(pictures)) == ["decoding"]
    assert pictures.record() == asdict(pictures) and "decoding" not in in_full.record() | texts.record()


def test_a_modality_of_another_name_reads_the_same() -> None:
    poster = Modality("poster", IMAGE)
    name = "packaged:efficientnet-lite0"
    assert identify_extractor(name, poster) == identify_extractor(name, "image")


def test_hashes_can_be_remembered(tmp_path: Path) -> None:
    asked: list[str] = []

    def remembered(path: Path) -> str:
        asked.append(path.name)
        return "0" * 64

    folder = models.vit(tmp_path)
    identity = identify_extractor(f"transformers:{folder}", "image", sha256=remembered)
    assert sorted(asked) == ["config.json", "model.safetensors", "preprocessor_config.json"]
    assert identity.weights_sha256 == "0" * 64


def test_the_hash_of_several_files(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_bytes(name.encode())
    both = weights_sha256(tmp_path, [tmp_path / "b", tmp_path / "a"])
    assert both == files_sha256(tmp_path, [tmp_path / "a", tmp_path / "b"])
    assert weights_sha256(tmp_path, [tmp_path / "a"]) == sha256_file(tmp_path / "a") != both
    moved = shutil.copytree(tmp_path, tmp_path / "copy")
    assert files_sha256(moved, [moved / "a", moved / "b"]) == both


def test_identities_need_no_torch(tmp_path: Path) -> None:
    """Neither for our backends, nor for open_clip's table of published weights."""
    folder, clip = models.bert(tmp_path / "bert"), models.open_clip_model(tmp_path / "clip")
    names = [
        (f"transformers:{folder}", "text"),
        (f"open_clip:local-dir:{clip}", "image"),
        ("packaged:efficientnet-lite0", "image"),
        ("packaged:all-minilm-l6-v2", "text"),
        ("open_clip:ViT-B-32/no-such-tag", "image"),
    ]
    code = (
        "import json, sys\n"
        "from alignrec.extractors.errors import ExtractorError\n"
        "from alignrec.extractors.registry import BACKENDS, identify_extractor\n"
        "assert len(BACKENDS) >= 4\n"
        "message = ''\n"
        f"for name, modality in {names!r}:\n"
        "    try:\n        identify_extractor(name, modality)\n"
        "    except ExtractorError as error:\n        message += str(error)\n"
        "print(json.dumps([message, sorted(sys.modules)]))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    message, loaded = json.loads(out)
    assert message.startswith("open_clip:ViT-B-32/no-such-tag: ViT-B-32 has no weights 'no-such-tag'")
    assert not {"torch", "transformers", "open_clip", "torchvision"} & set(loaded)


def test_what_is_not_installed_to_decode_a_kind_is_missed_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if name == "soundfile":
            raise libraries.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(libraries, "version", version)
    with pytest.raises(ExtractorError, match=r"pip install 'alignrec\[audio\]'"):
        identify_extractor("signal:log-mel", "audio")
    np.save(tmp_path / "a.npy", np.ones((2, 3), dtype=np.float32))
    assert identify_extractor(f"given:{tmp_path / 'a.npy'}", "audio").modality == "audio"
