"""The encoders that a release carries make its sets, or say why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alignrec.core.features import FeatureSet
from alignrec.export.errors import ReleaseError
from alignrec.export.release.opened import open_folder
from alignrec.pipeline.commands.released_encoders import ReleasedEncoders
from tests.export.release.cases import make_release, make_set


def test_a_set_whose_encoder_is_lost_is_named(tmp_path: Path) -> None:
    release = open_folder(make_release(tmp_path / "r", make_set("image"), make_set("aligned")))
    encoders = ReleasedEncoders.of(release)
    assert encoders.multimodal is None and encoders.sets == ("aligned", "image")
    raw = {"image": FeatureSet("image", ["a"], np.ones((1, 7), np.float32), np.ones(1, np.bool_))}
    with pytest.raises(ReleaseError, match="has the sets aligned, but not the encoder"):
        encoders.encode(raw, {})
    narrow = {"image": FeatureSet("image", ["a"], np.ones((1, 2), np.float32), np.ones(1, np.bool_))}
    with pytest.raises(ReleaseError, match="vectors have 2 dimensions, but those of the release 7"):
        encoders.encode(narrow, {})
