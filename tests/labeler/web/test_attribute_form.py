"""Asking a question and changing one in the console: what is taken, what is said where, what is shown before."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from attune.labeler.attributes import attributes
from attune.labeler.attributes.question_templates import TEMPLATES, QuestionTemplate
from attune.labeler.queues import chosen_first
from attune.labeler.records.schema import Annotation, Asset, Attribute, Expert, Job, Pick, User
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.web.pages import attribute_form, question_made
from attune.models.clock import now
from tests.labeler.web.conftest import Actor
from tests.support import factories

NEW, EDIT, HISTORY = "/new-attribute", "/attributes/romance/edit", "/attributes/romance/revisions"
GOOD = {"name": "dread", "question": "Does it promise dread?", "classes": "dread\nnone"}


def found(settings: Settings, name: str = "romance") -> Attribute:
    """The attribute as the records hold it."""
    with reading(settings) as session:
        return attributes.find(session, name)


def test_a_question_is_asked_with_all_that_the_command_takes(settings: Settings, owner: Actor) -> None:
    (asset,) = factories.add_assets(settings, 1)
    more = {
        "definition": " Something is about to go wrong. ",
        "in_scope": f"A long corridor\n{asset.asset_id}\n\n",
        "out_of_scope": "A mere shadow",
        "positive": "a dark corridor\nan empty house at night",
        "class_prompts": "dread: a figure in the fog\nnone: a sunny garden",
    }
    assert owner.send(NEW, **GOOD, **more).location == "/attributes/dread"
    made = found(settings, "dread")
    assert (made.classes, made.definition) == (["dread", "none"], "Something is about to go wrong.")
    assert made.in_scope == ["A long corridor", asset.asset_id]
    assert made.prompts["positive"] == ["a dark corridor", "an empty house at night"]
    assert made.prompts["classes"] == {"dread": ["a figure in the fog"], "none": ["a sunny garden"]}
    assert owner.get("/attributes/dread").status_code == 200
    with reading(settings) as session:
        assert [job.subject for job in session.scalars(select(Job).where(Job.kind == "learn"))] == ["dread"]


def test_a_new_questions_page_does_not_ask_for_what_a_worker_is_doing(
    settings: Settings, owner: Actor, ana: Expert
) -> None:
    factories.add_assets(settings, 1)
    owner.send(NEW, **GOOD)
    page = owner.get("/attributes/dread").text
    assert "creating and filling the queues" in page
    assert "Give an expert a queue" not in page
    with writing(settings) as session:
        for job in session.scalars(select(Job)):
            job.state = "done"
    assert "creating and filling the queues" not in owner.get("/").text
    with writing(settings) as session:
        session.get_one(Expert, ana.id).every_attribute = False
    owner.send(NEW, **{**GOOD, "name": "awe"})
    assert "Give an expert a queue" in owner.get("/attributes/awe").text, "no run makes a queue for nobody"


def test_a_form_with_hundreds_of_prompts_starts_few_searches(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each prompt is two jobs for the workers that all others wait for."""
    searched: list[str] = []
    monkeypatch.setattr(attribute_form.question, "found", lambda phrase, _: searched.append(phrase))
    many = [f"class {number}" for number in range(300)]
    for count in (3, 300):
        rows = {"class_name": many[:count], "class_phrase": many[:count]}
        searched.clear()
        owner.send(NEW, **{**GOOD, "classes": "", "step": "look"}, **rows)
        assert len(searched) == min(count, attribute_form.MOST_CLASSES)


def test_each_class_has_a_prompt_and_marked_images_are_examples(settings: Settings, owner: Actor) -> None:
    one, two = factories.add_assets(settings, 2)
    rows = {"class_name": ["dread", "none", ""], "class_phrase": ["a dark corridor", "a sunny garden", ""]}
    marked = {"in_scope": f"A long corridor\n{two.asset_id}", "chosen-0": [one.asset_id] * 2, "chosen-1": two.asset_id}
    more = {"name": "dread", "question": "Does it promise dread?", "positive": "a dark corridor\nan empty house"}
    assert owner.send(NEW, **more, **rows, **marked).location == "/attributes/dread"
    made = found(settings, "dread")
    assert made.classes == ["dread", "none"]
    assert made.prompts["positive"] == ["a dark corridor", "an empty house"], "none is there twice"
    assert made.prompts["negative"] == ["a sunny garden"]
    assert made.in_scope == ["A long corridor", one.asset_id]
    assert made.out_of_scope == [two.asset_id], "an image that was chosen for the other class before has moved"


