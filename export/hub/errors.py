"""What can go wrong with the Hub, in our own exceptions: the client's are translated here alone."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from huggingface_hub import constants

# HTTPError is the transport's base class; the client re-exports it, but its package changed names.
from huggingface_hub.errors import (  # type: ignore[attr-defined]
    DisabledRepoError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from alignrec.export.errors import HubError, ReleaseError

_TOKEN = re.compile(r"hf_\w+")
_LOGIN = re.compile(r"//[^/@\s]+@")
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO)
# What the client raises of an answer of another form than it expects: a login page, another service's JSON.
_ODD = (FileMetadataError, json.JSONDecodeError, UnicodeDecodeError, LookupError, TypeError, AttributeError)
_NO_HUB = "what answers is not a Hub: check HF_ENDPOINT, and whether a proxy or a login page stands between"


class UnreachableError(HubError):
    """No usable answer came: no connection, offline mode, or the Hub failed (5xx).

    Whether the request had its effect is unknown.
    """

    def __init__(self, message: str, *, retriable: bool = True) -> None:
        """Keep whether asking again can help (it cannot in offline mode)."""
        super().__init__(message)
        self.retriable = retriable


class BusyError(HubError):
    """The Hub asks to slow down (429); `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        """Keep how long the Hub asks to wait."""
        super().__init__(message)
        self.retry_after = retry_after


class MissingRepositoryError(HubError):
    """No such repository, or no right to see it: the Hub does not tell which."""


class StaleHeadError(HubError):
    """Somebody committed since the head was read (412)."""


class ConflictError(HubError):
    """That name is taken (409)."""


class UploadError(HubError):
    """A file did not arrive as it was sent."""


@contextmanager
def translated(doing: str, repo: str) -> Iterator[None]:
    """Turn the client's exceptions into ours, saying what was being done and where."""
    try:
        yield
    except (HTTPError, OSError, ValueError, RuntimeError, ImportError, *_ODD) as error:
        raise _translate(error, f"{doing} {repo}") from error


def _translate(error: BaseException, action: str) -> ReleaseError:
    if isinstance(error, RuntimeError) and error.__cause__ is not None:
        inner = _translate(error.__cause__, action)
        if isinstance(inner, UnreachableError | BusyError):
            return inner
        return UploadError(f"{inner} ({_clean(str(error))})")
    if isinstance(error, OfflineModeIsEnabled):
        return UnreachableError(
            f"{action}: the client is in offline mode; unset HF_HUB_OFFLINE", retriable=False
        )
    if isinstance(error, LocalEntryNotFoundError):
        # The client hides behind it why it could not ask.
        cause = error.__cause__
        return (
            _translate(cause, action)
            if cause
            else UnreachableError(f"{action}: it is not in the cache", retriable=False)
        )
    if isinstance(error, GatedRepoError):
        return HubError(f"{action}: access to it must be granted first; ask for it on its page, then log in")
    if isinstance(error, RepositoryNotFoundError):
        return MissingRepositoryError(
            f"{action}: no such dataset repository, or the token (if any) may not see it; "
            "check the name, or log in with `hf auth login` or HF_TOKEN"
        )
    if isinstance(error, LocalTokenNotFoundError):
        return HubError(f"{action}: no token; log in with `hf auth login` or set HF_TOKEN")
    if isinstance(error, HFValidationError):
        return ReleaseError(f"{action}: the name is not valid on the Hub; expected OWNER/NAME")
    if isinstance(error, RevisionNotFoundError):
        return HubError(f"{action}: the commit that was asked for is not there any more; tell the publisher")
    if isinstance(error, DisabledRepoError):
        return HubError(f"{action}: the Hub has closed it ({_clean(error.server_message or str(error))})")
    if isinstance(error, HfHubHTTPError):
        return _of_status(error, action)
    if isinstance(error, HTTPError | ConnectionError | TimeoutError):
        reason = _clean(str(error)) or type(error).__name__
        return UnreachableError(
            f"{action}: the Hub cannot be reached ({reason}); check the network, its proxy and HF_ENDPOINT"
        )
    if isinstance(error, UnicodeEncodeError):  # of all that is sent, only the token must be ASCII
        return HubError(
            f"{action}: the token holds a character that no token has; set HF_TOKEN, or log in, anew"
        )
    if isinstance(error, _ODD):
        return UnreachableError(f"{action}: {_NO_HUB}", retriable=False)
    if isinstance(error, OSError) and (error.filename or error.errno in _DISK):
        return _of_disk(error, action)
    return HubError(f"{action}: {_clean(str(error)) or type(error).__name__}")


def _of_disk(error: OSError, action: str) -> ReleaseError:
    cache = Path(constants.HF_HUB_CACHE)
    place = Path(error.filename) if error.filename else cache
    fetched = place.is_relative_to(cache) or cache.is_relative_to(place)
    hint = f". What is fetched is kept in {cache}: HF_HUB_CACHE names another place" if fetched else ""
    return ReleaseError(f"{action}: {place}: {error.strerror}{hint}")


def _clean(text: str) -> str:
    """A message of the Hub or the client, on one line, without what looks like a token or a proxy's login."""
    return _LOGIN.sub("//***@", _TOKEN.sub("hf_***", " ".join(text.split())))


def _of_status(error: HfHubHTTPError, action: str) -> HubError:
    status = error.response.status_code
    reason = (
        error.server_message or error.response.headers.get("X-Error-Message") or error.response.reason_phrase
    )
    message = f"{action}: the Hub answered {status} ({_clean(reason)})"
    if status >= 500 or status == 408:
        return UnreachableError(f"{message}; try again later")
    if status == 429:
        seconds = _seconds(error.response.headers.get("Retry-After", ""))
        return BusyError(f"{message}; wait {seconds:,.0f} s and run the same command again", seconds)
    if status in (401, 403):
        return HubError(f"{message}; the token is missing, wrong or lacks the right: see `hf auth whoami`")
    if status == 412:
        return StaleHeadError(f"{message}; somebody else committed at the same time")
    if status == 404:
        return HubError(f"{message}; if HF_ENDPOINT is set, check that it is a Hub's address")
    return ConflictError(message) if status == 409 else HubError(message)


def _seconds(asked: str) -> float:
    """What `Retry-After` asks for, seconds or a date (RFC 9110, 10.2.3); 1 where it is neither."""
    if asked.isascii() and asked.isdigit():
        return float(asked)
    try:
        moment = parsedate_to_datetime(asked)
    except ValueError:
        return 1
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(1, (zoned - datetime.now(UTC)).total_seconds())
