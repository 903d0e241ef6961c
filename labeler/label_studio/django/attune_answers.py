"""Answers from Attune's own labelling page, stored as annotations of the expert who gave them, by Label Studio's own views.

An answer names its task by id and by our key: Label Studio gives freed ids away, and an answer on the wrong image is
the worst fault there is. A task has one annotation of a person: a second answer corrects the first, unless it is the
older of the two: a browser may send an answer long after it was given. It says how long, and no time of its own clock.
"""

import json
import math

import attune_people
from attune_corrections import NOT_TAKEN, ask, correct, drop_drafts, held_by
from attune_one_answer import alone
from attune_who import save_activity_alone
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

MOST = 50  # answers in one request
KEY = "attune_key"
GONE, OTHER, OUTSIDE = "gone", "other task", "no member"  # why an answer was not stored; `attune_corrections` has more


@csrf_exempt
@require_http_methods(["POST"])
def answers(request):
    """Store the answers of one person, in their order; what became of each, in the same order.

    Takes ``{"email": ..., "answers": [{"once", "task", "key", "result", "was_cancelled", "lead_time", "more", "age",
    "first"}, …]}``. ``age``: seconds since it was given (default 0). ``first``: whether the person was shown the task as
    one without an answer (default no). ``more``: seconds of looks in which it was corrected before it was sent, beside
    the ``lead_time`` of the first one (default 0). An answer that was stored comes back as ``{"once", "annotation",
    "task"}``, as Label Studio has them now, else as ``{"once", "refused"}``. To send it again changes nothing.
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
        return _keep(user, task, one)


def _keep(user, task, one):
    """Make ``one`` the person's annotation of the task: a new one, or a correction of what they said before."""
    held = held_by(user, task.pk)
    if held is None:
        body = {"result": one["result"], "was_cancelled": one["was_cancelled"], "unique_id": one["once"]}
        status = ask(user, "post", task.pk, body | {"lead_time": one["lead_time"] + one["more"]})
        refused = "" if status in {201, 409} else NOT_TAKEN  # 409: another request stored it in this very moment
    else:
        refused = correct(user, held, one)
    if refused:
        return {"refused": refused}
    made = held_by(user, task.pk)
    if made is None:
        return {"refused": NOT_TAKEN}
    drop_drafts(user, task.pk)
    found = {name: getattr(made, name) for name in ("id", "result", "was_cancelled", "lead_time")}
    found |= {"completed_by": made.completed_by_id, "updated_by": made.updated_by_id}
    # To the microsecond, as its own API says them: Django's JSON would cut them short.
    found |= {name: getattr(made, name).isoformat() for name in ("created_at", "updated_at")}
    return {"annotation": found, "task": {"id": task.pk, "data": task.data, "project": task.project_id}}
