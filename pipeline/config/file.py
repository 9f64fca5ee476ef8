"""Read a config file: YAML, overrides, paths made absolute, and errors that name the nearest key."""

from __future__ import annotations

import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from alignrec.core.display import shown
from alignrec.core.documents import DocumentError, parse_yaml, read_bytes
from alignrec.core.errors import nearest_file, suggest
from alignrec.core.plugins import load_plugins
from alignrec.pipeline.config.paths import make_absolute
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import ConfigError

_MOST_FAULTS, _LONGEST_KEY = 10, 80


def load_config(path: Path, overrides: Sequence[str] = ()) -> Config:
    """The validated config of a YAML file; its plugins are loaded.

    Args:
        path: the file; relative paths in it start from its folder.
        overrides: `a.b=c`, each value read as YAML.

    Raises:
        ConfigError: the file is absent or not YAML, or a key or value is wrong.
        PluginError: a plugin that it names is absent or fails.
    """
    try:
        loaded = parse_yaml(read_bytes(path).decode())
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(
            f"there is no config {path}.{nearest_file(path)} Name one with -c FILE, let `alignrec init` "
            "write one, or try `alignrec demo`."
        ) from None
    except (DocumentError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not a readable YAML file: {error}") from None
    if not isinstance(loaded, dict):
        raise ConfigError(f"{path} holds no settings: expected at least catalog.items.path.")
    for override in overrides:
        _apply(loaded, override)
    folder = path.resolve().parent
    load_plugins(folder / file for file in _plugins(loaded, path))
    try:
        config = Config.model_validate(loaded)
    except ValidationError as error:
        faults = error.errors()
        lines = [_explain(fault) for fault in faults[:_MOST_FAULTS]]
        lines += [f"and {len(faults) - _MOST_FAULTS:,} more"] * (len(faults) > _MOST_FAULTS)
        raise ConfigError(f"{path}: {'; '.join(lines)}") from None
    return make_absolute(config, folder)


def _plugins(loaded: dict[str, Any], path: Path) -> list[str]:
    """The plugin files that a config names; they are loaded before what they add can be checked."""
    files = loaded.get("plugins", [])
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        raise ConfigError(
            f"{path}: plugins = {shown(files)}: expected a list of Python files, such as [own.py]"
        )
    return files


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
        section[last] = parse_yaml(value)
    except DocumentError as error:
        raise ConfigError(f"override {override[:200]!r}: the value cannot be read: {error}") from None


def _explain(error: Any) -> str:
    place = ".".join(str(part)[:_LONGEST_KEY] for part in error["loc"])
    if error["type"] == "extra_forbidden":
        key = str(error["loc"][-1])[:_LONGEST_KEY]
        return f"unknown key {place!r}; {suggest(key, _keys(error['loc'][:-1]))}"
    if error["type"] == "missing":
        return f"{place} is not set, and has no default"
    if error["type"] == "value_error" and isinstance(error["input"], dict | BaseModel):
        return f"{place}: {error['ctx']['error']}".removeprefix(": ")
    return f"{place} = {shown(error['input'])}: {error['msg']}"


def _keys(loc: Sequence[str | int]) -> list[str]:
    """The keys a section of the config knows."""
    model: type[BaseModel] = Config
    parts = iter(loc)
    for part in parts:
        annotation = model.model_fields[str(part)].annotation
        candidates = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
        if typing.get_origin(annotation) is dict:
            candidates = typing.get_args(annotation)
            next(parts, None)  # the name under which the section stands
        model = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return list(model.model_fields)
