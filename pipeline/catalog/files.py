"""Text files as people have them: gzipped or not, and what is damaged in one named with its line."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from alignrec.core.errors import nearest_file
from alignrec.core.files import open_regular
from alignrec.pipeline.errors import CatalogError

_BINARY = (".parquet",)
_MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32"}
_MARKS |= {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def open_bytes(file: Path) -> IO[bytes]:
    """A file's bytes, decompressed if its name ends in .gz; raises as `open_regular`."""
    stream = open_regular(file)
    if file.suffix != ".gz":
        return stream
    stream.close()
    return cast("IO[bytes]", gzip.open(file))


def open_text(file: Path) -> IO[bytes]:
    """A text file's bytes in UTF-8: as they are, or converted from UTF-16 or UTF-32 if its mark says so."""
    stream = open_bytes(file)
    try:
        start = stream.read(4)
        stream.seek(0)
    except BaseException:
        stream.close()
        raise
    encoding = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    return stream if encoding is None else io.BufferedReader(_Converted(stream, encoding))


class _Converted(io.RawIOBase):
    """A stream of text in some encoding, read as UTF-8."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        super().__init__()
        self._text = io.TextIOWrapper(stream, encoding, newline="")
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or self._text.read(2**16).encode("utf-8", "surrogatepass")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self._text.close()
        super().close()


def read_lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that may be gzipped, each with its number from 1; empty ones are left out.

    Raises:
        CatalogError: it is not there, or ends in the middle of its compressed data; with the line.
    """
    if not file.is_file():
        raise CatalogError(
            f"there is no file {file}.{nearest_file(file)} The path starts from the config's folder."
        )
    with readable(file), open_text(file) as lines:
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
            wrong, byte = undecodable.start, undecodable.object[undecodable.start]
            message = (
                f"{file}{place} is not UTF-8: byte {wrong + 1} of the line is 0x{byte:02x}. "
                "Convert it, then run again; if it is Latin-1 or Windows-1252, by "
                "`iconv -f WINDOWS-1252 -t UTF-8`."
            )
        else:
            message = f"{file}{place} cannot be read: {reason}"
        raise CatalogError(message) from None


def _damage(file: Path) -> tuple[str, UnicodeDecodeError | None]:
    """Where a text file stops being readable, as the middle of a message, and its first undecodable line."""
    number = 0
    try:
        with open_text(file) as lines:
            for number, line in enumerate(lines, start=1):  # noqa: B007
                line.decode("utf-8")
    except UnicodeDecodeError as error:
        return f", line {number},", error
    except (OSError, EOFError, zlib.error):
        return f", after line {number},", None
    return "", None
