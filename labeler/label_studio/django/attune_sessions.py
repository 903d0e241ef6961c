"""Sessions kept in the database, so that logging out or ending an access ends them: a copied cookie is worth nothing.

Label Studio ships with sessions in signed cookies, which no one can end. It writes to the session at each request, also
of those who have not logged in; to keep a row for each of them, and to write one at each request, would cost much and
help no one.
"""

from datetime import timedelta

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.utils import timezone

RENEW = timedelta(minutes=10)  # a session in use lives longer; its end is written so often
EXPIRY = "_session_expiry"


class SessionStore(db.SessionStore):
    """Django's own, without rows for no one and without writes that change nothing."""

    def __init__(self, session_key=None):
        super().__init__(session_key)
        self._stored = None
        self._ends = None

    def load(self):
        """The session's content; empty where there is none such."""
        stored = self._get_session_from_db()
        if stored is None:
            return {}
        self._stored, self._ends = self.decode(stored.session_data), stored.expire_date
        return self.decode(stored.session_data)

    def is_empty(self):
        """Whether there is nothing to keep: who has not logged in has no session."""
        return self.get(SESSION_KEY) is None

    def save(self, must_create=False):
        """Store it, unless nothing but its end would change, and that by less than ten minutes."""
        if not must_create and self.is_empty():
            return
        if not must_create and self._ends is not None and self._get_session(no_load=False) == self._stored:
            if abs(self.get_expiry_date() - self._ends) < RENEW:
                return
        if must_create:
            self.model.objects.filter(expire_date__lt=timezone.now()).delete()
        super().save(must_create)


def end_of(user):
    """End every session of ``user``; how many there were."""
    from django.contrib.sessions.models import Session

    mine = [one.pk for one in Session.objects.all().iterator() if one.get_decoded().get(SESSION_KEY) == str(user.pk)]
    Session.objects.filter(pk__in=mine).delete()
    return len(mine)
