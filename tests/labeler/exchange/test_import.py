"""What comes in: every usable row once, however often the file comes, and the rest told by name."""

from __future__ import annotations

import io
import itertools
import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from attune.labeler.exchange import export_files
from attune.labeler.exchange.export_rows import agreed_rows, exported
from attune.labeler.exchange.import_files import Columns
from attune.labeler.exchange.import_labels import import_labels, preview
from attune.labeler.exchange.import_plan import Plan
from attune.labeler.people import users
from attune.labeler.records.schema import Annotation, AnnotationEvent, Asset, Attribute, Expert, Queue, Task
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.settings import Settings, build
from attune.models.clock import iso, now
from attune.models.errors import DataError
from attune.models.evaluation.audit_design import reserved_mask
from tests.labeler.exchange.conftest import CLASSES, NOON, PEOPLE, answer

ROW = ("a0", "ana@example.org", "romance")
LATER = iso(NOON + timedelta(hours=1))
EARLIER = iso(NOON - timedelta(hours=1))


def csv(*rows: str, header: str = "asset_id,expert,class,answered_at") -> bytes:
    return "\n".join([header, *rows]).encode()


def labels(settings: Settings) -> list[tuple[str, str, str]]:
    return [(row.asset_id, row.expert, row.value) for row in exported(settings, "romance").rows]


def counter(settings: Settings) -> int:
    with reading(settings) as session:
        return session.get_one(Attribute, 1).answers_counter


def events(settings: Settings) -> int:
    with reading(settings) as session:
        return session.scalar(select(func.count(AnnotationEvent.id))) or 0


def test_rows_become_ordinary_answers_and_ask_for_a_round(pool: Settings) -> None:
    plan = import_labels(pool, "romance", csv(f"a0,ana@example.org,romance,{LATER}", "a3,BO@example.org,Neither,"))
    assert (plan.counts["new"], plan.left_out) == (2, [])
    assert labels(pool) == [("a0", "ana@example.org", "romance"), ("a3", "bo@example.org", "neither")]
    assert counter(pool) == 2
    with reading(pool) as session:
        rows = session.scalars(select(Annotation).order_by(Annotation.updated_at)).all()
        assert [(row.purpose, row.inclusion, row.label_studio_id) for row in rows] == [("import", None, None)] * 2
        assert iso(rows[0].answered_at) == LATER
        told = session.execute(select(AnnotationEvent.kind, AnnotationEvent.via)).all()
        assert [tuple(row) for row in told] == [("created", "import")] * 2


def test_the_same_file_twice_changes_nothing(pool: Settings) -> None:
    file = csv(f"a0,ana@example.org,romance,{LATER}", "a3,bo@example.org,neither,")
    import_labels(pool, "romance", file)
    before = (labels(pool), counter(pool), events(pool))
    assert import_labels(pool, "romance", file).counts == {"new": 0, "changed": 0, "there already": 2}
    assert (labels(pool), counter(pool), events(pool)) == before


@pytest.mark.parametrize(
    ("held", "dated", "wins", "reason"),
    [
        ("seed", LATER, True, None),
        ("seed", EARLIER, False, "older than the answer held"),
        ("seed", "", False, "answered otherwise already"),
        ("audit", LATER, False, "answered in an audit"),
        ("audit", "", False, "answered in an audit"),
        ("import", LATER, True, None),
        ("import", EARLIER, False, "older than the answer held"),
        ("import", "", True, None),
    ],
)
def test_the_newer_answer_wins_and_a_row_without_a_time_corrects_imports_alone(
    pool: Settings, held: str, dated: str, wins: bool, reason: str | None
) -> None:
    with writing(pool) as session:
        session.add(answer(1, 1, 1, "romance", held, NOON))
    plan = import_labels(pool, "romance", csv(f"a0,ana@example.org,neither,{dated}"))
    assert labels(pool) == [("a0", "ana@example.org", "neither" if wins else "romance")]
    assert plan.reasons == ({} if reason is None else {reason: 1})
    again = import_labels(pool, "romance", csv(f"a0,ana@example.org,neither,{dated}"))
    assert again.counts["new"] + again.counts["changed"] == 0


