"""Pictures and texts that a caller holds in memory, as a model reads them: decoded and clean."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from PIL import Image

from alignrec.core.display import shown
from alignrec.extractors.errors import RejectedError
from alignrec.extractors.inputs.images import decode_image, opened_image
from alignrec.extractors.inputs.template import TextTemplate
from alignrec.extractors.inputs.text import clean_text
from alignrec.pipeline.catalog.image_cells import ImageRefError, is_url
from alignrec.pipeline.catalog.image_refs import file_error, read_image
from alignrec.pipeline.errors import CatalogError

Picture: TypeAlias = Image.Image | bytes | str | os.PathLike[str]
Text: TypeAlias = str | Mapping[str, Any]


def given_pictures(value: Picture | Sequence[Picture] | None, most: int, where: str) -> list[Image.Image]:
    """The pictures of an item, RGB and upright.

    Args:
        value: a PIL image, the bytes of a file or its path, or a list of these; None where it has none.
        most: how many an item may have.
        where: whose they are, for messages.

    Raises:
        CatalogError: one cannot be read, or there are more.
    """
    pictures = list(value) if isinstance(value, list | tuple) else [] if value is None else [value]
    if len(pictures) > most:
        raise CatalogError(f"{where}: {len(pictures)} pictures; the release reads {most} of an item")
    try:
        return [_picture(one, where) for one in pictures]
    except (RejectedError, ImageRefError) as error:
        raise CatalogError(f"{where} cannot be used: {error}") from None


def given_texts(value: Text | Sequence[str] | None, templates: Sequence[str], where: str) -> list[str]:
    """The texts of an item, clean; none where nothing visible is there.

    Args:
        value: the text, or one for each template; or the columns of which the templates make them; None where
            the item has none.
        templates: of the release's texts.
        where: whose they are, for messages.

    Raises:
        CatalogError: one is no text, there are more than templates, or none of the columns is of a template.
    """
    if isinstance(value, Mapping):
        texts = _rendered(value, templates, where)
    elif isinstance(value, list | tuple):
        texts = list(value)
    else:
        texts = [value]
    if len(texts) > len(templates):
        raise CatalogError(f"{where}: {len(texts)} texts; the release reads {len(templates)} of an item")
    found = []
    for text in texts:
        if text is not None and not isinstance(text, str):
            raise CatalogError(f"{where} is a {type(text).__name__}: expected text, or columns by name")
        try:
            found.append(clean_text(text))
        except RejectedError:  # nothing visible
            continue
    return found


def _rendered(row: Mapping[str, Any], templates: Sequence[str], where: str) -> list[Any]:
    parsed = [TextTemplate(template) for template in templates]
    fields = list(dict.fromkeys(field for template in parsed for field in template.fields))
    if not set(fields) & set(row):
        wanted = ", ".join(fields)
        raise CatalogError(f"{where} has none of the columns that make the release's texts: {wanted}")
    try:
        return [template.render(row) for template in parsed]
    except RejectedError as error:
        raise CatalogError(f"{where} cannot be used: {error}") from None


def _picture(value: Any, where: str) -> Image.Image:
    if isinstance(value, Image.Image):
        return opened_image(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return decode_image(bytes(value))
    if isinstance(value, str) and is_url(value):
        raise CatalogError(f"{where} is a URL, {shown(value)}: fetch it, and give its bytes")
    if not isinstance(value, str | os.PathLike):
        raise CatalogError(
            f"{where} is a {type(value).__name__}: expected a PIL image, the bytes of a file or its path"
        )
    try:
        return decode_image(read_image(Path(value)))
    except OSError as error:
        raise file_error(error, str(value)) from None
