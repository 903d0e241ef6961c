"""What people read on the pages, in every state of a workspace."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from attune.labeler.attributes import attributes
from attune.labeler.attributes.audit_batches import AuditRequest
from attune.labeler.catalog import gate_bounds
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.records.schema import Attribute, Expert, Run
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.web.app import create_app
from attune.models.catalog.manifest import LEANS_ON
from attune.models.clock import now
from tests.labeler.catalog import judged
from tests.labeler.web.conftest import Actor
from tests.support import factories

TABS = ("", "/results", "/versions", "/manage")
BORDERLINE = "The probe could not decide between two answers."


@pytest.fixture
def studio(settings: Settings) -> Settings:
    factories.add_studio(settings, images=False)
    return settings


@pytest.fixture
def ana_in_studio(app: Flask, studio: Settings) -> Actor:
    from sqlalchemy import select

    from attune.labeler.records.session import reading

    with reading(studio) as session:
        ana = session.scalar(select(Expert).where(Expert.name == "Ana"))
    factories.add_user(studio, "ana@example.org", "expert", ana)
    return Actor(app, "ana@example.org")


@pytest.mark.parametrize(
    ("path", "says", "command"),
    [
        ("/", "No questions yet", "attune assets add PATH"),
        ("/people", "No experts yet", "attune expert add EMAIL"),
        ("/assets", "The pool is empty", "attune assets add PATH"),
        ("/jobs", "No jobs yet", None),
    ],
)
def test_an_empty_page_tells_the_next_command(owner: Actor, path: str, says: str, command: str | None) -> None:
    page = owner.get(path).text
    assert says in page
    assert command is None or f"<code>{command}</code>" in page


def test_a_bare_attribute_tells_each_part_what_is_missing(owner: Actor, romance: Attribute) -> None:
    page = "".join(owner.get(f"/attributes/romance{tab}").text for tab in TABS)
    for words in (
        "Romance, friendship, or neither?",
        "No probe has been trained yet",
        "No answers yet.",
        "No disputed images yet.",
        "No expert has a queue for this question.",
        "No version is published yet.",
        "attune assets add PATH",
    ):
        assert words in page


def test_an_expert_finds_the_way_into_the_queue(
    expert: Actor, settings: Settings, romance: Attribute, ana: Expert
) -> None:
    assert "Ask an owner to add you." in expert.get("/").text
    factories.add_queue(settings, romance, ana)
    for path in ("/", "/attributes/romance"):
        page = expert.get(path).text
        assert 'href="/attributes/romance/label/start"' in page
        assert "Label Studio" not in page, "nothing that an expert does needs it"


def test_an_expert_reads_why_after_answering_and_corrects_it_here(
    expert: Actor, settings: Settings, romance: Attribute, ana: Expert
) -> None:
    one, two = factories.add_assets(settings, 2)
    queue = factories.add_queue(settings, romance, ana)
    factories.add_task(settings, queue, one)
    factories.add_task(settings, queue, two)
    assert BORDERLINE not in expert.get("/attributes/romance").text
    answer = factories.add_answer(settings, queue, one, "romance", at=now() - timedelta(minutes=3))
    page = expert.get("/attributes/romance").text
    assert page.count(BORDERLINE) == 1
    assert two.asset_id not in page
    where = f"/attributes/romance/answers/{answer.id}"
    assert f'href="{where}?back=/attributes/romance"' in page
    assert "label-studio" not in page.lower().replace("/label/", "")
    reply = expert.get(where)
    assert "Your answer: romance." in reply.text
    assert BORDERLINE not in reply.text


def test_nobody_corrects_the_answers_of_others(
    expert: Actor, owner: Actor, settings: Settings, romance: Attribute
) -> None:
    (asset,) = factories.add_assets(settings, 1)
    queue = factories.add_queue(settings, romance, factories.add_expert(settings, "bo@example.org"))
    answer = factories.add_answer(settings, queue, asset, "romance")
    for actor in (expert, owner):
        assert actor.get(f"/attributes/romance/answers/{answer.id}").status_code == 404


def test_what_the_queue_holds_is_shown_to_nobody_before_the_answer(
    expert: Actor, owner: Actor, settings: Settings, romance: Attribute, ana: Expert
) -> None:
    queue = factories.add_queue(settings, romance, ana)
    for asset, purpose in zip(factories.add_assets(settings, 3), ("audit", "likely", "second-opinion"), strict=True):
        factories.add_task(settings, queue, asset, purpose, reason=f"because {purpose}")
    for actor in (expert, owner):
        for path in ("/", *(f"/attributes/romance{tab}" for tab in ("/live", *TABS))):
            page = actor.get(path).text
            assert "because" not in page
            # Owners see the pool on home and in results; which image waits for whom is told to nobody.
            assert actor is owner or ("audit task" not in page and "img-" not in page)


def test_the_live_counts_move_with_an_answer(
    expert: Actor, settings: Settings, romance: Attribute, ana: Expert
) -> None:
    queue = factories.add_queue(settings, romance, ana)
    before = expert.get("/attributes/romance/live").json
    factories.add_answer(settings, queue, factories.add_assets(settings, 1)[0], "romance")
    after = expert.get("/attributes/romance/live").json
    shown = re.search("data-now='([^']+)'", expert.get("/attributes/romance").text)
    assert shown
    assert json.loads(shown[1]) == after, "a page asks for itself anew only where this differs"
    assert (before["answers"], after["answers"]) == (0, 1)
    assert after["by_value"] == {"romance": 1, "friendship": 0, "neither": 0, "unsure": 0}


def test_quality_comes_with_its_interval_or_with_the_reason_why_not(owner: Actor, studio: Settings) -> None:
    assert "interval 0.79 to 0.95, 33 audit answers" in " ".join(
        owner.get("/attributes/serious-expression").text.split()
    )
    assert "No quality estimate yet" in owner.get("/attributes/romance").text


def test_owners_see_versions_and_history_and_experts_do_not(ana_in_studio: Actor, owner: Actor) -> None:
    words = ("champion", "History", "reviewed with Ana")
    address = "/attributes/serious-expression"
    owners = owner.get(f"{address}/versions").text + owner.get(f"{address}/manage").text
    experts = ana_in_studio.get(address).text + ana_in_studio.get(f"{address}/results").text
    assert all(word in owners for word in words)
    assert {ana_in_studio.get(address + tab).status_code for tab in ("/versions", "/manage")} == {403}
    assert not any(word in experts for word in words)
    assert "queue of Bo, in a new tab" in owners
    assert "queue of Bo" not in experts


def test_the_review_names_what_the_probe_leans_on(owner: Actor, settings: Settings, romance: Attribute) -> None:
    factories.add_run(settings, romance, 40)
    assert "Related probes" not in owner.get("/attributes/romance/review").text
    factories.add_run(settings, romance, 60, labels={LEANS_ON: ["comedy@1", "drama@12"]})
    text = owner.get("/attributes/romance/review").text
    assert '/attributes/comedy/versions/1">comedy@1</a>' in text
    assert '/attributes/drama/versions/12">drama@12</a>' in text
    assert "Related probes" in text


def test_owners_see_whose_answers_count_less_and_experts_do_not(
    owner: Actor, expert: Actor, settings: Settings, romance: Attribute
) -> None:
    accuracy = {"name": "x", "n": 80, "biased": False, "reason": "", "method": "Dawid-Skene"}
    held = [
        {"expert": "ana@x.org", "accuracy": accuracy | {"value": 0.95, "lo": 0.9, "hi": 0.97}, "weight": 1.0},
        {"expert": "any@x.org", "accuracy": accuracy | {"value": 0.6, "lo": 0.5, "hi": 0.7}, "weight": 0.31},
    ]
    labels = {"experts": {"ana@x.org": 90, "any@x.org": 80}, "expert_weights": {"any@x.org": 0.31}}
    factories.add_run(settings, romance, 170, labels=labels, advice={"reliance": {"told": held, "weighed": True}})
    page = owner.get("/attributes/romance/manage").text
    assert 'id="h-experts"' in page
    assert "0.31" in page
    assert "any@x.org 0.31" in owner.get("/attributes/romance/review").text
    assert 'id="h-experts"' not in expert.get("/attributes/romance").text
    factories.add_run(settings, romance, 171, labels={}, advice={"reliance": {"told": held, "weighed": False}})
    page = owner.get("/attributes/romance/manage").text
    assert "every answer counted the same" in page
    assert "0.31" not in page


def test_a_review_without_figures_says_once_what_is_missing_and_shows_no_empty_boxes(
    tmp_path: Path, redis_url: str
) -> None:
    bare = judged.filled(tmp_path / "bare", audits=0, redis_url=redis_url)
    with writing(bare) as session:
        session.query(Run).update({"metrics": {}})
        session.query(Run).filter_by(number=1).update({"answers": 1})
    factories.add_user(bare, "olga@example.org", "owner")
    text = Actor(create_app(bare), "olga@example.org").get("/attributes/romance/review").text
    assert "after 10 audit answers (0 so far)" in text
    assert "attune audit romance --size 30" in text
    assert not [part for part in ("figures", "plots", "confusion", "mistakes", "slices") if f'id="h-{part}"' in text]
    assert 'id="h-labels"' in text
    assert "New version 1, 1 answer<" in text


def test_a_review_that_cannot_tell_asks_for_the_audit_answers_that_it_lacks(tmp_path: Path, redis_url: str) -> None:
    bare = judged.filled(tmp_path / "bare", audits=12, redis_url=redis_url)
    promote(bare, Move("serious", 1, "to have one", "olga@example.org"))
    with reading(bare) as session:
        serious, ana = attributes.find(session, "serious"), session.query(Expert).first()
    assert ana
    factories.add_queue(bare, serious, ana)
    factories.add_user(bare, "olga@example.org", "owner")
    olga = Actor(create_app(bare), "olga@example.org")
    page = "/attributes/serious/review?candidate=2"
    text = olga.get(page).text
    assert "so you cannot ask another expert about them" in text
    assert "The second look does not measure, the first answer does." in text
    (size,) = re.findall(r'name="size" value="(\d+)">Request \d+ audit answers</button>', text)
    assert int(size) >= 30 - 12
    assert "Use it anyway" in text
    assert "You can undo this: roll back to version 1 at any time." in text
    assert ">Use version 2<" not in text
    assert olga.send("/attributes/serious/audit", form=page, size=size).status_code == 302
    with reading(bare) as session:
        assert AuditRequest.of(attributes.find(session, "serious")).extra == int(size)


def test_gates_say_whether_they_bind_and_only_those_that_do_alarm(
    owner: Actor, settings: Settings, romance: Attribute
) -> None:
    factories.add_run(settings, romance, 40)
    paths = ("/attributes/romance/review", "/attributes/romance/promote?version=1")
    for path in paths:
        text = owner.get(path).text
        assert "No gate is enforced" in text
        assert "outcome missed" not in text
    gate_bounds.change(settings, "romance", "olga", {}, {"audit_answers": True})
    for path in paths:
        text = owner.get(path).text
        assert "Enforced: Audit answers." in text
        assert "outcome missed" in text


@pytest.mark.parametrize(("quality", "bound", "main"), [(0.8, 0, True), (None, 0, False), (0.8, 30, False)])
def test_a_first_promotion_is_the_main_button_only_where_quality_is_known_and_no_gate_failed(
    owner: Actor, settings: Settings, romance: Attribute, quality: float | None, bound: int, main: bool
) -> None:
    run = factories.add_run(settings, romance, 40, quality=quality)
    with writing(settings) as session:
        session.get_one(Run, run.id).labels = {"classes": {"romance": 9, "friendship": 9, "neither": 9}}
    gate_bounds.change(settings, "romance", "olga", {"audit_answers": bound, "encoder": 0}, {})
    text = owner.get("/attributes/romance/review").text
    assert (re.search(r'class="button primary"[^>]*>Use version 1', text) is not None) == main
    assert (re.search(r">Use it anyway</a>: programs get ", text) is None) == main
    assert "roll back" not in text.lower(), "a first champion has none before it"
    (classes,) = re.findall(r'<button class="([^"]*)" id="submit"', owner.get("/attributes/romance/promote").text)
    assert ("primary" in classes) == main


def test_a_published_attribute_says_where_its_quality_is_unknown(
    owner: Actor, settings: Settings, romance: Attribute
) -> None:
    factories.publish(settings, factories.add_run(settings, romance, 40, quality=None))
    for path in ("/", "/attributes/romance"):
        assert "In use, quality unknown" in owner.get(path).text
    factories.add_run(settings, romance, 60)
    assert "quality unknown" not in owner.get("/").text


def test_an_experts_own_questions_are_first_and_the_others_a_short_list(
    expert: Actor, settings: Settings, romance: Attribute, ana: Expert
) -> None:
    factories.add_attribute(settings, "awe", question="Does it promise awe?")
    factories.add_queue(settings, romance, ana)
    page = expert.get("/").text
    assert page.count("<article") == 1
    assert page.index("Start labelling") < page.index("Other questions") < page.index("Does it promise awe?")


def test_long_lists_have_pages(owner: Actor, studio: Settings) -> None:
    first, second = (
        owner.get("/attributes/serious-expression/answers"),
        owner.get("/attributes/serious-expression/answers?page=2"),
    )
    assert 'rel="next"' in first.text
    assert 'rel="prev"' not in first.text
    assert 'rel="prev"' in second.text
    assert owner.get("/attributes/serious-expression/answers?page=junk").status_code == 200
    assert 'href="/assets?page=2&amp;q=img"' in owner.get("/assets?q=img").text


def test_what_people_write_is_shown_as_text(owner: Actor, settings: Settings) -> None:
    nasty = "<script>alert(1)</script>"
    romance = factories.add_attribute(
        settings, question=nasty, definition=nasty, in_scope=[nasty], classes=[nasty, "b"]
    )
    queue = factories.add_queue(settings, romance, factories.add_expert(settings, "bo@example.org", nasty))
    factories.add_answer(settings, queue, factories.add_assets(settings, 1)[0], nasty)
    factories.add_job(settings, "learn", "failed", error=nasty)
    for path in ("/", "/attributes/romance", "/people", f"/assets?q={nasty}", "/jobs"):
        page = owner.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text


def test_pages_fetch_nothing_from_elsewhere(owner: Actor, studio: Settings) -> None:
    for path in ("/", "/attributes/serious-expression", "/people", "/assets", "/jobs", "/account", "/nowhere"):
        page = owner.get(path).text
        fetched = re.findall(r'<(?:script|img|link|iframe)[^>]*(?:src|href)="([^"]+)"', page)
        assert fetched
        assert all(address.startswith("/") and not address.startswith("//") for address in fetched)
        assert " style=" not in page
        assert not re.search(r"<script(?![^>]*src)", page)
        assert not re.search(r"\son[a-z]+=", page)