def test_the_same_file_does_not_bring_back_what_was_taken_away(pool: Settings) -> None:
    file = csv("a0,ana@example.org,romance,", f"a2,ana@example.org,romance,{EARLIER}")
    import_labels(pool, "romance", file)
    with writing(pool) as session:
        for row in session.scalars(select(Annotation)):
            row.deleted_at = now()
    assert import_labels(pool, "romance", file).reasons == {"taken away since": 2}
    assert labels(pool) == []
    import_labels(pool, "romance", csv(f"a2,ana@example.org,romance,{LATER}"))
    assert labels(pool) == [("a2", "ana@example.org", "romance")]


def test_an_export_from_before_does_not_bring_back_what_a_leaver_or_a_revision_took_away(pool: Settings) -> None:
    with writing(pool) as session:
        session.add(answer(1, 1, 1, "romance", "seed", NOON))
    file = csv(f"a0,ana@example.org,romance,{iso(NOON)}")
    assert import_labels(pool, "romance", file).counts["there already"] == 1
    with writing(pool) as session:
        session.scalars(select(Annotation)).one().deleted_at = now()
    assert import_labels(pool, "romance", file).reasons == {"taken away since": 1}
    assert labels(pool) == []
    import_labels(pool, "romance", csv("a0,ana@example.org,neither,"))
    assert labels(pool) == [("a0", "ana@example.org", "neither")], "said anew, today"


def test_a_later_answer_in_label_studio_wins_over_an_import(pool: Settings) -> None:
    import_labels(pool, "romance", csv(f"a0,ana@example.org,romance,{EARLIER}"))
    with writing(pool) as session:
        session.add(answer(1, 1, 1, "neither", "seed", NOON))
    assert labels(pool) == [("a0", "ana@example.org", "neither")]


def test_an_own_answer_wins_over_an_import_from_before_it_also_one_with_a_time_to_come(pool: Settings) -> None:
    soon = iso(now() + timedelta(minutes=1))
    assert import_labels(pool, "romance", csv(f"a0,ana@example.org,romance,{soon}")).counts["new"] == 1
    with writing(pool) as session:
        session.add(answer(1, 1, 1, "neither", "seed", now()))
    assert labels(pool) == [("a0", "ana@example.org", "neither")]
    later = iso(now() + timedelta(minutes=3))
    assert import_labels(pool, "romance", csv(f"a0,ana@example.org,romance,{later}")).reasons == {"in the future": 1}


def test_the_history_names_who_imported(pool: Settings) -> None:
    import_labels(pool, "romance", csv("a0,ana@example.org,romance,"), who="owner@example.org")
    import_labels(pool, "romance", csv("a0,ana@example.org,neither,"), who="other@example.org")
    with reading(pool) as session:
        told = session.execute(select(AnnotationEvent.kind, AnnotationEvent.who).order_by(AnnotationEvent.id))
        assert [tuple(row) for row in told] == [("created", "owner@example.org"), ("changed", "other@example.org")]


def test_an_import_makes_no_expert_of_an_administrator(pool: Settings) -> None:
    users.create(pool, "Admin@example.org", "admin", "some long password")
    rows = csv("a0,admin@example.org,romance,", f"a2,{pool.label_studio_email},romance,", "a3,eve@example.org,neither,")
    plan = import_labels(pool, "romance", rows, create_experts=True)
    assert plan.reasons == {"an administrator's address": 2}
    assert list(plan.newcomers) == ["eve@example.org"]


