"""What the files of a sentence-transformers folder state: every key is applied, or refused by its name.

The keys and their meaning are those of sentence-transformers 6 (https://sbert.net), older files' included.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alignrec.extractors.backends.transformers.pooling import MODES, TextPooling
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.modality import TEXT
from alignrec.extractors.sentence_folder import SentenceModule, read_settings, sentence_modules

# The library reads the first of these that is there.
TRANSFORMER_FILES = tuple(
    f"sentence_{model}_config.json"
    for model in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
MODEL_FILE = "config_sentence_transformers.json"
VECTOR = "sentence_embedding"

# Older files' poolings, a key each.
_POOLINGS = {
    **{f"pooling_mode_{mode}_tokens": mode for mode in ("max", "mean", "weightedmean")},
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_lasttoken": "lasttoken",
}
# Keyword arguments of transformers that change no token's value: how attention is computed, a dtype (weights
# are float32 here), a pooler that is not used; and one that the library itself takes away.
_HARMLESS = {"attn_implementation", "torch_dtype", "dtype", "add_pooling_layer", "trust_remote_code"}
_TEXT_ALONE = {"method": "forward", "method_output_name": "last_hidden_state"}
_FEATURES = {"method": "get_text_features", "method_output_name": "pooler_output"}


def read_pooling(folder: Path, *, dual: bool, tower: bool, projected: bool = False) -> TextPooling:
    """How a model folder's texts become vectors, as its files state.

    Dual encoders project, and so do lone towers with a projection; other lone text towers of dual encoders
    give their pooler's output; models with sentence-transformers' files do as those say; any other model
    averages its tokens.

    Raises:
        ExtractorError: the files state what is not supported.
    """
    modules = sentence_modules(folder)
    own = "features" if dual else "projection" if projected else "pooler" if tower else None
    if not modules:
        return TextPooling((own or "mean",))
    pooled = len(modules) > 1
    if bool(own) == pooled:
        wrong = "pools again" if pooled else "has no Pooling"
        raise ExtractorError(
            f"{folder / 'modules.json'} {wrong}, which is not supported for this model: choose another model"
        )
    max_length, lower = _transformer(modules[0], dual=dual)
    prompt, truncate = _model(folder / MODEL_FILE)
    modes, include_prompt = _pooling(modules[1]) if pooled else ((str(own),), True)
    return TextPooling(modes, max_length, lower, prompt, include_prompt, truncate)


def check_width(folder: Path, width: int) -> None:
    """Refuse a Pooling that states another width than the model's tokens have.

    Raises:
        ExtractorError: it does.
    """
    modules = sentence_modules(folder)
    if len(modules) < 2:
        return
    path = modules[1].folder / "config.json"
    settings = read_settings(path)
    stated = settings.get("embedding_dimension", settings.get("word_embedding_dimension"))
    if stated != width:
        raise ExtractorError(
            f"{path} states {stated} values a token; the model gives {width}: fetch it again"
        )


class Settings:
    """One file's settings, each taken once; what is left in the end is refused.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        """Read the file; see `read_settings`."""
        self.path = path
        self._left: dict[str, Any] = read_settings(path)

    def __contains__(self, key: str) -> bool:
        """Whether a key is still there."""
        return key in self._left

    def take(self, key: str, kind: type | tuple[type, ...], default: Any = None) -> Any:
        """A setting's value of a type; the default where it is absent or null."""
        value = self._left.pop(key, None)
        if value is None:
            return default
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            self.refuse(key, value)
        return value

    def expect(self, key: str, *allowed: Any) -> None:
        """Refuse a setting unless it is absent, null or one of the values that change nothing."""
        value = self._left.pop(key, None)
        if value is not None and value not in allowed:
            self.refuse(key, value)

    def ignore(self, *keys: str) -> None:
        """Pass over settings that decide no vector."""
        for key in keys:
            self._left.pop(key, None)

    def end(self) -> None:
        """Refuse what nobody took."""
        for key, value in sorted(self._left.items()):
            self.refuse(key, value)

    def refuse(self, key: str, value: Any) -> None:
        """Stop at a setting that would give other vectors than sentence-transformers gives.

        Raises:
            ExtractorError: always.
        """
        raise ExtractorError(
            f"{self.path} states {key}: {json.dumps(value)}, which is not supported; vectors would not be "
            "those of sentence-transformers: choose another model"
        )


