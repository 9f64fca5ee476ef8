"""Text templates: plain `{field}` placeholders, and punctuation that leaves with an empty field."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from alignrec.extractors.errors import TemplateError
from alignrec.extractors.inputs.text import as_text, tidy

_CLOSERS = {")": "(", "]": "[", "}": "{", "»": "«", "”": "“"}
_OPENERS = frozenset(_CLOSERS.values())
_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")
_SENTENCE_ENDS = (".", "!", "?", "…", ";")


@dataclass(frozen=True)
class _Atom:
    """A piece of a template: a field's name, or literal text, which is a word or punctuation."""

    kind: str
    text: str


class TextTemplate:
    """A template such as `{title} ({year}). {genres}`.

    `{{` and `}}` stand for braces. A list is joined by ", ". A field that is null, absent or blank
    takes the punctuation around it with it: brackets that hold nothing else go, and of the separators
    left side by side one stays, the strongest (a sentence's end before a comma or a space), none at
    the start, and at the end only a full stop that ends the template itself. Words of the template stay.
    """

    def __init__(self, template: str) -> None:
        """Parse a template.

        Raises:
            TemplateError: it has no field, or anything but plain `{field}`.
        """
        self.template = template
        self._atoms = _parse(template)
        self.fields: tuple[str, ...] = tuple(
            dict.fromkeys(atom.text for atom in self._atoms if atom.kind == "field")
        )
        if not self.fields:
            raise TemplateError(f"text template {template!r} names no field: write at least one {{field}}")

    def render(self, record: Mapping[str, Any]) -> str:
        """The text of one record; "" when all of its fields are empty.

        Raises:
            TextRejectedError: `not-text`: a field holds an object, bytes or a list of lists.
        """
        values = {field: tidy(as_text(record.get(field))) for field in self.fields}
        if not any(values.values()):
            return ""
        out: list[str] = []
        gap: list[str] = []
        for atom in self._atoms:
            if atom.kind == "gap":
                gap[-1:] = ["".join([*gap[-1:], atom.text])]
                continue
            text = values[atom.text] if atom.kind == "field" else atom.text
            if text:
                out += [_join(gap, out), text]
                gap = []
            else:
                gap = [*(gap or [""]), ""]
        return "".join([*out, _join(gap, out, end=True)]).strip()


def _parse(template: str) -> list[_Atom]:
    """Fields, words, and the gaps between them, in order."""
    atoms: list[_Atom] = []
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError as error:
        raise TemplateError(
            f"text template {template!r}: {error}; write braces themselves as {{{{ and }}}}"
        ) from error
    for literal, field, spec, conversion in pieces:
        position = 0
        for word in _WORD.finditer(literal):
            atoms += [*_gap(literal[position : word.start()]), _Atom("word", word.group())]
            position = word.end()
        atoms += _gap(literal[position:])
        if field is None:
            continue
        if not field.strip() or field.isdigit() or spec or conversion or set(field) & set(".[]{}!:"):
            raise TemplateError(
                f"text template {template!r}: only plain {{field}} is allowed; no expressions, attributes, "
                "indexes, conversions or formats"
            )
        atoms.append(_Atom("field", field))
    return atoms


def _gap(text: str) -> list[_Atom]:
    return [_Atom("gap", text)] if text else []


def _join(gap: list[str], before: list[str], *, end: bool = False) -> str:
    """What stands between two present pieces, given the literals around the empty fields there.

    `gap` has one entry more than empty fields; one entry (or none) is kept as it is.
    """
    if len(gap) <= 1:
        return "".join(gap)
    closers, separators, openers = _unmatched(gap)
    # At the end, what separated fields has nothing to separate; the template's own full stop stays.
    separator = _strongest(separators[-1:] if end and gap[-1] else [] if end else separators)
    ends_sentence = separator.strip().endswith(_SENTENCE_ENDS)
    if not before or (end and not ends_sentence):
        separator = ""
    elif ends_sentence and not closers and before[-1].endswith(_SENTENCE_ENDS):
        separator = separator.lstrip("".join(_SENTENCE_ENDS))  # the text before brought its own full stop
    return closers + separator + openers


def _unmatched(gap: Iterable[str]) -> tuple[str, list[str], str]:
    """Brackets that enclose something outside the gap, and the separators that compete for it.

    Separators next to a kept bracket, inside it, have nothing left to separate.
    """
    closers = ""
    open_at: list[tuple[str, int]] = []
    separators: list[str] = []
    for literal in gap:
        separators.append("")
        for character in literal:
            if character in _OPENERS:
                open_at.append((character, len(separators)))
                separators.append("")
            elif character in _CLOSERS and open_at and open_at[-1][0] == _CLOSERS[character]:
                del separators[open_at.pop()[1] :]
                separators.append("")
            elif character in _CLOSERS:
                closers += character
                separators = [""]
            else:
                separators[-1] += character
    if open_at:
        del separators[open_at[0][1] :]
    return closers, separators, "".join(bracket for bracket, _ in open_at)


def _strongest(separators: Iterable[str]) -> str:
    """A sentence's end before other punctuation before blanks; the first among equals."""

    def strength(separator: str) -> int:
        mark = separator.strip()
        return 3 if mark.endswith(_SENTENCE_ENDS) else 2 if mark else 1 if separator else 0

    return max(separators, key=strength, default="")
