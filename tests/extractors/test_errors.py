"""What a command exits with, and how one unusable input is counted."""

from __future__ import annotations

import pytest

from alignrec.core.errors import AlignRecError
from alignrec.extractors import errors


def test_what_each_error_exits_with() -> None:
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    codes = {kind.__name__: kind.exit_code for kind in classes if kind.__module__ == errors.__name__}
    assert codes == {
        "ExtractorError": 2,
        "DeviceError": 2,
        "WeightsMismatchError": 3,
        "DownloadError": 4,
        "TemplateError": 2,
        "RejectedError": 2,
        "ImageRejectedError": 2,
        "AudioRejectedError": 2,
        "TextRejectedError": 2,
    }


@pytest.mark.parametrize(
    "kind", [errors.ImageRejectedError, errors.AudioRejectedError, errors.TextRejectedError]
)
def test_one_rejected_input_stops_no_run(kind: type[errors.RejectedError]) -> None:
    error = kind("truncated", "the file ends too early")
    assert isinstance(error, errors.RejectedError) and not isinstance(error, AlignRecError)
    assert (error.reason, error.detail) == ("truncated", "the file ends too early")
    assert str(error) == "truncated: the file ends too early"
