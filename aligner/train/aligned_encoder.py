"""Vectors for items that training never saw: from their content, and from the trained items most like it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from pydantic import Field
from safetensors.numpy import save_file

from alignrec.aligner.content_space import ContentSpace
from alignrec.aligner.encoder_files import EncoderFiles, SavedConfig, write_encoder
from alignrec.aligner.errors import FeatureError
from alignrec.aligner.neighbours import nearest
from alignrec.aligner.train.model import AlignRec, Representations, unit_shares
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.task import RankingVectors
from alignrec.aligner.train.zero_shot_term import columns_of

Floats = NDArray[np.float32]
_BLOCK = 8192  # items that are encoded at once
# Unit rows may be longer by what float32 rounds; far longer ones would give similarities that are no numbers.
_LONGEST = 1.001
_LARGEST = 1e6  # larger terms would leave no room for cosines in float32


@dataclass(frozen=True, eq=False)
class AlignedEncoder:
    """Encodes items as training would have placed them, had they been like their neighbours in behaviour.

    A new item takes its neighbours' mean ID vector, weighted by cosine, for one. Its gate then purifies that
    vector, the content graph mixes it with what the neighbours pass on, and the fuser adds the
    neighbours' mean ID representation: the aggregator and the fuser of AlignRec (arXiv 2403.12384).

    Attributes:
        mean: float32 `[e]`, of the catalogue's unit features; what centring takes away.
        features: float32 `[n, e]`, centred unit features of the trained items: the neighbour index.
        weight: float32 `[d, e]`, of the gate's projection.
        bias: float32 `[d]`.
        item: float32 `[n, d]`, ID vectors.
        passed: float32 `[n, d]`, what an item passes on to similar items.
        category: float32 `[n, d]`, ID representations after propagation over the interactions.
        neighbours: how many trained items a new one is placed by.
        members: whose shares lie side by side in every vector.
        unit: whether every member's share of an aligned vector is made as long, as softmax training ranks by.
        symmetric: whether the content graph is weighted by both items' totals, as in the paper's form; what
            trained items pass on is divided by the square root of theirs already.
        popularity: the popularity term of an item that no user took, the last column of aligned vectors; None
            where they have no such column.
        zero_shot: the weight of the zero-shot term, whose columns come before that one; 0 without them.
    """

    mean: Floats
    features: Floats
    weight: Floats
    bias: Floats
    item: Floats
    passed: Floats
    category: Floats
    neighbours: int
    members: int
    unit: bool
    symmetric: bool = False
    popularity: float | None = None
    zero_shot: float = 0.0

    @classmethod
    def from_model(
        cls,
        model: AlignRec,
        trained: Representations,
        space: ContentSpace,
        known: Floats,
        similar: sp.csr_array,
        settings: TrainSettings,
        ranking: RankingVectors,
    ) -> Self:
        """The encoder of a trained model.

        Args:
            model: trained.
            trained: its representations.
            space: that features are centred in.
            known: float32 `[n, e]`, the features in it of the items that were trained.
            similar: their content graph, as `content_neighbours` makes it.
            settings: of the training.
            ranking: what recommends by it, with its terms.
        """
        passed = model.passed()[-1]
        symmetric = settings.form == "paper"
        if symmetric:
            passed = passed * torch.from_numpy(np.sqrt(similar.diagonal())).to(passed.device)[:, None]
        gate, category = model.projection, trained.category.item
        learned = (gate.weight, gate.bias, model.item, passed, category)
        arrays = dict(zip(_TENSORS[2:], (t.detach().cpu().numpy() for t in learned), strict=True))
        return cls(
            mean=space.mean,
            features=known,
            **arrays,
            neighbours=settings.other_neighbours,
            symmetric=symmetric,
            members=settings.members,
            unit=settings.loss == "softmax",
            popularity=None if ranking.popularity is None else ranking.popularity.untouched,
            zero_shot=ranking.zero_shot,
        )

    def encode(self, features: NDArray[np.floating], valid: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Aligned and content vectors, float32 `[m, d]` each; zeros where `valid` is False.

        Beside these, a block of items is in memory. With a zero-shot term, aligned vectors have as many more
        columns as features have, and with a popularity term one more, the last.

        Args:
            features: float `[m, e]`, from the same encoder as the features of training.
            valid: bool `[m]`, which items have features.

        Raises:
            FeatureError: features of another width, or not finite.
        """
        if features.ndim != 2 or features.shape[1] != len(self.mean):
            raise FeatureError(f"the encoder is for features [m, {len(self.mean)}], got {features.shape}")
        aligned = content = np.empty((0, 0), np.float32)
        for start in range(0, len(features), _BLOCK):
            rows = slice(start, start + _BLOCK)
            block = self._of_block(features[rows], valid[rows])
            if not start:
                aligned, content = (np.empty((len(features), x.shape[1]), np.float32) for x in block)
            aligned[rows], content[rows] = block
        return aligned, content

    def _of_block(self, features: NDArray[np.floating], valid: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        if not np.isfinite(features).all():
            raise FeatureError("the features have values that are no finite numbers")
        unit = ContentSpace(self.mean)(features, valid)
        weights = nearest(unit, self.features, self.neighbours)
        weights.data = np.maximum(weights.data, 0)
        total = np.asarray(weights.sum(axis=1), dtype=np.float32)[:, None]
        per_weight = 1 / np.maximum(total, 1e-12)
        gate = torch.sigmoid(torch.from_numpy(unit @ self.weight.T + self.bias)).numpy()
        purified = per_weight * (weights @ self.item) * gate
        share = np.sqrt(1 + total) if self.symmetric else np.float32(1)
        content = (purified / share + weights @ self.passed) * share / (1 + total)
        aligned = (content + per_weight * (weights @ self.category)).astype(np.float32)
        if self.unit:
            aligned = unit_shares(torch.from_numpy(aligned), self.members).numpy()
        if self.zero_shot:
            aligned = np.hstack([aligned, columns_of(unit, self.zero_shot)])
        if self.popularity is not None:
            aligned = np.hstack([aligned, np.where(valid, np.float32(self.popularity), 0)[:, None]])
        return aligned, content.astype(np.float32)

    def save_pretrained(self, folder: Path) -> None:
        """Write `config.json` and `model.safetensors` into a folder that exists."""
        tensors = {name: np.ascontiguousarray(getattr(self, name)) for name in _TENSORS}
        config = {
            name: value
            for name in _CONFIG
            if (value := getattr(self, name)) != _Saved.model_fields[name].default
        }
        write_encoder(folder, config, lambda path: save_file(tensors, path))

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """The encoder that `save_pretrained` wrote into `folder`.

        Raises:
            EncoderError: files are missing, damaged, of another format or do not fit together.
        """
        files = EncoderFiles(Path(folder), "aligner")
        config = files.config(_Saved)
        e, n, d = (sum(files.shapes.get(name, ())[:1]) for name in ("mean", "features", "bias"))
        shapes = ((e,), (n, e), (d, e), (d,), (n, d), (n, d), (n, d))
        tensors = files.tensors(zip(_TENSORS, shapes, strict=True))
        if not e * n * d or d % config.members:
            raise files.error(
                f"{n} items with {e} features and {d} dimensions of {config.members} members are none"
            )
        index = tensors["features"]
        if np.einsum("ij,ij->i", index, index, dtype=np.float64).max() > _LONGEST**2:
            raise files.error("its features are not unit rows")
        return cls(
            **tensors,
            neighbours=config.neighbours,
            members=config.members,
            unit=config.unit,
            symmetric=config.symmetric,
            popularity=config.popularity,
            zero_shot=config.zero_shot,
        )


class _Saved(SavedConfig):
    """The config of a saved encoder."""

    neighbours: int = Field(ge=1)
    members: int = Field(ge=1)
    unit: bool
    symmetric: bool = False
    popularity: float | None = Field(None, ge=-_LARGEST, le=0)
    zero_shot: float = Field(0.0, ge=0, le=_LARGEST)


_CONFIG = ("neighbours", "members", "unit", "symmetric", "popularity", "zero_shot")
_TENSORS = tuple(field.name for field in fields(AlignedEncoder) if field.name not in _CONFIG)
