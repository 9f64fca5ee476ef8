"""Read a config file: YAML, overrides, paths made absolute, and errors that name the nearest key."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from alignrec.core.errors import nearest_file
from alignrec.pipeline.catalog.sources import split_source
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import ConfigError


def load_config(path: Path, overrides: Sequence[str] = ()) -> Config:
    """The validated config of a YAML file.

    Args:
        path: the file; relative paths in it start from its folder.
        overrides: `a.b=c`, each value read as YAML.

    Raises:
        ConfigError: the file is absent or not YAML, or a key or value is wrong.
    """
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"there is no config {path}.{nearest_file(path)} Name one with -c FILE, let `alignrec init` "
            "write one, or try `alignrec demo`."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path} is not a readable YAML file: {error}") from None
    if not isinstance(loaded, dict):
        raise ConfigError(f"{path} holds no settings: expected at least catalog.items.path.")
    for override in overrides:
        _apply(loaded, override)
    try:
        config = Config.model_validate(loaded)
    except ValidationError as error:
        raise ConfigError(f"{path}: {'; '.join(_explain(e) for e in error.errors())}") from None
    return _absolute(config, path.resolve().parent)


def _apply(loaded: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not all(key.split(".")):
        raise ConfigError(f"override {override!r} is not of the form a.b=c")
    section = loaded
    *parents, last = key.split(".")
    for parent in parents:
        inner = section.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"override {override!r}: {parent!r} is not a section")
        section = inner
    try:
        section[last] = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(f"override {override!r}: the value is not YAML: {error}") from None


def _explain(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        known = _keys(error["loc"][:-1])
        near = difflib.get_close_matches(str(error["loc"][-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
        return f"unknown key {place!r}; {hint}"
    if error["type"] == "missing":
        return f"{place} is not set, and has no default"
    if error["type"] == "value_error" and isinstance(error["input"], dict | BaseModel):
        return f"{place}: {error['ctx']['error']}".removeprefix(": ")
    return f"{place} = {error['input']!r}: {error['msg']}"


def _keys(loc: Sequence[str | int]) -> list[str]:
    """The keys a section of the config knows."""
    model: type[BaseModel] = Config
    for part in loc:
        annotation = model.model_fields[str(part)].annotation
        candidates = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
        model = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return list(model.model_fields)


def _absolute(config: Config, folder: Path) -> Config:
    """The same config, with every path starting from the root and not from where the user stands."""
    items = config.catalog.items
    changes: dict[str, Any] = {"path": _locate(items.path, folder)}
    if items.image_root is not None:
        changes["image_root"] = folder / items.image_root
    catalog: dict[str, Any] = {"items": items.model_copy(update=changes)}
    interactions = config.catalog.interactions
    if interactions is not None:
        catalog["interactions"] = interactions.model_copy(update={"path": _locate(interactions.path, folder)})
    extract = config.extract.model_copy(
        update={side: _locate_model(getattr(config.extract, side), folder) for side in ("image", "text")}
    )
    split = {name: folder / path for name, path in config.split if isinstance(path, Path)}
    return config.model_copy(
        update={
            "split": config.split.model_copy(update=split),
            "out": (folder / config.run_folder).resolve(),
            "catalog": config.catalog.model_copy(update=catalog),
            "extract": extract,
        }
    )


def _locate(path: str, folder: Path) -> str:
    if path.startswith("hf:"):
        return path
    scheme, rest = split_source(path)
    return f"{scheme}:{folder / rest}" if scheme else str(folder / path)


def _locate_model(name: str, folder: Path) -> str:
    """A model given as a path relative to the config file, made absolute; other names as they are."""
    scheme, _, model = name.partition(":")
    prefix = "local-dir:" if model.startswith("local-dir:") else ""
    local = folder / model.removeprefix(prefix)
    is_local = local.is_file() if scheme == "given" else scheme != "packaged" and local.is_dir()
    return f"{scheme}:{prefix}{local.resolve()}" if is_local else name
