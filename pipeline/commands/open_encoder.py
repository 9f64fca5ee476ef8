"""Features of items in memory, by a release's own models, which stay loaded: for a service of new items."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from alignrec.aligner.inputs import ModalityInput, TokenSequences
from alignrec.core.catalogue_ids import as_ids
from alignrec.core.display import shown
from alignrec.core.features import FeatureSet
from alignrec.core.vocabulary import AUDIO, IMAGE, PAIR, TEXT
from alignrec.export.load import open_release
from alignrec.export.release.opened import Release
from alignrec.extractors.contract import Backend, Extractor
from alignrec.extractors.errors import RejectedError
from alignrec.extractors.inputs.images import FULL
from alignrec.extractors.modality import KINDS, Modality
from alignrec.extractors.registry import adding_backends, identify_extractor, load_extractor
from alignrec.pipeline.catalog.contents import MOST_PARTS
from alignrec.pipeline.commands.given_items import (
    Picture,
    Text,
    given_pair,
    given_pictures,
    given_sounds,
    given_texts,
)
from alignrec.pipeline.commands.released_encoders import ReleasedEncoders
from alignrec.pipeline.commands.released_models import ReleasedModels
from alignrec.pipeline.engines.local import kept_tokens
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.runner.pooled_parts import pool_parts

# Releases that `encode` keeps loaded: a service has one, and two while it goes from one to the next.
_MOST_OPEN = 2
_open: dict[tuple[object, ...], ReleaseEncoder] = {}
_opening = Lock()


class ReleaseEncoder:
    """Encodes items in memory as a release's items were encoded; its models stay loaded.

    `open_encoder` opens one. Several threads may use it.

    Attributes:
        release: whose models these are: a folder, or OWNER/NAME@X.Y.Z.
        modalities: what an item may have, and of which kind each is, `image`, `text`, `audio` or `pair`.
        sets: the item sets that it makes.
    """

    def __init__(
        self, release: Release, extractors: Mapping[str, str] | None = None, device: str = "auto"
    ) -> None:
        """Load a release's models and encoders; arguments and errors as of `open_encoder`."""
        models = self._models = ReleasedModels.of(release)
        names = models.names(extractors or {})
        sides = {name: Modality(name, KINDS[card.modality]) for name, card in models.cards.items()}
        in_full = models.decoded_in_full()
        for name, side in sides.items():
            identity = identify_extractor(names[name], side, precision=models.precision)
            identity = replace(identity, decoding=FULL) if name in in_full else identity
            models.check_files(name, names[name], identity)
        self._encoders = ReleasedEncoders.of(release)
        self._extractors = {
            name: load_extractor(names[name], side, device=device, precision=models.precision)
            for name, side in sides.items()
        }
        for name, extractor in self._extractors.items():
            models.check_card(name, names[name], extractor.card)
        self._sides = {
            name: 0 if name in in_full else extractor.picture_side
            for name, extractor in self._extractors.items()
        }
        self.release = release.where
        self.modalities = {name: side.kind.name for name, side in sides.items()}
        self.sets = self._encoders.sets

    def __repr__(self) -> str:
        """Whose it is, what it takes and what it makes."""
        return f"<ReleaseEncoder of {self.release}: {', '.join(self.modalities)} to {', '.join(self.sets)}>"

    def encode(
        self,
        images: Sequence[Picture | Sequence[Picture] | None] | None = None,
        texts: Sequence[Text | Sequence[str] | None] | None = None,
        *,
        modalities: Mapping[str, Sequence[Any]] | None = None,
        ids: Sequence[Any] | None = None,
    ) -> dict[str, FeatureSet]:
        """The release's item sets for items that are given, equal to those of `alignrec encode` to 1e-5.

        Args:
            images: of each item a picture: a PIL image, the bytes of a file or its path; None where it has
                none. Where the release's items have several pictures, a list of these.
            texts: of each item its text, as the release's template would make it, or the columns of which the
                template makes it, by name; None where it has none.
            modalities: the same for any modality by its name; `images` and `texts` are those that are called
                `image` and `text`. Of a sound a `Sound`, the bytes of a file or its path; of a pair a tuple
                of a picture and a text. A modality that is left out no item has.
            ids: of the items; without them "0", "1" and so on.

        Returns:
            The item sets by name, a row an item in the order given. Rows of items that lack what a set is
            made of are not valid; `aligned` and `content` have the origin `content`.

        Raises:
            CatalogError: a picture or text cannot be used, the release has no such modality, or lists differ
                in length or are empty.
            ReleaseError: what the release holds makes no usable vectors.
        """
        given = self._by_name(images, texts, modalities)
        count = self._count(given)
        names = [str(row) for row in range(count)] if ids is None else list(as_ids(ids))
        if len(names) != count or len(set(names)) != count:
            raise CatalogError(f"expected {count} distinct ids, one an item, got {len(set(names))}")
        nothing = [None] * count
        inputs = {name: self._embed(name, given.get(name, nothing)) for name in self._extractors}
        raw = {name: FeatureSet(name, names, one.pooled, one.valid) for name, one in inputs.items()}
        return {features.name: features for features in self._encoders.encode(raw, inputs)}

    def _by_name(
        self,
        images: Sequence[Any] | None,
        texts: Sequence[Any] | None,
        modalities: Mapping[str, Sequence[Any]] | None,
    ) -> dict[str, Sequence[Any]]:
        short = {IMAGE: images, TEXT: texts}
        given = {name: values for name, values in short.items() if values is not None}
        if twice := set(given) & set(modalities or {}):
            raise CatalogError(f"{min(twice)} is given twice, as {min(twice)}s and by its name")
        given |= modalities or {}
        for name, values in given.items():
            if name not in self.modalities:
                known = ", ".join(self.modalities)
                raise CatalogError(f"{self.release} has no model of {shown(name)}; its items have {known}")
            if isinstance(values, str | bytes | Mapping | Image.Image | os.PathLike):
                kind = type(values).__name__
                raise CatalogError(f"{name}: expected a list with an entry for each item, got one {kind}")
        return given

    def _count(self, given: Mapping[str, Sequence[Any]]) -> int:
        """How many items there are."""
        counts = {name: len(values) for name, values in given.items()}
        if not any(counts.values()):
            raise CatalogError(f"there is no item to encode: give {' or '.join(self.modalities)}")
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"{count:,} of {name}" for name, count in counts.items())
            raise CatalogError(f"expected an entry for each item, None where it has nothing: got {listed}")
        return next(iter(counts.values()))

    def _embed(self, name: str, values: Sequence[Any]) -> ModalityInput:
        """One modality of the items, as the aligner reads it."""
        extractor = self._extractors[name]
        prepared, items = [], []
        for item, value in enumerate(values):
            try:
                parts = [extractor.prepare(one) for one in self._read(name, item, value)]
            except RejectedError as error:
                raise CatalogError(f"{name} of item {item} cannot be used: {error}") from None
            prepared += parts
            items += [item] * len(parts)
        vectors, sequences = embed(extractor, prepared, tokens=self._encoders.multimodal is not None)
        pooled, rows = pool_parts(vectors, np.array(items, dtype=np.int64))
        matrix = np.zeros((len(values), extractor.card.dim), dtype=np.float32)
        valid = np.zeros(len(values), dtype=np.bool_)
        matrix[rows], valid[rows] = pooled, True
        lengths = np.zeros(len(values), dtype=np.int64)
        np.add.at(lengths, items, [len(one) for one in sequences])
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        tokens = np.concatenate([_no_tokens(extractor), *sequences])
        return ModalityInput(matrix, valid, TokenSequences(tokens, offsets))

    def _read(self, name: str, item: int, value: Any) -> Sequence[Any]:
        located, where = self._models.modalities.get(name), f"{name} of item {item}"
        if self.modalities[name] == TEXT:
            templates = located.template if located else (self._models.template or "",)
            return given_texts(value, templates, where)
        if self.modalities[name] == PAIR:
            return given_pair(value, located.template if located else (), where, self._sides[name])
        most = MOST_PARTS if located else 1
        if self.modalities[name] == AUDIO:
            return given_sounds(value, most, where)
        return given_pictures(value, most, where, self._sides[name])


