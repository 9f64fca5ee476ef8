"""What trained encoders have in common, whatever their vectors are."""

from __future__ import annotations

import numpy as np
import pytest

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.pretrain.cls_encoder import ClsEncoder
from alignrec.aligner.pretrain.encoder import MultimodalEncoder
from alignrec.aligner.pretrain.token_encoder import TokenEncoder
from tests.aligner.pretrain.kinds import TINY, world


@pytest.mark.parametrize("form", [ClsEncoder, MultimodalEncoder])
def test_heads_tell_of_each_modality_what_its_part_holds(form: type[TokenEncoder]) -> None:
    encoder = form.fitted(TINY.model_copy(update={"dim": 13}), world(), seed=0)
    assert encoder.parts == {"image": 6, "text": 7}
    assert {m: head.out_features for m, head in encoder.predict.items()} == encoder.parts
    assert encoder.encode(world())[0].shape == (80, encoder.width_out)
    with pytest.raises(FeatureError, match="vectors and tokens of"):
        encoder.encode({"image": world()["text"], "text": world()["image"]})


@pytest.mark.parametrize("form", [ClsEncoder, MultimodalEncoder])
def test_the_same_seed_draws_the_same_weights(form: type[TokenEncoder]) -> None:
    first, again, other = (
        form.fitted(TINY, world(), seed).encode(world(lost_text=9))[0] for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
