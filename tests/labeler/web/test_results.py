"""The results' pages: what is written on them, saved views, and what an expert may never read there."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select

from attune.labeler.explore.pool_scores import RankedRight
from attune.labeler.records.schema import Asset, Attribute, Expert
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.web import tabs
from tests.labeler.web.conftest import Actor
from tests.support import factories, scored

PAGE = "/attributes/romance/results"
FIRST = [0.93, 0.81, 0.4, 0.12]


@pytest.fixture
def assets(settings: Settings, romance: Attribute) -> list[Asset]:
    """Four scored images; three of five classes' places are shared evenly by the other two classes."""
    made = factories.add_assets(settings, len(FIRST))
    ranked = {"romance": RankedRight(60, 20, 18, 6.4, 0.22, 0.14, 0.31), "friendship": RankedRight(8)}
    factories.add_run(settings, romance, 60)
    scored.leave(settings, romance, made, FIRST, ranked=ranked)
    return made


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_the_probability_is_written_on_each_image_and_the_words_come_first(owner: Actor, assets: list[Asset]) -> None:
    page = owner.get(PAGE).text
    assert "93 % romance" in words(page)
    assert assets[3].asset_id not in page
    said = words(page)
    assert "Of the 20 audit images that the probe ranks highest, 18 are “romance”, of 19 that there are." in said
    shown, _, folded = said.partition("How we know")
    assert "22 %" not in shown, "one plain sentence; the statistic is behind it"
    assert "Of all images, about 22 % are “romance”. The true share is probably between 14 and 31 %" in folded
    assert "Without a probe, 20 images would hold about 6." in folded
    assert "The probe itself says “romance” of 3 of 4 images (75 %)." in folded, "beside the share that is measured"
    assert said.index("Of the 20 audit images") < said.index("Average precision")


def test_a_films_name_is_for_those_who_manage_and_stands_with_its_id(
    expert: Actor, owner: Actor, settings: Settings, romance: Attribute, ana: Expert, assets: list[Asset]
) -> None:
    factories.add_answer(settings, factories.add_queue(settings, romance, ana), assets[0], "friendship")
    with writing(settings) as session:
        session.get_one(Asset, assets[0].id).columns = {"Title": "Glass  Harbour", "name": "other"}
    for page in (PAGE, f"{PAGE}/image?id={assets[0].asset_id}", "/assets", "/explore", "/attributes/romance"):
        assert f"Glass Harbour {assets[0].asset_id}" in words(owner.get(page).text), page
    for page in (PAGE, f"{PAGE}/image?id={assets[0].asset_id}", "/explore", "/attributes/romance"):
        assert "Glass Harbour" not in expert.get(page).text


def test_what_is_not_known_is_said_with_what_it_takes(owner: Actor, assets: list[Asset]) -> None:
    said = words(owner.get(f"{PAGE}?by=friendship").text)
    assert "“friendship” is not known yet. It takes 20 audit images on which the experts agree (8 so far)" in said


def test_no_expert_reads_a_score_in_any_view(
    expert: Actor, settings: Settings, romance: Attribute, ana: Expert, assets: list[Asset]
) -> None:
    factories.add_answer(settings, factories.add_queue(settings, romance, ana), assets[0], "friendship")
    for query in ("", "?by=romance", "?by=*&show=differ&lo=90", "?sort=low"):
        page = expert.get(PAGE + query).text
        assert " %</strong>" not in page
        assert "not what the probe says" not in page
        assert "audit images that the probe ranks" not in page
        assert assets[1].asset_id not in page
    page = expert.get(f"{PAGE}/image?id={assets[0].asset_id}").text
    assert "The probe says" not in page
    assert "93 %" not in page
    assert expert.get(f"{PAGE}/image?id={assets[1].asset_id}").status_code == 404
    home = expert.get("/").text
    assert " %</strong>" not in home
    assert assets[1].asset_id not in home