def embed(
    extractor: Extractor, prepared: Sequence[Any], *, tokens: bool
) -> tuple[NDArray[np.float32], list[NDArray[np.float16]]]:
    """Embed prepared items as extraction does: batches of like length, tokens kept in float16.

    Args:
        extractor: the model.
        prepared: `n` items, each as its `prepare` gives it; none is allowed.
        tokens: whether sequences are wanted.

    Returns:
        float32 `[n, dim]`; and for each item float16 `[t, token_dim]`, without tokens all of no rows.
    """
    vectors = np.zeros((len(prepared), extractor.card.dim), dtype=np.float32)
    sequences = [_no_tokens(extractor)] * len(prepared)
    order = sorted(range(len(prepared)), key=lambda row: extractor.length(prepared[row]))
    for start in range(0, len(order), extractor.batch_size):
        rows = order[start : start + extractor.batch_size]
        found = extractor.embed([prepared[row] for row in rows], tokens=tokens)
        vectors[rows] = found.pooled
        if found.tokens is not None and found.mask is not None:
            for row, sequence, real in zip(rows, found.tokens, found.mask, strict=True):
                sequences[row] = kept_tokens(sequence, real)
    return vectors, sequences


def _no_tokens(extractor: Extractor) -> NDArray[np.float16]:
    return np.zeros((0, extractor.card.token_dim), dtype=np.float16)


