"""The page Members and its API: owners see groups with pictures, pipelines what is in use, nobody a small cell."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from attune.labeler.records.schema import MemberGrouping
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from tests.labeler.web.conftest import Actor
from tests.support import factories


@pytest.fixture
def grouped(settings: Settings) -> list[str]:
    """A workspace with one version of two groups; the titles of its pool, the last of which nobody watched."""
    assets = factories.add_assets(settings, 8)
    titles = list(dict.fromkeys(one.title_id for one in assets))
    base = [0.6, 0.4]
    image = {"asset_id": assets[0].asset_id, "title_id": titles[0], "estimate": 0.5, "raw": 0.7, "ci": [0.2, 0.8]}
    figures = {
        "kind": "viewing", "floor": 50, "stability": 0.93, "loose": False, "asked": 2, "agreement": {"2": 0.93},
        "unplaced": None, "hidden_titles": 3,
        "groups": [
            {"group": 1, "members": 600, "share": 0.6, "titles": [{"title_id": titles[1], "lift": 1.5, "share": 0.9}]},
            {"group": 2, "members": 400, "share": 0.4, "titles": [{"title_id": "gone", "lift": 1.2, "share": 0.48}]},
        ],
        "titles": [{"title_id": titles[1], "members": 300, "shares": [0.9, None]}],
        "resonance": {"grade": "A", "random": True, "flagged_titles": 0, "pairs": 2, "too_few": 7, "images": [
            image | {"group": 1, "q": 0.01}, image | {"group": 2, "asset_id": assets[2].asset_id, "q": 0.6}]},
        "forecast": {"why": "", "titles": 60, "base": base, "gains": [], "posters": "Posters add nothing here.",
                     "whole": {"block": "all", "nats": 0.12, "ci": [0.1, 0.14], "used": True, "helps": True}},
    }  # fmt: skip
    held = {"blocks": {}, "intercept": [-0.51, -0.92], "base": base, "missed": [[-0.5, -0.5], [0.5, 0.5]],
            "encoder": "", "titles": titles[:-1]}  # fmt: skip
    with writing(settings) as session:
        session.add(MemberGrouping(kind="viewing", groups=2, seed=0, figures=figures, forecast=held, made_by="olga",
                                   made_at=now()))  # fmt: skip
    return titles


def test_a_group_is_shown_with_its_artwork_and_titles(grouped: list[str], owner: Actor) -> None:
    page = re.sub(r"\s+", " ", owner.get("/members").text)
    first, second = page.split('id="h-2"')
    assert "Group 1" in first
    assert "about 600 members, 60 %" in first
    assert "1.65 times as often, between 1.22 and 2.23 times" in first
    assert first.count("/media/") >= 2
    assert "Artwork it takes more" not in second.split("</section>")[0], "q is too large"
    assert "The image is not here" in second
    assert "7 more have too few members" in page
    assert "agreement 0.93" in page
    assert "range beside a figure" in page
    assert "square brackets" not in page


def test_a_group_without_artwork_says_so_and_loose_or_made_up_groups_are_told_before_them(
    grouped: list[str], owner: Actor, settings: Settings
) -> None:
    before = owner.get("/members").text
    assert "Simulated members" not in before
    first, second = before.split('id="h-2"')
    assert "No artwork that it surely takes" not in first
    assert "No artwork that it surely takes" in second
    assert owner.get("/api/v1/members/latest").get_json()["simulated"] is False
    with writing(settings) as session:
        row = session.scalars(select(MemberGrouping)).one()
        row.figures = row.figures | {"simulated": True, "loose": True, "stability": 0.3}
    page = owner.get("/members").text
    told, _ = page.split('id="h-1"')
    assert "Simulated members" in told
    assert re.search(r'role="note">\s*Loose: another sample', told)
    assert owner.get("/api/v1/members/latest").get_json()["simulated"] is True


@pytest.mark.parametrize(("kind", "resonance"), [("responses", {}), ("viewing", None)])
def test_a_version_that_may_have_counted_rows_as_members_tells_nothing(
    grouped: list[str], owner: Actor, settings: Settings, kind: str, resonance: dict[str, object] | None
) -> None:
    with writing(settings) as session:
        row = session.scalars(select(MemberGrouping)).one()
        row.kind = kind
        row.figures = row.figures | {"resonance": resonance if resonance is None else row.figures["resonance"]}
    page = owner.get("/members").text
    assert "made before Attune counted each member once" in page
    assert f"attune members fit --{kind} FILE" in page
    assert "Version 1" in page.split('id="h-versions"')[1]
    assert "600" not in page
    for where in ("/members?version=1", "/api/v1/members/latest", f"/api/v1/titles/{grouped[-1]}/forecast"):
        told = owner.get(where)
        assert (told.status_code, "counted each member once" in told.text) == (404, True)
    assert owner.send("/members", form="/members", version="1", reason="good").status_code == 404
    with writing(settings) as session:
        row = session.scalars(select(MemberGrouping)).one()
        row.figures = row.figures | {"each_member_once": True}
    assert "about 600 members" in owner.get("/members").text


def test_an_owner_forecasts_a_title_and_puts_a_version_to_use(grouped: list[str], owner: Actor) -> None:
    page = owner.get(f"/members?version=1&title={grouped[-1]}").text
    assert "No group is surely expected to differ" in page
    assert "Posters add nothing here." in page
    assert "have watched" in owner.get(f"/members?title={grouped[0]}").text
    assert owner.get("/members?version=9").status_code == 404
    assert owner.send("/members", form="/members", version="1", reason=" ").status_code == 422
    assert owner.send("/members", form="/members", version="1", reason="<b>good</b>").status_code == 302
    page = owner.get("/members").text
    assert "&lt;b&gt;good" in page
    assert "Why use version" not in page


def test_a_titles_page_says_of_a_forecast_that_its_members_are_made_up_and_how_large_groups_are(
    grouped: list[str], owner: Actor, settings: Settings
) -> None:
    assert re.search(r"<h3>Group 2 <span[^>]*>about 400 members<", owner.get(f"/titles?title={grouped[0]}").text)
    with writing(settings) as session:
        row = session.scalars(select(MemberGrouping)).one()
        row.figures = row.figures | {"resonance": None, "simulated": True, "each_member_once": True}
    page = owner.get(f"/titles?title={grouped[-1]}").text
    assert re.search(r"usual share[^<]*These members are simulated: nobody did any of this\.", page)


def test_pipelines_get_the_version_in_use_alone(grouped: list[str], owner: Actor, pipeline: Actor) -> None:
    told = owner.get("/api/v1/members/latest").get_json()
    assert told["titles"][0]["shares"] == [0.9, None]
    assert told["version"] == 1
    assert "missed" not in str(told)
    assert told["made_by"] == "olga"
    where = f"/api/v1/titles/{grouped[-1]}/forecast"
    assert pipeline.get("/api/v1/members/1").status_code == 404
    assert pipeline.get(where).status_code == 404
    owner.send("/members", form="/members", version="1", reason="good")
    used = pipeline.get("/api/v1/members/champion").get_json()
    assert used["version"] == 1
    assert "olga" not in str(used), "pipelines get no names of people"
    assert [one["usual"] for one in pipeline.get(where).get_json()["shares"]] == [0.6, 0.4]
    for nowhere in ("nowhere", "no/where"):  # an id may have slashes
        gone = pipeline.get(f"/api/v1/titles/{nowhere}/forecast")
        assert (gone.status_code, nowhere in gone.text) == (404, True)
    assert pipeline.get(f"/api/v1/titles/{grouped[0]}/forecast").status_code == 422
