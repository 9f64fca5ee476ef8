"""Files as people have them: gzipped or not, of other content than their names say, damaged at some line."""

from __future__ import annotations

import codecs
import csv
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

_BINARY = (".parquet", ".arrow", ".feather", ".ipc")
# As long as it takes to be no name of a column.
PARQUET, ARROW, _GZIP = b"PAR1\x15", b"ARROW1\0\0", b"\x1f\x8b"
# How files begin that are no text, what they are, and what to do with them.
_OTHERS = {
    PARQUET: "a Parquet file: let its name end in .parquet",
    ARROW: "an Arrow file: let its name end in .arrow",
    _GZIP: "gzipped: unpack it, since only text is read so",
    b"FEA1\0": "a Feather file of version 1: write it as Parquet",
    b"PK\x03\x04": "a ZIP archive, as .xlsx and .ods are: unpack it, or save its table as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save its table as CSV",
    b"BZh91AY&SY": "compressed by bzip2: unpack it",
    b"\xfd7zXZ\x00": "compressed by xz: unpack it",
    b"\x28\xb5\x2f\xfd": "compressed by zstd: unpack it",
    b"SQLite format 3\x00": "an SQLite database: save its table as CSV",
    b"\x89HDF\r\n": "an HDF5 file: save its table as Parquet",
    b"Obj\x01": "an Avro file: save its table as Parquet",
}
_MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32"}
_MARKS |= {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def open_bytes(file: Path) -> IO[bytes]:
    """The bytes of a file of text, decompressed if they are gzipped, whatever the file's name says.

    Raises:
        CatalogError: they are those of another format.
        OSError: as `open_regular`.
    """
    if begins_as(file, _GZIP) == _GZIP:
        return cast("IO[bytes]", gzip.open(file))
    return open_regular(file)


def begins_as(file: Path, *expected: bytes) -> bytes | None:
    """Which of the expected ways a file begins; None for one that is not known.

    Raises:
        CatalogError: it begins as another format does; says which.
        OSError: as `open_regular`.
    """
    with open_regular(file) as stream:
        start = stream.read(16)
    found = next((mark for mark in (*expected, *_OTHERS) if start.startswith(mark)), None)
    if found in _OTHERS and found not in expected:
        raise CatalogError(f"{file} is {_OTHERS[found]}.")
    return found


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
    except (ValueError, OSError, EOFError, csv.Error, zlib.error, pa.ArrowException) as error:
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
