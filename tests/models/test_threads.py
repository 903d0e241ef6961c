"""Limits of threads: whose they are."""

from __future__ import annotations

import threading

import pytest

from attune.models.threads import one_torch_thread


def test_torch_keeps_its_threads_for_everyone_else() -> None:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    seen: list[int] = []
    with one_torch_thread(torch):
        assert torch.get_num_threads() == 1
        there = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
        there.start()
        there.join()
    assert (seen, torch.get_num_threads()) == ([before], before)
