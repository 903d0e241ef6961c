"""The checks that the table of doors names: whether what an expert asks about is the expert's own.

Each takes the asker and a value as it came, and gives the value that the view gets, `DROPPED`, or raises Refused.
"""

import json
import re
import uuid

DROPPED = object()
ORDERINGS = {"tasks:predictions_score", "tasks:id"}  # those that Attune gives its views
LONGEST_SECONDS = 10**7
ROUNDING = 60  # seconds that a page may have been open longer than its task is old: clocks jump a little
NUMBER = re.compile(r"[0-9]{1,18}")
# Of what an expert answers. The labelling page sends a list of objects with an object with a list of names: 4 levels.
MOST_LEVELS = 8
MOST_PARTS = 64
MOST_CHARACTERS = 64 * 2**10  # as JSON
LARGEST_NUMBER = 2**53
LONGEST_NAME = 100  # characters of a part's id, type and names
WORDS = re.compile(r"[\w, :.-]{0,300}")


class Refused(Exception):
    """The request is not let in; the text is a plain sentence for the person, ``status`` the answer's."""

    def __init__(self, text, status=403):
        super().__init__(text)
        self.status = status


class Stale(Refused):
    """An answer from a page that shows what holds no longer. Label Studio's own page says no reason for an answer that
    is not stored, but of a paused project the text that came with it: so this says that it is one.
    """

    SHOWN = {"reason": "PAUSED"}


class Asker:
    """Who asks: the user, and what is theirs, read once a request."""

    def __init__(self, user):
        self.user = user
        self.task = None  # the task that the address means, once that was checked
        self._projects = None

    @property
    def projects(self):
        """Ids of the projects that the user is a member of."""
        from projects.models import ProjectMember

        if self._projects is None:
            mine = ProjectMember.objects.filter(user_id=self.user.pk, enabled=True)
            self._projects = set(mine.values_list("project_id", flat=True))
        return self._projects


def number(value, name):
    """A whole number from an address, a query or a body; booleans and signs are none."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return int(value)
    raise Refused(f"{name} is {str(value)[:40]!r}, where a number was expected.", 400)


def own_project(asker, value):
    """A project that the expert is a member of."""
    project = number(value, "The project")
    if project not in asker.projects:
        raise Refused("This project is not yours. Open your questions from Attune's console.")
    return project


def own_project_dropped(asker, value):
    """The same, where the view needs no project."""
    own_project(asker, value)
    return DROPPED


def own_view(asker, value):
    """A view of a project of one's own."""
    from data_manager.models import View

    view = number(value, "The view")
    _held(asker, View.objects.filter(pk=view).values_list("project_id", flat=True).first(), "view")
    return view


def own_task(asker, value):
    """A task in a project of one's own."""
    from tasks.models import Task

    task = number(value, "The task")
    _held(asker, Task.objects.filter(pk=task).values_list("project_id", flat=True).first(), "image")
    asker.task = task
    return task


def own_annotation(asker, value):
    """One's own answer, in a project of one's own."""
    from tasks.models import Annotation

    return _own_work(asker, Annotation, "completed_by_id", value, "answer")


def own_draft(asker, value):
    """What one has begun oneself, in a project of one's own."""
    from tasks.models import AnnotationDraft

    return _own_work(asker, AnnotationDraft, "user_id", value, "draft")


def own_draft_or_none(asker, value):
    """The same; the page says 0 where there is none. One that is gone by now is none."""
    from tasks.models import AnnotationDraft

    key = 0 if value is None else number(value, "The draft")
    if key and AnnotationDraft.objects.filter(pk=key).exists():
        return own_draft(asker, key)
    return 0


def task_of_the_path(asker, value):
    """A task in a body is the one of the address, which alone counts."""
    if value is not None and number(value, "The task") != asker.task:
        raise Refused("The answer and its URL name different images.")
    return DROPPED


def oneself_dropped(asker, value):
    """No one answers as someone else."""
    if value is not None and str(value) != str(asker.user.pk):
        raise Refused("You can only answer as yourself.")
    return DROPPED


