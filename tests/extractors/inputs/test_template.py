"""Rendering templates: plain fields, and punctuation that leaves with an empty one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignrec.extractors.errors import TemplateError, TextRejectedError
from alignrec.extractors.inputs.template import TextTemplate

FILM = TextTemplate("{title} ({year}). {genres}. {description} {director}. {cast}")
TOY_STORY: dict[str, Any] = {
    "title": "Toy Story",
    "year": "1995",
    "genres": ["Animation", "Comedy"],
    "description": "Toys talk.",
    "director": ["John Lasseter"],
    "cast": ["Tom Hanks", "Tim Allen"],
}


@pytest.mark.parametrize(
    ("absent", "expected"),
    [
        ("", "Toy Story (1995). Animation, Comedy. Toys talk. John Lasseter. Tom Hanks, Tim Allen"),
        ("description genres", "Toy Story (1995). John Lasseter. Tom Hanks, Tim Allen"),
        ("year", "Toy Story. Animation, Comedy. Toys talk. John Lasseter. Tom Hanks, Tim Allen"),
        ("title year", "Animation, Comedy. Toys talk. John Lasseter. Tom Hanks, Tim Allen"),
        ("genres description director cast", "Toy Story (1995)"),
        ("director", "Toy Story (1995). Animation, Comedy. Toys talk. Tom Hanks, Tim Allen"),
        ("director cast", "Toy Story (1995). Animation, Comedy. Toys talk."),
        ("title year genres description director cast", ""),
    ],
)
@pytest.mark.parametrize("empty", [None, "", [], " ", [""], float("nan")])
def test_an_empty_field_takes_its_punctuation(absent: str, expected: str, empty: Any) -> None:
    record = TOY_STORY | dict.fromkeys(absent.split(), empty)
    assert FILM.render(record) == expected
    assert (
        FILM.render({field: TOY_STORY[field] for field in TOY_STORY if field not in absent.split()})
        == expected
    )


@pytest.mark.parametrize(
    ("template", "record", "expected"),
    [
        ("{a} ({b}).", {"a": "x"}, "x."),
        ("{a} ({b}, {c}) {d}", {"a": "x", "d": "y"}, "x y"),
        ("{a} ({b}, {c}) {d}", {"a": "x", "b": "1", "d": "y"}, "x (1) y"),
        ("{a} ({b}, {c}) {d}", {"a": "x", "c": "2", "d": "y"}, "x (2) y"),
        ("{a} - {b}, {c}", {"a": "x", "c": "z"}, "x - z"),
        ("{a}, {b}", {"a": "x"}, "x"),
        ("{a}, {b}", {"b": "y"}, "y"),
        ("by {a}: {b}", {"b": "y"}, "by: y"),
        ("{{{a}}}", {"a": "x"}, "{x}"),
        ("{a}", {"a": "{b} ({c})"}, "{b} ({c})"),
        ("{a b} {a-c}", {"a b": 1, "a-c": 2.0}, "1 2"),
    ],
)
def test_templates(template: str, record: dict[str, Any], expected: str) -> None:
    assert TextTemplate(template).render(record) == expected


@pytest.mark.parametrize(
    "template",
    [
        "",
        "no field",
        "{}",
        "{0}",
        "{a.b}",
        "{a[0]}",
        "{a!r}",
        "{a:>5}",
        "{a:{b}}",
        "{a",
        "a}",
        "{ }",
        "{{a}}",
    ],
)
def test_only_plain_fields(template: str) -> None:
    with pytest.raises(TemplateError):
        TextTemplate(template)


@pytest.mark.parametrize("value", [{"a": 1}, b"bytes", [["a"]]])
def test_a_field_that_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(TextRejectedError) as caught:
        FILM.render(TOY_STORY | {"description": value})
    assert caught.value.reason == "not-text"


VALUES = st.sampled_from(["", "alpha", "beta", "gamma"])
GAPS = st.sampled_from([" ", ", ", ". ", " (", "). ", ") ", " - ", ": ", "; "])


@given(st.lists(st.tuples(VALUES, GAPS), min_size=1, max_size=8))
def test_what_is_left_reads_cleanly(parts: list[tuple[str, str]]) -> None:
    fields = [f"f{index}" for index in range(len(parts))]
    text = "".join(f"{{{field}}}{gap}" for field, (_, gap) in zip(fields, parts, strict=True))
    template = TextTemplate(text)
    record = {field: value for field, (value, _) in zip(fields, parts, strict=True)}
    rendered = template.render(record)
    assert template.fields == tuple(fields)
    assert rendered == rendered.strip()
    present = [value for value, _ in parts if value]
    position = 0
    for value in present:
        position = rendered.index(value, position) + len(value)
    if len(present) == len(parts):
        assert rendered == text.format(**record).strip()
    assert (rendered == "") == (not present)
