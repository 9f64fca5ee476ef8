"""A model's name taken apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.names import ModelName, public_name, split_way


def test_names_are_taken_apart(tmp_path: Path) -> None:
    assert ModelName.parse("transformers:org/model@v1.0").revision == "v1.0"
    assert ModelName.parse("open_clip:ViT-B-32/openai") == ModelName(
        "open_clip:ViT-B-32/openai", "open_clip", "ViT-B-32/openai", None
    )
    folder = tmp_path / "a@b"
    folder.mkdir()
    assert ModelName.parse(f"transformers:{folder}").model == str(folder)
    assert ModelName.parse(f"open_clip:local-dir:{folder}").revision is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("packaged:all-minilm-l6-v2", ("packaged", "all-minilm-l6-v2", None)),
        ("transformers:org/model@v1.0", ("transformers", "org/model", "v1.0")),
        ("transformers:org/a@b@main", ("transformers", "org/a@b", "main")),
        ("open_clip:local-dir:absent@main", ("open_clip", "local-dir:absent", "main")),
        ("given:C:a.npy", ("given", "C:a.npy", None)),
    ],
)
def test_scheme_model_and_revision(name: str, expected: tuple[str, str, str | None]) -> None:
    assert ModelName.parse(name) == ModelName(name, *expected)


@pytest.mark.parametrize("name", ["", "efficientnet-lite0", "packaged:"])
def test_a_name_has_a_scheme_and_a_model(name: str) -> None:
    with pytest.raises(ExtractorError) as caught:
        ModelName.parse(name)
    assert str(caught.value) == (
        f"model name {name!r} has no scheme: write scheme:model, such as packaged:efficientnet-lite0 "
        "or transformers:google/siglip2-base-patch16-224"
    )


@pytest.mark.parametrize("name", ["transformers:@main", "transformers:org/model@"])
def test_an_at_sign_stands_between_model_and_revision(name: str) -> None:
    with pytest.raises(ExtractorError) as caught:
        ModelName.parse(name)
    assert str(caught.value) == f"model name {name!r}: expected a model before and a revision after '@'"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("local-dir:a/b", ("local-dir:", "a/b")),
        ("mean:/a/b.pth", ("mean:", "/a/b.pth")),
        ("ViT-B-32/openai", ("", "ViT-B-32/openai")),
        ("C:\\a.npy", ("", "C:\\a.npy")),
        ("", ("", "")),
    ],
)
def test_how_a_path_is_read_stands_before_it(model: str, expected: tuple[str, str]) -> None:
    assert split_way(model) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("transformers:/home/ann/model", "transformers:model"),
        ("open_clip:local-dir:/home/ann/clip", "open_clip:local-dir:clip"),
        ("beit3:mean:/home/ann/one.pth", "beit3:mean:one.pth"),
        ("transformers:org/model@v1", "transformers:org/model@v1"),
        ("", ""),
    ],
)
def test_public_names_hold_no_folders(name: str, expected: str) -> None:
    assert public_name(name) == expected
