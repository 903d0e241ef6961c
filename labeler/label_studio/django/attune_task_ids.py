"""A task's id is never given to another task: an expert may still have the first one on the screen.

On SQLite Label Studio numbers the tasks that it imports itself, from the greatest id that there is. So the id of the
newest task went to the next image once that task was deleted, and with it the answer about the image before. The
database, where it is asked to number them, gives no id twice (AUTOINCREMENT).
"""


def never_again():
    """Have the database number the tasks that this process imports; a second call changes nothing."""
    from tasks.models import Task

    kind = type(Task.objects)
    before = kind.bulk_create
    if getattr(before, "never_again", False):
        return

    def bulk_create(self, objs, *arguments, **named):
        if _numbers(self.db):
            for one in objs:
                one.pk = None
        return before(self, objs, *arguments, **named)

    bulk_create.never_again = True
    kind.bulk_create = bulk_create


def _numbers(alias):
    """Whether the database is one for which Label Studio numbers the tasks, and tells the ids that it gave itself."""
    from django.db import connections

    connection = connections[alias]
    return connection.vendor == "sqlite" and connection.features.can_return_rows_from_bulk_insert