def test_chosen_images_come_first_one_of_each_class_in_turn(settings: Settings, owner: Actor, ana: Expert) -> None:
    names = [asset.asset_id for asset in factories.add_assets(settings, 6)]
    rows = {"class_name": ["night", "dusk", "day"], "class_phrase": ["", "", ""]}
    chosen = {"chosen-0": names[:3], "chosen-1": names[3:4], "chosen-2": names[4:5]}
    form = {"name": "light", "question": "Which light?", "pick": [names[5], names[0]]}
    assert owner.send(NEW, **form, **rows, **chosen).location == "/attributes/light"
    order = [names[0], names[3], names[4], names[1], names[2], names[5]]
    assert picked(settings) == [(ana.email, name) for name in order]
    made = found(settings, "light")
    assert (made.in_scope, made.out_of_scope) == ([], []), "three classes have no two sides"


def test_an_image_is_chosen_for_one_class_only(settings: Settings, owner: Actor) -> None:
    (one,) = factories.add_assets(settings, 1)
    rows = {"class_name": ["dread", "none"], "class_phrase": ["", ""]}
    more = {"name": "dread", "question": "Dread?", "chosen-0": one.asset_id, "chosen-1": one.asset_id}
    reply = owner.send(NEW, **more, **rows)
    assert reply.status_code == 422
    assert f"{one.asset_id} is chosen for dread and for none. Choose it for one class only." in unescape(reply.text)
    assert f'name="chosen-0" value="{one.asset_id}"' in reply.text, "what was chosen is not lost"


def test_the_prompts_of_three_classes_go_to_each_of_them(settings: Settings, owner: Actor) -> None:
    rows = {"class_name": ["night", "dusk", "day"], "class_phrase": ["the moon", "", "a bright sky"]}
    assert owner.send(NEW, name="light", question="Which light?", class_prompts="night: stars", **rows).location
    made = found(settings, "light")
    assert made.prompts["classes"] == {"night": ["the moon", "stars"], "day": ["a bright sky"]}
    assert (made.prompts["positive"], made.prompts["negative"]) == ([], [])


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.name)
def test_a_template_fills_a_form_that_creates_a_question(
    settings: Settings, owner: Actor, template: QuestionTemplate
) -> None:
    page = unescape(owner.get(f"{NEW}?template={template.name}").text)
    fields = {name: re.search(rf'name="{name}"[^>]*value="([^"]*)"', page).group(1) for name in ("name", "question")}
    rows = {name: re.findall(rf'name="{name}"[^>]* value="([^"]*)"', page) for name in ("class_name", "class_phrase")}
    assert owner.send(NEW, **fields, **rows).location == f"/attributes/{template.name}"
    made = found(settings, template.name)
    assert made.classes == [name for name, _ in template.classes]
    by_class = [phrase for phrases in made.prompts["classes"].values() for phrase in phrases]
    assert [*made.prompts["positive"], *made.prompts["negative"], *by_class] == [
        phrase for _, phrase in template.classes
    ]


def test_an_unknown_template_is_an_empty_form(owner: Actor) -> None:
    assert "Begin with" in owner.get(f"{NEW}?template=nothing").text


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"name": "D"}, "name", "Use 3 to 40"),
        ({"name": "romance"}, "name", "'romance' already exists"),
        ({"question": " "}, "question", "it is empty"),
        ({"classes": "dread"}, "classes", "At least 2 are needed"),
        ({"classes": "dread\nDread"}, "classes", "has a name twice"),
        ({"classes": "dread\nunsure"}, "classes", "is always offered"),
        ({"class_prompts": "fear: a scream"}, "class_prompts", "'fear' is not a class"),
    ],
)
def test_what_cannot_be_asked_is_said_at_its_field_and_nothing_typed_is_lost(
    settings: Settings, owner: Actor, romance: Attribute, change: dict[str, str], field: str, says: str
) -> None:
    reply = owner.send(NEW, **{**GOOD, "definition": "Kept as typed.", **change})
    assert reply.status_code == 422
    text = unescape(reply.text)
    message = re.search(rf'id="{field}-error">([^<]+)<', text)
    assert message
    assert says in message.group(1)
    assert f'aria-describedby="{field}-error"' in text
    assert "Kept as typed." in text
    with reading(settings) as session:
        assert list(session.scalars(select(Attribute.name))) == ["romance"]


