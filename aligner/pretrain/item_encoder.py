"""What pretraining leaves, whichever form it has: an encoder of items, and how a saved one is found again."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict

from alignrec.aligner.encoder_files import EncoderFiles, SavedConfig
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.cls_encoder import ClsEncoder
from alignrec.aligner.pretrain.encoder import MultimodalEncoder
from alignrec.aligner.pretrain.linear_encoder import LinearEncoder
from alignrec.aligner.pretrain.residual_encoder import ResidualEncoder
from alignrec.aligner.pretrain.settings import CLS_FORM, LINEAR, RESIDUAL


class ItemEncoder(Protocol):
    """Makes an item's modalities one vector."""

    def encode(self, inputs: Inputs, device: str = "cpu") -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The item vectors of a catalogue, float32 `[n, dim]`, and who has one, bool `[n]`."""
        ...

    def save_pretrained(self, folder: Path) -> None:
        """Write `config.json` and `model.safetensors` into a folder that exists."""
        ...


class _Form(Protocol):
    def from_pretrained(self, folder: str | Path, /) -> ItemEncoder: ...


# Encoders of the form that was once the only one do not name it.
_FORMS: dict[str, _Form] = {LINEAR: LinearEncoder, RESIDUAL: ResidualEncoder, CLS_FORM: ClsEncoder}


class _AnyEncoder(SavedConfig):
    model_config = ConfigDict(frozen=True, extra="ignore")

    settings: dict[str, Any]


def load_encoder(folder: str | Path) -> ItemEncoder:
    """The encoder that `save_pretrained` wrote into `folder`, of whichever form.

    Raises:
        EncoderError: files are missing, damaged, of another format or do not fit together.
    """
    config = EncoderFiles(Path(folder), "multimodal encoder").config(_AnyEncoder)
    form = _FORMS.get(str(config.settings.get("vector")), MultimodalEncoder)
    return form.from_pretrained(folder)
