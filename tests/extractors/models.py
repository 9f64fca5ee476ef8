"""Tiny models of every supported kind, made and saved to a folder."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from alignrec.extractors.testing import WORDS

VISION = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
TEXT = {
    "vocab_size": 14,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 16,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}


def save_tokenizer(folder: Path, max_length: int | None = 16) -> None:
    vocabulary = {word: index for index, word in enumerate(["<pad>", "<s>", "</s>", "<unk>", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    special = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    limit = {} if max_length is None else {"model_max_length": max_length}
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special, **limit).save_pretrained(
        folder
    )


def _save(model: transformers.PreTrainedModel, folder: Path) -> Path:
    """Spread the weights, so that outputs differ as a trained model's do."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder)
    return folder


def vit(folder: Path, *, pooler: bool = True) -> Path:
    torch.manual_seed(0)
    transformers.ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    model = transformers.ViTModel(transformers.ViTConfig(**VISION), add_pooling_layer=pooler)
    return _save(model, folder)


def convnext(folder: Path) -> Path:
    torch.manual_seed(0)
    size = {"shortest_edge": 32}
    transformers.ConvNextImageProcessor(size=size, crop_pct=1.0).save_pretrained(folder)
    config = transformers.ConvNextConfig(hidden_sizes=[8, 12, 16, 24], depths=[1, 1, 1, 1])
    return _save(transformers.ConvNextModel(config), folder)


def bert(folder: Path, *, max_length: int | None = 16) -> Path:
    torch.manual_seed(0)
    save_tokenizer(folder, max_length)
    config = transformers.BertConfig(**TEXT)
    return _save(transformers.BertModel(config, add_pooling_layer=False), folder)


def sentence_bert(folder: Path, pooling: str = "pooling_mode_cls_token", *extra: str) -> Path:
    """A BERT with the files that sentence-transformers adds."""
    bert(folder)
    kinds = ["Transformer", "Pooling", *extra]
    paths = ["", "1_Pooling", *(f"{index}_{kind}" for index, kind in enumerate(extra, 2))]
    modules = [
        {
            "idx": index,
            "name": str(index),
            "path": path,
            "type": f"sentence_transformers.models.{kind}",
        }
        for index, (kind, path) in enumerate(zip(kinds, paths, strict=True))
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": 32, pooling: True})
    )
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 8}))
    return folder


def t5(folder: Path) -> Path:
    torch.manual_seed(0)
    save_tokenizer(folder)
    config = transformers.T5Config(
        vocab_size=14, d_model=32, d_kv=16, d_ff=48, num_layers=2, num_heads=2, decoder_start_token_id=0
    )
    return _save(transformers.T5EncoderModel(config), folder)


def clip(folder: Path) -> Path:
    torch.manual_seed(0)
    save_tokenizer(folder)
    edge = {"height": 32, "width": 32}
    transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=edge).save_pretrained(folder)
    config = transformers.CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=24)
    return _save(transformers.CLIPModel(config), folder)


def clip_tower(folder: Path, kind: str = "Vision") -> Path:
    """One side of a CLIP model with its projection, as text-to-image pipelines keep them."""
    torch.manual_seed(0)
    save_tokenizer(folder)
    edge = {"height": 32, "width": 32}
    transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=edge).save_pretrained(folder)
    config = getattr(transformers, f"CLIP{kind}Config")(
        **(VISION if kind == "Vision" else TEXT), projection_dim=24
    )
    return _save(getattr(transformers, f"CLIP{kind}ModelWithProjection")(config), folder)


def resnet(folder: Path) -> Path:
    torch.manual_seed(0)
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 12, 16, 24], depths=[1, 1, 1, 1], layer_type="basic"
    )
    return _save(transformers.ResNetModel(config), folder)


def siglip(folder: Path) -> Path:
    torch.manual_seed(0)
    save_tokenizer(folder)
    transformers.SiglipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    config = transformers.SiglipConfig(text_config=TEXT, vision_config=VISION)
    return _save(transformers.SiglipModel(config), folder)


def roberta(folder: Path, *, max_length: int | None = None) -> Path:
    """Its positions start at 2, and by default neither file states the length that leaves."""
    torch.manual_seed(0)
    save_tokenizer(folder, max_length)
    config = transformers.RobertaConfig(**{**TEXT, "pad_token_id": 1, "bos_token_id": 0})
    return _save(transformers.RobertaModel(config, add_pooling_layer=False), folder)


def mpnet(folder: Path) -> Path:
    torch.manual_seed(0)
    save_tokenizer(folder)
    config = transformers.MPNetConfig(**{**TEXT, "max_position_embeddings": 18, "pad_token_id": 1})
    return _save(transformers.MPNetModel(config, add_pooling_layer=False), folder)


