"""The dataset card: a page for people, under metadata that makes every set loadable by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

from alignrec.core.learned_from import LearnedFrom
from alignrec.core.protocols import find_protocol
from alignrec.core.recommendation import recommendations
from alignrec.core.results import POOLED_FILE, Results
from alignrec.core.vocabulary import feature_set
from alignrec.export.hub.card_metadata import default_set, licence_of, merge_metadata, split_card
from alignrec.export.hub.markdown import plain
from alignrec.export.hub.withdrawn import Withdrawal
from alignrec.export.release.chart import CHART
from alignrec.export.release.manifest import Manifest, kind_of
from alignrec.export.release.scores import scores_of

BEGIN, END = "<!-- alignrec: begin -->", "<!-- alignrec: end -->"
# Of many modalities there are more than anybody reads.
_MOST_DIRECTIONS = 12
# A version as packages have them (packaging.python.org/specifications/version-specifiers).
_PACKAGE_VERSION = re.compile(r"[A-Za-z0-9.!+-]{1,50}")


def render_card(
    repo: str,
    version: str,
    manifest: Manifest,
    withdrawn: Mapping[str, Withdrawal],
    existing: bytes | None = None,
    metrics: bytes | None = None,
    before: Manifest | None = None,
    pooled: bytes | None = None,
) -> str:
    """README.md for a version.

    What people wrote in an existing card stays: their metadata (see `merge_metadata`), and text outside
    of the part between our two marks.

    Args:
        repo: OWNER/NAME.
        version: X.Y.Z.
        manifest: the release's.
        withdrawn: withdrawn versions of the repository.
        existing: README.md as it is now, if there is one.
        metrics: the release's metrics.json, if it has one.
        before: the manifest of the release that is there now, if there is one.
        pooled: the release's pooled.json, if it has one.

    Raises:
        RefusedError: a configuration of the existing card is in a set's way.
        ReleaseError: no licence is set, or the existing card cannot be read.
        ResultsError: the metrics are not what an evaluation writes.
    """
    results = Results.parse(metrics) if metrics else Results()
    several = Results.parse(pooled, POOLED_FILE) if pooled else Results()
    theirs, text = split_card(existing or b"")
    metadata = merge_metadata(theirs, repo, manifest, before)
    head = yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True)
    ours = f"{BEGIN}\n{_body(repo, version, manifest, withdrawn, results, several)}{END}\n"
    return f"---\n{head}---\n{_with_ours(text, ours)}"


def _with_ours(text: str, ours: str) -> str:
    """A card's text with our part in the place of the old one, or before all else."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        return f"{ours}\n{text}".rstrip() + "\n"
    return before + ours + after.removeprefix("\r").removeprefix("\n")


def _body(
    repo: str,
    version: str,
    manifest: Manifest,
    withdrawn: Mapping[str, Withdrawal],
    results: Results,
    pooled: Results,
) -> str:
    scores, several = scores_of(results), scores_of(pooled)
    environment = Environment(  # Markdown, not HTML: values are escaped by `plain`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["plain"] = plain
    template = environment.from_string(Path(__file__).with_name("card.md.j2").read_text("utf-8"))
    return template.render(
        title=repo.partition("/")[2],
        repo=repo,
        version=version,
        keys=" or ".join(sorted({entry.key.removesuffix("_id") for entry in manifest.sets.values()})),
        sets=[
            (name, entry, feature_set(name, kind_of(manifest, name)).card)
            for name, entry in manifest.sets.items()
        ],
        learned=_learned(manifest),
        serving=any(entry is not None and entry.everything for entry in _learned(manifest)),
        pictures=sum(entry.rows or 0 for entry in manifest.images),
        scores=scores,
        several=several,
        splits=pooled.splits,
        alignment=results.alignment,
        directions=results.alignment.directions[:_MOST_DIRECTIONS] if results.alignment else [],
        recommendations=recommendations(results, pooled),
        protocols={score.protocol: find_protocol(score.protocol).label for score in scores + several},
        chart=CHART if any(entry.path == CHART for entry in manifest.files) else None,
        default=default_set(manifest),
        release_id=manifest.release_id,
        extractors=sorted(_extractors(manifest.provenance)),
        provenance=list(_flat({k: v for k, v in manifest.provenance.items() if k != "learned_from"})),
        licence=licence_of(manifest),
        software=_software(manifest.provenance),
        withdrawn=sorted(withdrawn.items()),
    )


def _learned(manifest: Manifest) -> dict[LearnedFrom | None, list[str]]:
    """The sets that have seen interactions, by which; None for sets of releases that do not say."""
    found: dict[LearnedFrom | None, list[str]] = {}
    for name in manifest.sets:
        learned_from = manifest.learned_from(name)
        if learned_from is not None or feature_set(name).learned_from_interactions:
            found.setdefault(learned_from, []).append(name)
    return found


def _extractors(provenance: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """For each modality the frozen model that it was read with."""
    extractors = provenance.get("extractors")
    for modality, card in (extractors if isinstance(extractors, Mapping) else {}).items():
        if isinstance(card, Mapping) and "name" in card:
            yield str(modality), str(card["name"])


def _software(provenance: Mapping[str, Any]) -> str | None:
    """The version of this software that made the release, if it says one that can stand in a citation."""
    software = provenance.get("software")
    found = str(software.get("alignrec")) if isinstance(software, Mapping) else ""
    return found if "alignrec" in (software or ()) and _PACKAGE_VERSION.fullmatch(found) else None


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Nested provenance as dotted names and plain values."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple) and not any(isinstance(item, Mapping | list) for item in value):
        yield name, ", ".join(map(str, value))
    elif isinstance(value, list | tuple):
        for position, inner in enumerate(value):
            yield from _flat(inner, f"{name}.{position}")
    else:
        yield name, value