def no(_, value):
    """What an expert may not set."""
    if value:
        raise Refused("Only the admin can set this.")
    return DROPPED


def next_task(_, value):
    """The one action that experts have."""
    if value != "next_task":
        raise Refused("Only the admin can do this.")
    return value


def ordering(_, value):
    """An order that Attune gave; any other is none."""
    return [one for one in value if isinstance(one, str) and one in ORDERINGS][:1] if isinstance(value, list) else []


def selected(_, value):
    """Which tasks to choose from, by numbers; of one's own project only, as the view looks nowhere else."""
    if not isinstance(value, dict):
        raise Refused("selectedItems is not a list of images.", 400)
    cleaned = {"all": value.get("all") is True}
    for name in ("included", "excluded"):
        if isinstance(value.get(name), list):
            cleaned[name] = [number(one, "The image") for one in value[name][:10_000]]
    return cleaned


def no_filters(*_):
    """The order of the queue is Attune's, so nothing is filtered."""
    return {"conjunction": "and", "items": []}


def result(asker, value):
    """What was answered, or begun: a list, which Label Studio and Attune read with care, of parts that the page of the
    question makes.
    """
    if not isinstance(value, list):
        raise Refused("The answer is not a list.", 400)
    if len(value) > MOST_PARTS:
        raise Refused(f"The answer has {len(value)} parts. At most {MOST_PARTS} are allowed.", 400)
    if not all(isinstance(item, dict) for item in value):
        raise Refused("A part of the answer is not an object.", 400)
    for item in value:
        _part(item)
    _plain(value)  # first: what follows calls itself for each level
    try:
        size = len(json.dumps(value, ensure_ascii=False).encode())
    except UnicodeEncodeError:  # half of a pair: stored, it would break every list that holds the answer
        raise Refused("The answer contains text that is not Unicode.", 400) from None
    if size > MOST_CHARACTERS:
        raise Refused(f"The answer has {size} bytes. At most {MOST_CHARACTERS} are allowed.", 413)
    if value:
        _of_the_page(value, _controls(asker))
    return value


def _controls(asker):
    """The controls of the page of the task that the address means, by name, as Label Studio reads them."""
    from tasks.models import Task

    task = Task.objects.filter(pk=asker.task).select_related("project").first()
    return task.project.get_parsed_config() if task is not None else {}


def _of_the_page(parts, controls):
    """Refuse a part of another control: with one such answer stored, Label Studio takes no new question or classes for
    the whole project.
    """
    for one in parts:
        control = controls.get(one.get("from_name"))
        known = control is not None and one.get("to_name") in control["to_name"]
        if not known or one.get("type") != control["type"].lower():
            raise Refused("The answer holds what this page does not ask. Reload the page and answer again.", 400)
        names = set(one.get("value", {}).get("choices", []))
        if not control.get("dynamic_labels") and not names <= set(control.get("labels", [])):
            raise Refused("The answer is not one of the classes of this question. Reload the page.", 400)


def _part(item):
    """Refuse a part that Label Studio stores and then stumbles over when it counts it, again when it is deleted."""
    for name in ("id", "from_name", "to_name", "type"):
        if name in item and not (isinstance(item[name], str) and len(item[name]) <= LONGEST_NAME):
            raise Refused(f"{name} of an answer must be a text of at most {LONGEST_NAME} characters.", 400)
    value = item.get("value", None if "type" in item else {})
    if not isinstance(value, dict):
        raise Refused("The value of an answer is not an object.", 400)
    choices = value.get("choices", [])
    if not isinstance(choices, list) or not all(isinstance(choice, str) for choice in choices):
        raise Refused("The choices of an answer are not a list of texts.", 400)


