"""A person answers a task once: whoever comes later, from another window, corrects that answer and adds none.

Label Studio's own page adds an annotation wherever it was opened before there was one, so that one window there and
another on Attune's page made two answers of one person to one image. Its view is asked here for its creating alone, one
person and task at a time.
"""

import threading
from contextlib import contextmanager
from functools import wraps

from attune_who import is_administrator
from django.db import connection

ANSWERED = "You answered this image already, in another window. Reload the page to see your answer and correct it."
LOCKS = [threading.RLock() for _ in range(64)]
_changed = []


def once():
    """Let this process refuse a second annotation of an expert to a task; a second call changes nothing."""
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
        from rest_framework.exceptions import APIException
        from tasks.models import Annotation

        user, task = self.request.user, int(self.kwargs["pk"])
        if is_administrator(user):
            return theirs(self, serializer)
        with alone(user.pk, task):
            if Annotation.objects.filter(task=task, completed_by=user).exists():
                refused = APIException(ANSWERED)
                refused.status_code = 409
                raise refused
            return theirs(self, serializer)

    return perform_create
