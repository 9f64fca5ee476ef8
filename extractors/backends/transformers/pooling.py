"""How a text model's tokens become one vector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class TextPooling:
    """A pooling and what surrounds it.

    Attributes:
        modes: `features` (a dual encoder's projection), `projection` (a lone tower's), `pooler` (a text
            tower's own output), or any of `MODES`, whose vectors are joined in this order.
        max_length: tokens kept, where the files state it.
        lower: whether texts are lower-cased first.
        prompt: what every text is prefixed with.
        include_prompt: whether the prompt's tokens are pooled too.
        truncate: how many of the vector's first values are kept; None for all.
    """

    modes: tuple[str, ...]
    max_length: int | None = None
    lower: bool = False
    prompt: str = ""
    include_prompt: bool = True
    truncate: int | None = None

    def describe(self) -> dict[str, Any]:
        """For the card."""
        return {
            "pooling": "+".join(self.modes),
            "lower": self.lower,
            "prompt": self.prompt,
            "include_prompt": self.include_prompt,
            "truncate_dim": self.truncate,
        }

    def __call__(
        self, output: Any, states: torch.Tensor, mask: torch.Tensor, prompt_length: int = 0
    ) -> torch.Tensor:
        """Pool float32 states `[b, t, d]` under a bool mask `[b, t]`, padded right, to `[b, d · modes]`.

        The first `prompt_length` tokens are left out, unless the prompt is pooled too.
        """
        if not self.include_prompt:
            mask = mask.clone()
            mask[:, :prompt_length] = False
        pooled = [
            OUTPUTS[mode](output) if mode in OUTPUTS else MODES[mode](states, mask) for mode in self.modes
        ]
        return torch.cat([vectors.float() for vectors in pooled], dim=1)


def _cls(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return _take(states, mask.int().argmax(dim=1))


def _last(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return _take(states, mask.shape[1] - 1 - mask.flip(1).int().argmax(dim=1))


def _max(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return states.masked_fill(~mask.unsqueeze(-1), float("-inf")).amax(dim=1)


def _mean(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return (states * mask.unsqueeze(-1)).sum(dim=1) / mask.sum(dim=1, keepdim=True)


def _mean_sqrt(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return (states * mask.unsqueeze(-1)).sum(dim=1) / mask.sum(dim=1, keepdim=True).sqrt()


def _weighted_mean(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Weights are places counted from 1, those of a prompt that is left out included."""
    weights = mask * torch.arange(1, mask.shape[1] + 1, device=mask.device)
    return (states * weights.unsqueeze(-1)).sum(dim=1) / weights.sum(dim=1, keepdim=True)


def _take(states: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    return states[torch.arange(len(states), device=states.device), places]


# sentence-transformers' poolings by its names, in the order in which older files' poolings are joined.
MODES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "cls": _cls,
    "max": _max,
    "mean": _mean,
    "mean_sqrt_len_tokens": _mean_sqrt,
    "weightedmean": _weighted_mean,
    "lasttoken": _last,
}
# What a model pools itself.
OUTPUTS: dict[str, Callable[[Any], torch.Tensor]] = {
    "features": lambda output: output.pooler_output,
    "pooler": lambda output: output.pooler_output,
    "projection": lambda output: output.text_embeds,
}
