"""Answers from Attune's own labelling page, stored as annotations of the expert who gave them, by Label Studio's own views.

An answer names its task by id and by our key: Label Studio gives freed ids away, and an answer on the wrong image is
the worst fault there is. A task has one annotation of a person: a second answer corrects the first, unless it is the
older of the two: a browser may send an answer long after it was given. It says how long, and no time of its own clock.
"""

import json
import math
from datetime import timedelta

import attune_people
from attune_one_answer import alone
from attune_who import save_activity_alone
from django.http import JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

MOST = 50  # answers in one request
KEY = "attune_key"
# Why an answer was not stored.
GONE, OTHER, OUTSIDE, NOT_TAKEN = "gone", "other task", "no member", "not taken"
SUPERSEDED, ANSWERED = "superseded", "answered before"
OLDEST = timedelta(days=3650).total_seconds()
# A correction may be given while the answer before it is on its way, and so before that one is stored.
ON_ITS_WAY = timedelta(minutes=2)


@csrf_exempt
@require_http_methods(["POST"])
def answers(request):
    """Store the answers of one person, in their order; what became of each, in the same order.

    Takes ``{"email": ..., "answers": [{"once", "task", "key", "result", "was_cancelled", "lead_time", "more", "age",
    "first"}, …]}``. ``age``: seconds since it was given (default 0). ``first``: whether the person was shown the task as one
    without an answer (default no). ``more``: seconds of looks in which it was corrected before it was sent, beside the
    ``lead_time`` of the first one (default 0). An answer that was stored comes back as ``{"once", "annotation", "task"}``, as Label
    Studio has them now, else as ``{"once", "refused"}``. To send it again changes nothing.
    """
    try:
        wanted = json.loads(request.body)
        email, given = wanted["email"], wanted["answers"]
        if not isinstance(email, str) or not isinstance(given, list) or len(given) > MOST:
            raise ValueError
        given = [_parts(one) for one in given]
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"detail": f"expected an email and at most {MOST} answers"}, status=400)
    user = attune_people.find(email)
    if user is None or not user.is_active:
        return JsonResponse({"answers": [{"once": one["once"], "refused": OUTSIDE} for one in given]})
    save_activity_alone(user)
    request.user = user  # whom Label Studio writes down as the one who changed the annotation
    return JsonResponse({"answers": [{"once": one["once"], **_store(user, one)} for one in given]})


def _parts(one):
    made = {
        "once": str(one["once"]),
        "task": int(one["task"]),
        "key": str(one["key"]),
        "result": one["result"],
        "was_cancelled": bool(one["was_cancelled"]),
        "lead_time": float(one["lead_time"]),
        "more": float(one.get("more", 0)),
        "age": float(one.get("age", 0)),
        "first": bool(one.get("first", False)),
    }
    if not isinstance(made["result"], list) or not made["key"] or not math.isfinite(made["age"] + made["more"]):
        raise ValueError
    return made


def _store(user, one):
    from projects.models import ProjectMember
    from tasks.models import Task

    task = Task.objects.filter(pk=one["task"]).first()
    if task is None:
        return {"refused": GONE}
    if task.data.get(KEY) != one["key"]:
        return {"refused": OTHER}
    if not ProjectMember.objects.filter(user=user, project_id=task.project_id, enabled=True).exists():
        return {"refused": OUTSIDE}
    with alone(user.pk, task.pk):
        return _correct(user, task, one)


def _correct(user, task, one):
    """Make ``one`` the person's annotation of the task: a new one, or a correction of what they said before."""
    from tasks.models import Annotation

    looks = one["lead_time"] + one["more"]
    body = {"result": one["result"], "was_cancelled": one["was_cancelled"], "lead_time": looks}
    held = Annotation.objects.filter(task=task, completed_by=user).order_by("-pk").first()
    if held is None:
        status = _ask(user, "post", task.pk, body | {"unique_id": one["once"]})
    elif held.result == one["result"] and held.was_cancelled == one["was_cancelled"]:
        status = 200
    elif reason := _overtaken(held, one):
        return {"refused": reason}
    else:
        before = held.lead_time or 0
        # As Label Studio's own page does: the time of all looks together. A first answer that was corrected while it
        # was on its way tells of its own looks once more.
        tells_all = one["first"] and str(held.unique_id) == one["once"]
        body["lead_time"] = max(before, looks) if tells_all else before + looks
        status = _ask(user, "patch", held.pk, body | {"unique_id": one["once"]})  # who wrote last: see `_overtaken`
    if status not in {200, 201, 409}:  # 409: another request stored it in this very moment
        return {"refused": NOT_TAKEN}
    made = Annotation.objects.filter(task=task, completed_by=user).order_by("-pk").first()
    if made is None:
        return {"refused": NOT_TAKEN}
    found = {name: getattr(made, name) for name in ("id", "result", "was_cancelled", "lead_time")}
    found |= {"completed_by": made.completed_by_id, "updated_by": made.updated_by_id}
    # To the microsecond, as its own API says them: Django's JSON would cut them short.
    found |= {name: getattr(made, name).isoformat() for name in ("created_at", "updated_at")}
    return {"annotation": found, "task": {"id": task.pk, "data": task.data, "project": task.project_id}}


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


def _ask(user, method, number, body):
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
