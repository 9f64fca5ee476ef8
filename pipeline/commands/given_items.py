"""Pictures, sounds and texts that a caller holds in memory, as a model reads them: decoded and clean."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from PIL import Image

from alignrec.core.display import shown
from alignrec.extractors.errors import RejectedError
from alignrec.extractors.inputs.audio import Sound, audible
from alignrec.extractors.inputs.images import opened_image
from alignrec.extractors.inputs.pair import Pair
from alignrec.extractors.inputs.template import TextTemplate
from alignrec.extractors.inputs.text import clean_text
from alignrec.extractors.modality import AUDIO, IMAGE, Kind
from alignrec.pipeline.catalog.file_cells import FileRefError, is_url
from alignrec.pipeline.catalog.file_refs import file_error, read_file
from alignrec.pipeline.errors import CatalogError

Picture: TypeAlias = Image.Image | bytes | str | os.PathLike[str]
Waveform: TypeAlias = Sound | bytes | str | os.PathLike[str]
Text: TypeAlias = str | Mapping[str, Any]


def given_pictures(
    value: Picture | Sequence[Picture] | None, most: int, where: str, side: int = 0
) -> list[Image.Image]:
    """The pictures of an item, RGB and upright.

    Args:
        value: a PIL image, the bytes of a file or its path, or a list of these; None where it has none.
        most: how many an item may have.
        where: whose they are, for messages.
        side: that a model resizes them to; files of more than it needs are reduced (see `decode_image`).

    Raises:
        CatalogError: one cannot be read, or there are more.
    """
    found: list[Image.Image] = _files(value, IMAGE, Image.Image, opened_image, most, where, side)
    return found


def given_sounds(value: Waveform | Sequence[Waveform] | None, most: int, where: str) -> list[Sound]:
    """The sounds of an item, mono.

    Args:
        value: a `Sound`, the bytes of a file or its path, or a list of these; None where it has none.
        most: how many an item may have.
        where: whose they are, for messages.

    Raises:
        CatalogError: one cannot be read, or there are more.
        ExtractorError: what decodes sounds is not installed.
    """
    found: list[Sound] = _files(value, AUDIO, Sound, audible, most, where)
    return found


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


def given_pair(value: Any, templates: Sequence[str], where: str, side: int = 0) -> list[Pair]:
    """The picture and the text of an item together; none where it has neither.

    Args:
        value: a picture and a text in this order, a `Pair` or a tuple of two, each as `given_pictures` and
            `given_texts` take one, or None where it is missing; None where the item has neither.
        templates: of the release's texts.
        where: whose they are, for messages.
        side: of the picture, see `given_pictures`.

    Raises:
        CatalogError: it is no such tuple, or one of the two cannot be used.
    """
    both = (None, None) if value is None else value
    both = (both.picture, both.text) if isinstance(both, Pair) else both
    if not isinstance(both, list | tuple) or len(both) != 2:
        raise CatalogError(f"{where}: expected a picture and a text, (PICTURE, TEXT), got {shown(value)}")
    pictures, texts = given_pictures(both[0], 1, where, side), given_texts(both[1], templates, where)
    if not pictures and not texts:
        return []
    return [Pair(next(iter(pictures), None), next(iter(texts), None))]


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


def _files(
    value: Any,
    kind: Kind,
    opened: type,
    check: Callable[[Any], Any],
    most: int,
    where: str,
    side: int = 0,
) -> list[Any]:
    """What an item has of a kind, decoded; `check` makes what is `opened` already what decoding gives."""
    files = list(value) if isinstance(value, list | tuple) else [] if value is None else [value]
    if len(files) > most:
        raise CatalogError(f"{where}: {len(files)} {kind.noun}s; the release reads {most} of an item")
    try:
        return [
            check(one) if isinstance(one, opened) else _decoded(one, kind, opened, where, side)
            for one in files
        ]
    except (RejectedError, FileRefError) as error:
        raise CatalogError(f"{where} cannot be used: {error}") from None


def _decoded(value: Any, kind: Kind, opened: type, where: str, side: int) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return kind.decoder(side)(bytes(value))
    if isinstance(value, str) and is_url(value):
        raise CatalogError(f"{where} is a URL, {shown(value)}: fetch it, and give its bytes")
    if not isinstance(value, str | os.PathLike):
        expected = "a PIL image" if kind is IMAGE else f"a {opened.__name__}"
        raise CatalogError(
            f"{where} is a {type(value).__name__}: expected {expected}, the bytes of a file or its path"
        )
    try:
        return kind.decoder(side)(read_file(Path(value)))
    except OSError as error:
        raise file_error(error, str(value)) from None