def _plain(value):
    """Refuse what is stored and can then not be read, with the whole list that holds it: Label Studio calls itself for
    each level, and a number or a character that one of its libraries does not know ends a reading.
    """
    level = [value]
    for _ in range(MOST_LEVELS):
        texts = [item for item in level if isinstance(item, str)]
        texts += [name for item in level if isinstance(item, dict) for name in item]
        if any("\0" in text for text in texts):
            raise Refused("The answer contains a character that the database cannot store.", 400)
        if any(isinstance(item, int | float) and not abs(item) <= LARGEST_NUMBER for item in level):
            raise Refused("The answer contains a number that is too large.", 400)
        inner = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [item for several in inner for item in several]
        if not level:
            return
    raise Refused(f"The answer is nested more than {MOST_LEVELS} levels deep.", 400)


def figure(_, value):
    """A number such as a time."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise Refused("A time is not a number.", 400)
    if value is not None and not 0 <= value <= LONGEST_SECONDS:
        raise Refused(f"A time is {value!r:.40}; 0 to {LONGEST_SECONDS} seconds were expected.", 400)
    return value


def time_on_the_task(asker, value):
    """How long the page was open, in seconds: not longer than the task is there, whose id may have been another's.

    Each length is of one clock, so the browser's may be wrong.
    """
    from django.utils.timezone import now
    from tasks.models import Task

    seconds = figure(asker, value)
    made = Task.objects.filter(pk=asker.task).values_list("created_at", flat=True).first()
    if seconds is not None and made is not None and seconds > (now() - made).total_seconds() + ROUNDING:
        raise Stale("The image of this page was taken away meanwhile. Reload the page to see the next one.")
    return seconds


def flag(_, value):
    """Yes or no."""
    if not isinstance(value, bool):
        raise Refused("A yes/no value is not true or false.", 400)
    return value


def count(_, value):
    """The number of a page, or how many a page."""
    return min(number(value, "The page"), 1000)


def words(_, value):
    """Names of fields."""
    if not isinstance(value, str) or not WORDS.fullmatch(value):
        raise Refused("A name contains characters that are not letters or digits.", 400)
    return value


def name_once(_, value):
    """The name that the page gives an answer, so that it is stored once."""
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        raise Refused("unique_id is not a UUID.", 400) from None


def token_of_the_administrator(_, value):
    """A personal token of the administrator; of anyone else's none is exchanged."""
    from attune_who import is_administrator
    from jwt_auth.models import LSAPIToken
    from rest_framework_simplejwt.exceptions import TokenError
    from users.models import User

    try:
        user = User.objects.filter(pk=LSAPIToken(str(value)).payload.get("user_id")).first()
    except TokenError:
        raise Refused("This token is not accepted.", 401) from None
    if not is_administrator(user):
        raise Refused("Only the admin's token works here.")
    return str(value)


def _own_work(asker, table, author_column, value, what):
    """The key of a row of ``table`` that the expert made, on the task that the address means where it means one."""
    key = number(value, f"The {what}")
    columns = ("task__project_id", author_column, "task_id")
    project, author, task = table.objects.filter(pk=key).values_list(*columns).first() or (None, None, None)
    _held(asker, project, what)
    if author != asker.user.pk:
        raise Refused(f"This {what} belongs to another person.")
    if asker.task not in {None, task}:
        raise Refused(f"This {what} belongs to another image.")
    asker.task = task
    return key


def _held(asker, project, what):
    if project is None:
        raise Refused(f"This {what} does not exist. Perhaps it was deleted.", 404)
    if project not in asker.projects:
        raise Refused(f"This {what} is not yours. Open your questions from Attune's console.")


CHECKS = {
    "own_project": own_project,
    "own_project_dropped": own_project_dropped,
    "own_view": own_view,
    "own_task": own_task,
    "own_annotation": own_annotation,
    "own_draft": own_draft,
    "own_draft_or_none": own_draft_or_none,
    "task_of_the_path": task_of_the_path,
    "oneself_dropped": oneself_dropped,
    "no": no,
    "next_task": next_task,
    "ordering": ordering,
    "selected": selected,
    "no_filters": no_filters,
    "result": result,
    "number": figure,
    "time_on_the_task": time_on_the_task,
    "flag": flag,
    "count": count,
    "words": words,
    "uuid": name_once,
    "token_of_the_administrator": token_of_the_administrator,
}
