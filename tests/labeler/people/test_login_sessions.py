"""The law of sessions: a key opens the console if and only if nothing that ends it came since it was made."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as checks
from hypothesis import strategies as st
from werkzeug.security import generate_password_hash

from attune.labeler import settings as reader
from attune.labeler.people import experts, invite, login_links, login_sessions, users
from attune.labeler.people.login_sessions import LIFETIME, Origin
from attune.labeler.records.session import engine
from attune.labeler.settings import Settings
from attune.models.clock import set_clock
from attune.models.errors import AttuneError, DataError
from tests.support import factories

ANA, OLGA, ROOT = "ana@example.org", "olga@example.org", "root@example.org"
ORIGIN = Origin("192.0.2.7", "Firefox on Windows")
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
_number = itertools.count()


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records with Ana the expert, Olga the owner and an administrator, to be copied."""
    made = factories.workspace(tmp_path_factory.mktemp("blank"))
    factories.add_user(made, ANA, "expert", factories.add_expert(made, ANA))
    factories.add_user(made, OLGA, "owner")
    factories.add_user(made, ROOT, "admin")
    engine(made.records_url).dispose()
    return made.workspace


@pytest.fixture(scope="module", autouse=True)
def quick_hashes() -> Iterator[None]:
    """The law is not about hashing, which is slow on purpose."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "_hash", lambda password: generate_password_hash(password, "pbkdf2:sha256:1"))
        yield


class World:
    """What people hold, and what of it should work."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.at = settings, START
        self.passwords = dict.fromkeys((ANA, OLGA), factories.PASSWORD)
        self.keys: dict[str, tuple[str, datetime]] = {}
        self.links: dict[str, tuple[str, datetime]] = {}
        self.dead: set[str] = set()

    def everything_ends(self, email: str) -> None:
        self.dead |= {one for one, (whose, _) in (self.keys | self.links).items() if whose == email}

    def log_in(self, email: str) -> None:
        entered = users.log_in(self.settings, email, self.passwords[email], ORIGIN)
        if entered:
            self.keys[entered.key] = (email, self.at)

    def link(self, email: str) -> None:
        text = login_links.make(self.settings, email).rpartition("/")[2]
        self.dead |= {one for one, (whose, _) in self.links.items() if whose == email}
        self.links[text] = (email, self.at)

    def enter_by_link(self, email: str) -> None:
        text = next(reversed([one for one, (whose, _) in self.links.items() if whose == email]), "")
        entered = login_links.use(self.settings, text, ORIGIN)
        self.dead.add(text)
        self.keys[entered.key] = (email, self.at)

    def log_out(self, email: str) -> None:
        for key in [one for one, (whose, _) in self.keys.items() if whose == email][:1]:
            login_sessions.end(self.settings, key)
            self.dead.add(key)

    def end_others(self, email: str) -> None:
        mine = [one for one, (whose, _) in self.keys.items() if whose == email]
        if mine:
            login_sessions.end_others(self.settings, users.find_person(self.settings, email).id, mine[-1])
            self.dead |= set(mine[:-1])

    def new_password(self, email: str) -> None:
        word = f"another good password {next(_number)}"
        users.set_password(self.settings, email, word)
        self.passwords[email] = word
        self.everything_ends(email)

    def choose_password(self, email: str) -> None:
        word = f"my own good password {next(_number)}"
        key = next(reversed([one for one, (whose, _) in self.keys.items() if whose == email]), "")
        entered = users.choose_password(self.settings, email, word, ORIGIN, key)
        assert key not in self.dead, "a session that ended chose a password"
        self.passwords[email] = word
        self.everything_ends(email)
        self.keys[entered.key] = (email, self.at)

    def role(self, email: str) -> None:
        before = users.role_of(self.settings, email)
        users.set_role(self.settings, email, "owner" if before == "admin" else "admin")
        self.everything_ends(email)

    def shut(self, email: str) -> None:
        users.disable(self.settings, email)
        self.everything_ends(email)

    def open(self, email: str) -> None:
        made = invite.reopen(self.settings, email)
        self.everything_ends(email)
        self.links[str(made.link).rpartition("/")[2]] = (email, self.at)

    def remove(self, email: str) -> None:
        users.remove(self.settings, email)
        self.everything_ends(email)

    def make_anew(self, email: str) -> None:
        users.create(self.settings, email, "owner", self.passwords[email])
        self.everything_ends(email)

    def leave(self, email: str) -> None:
        manages = users.role_of(self.settings, email) != "expert"
        experts.remove(self.settings, email)
        if not manages:
            self.everything_ends(email)

    def come_back(self, email: str) -> None:
        was_shut = users.role_of(self.settings, email) in {None, "expert"}
        made = invite.invite(self.settings, email)
        if was_shut:
            self.everything_ends(email)
        if made.link:
            self.links[made.link.rpartition("/")[2]] = (email, self.at)

    def wait(self, _: str) -> None:
        self.at += timedelta(hours=5)

    def check(self) -> None:
        for key, (email, made) in self.keys.items():
            found = login_sessions.find(self.settings, key)
            assert (found.email if found else None) == (
                email if key not in self.dead and self.at < made + LIFETIME else None
            )
        for text, (_, made) in self.links.items():
            lives = text not in self.dead and self.at < made + login_links.LIFETIME
            try:
                login_links.user_of_link(self.settings, text)
            except AttuneError:
                assert not lives
            else:
                assert lives


ACTS = [name for name, one in vars(World).items() if callable(one) and name not in {"__init__", "check"}]
ACTS.remove("everything_ends")
STEPS = st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from([ANA, ANA, OLGA])), min_size=4, max_size=20)


@checks(max_examples=40)
@given(steps=STEPS)
def test_a_key_opens_the_console_until_something_ends_it(
    steps: list[tuple[str, str]], blank: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("law")
    shutil.copytree(blank, folder, dirs_exist_ok=True)
    settings = reader.build({}, workspace=folder, redis_url="unix:///nowhere.sock")
    world = World(settings)
    try:
        with set_clock(lambda: world.at):
            for email in (ANA, OLGA):
                world.log_in(email)
            for name, email in steps:
                act: Any = getattr(world, name)
                with suppress(AttuneError):  # not possible as things stand, so nothing changes
                    act(email)
                world.check()
    finally:
        engine(settings.records_url).dispose()
        shutil.rmtree(folder)


def test_who_chooses_a_password_while_another_is_set_keeps_nothing(blank: Path, tmp_path: Path) -> None:
    settings = reader.build({}, workspace=Path(shutil.copytree(blank, tmp_path / "stolen")))
    thief = users.log_in(settings, OLGA, factories.PASSWORD, ORIGIN)
    assert thief is not None
    users.set_password(settings, OLGA, "what the owner was given")
    with pytest.raises(DataError, match="ended a moment ago"):
        users.choose_password(settings, OLGA, "what the thief wants", ORIGIN, thief.key)
    assert users.log_in(settings, OLGA, "what the owner was given", ORIGIN) is not None
