"""The catalogue's part of a configuration: its items, their modalities, and who interacted with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from alignrec.core.modality_names import ModalityName
from alignrec.core.names import check_distinct
from alignrec.core.vocabulary import IMAGE, KINDS, PAIR, TEXT
from alignrec.pipeline.config.section import Section


class ItemsConfig(Section):
    """The items table."""

    path: str = Field(
        description="CSV, TSV, JSON Lines or Parquet file, a saved Hugging Face dataset (FOLDER[#SPLIT]), or "
        "hf:ORG/NAME[/CONFIG][@REVISION][#SPLIT]"
    )
    id: str = Field("item_id", description="column of the item ids")
    image: str | None = Field(IMAGE, description="column of image paths or embedded images; null for none")
    text: str | None = Field(
        "{title}. {description}", description="text template of {column}s; null for none"
    )
    image_root: Path | str | None = Field(
        None,
        description="folder of the images and sounds, or its URL, such as s3://bucket/images; default: the "
        "items file's own",
    )
    linked_folders: tuple[Path, ...] = Field(
        (), description="folders outside of image_root that symbolic links and full paths may lead into"
    )
    interacted: bool = Field(False, description="leave out items that no interaction names")

    @field_validator("image_root")
    @classmethod
    def _path_or_url(cls, written: Path | str | None) -> Path | str | None:
        """A text where it is a URL, else a path."""
        return Path(written) if isinstance(written, str) and "://" not in written else written


class ModalityConfig(Section):
    """One modality: where its content stands in the items table, and which model reads it."""

    type: str = Field(
        description="what it is, which decides how it is read: image, text, audio, or pair, an image and a "
        "text that one model reads together"
    )
    template: tuple[str, ...] = Field(
        (),
        description="of a text: template of {column}s, or a list; each is embedded, the vectors are pooled; "
        "of a pair: one",
    )
    columns: tuple[str, ...] = Field(
        (),
        description="of an image or a sound: column of paths or embedded files, or a list; each is embedded, "
        "the vectors of an item are pooled; of a pair: one",
    )
    model: str | None = Field(None, description="scheme:name[@revision]; default: extract's for the type")

    @field_validator("type")
    @classmethod
    def _known(cls, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError(f"expected one of {', '.join(KINDS)}")
        return kind

    @field_validator("template", "columns", mode="before")
    @classmethod
    def _one_or_several(cls, written: Any) -> Any:
        """A tuple of what is written; a list of any document is one."""
        if isinstance(written, str):
            return (written,)
        return tuple(written) if isinstance(written, list) else written

    @model_validator(mode="after")
    def _located(self) -> ModalityConfig:
        if self.type == PAIR:
            if len(self.columns) != 1 or len(self.template) != 1:
                raise ValueError(f"type {PAIR} needs one of columns and one template")
            return self
        wanted, other = ("template", "columns") if self.type == TEXT else ("columns", "template")
        if not getattr(self, wanted) or getattr(self, other):
            raise ValueError(f"type {self.type} needs {wanted}, and has no {other}")
        sources = self.template or self.columns
        if len(set(sources)) != len(sources):
            raise ValueError(f"{wanted} names one twice")
        return self


class InteractionsConfig(Section):
    """The interactions table."""

    path: str = Field(description="like catalog.items.path")
    user: str = Field("user_id", description="column of the user ids")
    item: str = Field("item_id", description="column of the item ids")
    rating: str | None = Field(None, description="column of ratings, if there is one")
    timestamp: str | None = Field(None, description="column of times, if there is one")
    time_format: str | None = Field(
        None,
        description="how times are written, as strptime has it, such as %d.%m.%Y; or s, ms, us, ns for "
        "numbers since 1970; default: as they show",
    )
    min_rating: float | None = Field(None, description="interactions rated lower are not positives")

    @field_validator("time_format")
    @classmethod
    def _readable(cls, written: str | None) -> str | None:
        if written is not None and "%" not in written and written not in ("s", "ms", "us", "ns"):
            raise ValueError("expected a strptime format, such as %d.%m.%Y, or one of s, ms, us, ns")
        return written


class CatalogConfig(Section):
    """The input: items, and who interacted with them."""

    items: ItemsConfig
    modalities: dict[ModalityName, ModalityConfig] = Field(
        {},
        description="modalities by name, any number; with them catalog.items.image and text are null unless "
        "they are written too",
    )
    interactions: InteractionsConfig | None = None

    @model_validator(mode="before")
    @classmethod
    def _nothing_by_default(cls, written: Any) -> Any:
        """A catalogue that names its modalities has those that it names, and none by default."""
        if not isinstance(written, dict) or not written.get("modalities"):
            return written
        items = written.get("items")
        if isinstance(items, ItemsConfig):
            items = items.model_dump(exclude_unset=True)
        return (
            {**written, "items": {IMAGE: None, TEXT: None, **items}} if isinstance(items, dict) else written
        )

    @field_validator("modalities")
    @classmethod
    def _apart(
        cls, modalities: Mapping[str, ModalityConfig], info: ValidationInfo
    ) -> Mapping[str, ModalityConfig]:
        items = info.data.get("items")
        check_distinct([*short_forms(items), *modalities] if items else modalities, "the modality")
        for name, modality in modalities.items():
            if name in KINDS and name != modality.type:
                raise ValueError(f"a modality of type {modality.type} cannot be called {name}")
        return modalities

    @model_validator(mode="after")
    def _named_by_interactions(self) -> CatalogConfig:
        if self.items.interacted and self.interactions is None:
            raise ValueError("items.interacted needs interactions, which name the items to keep")
        return self

    @property
    def located(self) -> dict[str, ModalityConfig]:
        """Every modality of the catalogue by its name, those of the short form first."""
        return short_forms(self.items) | self.modalities


def short_forms(items: ItemsConfig) -> dict[str, ModalityConfig]:
    """The modalities that `catalog.items.image` and `catalog.items.text` are."""
    found = {}
    if items.image is not None:
        found[IMAGE] = ModalityConfig(type=IMAGE, columns=(items.image,))
    if items.text is not None:
        found[TEXT] = ModalityConfig(type=TEXT, template=(items.text,))
    return found
