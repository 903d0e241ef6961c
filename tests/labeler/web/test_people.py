"""People in the console: who may do what to whom, what is shown once, and what ends at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from attune.labeler.jobs import jobs
from attune.labeler.label_studio.door import Ended
from attune.labeler.people import invite, login_links, users
from attune.labeler.records.schema import Annotation, Attribute, Expert, Job, SignInLink, User
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.web.pages import people as people_page
from attune.models.clock import now
from attune.models.errors import SettingsError
from tests.labeler.web.conftest import Actor
from tests.support import factories
from tests.support.fake_door import FakeDoor

PASSWORD = re.compile(r"\b[a-z2-9]{4}(?:-[a-z2-9]{4}){3}\b")
LINK = re.compile(r"/welcome/([A-Za-z0-9_-]{40,})")
NEW = "/people/new"


def person(email: str) -> str:
    """The path of somebody's page."""
    return f"/people/person?email={email}"


def link_in(text: str) -> str:
    """The path of the personal link that a page shows."""
    found = LINK.search(text)
    assert found, text
    return found.group()


def test_an_owner_adds_an_expert_who_enters_by_link_and_chooses_a_password(
    app: Flask, settings: Settings, owner: Actor, romance: Attribute
) -> None:
    reply = owner.send(NEW, email="Bo@example.org", role="expert", name="Bo Berg", attributes="romance")
    assert reply.status_code == 200
    assert reply.headers["Cache-Control"] == "no-store"
    assert "Bo Berg is added" in reply.text
    assert not PASSWORD.search(reply.text), "whoever reads it answers as Bo"
    path = link_in(reply.text)
    assert path not in owner.get(person("bo@example.org")).text
    bo = Actor(app)
    assert "Log in as bo@example.org" in bo.get(path).text
    assert bo.get(path).status_code == 200  # looking at it does not use it up
    assert bo.send(path).location == "/account"
    assert "Current password" not in bo.get("/account").text
    chosen = {"new": "another good long one", "again": "another good long one"}
    chosen_now = bo.send("/account", **chosen)
    assert chosen_now.location == "/"
    home = bo.get("/").text
    assert "Welcome to Attune" in home
    assert "Start labelling" not in home, "no queue yet: the job that makes it has not run"
    assert "Current password" in bo.get("/account").text
    used = Actor(app).send(path, form="/login")
    assert used.status_code == 410
    assert 'href="/login">Log in</a>' in used.text
    assert Actor(app).send("/login", email="bo@example.org", password=chosen["new"]).status_code == 302


def test_a_password_for_label_studio_is_shown_to_its_expert_alone(
    settings: Settings, owner: Actor, expert: Actor, romance: Attribute
) -> None:
    ana, page = "ana@example.org", person("ana@example.org")
    for act in ("label-studio", "link"):
        reply = owner.send(f"/people/{act}", form=page, email=ana)
        assert not PASSWORD.search(reply.text + owner.get(page).text), act
    found = PASSWORD.search(expert.send("/account/label-studio", form="/account").text)
    assert found
    assert found.group() not in expert.get("/account").text
    with reading(settings) as session:
        job = session.scalars(select(Job).where(Job.kind == "join").order_by(Job.created_at.desc())).first()
    assert job
    assert job.arguments["expert"] == ana
    assert found.group() not in str(job.arguments)
    assert invite.password_of(settings, ana, job.arguments["login"]["nonce"]) == found.group()
    assert not PASSWORD.search(owner.send("/account/label-studio", form="/account").text), "an owner has none there"


