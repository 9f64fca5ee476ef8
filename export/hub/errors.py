"""What can go wrong with the Hub, in our own exceptions: the client's are translated here alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

# HTTPError is the transport's base class; the client re-exports it, but its package changed names.
from huggingface_hub.errors import (  # type: ignore[attr-defined]
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from alignrec.export.errors import HubError, ReleaseError

_TOKEN = re.compile(r"hf_\w+")


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
    except (HTTPError, OSError, ValueError, RuntimeError) as error:
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
    if isinstance(error, HfHubHTTPError):
        return _of_status(error, action)
    if isinstance(error, LocalEntryNotFoundError):  # the client has tried again itself
        return UnreachableError(
            f"{action}: it is not in the cache, and the Hub cannot be reached", retriable=False
        )
    if isinstance(error, HTTPError | ConnectionError | TimeoutError):
        return UnreachableError(f"{action}: the Hub cannot be reached; check the network and HF_ENDPOINT")
    return HubError(f"{action}: {_clean(str(error)) or type(error).__name__}")


def _clean(text: str) -> str:
    """A message of the Hub or the client, on one line, without anything that looks like a token."""
    return _TOKEN.sub("hf_***", " ".join(text.split()))


def _of_status(error: HfHubHTTPError, action: str) -> HubError:
    status = error.response.status_code
    reason = (
        error.server_message or error.response.headers.get("X-Error-Message") or error.response.reason_phrase
    )
    message = f"{action}: the Hub answered {status} ({_clean(reason)})"
    if status >= 500 or status == 408:
        return UnreachableError(f"{message}; try again later")
    if status == 429:
        asked = error.response.headers.get("Retry-After", "")
        return BusyError(
            f"{message}; wait and run the same command again", float(asked) if asked.isdigit() else 1
        )
    if status in (401, 403):
        return HubError(f"{message}; the token is missing, wrong or lacks the right: see `hf auth whoami`")
    if status == 412:
        return StaleHeadError(f"{message}; somebody else committed at the same time")
    return ConflictError(message) if status == 409 else HubError(message)
