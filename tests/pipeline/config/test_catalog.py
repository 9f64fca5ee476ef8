"""The catalogue's part of a configuration: which modalities there are, and what cannot be one."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from alignrec.pipeline.config.catalog import (
    CatalogConfig,
    InteractionsConfig,
    ItemsConfig,
    ModalityConfig,
    short_forms,
)

MODALITIES: dict[str, Any] = {
    "title": {"type": "text", "template": "{title}"},
    "photo": {"type": "image", "columns": ["front", "back"], "model": "a:b"},
}


def test_a_catalogue_that_names_its_modalities_has_no_others_unless_written() -> None:
    for items, expected in (
        ({"path": "x"}, ["title", "photo"]),
        ({"path": "x", "text": "{title}. {plot}"}, ["text", "title", "photo"]),
        ({"path": "x", "image": "image", "text": None}, ["image", "title", "photo"]),
    ):
        for written in (items, ItemsConfig(**items)):
            catalog = CatalogConfig.model_validate({"items": written, "modalities": MODALITIES})
            assert list(catalog.located) == expected


def test_the_short_form_is_a_modality_of_one_source() -> None:
    items = ItemsConfig(path="x", image="cover", text="{title}")
    image = ModalityConfig(type="image", columns=("cover",))
    text = ModalityConfig(type="text", template=("{title}",))
    assert short_forms(items) == {"image": image, "text": text} == CatalogConfig(items=items).located
    assert short_forms(ItemsConfig(path="x", image=None)).keys() == {"text"}
    assert short_forms(ItemsConfig(path="x", image=None, text=None)) == {}


@pytest.mark.parametrize(
    ("catalog", "expected"),
    [
        ({"modalities": {"aligned": MODALITIES["title"]}}, "name of something else"),
        ({"modalities": {"a.b": MODALITIES["title"]}}, "without a dot"),
        ({"modalities": {"image": MODALITIES["title"]}}, "type text cannot be called image"),
        ({"items": {"path": "x", "interacted": True}}, "items.interacted needs interactions"),
        ({"modalities": MODALITIES | {"Title": MODALITIES["title"]}}, "listed twice"),
        (
            {"items": {"path": "x", "text": "{a}"}, "modalities": {"text": MODALITIES["title"]}},
            "listed twice",
        ),
        (
            {"modalities": {"a": {"type": "sound", "columns": "a"}}},
            "expected one of image, text, audio, pair",
        ),
        (
            {"modalities": {"a": {"type": "pair", "columns": "a"}}},
            "type pair needs one of columns and one template",
        ),
        (
            {"modalities": {"a": {"type": "pair", "columns": ["a", "b"], "template": "{c}"}}},
            "type pair needs one of columns and one template",
        ),
        ({"modalities": {"a": {"type": "text", "columns": "a"}}}, "type text needs template"),
        ({"modalities": {"a": {"type": "image", "columns": ["a", "a"]}}}, "names one twice"),
        ({"modalities": {"a": {"type": "image", "columns": []}}}, "type image needs columns"),
    ],
)
def test_modalities_that_cannot_be_are_refused(catalog: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        CatalogConfig.model_validate({"items": {"path": "x"}} | catalog)


@pytest.mark.parametrize("written", ["%d.%m.%Y", "s", "ms", "us", "ns", None])
def test_a_format_of_times_is_that_of_strptime_or_a_unit(written: str | None) -> None:
    assert InteractionsConfig(path="x", time_format=written).time_format == written


@pytest.mark.parametrize("written", ["", "seconds", "d.m.Y"])
def test_another_format_of_times_is_refused(written: str) -> None:
    with pytest.raises(ValidationError, match="expected a strptime format"):
        InteractionsConfig(path="x", time_format=written)
