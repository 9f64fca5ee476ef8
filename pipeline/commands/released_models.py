"""The models that a release was made with: as it states them, and loaded only if they are those."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from pydantic import BaseModel, TypeAdapter

from alignrec.core.display import shown
from alignrec.core.documents import DocumentError, parse_as, read_bytes
from alignrec.core.files import canonical_json
from alignrec.core.modality_names import ModalityName
from alignrec.core.names import Name
from alignrec.core.vocabulary import MODALITIES, TEXT
from alignrec.export.errors import RefusedError, ReleaseError, VerificationError
from alignrec.export.release.opened import Release
from alignrec.extractors.contract import ExtractorCard
from alignrec.extractors.identity import ExtractorIdentity
from alignrec.extractors.inputs.images import FULL
from alignrec.extractors.registry import may_be_local
from alignrec.pipeline.config.catalog import ModalityConfig

EXTRACTORS = "encoder/extractors.json"
# Of a loaded model's card, what must be the same for equal inputs to give equal vectors.
_LOADED = ("dim", "token_dim", "preprocessing")
_CARDS = TypeAdapter(dict[Name, ExtractorCard])


class _Columns(BaseModel):
    id: str | None = None
    image: str | None = None


class _Catalogue(BaseModel):
    columns: _Columns = _Columns()
    template: str | None = None
    modalities: dict[ModalityName, ModalityConfig] = {}


class _Provenance(BaseModel):
    """What of a manifest's provenance decides how new items are embedded."""

    precision: Literal["float32", "bfloat16"] | None = None
    catalogue: _Catalogue | None = None
    identities: dict[str, dict[str, Any]] | None = None


@dataclass(frozen=True)
class ReleasedModels:
    """What a release says of the models that embedded its items, perhaps a stranger's release.

    Attributes:
        where: the release.
        cards: of its models, by modality.
        identities: the same models' identities, as far as it records them.
        precision: that they ran with.
        template: of the texts; None where it has none.
        modalities: where the release's config found those that are no short form, by name.
        columns: of its items table, by key of `catalog.items`; none in releases of earlier versions.
    """

    where: str
    cards: dict[str, ExtractorCard]
    identities: Mapping[str, Mapping[str, Any]]
    precision: str
    template: str | None
    modalities: Mapping[str, ModalityConfig] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, release: Release) -> Self:
        """What `encoder/extractors.json` and the manifest say.

        Raises:
            ReleaseError: the release does not say what it was made with.
            VerificationError: what it says is not of the form that an export writes.
        """
        path = release.file(EXTRACTORS)
        try:
            cards = parse_as(_CARDS, read_bytes(path)) if path else {}
        except (DocumentError, OSError) as error:
            raise VerificationError(
                f"{release.where}: {EXTRACTORS} is not what an export writes: {error}. Tell its publisher."
            ) from None
        try:
            stated = parse_as(_Provenance, canonical_json(release.manifest.provenance))
        except DocumentError as error:
            raise VerificationError(
                f"{release.where}: the manifest's provenance is not what an export writes: {error}. Tell its "
                "publisher."
            ) from None
        if not cards:
            raise ReleaseError(f"{release.where} does not say which extractors it was made with")
        found = stated.catalogue or _Catalogue()
        modalities = {name: one for name, one in found.modalities.items() if name in cards}
        if unknown := set(cards) - set(MODALITIES) - set(modalities):
            raise ReleaseError(
                f"{release.where} has a model of {shown(min(unknown))}, which this version does not know"
            )
        if TEXT in cards and TEXT not in modalities and found.template is None:
            raise ReleaseError(f"{release.where} has a model of texts, but no template that makes texts")
        identities, precision = stated.identities or {}, stated.precision or "float32"
        columns = found.columns.model_dump(exclude_none=True)
        return cls(release.where, cards, identities, precision, found.template, modalities, columns)

    def names(self, chosen: Mapping[str, str]) -> dict[str, str]:
        """By which name each model is to be loaded.

        Args:
            chosen: for some modalities, the name that the caller gives in place of the release's.

        Raises:
            RefusedError: the release's own name is a path on this machine, or could be taken for one.
            ReleaseError: a name was chosen for a modality that the release has no model of.
        """
        if unknown := set(chosen) - set(self.cards):
            raise ReleaseError(
                f"{self.where} has no model of {min(unknown)}; it has {', '.join(sorted(self.cards))}"
            )
        for modality, card in self.cards.items():
            if modality not in chosen and self._is_local(modality):
                raise RefusedError(
                    f"{self.where} names the {modality} model {shown(card.name)}, which is, or may be, a "
                    "path; no path that a release names is opened. If you have that model, say where: "
                    f"--extractor {modality}=transformers:PATH"
                )
        return {modality: chosen.get(modality, card.name) for modality, card in self.cards.items()}

    def decoded_in_full(self) -> frozenset[str]:
        """The modalities whose inputs were all decoded in full, as earlier versions decoded everything."""
        return frozenset(name for name in self.cards if self._identity(name).get("decoding", FULL) == FULL)

    def check_files(self, modality: str, name: str, identity: ExtractorIdentity) -> None:
        """Compare a model's files with the release's, before they are loaded.

        Args:
            modality: the model's.
            name: by which it was found.
            identity: what was found.

        Raises:
            RefusedError: they are others.
        """
        card = self.cards[modality]
        recorded = {"modality": card.modality, "weights_sha256": card.weights_sha256}
        different = identity.differences(recorded) or identity.differences(self._identity(modality))
        self._refuse(modality, name, different)

    def check_card(self, modality: str, name: str, card: ExtractorCard) -> None:
        """Compare a loaded model with the release's; arguments and error as of `check_files`."""
        here, there = (json.loads(canonical_json(asdict(one))) for one in (card, self.cards[modality]))
        self._refuse(modality, name, [key for key in _LOADED if here[key] != there[key]])

    def _identity(self, modality: str) -> Mapping[str, Any]:
        return self.identities.get(modality, {})

    def _is_local(self, modality: str) -> bool:
        """Whether the release's model is a path by its name, or was one where the release was made."""
        return may_be_local(self.cards[modality].name) or self._identity(modality).get("model") == ""

    def _refuse(self, modality: str, name: str, different: list[str]) -> None:
        if different:
            raise RefusedError(
                f"the {modality} model {name} is not the one that {self.where} was made with "
                f"({shown(self.cards[modality].name)}): {', '.join(different)} differ. Vectors would not be "
                "comparable; load the same model, or make a release of its own"
            )
