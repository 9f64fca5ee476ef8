"""What the extractors raise."""

from __future__ import annotations

from alignrec.core.errors import AlignRecError
from alignrec.core.network import NotHereError


class ExtractorError(AlignRecError):
    """An extractor cannot be named, found or loaded; the message says what to do next."""

    exit_code = 2


class DeviceError(ExtractorError):
    """This machine has no such device."""


class WeightsMismatchError(ExtractorError):
    """Weights on disk are not the pinned ones."""

    exit_code = 3


class DownloadError(ExtractorError, NotHereError):
    """A model was not or could not be fetched, and is not in the local cache."""

    exit_code = 4


class TemplateError(ExtractorError):
    """A text template is not made of plain `{field}` placeholders."""


class RejectedError(ValueError):
    """One input cannot be used; the run goes on without it.

    Attributes:
        reason: a short stable slug, such as `truncated`, fit for counting.
        detail: the sentence for a person.
    """

    exit_code = 2

    def __init__(self, reason: str, detail: str) -> None:
        """Keep the slug and the sentence."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class ImageRejectedError(RejectedError):
    """An image's bytes do not give a usable picture."""


class AudioRejectedError(RejectedError):
    """A sound's bytes do not give a usable waveform."""


class TextRejectedError(RejectedError):
    """A value does not give a usable text."""
