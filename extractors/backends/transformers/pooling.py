"""How a text model's tokens become one vector, read from the files that come with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.model_folder import read_json, read_modules

# Keys of sentence-transformers' 1_Pooling/config.json (older files) and values of its `pooling_mode`.
MODES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_lasttoken": "lasttoken",
}
MODULES = {"Transformer", "Pooling", "Normalize"}


@dataclass(frozen=True)
class TextPooling:
    """One pooling and what surrounds it.

    Attributes:
        mode: `features` (a dual encoder's projection), `pooler` (a text tower's own output), `mean`,
            `cls`, `max` or `lasttoken`.
        normalize: whether the vector is scaled to length one.
        max_length: tokens kept, where the files state it.
        lower: whether texts are lower-cased first.
        prompt: what every text is prefixed with.
    """

    mode: str
    normalize: bool = False
    max_length: int | None = None
    lower: bool = False
    prompt: str = ""

    @classmethod
    def read(cls, folder: Path, *, dual: bool, tower: bool) -> TextPooling:
        """What a model folder states.

        Dual encoders project; lone text towers of dual encoders give their pooler's output; models
        with sentence-transformers' files do as those say; any other model averages its tokens.

        Raises:
            ExtractorError: the files name a module or a pooling that is not supported.
        """
        if dual:
            return cls("features")
        kinds = dict(read_modules(folder))
        if not kinds:
            return cls("pooler" if tower else "mean")
        unknown = sorted(set(kinds) - MODULES)
        if unknown or "Pooling" not in kinds:
            what = f"uses {', '.join(unknown)}" if unknown else "has no pooling"
            raise ExtractorError(
                f"{folder}: modules.json {what}; supported are {', '.join(sorted(MODULES))}: "
                "choose another model"
            )
        transformer = read_json(folder / "sentence_bert_config.json")
        file = folder / "config_sentence_transformers.json"
        prompts = read_json(file)
        _refuse(file, "truncate_dim", prompts.get("truncate_dim"), None)
        prompt = (prompts.get("prompts") or {}).get(prompts.get("default_prompt_name"), "")
        pooling = kinds["Pooling"] / "config.json"
        if prompt:
            _refuse(pooling, "include_prompt", read_json(pooling).get("include_prompt", True), True)
        return cls(
            mode=_mode(pooling),
            normalize="Normalize" in kinds,
            max_length=transformer.get("max_seq_length"),
            lower=bool(transformer.get("do_lower_case")),
            prompt=prompt,
        )

    def describe(self) -> dict[str, Any]:
        """For the card."""
        return {
            "pooling": self.mode,
            "normalize": self.normalize,
            "lower": self.lower,
            "prompt": self.prompt,
        }

    def __call__(self, output: Any, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Pool float32 states `[b, t, d]` under a bool mask `[b, t]` to `[b, d]`."""
        if self.mode in ("features", "pooler"):
            pooled = output.pooler_output.float()
        elif self.mode == "cls":
            pooled = states[:, 0]
        elif self.mode == "lasttoken":
            last = mask.sum(dim=1) - 1
            pooled = states[torch.arange(len(states), device=states.device), last]
        elif self.mode == "max":
            pooled = states.masked_fill(~mask.unsqueeze(-1), float("-inf")).amax(dim=1)
        else:
            pooled = (states * mask.unsqueeze(-1)).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return F.normalize(pooled, dim=-1) if self.normalize else pooled


def _refuse(path: Path, key: str, value: Any, supported: Any) -> None:
    """Stop at a setting that would give other vectors than sentence-transformers gives."""
    if value != supported:
        raise ExtractorError(
            f"{path} states {key}: {json.dumps(value)}, which is not supported (only "
            f"{json.dumps(supported)} is), and vectors would not be those of sentence-transformers: "
            "choose another model"
        )


def _mode(path: Path) -> str:
    """The one pooling that a Pooling module's config states."""
    config = read_json(path)
    stated = config.get("pooling_mode")
    if stated is not None:
        chosen = [stated] if isinstance(stated, str) else list(stated)
    else:
        chosen = [MODES.get(key, key) for key, on in config.items() if key.startswith("pooling_mode") and on]
    if len(chosen) != 1 or chosen[0] not in MODES.values():
        raise ExtractorError(
            f"{path} states the pooling {chosen}; supported is exactly one of "
            f"{', '.join(sorted(MODES.values()))}: choose another model"
        )
    return str(chosen[0])
