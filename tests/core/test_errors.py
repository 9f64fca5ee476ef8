"""Errors carry the code that a command exits with, and hints name what was probably meant."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from alignrec.core.errors import AlignRecError, nearest_file, suggest


def test_an_error_is_wrong_usage_unless_its_kind_says_otherwise() -> None:
    class RefusedHereError(AlignRecError):
        exit_code = 3

    assert (AlignRecError.exit_code, AlignRecError("no").exit_code, RefusedHereError("no").exit_code) == (
        2,
        2,
        3,
    )


class ChangedError(AlignRecError):
    def __init__(self, what: str) -> None:
        super().__init__(f"{what} changed")
        self.what = what


def test_an_error_reaches_another_process_as_it_is() -> None:
    there = pickle.loads(pickle.dumps(ChangedError("a file")))  # noqa: S301
    assert (type(there), str(there), there.what) == (ChangedError, "a file changed", "a file")


@pytest.mark.parametrize(
    ("unknown", "hint"),
    [
        ("trian", "did you mean 'train'?"),
        ("EXPORT", "known: evaluate, export, train"),
        ("", "known: evaluate, export, train"),
    ],
)
def test_the_nearest_word_or_all_of_them(unknown: str, hint: str) -> None:
    assert suggest(unknown, {"train": 1, "export": 2, "evaluate": 3}) == hint


def test_a_hint_is_short_whatever_is_known() -> None:
    many = [f"column {n}" for n in range(100_000)]
    assert suggest("x", many).endswith(", …") and len(suggest("x", many)) < 1000
    assert len(suggest("x", ["y" * 10**6, "z\x1b"])) < 200 and "\x1b" not in suggest("x", ["z\x1b"])
    assert len(suggest("y" * 5000, ["y" * 5001])) < 200


def test_the_file_most_like_an_absent_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "items.csv").touch()
    (tmp_path / "log.csv").touch()
    assert nearest_file(tmp_path / "itmes.csv") == f" Did you mean {tmp_path / 'items.csv'}?"
    assert nearest_file(tmp_path / "zzz") == ""
    assert nearest_file(tmp_path / "absent" / "items.csv") == ""
