"""What is kept of the answers has a bound: what was used longest ago makes room, and nothing is read in turn."""

from __future__ import annotations

from sqlalchemy import make_url

from attune.labeler.answers.answer_table import ENTRY, table_of
from attune.labeler.answers.kept_tables import Held, KeptTables, Stamp
from attune.models.clock import now

URL, STAMP = make_url("sqlite://"), Stamp(1, 1, 1)


def held(rows: int, stamp: Stamp = STAMP) -> Held:
    return stamp, table_of([(one, one, 1, "yes", now(), 1.0, None) for one in range(rows)])


def kept(tables: KeptTables) -> list[int]:
    return [key for _, key in tables.tables]


def test_what_was_used_longest_ago_makes_room() -> None:
    tables = KeptTables(rows=10)
    for key in (1, 2):
        tables.keep(URL, {key: held(5)}, ())
    tables.good(URL, {1: STAMP})
    tables.keep(URL, {3: held(5)}, ())
    assert kept(tables) == [1, 3]


def test_what_does_not_fit_beside_the_rest_of_one_page_is_read_without_being_kept() -> None:
    tables = KeptTables(rows=10)
    tables.keep(URL, {key: held(4) for key in (1, 2, 3)}, ())
    assert kept(tables) == [1, 2]
    tables.keep(URL, {3: held(4), 4: held(11)}, [1, 2])
    assert kept(tables) == [1, 2], "each would push out one that the next look needs"


def test_what_pages_remember_counts_and_goes_before_answers_do() -> None:
    tables = KeptTables(rows=10)
    for key in (1, 2):
        tables.keep(URL, {key: held(4)}, ())
    table = tables.good(URL, {2: STAMP})[2]
    for _ in range(2):
        assert table.remember("sides", lambda: {1: {"yes": 1}}) == {1: {"yes": 1}}
    assert table.weight == 4 + ENTRY
    tables.good(URL, {1: STAMP})
    assert kept(tables) == [2, 1]
    assert table.weight == 4


def test_an_older_moment_replaces_nothing() -> None:
    tables = KeptTables(rows=10)
    tables.keep(URL, {1: held(1, Stamp(2, 2, 1))}, ())
    tables.keep(URL, {1: held(2)}, ())
    assert not tables.good(URL, {1: STAMP})
    assert len(tables.good(URL, {1: Stamp(2, 2, 1)})[1].ids) == 1
