from __future__ import annotations

from pydantic import BaseModel, Field

from alignrec.pipeline.config import reference as module
from alignrec.pipeline.config.reference import reference


class Inner(BaseModel):
    """What is inside."""

    path: str = Field(description="a | b")


class Outer(BaseModel):
    """The whole."""

    sizes: tuple[int, ...] = Field((1, 2), description="lengths")
    inner: Inner


def test_a_page_has_a_table_a_section_and_a_line_a_key(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(module, "Config", Outer)
    assert (
        reference()
        == module.HEAD
        + """
## The file

The whole.

| key | default | values | what it does |
| --- | --- | --- | --- |
| `sizes` | `[1, 2]` | list of whole number | lengths |

## `inner`

What is inside.

| key | default | values | what it does |
| --- | --- | --- | --- |
| `inner.path` | required | text | a \\| b |
"""
    )