def open_encoder(
    release: str | Path,
    version: str | None = None,
    *,
    extractors: Mapping[str, str] | None = None,
    device: str = "auto",
    loaders: Iterable[Backend] = (),
) -> ReleaseEncoder:
    """Load what a release encodes items with, once: for a service that gets new items one by one.

    The release's own models, templates and encoders serve, and none other: models are compared with the
    release's by their SHA-256, and no path that a release names is opened.

    Args:
        release: a release folder, or a dataset repository on the Hub, OWNER/NAME.
        version: of a repository, X.Y.Z; without it the highest.
        extractors: for a modality, the name by which its model is loaded, where the release names a path of
            another machine: `{"text": "transformers:PATH"}`. It must be the same model.
        device: `auto` (a GPU where there is one), `cpu`, `cuda` or `cuda:N`; of the frozen models.
        loaders: families of models of the caller's own, as for `run`.

    Raises:
        RefusedError: a model here is not the one that the release was made with, the release names a path, or
            the version was withdrawn.
        VerificationError, ReleaseError, HubError: as `load_features`; or the release does not say what it was
            made with, or lacks an encoder.
        EncoderError: an encoder of the release is none.
        ExtractorError: a model cannot be loaded.
    """
    with adding_backends(loaders):
        return ReleaseEncoder(open_release(release, version), extractors, device)


def encode(
    release: str | Path,
    images: Sequence[Picture | Sequence[Picture] | None] | None = None,
    texts: Sequence[Text | Sequence[str] | None] | None = None,
    *,
    modalities: Mapping[str, Sequence[Any]] | None = None,
    ids: Sequence[Any] | None = None,
    version: str | None = None,
    extractors: Mapping[str, str] | None = None,
    device: str = "auto",
) -> dict[str, FeatureSet]:
    """A release's item sets for items in memory: no table, no file is written.

    The models of the last releases stay loaded; a release that was made anew is opened anew.
    Of a repository without a version the Hub is asked each time; `open_encoder` asks once.

    Args:
        release, version, extractors, device: as for `open_encoder`.
        images, texts, modalities, ids: as for `ReleaseEncoder.encode`.

    Returns:
        The item sets by name, a row an item in the order given.

    Raises: as both.
    """
    found = open_release(release, version)
    key = (found.where, found.manifest.to_bytes(), tuple(sorted((extractors or {}).items())), device)
    with _opening:
        encoder = _open.pop(key, None) or ReleaseEncoder(found, extractors, device)
        _open[key] = encoder
        while len(_open) > _MOST_OPEN:
            del _open[next(iter(_open))]
    return encoder.encode(images, texts, modalities=modalities, ids=ids)
