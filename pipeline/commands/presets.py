"""The catalogues that AlignRec's authors measure on, as configs: which files, and the paper's settings.

Liu et al., CIKM 2024 (arXiv 2403.12384): three categories of the Amazon reviews of 2014, 5-core, each user's
interactions cut 8:1:1 at random.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alignrec.aligner.train.search import space
from alignrec.aligner.train.settings import TrainSettings
from alignrec.core.errors import suggest
from alignrec.core.vocabulary import IMAGE, PAIR, TEXT
from alignrec.pipeline.errors import ConfigError

WHERE = "http://snap.stanford.edu/data/amazon/productGraph/categoryFiles/"
CHECKPOINT = "beit3_base_patch16_224.pth"
CHECKPOINTS = "https://github.com/microsoft/unilm/tree/master/beit3"

CONTENT = "{title}. {brand}. {categories}. {description}"
# The vector of an item is `[CLS]` over both, as the authors take it, in all its components.
ENCODER: Mapping[str, Any] = {"dim": 768, "whiten": 0, "epochs": 0}
FINETUNING: Mapping[str, Any] = {
    "batch_size": 64,
    "accumulate": 8,
    "precision": "bfloat16",
    "classify": True,
}
_PASSES = 20  # over the items, in fine-tuning

# What a config has in place of `catalog`, `finetune`, `extract` and `pretrain` where features are given.
GIVEN = (
    "# Features that the authors, or anyone, give as matrices need no encoder: a folder with the .inter",
    "# file, i_id_mapping.csv and the matrices, as MMRec has them. In place of catalog, finetune, extract",
    "# and pretrain:",
    "#   catalog:",
    '#     items: {path: "mmrec:FOLDER", text: "{text}"}',
    '#     interactions: {path: "mmrec:FOLDER"}',
    '#   extract: {image: "given:FOLDER/image_feat.npy", text: "given:FOLDER/text_feat.npy"}',
)


@dataclass(frozen=True)
class Preset:
    """A catalogue of the paper.

    Attributes:
        category: as the files' names have it.
        users, items, interactions: of its 5-core.
        published: Recall@20 and NDCG@20 on test that others publish for it under MMRec's protocol, by system.
        source: who publishes them.
    """

    category: str
    users: int
    items: int
    interactions: int
    published: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    source: str = ""

    @property
    def metadata(self) -> str:
        """The file of the items."""
        return f"meta_{self.category}.json.gz"

    @property
    def steps(self) -> int:
        """Of fine-tuning, in thousands."""
        steps: float = _PASSES * self.items / FINETUNING["batch_size"]
        return max(1, round(steps / 1000)) * 1000

    @property
    def reviews(self) -> str:
        """The file of the 5-core's reviews."""
        return f"reviews_{self.category}_5.json.gz"


PRESETS: Mapping[str, Preset] = {
    "paper-baby": Preset(
        *("Baby", 19_445, 7_050, 160_792),
        {
            "BPR": (0.0575, 0.0249),
            "VBPR": (0.0663, 0.0284),
            "LightGCN": (0.0754, 0.0328),
            "SLMRec": (0.0775, 0.0353),
            "GRCN": (0.0833, 0.0363),
            "BM3": (0.0883, 0.0383),
            "FREEDOM": (0.0992, 0.0424),
        },
        "MMRec's evaluation page",
    ),
    "paper-sports": Preset(
        *("Sports_and_Outdoors", 35_598, 18_357, 296_337),
        {
            "BPR": (0.0653, 0.0298),
            "LightGCN": (0.0864, 0.0387),
            "BM3": (0.0980, 0.0438),
            "FREEDOM": (0.1089, 0.0481),
        },
        "MMRec's evaluation page",
    ),
    "paper-electronics": Preset("Electronics", 192_403, 63_001, 1_689_188),
}


def find_preset(name: str) -> Preset:
    """The preset of a name.

    Raises:
        ConfigError: there is none.
    """
    if name not in PRESETS:
        raise ConfigError(f"preset {name!r} is unknown: {suggest(name, PRESETS)}")
    return PRESETS[name]


