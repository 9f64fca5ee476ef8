"""What every extractor gives: a card that says what it is, and embeddings; and what finds and loads it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from alignrec.extractors.identity import ExtractorIdentity, FileHash
from alignrec.extractors.modality import Modality
from alignrec.extractors.names import ModelName

if TYPE_CHECKING:
    from alignrec.extractors.runtime import Runtime


@dataclass(frozen=True)
class ExtractorCard:
    """Everything that decides an extractor's values, as a release records it.

    Attributes:
        name: the full model name, scheme included.
        modality: the kind of content that it reads: `image`, `text` or `audio`.
        revision: the Hub commit the files came from, or None for local files.
        weights_sha256: hex SHA-256 of the weights (see `identity.weights_sha256`).
        dim: width of the pooled embedding.
        token_dim: width of a token.
        preprocessing: the model's own preprocessing, JSON-able.
        licence: the weights' licence (SPDX where known), or None where their files state none.
    """

    name: str
    modality: str
    revision: str | None
    weights_sha256: str
    dim: int
    token_dim: int
    preprocessing: dict[str, Any]
    licence: str | None


@dataclass(frozen=True, eq=False)
class Embeddings:
    """One batch's vectors, in the order given.

    Attributes:
        pooled: float32 `[b, dim]`.
        tokens: float32 `[b, t, token_dim]`, or None where not asked for; padding holds zeros.
        mask: bool `[b, t]`, True for real tokens; None with `tokens`.
    """

    pooled: NDArray[np.float32]
    tokens: NDArray[np.float32] | None = None
    mask: NDArray[np.bool_] | None = None


class Extractor(ABC):
    """A frozen pretrained model of one modality.

    Values depend on the item alone: in float32 they agree to 1e-5 of the vector's scale whatever
    the batch's size and order. A backend sets `card` and `batch_size` and implements `prepare` and
    `embed`.

    Attributes:
        card: what this extractor is.
        batch_size: a sensible number of items a batch on its device.
        device: the kind of device it computes on, `cpu` or `cuda`.
        crop: of square pictures, the share of a side that it looks at, in the middle.
        codebook: of a model that tells patches apart by codes of its own, their vectors, float32 `[codes,
            token_dim]`: a token's code is the nearest. None of any other model.
        picture_side: pixels to which `prepare` resizes a picture's shorter side, at most; larger pictures
            may be reduced before they get there (see `decode_image`). 0 where that varies, and for other
            content.
    """

    card: ExtractorCard
    batch_size: int
    device: str = "cpu"
    crop: float = 1.0
    codebook: NDArray[np.float32] | None = None
    picture_side: int = 0

    @abstractmethod
    def prepare(self, value: Any) -> Any:
        """Preprocess one RGB image, one text or one `Sound`, as the model's own files say.

        Called from several threads at once.
        """

    def length(self, prepared: Any) -> int:  # noqa: ARG002
        """Tokens of one prepared item, for batching like with like; 0 where it never varies."""
        return 0

    @abstractmethod
    def embed(self, prepared: Sequence[Any], tokens: bool = False) -> Embeddings:
        """Embed at least one prepared item; with `tokens`, give their sequences too.

        Called from several threads at once.
        """


@dataclass(frozen=True)
class Backend:
    """A family of models behind one scheme.

    The module that holds one imports no torch, so that naming models and planning a run stay quick; `load`
    imports what it needs.

    Attributes:
        name: the scheme, what stands before the colon of a model's name.
        identify: what decides a model's values, from its files and without loading it; given the function
            that hashes a file. It raises what `load` would where a file is missing or cannot be fetched.
        load: the model, for one modality, on a device; it raises `ExtractorError` where that cannot be.
        paths: which of its names are paths of this machine: `none`, `all`, or `some`, which are then all that
            have another form than published names have or that exist as a path. A release that names a path
            does not have it opened.
    """

    name: str
    identify: Callable[[ModelName, Modality, FileHash], ExtractorIdentity]
    load: Callable[[ModelName, Modality, Runtime], Extractor]
    paths: Literal["none", "some", "all"] = "some"
