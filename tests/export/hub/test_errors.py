"""The client's exceptions become ours, with what was being done and without the token."""

from __future__ import annotations

import errno
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import (
    HFValidationError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
)

from alignrec.export.errors import HubError, ReleaseError
from alignrec.export.hub.errors import BusyError, UnreachableError, UploadError, translated
from alignrec.export.hub.find_version import find_version
from alignrec.export.hub.repository import LONGEST_PAUSE, open_repo
from tests.hub.server import Fault, HubServer


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


@pytest.mark.parametrize("error", [KeyError("tags"), TypeError("x"), json.JSONDecodeError("x", "<html>", 0)])
def test_an_answer_of_another_form_is_no_hubs(error: Exception) -> None:
    with pytest.raises(UnreachableError, match="not a Hub: check HF_ENDPOINT"), translated("listing", "a/b"):
        raise error


def test_why_a_download_could_not_be_asked_for_is_what_is_said() -> None:
    reason = r"fetching a/b: the Hub cannot be reached \(refused\)"
    with pytest.raises(UnreachableError, match=reason), translated("fetching", "a/b"):
        raise LocalEntryNotFoundError("check your connection") from ConnectionError("refused")
    with pytest.raises(UnreachableError, match="not in the cache"), translated("fetching", "a/b"):
        raise LocalEntryNotFoundError("outgoing traffic has been disabled")


@pytest.mark.parametrize(
    "full", [OSError(errno.ENOSPC, "full"), PermissionError(errno.EACCES, "no", "CACHE/x")]
)
def test_an_error_of_the_disk_is_none_of_the_hub(full: OSError) -> None:
    if full.filename:
        full.filename = f"{constants.HF_HUB_CACHE}/x"
    elsewhere = pytest.raises(ReleaseError, match="HF_HUB_CACHE names another place")
    with elsewhere as caught, translated("fetching", "a/b"):
        raise full
    assert not isinstance(caught.value, HubError) and caught.value.exit_code == 2


def test_a_token_that_cannot_be_sent_is_named() -> None:
    with pytest.raises(HubError, match="token holds a character"), translated("fetching", "a/b"):
        "hf_é".encode("ascii")


def test_the_login_of_a_proxy_is_not_quoted() -> None:
    with pytest.raises(HubError, match=r"http://\*\*\*@proxy:1") as caught, translated("fetching", "a/b"):
        raise ConnectionError("http://me:secret@proxy:1 is away")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("30", 30, 30),
        (timedelta(seconds=900), 700, 900),  # as a moment, which counts from now
        ("Wed, 21 Oct 2015 07:28:00 -0000", 1, 1),
        ("-5", 1, 1),
        ("\u00b2", 1, 1),
        ("", 1, 1),
    ],
)
def test_how_long_the_hub_asks_to_wait(
    hub: HubServer,
    api: HfApi,
    monkeypatch: pytest.MonkeyPatch,
    asked: str | timedelta,
    least: float,
    most: float,
) -> None:
    if isinstance(asked, timedelta):
        asked = format_datetime(datetime.now(UTC) + asked, usegmt=True)
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    hub.faults.append(Fault("GET", "/refs", status=429, headers={"Retry-After": asked}, times=9))
    with pytest.raises(BusyError, match=r"wait [\d,]+ s") as caught:
        open_repo("team/features", api).tags()
    assert least <= caught.value.retry_after <= most
    assert waited == ([] if least > LONGEST_PAUSE else [least] * 2)


def test_a_revision_that_is_gone_is_named(hub: HubServer, api: HfApi, published: str) -> None:
    hub.repository("team/features").tags["v1.0.0"] = "f" * 40
    with pytest.raises(HubError, match="commit that was asked for is not there"):
        find_version(open_repo("team/features", api), "1.0.0")


def test_gated_and_closed_repositories_say_so(hub: HubServer, api: HfApi, published: str) -> None:
    gated = Fault("HEAD|GET", "/resolve/", status=403, headers={"X-Error-Code": "GatedRepo"}, times=9)
    closed = Fault(
        "GET", "/refs", status=403, headers={"X-Error-Message": "Access to this resource is disabled."}
    )
    for fault, words in ((gated, "access to it must be granted"), (closed, "the Hub has closed it")):
        hub.faults.append(fault)
        with pytest.raises(HubError, match=words):
            find_version(open_repo("team/features", api), "1.0.0")
        hub.faults.clear()


def test_a_download_that_is_refused_is_not_called_away(hub: HubServer, api: HfApi, published: str) -> None:
    hub.faults.append(Fault("HEAD|GET", "/resolve/", status=403, times=9))
    with pytest.raises(HubError, match=r"403.*token is missing, wrong or lacks the right"):
        find_version(open_repo("team/features", api), "1.0.0")
