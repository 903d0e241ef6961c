"""Names in words: given where a group has a direction of its own, and withheld where it has none."""

from __future__ import annotations

import numpy as np

from attune.models.descriptions.phrases import FIRST, Group, name, name_all, vocabulary

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


def group(rows: np.ndarray, first: int = 0) -> Group:
    return Group(rows, [str(first + number) for number in range(len(rows))])


def test_a_name_that_both_halves_choose_is_withheld_where_it_hardly_lifts() -> None:
    """Nearest to the group among all phrases, and nearly as near to the others: a direction, and no evidence."""
    pool, vectors, phrases = world()
    rng = np.random.default_rng(3)
    pool[80:480] = unit(pool[80:480] + 0.03 * vectors[7])
    of_group = np.repeat([0, 1, 2], [80, 400, 320])
    made = [group(pool[of_group == place], 1000 * place) for place in range(3)]
    assert name(made[1].members, pool.mean(axis=0), phrases, vectors, made[1].titles)[0] == "phrase 7"
    drawn = rng.permutation(800)
    said = name_all(made, pool[drawn], of_group[drawn], phrases, vectors)
    assert said[0][0] == "phrase 3"
    assert said[1] == []


def test_two_groups_of_one_name_say_what_tells_them_apart() -> None:
    rng = np.random.default_rng(4)
    vectors = unit(rng.normal(size=(200, DIM)))
    pool = rng.normal(size=(1500, DIM))
    of_group = np.repeat([0, 1, 2, 3], [50, 50, 100, 1300])
    for place, words in enumerate(([3, 11], [3, 12], [5])):
        pool[of_group == place] += sum(8 * vectors[word] / (1 + (word > 10)) for word in words)
    pool, phrases = unit(pool), [f"phrase {number}" for number in range(200)]
    made = [group(pool[of_group == place], 1000 * place) for place in range(4)]
    said = name_all(made, pool, of_group, phrases, vectors)
    assert [some[0] for some in said[:3]] == ["phrase 3, phrase 11", "phrase 3, phrase 12", "phrase 5"]


def test_where_nothing_tells_two_groups_of_one_name_apart_neither_has_it() -> None:
    pool, vectors, phrases = world()
    of_group = np.where(np.arange(800) < 80, np.arange(800) % 2, 2)
    made = [group(pool[of_group == place], 1000 * place) for place in range(3)]
    names = [name(one.members, pool.mean(axis=0), phrases, vectors, one.titles)[:1] for one in made[:2]]
    assert names == [["phrase 3"], ["phrase 3"]]
    assert name_all(made, pool, of_group, phrases, vectors)[:2] == [[], []]
