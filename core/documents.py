"""JSON, YAML and READMEs that strangers wrote: read within limits of size and depth, as values or a model."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from alignrec.core.display import printable_line
from alignrec.core.errors import AlignRecError
from alignrec.core.files import open_regular

MOST_BYTES = 1 << 26
# PyYAML takes seconds for a megabyte.
MOST_YAML_BYTES, MOST_YAML_NODES, DEEPEST_YAML = 1 << 18, 100_000, 100
# Longer numbers take time that grows with the square of their length.
_LONGEST_NUMBER = 100
_NUMBERS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
_SURROGATE = re.compile("[\ud800-\udfff]")
# What PyYAML raises for one odd value or another.
_ODD = (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)

# Where metadata begin and end; looked for one after the other, which takes no longer than reading does.
_HEAD_BEGINS, _HEAD_ENDS = re.compile(r"\s*---[\r\n]"), re.compile(r"[\r\n]---(?:\r\n|\n|\Z)")

T = TypeVar("T")


class DocumentError(AlignRecError, ValueError):
    """A document is not what was expected; the message is the reason, for the caller to say where."""


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of a regular file of at most `most` bytes; pipes and devices are not waited for.

    Raises:
        FileNotFoundError, NotADirectoryError: it is not there.
        DocumentError: it is no regular file, too large, or cannot be read.
    """
    try:
        with open_regular(path) as file:
            data = file.read(most + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        if error.errno in (errno.EISDIR, errno.EINVAL):
            raise DocumentError("it is not a regular file") from None
        raise DocumentError(f"it cannot be read: {error.strerror}") from None
    if len(data) > most:
        raise DocumentError(f"it has more than {most:,} bytes")
    return data


def parse_json(data: bytes) -> Any:
    """The JSON value of UTF-8 bytes: at most about 200 levels deep, numbers finite, text without surrogates.

    Raises:
        DocumentError: it is none.
    """
    if len(data) > MOST_BYTES:
        raise DocumentError(f"it has more than {MOST_BYTES:,} bytes")
    try:
        value = from_json(data, allow_inf_nan=False, cache_strings="keys")
        json.dumps(value, allow_nan=False)  # 1e999 is infinite all the same
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"it is not JSON: {_one_line(error)}") from None
    return value


def parse_as(kind: type[T] | TypeAdapter[T], data: bytes) -> T:
    """JSON as a pydantic model, or as what an adapter is of; no type is taken for another.

    Raises:
        DocumentError: it is not JSON, or not of that form; the first fault is named.
    """
    parse_json(data)
    adapter = kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)
    try:
        return adapter.validate_json(data, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part)[:200] for part in first["loc"])[:200]
        raise DocumentError(printable_line(f"{place or 'the whole'}: {first['msg'][:300]}")) from None


def parse_yaml(text: str) -> Any:
    """The value of a YAML document, of plain types alone; without a document None.

    What aliases stand for counts as often as they name it, so a small text stays a small value.

    Raises:
        DocumentError: it is not YAML, too large or too deep, or holds a value that does not exist.
    """
    if len(text) > MOST_YAML_BYTES:
        raise DocumentError(f"it has more than {MOST_YAML_BYTES:,} characters")
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _measure(node, {}, 0)
        return loader.construct_document(node)
    except DocumentError:
        raise
    except _ODD as error:
        deep = isinstance(error, RecursionError)
        raise DocumentError(
            "it is nested too deeply" if deep else f"it is not YAML: {_one_line(error)}"
        ) from None


def parse_front_matter(data: bytes) -> tuple[dict[str, Any], str]:
    """The metadata at the head of a README and the text below them, as the Hub tells them apart.

    Raises:
        DocumentError: it is not UTF-8, or the head is not a YAML mapping of names.
    """
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(f"it is not UTF-8: {error}") from None
    begin = _HEAD_BEGINS.match(content)
    end = _HEAD_ENDS.search(content, begin.end()) if begin else None
    if begin is None or end is None:
        return {}, content
    metadata = parse_yaml(content[begin.end() : end.start()])
    if metadata is None:
        metadata = {}
    if not isinstance(metadata, dict) or not all(isinstance(name, str) for name in metadata):
        raise DocumentError("its metadata is no mapping of names")
    return metadata, content[end.end() :]


def _measure(node: yaml.Node, known: dict[yaml.Node, tuple[int, int]], depth: int) -> tuple[int, int]:
    """How many nodes there are once every alias is written out, and how deep they lie.

    Raises:
        DocumentError: too many, too deep, or one that holds itself.
    """
    if node not in known:
        if depth > DEEPEST_YAML:
            raise DocumentError("it is nested too deeply, or holds itself")
        if node.tag in _NUMBERS and len(node.value) > _LONGEST_NUMBER:
            raise DocumentError(f"it has a number of {len(node.value):,} digits")
        if isinstance(node, yaml.ScalarNode) and _SURROGATE.search(node.value):
            raise DocumentError("it has half of a surrogate pair, which is no text")
        inner = [] if isinstance(node, yaml.ScalarNode) else node.value
        if isinstance(node, yaml.MappingNode):
            inner = [one for pair in inner for one in pair]
        found = [_measure(one, known, depth + 1) for one in inner]
        count = 1 + sum(nodes for nodes, _ in found)
        if count > MOST_YAML_NODES:
            raise DocumentError(f"it holds more than {MOST_YAML_NODES:,} values")
        known[node] = count, 1 + max((height for _, height in found), default=0)
    if depth + known[node][1] > DEEPEST_YAML + 1:
        raise DocumentError("it is nested too deeply")
    return known[node]


def _one_line(error: Exception) -> str:
    return printable_line(str(error)[:200])
