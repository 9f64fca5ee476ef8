"""What tests of the report in a browser share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

WIDTHS = (1280, 768, 360)

Open = Callable[..., Any]


def neighbours(page: Any) -> dict[str, list[str]]:
    """The titles that stand under each feature set."""
    return {
        column.locator("h4").inner_text(): column.locator(".title").all_inner_texts()
        for column in page.locator(".near").all()
    }
