"""docs/api.md, made from the docstrings of what `import alignrec` gives: `python docs/api.py docs/api.md`."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import alignrec

HEAD = """# Python

What `import alignrec` gives. Each name is imported when it is first asked for, so the import itself takes no
time. This page is made from the docstrings by `make docs`.
"""
WIDTH = 100
_SECTION = re.compile(r"^(Attributes|Args|Returns|Yields|Raises|Warns):( .+)?$")


def page() -> str:
    """The whole page, in Markdown."""
    names = [name for name in alignrec.__all__ if not name.startswith("_")]
    things = {name: getattr(alignrec, name) for name in names}
    functions = {name: thing for name, thing in things.items() if not inspect.isclass(thing)}
    classes = {name: thing for name, thing in things.items() if inspect.isclass(thing)}
    listed = [
        f"- [`{name}`](#{name.lower()}): {_summary(thing)}" for name, thing in (functions | classes).items()
    ]
    parts = [HEAD, "\n".join(listed) + "\n"]
    for name, thing in functions.items():
        parts += [f"## {name}\n", *_described(thing, name)]
    for name, thing in classes.items():
        parts += [f"## {name}\n", *_described(thing, name)]
        for member, value in _members(thing):
            parts += [f"### {name}.{member}\n", *_described(value, member)]
    return "\n".join(parts)


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """The methods and properties that a class declares itself."""
    for name, value in vars(kind).items():
        if not name.startswith("_") and (callable(value) or isinstance(value, classmethod | property)):
            yield name, getattr(kind, name)


def _summary(thing: Any) -> str:
    """The first sentence of a docstring."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split("\n"))


def _described(thing: Any, name: str) -> Iterator[str]:
    if callable(thing) and not (inspect.isclass(thing) and issubclass(thing, BaseException)):
        yield f"```text\n{_signature(thing, name)}\n```\n"
    yield "\n".join(_sections(inspect.getdoc(thing) or "")).rstrip() + "\n"


def _sections(text: str) -> Iterator[str]:
    """A docstring's sections as bold words, and what they list as lists."""
    lines = text.splitlines()
    while lines:
        if found := _SECTION.match(lines[0]):
            inside = list(_indented(lines[1:]))
            del lines[: 1 + len(inside)]
            yield f"**{found[1]}**{':' + found[2] if found[2] else ''}\n"
            if inside:
                listed = found[1] in ("Attributes", "Args", "Raises", "Warns")
                yield _list(inside) if listed else textwrap.dedent("\n".join(inside)).strip() + "\n"
        else:
            yield lines.pop(0)


def _indented(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if line and not line.startswith(" "):
            return
        yield line


def _list(lines: list[str]) -> str:
    """Entries `name: what it is`, with further lines further in, as a Markdown list."""
    entries: list[str] = []
    for line in textwrap.dedent("\n".join(lines)).splitlines():
        if line.startswith(" ") and entries:
            entries[-1] += f" {line.strip()}"
        elif line.strip():
            what, _, about = line.partition(": ")
            entries.append("- " + ", ".join(f"`{one}`" for one in what.split(", ")) + f": {about}")
    return "\n".join(entries) + "\n"


@dataclass(frozen=True)
class _Written:
    """An annotation as it is written in the code."""

    text: str

    def __repr__(self) -> str:
        return self.text


def _signature(thing: Any, name: str) -> str:
    """How it is called, on one line, or a line a parameter where that is too long."""
    signature = inspect.signature(thing)
    shown = [
        one.replace(annotation=_written(one.annotation), default=_default(one.default))
        for one in signature.parameters.values()
        if one.name != "self"
    ]
    back = inspect.Signature.empty if inspect.isclass(thing) else _written(signature.return_annotation)
    short = f"{name}{inspect.Signature(shown, return_annotation=back)}"
    if len(short) <= WIDTH:
        return short
    marks = {one.kind for one in shown}
    lines = [str(one) for one in shown]
    if inspect.Parameter.KEYWORD_ONLY in marks:
        place = next(n for n, one in enumerate(shown) if one.kind is inspect.Parameter.KEYWORD_ONLY)
        lines.insert(place, "*")
    ending = "" if back is inspect.Signature.empty else f" -> {back!r}"
    return "\n".join([f"{name}(", *(f"    {line}," for line in lines), f"){ending}"])


def _written(annotation: Any) -> Any:
    return _Written(annotation) if isinstance(annotation, str) else annotation


def _default(value: Any) -> Any:
    """A default without what is another on each machine."""
    return value if value is inspect.Parameter.empty or " at 0x" not in repr(value) else _Written("…")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
