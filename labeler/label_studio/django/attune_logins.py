"""Open a login of our own Label Studio, or end all sessions there: run inside its environment, with the wish on stdin.

The wish is JSON. ``{"email": ..., "password": "new"}`` sets the password and opens the login; sessions and tokens that
are out end. ``{"end_sessions": true}`` logs everybody out, as after a restore. Says "done", or why not, as the last
line of stdout. For what must be done while Label Studio does not run, or for the administrator, as whom Attune would
ask; else `attune_api` does it.
"""

import json
import sys

EMPTY = "no tables of Label Studio"


def change(email, password):
    """The word about one login."""
    import attune_people

    user = attune_people.find(email)
    if user is None:
        return "user not found"
    attune_people.open_login(user.email, password)
    return "done"


def end_sessions():
    """The word about everybody's sessions: a database that has no table for them has none of Label Studio's."""
    from django.contrib.sessions.models import Session
    from django.db import connection

    if Session._meta.db_table not in connection.introspection.table_names():
        return EMPTY
    Session.objects.all().delete()
    return "done"


def main():
    """Read the wish from stdin, and say what became of it."""
    if len(sys.argv) > 1:
        print(__doc__)
        return
    import django

    django.setup()
    wish = json.load(sys.stdin)
    print(end_sessions() if wish.get("end_sessions") else change(**wish))


if __name__ == "__main__":
    sys.exit(main())
