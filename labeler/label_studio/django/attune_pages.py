"""Which question an expert's page shows: the page keeps the one that it was opened with, also for the next images.

An answer from a page of before a change would be stored as one to the question of today. So a session keeps what each
project asked when its page was opened, and an answer from an older page is refused until the page is loaded again. Of
two pages of one project in one browser the one that was opened last counts. A program that opens no page is not asked.
"""

import hashlib

from attune_checks import Stale

PAGES = frozenset({"^projects/<int:pk>/data/", "^projects/<int:pk>/"})  # routes of the documents
IN_SESSION = "attune_pages"
CHANGED = "The question was changed while this page was open. Reload the page, then answer the new question."


def opened(request, project):
    """Keep what ``project`` asks in the session of who opens its page."""
    kept, asks = request.session.get(IN_SESSION, {}), _asks(project)
    if kept.get(str(project)) != asks:
        request.session[IN_SESSION] = {**kept, str(project): asks}


def check(request, task):
    """Raise Stale where the page that answers ``task`` shows another question than its project asks now."""
    from tasks.models import Task

    project = Task.objects.filter(pk=task).values_list("project_id", flat=True).first()
    shown = request.session.get(IN_SESSION, {}).get(str(project))
    if shown is not None and shown != _asks(project):
        raise Stale(CHANGED)


def _asks(project):
    from projects.models import Project

    found = Project.objects.filter(pk=project).values_list("label_config", "expert_instruction").first() or ("", "")
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]