def test_an_expert_reads_no_column_of_an_asset_table_and_filters_by_none(
    expert: Actor, owner: Actor, settings: Settings, romance: Attribute, ana: Expert, assets: list[Asset]
) -> None:
    factories.add_answer(settings, factories.add_queue(settings, romance, ana), assets[0], "friendship")
    with writing(settings) as session:
        session.get_one(Asset, assets[0].id).columns = {"label_of_2019": "romance"}
    pages = (PAGE, f"{PAGE}/image?id={assets[0].asset_id}")
    assert all("label_of_2019" in owner.get(page).text for page in pages)
    assert not any("label_of_2019" in expert.get(page).text for page in pages)
    asked = "column=label_of_2019&value=romance"
    for address in (f"{PAGE}?{asked}", f"{pages[1]}&{asked}"):
        assert owner.get(address).status_code == 200
        refused = expert.get(address)
        assert (refused.status_code, "Only owners and admins can filter by columns" in refused.text) == (403, True)


def test_an_image_says_what_can_be_done_with_it(
    owner: Actor, expert: Actor, settings: Settings, romance: Attribute, ana: Expert, assets: list[Asset]
) -> None:
    answer = factories.add_answer(settings, factories.add_queue(settings, romance, ana), assets[0], "friendship")
    page = owner.get(f"{PAGE}/image?id={assets[0].asset_id}").text
    assert "The probe says" in page
    assert f"/explore?at=like:{assets[0].asset_id}&amp;for=romance" in page
    assert f"/explore/send?pick={assets[0].asset_id}&amp;for=romance" in page
    assert "Correct my answer" not in page
    mine = expert.get(f"{PAGE}/image?id={assets[0].asset_id}").text
    assert f'href="/attributes/romance/answers/{answer.id}?back=/attributes/romance/results/image?' in mine


def test_a_view_is_saved_with_a_name_sent_as_an_address_and_removed(owner: Actor, assets: list[Asset]) -> None:
    shown = {"by": "friendship", "lo": "60", "hi": "100", "show": "open", "sort": "low"}
    reply = owner.send(f"{PAGE}/views", form=PAGE, view="  Sure   friends ", **shown)
    address = f"{PAGE}?by=friendship&sort=low&show=open&lo=60"
    assert reply.location == address
    page = owner.get(PAGE).text
    assert f'href="{address.replace("&", "&amp;")}"' in page
    assert ">Sure friends</a>" in page
    owner.send(f"{PAGE}/views", form=PAGE, view="Sure friends", by="romance")
    assert owner.get(PAGE).text.count("Sure friends</a>") == 1, "a name stands for one view"
    owner.send(f"{PAGE}/views/remove", form=PAGE, view="Sure friends")
    assert "Sure friends</a>" not in owner.get(PAGE).text


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_view_without_a_fitting_name_is_refused_with_what_fits(owner: Actor, assets: list[Asset], name: str) -> None:
    reply = owner.send(f"{PAGE}/views", form=PAGE, view=name)
    assert reply.status_code == 422
    assert "Enter 1 to 60" in reply.text


def test_what_people_write_in_a_view_is_shown_as_text(owner: Actor, assets: list[Asset]) -> None:
    owner.send(f"{PAGE}/views", form=PAGE, view="<script>alert(1)</script>", title='"><script>alert(2)</script>')
    page = owner.get(PAGE).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("query", ["?page=99", "?page=junk", "?lo=-4&hi=zz", "?sort=x&show=y&by=z", "?column=genre"])
def test_an_address_that_means_nothing_shows_a_page(owner: Actor, assets: list[Asset], query: str) -> None:
    assert owner.get(PAGE + query).status_code == 200


