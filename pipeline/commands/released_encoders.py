"""From the raw sets of items to all of a release's item sets, by the encoders that it carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.item_encoder import ItemEncoder, load_encoder
from alignrec.aligner.train.aligned_encoder import AlignedEncoder
from alignrec.core.features import FeatureSet
from alignrec.core.vocabulary import ALIGNED, CONTENT, MULTIMODAL
from alignrec.export.errors import ReleaseError
from alignrec.export.release.opened import Release


@dataclass(frozen=True, eq=False)
class ReleasedEncoders:
    """A release's encoders, loaded.

    Attributes:
        release: whose they are.
        sets: its item sets, in its order.
        multimodal: makes an item's modalities one vector; None where the release has none.
        aligned: makes `aligned` and `content` of that; None where the release has none.
    """

    release: Release
    sets: tuple[str, ...]
    multimodal: ItemEncoder | None
    aligned: AlignedEncoder | None

    @classmethod
    def of(cls, release: Release) -> Self:
        """Fetch, check and load them.

        Raises:
            ReleaseError: the release has no set of items.
            EncoderError: an encoder of the release is none.
            VerificationError: a file is not what the manifest says.
        """
        sets = tuple(name for name, entry in release.manifest.sets.items() if entry.key == "item_id")
        if not sets:
            raise ReleaseError(f"{release.where} has no set of items")
        multimodal, aligner = _folder(release, MULTIMODAL), _folder(release, "aligner")
        return cls(
            release,
            sets,
            load_encoder(multimodal) if multimodal else None,
            AlignedEncoder.from_pretrained(aligner) if aligner and multimodal else None,
        )

    def encode(self, raw: Mapping[str, FeatureSet], inputs: Inputs) -> list[FeatureSet]:
        """The release's item sets for other items.

        Args:
            raw: the items' raw sets, by modality; all of the same ids.
            inputs: the same with token sequences; not looked at without an encoder.

        Returns:
            In the release's order; `aligned` and `content` have origin `content`.

        Raises:
            ReleaseError: the release lacks an encoder, or models and encoders make vectors that are no
                numbers or of another width than its own.
        """
        found = {name: self._sound(features) for name, features in raw.items()}
        if self.multimodal is not None:
            ids = next(iter(raw.values())).ids
            found[MULTIMODAL] = self._sound(FeatureSet(MULTIMODAL, ids, *self.multimodal.encode(inputs)))
        if self.aligned is not None:
            found |= {one.name: self._sound(one) for one in _aligned(self.aligned, found[MULTIMODAL])}
        if missing := [name for name in self.sets if name not in found]:
            where = self.release.where
            raise ReleaseError(
                f"{where} has the sets {', '.join(missing)}, but not the encoder that makes them"
            )
        return [found[name] for name in self.sets]

    def _sound(self, features: FeatureSet) -> FeatureSet:
        """The set itself, before anything is made of it.

        Raises:
            ReleaseError: it has values that are no numbers, or another width than the release's.
        """
        there = self.release.manifest.sets.get(features.name)
        fault = features.fault()
        if there and there.dim != features.dim:
            fault = f"vectors have {features.dim} dimensions, but those of the release {there.dim}"
        if fault:
            where = self.release.where
            raise ReleaseError(f"what {where} holds makes no usable set {features.name!r}: {fault}")
        return features


def _folder(release: Release, name: str) -> Path | None:
    """The folder of one of the release's encoders, fetched and checked; None where it has none."""
    entries = [e for e in release.manifest.files if e.path.startswith(f"encoder/{name}/")]
    paths = [release.fetch(entry) for entry in entries]
    return paths[0].parent if paths else None


def _aligned(encoder: AlignedEncoder, multimodal: FeatureSet) -> list[FeatureSet]:
    """Vectors from content and neighbours, and marked as such."""
    with np.errstate(over="ignore", invalid="ignore"):  # the result is looked at
        aligned, content = encoder.encode(multimodal.matrix, multimodal.valid)
    origin = ["content"] * len(multimodal.ids)
    return [
        FeatureSet(name, multimodal.ids, matrix, multimodal.valid, origin=origin)
        for name, matrix in ((ALIGNED, aligned), (CONTENT, content))
    ]
