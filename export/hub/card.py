"""The dataset card: metadata that makes every set loadable by name, and a page for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import DatasetCardData
from jinja2 import Environment, StrictUndefined

from alignrec.core.documents import DocumentError, parse_front_matter
from alignrec.core.results import Results
from alignrec.core.vocabulary import PREFERRED_SETS, feature_set, find_protocol
from alignrec.export.errors import ReleaseError
from alignrec.export.hub.withdrawn import Withdrawal
from alignrec.export.release.chart import CHART
from alignrec.export.release.manifest import IMAGES, Manifest
from alignrec.export.release.scores import Score, scores_of

BEGIN, END = "<!-- alignrec: begin -->", "<!-- alignrec: end -->"
_LONGEST_VALUE = 200


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


def render_card(
    repo: str,
    version: str,
    manifest: Manifest,
    withdrawn: Mapping[str, Withdrawal],
    existing: bytes | None = None,
    metrics: bytes | None = None,
) -> str:
    """README.md for a version.

    What people wrote in an existing card stays: metadata that is not ours, and text outside of the
    part between our two marks.

    Args:
        repo: OWNER/NAME.
        version: X.Y.Z.
        manifest: the release's.
        withdrawn: withdrawn versions of the repository.
        existing: README.md as it is now, if there is one.
        metrics: the release's metrics.json, if there was an evaluation.

    Raises:
        ReleaseError: no licence is set, or the existing card cannot be read.
        ResultsError: the metrics are not what an evaluation writes.
    """
    scores = scores_of(Results.parse(metrics)) if metrics else []
    try:
        kept, text = parse_front_matter(existing or b"")
    except DocumentError as error:
        raise ReleaseError(
            f"the repository's README.md cannot be kept: {error}. Correct it first: a README is UTF-8, and "
            "its metadata a YAML mapping of names"
        ) from None
    head = yaml.safe_dump(kept | _metadata(repo, manifest), sort_keys=False, allow_unicode=True)
    ours = f"{BEGIN}\n{_body(repo, version, manifest, withdrawn, scores)}{END}\n"
    return f"---\n{head}---\n{_with_ours(text, ours)}"


def _with_ours(text: str, ours: str) -> str:
    """A card's text with our part in the place of the old one, or before all else."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        return f"{ours}\n{text}".rstrip() + "\n"
    return before + ours + after.removeprefix("\r").removeprefix("\n")


def _metadata(repo: str, manifest: Manifest) -> dict[str, Any]:
    default = default_set(manifest)
    configs = [
        {"config_name": name, "data_files": f"data/{name}/*.parquet"}
        | ({"default": True} if name == default else {})
        for name in manifest.sets
    ]
    if manifest.images:
        configs.append({"config_name": "images", "data_files": f"{IMAGES}*.parquet"})
    card = DatasetCardData(
        license=licence_of(manifest),
        pretty_name=repo.partition("/")[2],
        tags=["recommender-systems", "multimodal", "embeddings", "alignrec"],
        configs=configs,
    )
    return {name: value for name, value in yaml.safe_load(card.to_yaml()).items() if value is not None}


def default_set(manifest: Manifest) -> str:
    """The set that a reader gets who names none."""
    return next((name for name in PREFERRED_SETS if name in manifest.sets), next(iter(manifest.sets)))


def _body(
    repo: str,
    version: str,
    manifest: Manifest,
    withdrawn: Mapping[str, Withdrawal],
    scores: Sequence[Score],
) -> str:
    environment = Environment(  # Markdown, not HTML: values are escaped by `cell`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["cell"] = _cell
    template = environment.from_string(Path(__file__).with_name("card.md.j2").read_text("utf-8"))
    return template.render(
        title=repo.partition("/")[2],
        repo=repo,
        version=version,
        keys=" or ".join(sorted({entry.key.removesuffix("_id") for entry in manifest.sets.values()})),
        sets=[(name, entry, feature_set(name).card) for name, entry in manifest.sets.items()],
        pictures=sum(entry.rows or 0 for entry in manifest.images),
        scores=scores,
        protocols={score.protocol: find_protocol(score.protocol).label for score in scores},
        chart=CHART if any(entry.path == CHART for entry in manifest.files) else None,
        default=default_set(manifest),
        release_id=manifest.release_id,
        extractors=sorted(_extractors(manifest.provenance)),
        provenance=list(_flat(manifest.provenance)),
        licence=licence_of(manifest),
        software=_software(manifest.provenance),
        withdrawn=sorted(withdrawn.items()),
    )


def _extractors(provenance: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """For each modality the frozen model that it was read with."""
    extractors = provenance.get("extractors")
    for modality, card in (extractors if isinstance(extractors, Mapping) else {}).items():
        if isinstance(card, Mapping) and "name" in card:
            yield str(modality), str(card["name"])


def _software(provenance: Mapping[str, Any]) -> str | None:
    """The version of this software that made the release, if it says."""
    software = provenance.get("software")
    return str(software["alignrec"]) if isinstance(software, Mapping) and "alignrec" in software else None


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


def _cell(value: Any) -> str:
    """A value on one line of a Markdown table, unable to end its cell, the table or our part."""
    text = " ".join(str(value).split())
    text = text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")