def test_what_cannot_be_used_is_left_out_one_by_one_and_the_rest_goes_in(pool: Settings) -> None:
    with writing(pool) as session:
        session.get_one(Asset, 6).removed_at = NOON
    plan = import_labels(
        pool,
        "romance",
        csv(
            "a0,ana@example.org,romance,",
            "zz,ana@example.org,romance,",
            "a5,ana@example.org,romance,",
            "a2,ana@example.org,romanze,",
            "a2,eve@example.org,romance,",
            "a2,ana,romance,",
            "a2,,romance,",
            ",ana@example.org,romance,",
            "a2,ana@example.org,,",
            "a2,ana@example.org,romance,yesterday",
            f"a2,ana@example.org,romance,{iso(now() + timedelta(days=2))}",
            "a0,ana@example.org,neither,",
        ),
    )
    assert plan.left_out == [
        (2, "unknown asset", "zz"),
        (3, "unknown asset", "a5"),
        (4, "unknown class", "romanze"),
        (5, "unknown expert", "eve@example.org"),
        (6, "no address of an expert", "ana"),
        (7, "no expert", "a2"),
        (8, "no asset", ""),
        (9, "no class", "a2"),
        (10, "not a time", "a2 'yesterday'"),
        (11, "in the future", "a2"),
        (12, "stands twice", "a0"),
    ]
    assert plan.reasons["unknown asset"] == 2
    assert plan.place(2) == "line 3", "the header is line 1, as in a spreadsheet"
    assert plan.why("unknown class").endswith("romance, =friendship, neither, unsure, skip")
    assert labels(pool) == [("a0", "ana@example.org", "romance")]


@pytest.mark.parametrize("like", ["ana@example.org\u200b", "\uff41na@example.org", "<ana@example.org>"], ids=ascii)
def test_an_address_that_looks_like_an_experts_makes_no_other_expert(pool: Settings, like: str) -> None:
    plan = import_labels(
        pool, "romance", csv(f"a0,{like},romance,", "a2,eve@example.org,romance,"), create_experts=True
    )
    assert [(number, reason) for number, reason, _ in plan.left_out] == [(1, "no address of an expert")]
    assert [email for _, email, _ in labels(pool)] == ["eve@example.org"]


def test_of_two_rows_about_one_answer_the_newer_goes_in(pool: Settings) -> None:
    plan = import_labels(
        pool, "romance", csv(f"a0,ana@example.org,romance,{EARLIER}", f"a0,ana@example.org,neither,{LATER}")
    )
    assert labels(pool) == [("a0", "ana@example.org", "neither")]
    assert plan.left_out == [(1, "stands twice", "a0")]


def test_unknown_experts_are_recorded_on_request_without_a_login_or_a_queue(pool: Settings) -> None:
    plan = import_labels(pool, "romance", csv("a0,eve@example.org,romance,"), create_experts=True)
    assert list(plan.newcomers) == ["eve@example.org"]
    with reading(pool) as session:
        eve = session.scalars(select(Expert).where(Expert.email == "eve@example.org")).one()
        assert eve.label_studio_user is None
        assert eve.removed_at is not None  # like somebody who left: inviting them gives the login
        assert not eve.every_attribute


def test_answers_on_audit_titles_are_counted_out_of_training(pool: Settings) -> None:
    with reading(pool) as session:
        kept = session.get_one(Attribute, 1).settings
        titles = list(session.scalars(select(Asset.title_id).order_by(Asset.id)))
    plan = preview(pool, "romance", csv(*(f"a{i},ana@example.org,romance," for i in range(12) if i != 1)))
    aside = reserved_mask([title for i, title in enumerate(titles) if i != 1], kept["seed"], kept["reserved_share"])
    assert plan.reserved == int(aside.sum())


def test_a_preview_writes_nothing(pool: Settings) -> None:
    plan = preview(pool, "romance", csv("a0,eve@example.org,romance,"), create_experts=True)
    assert plan.counts["new"] == 1
    assert labels(pool) == []
    with reading(pool) as session:
        assert session.scalar(select(func.count(Expert.id))) == 2


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_spreadsheets_own_ways_are_understood(pool: Settings, delimiter: str) -> None:
    lines = ["\ufeffimage" + delimiter + "who" + delimiter + "says", delimiter.join(("a0", PEOPLE[0], "romance")), ""]
    plan = import_labels(pool, "romance", "\r\n".join(lines).encode(), Columns("image", "who", "says"))
    assert plan.counts["new"] == 1