def test_two_mistakes_are_told_at_once(owner: Actor) -> None:
    text = owner.send(NEW, name="D", question="", classes="a").text
    assert re.findall(r'id="(\w+)-error"', text) == ["question", "classes", "name"]


def test_the_address_fills_the_form_and_shows_the_pictures(settings: Settings, owner: Actor) -> None:
    one, two = factories.add_assets(settings, 2, images=True)
    query = f"?question=Dark%3F&in_scope={one.asset_id},{two.asset_id},unknown&positive=a,%20b&positive=c"
    text = owner.get(NEW + query).text
    assert 'value="Dark?"' in text
    assert f"{one.asset_id}\n{two.asset_id}\nunknown</textarea>" in text
    assert "a, b\nc</textarea>" in text
    assert text.count("<img") == 2
    looked = owner.send(NEW, **GOOD, in_scope=one.asset_id, step="look")
    assert looked.status_code == 200
    assert looked.text.count("<img") == 1
    with reading(settings) as session:
        assert session.scalars(select(Attribute)).all() == []


def test_an_expert_who_answers_some_questions_gets_this_one_too(settings: Settings, owner: Actor, ana: Expert) -> None:
    owner.send("/people/new", email="bo@example.org", role="expert", attributes="")
    owner.send(NEW, **GOOD, experts="ana@example.org")
    with reading(settings) as session:
        joins = [job.arguments for job in session.scalars(select(Job).where(Job.kind == "join"))]
    assert {"expert": "ana@example.org", "login": {"nonce": None}, "wanted": ["dread"]} in joins


def test_the_form_of_a_question_makes_nobody_an_expert(
    settings: Settings, owner: Actor, admin: Actor, ana: Expert
) -> None:
    """An owner who posts an admin's address would give that admin a new login in Label Studio."""
    asked = ["root@example.org", "stranger@example.org", "gone@example.org"]
    with writing(settings) as session:
        session.add(Expert(email="gone@example.org", name="Gone", added_at=now(), removed_at=now()))
    for number, email in enumerate(asked):
        reply = owner.send(NEW, **GOOD | {"name": f"dread{number}"}, experts=email)
        assert reply.status_code == 302
        said = unescape(owner.get(reply.location or "").text)
        assert (
            "An owner can only add and change experts" if email == asked[0] else f"{email} is not an expert"
        ) in said
        owner.send("/people/attributes", "/people/new", email=email, attributes=f"dread{number}")
    with reading(settings) as session:
        experts = select(Expert.email).where(Expert.removed_at.is_(None))
        assert session.scalars(experts).all() == [ana.email]
        assert session.scalars(select(Job).where(Job.kind == "join")).all() == []
        assert session.scalars(select(User.expert_id).where(User.email == asked[0])).one() is None


def test_the_form_offers_an_owner_the_experts_and_no_admin_among_them(
    settings: Settings, owner: Actor, admin: Actor, ana: Expert
) -> None:
    with writing(settings) as session:
        session.add(Expert(email="root@example.org", name="Adam", added_at=now(), every_attribute=False))
        session.get_one(Expert, ana.id).every_attribute = False
    assert ("ana@example.org" in owner.get(NEW).text, "root@example.org" in owner.get(NEW).text) == (True, False)
    assert 'value="root@example.org"' in admin.get(NEW).text


def test_a_question_without_experts_has_one_box_and_its_images_wait_for_the_first_queue(
    settings: Settings, owner: Actor, ana: Expert
) -> None:
    with writing(settings) as session:
        session.get_one(Expert, ana.id).every_attribute = False
    names = [asset.asset_id for asset in factories.add_assets(settings, 3)]
    where = owner.send(NEW, **GOOD, pick=names[:2]).location
    page = owner.get(where or "").text
    assert page.count('<div class="alert') == 1
    assert "Nobody answers it yet. Your 2 chosen images wait for the first queue." in page
    assert re.search(r'<div class="alert.*href="/people/new\?attributes=dread">Add expert</a></div>', page)
    chosen_first.hand_out(settings, "dread")
    assert picked(settings) == [], "nobody is there to be asked"
    factories.add_queue(settings, found(settings, "dread"), ana)
    for _ in range(2):
        chosen_first.hand_out(settings, "dread")
        assert picked(settings) == [("ana@example.org", name) for name in names[:2]]


