"""The state of a training under way, on disk."""

from __future__ import annotations

import io
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from alignrec.core.sealed import read_sealed, sealing

# Counts up when the states that trainings save look otherwise: one of another format is none.
FORMAT = 2


class Checkpoint:
    """One file that holds the latest state, and the fingerprint of the training it belongs to."""

    def __init__(self, path: Path, fingerprint: str) -> None:
        """Name the file and the training; nothing is read yet."""
        self.path, self.fingerprint = path, fingerprint

    def load(self) -> dict[str, Any] | None:
        """The latest state; None where there is none of this training, or it is damaged."""
        content = read_sealed(self.path)
        if content is None:
            return None
        try:
            held = torch.load(io.BufferedReader(_Mapped(content)), map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, UnpicklingError):
            return None
        mark = {"format": FORMAT, "fingerprint": self.fingerprint}
        if not isinstance(held, dict) or {name: held.get(name) for name in mark} != mark:
            return None
        state: dict[str, Any] | None = held.get("state")
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Replace the state, whole or not at all; only tensors, numbers, strings, lists and dicts."""
        held = {"format": FORMAT, "fingerprint": self.fingerprint, "state": state}
        with sealing(self.path) as temporary, temporary.open("wb") as file:
            try:
                torch.save(held, file)
            except RuntimeError as error:  # torch's own, raised where the file failed
                raise error.__context__ if isinstance(error.__context__, OSError) else error from None


class _Mapped(io.RawIOBase):
    """A file over what is mapped into memory, so that a state of gigabytes is not there twice."""

    def __init__(self, content: memoryview) -> None:
        """Begin at the first byte."""
        self._content, self._at = content, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """See `io.IOBase.seek`."""
        self._at = max(0, offset + (0, self._at, len(self._content))[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        """See `io.RawIOBase.readinto`."""
        piece = self._content[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
