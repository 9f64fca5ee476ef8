"""Paths in a config: relative ones start from its folder, wherever the user stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from alignrec.core.vocabulary import KINDS
from alignrec.extractors.names import split_way
from alignrec.pipeline.config.settings import Config

HUB = "hf"
# Schemes of models that are files.
_OF_FILES = ("given", "beit3", "vqkd")
# Two letters or more, so that the drive of a Windows path is no scheme.
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):(.+)", re.DOTALL)


def split_scheme(path: str, folder: Path = Path()) -> tuple[str, str]:
    """The scheme and the path of `amazon-2018:meta.json.gz`; the scheme is "" for an ordinary table.

    A scheme is known by its form alone; which ones there are is for whoever opens the table to say. A file
    whose own name has that form is an ordinary table.

    Args:
        path: as a config names a table.
        folder: a relative path starts from it.
    """
    match = _SCHEME.fullmatch(path)
    return (match[1], match[2]) if match and not (folder / path).exists() else ("", path)


def named_split(path: str) -> tuple[str, str]:
    """The folder and the split of `saved#train`, a split of a saved dataset; the split is "" for other paths.

    Args:
        path: of a table, without a scheme; one that is there under its whole name has no split.
    """
    folder, mark, split = path.rpartition("#")
    return (folder, split) if mark and not Path(path).exists() and Path(folder).is_dir() else (path, "")


def make_absolute(config: Config, folder: Path) -> Config:
    """The same config with every path absolute.

    Args:
        config: as it was read.
        folder: absolute; relative paths start from it.
    """
    items, interactions = config.catalog.items, config.catalog.interactions
    changes: dict[str, Any] = {"path": _table(items.path, folder)}
    if isinstance(items.image_root, Path):
        changes["image_root"] = folder / items.image_root
    changes["linked_folders"] = tuple(folder / linked for linked in items.linked_folders)
    catalog: dict[str, Any] = {"items": items.model_copy(update=changes)}
    catalog["modalities"] = {
        name: modality.model_copy(update={"model": modality.model and _model(modality.model, folder)})
        for name, modality in config.catalog.modalities.items()
    }
    if interactions is not None:
        catalog["interactions"] = interactions.model_copy(update={"path": _table(interactions.path, folder)})
    named = {name: getattr(config.extract, name) for name in KINDS}
    models = {name: model and _model(model, folder) for name, model in named.items()}
    finetune = config.finetune and config.finetune.model_copy(
        update={"teacher": _model(config.finetune.teacher, folder)}
    )
    split = {name: folder / path for name, path in config.split if isinstance(path, Path)}
    rankings = {name: folder / path for name, path in config.evaluate.rankings.items()}
    return config.model_copy(
        update={
            "evaluate": config.evaluate.model_copy(update={"rankings": rankings}),
            "out": (folder / config.run_folder).resolve(),
            "plugins": tuple(folder / file for file in config.plugins),
            "catalog": config.catalog.model_copy(update=catalog),
            "split": config.split.model_copy(update=split),
            "finetune": finetune,
            "extract": config.extract.model_copy(update=models),
        }
    )


def _table(path: str, folder: Path) -> str:
    """A table's path, made absolute behind its scheme; the name of a dataset on the Hub stays."""
    scheme, rest = split_scheme(path, folder)
    if scheme == HUB:
        return path
    return f"{scheme}:{folder / rest}" if scheme else str(folder / path)


def _model(name: str, folder: Path) -> str:
    """A model given as a path, made absolute; other names as they are."""
    scheme, _, model = name.partition(":")
    way, path = split_way(model)
    local = folder / path
    is_local = scheme != "packaged" and (local.is_dir() or (local.is_file() and scheme in _OF_FILES))
    return f"{scheme}:{way}{local.resolve()}" if is_local else name
