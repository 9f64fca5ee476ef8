"""The numbers of an evaluation: a measurement, and all of `metrics.json` with what readers ask of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from alignrec.core.cross_view import ALIGNMENT, CrossView
from alignrec.core.display import shown
from alignrec.core.documents import DocumentError, parse_json, read_bytes
from alignrec.core.errors import AlignRecError
from alignrec.core.protocols import by_weight
from alignrec.core.vocabulary import OWN_SETS, is_own

METRICS_FILE = "metrics.json"
# The numbers over several splits, of the same form.
POOLED_FILE = "pooled.json"
# The definition that says over which splits numbers were taken, in words up to a colon and after it.
SPLITS = "splits"
FORMAT = 1
# Numbers beyond it are no measurement's.
LARGEST = 1 << 64
# What makes two numbers the same quantity, of other seeds or another run.
QUANTITY = ("protocol", "subject", "against", "metric", "k", "split", "share")


class ResultsError(AlignRecError):
    """A file is not what an evaluation writes (exit code 2)."""


class _UnexpectedError(ValueError):
    """What of a file is not as an evaluation writes it."""


@dataclass(frozen=True)
class Measurement:
    """A value, what it is about, and how sure it is.

    Attributes:
        protocol: how it was measured, by a name of `protocols`.
        subject: a feature set, landmark or ablation.
        metric: a name of `metrics.METRICS`.
        k: length of the list that was looked at.
        split: valid or test.
        value: in [0, 1]; with `against` the mean paired difference over users, in [-1, 1].
        low: lower bound of the 95% bootstrap interval over users; None where there is none.
        high: upper bound, likewise.
        against: what the subject is compared with; None for a plain value.
        seed: of the training that was measured; None where nothing was trained, or over several.
        aggregate: mean or std over seeds; None for one seed.
        share: masked share of items in [0, 1] under the mask protocols, kept share of training interactions
            under thinned histories; None elsewhere.
    """

    protocol: str
    subject: str
    metric: str
    k: int
    split: Literal["valid", "test"]
    value: float
    low: float | None = None
    high: float | None = None
    against: str | None = None
    seed: int | None = None
    aggregate: Literal["mean", "std"] | None = None
    share: float | None = None

    def record(self) -> dict[str, object]:
        """The record of metrics.json: every field, None as null."""
        return asdict(self)


@dataclass(frozen=True)
class Estimate:
    """One quantity, its seeds taken together; the fields are those of `Measurement` but for these.

    Attributes:
        value: the mean over seeds where the evaluation gives it, else the only number, else the mean of what
            it gives.
        low, high: bounds of its interval, if it has one.
        deviation: standard deviation over seeds, if there were several.
    """

    protocol: str
    subject: str
    against: str | None
    metric: str
    k: int
    split: str
    share: float | None
    value: float
    low: float | None
    high: float | None
    deviation: float | None


@dataclass(frozen=True)
class Results:
    """An evaluation.

    Attributes:
        records: its measurements, in the order of the file.
        definitions: what the numbers mean, as JSON values by term.
        alignment: what modalities tell of one another; None where it was not measured.
    """

    records: Sequence[Measurement] = ()
    definitions: Mapping[str, Any] = field(default_factory=dict)
    alignment: CrossView | None = None

    @classmethod
    def read(cls, path: Path) -> Results:
        """The results in a file; none where there is no file.

        Raises:
            ResultsError: the file is not what an evaluation writes.
        """
        try:
            return cls.parse(read_bytes(path), str(path))
        except (FileNotFoundError, NotADirectoryError):
            return cls()
        except DocumentError as error:
            raise ResultsError(f"{path} is not an evaluation's metrics: {error}.") from None

    @classmethod
    def parse(cls, content: bytes, where: str = METRICS_FILE) -> Results:
        """The results that the bytes of a `metrics.json` hold; fields it does not know are left aside.

        Args:
            content: UTF-8 JSON.
            where: the file, for messages.

        Raises:
            ResultsError: the content is not what an evaluation writes.
        """
        try:
            return _parse(parse_json(content))
        except (DocumentError, _UnexpectedError) as error:
            raise ResultsError(
                f"{where} is not an evaluation's metrics: {error}. "
                "Delete the folder evaluate of the run it comes from and run again."
            ) from None

    @cached_property
    def estimates(self) -> tuple[Estimate, ...]:
        """An estimate for each quantity, in the order of the records; those with a mean alone come last."""
        groups: dict[tuple[object, ...], list[Measurement]] = defaultdict(list)
        deviations: dict[tuple[object, ...], float] = {}
        for record in sorted(self.records, key=lambda record: record.aggregate == "mean"):
            if record.aggregate == "std":
                deviations.setdefault(_quantity(record), record.value)
            else:
                groups[_quantity(record)].append(record)
        return tuple(_estimate(group, deviations.get(key)) for key, group in groups.items())

    @property
    def protocols(self) -> list[str]:
        """The protocols that were measured, the weightiest first."""
        return by_weight(record.protocol for record in self.records)

    @property
    def splits(self) -> str:
        """Over which splits these numbers were taken, in words; "" where they are of one split."""
        words = self.definitions.get(SPLITS, "")
        return words if isinstance(words, str) else ""

    @property
    def largest_k(self) -> int:
        """The longest list that was looked at; 0 where nothing was measured."""
        return max((record.k for record in self.records), default=0)

    def where(self, condition: Callable[[Measurement], bool]) -> Results:
        """The results whose records meet a condition."""
        return replace(self, records=tuple(record for record in self.records if condition(record)))

    def select(self, **fields: object) -> Results:
        """The results whose records have these values, such as `select(split="test", against=None)`."""
        return self.where(lambda record: all(getattr(record, name) == fields[name] for name in fields))

    def own_subject(self, protocol: str) -> str | None:
        """The furthest of this project's own sets that a protocol measured."""
        subjects = {record.subject for record in self.select(protocol=protocol, against=None).records}
        return next((name for name in OWN_SETS if name in subjects), None)

    def strongest_rival(self, own: Estimate) -> Estimate | None:
        """The best landmark of the same protocol, metric, k, split and share as an estimate.

        The best is the best on validation. What was not measured there, as lists from elsewhere, is never
        chosen by its test numbers where others were; where none was, the best of the same split is.
        """
        valid, same = self._landmarks(own, "valid"), self._landmarks(own, own.split)
        deciding = {name: valid[name] for name in same if name in valid} or same
        best = max(deciding, key=lambda name: (deciding[name].value, name), default=None)
        return None if best is None else same[best]

    def difference(self, own: Estimate, against: str) -> Estimate | None:
        """The paired difference between an estimate's subject and a rival, where it was measured."""
        wanted = _quantity(replace(own, against=against))
        return next((e for e in self.estimates if _quantity(e) == wanted), None)

    def _landmarks(self, own: Estimate, split: str) -> dict[str, Estimate]:
        """By name, what the landmarks reached where an estimate was measured, but on this split."""
        return {
            e.subject: e
            for e in self.estimates
            if e.against is None
            and not is_own(e.subject)
            and (e.protocol, e.metric, e.k, e.share, e.split)
            == (own.protocol, own.metric, own.k, own.share, split)
        }


