"""docs/config.md, made from the settings: `python -m alignrec.pipeline.config.reference docs/config.md`."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from alignrec.pipeline.config.settings import Config

HEAD = """# Configuration

Every key of `alignrec.yaml`, its default and what it does. Paths start from the file's folder. A key that
does not exist is refused, with the nearest one that does; `-o a.b=value` overrides one for a single run. This
page is made from the code by `make docs`.
"""


def reference() -> str:
    """The whole page, in Markdown."""
    return "\n".join([HEAD, *_section("", Config)])


def _section(prefix: str, model: type[BaseModel]) -> Iterator[str]:
    """A table of a section's own keys, then the sections inside it."""
    inner = {name: found for name, field in model.model_fields.items() if (found := _model_of(field))}
    title = f"`{prefix.rstrip('.')}`" if prefix else "The file"
    about = (model.__doc__ or "").strip().splitlines()[0]
    yield f"## {title}\n\n{about}\n"
    own = {name: field for name, field in model.model_fields.items() if name not in inner or _by_name(field)}
    if own:
        yield "| key | default | values | what it does |\n| --- | --- | --- | --- |"
        for name, field in own.items():
            cells = (_default(field), _type(field.annotation), field.description or "")
            yield f"| `{prefix}{name}` | " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        yield ""
    for name, section in inner.items():
        any_name = "NAME." if _by_name(model.model_fields[name]) else ""
        yield from _section(f"{prefix}{name}.{any_name}", section)


def _by_name(field: FieldInfo) -> bool:
    """Whether it holds any number of sections, each under a name."""
    return get_origin(field.annotation) is dict


def _model_of(field: FieldInfo) -> type[BaseModel] | None:
    kinds = [field.annotation, *get_args(field.annotation)]
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required" if field.default_factory is None else "see below"
    if field.default is None:
        return "none"
    value = list(field.default) if isinstance(field.default, tuple) else field.default
    return f"`{value}`"


def _type(kind: Any) -> str:
    """A type in a reader's words."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inside)
    if origin in (Union, types.UnionType):
        return " or ".join(_type(part) for part in inside if part is not type(None))
    if origin is dict:
        return "sections by name"
    if origin is tuple:
        return f"list of {_type(inside[0])}"
    if origin is dict:
        return f"{_type(inside[0])} to {_type(inside[1])}"
    if hasattr(kind, "__metadata__"):
        return _type(inside[0])
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}
    return names.get(kind, getattr(kind, "__name__", str(kind)))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
