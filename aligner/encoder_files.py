"""A saved encoder: `config.json` with a format number, and `model.safetensors`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alignrec.aligner.errors import EncoderError

FORMAT = 1


def write_encoder(folder: Path, config: dict[str, Any], save: Callable[[Path], None]) -> None:
    """Write both files into a folder that exists.

    Args:
        folder: where to.
        config: what JSON can hold; the format is added.
        save: writes the tensors to a path.
    """
    text = json.dumps({"format": FORMAT, **config}, indent=2, sort_keys=True) + "\n"
    (folder / "config.json").write_text(text, encoding="utf-8", newline="\n")
    save(folder / "model.safetensors")


@contextmanager
def reading(folder: Path, what: str) -> Iterator[tuple[dict[str, Any], Path]]:
    """The config that `write_encoder` wrote, and the path of the tensors; whatever fails inside says where.

    Args:
        folder: where from.
        what: the encoder's name in an error.

    Raises:
        EncoderError: files are missing, damaged or of another format.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if config["format"] != FORMAT:
            raise EncoderError(f"{folder} has encoder format {config['format']}, this version reads {FORMAT}")
        yield config, folder / "model.safetensors"
    except EncoderError:
        raise
    except Exception as error:
        raise EncoderError(
            f"{folder} holds no {what} that can be read ({error}): expected config.json and "
            "model.safetensors as save_pretrained writes them"
        ) from error
