"""An answer and what its task says of it, written together or not at all.

Label Studio commits an annotation first, and after that, one by one, its task's numbers of answers and the time of its
last change. Killed in between, it holds an answer to a task that counts as unanswered and unchanged: who asks for
changes does not find it, and who deletes what nobody has answered would delete it.

It also brings a deleted answer back: a correction that has read the annotation before it is deleted, and writes it
after, would add it anew, as Django inserts what it cannot update.
"""

from functools import wraps

_changed = []


def together():
    """Let this process save and delete an annotation in one transaction; a second call changes nothing."""
    from tasks.models import Annotation

    if _changed:
        return
    _changed.append(True)
    Annotation.save, Annotation.delete = _in_one(_while_there(Annotation.save)), _in_one(Annotation.delete)


def _while_there(theirs):
    @wraps(theirs)
    def save(self, *arguments, **named):
        from django.http import Http404

        # Held, so that whoever deletes it waits (PostgreSQL), as for anything that writes (SQLite).
        mine = type(self)._base_manager.select_for_update(no_key=True).filter(pk=self.pk)
        if not self._state.adding and not mine.values_list("pk").first():
            raise Http404("This answer was deleted meanwhile.")
        return theirs(self, *arguments, **named)

    return save


def _in_one(theirs):
    @wraps(theirs)
    def done(self, *arguments, **named):
        from django.db import router, transaction

        with transaction.atomic(using=router.db_for_write(type(self), instance=self)):
            return theirs(self, *arguments, **named)

    return done
