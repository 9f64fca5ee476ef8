"""Pictures small enough for one file."""

from __future__ import annotations

from functools import partial

from alignrec.pipeline.report.thumbnails import SIDES, thumbnails
from tests.pipeline.catalogues import picture


def test_thumbnails_shrink_until_they_fit() -> None:
    sources = [partial(picture, n) for n in range(4)]
    large = thumbnails(sources, 10**9)
    assert all(large)
    total = sum(map(len, large))
    assert sum(map(len, thumbnails(sources, total - 1))) <= total
    assert len(thumbnails(sources, 0)) == 4 and list(SIDES) == sorted(SIDES, reverse=True)


def test_pictures_that_cannot_be_read_are_left_out() -> None:
    def absent() -> bytes:
        raise FileNotFoundError

    assert thumbnails([None, lambda: b"no picture", absent, lambda: picture(1)[:-300]], 10**6) == [""] * 4
