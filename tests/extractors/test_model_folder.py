"""From a name to a folder, and what is read there: weights, other files, a licence."""

from __future__ import annotations

import json
from pathlib import Path

import huggingface_hub
import pytest

from alignrec.core.network import offline
from alignrec.extractors.errors import DownloadError, ExtractorError
from alignrec.extractors.model_folder import (
    PATTERNS,
    licence_of,
    local_folder,
    model_folder,
    other_files,
    safetensors_of,
    weights_of,
)
from alignrec.extractors.names import ModelName


def touch(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    return paths


def test_a_path_is_a_folder_or_may_be_an_id(tmp_path: Path) -> None:
    name = ModelName.parse(f"transformers:{tmp_path}")
    assert local_folder(name, name.model) == tmp_path
    assert model_folder(name) == (tmp_path, None)
    assert local_folder(ModelName.parse("transformers:org/model"), "org/model") is None


@pytest.mark.parametrize("path", ["/absent/model", "./absent", "~/absent", "a/b/c"])
def test_what_can_only_be_a_path_is_a_folder(path: str) -> None:
    with pytest.raises(ExtractorError, match=r"is not a folder; expected one that holds a model's files"):
        model_folder(ModelName.parse(f"transformers:{path}"))


def test_a_folder_has_no_revision(tmp_path: Path) -> None:
    with pytest.raises(ExtractorError, match="which has no revision 'main'"):
        model_folder(ModelName.parse(f"transformers:{tmp_path}@main"))


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (file,) = touch(tmp_path, "config.json")
    with pytest.raises(ExtractorError, match="is not a folder"):
        model_folder(ModelName.parse(f"transformers:{file}"))


def test_a_snapshot_is_asked_for_and_known_by_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def snapshot(repository: str, **options: object) -> str:
        asked.append((repository, options))
        return str(tmp_path / "0123abcd")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    assert model_folder(ModelName.parse("transformers:org/model@v1")) == (tmp_path / "0123abcd", "0123abcd")
    assert asked == [("org/model", {"revision": "v1", "allow_patterns": PATTERNS})]


def test_nothing_is_fetched_while_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_a, **_k: str(tmp_path))
    name = ModelName.parse("transformers:org/model")
    with offline():
        with pytest.raises(DownloadError, match="is not on this machine"):
            model_folder(name)  # a download that was stopped left the folder without weights
        touch(tmp_path, "model.safetensors")
        assert model_folder(name) == (tmp_path, tmp_path.name)


def test_the_hub_is_out_of_reach() -> None:
    with pytest.raises(DownloadError, match="go online, or download it elsewhere and give its folder"):
        model_folder(ModelName.parse("transformers:org/never-cached"))


def test_patterns_leave_code_and_pickles_out() -> None:
    from huggingface_hub.utils import filter_repo_objects

    files = ["config.json", "1_Pooling/config.json", "model.safetensors", "modeling.py", "pytorch_model.bin"]
    files += ["onnx/model.safetensors", "model-00001-of-00002.safetensors", "model.pt"]
    files += ["0_Transformer/model.safetensors", "2_Dense/model.safetensors", "2_Dense/pytorch_model.bin"]
    kept = list(filter_repo_objects(files, allow_patterns=PATTERNS))
    assert kept == [files[0], files[1], files[2], files[6], *files[8:]]


def test_weights_are_one_file_or_all_parts(tmp_path: Path) -> None:
    with pytest.raises(ExtractorError, match=r"has no model\.safetensors"):
        safetensors_of(tmp_path)
    touch(tmp_path, "pytorch_model.bin", "other.safetensors", "onnx/model.safetensors")
    with pytest.raises(ExtractorError, match="choose a model or revision that publishes safetensors"):
        safetensors_of(tmp_path)
    parts = touch(tmp_path, "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    assert safetensors_of(tmp_path) == parts
    single = touch(tmp_path, "model.safetensors")
    assert safetensors_of(tmp_path) == single


def test_other_files_are_those_that_loading_reads(tmp_path: Path) -> None:
    touch(tmp_path, "README.md", "model.safetensors", "modeling.py", "onnx/config.json")
    read = touch(tmp_path, "config.json", "chat.jinja", "merges.txt", "spiece.model")
    (tmp_path / "folder.json").mkdir()
    assert other_files(tmp_path) == sorted(read)
    read += touch(tmp_path, "modules.json", "0_Transformer/config.json", "1_Pooling/config.json")
    modules = [
        {"path": path, "type": f"sentence_transformers.models.{path[2:]}"}
        for path in ("0_Transformer", "1_Pooling", "2_Normalize", "3_Dense")
    ]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    assert other_files(tmp_path) == sorted(read)
    weights = touch(tmp_path, "0_Transformer/model.safetensors", "3_Dense/pytorch_model.bin")
    assert weights_of(tmp_path) == weights


@pytest.mark.parametrize(
    ("readme", "licence"),
    [
        ("---\ntags: [x]\nlicense: mit\n---\n# A model\n", "mit"),
        ("---\r\nlicense: mit\r\n---\r\n", "mit"),
        ("\ufeff---\nlicense: mit\n---\n", "mit"),
        ("---\nlicense: 'cc-by-4.0'  # ours\n---\n", "cc-by-4.0"),
        ("---\nlicense: apache 2.0\n---\n", "apache 2.0"),
        ("---\nlicense: >\n  apache\n  2.0\n---\n", "apache 2.0"),
        ("---\n{license: mit, tags: [x]}\n---\n", "mit"),
        ("---\nlicense: mit\n---\nlicense: gpl\n", "mit"),
        ("---\nlicense: null\n---\n", None),
        ("---\nlicense: ' '\n---\n", None),
        ("---\nlicense: [mit, gpl]\n---\n", None),
        ("---\nlicense: 2\n---\n", None),
        ("---\nmodel:\n  license: mit\n---\n", None),
        ("---\ndescription: |\n  license: mit\n---\n", None),
        ("---\n# nothing\n---\n", None),
        ("# A model\nlicense: mit\n", None),
        ("# A model\n---\nlicense: mit\n---\n", None),
        ("---\nlicense: mit\n", None),
        ("", None),
    ],
)
def test_the_licence_is_what_the_header_states(tmp_path: Path, readme: str, licence: str | None) -> None:
    (tmp_path / "README.md").write_text(readme, encoding="utf-8", newline="")
    assert licence_of(tmp_path) == licence


@pytest.mark.parametrize(
    "header",
    [
        b"license: [",
        b"license: mit\ntags: \x01",
        b"- license",
        b"license: mit\nname: caf\xe9",
        b"license: mit\nx: " + b"[" * 20_000,
        b"license: mit\nx: !!python/object/apply:os.getcwd []",
        b"license: mit\ndate: 2020-13-45",
        b"license: mit\nx: !!bool maybe",
        b"license: mit\nx: !!int ''",
        b"license: mit\nx: !!timestamp soon",
        b"license: mit\nx: " + b"1:" * 400 + b"1.0",
        b"license: *unknown",
    ],
    ids=lambda header: header[:45].decode("latin-1"),
)
def test_a_header_that_cannot_be_read_states_none(tmp_path: Path, header: bytes) -> None:
    (tmp_path / "README.md").write_bytes(b"---\n" + header + b"\n---\n")
    assert licence_of(tmp_path) is None


def test_a_folder_without_a_readme_states_no_licence(tmp_path: Path) -> None:
    assert licence_of(tmp_path) is None
    (tmp_path / "README.md").mkdir()
    assert licence_of(tmp_path) is None
