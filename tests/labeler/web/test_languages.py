"""The labelling pages in another language: whose choice counts, what is translated, what stays."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import flask_babel
import pytest
from flask import Flask
from sqlalchemy import select

from attune.labeler.jobs import failures
from attune.labeler.labelling import more_pages, take_pages
from attune.labeler.measured import checks
from attune.labeler.records.schema import Annotation, Attribute, Job
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.web import languages, script_words
from attune.models.measured.objects import Phrased, check_of
from tests.labeler.web.conftest import TOKEN, Actor
from tests.support import factories
from tests.support.page_desk import PageDesk, tick

PAGES = ("/attributes/tender/label", "/attributes/tender/pages")
SCRIPTS = Path(languages.__file__).parent / "static"
OURS = ("label.js", "labelling.js", "question_images.js", "grid.js", "pages.js", "page_sums.js", "words.js")
GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


@pytest.fixture
def desk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> PageDesk:
    made = PageDesk(settings, 1)
    factories.add_user(settings, "ana@desk.example", "expert", made.ana)
    monkeypatch.setattr(take_pages, "label_studio", lambda _: made.store)
    return made


@pytest.fixture
def ana(app: Flask, desk: PageDesk) -> Actor:
    return Actor(app, "ana@desk.example")


class Words(HTMLParser):
    """What a person or a screen reader gets of a page: texts, titles and names."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in {"script", "style", "title"}
        self.found += [text or "" for name, text in attrs if name in {"aria-label", "title", "alt", "placeholder"}]

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in {"script", "style", "title"}

    def handle_data(self, data: str) -> None:
        if data.strip() and not self.silent:
            self.found.append(data.strip())


def language_of(ana: Actor, path: str, **headers: str) -> str:
    found = re.search(r'<html lang="([^"]+)"', ana.get(path, headers=headers).text)
    assert found
    return found.group(1)


@pytest.mark.parametrize("path", PAGES)
def test_the_browsers_language_counts_and_ones_own_choice_more(ana: Actor, path: str) -> None:
    assert language_of(ana, path) == "en"
    assert language_of(ana, path, **GERMAN) == "de"
    assert language_of(ana, path, **{"Accept-Language": "tlh"}) == "en"
    ana.send("/account/language", form="/account", language="en")
    assert language_of(ana, path, **GERMAN) == "en"
    ana.send("/account/language", form="/account", language="de")
    assert language_of(ana, path) == "de"
    assert 'value="de" lang="de" selected' in ana.get("/account").text
    ana.send("/account/language", form="/account", language="")
    assert language_of(ana, path) == "en"


def test_a_cookie_that_names_no_language_counts_for_nothing(ana: Actor) -> None:
    ana.client.set_cookie(languages.COOKIE, "../../etc")
    assert language_of(ana, PAGES[0], **GERMAN) == "de"


def test_the_rest_of_the_console_stays_english_and_says_so(ana: Actor) -> None:
    assert language_of(ana, "/", **GERMAN) == "en"


