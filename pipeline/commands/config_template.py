"""The config that `alignrec init` writes: what was found, and a comment on every choice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alignrec.core.modality_names import check_modality
from alignrec.core.vocabulary import IMAGE, MODALITIES, TEXT
from alignrec.extractors.errors import TemplateError
from alignrec.extractors.inputs.template import TextTemplate
from alignrec.pipeline.catalog.sources.source import Draft
from alignrec.pipeline.config.settings import ExtractConfig

COMMENTS = {
    "path": "paths start from this file's folder",
    "id": "the column of item ids",
    IMAGE: "the column of picture paths, URLs or embedded pictures; null for none",
    "image_root": "the folder (or s3://…) that pictures and sounds are in, and that no path may leave",
    "linked_folders": "folders outside of it that links and full paths may lead into",
    TEXT: "what the text model reads: {column}s of the items table; null for none",
    "user": "the column of user ids",
    "item": "the column of item ids",
    "rating": "the column of ratings",
    "timestamp": "the column of times",
    "min_rating": "lower ratings are no positives",
    "k_core": "users and items with fewer interactions are left out",
    "method": "random, temporal, leave-one-out, new-items, or mmrec: as the file says",
}
DEFAULT_SPLIT = {"method": "random", "ratios": [0.8, 0.1, 0.1], "k_core": 5}


def render(name: str, draft: Draft, plugins: Sequence[Path] = ()) -> str:
    """The YAML text of a config.

    Args:
        name: of the run.
        draft: what was found.
        plugins: absolute paths of Python files that the config names.
    """
    lines = ["# Written by `alignrec init`. Every key but catalog.items.path has a default;"]
    lines += ["# `alignrec run` does the rest, `alignrec status` says what is done."]
    lines += [f"# {line}" for note in draft.notes for line in _comment(f"Note: {note}")]
    lines += [f"name: {json.dumps(name)}", f"out: {json.dumps(f'runs/{name}')}", "seed: 1"]
    lines += (
        [f"plugins: {json.dumps([str(file) for file in plugins], ensure_ascii=False)}"] if plugins else []
    )
    lines += ["", "catalog:"]
    lines += _section("items", draft.items)
    lines += _named(draft.modalities) or _modalities(draft.items.get(TEXT))
    if draft.interactions:
        lines += _section("interactions", draft.interactions)
    lines += ["", "# How interactions are cut into train, validation and test."]
    lines += _flat("split", draft.split or DEFAULT_SPLIT)
    lines += ["", "# The frozen models; see the README for others."]
    kinds = [*MODALITIES, *(located["type"] for located in draft.modalities.values())]
    models = {kind: getattr(ExtractConfig(), kind) for kind in dict.fromkeys(kinds)} | draft.extract
    lines += _flat("extract", {**models, "max_rejected": 0.05})
    lines += ["", "# What the release carries. A push needs a licence: set it to your own."]
    lines += ["export:", "  license: null", ""]
    return "\n".join(lines)


def _comment(text: str) -> list[str]:
    """The lines of a comment, without characters that YAML does not allow."""
    return ["".join(c if c.isprintable() else " " for c in line) for line in text.splitlines()]


def _named(modalities: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The modalities beside image and text."""
    lines = [f"    {name}: {json.dumps(located, ensure_ascii=False)}" for name, located in modalities.items()]
    return (
        ["  # More of an item, beside image and text; any number.", "  modalities:", *lines] if lines else []
    )


def _modalities(template: str | None) -> list[str]:
    """A comment that shows how the fields of a text become modalities of their own."""
    try:
        fields = TextTemplate(template).fields if template else ()
    except TemplateError:
        return []
    shown = [
        f"  #   {name}: {{type: text, template: {json.dumps(f'{{{name}}}')}}}"
        for name in fields
        if _free(name)
    ]
    head = "  # What an item has more of can be modalities of their own, any number, beside image and text:"
    return [head, "  # modalities:", *shown] if shown else []


def _free(field: str) -> bool:
    """Whether a modality beside the short forms can be called after a field."""
    try:
        return check_modality(field) not in MODALITIES and field.isprintable()
    except ValueError:
        return False


def _section(name: str, values: dict[str, Any]) -> list[str]:
    lines = [f"  {name}:"]
    for key, value in values.items():
        line = f"    {key}: {json.dumps(value, ensure_ascii=False)}"
        lines.append(f"{line}  # {COMMENTS[key]}" if key in COMMENTS else line)
    return lines


def _flat(name: str, values: dict[str, Any]) -> list[str]:
    lines = [f"{name}:"]
    for key, value in values.items():
        line = f"  {key}: {json.dumps(value, ensure_ascii=False)}"
        lines.append(f"{line}  # {COMMENTS[key]}" if key in ("method", "k_core") else line)
    return lines