def render_preset(name: str) -> str:
    """The YAML text of a preset's config, to lie beside the catalogue's files."""
    preset = find_preset(name)
    paper = TrainSettings.paper()
    changed = {
        key: value for key, value in paper.model_dump().items() if value != getattr(TrainSettings(), key)
    }
    items = {
        "path": f"amazon-2014:{preset.metadata}",
        IMAGE: None,
        TEXT: None,
        "image_root": "images",
        "interacted": True,
    }
    interactions = {"path": f"amazon-2014:{preset.reviews}", "rating": "rating", "timestamp": "timestamp"}
    evaluate = {"k": [10, 20], "full": True, **({"published": preset.published} if preset.published else {})}
    lines = [
        f"# AlignRec's settings (arXiv 2403.12384) on Amazon {preset.category.split('_')[0]}, 2014, 5-core:",
        f"# {preset.users:,} users, {preset.items:,} items, {preset.interactions:,} interactions.",
        "#",
        "# Beside this file belong:",
        *(f"#   {WHERE}{file}" for file in (preset.metadata, preset.reviews)),
        "#   images/, an empty folder, which `alignrec download` fills",
        f"#   beit3/ with {CHECKPOINT} and beit3.spm from {CHECKPOINTS}",
        "# Then, on a machine with a GPU: alignrec download && alignrec run",
        f"name: {name}",
        f"out: runs/{name}",
        "seed: 1",
        "",
        "catalog:",
        *_section("  items", items),
        "  # Picture and text are read at once: an item's vector is [CLS] over both.",
        *_section("  modalities", {"both": {"type": PAIR, "columns": IMAGE, "template": CONTENT}}),
        "  # Every review is a positive, whatever its stars.",
        *_section("  interactions", interactions),
        "",
        *_section("split", {"method": "random", "ratios": [0.8, 0.1, 0.1], "k_core": 5}),
        "",
        "# BEiT-3-base, fine-tuned on the catalogue by mask-then-predict. The authors state neither steps",
        f"# nor rates: these are {_PASSES} passes over the items. Hidden patches are told apart by k-means",
        "# on a vision model's patches; with a tokenizer of BEiT v2 here, by codes that BEiT-3 knows:",
        '#   teacher: "vqkd:vqkd_encoder_base_decoder_3x768x12_clip-d5036aa7.pth", codes: 8192',
        *_section("finetune", {"steps": preset.steps, **FINETUNING}),
        "",
        "# Of a text 128 word pieces are read.",
        *_section("extract", {PAIR: f"beit3:beit3/{CHECKPOINT}"}),
        *_section("pretrain", ENCODER),
        "",
        *GIVEN,
        "",
        "# The paper's form of the objective. `alignrec tune` searches around it, by validation, in:",
        *_comment(space(paper)),
        *_section("train", changed),
        "",
        *_published(preset),
        *_section("evaluate", evaluate),
        *_section("export", {"license": None}),
        "",
    ]
    return "\n".join(lines)


def missing_files(name: str, folder: Path) -> list[str]:
    """The addresses of the preset's tables that are not in a folder yet."""
    preset = find_preset(name)
    return [WHERE + file for file in (preset.metadata, preset.reviews) if not (folder / file).is_file()]


def _published(preset: Preset) -> list[str]:
    """A comment on the numbers of others that are shown beside one's own."""
    head = f"# Published: Recall@20 and NDCG@20 on test, from {preset.source}, on another draw of the split."
    return [head] if preset.published else []


def _comment(values: Mapping[str, tuple[float, ...]]) -> list[str]:
    return [f"#   {key}: {', '.join(f'{value:g}' for value in several)}" for key, several in values.items()]


def _section(key: str, values: Mapping[str, Any]) -> list[str]:
    """A section of a config, a setting a line."""
    indent = key[: len(key) - len(key.lstrip())] + "  "
    lines = [f"{key}:"]
    for name, value in values.items():
        if isinstance(value, Mapping):
            lines += _section(f"{indent}{name}", value)
        else:
            lines.append(f"{indent}{name}: {json.dumps(value)}")
    return lines
