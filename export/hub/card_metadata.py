"""The card's metadata: what a release says of itself, merged by name into what the card's owner wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alignrec.core.documents import DocumentError, parse_front_matter
from alignrec.core.vocabulary import PREFERRED_SETS
from alignrec.export.errors import RefusedError, ReleaseError
from alignrec.export.release.manifest import IMAGES, Manifest

_TAGS = ("recommender-systems", "multimodal", "embeddings", "alignrec")
_PICTURES = "images"


def licence_of(manifest: Manifest) -> str:
    """The licence under which a release may be published.

    Raises:
        ReleaseError: none is set.
    """
    licence = manifest.provenance.get("licence")
    if not isinstance(licence, str) or not licence.strip():
        raise ReleaseError(
            "the release has no licence, and nothing is published without one: set `export.license` in the "
            "config (a Hub identifier such as cc-by-4.0, or `other`) and export again"
        )
    return licence


def default_set(manifest: Manifest) -> str:
    """The set that a reader gets who names none."""
    return next((name for name in PREFERRED_SETS if name in manifest.sets), next(iter(manifest.sets)))


def split_card(card: bytes) -> tuple[dict[str, Any], str]:
    """A card's metadata and its text, as the Hub tells them apart.

    Raises:
        ReleaseError: it cannot be read.
    """
    try:
        return parse_front_matter(card)
    except DocumentError as error:
        raise ReleaseError(
            f"the repository's README.md cannot be kept: {error}. Correct it first: a README is UTF-8, and "
            "its metadata a YAML mapping of names"
        ) from None


def refuse_other_licence(card: bytes, manifest: Manifest, before: Manifest | None) -> None:
    """Let no release be published under a licence that its repository's card contradicts.

    Args:
        card: README.md as it is now.
        manifest: the release's.
        before: of the release that is there now: its licence may be replaced.

    Raises:
        RefusedError: the owner states another licence.
        ReleaseError: no licence is set, or the card cannot be read.
    """
    stated, licence = split_card(card)[0].get("license"), licence_of(manifest)
    if not _is_ours(stated, before) and licence.casefold() not in _listed(stated):
        raise RefusedError(
            f"the repository's README.md states the licence {', '.join(_listed(stated))}, and this release "
            f"has {licence}: nothing is published under two. Set `export.license` to the one that holds and "
            "export again, or correct `license` in the README"
        )


def merge_metadata(
    theirs: Mapping[str, Any], repo: str, manifest: Manifest, before: Manifest | None
) -> dict[str, Any]:
    """The metadata of the card: every set a configuration, beside what the owner wrote.

    Tags and configurations are merged by name; the licence is the release's where none but that of the
    release before is stated; all other keys stay as they are.

    Args:
        theirs: the card's metadata as it is now.
        repo: OWNER/NAME.
        manifest: the release's.
        before: of the release that is there now; configurations of sets that it alone has go.

    Raises:
        RefusedError: a configuration that no release put there has a set's name.
        ReleaseError: no licence is set, or `configs` is not a list of configurations.
    """
    licence = licence_of(manifest)
    stated = theirs.get("license")
    ours = {
        "license": licence if _is_ours(stated, before) else stated,
        "pretty_name": theirs.get("pretty_name") or repo.partition("/")[2],
        "tags": _tags(theirs.get("tags")),
        "configs": _configs(theirs.get("configs"), manifest, before),
    }
    return {**theirs, **ours}


def _is_ours(stated: Any, before: Manifest | None) -> bool:
    """Whether a card states no licence, or that which the release before put there."""
    return not stated or (before is not None and stated == before.provenance.get("licence"))


def _listed(stated: Any) -> list[str]:
    """The licences that a card states: the Hub takes one or a list."""
    return [str(one).strip().casefold() for one in (stated if isinstance(stated, list) else [stated])]


def _tags(theirs: Any) -> list[Any]:
    known = theirs if isinstance(theirs, list) else [theirs] if theirs else []
    return [*known, *(tag for tag in _TAGS if tag not in known)]


def _configs(theirs: Any, manifest: Manifest, before: Manifest | None) -> list[dict[str, Any]]:
    """A configuration a set, then those of the owner; at most one is the default."""
    known = _by_name(theirs)
    files = _data_files(manifest)
    owned = _data_files(before) if before else {}
    for name in files.keys() & known.keys() - owned.keys():
        if known[name].get("data_files") not in (files[name], [files[name]]):
            raise RefusedError(
                f"the repository's README.md has a configuration {name!r} that no release put there: the "
                "release's set of that name cannot be loaded beside it. Give it another name first"
            )
    others = [entry for name, entry in known.items() if name not in files and name not in owned]
    default = None if any(entry.get("default") for entry in others) else _default(known, manifest, before)
    ours = []
    for name, path in files.items():
        kept = {key: value for key, value in known.get(name, {}).items() if key != "default"}
        chosen = {"default": True} if name == default else {}
        ours.append({**kept, "config_name": name, "data_files": path, **chosen})
    return [*ours, *others]


def _data_files(manifest: Manifest) -> dict[str, str]:
    """Where the rows of each configuration of a release lie."""
    sets = {name: f"data/{name}/*.parquet" for name in manifest.sets}
    return sets | ({_PICTURES: f"{IMAGES}*.parquet"} if manifest.images else {})


def _default(known: Mapping[str, Mapping[str, Any]], manifest: Manifest, before: Manifest | None) -> str:
    """The set that is the default: the owner's choice where it is not what the release before chose."""
    chosen = next((name for name, entry in known.items() if entry.get("default")), None)
    if chosen in manifest.sets and (before is None or chosen != default_set(before)):
        return chosen
    return default_set(manifest)


def _by_name(configs: Any) -> dict[str, dict[str, Any]]:
    """Configurations by name; one without a name is `default`, as `datasets` has it."""
    listed = configs if configs is not None else []
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise ReleaseError(
            "the repository's README.md cannot be kept: its `configs` is not a list of configurations. "
            "Correct it first"
        )
    return {str(entry.get("config_name", "default")): entry for entry in listed}
