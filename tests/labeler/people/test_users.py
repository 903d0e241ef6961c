"""Logins and tokens: what is refused, what is kept, and what ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from werkzeug.security import generate_password_hash

from attune.labeler.jobs import jobs
from attune.labeler.people import experts, tokens, users
from attune.labeler.people.login_sessions import Origin
from attune.labeler.records.schema import Expert, Job, Token, User
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings, secrets
from attune.models.errors import AlreadyThere, DataError, RecordsError, UnknownExpert
from tests.support import factories

PASSWORD = factories.PASSWORD


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return factories.workspace(tmp_path)


def test_a_login_is_found_by_address_and_password_alone(settings: Settings) -> None:
    made = users.create(settings, " Olga@Example.ORG ", "owner", PASSWORD)
    assert made.email == "olga@example.org"
    assert users.verify(settings, "OLGA@example.org", PASSWORD) == made
    assert users.verify(settings, "olga@example.org", PASSWORD + " ") is None
    assert users.verify(settings, "nobody@example.org", PASSWORD) is None


def test_no_password_is_kept_and_each_hash_is_salted(settings: Settings) -> None:
    for email in ("a@example.org", "b@example.org"):
        users.create(settings, email, "owner", PASSWORD)
    with reading(settings) as session:
        one, two = session.scalars(select(User.password_hash))
    assert one.startswith("scrypt:")
    assert one.rpartition("$")[2] != two.rpartition("$")[2]


def test_a_password_is_kept_at_its_full_cost(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "generate_password_hash", generate_password_hash)
    users._nobody.cache_clear()
    made = factories.add_user(settings, "ana@example.org", "owner")
    with reading(settings) as session:
        kept = session.scalars(select(User.password_hash).where(User.id == made.id)).one()
    for hashed in (kept, users._nobody()):
        method, cost, *_ = hashed.split("$")[0].split(":")
        assert method == "scrypt"
        assert int(cost) >= 2**15, "a guess should take a tenth of a second"
    users._nobody.cache_clear()


def test_a_disabled_login_is_no_login(settings: Settings) -> None:
    users.create(settings, "olga@example.org", "owner", PASSWORD)
    users.set_password(settings, "olga@example.org", "another good long one")
    assert users.verify(settings, "olga@example.org", "another good long one")
    users.disable(settings, "olga@example.org")
    assert users.verify(settings, "olga@example.org", "another good long one") is None


@pytest.mark.parametrize(
    ("email", "role", "password", "says"),
    [
        ("olga", "owner", PASSWORD, "email: 'olga' is not an email address"),
        ("a@b@c", "owner", PASSWORD, "email: 'a@b@c' is not an email address"),
        ("a b@c", "owner", PASSWORD, "email: 'a b@c' is not an email address"),
        ("@c", "owner", PASSWORD, "email: '@c' is not an email address"),
        ("o@example.org", "boss", PASSWORD, "role: 'boss' does not exist. Expected one of expert, owner, admin"),
        ("o@example.org", "owner", "short", "password: 5 characters are too few"),
    ],
)
def test_a_bad_field_is_named(settings: Settings, email: str, role: str, password: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        users.create(settings, email, role, password)


@pytest.mark.parametrize(
    "email",
    [
        "olga\u200b@example.org",
        "\uff4flga@example.org",
        "\u043elga@example.org",
        "<olga@example.org>",
        "o<img>@example.org",
        "olga@exam\u00adple.org",
        "olga@example.org\u202e",
        "olga@example.org>",
        ".olga@example.org",
        "ol\x00ga@example.org",
    ],
    ids=ascii,
)
def test_an_address_that_could_be_taken_for_another_is_none(settings: Settings, email: str) -> None:
    with pytest.raises(DataError, match=r"email: .* has a character that no email address here can have"):
        users.create(settings, email, "owner", PASSWORD)


def test_an_address_has_one_form(settings: Settings) -> None:
    assert users.new_address("Olga+x@\uff25xample.ORG ") == "olga+x@example.org"
    assert users.new_address("olga@m\u00fcnchen.example") == "olga@m\u00fcnchen.example"
    assert users.address("jos\u00e9@example.org") == "jos\u00e9@example.org", "whoever is there already is found"


def test_an_address_has_one_login(settings: Settings) -> None:
    users.create(settings, "olga@example.org", "owner", PASSWORD)
    with pytest.raises(AlreadyThere, match=r"olga@example\.org already has a login"):
        users.create(settings, "Olga@example.org", "admin", PASSWORD)
    with pytest.raises(UnknownExpert, match="attune expert list"):
        users.set_password(settings, "nobody@example.org", PASSWORD)


def test_a_token_is_kept_as_its_digest_and_ends_when_revoked(settings: Settings) -> None:
    held = secrets.load(settings.secrets)
    text = tokens.issue(settings, "nightly")
    assert tokens.bearer(settings, held, text) == tokens.Bearer("nightly", "pipeline")
    with reading(settings) as session:
        assert text not in str(session.scalars(select(Token.digest)).all())
    assert tokens.revoke(settings, "nightly") == 1
    assert tokens.bearer(settings, held, text) is None
    with pytest.raises(RecordsError, match="No valid token is called 'nightly'"):
        tokens.revoke(settings, "nightly")


def test_the_workspaces_own_token_is_a_pipelines_and_nothing_else_passes(settings: Settings) -> None:
    held = secrets.load(settings.secrets)
    assert tokens.bearer(settings, held, held.machine_token) == tokens.Bearer(tokens.MACHINE, "pipeline")
    for text in ("", "x", held.machine_token[:-1], held.session_key, "\u00fc"):
        assert tokens.bearer(settings, held, text) is None
    with pytest.raises(DataError, match="role: 'boss'"):
        tokens.issue(settings, "nightly", "boss")


def test_killed_right_after_a_leave_label_studio_is_told_of_it_all_the_same(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = factories.add_expert(settings)
    factories.add_queue(settings, factories.add_attribute(settings), ana)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs, "hand_over", killed)
    with pytest.raises(KeyboardInterrupt):
        experts.remove(settings, ana.email)
    with reading(settings) as session:
        job = session.scalars(select(Job)).one()
        assert session.scalars(select(Expert)).one().removed_at is not None
    assert (job.kind, job.state, job.arguments["expert"]) == ("leave", "queued", ana.email)


def test_a_password_replaced_while_it_is_checked_begins_no_session(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    users.create(settings, "olga@example.org", "owner", PASSWORD)
    check = users.check_password_hash

    def slow(kept: str, password: str) -> bool:
        users.set_password(settings, "olga@example.org", "another good long one")
        return check(kept, password)

    monkeypatch.setattr(users, "check_password_hash", slow)
    assert users.log_in(settings, "olga@example.org", PASSWORD, Origin()) is None
