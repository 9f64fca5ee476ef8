"""The shapes that are compared with a saved encoder's are those of an encoder that is built."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignrec.aligner.pretrain.cls_encoder import ClsEncoder
from alignrec.aligner.pretrain.encoder import MultimodalEncoder
from alignrec.aligner.pretrain.encoder_shapes import cls_shapes, encoder_shapes, share_out
from alignrec.aligner.pretrain.settings import PretrainSettings

WIDTHS = st.tuples(st.integers(1, 9), st.integers(1, 9))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.integers(2, 9),
    st.integers(1, 5),
    st.sampled_from([8, 12]),
    st.integers(1, 3),
    st.dictionaries(st.sampled_from(["image", "text"]), WIDTHS, min_size=1),
)
def test_shapes_are_those_of_an_encoder(
    dim: int, token_dim: int, width: int, depth: int, widths: dict[str, tuple[int, int]]
) -> None:
    chosen = PretrainSettings(dim=dim, token_dim=token_dim, width=width, depth=depth)
    for form, shapes in ((MultimodalEncoder, encoder_shapes), (ClsEncoder, cls_shapes)):
        encoder = form(chosen, widths)
        built = encoder.state_dict()
        named = list(shapes(chosen, encoder.widths))
        assert dict(named) == {name: tuple(tensor.shape) for name, tensor in built.items()}
        assert len(named) == len(built)


def test_what_an_encoder_of_any_depth_has_comes_one_by_one() -> None:
    endless = PretrainSettings(depth=10**12, width=10**12)
    first = list(islice(encoder_shapes(endless, {"image": (5, 4)}), 60))
    assert first[-1][0].startswith("mmenc.blocks.") and any(10**12 in shape for _, shape in first)


@pytest.mark.parametrize(("dim", "expected"), [(7, {"a": 2, "b": 2, "c": 3}), (3, {"a": 1, "b": 1, "c": 1})])
def test_dimensions_are_shared_out_evenly(dim: int, expected: dict[str, int]) -> None:
    assert share_out(dim, ["a", "b", "c"]) == expected