def test_the_page_that_corrects_one_answer_is_translated_as_a_whole(
    settings: Settings, desk: PageDesk, ana: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.take(tick(desk.pages[0], 0))
    with reading(settings) as session:
        path = f"/attributes/tender/answers/{session.scalars(select(Annotation.id)).first()}"
    assert "Antwort behalten" in ana.get(path, headers=GERMAN).text
    gone = ana.get("/attributes/tender/answers/9999", headers=GERMAN).text
    assert "Diese Antwort ist nicht Ihre" in gone
    monkeypatch.setattr(flask_babel.Domain, "get_translations", lambda _: Marked())
    written = {"Is the scene tender?", str(desk.attribute.definition), "tender", "other"}
    left = [one for one in Words(ana.get(path).text).found if "⟦" not in one and "⟧" not in one]
    assert [one for one in left if one not in written and re.search(r"[A-Za-z]{2}", one)] == []


@pytest.mark.parametrize("error", [failures.of_job("grid-7"), "", "KeyError: 'x'"])
def test_a_failure_that_no_one_foresaw_is_told_in_the_pages_language(app: Flask, error: str) -> None:
    job = Job(id="grid-7", error=error)
    with app.test_request_context(PAGES[1]), flask_babel.force_locale("de"):
        assert "Nummer grid-7" in more_pages.why_failed(job)
        assert more_pages.why_failed(Job(id="grid-7", error="The pool is empty.")) == "The pool is empty."


@pytest.mark.parametrize("path", PAGES)
def test_what_the_owner_wrote_stays(ana: Actor, path: str) -> None:
    page = ana.get(path, headers=GERMAN).text
    for written in ("Is the scene tender?", "tender", "other" if path == PAGES[0] else "zählt als „other“"):
        assert written in " | ".join(Words(page).found)
    assert "unsicher" in Words(page).found
    assert 'data-value="unsure"' in page or path != PAGES[0], "the answer itself has one name in every language"


def test_a_question_that_attune_wrote_speaks_the_language_until_its_owner_words_it(
    settings: Settings, ana: Actor, desk: PageDesk
) -> None:
    check = check_of(Phrased("dog", ("a dog",)))
    own = "Does this image show a dog that is alive?"  # in the frame of ours, and another question than ours
    for revision, asked, said in (
        (1, check.question, "Zeigt dieses Bild „a dog“?"),
        (2, check.question, "Zeigt dieses Bild „a dog“?"),
        (2, own, own),
        (2, "Any dog here?", "Any dog here?"),
    ):
        with writing(settings) as session:
            row = session.get_one(Attribute, desk.attribute.id)
            row.question, row.definition, row.classes = asked, check.definition, list(check.classes)
            row.revision = revision
            row.settings = row.settings | {checks.KEY: "dog"}
        single, page = (Words(ana.get(path, headers=GERMAN).text).found for path in PAGES)
        assert {said, "ja", "nein"} <= set(single)
        assert any(one.startswith(said) for one in page)
        assert "zählt als „nein“" in " ".join(page)
        assert "Ja, wenn Sie es sehen" in " ".join(single)


class Marked:
    """A language in which every sentence of ours stands in brackets."""

    def ugettext(self, text: str) -> str:
        return f"⟦{text}⟧"

    gettext = ugettext

    def ungettext(self, singular: str, plural: str, count: int) -> str:
        return f"⟦{singular if count == 1 else plural}⟧"

    ngettext = ungettext


@pytest.mark.parametrize("classes", [["tender", "other"], ["tender", "harsh", "other"]])
@pytest.mark.parametrize("path", PAGES)
def test_no_word_of_ours_is_left_out(
    settings: Settings, desk: PageDesk, ana: Actor, monkeypatch: pytest.MonkeyPatch, path: str, classes: list[str]
) -> None:
    with writing(settings) as session:
        session.get_one(Attribute, desk.attribute.id).classes = classes
    monkeypatch.setattr(flask_babel.Domain, "get_translations", lambda _: Marked())
    page = ana.get(path).text
    written = {"Is the scene tender?", str(desk.attribute.definition), *classes, "English", "Deutsch"}
    left = [one for one in Words(page).found if "⟦" not in one and "⟧" not in one and one not in written]
    assert [one for one in left if re.search(r"[A-Za-z]{2}", one)] == []
    held = re.search(r'data-words="([^"]+)"', page)
    assert held
    for word in json.loads(held.group(1).replace("&#34;", '"').replace("&#39;", "'").replace("&amp;", "&")).values():
        assert all("⟦" in form for form in (word.values() if isinstance(word, dict) else [word]))


def test_scripts_say_what_the_page_holds_and_nothing_of_their_own(app: Flask) -> None:
    with app.test_request_context(PAGES[0]):
        held = script_words.single_images() | script_words.pages()
    source = {name: re.sub(r"//.*", "", (SCRIPTS / name).read_text()) for name in OURS}
    for name, text in source.items():
        assert set(re.findall(r'\bsay\("(\w+)"', text)) <= held.keys(), name
        sentences = re.findall(r'["`>]([A-Z][a-z]+(?: [a-zA-Z]+)+)', text)
        assert [one for one in sentences if one not in text.split("import")[0]] == [], name
    states = {"queued", "running", "exhausted", "failed", "storing", "empty", "paused"}
    dynamic = states | {f"{state}_text" for state in states}
    unused = {name for name in held if f'"{name}"' not in "".join(source.values())} - dynamic
    assert unused == set()


@pytest.mark.parametrize(
    ("code", "one", "two", "five"),
    [("en", "one", "other", "other"), ("de", "one", "other", "other"), ("pl", "one", "few", "many")],
)
def test_a_count_has_as_many_forms_as_its_language(app: Flask, code: str, one: str, two: str, five: str) -> None:
    with app.test_request_context(PAGES[0]), flask_babel.force_locale(code):
        made = script_words.forms("%(count)s image left in your queue", "%(count)s images left in your queue")
    assert made[one] != made[two]
    assert {one, two, five} <= made.keys()
    if code == "de":
        assert made == {
            "one": "noch %(count)s Bild in Ihrer Warteschlange",
            "other": "noch %(count)s Bilder in Ihrer Warteschlange",
        }


def test_what_the_script_is_told_of_an_error_is_in_its_language_too(desk: PageDesk, ana: Actor, app: Flask) -> None:
    found = TOKEN.search(ana.get("/account").text)
    assert found
    headers = {"X-CSRFToken": found.group(1), "Accept": "application/json", **GERMAN}

    def refusal(body: Any, path: str = PAGES[1]) -> str:
        told = ana.client.post(f"{path}/answers", json=body, headers=headers).get_json()
        return str(told["message"])

    assert refusal({}) == "Die Antworten haben nicht die erwartete Form. Laden Sie die Seite neu."
    bad = {"once": "7b3c5d0e-1f2a-4b3c-8d4e-5f6a7b8c9d0e", "key": "x", "value": "maybe", "seconds": 1}
    assert "ist keine Antwort auf tender" in refusal({"revision": 1, "answers": [bad]}, PAGES[0])
    stale = ana.client.post(f"{PAGES[1]}/answers", json={}, headers=headers | {"X-CSRFToken": "old"})
    assert stale.get_json()["message"].startswith("Das Formular ist abgelaufen")


def test_without_a_queue_the_page_says_so_in_its_language(settings: Settings, app: Flask, desk: PageDesk) -> None:
    factories.add_user(settings, "olga@example.org", "owner")
    page = Actor(app, "olga@example.org").get(PAGES[0], headers=GERMAN)
    assert page.status_code == 403
    assert "Kein Zugang" in page.text
    assert "Sie haben keine Warteschlange für tender." in page.text
    assert '<div class="door" lang="de">' in page.text


def test_a_question_that_is_gone_is_told_in_its_language(ana: Actor) -> None:
    page = ana.get("/attributes/gone/label", headers=GERMAN)
    assert page.status_code == 404
    assert "Diese Frage gibt es nicht mehr." in page.text
    assert "does not exist" not in page.text
