"""Which modules a folder of sentence-transformers has, and where they lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.sentence_folder import (
    SentenceModule,
    read_settings,
    sentence_modules,
    transformer_folder,
)

PREFIX = "sentence_transformers.models."


def write(folder: Path, *modules: tuple[str, str], **more: Any) -> None:
    entries = [{"type": kind, "path": path, **more} for kind, path in modules]
    (folder / "modules.json").write_text(json.dumps(entries))


def test_modules_are_listed_in_their_order(tmp_path: Path) -> None:
    assert sentence_modules(tmp_path) == () and transformer_folder(tmp_path) == tmp_path
    write(
        tmp_path,
        (PREFIX + "Transformer", "0_Transformer"),
        ("sentence_transformers.sentence_transformer.modules.pooling.Pooling", "1_Pooling"),
        ("sentence_transformers.base.modules.dense.Dense", "2_Dense"),
    )
    kinds = {"Transformer": "0_Transformer", "Pooling": "1_Pooling", "Dense": "2_Dense"}
    expected = tuple(SentenceModule(kind, tmp_path / place) for kind, place in kinds.items())
    assert sentence_modules(tmp_path) == expected
    assert transformer_folder(tmp_path) == tmp_path / "0_Transformer"
    write(tmp_path, (PREFIX + "Transformer", ""), idx=0, name="0", kwargs=[])
    assert transformer_folder(tmp_path) == tmp_path


@pytest.mark.parametrize(
    "kinds",
    [
        ("Pooling",),
        ("Transformer", "Normalize"),
        ("Transformer", "Dense", "Pooling"),
        ("Transformer", "Pooling", "Pooling"),
        ("Transformer", "Transformer"),
    ],
)
def test_another_order_is_refused(tmp_path: Path, kinds: tuple[str, ...]) -> None:
    write(tmp_path, *((PREFIX + kind, str(index)) for index, kind in enumerate(kinds)))
    with pytest.raises(ExtractorError, match=rf"modules\.json lists {', '.join(kinds)}; supported are"):
        sentence_modules(tmp_path)


@pytest.mark.parametrize("kind", [PREFIX + "CNN", "custom_st.Transformer", "Transformer", PREFIX])
def test_unknown_modules_are_refused_by_name(tmp_path: Path, kind: str) -> None:
    write(tmp_path, (kind, ""))
    with pytest.raises(ExtractorError, match=rf"modules\.json uses {kind}; supported are Transformer, "):
        sentence_modules(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        *(b"[" * 100_000, b"\xff", b"{}", b"1", b'[{"type": 1, "path": ""}]', b'[{"path": ""}]', b"[1]"),
        *(
            b'[{"type": "sentence_transformers.Transformer", "path": "../.."}]',
            b'[{"type": "sentence_transformers.Transformer", "path": "/etc"}]',
            b'[{"type": "sentence_transformers.Transformer", "path": 1}]',
            b'[{"type": "sentence_transformers.Transformer", "path": "", "weight": 2}]',
        ),
    ],
    ids=range(11),
)
def test_modules_that_are_none_are_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "modules.json").write_bytes(content)
    with pytest.raises(ExtractorError, match=r"modules\.json cannot be read: .+"):
        sentence_modules(tmp_path)


def test_weights_are_safetensors_first(tmp_path: Path) -> None:
    module = SentenceModule("Dense", tmp_path)
    with pytest.raises(ExtractorError, match=r"Dense has neither model\.safetensors nor pytorch_model\.bin"):
        module.weights()
    for name in ("pytorch_model.bin", "model.safetensors"):
        (tmp_path / name).touch()
        assert module.weights() == tmp_path / name


def test_settings_are_an_object_or_named(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    assert read_settings(path) == {}
    path.write_text('{"a": [1]}')
    assert read_settings(path) == {"a": [1]}
    for content in (b"[]", b"{", b"\xff", b'{"a":' * 100_000):
        path.write_bytes(content)
        with pytest.raises(ExtractorError, match=r"config\.json cannot be read: "):
            read_settings(path)