def test_chosen_images_wait_for_the_queue_of_the_expert_who_was_chosen_with_them(
    settings: Settings, owner: Actor, ana: Expert
) -> None:
    with writing(settings) as session:
        session.get_one(Expert, ana.id).every_attribute = False
    bo = factories.add_expert(settings, "bo@example.org")
    (asset,) = factories.add_assets(settings, 1)
    where = owner.send(NEW, **GOOD, pick=asset.asset_id, experts=ana.email).location
    page = owner.get(where or "").text
    assert "alert-danger" not in page
    factories.add_queue(settings, found(settings, "dread"), ana)
    chosen_first.hand_out(settings, "dread")
    assert (ana.email, asset.asset_id) in picked(settings)
    assert chosen_first.KEY not in found(settings, "dread").settings
    factories.add_queue(settings, found(settings, "dread"), bo)
    chosen_first.hand_out(settings, "dread")
    assert sorted(picked(settings)) == [(ana.email, asset.asset_id), (bo.email, asset.asset_id)], "each of them once"


def test_chosen_images_outlive_a_console_that_is_killed_once_the_question_is_there(
    settings: Settings, owner: Actor, ana: Expert, monkeypatch: pytest.MonkeyPatch
) -> None:
    (asset,) = factories.add_assets(settings, 1)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(question_made, "_ask", killed)
        with pytest.raises(KeyboardInterrupt):
            owner.send(NEW, **GOOD, pick=asset.asset_id, experts=ana.email)
    factories.add_queue(settings, found(settings, "dread"), ana)
    chosen_first.hand_out(settings, "dread")
    assert picked(settings) == [(ana.email, asset.asset_id)]


def test_nothing_waits_with_a_question_whose_experts_are_there(settings: Settings, owner: Actor, ana: Expert) -> None:
    (asset,) = factories.add_assets(settings, 1)
    owner.send(NEW, **GOOD, pick=asset.asset_id)
    assert picked(settings) == [(ana.email, asset.asset_id)]
    assert chosen_first.KEY not in found(settings, "dread").settings


def picked(settings: Settings) -> list[tuple[str, str]]:
    """Whose queue the chosen images come first in."""
    with reading(settings) as session:
        rows = select(Expert.email, Asset.asset_id).join(Pick, Pick.expert_id == Expert.id)
        rows = rows.join(Asset, Asset.id == Pick.asset_pk).order_by(Pick.id)
        return [(email, name) for email, name in session.execute(rows)]


def test_the_form_shows_the_chosen_images_and_what_found_them(settings: Settings, owner: Actor) -> None:
    names = [asset.asset_id for asset in factories.add_assets(settings, 30, images=True)]
    picks = "&".join(f"pick={name}" for name in [*names, "gone"])
    page = unescape(owner.get(f"{NEW}?at=text&q=a+dark+corridor&{picks}").text)
    head = page[page.index('id="h-chosen"') : page.index("data-steps")]
    assert "31 chosen images" in head
    assert "“a dark corridor”" in head
    assert (head.count("<img"), head.count(">counts<")) == (24, 8)
    assert "And 6 more images" in head
    assert "1 chosen image is no longer in the pool" in head
    assert re.search(r'name="class_phrase"[^>]* value="a dark corridor"', page), "the words are the first prompt"
    assert 'id="h-chosen"' not in owner.get(NEW).text


def test_the_rule_for_a_name_is_beside_its_field(owner: Actor) -> None:
    page = owner.get(NEW).text
    rule = re.search(r'id="name-rule">([^<]+)<', page).group(1)
    pattern = re.search(r'id="name"[^>]* pattern="([^"]+)"', page).group(1)
    assert rule.split(".")[0] in unescape(owner.send(NEW, **{**GOOD, "name": "D"}).text)
    for name, good in (("dread", True), ("D", False), ("ab", False), ("a-b_9", True), ("9ab", False), ("ab-", False)):
        assert bool(re.fullmatch(pattern, name)) == good == bool(attributes.NAME.fullmatch(name))


@pytest.fixture
def answered(settings: Settings, romance: Attribute, ana: Expert) -> list[Annotation]:
    """Three answers: romance twice, friendship once."""
    queue = factories.add_queue(settings, romance, ana)
    said = ("romance", "romance", "friendship")
    return [
        factories.add_answer(settings, queue, asset, value)
        for asset, value in zip(factories.add_assets(settings, 3), said, strict=True)
    ]


