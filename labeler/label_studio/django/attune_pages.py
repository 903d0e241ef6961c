"""Whether the page that an answer comes from shows the question as it is now.

A page that is open goes on with the question and the classes that it was loaded with. Where the classes keep their names
and mean something else since, its answers would be stored as the opposite of what was said.
"""

import hashlib

from attune_checks import Refused

PAGES = frozenset({"^projects/<int:pk>/data/", "^projects/<int:pk>/"})  # routes of the documents
KEY = "attune_page_"  # in the session, before the project's id: the question that its page was loaded with
CHANGED = "The question has changed since you opened this page. Reload the page and answer again."


def opened(request, project):
    """Keep which question the page shows that is about to be loaded."""
    request.session[f"{KEY}{project}"] = _digest(_config(pk=project))


def check(request, task):
    """Refuse what comes from a page of before; whoever opened none is taken at the word, as a program of Attune's."""
    from tasks.models import Task

    project = Task.objects.filter(pk=task).values_list("project_id", flat=True).first()
    shown = request.session.get(f"{KEY}{project}")
    if shown is not None and shown != _digest(_config(pk=project)):
        raise Refused(CHANGED, 400)


def _config(**which):
    from projects.models import Project

    return Project.objects.filter(**which).values_list("label_config", flat=True).first() or ""


def _digest(config):
    return hashlib.sha256(config.encode()).hexdigest()[:32]
