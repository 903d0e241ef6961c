"""An answer and what its task says of it, written together or not at all.

Label Studio commits an annotation first, and after that, one by one, its task's numbers of answers and the time of its
last change. Killed in between, it holds an answer to a task that counts as unanswered and unchanged: who asks for
changes does not find it, and who deletes what nobody has answered would delete it.
"""

from functools import wraps

_changed = []


def together():
    """Let this process save and delete an annotation in one transaction; a second call changes nothing."""
    from tasks.models import Annotation

    if _changed:
        return
    _changed.append(True)
    Annotation.save, Annotation.delete = _in_one(Annotation.save), _in_one(Annotation.delete)


def _in_one(theirs):
    @wraps(theirs)
    def done(self, *arguments, **named):
        from django.db import router, transaction

        with transaction.atomic(using=router.db_for_write(type(self), instance=self)):
            return theirs(self, *arguments, **named)

    return done
