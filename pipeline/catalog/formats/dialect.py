"""How a delimited file is written: its separator, what quotes mean, where it breaks the rules."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
NUL = "there is a NUL byte: the file is damaged, or UTF-16 without the mark at its start."
_STATED = re.compile(rf'"?sep=([{"".join(map(re.escape, SEPARATORS))}])"?[\r\n]*', re.IGNORECASE)
_SAMPLE = 20
_SHOWN = 60


@dataclass(frozen=True)
class Dialect:
    """How fields are parted.

    Attributes:
        separator: one of `SEPARATORS`.
        quotes: whether a field may be in quotes, inside which separators, line ends and doubled quotes are
            text (RFC 4180); otherwise quotes are characters like any other.
        skipped: lines before the header.
    """

    separator: str
    quotes: bool = True
    skipped: int = 0

    def rows(self, lines: Iterator[str]) -> Iterator[tuple[int, str, list[str]]]:
        """Rows that are not empty: the line that each begins on, from 1, its text and its fields.

        Raises:
            csv.Error: text follows the end of a quoted field, or one never ends.
        """
        kept: list[str] = []

        def noted() -> Iterator[str]:
            for line in lines:
                kept.append(line)
                yield line

        reader = csv.reader(
            noted(),
            delimiter=self.separator,
            quoting=csv.QUOTE_MINIMAL if self.quotes else csv.QUOTE_NONE,
            strict=True,
        )
        for _ in range(self.skipped):
            next(lines, None)
        first = 1 + self.skipped
        for fields in reader:
            if fields:
                yield first, "".join(kept), fields
            kept.clear()
            first = 1 + self.skipped + reader.line_num


def tab_dialect(header: str) -> Dialect:
    """That of a tab-separated file: quotes are plain characters unless every name of its header has them."""
    names = header.rstrip("\r\n").split("\t")
    return Dialect("\t", all(len(name) > 1 and name[0] == name[-1] == '"' for name in names))


def find_dialect(lines: Sequence[str]) -> Dialect:
    """That of a file whose name says CSV, by its first lines: the separator that makes rows of equal length.

    Commas count before all else; a header without any separator is one column. A first line such as `sep=;`,
    by which Excel is told, says it.
    """
    if lines and (stated := _STATED.fullmatch(lines[0])):
        header = next((line for line in lines[1:] if line.strip("\r\n")), "")
        found = tab_dialect(header) if stated[1] == "\t" else Dialect(stated[1])
        return replace(found, skipped=1)
    text = [line for line in lines if line.strip("\r\n")]
    dialects = [
        tab_dialect(text[0]) if separator == "\t" and text else Dialect(separator) for separator in SEPARATORS
    ]
    lengths = {dialect: _lengths(dialect, text) for dialect in dialects}
    parting = [dialect for dialect in dialects if lengths[dialect][:1] > [1]]
    regular = (dialect for dialect in parting if len(set(lengths[dialect])) == 1)
    return next(regular, next(iter(parting), dialects[0]))


def _lengths(dialect: Dialect, lines: Sequence[str]) -> list[int]:
    """Numbers of fields of the first rows, as far as they follow the rules."""
    lengths: list[int] = []
    with suppress(csv.Error):  # what is wrong is reported when the table is read
        lengths += (len(fields) for _, _, fields in islice(dialect.rows(iter(lines)), _SAMPLE))
    return lengths


def find_fault(dialect: Dialect, lines: Iterator[str], header: Sequence[str]) -> str | None:
    """What is wrong with a file's first row that breaks the rules, with its line; None where none does.

    Args:
        dialect: how the file is written.
        lines: of the file, from its first.
        header: the fields of its header.
    """
    line, last = 1, 0
    rows = dialect.rows(_counted(lines, counted := [0]))
    try:
        for line, text, fields in rows:
            last = counted[0]
            if "\0" in text:
                return f"line {line}: {NUL}"
            if len(fields) != len(header):
                return _wrong_length(dialect, line, text, fields, header)
    except csv.Error as error:
        line = last + 1
        if "unexpected end" in str(error):
            return f"line {line}: a quoted field begins there and never ends."
        if "expected after" in str(error):
            return (
                f"line {line}: in the row that begins there, text follows the end of a quoted field. "
                'A quote inside such a field is written twice (""), and a field beginning with one is quoted.'
            )
    return None


def _counted(lines: Iterator[str], counted: list[int]) -> Iterator[str]:
    for line in lines:
        counted[0] += 1
        yield line


def _wrong_length(
    dialect: Dialect, line: int, text: str, fields: Sequence[str], header: Sequence[str]
) -> str:
    start = text.rstrip("\r\n")
    start = start if len(start) <= _SHOWN else f"{start[:_SHOWN]}…"
    message = (
        f"line {line}: expected {len(header)} fields, got {len(fields)}: {start!r}. The header has "
        f"{', '.join(map(repr, header[:8]))}{', …' if len(header) > 8 else ''}."
    )
    if len(header) == 1:
        return f"{message} A header comes first, without comments above it."
    if len(fields) < len(header):
        return f"{message} A field without a value keeps its separator."
    if not fields[-1].strip() and len(fields) == len(header) + 1:
        return f"{message} The row ends with a separator, the header does not: make them alike."
    if dialect.quotes:
        return f"{message} A field that holds a separator is written in quotes."
    return f"{message} Quotes are plain characters here: a field holds neither tabs nor line ends."