def form(**change: str) -> dict[str, Any]:
    """The edit form of romance as it comes, with some fields changed; None takes one away."""
    fields: dict[str, Any] = {
        "question": "Romance, friendship, or neither?",
        "definition": "What the people in the picture are to each other, as a stranger would read it.",
        "class-0": "romance", "class-1": "friendship", "class-2": "neither",
        "hold-0": "on", "hold-1": "on", "hold-2": "on", "hold-unsure": "on",
        "revision": "1", "reason": "Experts asked.",
    }  # fmt: skip
    return {key: value for key, value in (fields | change).items() if value is not None}


def living(settings: Settings) -> list[str]:
    """The values that count."""
    with reading(settings) as session:
        wanted = select(Annotation.value).where(Annotation.deleted_at.is_(None)).order_by(Annotation.id)
        return list(session.scalars(wanted))


def test_new_words_are_a_revision_whose_difference_is_shown(
    settings: Settings, owner: Actor, answered: list[Annotation]
) -> None:
    assert owner.send(EDIT, **form(question="Love, friendship, or neither?")).location == HISTORY
    assert living(settings) == ["romance", "romance", "friendship"]
    assert found(settings).revision == 2
    text = owner.get(HISTORY).text
    assert "<del>Romance, friendship, or neither?</del>" in text
    assert "<ins>Love, friendship, or neither?</ins>" in text
    assert "all stayed valid" in text
    assert "Experts asked." in text
    assert "are the same" in owner.get(f"{HISTORY}?before=2&after=2").text


def test_a_renamed_class_takes_its_answers_along(settings: Settings, owner: Actor, answered: list[Annotation]) -> None:
    assert owner.send(EDIT, **form(**{"class-0": "love"})).status_code == 302
    assert living(settings) == ["love", "love", "friendship"]
    assert "romance became love" in owner.get(HISTORY).text


def test_what_a_revision_ends_is_shown_before_it_is_done(
    settings: Settings, owner: Actor, answered: list[Annotation]
) -> None:
    removed = form(**{"class-1": ""})
    reply = owner.send(EDIT, **removed)
    assert reply.status_code == 200
    assert "1 answer will end: 1 “friendship”" in reply.text
    assert 'name="ended_seen" value="1"' in reply.text
    assert found(settings).revision == 1
    assert owner.send(EDIT, **removed, ended_seen="1").status_code == 302
    assert found(settings).classes == ["romance", "neither"]
    assert living(settings) == ["romance", "romance"]


def test_a_removed_classs_answers_can_go_to_another(
    settings: Settings, owner: Actor, answered: list[Annotation]
) -> None:
    assert owner.send(EDIT, **form(**{"class-1": "", "to-1": "neither", "class-2": "other"})).status_code == 302
    assert found(settings).classes == ["romance", "other"]
    assert living(settings) == ["romance", "romance", "other"]


def test_an_added_class_may_end_the_answers_of_some(
    settings: Settings, owner: Actor, answered: list[Annotation]
) -> None:
    change = form(**{"classes": "family", "hold-1": None})
    assert "1 answer will end: 1 “friendship”" in owner.send(EDIT, **change, step="look").text
    assert owner.send(EDIT, **change, ended_seen="1").status_code == 302
    assert found(settings).classes == ["romance", "friendship", "neither", "family"]
    assert living(settings) == ["romance", "romance"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"reason": "", "question": "Else?"}, "Say in one sentence why"),
        ({}, "Nothing was changed"),
        ({"question": "Else?", "revision": "7"}, "revision 7"),
        ({"class-0": "", "class-1": ""}, "At least 2 are needed"),
    ],
)
def test_a_revision_that_cannot_be_made_says_why(
    settings: Settings, owner: Actor, answered: list[Annotation], change: dict[str, str], says: str
) -> None:
    reply = owner.send(EDIT, **form(**change))
    assert reply.status_code == 422
    assert says in reply.text
    assert found(settings).revision == 1


def test_the_pages_of_an_unknown_question_are_missing(owner: Actor) -> None:
    for path in ("/attributes/nothing/edit", "/attributes/nothing/revisions"):
        assert owner.get(path).status_code == 404