def test_a_person_reads_who_asked_for_each_login_link(settings: Settings, owner: Actor, expert: Actor) -> None:
    assert "Login links" not in expert.get("/account").text
    owner.send("/people/link", form=person("ana@example.org"), email="ana@example.org")
    login_links.make(settings, "ana@example.org", who="mo-of-the-machine")
    page = expert.get("/account").text
    assert page.index("mo-of-the-machine") < page.index("olga@example.org")
    assert "mo-of-the-machine" not in owner.get("/account").text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"email": "bo"}, "is not an email address"),
        ({"email": "ana@example.org"}, "is already an expert"),
        ({"email": "bo@example.org", "name": "B" * 90}, "are too many"),
        ({"email": "bo@example.org", "attributes": "romanze"}, "&#39;romanze&#39; does not exist"),
    ],
)
def test_a_form_that_cannot_be_taken_says_why_and_changes_nothing(
    settings: Settings, owner: Actor, ana: Expert, romance: Attribute, fields: dict[str, str], says: str
) -> None:
    reply = owner.send(NEW, role="expert", **fields)
    assert reply.status_code in (404, 422)
    assert says in reply.text
    with reading(settings) as session:
        assert session.scalars(select(Expert.email)).all() == ["ana@example.org"]
        assert session.scalars(select(Job)).all() == []


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_an_owner_makes_no_managers_and_touches_none(settings: Settings, owner: Actor, admin: Actor, role: str) -> None:
    assert owner.send(NEW, email="max@example.org", role=role).status_code == 403
    assert owner.send(NEW, email="root@example.org", role="expert").status_code == 403
    for action in ("link", "shut", "leave", "label-studio", "open", "end-again", "answers"):
        reply = owner.send(f"/people/{action}", form=NEW, email="root@example.org")
        assert reply.status_code == 403, action
    assert owner.send("/people/role", form=NEW, email="root@example.org", role="expert").status_code == 403
    assert owner.send("/tokens", form=NEW, name="mine").status_code == 403
    assert users.role_of(settings, "root@example.org") == "admin"


ACTIONS = ("link", "label-studio", "shut", "open", "end-again", "leave", "answers", "attributes")


@pytest.mark.parametrize("action", ACTIONS)
def test_who_becomes_an_admin_while_an_owner_acts_is_out_of_reach(
    settings: Settings,
    owner: Actor,
    admin: Actor,
    expert: Actor,
    ana: Expert,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
) -> None:
    """The role was asked in one transaction and the act done in another: a link of between opened an admin's."""
    email, before = ana.email, people_page._allowed
    factories.add_queue(settings, factories.add_attribute(settings), ana)
    if action in {"open", "end-again"}:
        users.disable(settings, email)

    def promoted_meanwhile() -> str:
        allowed = before()
        users.set_role(settings, allowed, "admin")
        return allowed

    monkeypatch.setattr(people_page, "_allowed", promoted_meanwhile)
    with reading(settings) as session:
        jobs = session.scalar(select(func.count()).select_from(Job))
    fields = {"role": "expert", "answers": "drop", "attributes": "romance"}
    assert owner.send(f"/people/{action}", form=NEW, email=email, **fields).status_code == 403
    with reading(settings) as session:
        assert session.scalars(select(SignInLink).where(SignInLink.used_at.is_(None))).all() == []
        assert session.scalar(select(func.count()).select_from(Job)) == jobs
        login = session.scalars(select(User).where(User.email == email)).one()
        assert (login.role, login.disabled_at is not None) == ("admin", action in {"open", "end-again"})
        assert session.get_one(Expert, ana.id).removed_at is None


def test_an_admin_adds_an_owner_and_a_demoted_or_shut_person_is_out_at_once(
    app: Flask, settings: Settings, admin: Actor
) -> None:
    path = link_in(admin.send(NEW, email="max@example.org", role="admin").text)
    max_ = Actor(app)
    max_.send(path)
    assert max_.get("/tokens").status_code == 200
    page = person("max@example.org")
    assert admin.send("/people/role", form=page, email="max@example.org", role="owner").status_code == 302
    assert max_.get("/").status_code == 302
    users.set_password(settings, "max@example.org", factories.PASSWORD)
    max_ = Actor(app, "max@example.org")
    assert max_.get("/tokens").status_code == 403
    admin.send("/people/shut", form=page, email="max@example.org")
    assert max_.get("/").status_code == 302
    assert Actor(app).send("/login", email="max@example.org", password=factories.PASSWORD).status_code == 401
    again = link_in(admin.send("/people/open", form=page, email="max@example.org").text)
    assert Actor(app).send("/login", email="max@example.org", password=factories.PASSWORD).status_code == 401
    max_ = Actor(app)
    max_.send(again)
    assert max_.get("/tokens").status_code == 403
    admin.send("/people/leave", form=page, email="max@example.org")
    assert max_.get("/").status_code == 302
    assert "max@example.org" not in admin.get("/people").text.split("<table")[-1]
    assert users.create(settings, "max@example.org", "owner", factories.PASSWORD).role == "owner"


