"""Names in words: given where a group has a direction of its own, and withheld where it has none."""

from __future__ import annotations

import numpy as np

from attune.models.descriptions.phrases import FIRST, name, vocabulary

DIM = 64


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def world(seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """A pool, and phrases that point anywhere; the first 80 images lean to the third phrase."""
    rng = np.random.default_rng(seed)
    phrases = unit(rng.normal(size=(200, DIM)))
    pool = rng.normal(size=(800, DIM)) + 3 * rng.normal(size=DIM)  # all share a direction, as CLIP's images do
    pool[:80] += 8 * phrases[3]
    return unit(pool), phrases, [f"phrase {number}" for number in range(200)]


def test_a_group_is_named_after_what_it_shares() -> None:
    pool, vectors, phrases = world()
    found = name(pool[:80], pool.mean(axis=0), phrases, vectors, [str(one) for one in range(80)])
    assert found[0] == "phrase 3"
    assert len(found) <= FIRST


def test_a_group_at_random_has_no_name() -> None:
    pool, vectors, phrases = world()
    rng = np.random.default_rng(1)
    named = 0
    for _ in range(40):
        some = rng.choice(np.arange(80, 800), 80, replace=False)
        named += bool(name(pool[some], pool.mean(axis=0), phrases, vectors, [str(one) for one in some]))
    assert named <= 4


def test_one_titles_images_alone_name_nothing() -> None:
    pool, vectors, phrases = world()
    assert name(pool[:80], pool.mean(axis=0), phrases, vectors, ["one title"] * 80) == []


def test_few_images_have_no_name() -> None:
    pool, vectors, phrases = world()
    assert name(pool[:10], pool.mean(axis=0), phrases, vectors, [str(one) for one in range(10)]) == []


def test_the_same_group_has_the_same_name() -> None:
    pool, vectors, phrases = world()
    titles = [str(one) for one in range(80)]
    turned = np.random.default_rng(2).permutation(80)
    first = name(pool[:80], pool.mean(axis=0), phrases, vectors, titles)
    again = name(pool[:80][turned], pool.mean(axis=0), phrases, vectors, [titles[one] for one in turned])
    assert first == again


def test_the_vocabulary_is_about_artwork_and_says_each_phrase_once() -> None:
    phrases = vocabulary()
    assert len(phrases) >= 500
    assert {"a close-up of a face", "neon colours", "two people"} <= set(phrases)
    assert not [phrase for phrase in phrases if phrase != phrase.strip() or len(phrase) > 40]
