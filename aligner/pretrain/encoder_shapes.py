"""The tensors of a multimodal encoder by its settings: known before there is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from alignrec.aligner.encoder_files import Shape
from alignrec.aligner.pretrain.batches import LONGEST
from alignrec.aligner.pretrain.multiway import CLS
from alignrec.aligner.pretrain.settings import PretrainSettings

Named = Iterator[tuple[str, Shape]]


def share_out(dim: int, modalities: Iterable[str]) -> dict[str, int]:
    """How many of an item vector's dimensions each modality has: equally many, and the last what is left."""
    names = list(modalities)
    share, rest = divmod(dim, len(names))
    return {m: share + (rest if m == names[-1] else 0) for m in names}


def encoder_shapes(settings: PretrainSettings, widths: Mapping[str, tuple[int, int]]) -> Named:
    """Name and shape of every tensor of `MultimodalEncoder(settings, widths)`, one after the other.

    Args:
        settings: of the encoder.
        widths: of each modality, in the encoder's order, since the last gets the rest of the dimensions.
    """
    yield from _token_encoder(settings, widths)
    for m, part in share_out(settings.dim, widths).items():
        if part < settings.dim:
            yield f"own.{m}.frequency", (settings.dim - part, part)
            yield f"own.{m}.phase", (part,)
        if settings.as_content_says:
            yield f"scales.{m}.scale", (part,)


def cls_shapes(settings: PretrainSettings, widths: Mapping[str, tuple[int, int]]) -> Named:
    """The same of `ClsEncoder(settings, widths)`."""
    yield from _token_encoder(settings, widths)
    yield from (("mask", (settings.width,)), ("centre", (settings.width,)))


def residual_shapes(settings: PretrainSettings, widths: Mapping[str, tuple[int, int]]) -> Named:
    """The same of `ResidualEncoder` by each view's components and width of tokens, without the linear one."""
    for m, (used, token) in widths.items():
        yield from _front(m, token, used, settings)
        yield from _linear(f"predict.{m}", settings.width, used)
    yield from _mmenc(settings, widths)


def _token_encoder(settings: PretrainSettings, widths: Mapping[str, tuple[int, int]]) -> Named:
    for (m, (pooled, token)), part in zip(
        widths.items(), share_out(settings.dim, widths).values(), strict=True
    ):
        yield from _components(f"components.{m}", pooled, part)
        yield from _front(m, token, part, settings)
        yield from _linear(f"predict.{m}", settings.width, part)
    yield from _mmenc(settings, widths)


def _front(m: str, token: int, pooled: int, settings: PretrainSettings) -> Named:
    yield from _components(f"front.{m}.components", token, settings.token_dim)
    yield from _linear(f"front.{m}.token", settings.token_dim, settings.width)
    yield from _linear(f"front.{m}.pooled", pooled, settings.width)
    yield f"front.{m}.place.weight", (LONGEST, settings.width)


def _mmenc(settings: PretrainSettings, modalities: Iterable[str]) -> Named:
    yield "mmenc.cls", (settings.width,)
    yield from _norm("mmenc.norm", settings.width)
    for block in range(settings.depth):
        for way in (CLS, *modalities):
            yield from _block(f"mmenc.blocks.{block}", f"ways.{way}", settings.width)


def _block(block: str, way: str, width: int) -> Named:
    yield from _norm(f"{block}.norm.{way}", width)
    yield from _linear(f"{block}.qkv.{way}", width, 3 * width)
    yield from _linear(f"{block}.out.{way}", width, width)
    yield from _norm(f"{block}.feed.{way}.0", width)
    yield from _linear(f"{block}.feed.{way}.1", width, 4 * width)
    yield from _linear(f"{block}.feed.{way}.3", 4 * width, width)


def _components(name: str, inputs: int, dim: int) -> Named:
    yield from ((f"{name}.mean", (inputs,)), (f"{name}.basis", (inputs, dim)), (f"{name}.spread", (dim,)))


def _linear(name: str, inputs: int, outputs: int) -> Named:
    yield from ((f"{name}.weight", (outputs, inputs)), (f"{name}.bias", (outputs,)))


def _norm(name: str, width: int) -> Named:
    yield from ((f"{name}.weight", (width,)), (f"{name}.bias", (width,)))