@pytest.mark.parametrize("action", ["role", "shut", "leave"])
def test_the_last_admin_stays(app: Flask, settings: Settings, admin: Actor, action: str) -> None:
    email = "root@example.org"
    reply = admin.send(f"/people/{action}", form=person(email), email=email, role="owner")
    assert reply.status_code == 302
    assert "is the last admin" in admin.get(person(email)).text
    assert admin.get("/tokens").status_code == 200
    factories.add_user(settings, "second@example.org", "admin")
    assert admin.send(f"/people/{action}", form=person(email), email=email, role="owner").status_code == 302
    assert admin.get("/").status_code == 302


def answered(settings: Settings, ana: Expert, romance: Attribute) -> list[Annotation]:
    """Three answers of Ana and a skip."""
    queue = factories.add_queue(settings, romance, ana)
    assets = factories.add_assets(settings, 4)
    values = ("romance", "friendship", "romance", "skip")
    return [factories.add_answer(settings, queue, asset, value) for asset, value in zip(assets, values, strict=True)]


@pytest.mark.parametrize("choice", ["keep", "drop"])
def test_a_leavers_answers_stay_or_are_set_aside_and_can_be_taken_back(
    app: Flask, settings: Settings, owner: Actor, expert: Actor, ana: Expert, romance: Attribute, choice: str
) -> None:
    answered(settings, ana, romance)
    counter = counter_of(settings)
    page = owner.get("/people/leave?email=ana@example.org").text
    assert "3 answers for 1 question" in page
    assert "romance 3" in page
    reply = owner.send("/people/leave", form=NEW, email="ana@example.org", answers=choice)
    assert reply.location == person("ana@example.org")
    assert expert.get("/").status_code == 302
    assert living(settings) == (4 if choice == "keep" else 0)
    assert (counter_of(settings) > counter) == (choice == "drop")
    if choice == "drop":
        assert counts(owner) == ["romance", "0", "3"]
        owner.send("/people/answers", form=NEW, email="ana@example.org", answers="keep")
        assert living(settings) == 4
    owner.send("/people/answers", form=NEW, email="ana@example.org", answers="drop")
    assert living(settings) == 0
    assert owner.send(NEW, email="ana@example.org", role="expert").status_code == 200
    assert "Include answers" in owner.get(person("ana@example.org")).text
    assert expert.get("/").status_code == 302  # neither the session of before comes back, nor the password
    assert users.verify(settings, "ana@example.org", factories.PASSWORD) is None


def counts(owner: Actor) -> list[str]:
    """What Ana's page says of her first question: its name, how many answers count, how many are set aside."""
    page = owner.get(person("ana@example.org")).text
    row = page[page.index('id="h-questions"') :].split("<tbody>")[1].split("</tr>")[0]
    return [re.sub(r"<[^>]+>", "", cell).strip() for cell in row.split("</td>")[:3]]


