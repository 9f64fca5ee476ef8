"""Every backend passes the shared suite, from a folder and without network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alignrec.extractors.contract import Extractor
from alignrec.extractors.registry import load_extractor
from alignrec.extractors.testing import ExtractorSuite
from tests.extractors import models

FOLDERS: dict[str, tuple[str, str, Callable[[Path], Path]]] = {
    "vit": ("transformers:", "image", models.vit),
    "vit-without-pooler": ("transformers:", "image", lambda folder: models.vit(folder, pooler=False)),
    "convnext": ("transformers:", "image", models.convnext),
    "bert": ("transformers:", "text", models.bert),
    "bert-cls": ("transformers:", "text", models.sentence_bert),
    "bert-max": ("transformers:", "text", lambda f: models.sentence_bert(f, "pooling_mode_max_tokens")),
    "bert-last": (
        "transformers:",
        "text",
        lambda f: models.sentence_bert(f, "pooling_mode_lasttoken", "Normalize"),
    ),
    "roberta": ("transformers:", "text", models.roberta),
    "siglip2-image": ("transformers:", "image", models.siglip2),
    "siglip2-text": ("transformers:", "text", models.siglip2),
    "t5": ("transformers:", "text", models.t5),
    "clip-image": ("transformers:", "image", models.clip),
    "clip-text": ("transformers:", "text", models.clip),
    "siglip-image": ("transformers:", "image", models.siglip),
    "siglip-text": ("transformers:", "text", models.siglip),
    "clip-tower-image": ("transformers:", "image", models.clip_tower),
    "clip-tower-text": ("transformers:", "text", lambda folder: models.clip_tower(folder, "Text")),
    "mpnet": ("transformers:", "text", models.mpnet),
    "qwen": ("transformers:", "text", models.qwen),
    "wav2vec2": ("transformers:", "audio", models.wav2vec2),
    "wav2vec2-masked": ("transformers:", "audio", lambda folder: models.wav2vec2(folder, norm="layer")),
    "hubert": ("transformers:", "audio", models.hubert),
    "ast": ("transformers:", "audio", models.ast),
    "clap-audio": ("transformers:", "audio", models.clap),
    "clap-text": ("transformers:", "text", models.clap),
    "clap-fusion": ("transformers:", "audio", lambda folder: models.clap(folder, fusion=True)),
    "clap-tower": ("transformers:", "audio", models.clap_tower),
    "clap-tower-bare": ("transformers:", "audio", lambda f: models.clap_tower(f, projection=False)),
    "open-clip-image": ("open_clip:local-dir:", "image", models.open_clip_model),
    "open-clip-text": ("open_clip:local-dir:", "text", models.open_clip_model),
}


@pytest.mark.parametrize("case", FOLDERS, scope="class")
class TestFolders(ExtractorSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def extractor(cls, case: str, tmp_path_factory: pytest.TempPathFactory) -> Extractor:
        scheme, modality, make = FOLDERS[case]
        folder = make(tmp_path_factory.mktemp(case))
        return load_extractor(f"{scheme}{folder}", modality, device="cpu")


class TestMiniLM(ExtractorSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def extractor(cls) -> Extractor:
        return load_extractor("packaged:all-minilm-l6-v2", "text", device="cpu")


class TestEfficientNet(ExtractorSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def extractor(cls) -> Extractor:
        return load_extractor("packaged:efficientnet-lite0", "image", device="cpu")


class TestLogMel(ExtractorSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def extractor(cls) -> Extractor:
        return load_extractor("signal:log-mel", "audio", device="cpu")
