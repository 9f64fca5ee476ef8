"""Text files as people have them: gzipped or not, and what is damaged in one named with its line."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from alignrec.core.errors import nearest_file
from alignrec.core.files import open_regular
from alignrec.pipeline.errors import CatalogError

_BINARY = (".parquet",)


def open_bytes(file: Path) -> IO[bytes]:
    """A file's bytes, decompressed if its name ends in .gz; raises as `open_regular`."""
    stream = open_regular(file)
    if file.suffix != ".gz":
        return stream
    stream.close()
    return cast("IO[bytes]", gzip.open(file))


def read_lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that may be gzipped, each with its number from 1; empty ones are left out.

    Raises:
        CatalogError: it is not there, or ends in the middle of its compressed data; with the line.
    """
    if not file.is_file():
        raise CatalogError(
            f"there is no file {file}.{nearest_file(file)} The path starts from the config's folder."
        )
    with readable(file), open_bytes(file) as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, line.rstrip(b"\r\n")


@contextmanager
def readable(file: Path) -> Iterator[None]:
    """Turn what a reader raises on a damaged file into one clear error, with the line where there is one.

    Raises:
        CatalogError: the block raised such an error.
    """
    try:
        yield
    except (ValueError, OSError, EOFError, zlib.error, pa.ArrowException) as error:
        place, undecodable = ("", None) if file.suffix in _BINARY else _damage(file)
        reason = " ".join(str(error).split())
        if undecodable is not None:
            message = f"{file}{place} is not UTF-8: {undecodable}. Convert it, then run again."
        else:
            message = f"{file}{place} cannot be read: {reason}"
        raise CatalogError(message) from None


def _damage(file: Path) -> tuple[str, UnicodeDecodeError | None]:
    """Where a text file stops being readable, as the middle of a message, and its first undecodable line."""
    number = 0
    try:
        with open_bytes(file) as lines:
            for number, line in enumerate(lines, start=1):  # noqa: B007
                line.decode("utf-8")
    except UnicodeDecodeError as error:
        return f", line {number},", error
    except (OSError, EOFError, zlib.error):
        return f", after line {number},", None
    return "", None
