"""BEiT-3 as torchscale has it: golden.safetensors is what that gave, written by make_golden.py."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from alignrec.extractors.backends.beit3.model import BEiT3, PublishedBEiT3, Sizes

GOLDEN = Path(__file__).with_name("golden.safetensors")
PATCHES = 9


@pytest.fixture(scope="module")
def golden() -> dict[str, Tensor]:
    return load_file(GOLDEN)


def with_weights(golden: dict[str, Tensor], layers: int) -> BEiT3:
    model = BEiT3(Sizes(16, layers, hidden=24, heads=2, patch=4, image=12, vocabulary=11, positions=10))
    prefix = f"{layers}.weights."
    weights = {name.removeprefix(prefix): found for name, found in golden.items() if name.startswith(prefix)}
    model.load_state_dict(weights)  # strict: every name and shape is torchscale's
    return model.eval()


@pytest.mark.parametrize("layers", [1, 3])
class TestEqualsTorchscale:
    def assert_equal(self, found: Tensor, expected: Tensor, mask: Tensor | None = None) -> None:
        if mask is not None:
            found, expected = found[mask], expected[mask]
        assert found.shape == expected.shape and len(found)
        assert float((found - expected).abs().max()) <= 1e-5

    @torch.no_grad()
    def test_images_alone(self, golden: dict[str, Tensor], layers: int) -> None:
        found = with_weights(golden, layers)(golden["pixels"])
        self.assert_equal(found, golden[f"{layers}.image"])

    @torch.no_grad()
    def test_texts_alone(self, golden: dict[str, Tensor], layers: int) -> None:
        found = with_weights(golden, layers)(ids=golden["ids"], mask=golden["mask"])
        self.assert_equal(found, golden[f"{layers}.text"], golden["mask"])

    @torch.no_grad()
    def test_both_at_once(self, golden: dict[str, Tensor], layers: int) -> None:
        mask = torch.cat([torch.ones(3, 1 + PATCHES, dtype=torch.bool), golden["mask"]], dim=1)
        found = with_weights(golden, layers)(golden["pixels"], golden["ids"], golden["mask"])
        self.assert_equal(found, golden[f"{layers}.both"], mask)

    @torch.no_grad()
    def test_masked_patches(self, golden: dict[str, Tensor], layers: int) -> None:
        mask = torch.cat([torch.ones(3, 1 + PATCHES, dtype=torch.bool), golden["mask"]], dim=1)
        model = with_weights(golden, layers)
        found = model(golden["pixels"], golden["ids"], golden["mask"], masked=golden["masked"])
        self.assert_equal(found, golden[f"{layers}.masked"], mask)

    def test_the_experts_differ(self, golden: dict[str, Tensor], layers: int) -> None:
        names = [name for name in golden if name.startswith(f"{layers}.weights.encoder.") and ".A." in name]
        assert len(names) > 10 * layers
        for name in names:
            other = golden[name.replace(".A.", ".B.")]
            assert other.shape != golden[name].shape or not torch.equal(golden[name], other)


@torch.no_grad()
def test_more_padding_changes_nothing(golden: dict[str, Tensor]) -> None:
    model, ids, mask = with_weights(golden, 3), golden["ids"], golden["mask"]
    longer = torch.nn.functional.pad(ids, (0, 1), value=5)
    found = model(golden["pixels"], longer, torch.nn.functional.pad(mask, (0, 1)))[:, : 1 + PATCHES]
    expected = golden["3.both"][:, : 1 + PATCHES]
    assert float((found - expected).abs().max()) <= 1e-5


def test_what_does_not_fit_the_positions_is_refused(golden: dict[str, Tensor]) -> None:
    model = with_weights(golden, 1)
    with pytest.raises(ValueError, match=r"expected pictures \[b, 3, 12, 12\].*got \[2, 3, 16, 16\]"):
        model(torch.zeros(2, 3, 16, 16))
    with pytest.raises(ValueError, match="at most 8 word pieces, got 9"):
        model(ids=torch.zeros(1, 9, dtype=torch.int64))
    with pytest.raises(ValueError, match="got neither"):
        model()


def test_published_sizes() -> None:
    """Millions of parameters, cut, as https://github.com/microsoft/unilm/tree/master/beit3 states them."""
    base = {"width": 768, "layers": 12, "hidden": 3072, "heads": 12, "patch": 16, "image": 224}
    large = {"width": 1024, "layers": 24, "hidden": 4096, "heads": 16, "patch": 16, "image": 224}

    def millions(sizes: Sizes) -> int:
        with torch.device("meta"):
            return sum(weight.numel() for weight in PublishedBEiT3(sizes).parameters()) // 10**6

    assert millions(Sizes(**base, vocabulary=64010, retrieval=True)) == 222
    assert millions(Sizes(**base, vocabulary=64010, words=True, codes=8192)) == 276
    assert millions(Sizes(**large, vocabulary=64010, retrieval=True)) == 674
    assert millions(Sizes(**large, vocabulary=64010, words=True, codes=8192)) == 746