def test_answers_to_one_question_are_set_aside_while_their_author_goes_on(
    settings: Settings, owner: Actor, expert: Actor, ana: Expert, romance: Attribute
) -> None:
    answered(settings, ana, romance)
    other = factories.add_attribute(settings, "serious")
    queue = factories.add_queue(settings, other, ana)
    (asset,) = factories.add_assets(settings, 1)
    factories.add_answer(settings, queue, asset, "yes")
    assert living(settings) == 5
    where = {"form": person("ana@example.org"), "email": "ana@example.org", "attribute": "romance"}
    owner.send("/people/answers", answers="drop", **where)
    assert living(settings) == 1, "only the other question's answer is left"
    assert counts(owner) == ["romance", "0", "3"]
    page = owner.get("/attributes/romance").text
    assert "3 answers of" in page
    assert "are excluded and not used" in page
    assert "answered today" not in page
    assert expert.get("/").status_code == 200, "she goes on answering"
    assert owner.send("/people/answers", answers="keep", **(where | {"attribute": "other"})).status_code == 404
    assert "romance: last excluded by olga@example.org" in owner.get(person("ana@example.org")).text
    owner.send("/people/answers", answers="keep", **where)
    assert "romance: last included by olga@example.org" in owner.get(person("ana@example.org")).text
    assert living(settings) == 5
    assert counts(owner) == ["romance", "3", "0"]


def test_one_experts_answers_can_be_read_alone_by_those_who_manage(
    settings: Settings, owner: Actor, expert: Actor, ana: Expert, romance: Attribute
) -> None:
    answered(settings, ana, romance)
    bo = factories.add_expert(settings, "bo@example.org")
    (asset,) = factories.add_assets(settings, 1)
    factories.add_answer(settings, factories.add_queue(settings, romance, bo), asset, "neither")
    address = f"/attributes/romance/answers?expert={bo.id}"
    page = owner.get(address).text
    assert "Answers of Bo" in page
    tiles = page[page.index('<ul class="tiles">') :]
    assert "neither" in tiles
    assert "friendship" not in tiles
    assert address.replace("&", "&amp;") in owner.get("/attributes/romance").text
    assert "bo@example.org" not in expert.get(address).text
    assert "Answers of Bo" not in expert.get(address).text


def test_somebody_who_is_there_already_gets_a_question_and_nothing_to_hand_over(
    settings: Settings, owner: Actor, ana: Expert, romance: Attribute
) -> None:
    factories.add_attribute(settings, "serious")
    page = owner.send(NEW, email="ana@example.org", role="expert", attributes="serious").text
    assert "Ana has a new question" in page
    assert "no new access is needed" in page
    assert "shown only once" not in page


def living(settings: Settings) -> int:
    """How many answers count."""
    with reading(settings) as session:
        return len(session.scalars(select(Annotation).where(Annotation.deleted_at.is_(None))).all())


def counter_of(settings: Settings) -> int:
    """The counter that asks for a learning round."""
    with reading(settings) as session:
        return session.scalars(select(Attribute.answers_counter)).one()


def test_a_link_runs_out_and_a_newer_one_replaces_it(app: Flask, settings: Settings, owner: Actor) -> None:
    email = "olga@example.org"
    paths = [login_links.make(settings, email).removeprefix(settings.web_address) for _ in range(2)]
    assert Actor(app).get(paths[0]).status_code == 410
    with writing(settings) as session:
        session.execute(update(SignInLink).values(expires_at=now() - timedelta(seconds=1)))
    assert Actor(app).send(paths[1], form="/login").status_code == 410
    assert Actor(app).get("/welcome/nonsense").status_code == 403


