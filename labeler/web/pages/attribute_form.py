"""Ask a new question, or change one: the same rules as the command, each message at its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from attune.labeler.attributes import attributes, question_templates, revise_attribute, revisions
from attune.labeler.attributes.attributes import Definition
from attune.labeler.attributes.question_templates import QuestionTemplate
from attune.labeler.explore.search import LONGEST_TEXT
from attune.labeler.label_studio.labeling_config import with_keys
from attune.labeler.queues import chosen_first, pinned
from attune.labeler.queues.chosen_first import Kept
from attune.labeler.records.schema import Attribute, Expert, User
from attune.labeler.records.session import reading, writing
from attune.labeler.views import people as view
from attune.labeler.views.explore import TEXT
from attune.labeler.views.pictures import PageImage
from attune.labeler.views.revisions import answers_by_value, pictures
from attune.labeler.web import auth
from attune.labeler.web.pages import question, question_made
from attune.labeler.web.pages.class_images import ClassImages, offered
from attune.labeler.web.pages.question_fields import TEXTS, Filled, OldClass, lines
from attune.models.errors import AlreadyThere, DataError
from attune.models.labels.answers import UNSURE

blueprint = Blueprint("attribute_form", __name__)
MOST_EXPERTS = 200
MOST_CLASSES = 9
MOST_EXAMPLES = 8  # of images that were chosen
MOST_WORDS = 5
SHOWN_CHOSEN = 24  # at the form's head
NONE_CHOSEN = ClassImages()


@blueprint.get("/new-attribute")
def new() -> ResponseReturnValue:
    """The form; query parameters fill it: question, name, definition, classes, in_scope, … with commas or repeated, or
    ``template``, one of the questions that many ask.

    ``pick``: images that come first in the queues; the first of them are examples where no ``in_scope`` is given.
    ``q`` with ``at=text``: the words that found them; ``words``: what a cluster of them is called.
    """
    arguments = request.args
    template = question_templates.find(arguments.get("template", ""))
    if template is not None:
        return _new_page(_of_template(template))
    text = {key: arguments.get(key, "") for key in ("name", "question", "definition")}
    text |= {key: "\n".join(_listed(arguments, key)) for key in TEXTS}
    picks = _picks(arguments)
    if not text["in_scope"]:
        text["in_scope"] = "\n".join(picks[:MOST_EXAMPLES])
    text["class_prompts"] = "\n".join(arguments.getlist("class_prompts"))
    rows = tuple((name, "") for name in _listed(arguments, "classes"))
    if not rows and picks and arguments.get("at") == TEXT and arguments.get("q"):
        rows = (("", arguments["q"][:LONGEST_TEXT]),)  # the words that found the images are the first prompt
    return _new_page(Filled(text, rows, tuple(arguments.getlist("experts"))), picks=picks)


def _of_template(template: QuestionTemplate) -> Filled:
    text = {"name": template.name, "question": template.question, "definition": template.definition}
    text |= {key: "\n".join(getattr(template, key)) for key in ("in_scope", "out_of_scope")}
    return Filled(text, tuple(template.classes))


@blueprint.post("/new-attribute")
def create() -> ResponseReturnValue:
    """Record the question and have the queues made; or show the form again with what is wrong, or its pictures."""
    texts, chosen_for = _texts(), ClassImages.sent(request.form, MOST_CLASSES)
    typed = [(name.strip(), phrase.strip()) for name, phrase in _pairs("class_name", "class_phrase")]
    rows = [row for row in typed if any(row)]
    rows += [(name, "") for name in lines(texts.pop("classes"))]
    filled = Filled(texts, tuple(rows), tuple(request.form.getlist("experts")))
    asked = replace(filled, text=chosen_for.examples(texts, typed))
    errors, twice = asked.problems(), chosen_for.problem([name for name, _ in typed])
    errors |= {"classes": twice} if twice else {}
    picks = _picks(request.form)
    if errors or request.form.get("step") == "look":
        return _new_page(filled, errors, picks, chosen_for), (422 if errors else 200)
    definition = Definition(**asked.given())
    first = list(dict.fromkeys([*chosen_for.in_turn(), *picks]))[: pinned.MOST]
    try:
        with writing(auth.settings()) as session:
            made = attributes.create(session, definition, auth.settings())
            if first:
                chosen_first.put_with(made, Kept(first, auth.viewer().name, filled.experts))
    except AlreadyThere as error:
        return _new_page(filled, {"name": str(error)}, picks, chosen_for), 422
    question_made.follow(definition.name, filled.experts, first)
    return redirect(url_for("attribute.page", name=definition.name))


@blueprint.get("/attributes/<name>/edit")
def edit(name: str) -> ResponseReturnValue:
    """The form with what the question says now."""
    with reading(auth.settings()) as session:
        attribute = attributes.find(session, name)
    counted = answers_by_value(auth.settings(), name)
    old = tuple(OldClass(one, one, "", True, counted.get(one, 0)) for one in attribute.classes)
    return _edit_page(attribute, Filled(_texts_of(attribute), old=old))


@blueprint.post("/attributes/<name>/edit")
def revise(name: str) -> ResponseReturnValue:
    """Make the next revision; what it does to the answers is shown before it is done."""
    with reading(auth.settings()) as session:
        attribute = attributes.find(session, name)
    filled = Filled({**_texts(), "name": name}, old=_old_classes(attribute), unsure_holds="hold-unsure" in request.form)
    reason, errors = request.form.get("reason", ""), filled.problems()
    if errors:
        return _edit_page(attribute, filled, errors, reason), 422
    definition = Definition(**filled.given())
    try:
        changed, done = revise_attribute.preview(auth.settings(), definition, filled.into, filled.hold)
        ended = sum(done.ended.values())
        expected_revision = request.form.get("ended_seen", 0, int)
        if request.form.get("step") == "look" or (ended and expected_revision != ended):
            return _edit_page(attribute, filled, {}, reason, (changed, done))
        revision = request.form.get("revision", attribute.revision, int)
        revised = revise_attribute.revise(auth.settings(), definition, reason, filled.into, filled.hold, revision)
    except (DataError, AlreadyThere) as error:
        key, _, message = str(error).partition(": ")
        errors = {key: message} if key in {"reason", "classes"} else {"": str(error)}
        return _edit_page(attribute, filled, errors, reason), 422
    flash(
        f"Revision {revised.revision} is created. Attune now trains a probe on the valid answers. The champion stays.",
        "success",
    )
    return redirect(url_for("revisions.page", name=name))


def _listed(arguments: MultiDict[str, str], key: str) -> list[str]:
    """Repeated values as they are; a single one is split at commas, as addresses carry lists of ids."""
    values = arguments.getlist(key)
    return [part.strip() for part in values[0].split(",") if part.strip()] if len(values) == 1 else values


def _pairs(first: str, second: str) -> list[tuple[str, str]]:
    return list(zip(request.form.getlist(first), request.form.getlist(second), strict=False))


def _texts() -> dict[str, str]:
    return {
        key: request.form.get(key, "") for key in ("name", "question", "definition", "classes", "class_prompts", *TEXTS)
    }


def _texts_of(attribute: Attribute) -> dict[str, str]:
    said = revisions.content_of(attribute)
    phrases = [f"{name}: {text}" for name, texts in said["class_prompts"].items() for text in texts]
    form_texts = {
        "name": attribute.name,
        "question": attribute.question,
        "definition": attribute.definition,
        "classes": "",
    }
    return form_texts | {"class_prompts": "\n".join(phrases)} | {key: "\n".join(said[key]) for key in TEXTS}


def _old_classes(attribute: Attribute) -> tuple[OldClass, ...]:
    counted, form = answers_by_value(auth.settings(), attribute.name), request.form
    return tuple(
        OldClass(
            name, form.get(f"class-{place}", "").strip(), form.get(f"to-{place}", ""), f"hold-{place}" in form,
            counted.get(name, 0),
        )
        for place, name in enumerate(attribute.classes)
    )  # fmt: skip


def _picks(values: MultiDict[str, str]) -> list[str]:
    """The images that were chosen before the question was, each once."""
    return list(dict.fromkeys(one[:255] for one in values.getlist("pick") if one))[: pinned.MOST]


def _new_page(
    filled: Filled,
    errors: Mapping[str, str] | None = None,
    picks: Sequence[str] = (),
    chosen_for: ClassImages = NONE_CHOSEN,
) -> str:
    with reading(auth.settings()) as session:
        there = select(Expert, User.role).outerjoin(User, User.email == Expert.email)
        rows = session.execute(there.where(Expert.removed_at.is_(None)).order_by(Expert.name).limit(MOST_EXPERTS)).all()
        people = [one for one, role in rows if one.every_attribute or view.may_manage(auth.viewer(), role)]
    looks = request.form.get("step") == "look"
    phrases = [phrase for _, phrase in filled.rows][:MOST_CLASSES]  # each is two searches, so a form must not name more
    near = [question.found(one, _other(phrases, place)) if looks else None for place, one in enumerate(phrases)]
    return _page(
        "attribute_new.html", filled, errors or {}, people=people, found=None, near=near,
        templates=question_templates.TEMPLATES, keys=with_keys(filled.classes[:MOST_CLASSES]), most=MOST_CLASSES,
        picks=picks, chosen=_chosen(picks), words=_words(), shown_chosen=SHOWN_CHOSEN,
        name_rule=attributes.NAME_RULE, chosen_for=chosen_for, held=list(chosen_for.unseen(near)),
        offered=partial(offered, filled),
    )  # fmt: skip


def _chosen(picks: Sequence[str]) -> list[PageImage]:
    """The chosen images that are still in the pool, in their order."""
    shown = pictures(auth.settings(), auth.viewer(), picks)
    return [shown[name] for name in picks if name in shown]


def _words() -> list[str]:
    """What the chosen images were found by."""
    searched = request.args.get("q", "") if request.args.get("at") == TEXT else ""
    words = request.values.getlist("words") or [searched]
    return [word[:LONGEST_TEXT] for word in words if word][:MOST_WORDS]


def _other(phrases: list[str], place: int) -> str:
    """The first prompt beside the one at ``place``."""
    return next((phrase for other, phrase in enumerate(phrases) if phrase and other != place), "")


def _edit_page(
    attribute: Attribute, filled: Filled, errors: Mapping[str, str] | None = None, reason: str = "", effect: Any = None
) -> str:
    unsure = answers_by_value(auth.settings(), attribute.name).get(UNSURE, 0)
    more = {"found": attribute, "reason": reason, "effect": effect, "unsure": unsure}
    return _page("attribute_form.html", filled, errors or {}, **more)


def _page(template: str, filled: Filled, errors: Mapping[str, str], **more: Any) -> str:
    texts = [line for key in ("in_scope", "out_of_scope") for line in lines(filled.text.get(key, ""))]
    shown = pictures(auth.settings(), auth.viewer(), texts)
    return render_template(template, filled=filled, errors=errors, pictures=shown, lines=lines, **more)