def test_a_file_without_experts_may_be_of_one_person(pool: Settings) -> None:
    import_labels(pool, "romance", b"asset_id,label\na0,romance\n", Columns(default_expert="bo@example.org"))
    assert labels(pool) == [("a0", "bo@example.org", "romance")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty"),
        (b"asset_id,class\na0,romance\n", "'expert' does not exist.*--expert-column"),
        (b"asset_id,class\na\xff,romance\n", "not UTF-8 text in line 2"),
        ("\ufeffa\n".encode("utf-16-le"), "'asset_id' does not exist"),
        (b"PAR1 but not really", "not a Parquet"),
        (b'{"labels": 3}', 'list "labels"'),
        (b"[1, 2", "looks like JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b'[{"\\ud800": "x"}]', "'asset_id' does not exist"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(pool: Settings, content: bytes, says: str) -> None:
    with pytest.raises(DataError, match=says):
        import_labels(pool, "romance", content)


def test_a_small_file_that_unpacks_to_millions_of_rows_is_refused_before_it_does(pool: Settings) -> None:
    equal = {name: pa.repeat(cell, 2_000_000) for name, cell in zip(("asset_id", "expert", "class"), ROW, strict=True)}
    out = io.BytesIO()
    pq.write_table(pa.table(equal), out, compression="zstd")
    assert len(out.getvalue()) < 100_000
    with pytest.raises(DataError, match=r"2000000 rows.*Split it"):
        import_labels(pool, "romance", out.getvalue())


def test_half_a_letter_in_json_is_a_name_that_nobody_has(pool: Settings) -> None:
    content = json.dumps([{"asset_id": "a\ud800", "expert": "ana@example.org", "class": "romance"}]).encode()
    assert import_labels(pool, "romance", content).to_dict()["reasons"] == {"unknown asset": 1}


def test_label_studios_own_export_tells_experts_by_address_or_by_our_queues(pool: Settings) -> None:
    with writing(pool) as session:
        session.get_one(Expert, 2).label_studio_user = 31
        session.add(Queue(id=1, attribute_id=1, expert_id=2, project=7, view=1, created_at=NOON))
        session.flush()
        ours = Task(queue_id=1, asset_pk=1, key="ours", purpose="seed", utility=0.5, reason="r", run=1, created_at=NOON)
        session.add(ours)

    def task(asset: str, who: object, key: str, value: str = "romance") -> dict[str, object]:
        choice = {"from_name": "label", "to_name": "image", "type": "choices", "value": {"choices": [value]}}
        one = {"id": 5, "completed_by": who, "result": [choice], "created_at": EARLIER, "updated_at": LATER}
        return {"id": 1, "project": 7, "data": {"asset_id": asset, "attune_key": key}, "annotations": [one]}

    tasks = [
        task("a0", {"email": "ana@example.org", "id": 3}, ""),
        task("a2", 31, "ours"),
        task("a3", 31, "theirs"),  # a task of another Label Studio, whose project and user have the same numbers
        task("a4", 31, "ours", "gone"),
        {"id": 9},
    ]
    plan = import_labels(pool, "romance", json.dumps(tasks).encode())
    assert labels(pool) == [("a0", "ana@example.org", "romance"), ("a2", "bo@example.org", "romance")]
    assert plan.reasons == {"no expert": 1, "unknown class": 1, "no task of Label Studio": 1}


def test_ids_of_labels_are_those_of_the_pool(pool: Settings) -> None:
    with writing(pool) as session:
        for key, name in enumerate(["caf\u00e9.png", "0", "7", "1000000000000000"], 1):
            session.get_one(Asset, key).asset_id = name
    rows = [("cafe\u0301.png", "=friendship"), (" caf\u00e9.png", "romance")]
    assert import_labels(
        pool, "romance", csv(*(f"{id_},{who},{value}," for (id_, value), who in zip(rows, PEOPLE, strict=True)))
    )
    table = pa.table(
        {
            "asset_id": pa.array([0.0, 7.0, 1e15, None, 2.0**60]),
            "expert": pa.array([b"ana@example.org"] * 5),
            "class": pa.array(["romance"] * 5).dictionary_encode(),
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    plan = import_labels(pool, "romance", out.getvalue())
    assert {asset for asset, _, _ in labels(pool)} == {"caf\u00e9.png", "0", "7", "1000000000000000"}
    assert [(number, reason) for number, reason, _ in plan.left_out] == [(4, "no asset"), (5, "no id")]
    lines = "".join(json.dumps({"asset_id": id_, "expert": PEOPLE[1], "class": "neither"}) + "\n" for id_ in (0, 7.0))
    plan = import_labels(pool, "romance", lines.encode() + b"oops\n" + json.dumps({"asset_id": True}).encode())
    assert plan.counts["new"] == 2
    assert [(number, reason) for number, reason, _ in plan.left_out] == [(3, "no JSON"), (4, "no id")]


@pytest.mark.parametrize(
    "written",
    ["1772366400", "1772366400000", "1772366400.0", "2026-03-01T12:00:00Z", "2026-03-01 12:00", "1772366400000000"],
)
def test_times_may_count_from_1970(pool: Settings, written: str) -> None:
    import_labels(pool, "romance", csv(f"a0,ana@example.org,romance,{written}"))
    [row] = exported(pool, "romance").rows
    assert row.answered_at == NOON


@pytest.mark.parametrize("moments", [pa.array([1772366400000, 5]), pa.array([1772366400.0, 1e30])])
def test_a_count_that_is_no_time_is_named(pool: Settings, moments: pa.Array) -> None:
    table = pa.table({"asset_id": ["a0", "a2"], "expert": [PEOPLE[0]] * 2, "class": ["romance"] * 2})
    out = io.BytesIO()
    pq.write_table(table.append_column("answered_at", moments), out)
    plan = import_labels(pool, "romance", out.getvalue())
    assert [row.answered_at for row in exported(pool, "romance").rows] == [NOON]
    ((row, reason, named),) = plan.left_out
    assert (row, reason) == (2, "not a time")
    assert named.startswith("a2 '")


def test_odd_lines_of_a_table_are_named_and_the_rest_goes_in(pool: Settings) -> None:
    rows = ["asset_id\tclass\texpert\tnote", 'a0\tromance\tana@example.org\t"hm', "a2\tromance\tana@example.org"]
    rows += ["a3\tromance\tana@example.org\tx\ty", "a4\tromance\tana@example.org\tz"]
    plan = import_labels(pool, "romance", "\n".join(rows).encode())
    assert [asset for asset, _, _ in labels(pool)] == ["a0", "a4"]
    assert [(number, reason) for number, reason, _ in plan.left_out] == [(2, "too few fields"), (3, "too many fields")]
    assert "line 3" in plan.left_out[0][2]
    with pytest.raises(DataError, match="'class' more than once"):
        import_labels(pool, "romance", b"asset_id,class,class,expert\na0,romance,neither,ana@example.org\n")


def test_one_bad_row_first_hides_no_column(pool: Settings) -> None:
    rows = [{"oops": 1}, 3, {"asset_id": "a0", "expert": PEOPLE[0], "class": "romance"}]
    plan = import_labels(pool, "romance", json.dumps(rows).encode())
    assert labels(pool) == [("a0", PEOPLE[0], "romance")]
    assert [(number, reason) for number, reason, _ in plan.left_out] == [(1, "no asset"), (2, "no row of a table")]


_folders = itertools.count()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, blank_pool: Path) -> Iterator[list[Settings]]:
    """Makes one fresh workspace after another with the same pool."""
    root, made = tmp_path_factory.mktemp("fresh"), []

    class Fresh(list[Settings]):
        def another(self) -> Settings:
            folder = root / str(next(_folders))
            folder.mkdir()
            shutil.copy(blank_pool, folder)
            made.append(build({}, workspace=folder, redis_url=f"unix://{root}/no-redis"))
            return made[-1]

    yield Fresh()
    for one in made:
        engine(one.records_url).dispose()


ANSWERS = st.lists(
    st.tuples(
        st.integers(1, 12),
        st.sampled_from([1, 2]),
        st.sampled_from([*CLASSES, "unsure", "skip"]),
        st.sampled_from(["seed", "audit", "import"]),
        st.integers(0, 5000),
    ),
    max_size=20,
    unique_by=lambda one: one[4],
)


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=ANSWERS, kind=st.sampled_from(["csv", "parquet", "json", "label-studio"]))
def test_an_export_imported_elsewhere_gives_the_same_labels(
    folders: list[Settings], said: list[tuple[int, int, str, str, int]], kind: str
) -> None:
    one, two = folders.another(), folders.another()  # type: ignore[attr-defined]
    with writing(one) as session:
        for key, (asset, expert, value, purpose, seconds) in enumerate(said, 1):
            inclusion = 0.5 if purpose == "audit" else None
            session.add(answer(key, asset, expert, value, purpose, NOON + timedelta(seconds=seconds), inclusion))
    content = export_files.export(one, "romance", kind).content
    plan: Plan = import_labels(two, "romance", content)
    assert plan.left_out == []
    assert labels(two) == labels(one)
    times = [[row.updated_at for row in exported(each, "romance").rows] for each in (one, two)]
    assert times[0] == times[1]
    agreed = [agreed_rows(each, exported(each, "romance")) for each in (one, two)]
    assert agreed[0] == agreed[1]
    again = import_labels(two, "romance", content)
    assert again.counts["new"] + again.counts["changed"] == 0


def numbered(settings: Settings, *names: str) -> None:
    with writing(settings) as session:
        for name in names:
            columns = {"width": 1, "height": 1, "columns": {}, "added_at": NOON, "digest": name}
            session.add(Asset(asset_id=name, title_id=name, uri=f"/n/{name}.jpg", **columns))


def test_an_unknown_id_with_zeros_means_its_digits(pool: Settings) -> None:
    numbered(pool, "7", "8", "8.0")
    plan = import_labels(
        pool, "romance", csv(*(f"{name},{PEOPLE[0]},romance," for name in ("7.0", "8.0", "9.0", "7.5")))
    )
    assert [asset for asset, _, _ in labels(pool)] == ["7", "8.0"]
    assert plan.left_out == [(3, "unknown asset", "9.0"), (4, "unknown asset", "7.5")]
    assert plan.to_dict()["ids_read_as_whole_numbers"] == 1


def test_both_forms_of_one_id_are_one_row(pool: Settings) -> None:
    numbered(pool, "7")
    plan = import_labels(pool, "romance", csv(f"7,{PEOPLE[0]},romance,", f"7.0,{PEOPLE[0]},neither,"))
    assert labels(pool) == [("7", PEOPLE[0], "romance")]
    assert [row for row, _, _ in plan.left_out] == [2]


@pytest.mark.parametrize("text", ["1e15", "1E+15", "1.23E+11"])
def test_a_shortened_number_is_not_guessed(pool: Settings, text: str) -> None:
    numbered(pool, "1000000000000000", "123000000000")
    plan = import_labels(pool, "romance", csv(f"{text},{PEOPLE[0]},romance,"))
    assert plan.reasons == {"a number that a spreadsheet shortened; format the column as text": 1}
    assert plan.empty
    numbered(pool, text)
    assert not import_labels(pool, "romance", csv(f"{text},{PEOPLE[0]},romance,")).empty


@pytest.mark.parametrize("text", ["1772366400", "1.7723664E+09", "1.7723664e9", "1.7723664E+12", "1772366400000.0"])
def test_a_count_in_any_writing_is_a_time(pool: Settings, text: str) -> None:
    import_labels(pool, "romance", csv(f"a0,{PEOPLE[0]},romance,{text}"))
    assert [row.answered_at for row in exported(pool, "romance").rows] == [NOON]


def test_rows_between_stray_marks_are_imported(pool: Settings) -> None:
    rows = (f'a0,{PEOPLE[0]},romance,"open', f'a2,{PEOPLE[0]},neither,5"', f"a4,{PEOPLE[0]},neither,x")
    plan = import_labels(pool, "romance", csv(*rows, header="asset_id,expert,class,note"))
    assert ([asset for asset, _, _ in labels(pool)], plan.left_out) == (["a0", "a2", "a4"], [])


@pytest.mark.parametrize("content", [b"[1,1,1]", b"asset_id,expert,class\na,b,c\na,b,c\na,b,c"])
def test_no_more_rows_come_in_at_once_than_can_be_looked_at(
    pool: Settings, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr("attune.labeler.exchange.import_files.MOST_ROWS", 2)
    with pytest.raises(DataError, match=r"\b3 rows\b.*\b2\b"):
        preview(pool, "romance", content)
