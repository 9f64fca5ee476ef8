"""The client's exceptions become ours, with what was being done and without the token."""

from __future__ import annotations

import pytest
from huggingface_hub.errors import HFValidationError, LocalTokenNotFoundError, OfflineModeIsEnabled

from alignrec.export.errors import HubError, ReleaseError
from alignrec.export.hub.errors import UnreachableError, UploadError, translated


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OfflineModeIsEnabled("x"), UnreachableError, "offline mode; unset HF_HUB_OFFLINE"),
        (LocalTokenNotFoundError("x"), HubError, "no token; log in"),
        (HFValidationError("x"), ReleaseError, "expected OWNER/NAME"),
        (TimeoutError("x"), UnreachableError, "the Hub cannot be reached"),
        (OSError("disk hf_secret\nfull"), HubError, r"disk hf_\*\*\* full"),
    ],
)
def test_errors_say_what_was_done(error: Exception, kind: type[Exception], words: str) -> None:
    with (
        pytest.raises(kind, match=f"reading team/features: .*{words}") as caught,
        translated("reading", "team/features"),
    ):
        raise error
    assert type(caught.value) is kind and caught.value.__cause__ is error


def test_an_upload_that_failed_inside_is_named_as_such() -> None:
    with pytest.raises(UploadError, match=r"disk full \(while uploading\)"), translated("sending to", "a/b"):
        raise RuntimeError("while uploading") from OSError("disk full")
