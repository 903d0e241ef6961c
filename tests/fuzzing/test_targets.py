"""What the fuzzer begins from is good, and each reader says of broken bytes what is wrong. Without atheris."""

from __future__ import annotations

import random

import pytest

from tests.fuzzing.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_are_read_and_broken_ones_raise_only_our_errors(name: str) -> None:
    target = TARGETS[name]
    chance = random.Random(0)
    for seed in target.seeds():
        if name != "manifest":  # its seeds lack what only a published version has
            target.read(seed)
        for _ in range(20):
            broken = bytearray(seed)
            for _ in range(chance.randint(1, 4)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            target.once(bytes(broken[: chance.randint(1, len(broken))]))
