"""Modules by the names of modalities, which people choose."""

from __future__ import annotations

from torch import nn


class NamedModules(nn.ModuleDict):
    """A `ModuleDict` whose keys may be any names without a dot.

    PyTorch's refuses those that a module has as attributes, such as `type`: they would hide one another as
    attributes, and nothing here is asked for as one.
    """

    def __setitem__(self, key: str, module: nn.Module) -> None:
        """Take in a module; its tensors are saved under the key, a dot and their own names."""
        self._modules[key] = module
