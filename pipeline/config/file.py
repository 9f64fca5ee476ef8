"""Read a config file: YAML, overrides, paths made absolute, and errors that name the nearest key."""

from __future__ import annotations

import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from alignrec.core.errors import nearest_file, suggest
from alignrec.core.files import open_regular
from alignrec.core.plugins import load_plugins
from alignrec.pipeline.config.paths import make_absolute
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import ConfigError


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
        with open_regular(path) as file:
            loaded = yaml.safe_load(file.read().decode())
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
    folder = path.resolve().parent
    load_plugins(folder / file for file in _plugins(loaded, path))
    try:
        config = Config.model_validate(loaded)
    except ValidationError as error:
        raise ConfigError(f"{path}: {'; '.join(_explain(e) for e in error.errors())}") from None
    return make_absolute(config, folder)


def _plugins(loaded: dict[str, Any], path: Path) -> list[str]:
    """The plugin files that a config names; they are loaded before what they add can be checked."""
    files = loaded.get("plugins", [])
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        raise ConfigError(f"{path}: plugins = {files!r}: expected a list of Python files, such as [own.py]")
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
        section[last] = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(f"override {override!r}: the value is not YAML: {error}") from None


def _explain(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"unknown key {place!r}; {suggest(str(error['loc'][-1]), _keys(error['loc'][:-1]))}"
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
