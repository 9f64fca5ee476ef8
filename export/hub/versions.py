"""How repositories and versions are written, and how versions are ordered and tagged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

from alignrec.export.errors import ReleaseError

# Nine digits are more than anybody counts to, and few enough for file names and arithmetic.
_NUMBER = r"(0|[1-9][0-9]{0,8})"
_VERSION = re.compile(rf"v?{_NUMBER}\.{_NUMBER}\.{_NUMBER}")

# The Hub's own rules; the client checks them too, but only when a request is made.
_REPO = re.compile(
    r"(?!.*(--|\.\.))[A-Za-z0-9_][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}(?<![-.])(?<!\.git)", re.ASCII
)


@dataclass(frozen=True, order=True)
class Version:
    """A semantic version X.Y.Z, ordered by its three numbers."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Version:
        """The version that a text names; the leading `v` of a tag is allowed.

        Raises:
            ReleaseError: the text is not three numbers of at most nine digits without leading zeros.
        """
        match = _VERSION.fullmatch(text)
        if match is None:
            raise ReleaseError(
                f"{text[:50]!r} is not a version: expected three numbers X.Y.Z such as 1.0.0 "
                "(raise X when readers must change, Y for new content, Z for corrections)"
            )
        return cls(*(int(number) for number in match.groups()))

    @classmethod
    def of_tag(cls, tag: str) -> Version | None:
        """The version that a tag stands for, or None for a tag that is none of ours."""
        return cls.parse(tag) if tag.startswith("v") and _VERSION.fullmatch(tag) else None

    @property
    def tag(self) -> str:
        """The tag of this version on the Hub: `v1.2.3`."""
        return f"v{self}"

    def __str__(self) -> str:
        """The version as people write it: `1.2.3`."""
        return f"{self.major}.{self.minor}.{self.patch}"

    def nearest(self, others: list[Version]) -> Version | None:
        """The one of `others` that differs least: in X first, then in Y, then in Z."""

        def distance(other: Version) -> tuple[int, int, int]:
            major, minor = abs(other.major - self.major), abs(other.minor - self.minor)
            return major, minor, abs(other.patch - self.patch)

        return min(others, key=distance, default=None)


def _check_version(text: str) -> str:
    if Version.of_tag(f"v{text}") is None:
        raise ValueError(f"{text[:50]!r} is not a version X.Y.Z")
    return text


# A version as files write it.
VersionText = Annotated[str, AfterValidator(_check_version)]


def is_repo_name(text: str) -> bool:
    """Whether a text is of the form OWNER/NAME."""
    return _REPO.fullmatch(text) is not None


def split_reference(reference: str) -> tuple[str, str | None]:
    """Split `OWNER/NAME@1.2.3` or `FOLDER` into the name and the version, if one is given."""
    name, at, version = reference.rpartition("@")
    return (name, version) if at and _VERSION.fullmatch(version) else (reference, None)
