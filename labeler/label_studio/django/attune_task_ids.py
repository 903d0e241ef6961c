"""Ids that never come back: what is imported on SQLite is numbered above every id that its table ever had.

On SQLite Label Studio numbers imported tasks and annotations by itself, from the greatest id that is there. Where the
newest task is deleted, the next image gets its id, and an expert whose page still shows the first would answer about
the second. SQLite remembers the greatest id ever of a table with AUTOINCREMENT, as Django makes them
(https://sqlite.org/autoinc.html). The change is made below Label Studio, in Django's `bulk_create`, so that it holds
whatever a new release calls the method that imports. PostgreSQL numbers by a sequence and needs nothing.
"""

from functools import wraps

NUMBERED = {"tasks.task", "tasks.annotation"}  # what may be made with an id, as "app.model"
_changed = []


def never_again():
    """Let this process give no id of a task or an answer a second time; a second call changes nothing."""
    from django.db.models.query import QuerySet

    if _changed:
        return
    _changed.append(True)
    theirs = QuerySet.bulk_create

    @wraps(theirs)
    def bulk_create(self, objs, *arguments, **named):
        from django.db import connections, transaction

        self._for_write = True
        connection = connections[self.db]
        if connection.vendor != "sqlite" or self.model._meta.label_lower not in NUMBERED:
            return theirs(self, objs, *arguments, **named)
        objs = list(objs)
        with transaction.atomic(using=self.db):  # nobody else numbers between the look and the writing
            greatest = _greatest_ever(connection, self.model._meta.db_table)
            for number, one in enumerate((one for one in objs if one.pk is not None), start=greatest + 1):
                one.pk = number
            return theirs(self, objs, *arguments, **named)

    QuerySet.bulk_create = bulk_create


def _greatest_ever(connection, table):
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        found = cursor.fetchone()
    return found[0] if found else 0
