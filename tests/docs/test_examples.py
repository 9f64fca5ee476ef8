"""The configs of examples/: they load, and run with tiny random models of the architecture that they name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.stages.chain import run
from tests.extractors import models
from tests.pipeline.catalogues import write_catalogue

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def beit3(folder: Path) -> Path:
    pytest.importorskip("sentencepiece")
    from tests.extractors.backends.beit3.checkpoints import save_published

    return save_published(folder)


MODELS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "clip": ("transformers:", models.clip),
    "siglip2": ("transformers:", models.siglip2),
    "beit3": ("beit3:itc:", beit3),
}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_loads(path: Path) -> None:
    config = load_config(path)
    assert path.stem in config.name and config.out == EXAMPLES.parent / "runs" / config.name


@pytest.mark.parametrize("name", MODELS)
def test_an_examples_models_extract(name: str, tmp_path: Path) -> None:
    scheme, save = MODELS[name]
    example = load_config(EXAMPLES / f"{name}.yaml")
    assert example.extract.image == example.extract.text and example.extract.image.startswith(scheme)
    (tmp_path / "model").mkdir()
    model = f"{scheme}{save(tmp_path / 'model')}"
    tiny = load_config(write_catalogue(tmp_path / "catalogue"))
    config = tiny.model_copy(
        update={"extract": example.extract.model_copy(update={"image": model, "text": model})}
    )
    run(config, until="extract")
    manifest = json.loads((config.run_folder / "extract" / "stage.json").read_bytes())
    found = manifest["summary"]["sets"]
    assert {name: found[name]["valid"] for name in ("image", "text")} == {"image": 6, "text": 6}
    assert found["image"]["dim"] == found["text"]["dim"]
