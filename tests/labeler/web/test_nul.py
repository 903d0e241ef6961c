"""A NUL character is refused before the database refuses it, which was an internal error, also without a login."""

from __future__ import annotations

from tests.labeler.web.conftest import Actor


def test_a_nul_in_a_field_or_an_address_is_refused(anybody: Actor, expert: Actor, owner: Actor) -> None:
    assert anybody.send("/login", email="a\0b@example.org", password="x").status_code == 400
    for field in ("q", "title", "column", "value", "go", "pick", "for"):
        answer = expert.get(f"/explore?{field}=like:a%00b")
        assert (field, answer.status_code) == (field, 400)
    assert "NUL" in answer.text
    assert expert.send("/explore/send", form="/explore", attribute="romance", pick="a", why="a\0b").status_code == 400
    for path in ("/people/person?email=a%00b", "/attributes/a%00", "/attributes/a%00/live", "/explore?a%00b=1"):
        assert owner.get(path).status_code == 400, path
    assert owner.send("/people/new", email="x@example.org", name="a\0b", role="expert").status_code == 400
    assert owner.get("/explore?q=%20").status_code == 200
