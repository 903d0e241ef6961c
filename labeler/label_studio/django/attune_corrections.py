"""A second answer of a person to a task corrects the first, on whatever page it was given: what it may overrule.

An answer that was given before the one that is stored does not take its place: a browser may send it long after.
"""

from contextlib import suppress
from datetime import timedelta

from django.utils import timezone

# Why an answer was not stored.
NOT_TAKEN, SUPERSEDED, ANSWERED = "not taken", "superseded", "answered before"
OLDEST = timedelta(days=3650).total_seconds()
# A correction may be given while the answer before it is on its way, and so before that one is stored.
ON_ITS_WAY = timedelta(minutes=2)


def held_by(user, task):
    """The annotation of a person on a task (its id), or None."""
    from tasks.models import Annotation

    return Annotation.objects.filter(task=task, completed_by=user).order_by("-pk").first()


def correct(user, held, one):
    """Make what ``one`` says the person's annotation ``held``; why not, or an empty string. ``one`` as `attune_answers`
    has it.
    """
    if held.result == one["result"] and held.was_cancelled == one["was_cancelled"]:
        return ""
    if reason := _overtaken(held, one):
        return reason
    before, looks = held.lead_time or 0, one["lead_time"] + one["more"]
    # As Label Studio's own page does: the time of all looks together. A first answer that was corrected while it was on
    # its way tells of its own looks once more.
    tells_all = one["first"] and str(held.unique_id) == one["once"]
    body = {"result": one["result"], "was_cancelled": one["was_cancelled"]}
    body["lead_time"] = max(before, looks) if tells_all else before + looks
    status = ask(user, "patch", held.pk, body | {"unique_id": one["once"]})  # who wrote last: see `_overtaken`
    return "" if status == 200 else NOT_TAKEN


def _overtaken(held, one):
    """Why an answer may not take the place of the annotation ``held``, or an empty string.

    An annotation from later than now is of a clock that was set back, and overtakes nothing.
    """
    own = str(held.unique_id) == one["once"]
    now = timezone.now()
    given = now - timedelta(seconds=min(max(one["age"], 0), OLDEST))
    if given + (ON_ITS_WAY if own else timedelta()) < held.updated_at <= now:
        return SUPERSEDED
    return ANSWERED if one["first"] and not own else ""


def drop_drafts(user, task):
    """Delete what a person began on a task and has answered since: Label Studio's page would show it in the answer's
    place.
    """
    from tasks.models import AnnotationDraft

    for draft in AnnotationDraft.objects.filter(task=task, user=user, annotation=None):
        with suppress(AnnotationDraft.DoesNotExist):  # dropped by another window at this moment
            draft.delete()  # one by one: Label Studio counts them there


def ask(user, method, number, body):
    """What Label Studio's own view answers ``user``: its rules hold and its history is written.

    Without its webhook, which would only ask Attune to read what it is being told here.
    """
    from rest_framework.test import APIRequestFactory, force_authenticate
    from tasks.api import AnnotationAPI, AnnotationsListAPI

    view = AnnotationsListAPI if method == "post" else AnnotationAPI
    theirs = getattr(view, method)
    quiet = type(view.__name__, (view,), {method: getattr(theirs, "__wrapped__", theirs)})
    request = getattr(APIRequestFactory(), method)("/", body, format="json")
    force_authenticate(request, user)
    return quiet.as_view()(request, pk=number).status_code