def test_every_section_stands_in_the_tab_that_its_old_address_leads_to(
    app: Flask, owner: Actor, settings: Settings
) -> None:
    """Notices and bookmarks of before the tabs name the section alone."""
    factories.add_studio(settings, images=False)
    with reading(settings) as session:
        ana = session.scalars(select(Expert).where(Expert.name == "Ana")).one()
    factories.add_user(settings, "ana@example.org", "expert", ana)
    expert = Actor(app, "ana@example.org")
    address = {tabs.LABEL: "", tabs.RESULTS: "/results", tabs.VERSIONS: "/versions", tabs.MANAGE: "/manage"}
    # Only there when something is known that this workspace has nothing of.
    absent = {"h-experts", "h-drift", "live-drift"}
    for actor, places in ((owner, tabs.OWNERS), (expert, tabs.EXPERTS)):
        if actor is expert:
            absent |= {"h-done", "h-diversity"}  # the run that experts are shown advised nothing
        pages = {tab: actor.get(f"/attributes/serious-expression{address[tab]}").text for tab in set(places.values())}
        for section, tab in places.items():
            assert section in absent or f'id="{section}"' in pages[tab], (section, tab)
            assert not [other for other in pages if other != tab and f'id="{section}"' in pages[other]], section


def test_experts_have_no_tab_that_they_may_not_enter(expert: Actor, owner: Actor, romance: Attribute) -> None:
    for actor, titles in ((expert, ["Label", "Results"]), (owner, ["Label", "Results", "Versions", "Manage"])):
        bar = re.search(r'<nav class="tab-bar".*?</nav>', actor.get("/attributes/romance").text, re.DOTALL)
        assert bar is not None
        links = re.findall(r'<a href="([^"]+)"[^>]*>(\w+)</a>', bar.group(0))
        assert [title for _, title in links] == titles
        assert {actor.get(path).status_code for path, _ in links} == {200}


def test_home_says_how_many_are_right_before_it_says_the_average_precision(
    owner: Actor, expert: Actor, assets: list[Asset]
) -> None:
    said = words(owner.get("/").text)
    assert "18 of 20 top images right 18 of 19 “romance” found" in said, "18 of 20 is no mark out of twenty"
    assert (
        "Of 60 audit images, 19 are “romance”. The 20 that the probe ranks highest have 18 of them, chance 6." in said
    )
    assert owner.get("/attributes/romance/results?by=romance&sort=high").status_code == 200
    assert said.index("18 of 20") < said.index("Average precision")
    assert "ranks highest" not in expert.get("/").text


def test_a_guess_from_the_words_is_called_one(owner: Actor, assets: list[Asset], settings: Settings) -> None:
    """The fixture's question has probabilities and no answer in the records."""
    home = owner.get("/").text
    assert "Nobody has answered yet: these images are a guess" in words(home)
    assert 'class="score"><strong>' not in home, "no figure that looks as sure as one from answers"
    with reading(settings) as session:
        romance = session.scalars(select(Attribute)).one()
    queue = factories.add_queue(settings, romance, factories.add_expert(settings, "eve@example.org"))
    factories.add_answer(settings, queue, assets[0], "romance")
    home = owner.get("/").text
    assert "a guess from the words" not in words(home)
    assert 'class="score"><strong>' in home


def test_an_owner_asks_the_same_expert_to_look_again_once_and_the_notice_says_nothing_of_others(
    expert: Actor, owner: Actor, settings: Settings, romance: Attribute, ana: Expert, assets: list[Asset]
) -> None:
    annotation = factories.add_answer(settings, factories.add_queue(settings, romance, ana), assets[0], "friendship")
    image = f"{PAGE}/image?id={assets[0].asset_id}"
    assert "Ask Ana to look again" in owner.get(image).text
    assert "look again" not in expert.get(image).text
    for _ in range(2):
        sent = owner.send(f"{PAGE}/again", form=image, id=assets[0].asset_id, annotation=annotation.id)
        assert sent.location.endswith(image)
    assert "Ana was asked to look again" in words(owner.get(image).text)
    notices = expert.get("/notices").text
    assert notices.count("look at one of your answers again</a>") == 1
    assert f"/attributes/romance/answers/{annotation.id}" in notices
    assert "93 %" not in notices
    assert "look at one of your answers" not in owner.get("/notices").text, "it is the expert's alone"
    owner.send(f"{PAGE}/again", form=image, id=assets[0].asset_id, annotation=annotation.id + 999)
    assert "cannot be looked at again" in owner.get(image).text