def _transformer(module: SentenceModule, *, dual: bool) -> tuple[int | None, bool]:
    """Most tokens of a text, and whether texts are lower-cased."""
    found = [module.folder / name for name in TRANSFORMER_FILES if read_settings(module.folder / name)]
    settings = Settings((found or [module.folder / TRANSFORMER_FILES[0]])[0])
    max_length = settings.take("max_seq_length", int)
    if max_length is not None and max_length < 1:
        settings.refuse("max_seq_length", max_length)
    lower = settings.take("do_lower_case", bool, False)
    for key in (
        "model_args",
        "model_kwargs",
        "tokenizer_args",
        "processor_kwargs",
        "config_args",
        "config_kwargs",
    ):
        arguments = settings.take(key, dict, {})
        if arguments.keys() - _HARMLESS:
            settings.refuse(key, arguments)
    settings.expect("transformer_task", "feature-extraction")
    modalities = settings.take("modality_config", dict, {})
    if modalities and (
        modalities.get(TEXT.name) != (_FEATURES if dual else _TEXT_ALONE) or "message" in modalities
    ):
        settings.refuse("modality_config", modalities)
    settings.expect("module_output_name", VECTOR if dual else "token_embeddings")
    settings.expect("processing_kwargs", {})
    for key in ("query_length", "document_length", "query_expansion", "tokenizer_name_or_path"):
        settings.expect(key)
    settings.ignore("unpad_inputs")  # how attention is computed, on some GPUs
    settings.end()
    return max_length, lower


def _model(path: Path) -> tuple[str, int | None]:
    """What texts are prefixed with, and how many values of a vector are kept."""
    settings = Settings(path)
    settings.expect("model_type", "SentenceTransformer")
    prompts: Mapping[str, Any] = {"query": "", "document": "", **settings.take("prompts", dict, {})}
    name = settings.take("default_prompt_name", str)
    if name is not None and name not in prompts:
        raise ExtractorError(
            f"{path} states default_prompt_name: {json.dumps(name)}, which is none of its prompts: "
            f"{', '.join(sorted(prompts))}"
        )
    prompt = prompts[name] if name is not None else None
    if prompt is not None and not isinstance(prompt, str):
        settings.refuse("prompts", dict(prompts))
    truncate = settings.take("truncate_dim", int)
    if truncate is not None and truncate < 1:
        settings.refuse("truncate_dim", truncate)
    # How vectors are compared, and which versions of the library its author asks for.
    settings.ignore("similarity_fn_name", "__version__", "requirements")
    settings.end()
    return prompt or "", truncate


def _pooling(module: SentenceModule) -> tuple[tuple[str, ...], bool]:
    """The poolings that are joined, and whether the prompt's tokens count."""
    settings = Settings(module.folder / "config.json")
    old = settings.take("word_embedding_dimension", int)
    if settings.take("embedding_dimension", int, old) is None:
        raise ExtractorError(
            f"{settings.path} states no embedding_dimension (word_embedding_dimension in older files): "
            "fetch the model again"
        )
    single = {mode for key, mode in _POOLINGS.items() if settings.take(key, bool, False)}
    stated = settings.take("pooling_mode", (str, list))
    if stated is None:
        modes = [mode for mode in MODES if mode in single] or ["mean"]
    else:
        modes = [stated] if isinstance(stated, str) else stated
        if not modes or not all(isinstance(mode, str) and mode in MODES for mode in modes):
            raise ExtractorError(
                f"{settings.path} states pooling_mode: {json.dumps(stated)}; supported are "
                f"{', '.join(MODES)}: choose another model"
            )
    include_prompt = settings.take("include_prompt", bool, True)
    settings.end()
    return tuple(modes), include_prompt