def test_a_link_is_kept_as_its_digest_and_written_to_no_log(
    app: Flask, settings: Settings, owner: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    path = login_links.make(settings, "olga@example.org").removeprefix(settings.web_address)
    text = path.rpartition("/")[2]
    Actor(app).send(path)
    assert text not in caplog.text
    with reading(settings) as session:
        assert text not in str(session.scalars(select(SignInLink.digest)).all())


def test_a_link_needs_the_pages_own_form(app: Flask, settings: Settings, owner: Actor) -> None:
    path = login_links.make(settings, "olga@example.org").removeprefix(settings.web_address)
    assert Actor(app).client.post(path).status_code == 400
    assert Actor(app).send(path).status_code == 302


def test_disabling_a_login_asks_first_and_a_look_changes_nothing(
    app: Flask, settings: Settings, owner: Actor, admin: Actor, expert: Actor
) -> None:
    page = "/people/person?email=ana@example.org"
    assert 'action="/people/shut"' not in owner.get(page).text, "one click does nothing yet"
    assert "/people/shut?email=ana@example.org" in owner.get(page).text
    asked = owner.get("/people/shut?email=ana@example.org").text
    assert "Disable the login of Ana?" in asked
    assert "All answers stay" in asked
    assert expert.get("/").status_code == 200
    assert 'action="/people/shut"' not in owner.get("/people/shut?email=root@example.org").text
    owner.send("/people/shut", form="/people/shut?email=ana@example.org", email="ana@example.org")
    assert expert.get("/").status_code == 302
    assert "There is nothing to disable" in owner.get("/people/shut?email=ana@example.org").text


def test_links_of_a_shut_login_open_nothing(app: Flask, settings: Settings, owner: Actor) -> None:
    path = login_links.make(settings, "olga@example.org").removeprefix(settings.web_address)
    users.disable(settings, "olga@example.org")
    assert Actor(app).get(path).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        lambda made, email: users.set_role(made, email, "admin"),  # or whoever holds an expert's link becomes one, too
        lambda made, email: users.set_password(made, email, "four quite unrelated words"),
        lambda made, email: (users.disable(made, email), users.enable(made, email, "four unrelated words")),
        lambda made, email: (users.remove(made, email), users.create(made, email, "owner", "four unrelated words")),
    ],
    ids=["role", "password", "shut and opened", "removed and made anew"],
)
def test_a_link_opens_nothing_once_its_login_changed(
    app: Flask, settings: Settings, expert: Actor, change: Callable[[Settings, str], object]
) -> None:
    path = login_links.make(settings, "ana@example.org").removeprefix(settings.web_address)
    assert Actor(app).get(path).status_code == 200
    change(settings, "ana@example.org")
    assert Actor(app).get(path).status_code == 410


def test_who_logs_in_after_somebody_with_a_link_still_needs_the_old_password(
    app: Flask, settings: Settings, expert: Actor, owner: Actor
) -> None:
    browser = Actor(app)
    browser.send(login_links.make(settings, "ana@example.org").removeprefix(settings.web_address))
    assert "Current password" not in browser.get("/account").text
    login = {"email": "olga@example.org", "password": factories.PASSWORD}
    assert browser.send("/login", form="/account", **login).status_code == 302
    assert "Current password" in browser.get("/account").text


def test_an_owner_who_becomes_an_expert_keeps_password_and_role(settings: Settings, admin: Actor, owner: Actor) -> None:
    reply = admin.send(NEW, email="olga@example.org", role="expert")
    assert "logs in to the console as before" in reply.text
    assert owner.get("/people").status_code == 200
    assert users.verify(settings, "olga@example.org", factories.PASSWORD)
    with reading(settings) as session:
        user = session.scalars(select(User).where(User.email == "olga@example.org")).one()
        assert (user.role, user.expert_id is not None) == ("owner", True)


def test_a_token_is_shown_once_and_revoked(app: Flask, admin: Actor) -> None:
    made = admin.send("/tokens", name="nightly", role="pipeline").text
    found = re.search(r"attune_[A-Za-z0-9_-]{30,}", made)
    assert found
    assert found.group() not in admin.get("/tokens").text
    machine = Actor(app)
    machine.client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {found.group()}"
    assert machine.get("/api/v1/probes").status_code == 200
    assert admin.send("/tokens/revoke", form="/tokens", name="nightly").status_code == 302
    assert machine.get("/api/v1/probes").status_code == 401
    assert admin.send("/tokens", name=" ").status_code == 422
    assert admin.send("/tokens", name="x", role="boss").status_code == 422


