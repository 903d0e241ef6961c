"""A person answers a task once: whoever comes later, from another window, corrects that answer and adds none.

Label Studio's own page adds an annotation wherever it was opened before there was one, so that one window there and
another on Attune's page made two answers of one person to one image. Whatever its view is asked to create where there is
an answer corrects that one, and the reply is that of a new one: refused, the page would show no reason, and stay on this
image for good.
"""

import threading
import uuid
from contextlib import contextmanager
from functools import wraps

from attune_checks import Stale
from attune_corrections import NOT_TAKEN, correct, drop_drafts, held_by
from attune_who import is_administrator
from django.db import connection

LOCKS = [threading.RLock() for _ in range(64)]
_changed = []


def once():
    """Let this process add no second annotation of an expert to a task; a second call changes nothing."""
    from tasks.api import AnnotationsListAPI

    if _changed:
        return
    _changed.append(True)
    AnnotationsListAPI.perform_create = _once(AnnotationsListAPI.perform_create)


@contextmanager
def alone(user, task):
    """One answer of a person to a task (both by their ids) at a time: of two that look at once, each would find no
    annotation and add one.

    With SQLite Label Studio is one process; with PostgreSQL it may be several, and the database keeps them apart.
    """
    with LOCKS[(user + task) % len(LOCKS)]:
        if connection.vendor != "postgresql":
            yield
            return
        key = [user % 2**31, task % 2**31]
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", key)
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)


def _once(theirs):
    @wraps(theirs)
    def perform_create(self, serializer):
        user, task = self.request.user, int(self.kwargs["pk"])
        if is_administrator(user):
            return theirs(self, serializer)
        with alone(user.pk, task):
            kept = _corrected(user, task, serializer.validated_data)
            made = theirs(self, serializer) if kept is None else _as_created(self, serializer, kept)
            drop_drafts(user, task)
            return made

    return perform_create


def _corrected(user, task, said):
    """The person's annotation of the task, which says now what they ``said``; None where there is none. The page says
    "skipped" after a skip, so a skip takes an answer's place, too.
    """
    from rest_framework.exceptions import PermissionDenied

    held = held_by(user, task)
    if held is None:
        return None
    one = {"result": said.get("result", held.result), "was_cancelled": bool(said.get("was_cancelled"))}
    one |= {"lead_time": said.get("lead_time") or 0, "more": 0, "age": 0, "first": False}
    one["once"] = str(uuid.uuid4())  # the page's own name may be that of its other window, too
    refused = correct(user, held, one)
    held = held_by(user, task)
    if held is not None and refused == NOT_TAKEN:
        error = PermissionDenied("Label Studio did not take this answer. Reload the page, then answer again.")
        error.display_context = Stale.SHOWN  # Label Studio passes it on to its page
        raise error
    return held


def _as_created(view, serializer, kept):
    """Let the view reply as if it had made the annotation ``kept``, and do what it does after that."""
    from projects.functions.stream_history import fill_history_annotation

    user, task = view.request.user, view.parent_object
    task.release_lock(user)
    fill_history_annotation(user, task, kept)
    serializer.instance = kept
    return kept