def qwen(folder: Path) -> Path:
    """A decoder, whose texts end with their own token and are padded on the left."""
    return _qwen(folder, "$A </s>")


def qwen_without_end(folder: Path) -> Path:
    return _qwen(folder, "$A")


def _qwen(folder: Path, template: str) -> Path:
    torch.manual_seed(0)
    save_tokenizer(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, padding_side="left")
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=template, special_tokens=[("</s>", 2)]
    )
    tokenizer.save_pretrained(folder)
    config = transformers.Qwen3Config(**TEXT, head_dim=16, num_key_value_heads=1)
    return _save(transformers.Qwen3Model(config), folder)


def siglip2(folder: Path) -> Path:
    """Patches of pictures in their own shape, padded to a fixed number."""
    torch.manual_seed(0)
    save_tokenizer(folder)
    transformers.Siglip2ImageProcessor(patch_size=8, max_num_patches=16).save_pretrained(folder)
    vision = {key: value for key, value in VISION.items() if key != "image_size"} | {"num_patches": 16}
    config = transformers.Siglip2Config(text_config=TEXT, vision_config=vision)
    return _save(transformers.Siglip2Model(config), folder)


def open_clip_model(folder: Path) -> Path:
    import open_clip

    torch.manual_seed(0)
    config = {
        "embed_dim": 24,
        "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
    }
    model = open_clip.CLIP(**config)
    folder.mkdir(exist_ok=True)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    preprocess = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "resize_mode": "squash"}
    written = {"model_cfg": config, "preprocess_cfg": preprocess}
    (folder / "open_clip_config.json").write_text(json.dumps(written))
    return folder


HEARING = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "conv_dim": (16, 16, 16),
    "conv_kernel": (10, 8, 4),
    "conv_stride": (8, 8, 5),
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}


def wav2vec2(folder: Path, *, norm: str = "group", kind: str = "Wav2Vec2") -> Path:
    """A speech model; with a norm of each layer its feature extractor gives an attention mask."""
    torch.manual_seed(0)
    masked = norm == "layer"
    extractor = transformers.Wav2Vec2FeatureExtractor(return_attention_mask=masked, do_normalize=True)
    extractor.save_pretrained(folder)
    config = getattr(transformers, f"{kind}Config")(
        **HEARING, feat_extract_norm=norm, do_stable_layer_norm=masked
    )
    return _save(getattr(transformers, f"{kind}Model")(config), folder)


def hubert(folder: Path) -> Path:
    return wav2vec2(folder, kind="Hubert")


def ast(folder: Path) -> Path:
    """Spectrograms of 64 frames, two thirds of a second."""
    torch.manual_seed(0)
    extractor = transformers.ASTFeatureExtractor(num_mel_bins=32, max_length=64, mean=-4.0, std=4.5)
    extractor.save_pretrained(folder)
    shape = {key: value for key, value in VISION.items() if key not in ("image_size", "patch_size")}
    config = transformers.ASTConfig(**shape, patch_size=16, num_mel_bins=32, max_length=64)
    return _save(transformers.ASTModel(config), folder)


CLAP_AUDIO = {
    "spec_size": 128,
    "window_size": 4,
    "num_mel_bins": 32,
    "patch_size": 4,
    "patch_stride": [4, 4],
    "hidden_size": 64,
    "patch_embeds_hidden_size": 8,
    "depths": [1, 1, 1, 1],
    "num_attention_heads": [2, 2, 2, 2],
    "projection_dim": 24,
}


def _clap_extractor(folder: Path, truncation: str) -> None:
    transformers.ClapFeatureExtractor(
        feature_size=32,
        sampling_rate=8_000,
        hop_length=40,
        fft_window_size=256,
        max_length_s=1,
        frequency_max=4_000,
        truncation=truncation,
    ).save_pretrained(folder)


def clap(folder: Path, *, fusion: bool = False) -> Path:
    """Sounds of one second at 8 kHz, and texts."""
    torch.manual_seed(0)
    save_tokenizer(folder)
    _clap_extractor(folder, "fusion" if fusion else "rand_trunc")
    audio = CLAP_AUDIO | {"enable_fusion": fusion}
    text = TEXT | {"max_position_embeddings": 18, "pad_token_id": 1}
    config = transformers.ClapConfig(text_config=text, audio_config=audio, projection_dim=24)
    return _save(transformers.ClapModel(config), folder)


def clap_tower(folder: Path, *, projection: bool = True) -> Path:
    """The audio side of such a model, saved alone."""
    torch.manual_seed(0)
    _clap_extractor(folder, "rand_trunc")
    kind = transformers.ClapAudioModelWithProjection if projection else transformers.ClapAudioModel
    return _save(kind(transformers.ClapAudioConfig(**CLAP_AUDIO)), folder)
