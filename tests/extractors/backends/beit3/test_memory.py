"""A checkpoint of the published size on a small machine; see checkpoint.py and model.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from alignrec.extractors.backends.beit3.model import PublishedBEiT3, Sizes

BASE = Sizes(
    width=768,
    layers=12,
    hidden=3072,
    heads=12,
    patch=16,
    image=224,
    vocabulary=64010,
    words=True,
    codes=8192,
)

# One step of mask-then-predict on pairs: words and patches, each from what is left of both.
STEP = """
import resource, sys
from pathlib import Path
import torch
from torch.nn.functional import cross_entropy
from alignrec.extractors.backends.beit3.checkpoint import load_checkpoint

torch.set_num_threads(2)
torch.manual_seed(0)
model = load_checkpoint(Path(sys.argv[1]))
pixels, ids = torch.rand(4, 3, 224, 224), torch.randint(4, 64000, (4, 64))
with torch.inference_mode():
    states = model.eval().beit3(pixels, ids)
assert states.shape == (4, 1 + 196 + 64, 768) and bool(states.isfinite().all())
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
patches, words = torch.rand(4, 196) < 0.4, torch.rand(4, 64) < 0.5
hidden = ids.masked_fill(words, 64001)

def loss():
    states = model.train().beit3(pixels, hidden, masked=patches)
    words_loss = cross_entropy(model.mlm_head(states[:, 197:][words]), ids[words])
    codes = torch.arange(int(patches.sum())) % 8192
    return words_loss + cross_entropy(model.mim_head(states[:, 1:197][patches]), codes)

before = loss()
before.backward()
before = before.detach()
optimizer.step()
optimizer.zero_grad()
with torch.no_grad():
    after = loss()
print(before.item(), after.item(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


@pytest.mark.slow
def test_276_million_parameters_load_encode_and_learn_within_8_gib(tmp_path: Path) -> None:
    with torch.device("meta"):
        shapes = {name: weight.shape for name, weight in PublishedBEiT3(BASE).state_dict().items()}
    generator = torch.Generator().manual_seed(0)
    weights = {
        name: torch.ones(shape)
        if "norm.weight" in name or "_ln." in name
        else torch.randn(shape, generator=generator) * 0.02
        for name, shape in shapes.items()
    }
    path = tmp_path / "base.safetensors"
    save_file(weights, path)
    del weights
    found = subprocess.run([sys.executable, "-c", STEP, path], capture_output=True, text=True, check=True)
    before, after, gib = map(float, found.stdout.split())
    assert after < before
    assert gib < 8
