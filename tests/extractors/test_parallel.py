from __future__ import annotations

import threading

import pytest
import torch

from alignrec.extractors.parallel import compute_pool
from alignrec.extractors.registry import load_extractor


def test_batches_run_side_by_side_with_one_thread_each_and_the_setting_comes_back() -> None:
    extractor = load_extractor("packaged:all-minilm-l6-v2", "text")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with compute_pool(extractor) as (pool, at_once):
            meeting = threading.Barrier(2, timeout=20)

            def meet(_: int) -> int:
                meeting.wait()
                return torch.get_num_threads()

            assert at_once == 2
            assert list(pool.map(meet, range(2))) == [1, 1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_on_a_gpu_one_batch_is_on_its_way_while_another_computes() -> None:
    extractor = load_extractor("packaged:all-minilm-l6-v2", "text")
    extractor.device = "cuda"
    with compute_pool(extractor) as (_, at_once):
        assert at_once == 2


def test_a_failed_batch_leaves_no_thread_behind() -> None:
    extractor = load_extractor("packaged:all-minilm-l6-v2", "text")
    before = threading.active_count()
    with pytest.raises(ValueError, match="empty"), compute_pool(extractor) as (pool, _):
        pool.submit(extractor.embed, []).result()
    assert threading.active_count() == before