def _quantity(number: Measurement | Estimate) -> tuple[object, ...]:
    return tuple(getattr(number, name) for name in QUANTITY)


def _estimate(group: Sequence[Measurement], deviation: float | None) -> Estimate:
    """The estimate of one quantity from its records but the deviation."""
    first = group[0]
    whole = (
        [record for record in group if record.aggregate == "mean"]
        or [record for record in group if record.seed is None]
        or group
    )
    only = whole[0] if len(whole) == 1 else None
    return Estimate(
        first.protocol,
        first.subject,
        first.against,
        first.metric,
        first.k,
        first.split,
        first.share,
        only.value if only else sum(record.value for record in whole) / len(whole),
        only.low if only else None,
        only.high if only else None,
        deviation,
    )


def _parse(content: Any) -> Results:
    """Results from JSON values; an error says what is wrong."""
    if not isinstance(content, dict):
        raise _UnexpectedError("it is not a JSON object")
    if content.get("format", FORMAT) != FORMAT:
        raise _UnexpectedError(f"its format is {shown(content['format'])}, and this version reads {FORMAT}")
    records, definitions = content.get("records", []), content.get("definitions", {})
    if not isinstance(records, list) or not isinstance(definitions, dict):
        raise _UnexpectedError("records must be a list, and definitions an object")
    alignment = content.get(ALIGNMENT)
    return Results(
        tuple(_measurement(record, n) for n, record in enumerate(records)),
        definitions,
        None if alignment is None else CrossView.parse(alignment),
    )


def _measurement(record: Any, number: int) -> Measurement:
    if not isinstance(record, dict):
        raise _UnexpectedError(f"record {number} is not an object")
    for name, (fits, expected) in _FIELDS.items():
        if not fits(record.get(name)):
            raise _UnexpectedError(
                f"{name} of record {number} must be {expected}, got {shown(record.get(name))}"
            )
    values: dict[str, Any] = {name: record.get(name) for name in _FIELDS}
    return Measurement(**values)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def _or_null(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or fits(value)


# For each field of a record, what it must be.
_FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "protocol": (_is_text, "a name"),
    "subject": (_is_text, "a name"),
    "metric": (_is_text, "a name"),
    "k": (lambda value: _is_whole(value) and value > 0, "a whole number above 0"),
    "split": (lambda value: value in ("valid", "test"), "valid or test"),
    "value": (_is_number, "a finite number"),
    "low": (_or_null(_is_number), "a finite number or null"),
    "high": (_or_null(_is_number), "a finite number or null"),
    "against": (_or_null(_is_text), "a name or null"),
    "seed": (_or_null(_is_whole), "a whole number or null"),
    "aggregate": (lambda value: value in (None, "mean", "std"), "mean, std or null"),
    "share": (_or_null(_is_number), "a finite number or null"),
}