def test_a_leavers_page_says_what_ended_and_what_stays_open_elsewhere(
    settings: Settings, owner: Actor, expert: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays = "the login stays there. Set another password with `label-studio reset_password`."
    door = FakeDoor().install(monkeypatch)
    door.ends = Ended(("membership of the organisation",), (stays,))
    before = owner.get("/people/leave?email=ana@example.org").text
    assert "both logins end" not in before, "nobody knows that yet"
    page = owner.get(owner.send("/people/leave", form=NEW, email="ana@example.org").location).text
    assert "Login disabled. 1 session and 0 login links ended." in page
    assert "may still have access" in page
    assert "Ended: " not in page
    assert page.index("Access that remains") < page.index("may still have access"), "it has not ended"
    assert "API tokens do not belong to people." in page
    assert "access to Label Studio not ended" in owner.get("/people").text
    finish_leaving(settings)
    page = owner.get(person("ana@example.org")).text
    assert "Ended: membership of the organisation." in page
    assert page.index("Access that remains") < page.index("the login stays there")
    assert "the login stays there. Set another password with <code>label-studio reset_password</code>." in page
    door.ends = Ended(("the login", "2 sessions"), ())
    owner.send("/people/end-again", form=person("ana@example.org"), email="ana@example.org")
    finish_leaving(settings)
    page = owner.get(person("ana@example.org")).text
    assert "Ended: the login, 2 sessions." in page
    assert "Not ended yet" not in page
    assert "access to Label Studio not ended" not in owner.get("/people").text


def test_an_expert_who_is_shut_out_is_shut_out_of_label_studio_too(
    settings: Settings, owner: Actor, expert: Actor, romance: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, page = FakeDoor().install(monkeypatch), person("ana@example.org")
    owner.send("/people/shut", form=page, email="ana@example.org")
    finish_leaving(settings)
    assert door.shut == ["ana@example.org"]
    assert "End Label Studio sessions" not in owner.get(page).text
    assert 'id="h-ended"' in owner.get(page).text
    assert "disabled" in owner.get("/people").text
    assert "access to Label Studio not ended" not in owner.get("/people").text
    handed = owner.send("/people/open", form=page, email="ana@example.org").text
    assert link_in(handed)
    assert not PASSWORD.search(handed)
    assert 'id="h-ended"' not in owner.get(page).text


def test_a_password_that_could_not_be_set_is_said_to_open_nothing(
    settings: Settings, owner: Actor, expert: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, page = FakeDoor().install(monkeypatch), person("ana@example.org")
    door.opened["ana@example.org"] = "the one of before"

    def elsewhere(*_: object) -> int:
        raise SettingsError("It runs elsewhere. On its machine run `label-studio reset_password`.")

    monkeypatch.setattr("attune.labeler.label_studio.door.open_login", elsewhere)
    owner.send("/people/label-studio", form=page, email="ana@example.org")
    with reading(settings) as session:
        job = session.scalars(select(Job).where(Job.kind == "join")).one()
    jobs.finish(settings, job.id, jobs.run_here(settings, "join", **job.arguments))
    text = owner.get(page).text
    assert "The newest password does not work." in text
    assert "run <code>label-studio reset_password</code>" in text


def finish_leaving(settings: Settings) -> None:
    """Do the newest job `leave`, as a worker does."""
    with reading(settings) as session:
        job = session.scalars(select(Job).where(Job.kind == "leave").order_by(Job.created_at.desc())).first()
    assert job
    jobs.finish(settings, job.id, jobs.run_here(settings, "leave", **job.arguments))


def test_label_studios_own_administrator_becomes_nobodys_expert(settings: Settings, owner: Actor) -> None:
    reply = owner.send(NEW, email=settings.label_studio_email.upper(), role="expert")
    assert reply.status_code == 422
    assert "Give the address of a person." in reply.text
    with reading(settings) as session:
        assert settings.label_studio_email not in session.scalars(select(Expert.email)).all()
