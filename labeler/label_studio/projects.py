"""One Label Studio project for each expert and attribute: the expert's queue."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from attune.labeler.label_studio import tasks, webhooks
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.labeling_config import labelling_config
from attune.labeler.settings import Settings
from attune.models.errors import LabelStudioError, LabelStudioRefused

# A browser that never pressed "Label All Tasks" asks for the next task by the view's order, and by id where it has
# none; one that did asks for the project's sampling. Lowest score first, both ways. In a project without any task the
# first order makes the page break, hence the other one for then.
BY_SCORE, WHILE_EMPTY = ["tasks:predictions_score"], ["tasks:id"]
VIEW = {"title": "Queue", "type": "list", "target": "tasks", "filters": {"conjunction": "and", "items": []}}
PAGE = 100
ANSWERED, SKIPPED = "total_annotations_number", "skipped_annotations_number"  # counted anew at each request
INCLUDED = f"id,description,task_number,{ANSWERED},{SKIPPED}"
MARK = re.compile(r"attune-[0-9a-f]{32}")  # in a project's description: whose queue it is
TITLE_CHARACTERS = (3, 50)  # Label Studio's limits


@dataclass(frozen=True)
class Project:
    """Ids in Label Studio: the project, the view that its link opens, the webhook that tells of answers."""

    id: int
    view: int
    webhook: int | None


def create(
    ls: LabelStudio,
    title: str,
    question: str,
    classes: Sequence[str],
    instruction_html: str,
    webhook_url: str,
    webhook_secret: str,
    mark: str = "",
) -> Project:
    """Make an empty queue that serves the lowest score first and never shows what the model thinks.

    ``title`` is clipped to 50 characters; ``mark`` is what `find` knows the project by. Nothing is left behind where a
    step fails. Raises DataError for classes that cannot be choices, LabelStudioRefused where Label Studio says no.
    """
    config = labelling_config(question, classes)
    with ls.errors():
        project = ls.sdk.projects.create(
            title=clipped(title),
            description=mark,
            label_config=config,
            sampling="Uncertainty sampling",
            maximum_annotations=1,
            show_collab_predictions=False,
            enable_empty_annotation=False,
            # A skip is an answer that we keep: the image does not come back to the same expert by itself.
            skip_queue="IGNORE_SKIPPED",
            expert_instruction=instruction_html,
            show_instruction=bool(instruction_html),
        )
    return furnish(ls, int(project.id or 0), webhook_url, webhook_secret)


def furnish(ls: LabelStudio, project: int, webhook_url: str, webhook_secret: str) -> Project:
    """Give a new project its view and its webhook; a project that cannot have both is deleted."""
    try:
        return Project(project, _make_view(ls, project), webhooks.make(ls, project, webhook_url, webhook_secret))
    except LabelStudioError:
        with suppress(LabelStudioError):
            _delete(ls, project)
        raise


@dataclass(frozen=True)
class Listed:
    """A project as the list of projects shows it: what people wrote about it, and how many tasks and annotations
    (skips too) it holds; None where Label Studio does not say.
    """

    description: str
    tasks: int
    answers: int | None = None

    @property
    def marks(self) -> list[str]:
        """The marks of ours in the description."""
        return MARK.findall(self.description)


def list_projects(ls: LabelStudio, only: int | None = None) -> dict[int, Listed]:
    """Every project by its id, in one request a hundred; or ``only`` one, where it is there."""
    listed: dict[int, Listed] = {}
    page = 1
    while True:
        query = {"include": INCLUDED, "page": page, "page_size": PAGE}
        if only is not None:
            query["ids"] = only
        reply = ls.request("GET", "/api/projects", query=query)
        for row in reply["results"]:
            listed[int(row["id"])] = Listed(
                row.get("description") or "", int(row.get("task_number") or 0), _answers(row)
            )
        if not reply.get("next"):
            return listed
        page += 1


def _answers(row: Mapping[str, Any]) -> int | None:
    answered, skipped = row.get(ANSWERED), row.get(SKIPPED)
    return None if answered is None or skipped is None else int(answered) + int(skipped)


def stamp(ls: LabelStudio, project: int, mark: str, description: str) -> None:
    """Write ``mark`` into a project's description, in place of older marks of ours."""
    kept = " ".join(MARK.sub("", description).split())
    ls.request("PATCH", f"/api/projects/{project}/", {"description": f"{kept} {mark}".strip()})


def find(ls: LabelStudio, title: str, mark: str) -> int | None:
    """The oldest project made with ``title`` and ``mark``, or None: a killed maker's, or one that another just made."""
    matches: list[int] = []
    page = 1
    while True:
        query = {"title": clipped(title), "include": "id,description", "page": page, "page_size": PAGE}
        reply = ls.request("GET", "/api/projects", query=query)
        matches += [int(row["id"]) for row in reply["results"] if mark in (row.get("description") or "")]
        if not reply.get("next"):
            return min(matches, default=None)
        page += 1


def adopt(
    ls: LabelStudio,
    project: int,
    question: str,
    classes: Sequence[str],
    instruction_html: str,
    webhook_url: str,
    webhook_secret: str,
) -> Project:
    """Make a project that `find` found whole: whoever made it may have been killed before its view or webhook."""
    views = ls.request("GET", "/api/dm/views/", query={"project": project})
    project_found = repair(ls, Project(project, int(views[0]["id"]) if views else 0, None), webhook_url, webhook_secret)
    update(ls, project_found, question, classes, instruction_html)
    return project_found


def update(ls: LabelStudio, project: Project, question: str, classes: Sequence[str], instruction_html: str) -> None:
    """Change the question, the classes or the instruction; answers given stay as they are, even of a dropped class."""
    config = labelling_config(question, classes)
    with ls.errors():
        ls.sdk.projects.update(
            id=project.id,
            label_config=config,
            expert_instruction=instruction_html,
            show_instruction=bool(instruction_html),
        )


def delete(ls: LabelStudio, project: Project) -> None:
    """Delete the project with all its tasks and answers; one that is gone already is fine."""
    _delete(ls, project.id)


def repair(ls: LabelStudio, project: Project, webhook_url: str, webhook_secret: str) -> Project:
    """Bring the link's view and the webhook back to what they must be, after ports, secrets or people changed them.

    Returns the project with its ids as they are now. Raises LabelStudioRefused (404) where the project itself is gone.
    """
    view = _repaired_view(ls, project)
    with ls.errors():
        hooks = {hook.id: hook for hook in ls.sdk.webhooks.list(project=str(project.id))}
    webhook = hooks.get(project.webhook)
    if webhook is not None and webhooks.is_right(webhook, webhook_url, webhook_secret):
        return Project(project.id, view, project.webhook)
    for old in hooks.values():
        with ls.errors():
            ls.sdk.webhooks.delete(id=old.id)
    return Project(project.id, view, webhooks.make(ls, project.id, webhook_url, webhook_secret))


def restore_classes(ls: LabelStudio, project: int, question: str, classes: Sequence[str]) -> bool:
    """Give the labelling page its own question and classes back, after someone edited them; whether it was needed."""
    config = labelling_config(question, classes)
    project_facts = ls.request("GET", f"/api/projects/{project}/")
    if _shape(project_facts.get("label_config") or "") == _shape(config):
        return False
    ls.request("PATCH", f"/api/projects/{project}/", {"label_config": config})
    return True


def _shape(config: str) -> str:
    """A labelling config without the spaces that an editor may add between its tags."""
    return re.sub(r">\s+<", "><", config).strip()


def labelling_url(settings: Settings, project_id: int, view_id: int) -> str:
    """The link that an expert opens to answer: it names the view, whose order the page follows."""
    return f"{settings.label_studio_browser_address}/projects/{project_id}/data?tab={view_id}&labeling=1"


def clipped(title: str) -> str:
    """``title`` as long as Label Studio allows, 3 to 50 characters."""
    shortest, longest = TITLE_CHARACTERS
    clipped = title if len(title) <= longest else title[: longest - 1] + "…"
    return clipped.ljust(shortest, "·")


def _make_view(ls: LabelStudio, project: int) -> int:
    view = ls.request(
        "POST",
        "/api/dm/views/",
        {"project": project, "data": {**VIEW, "ordering": WHILE_EMPTY}},
    )
    return int(view["id"])


def serve_by(ls: LabelStudio, project: int, ordering: list[str]) -> None:
    """Let the project's views serve by ``ordering`` (BY_SCORE or WHILE_EMPTY), and without filters, from now on."""
    for view in ls.request("GET", "/api/dm/views/", query={"project": project}):
        data = view["data"]
        if data.get("ordering") != ordering or (data.get("filters") or {}).get("items"):
            body = {"project": project, "data": {**data, **VIEW, "ordering": ordering}}
            ls.request("PATCH", f"/api/dm/views/{view['id']}/", body)


def _repaired_view(ls: LabelStudio, project: Project) -> int:
    views = ls.request("GET", "/api/dm/views/", query={"project": project.id})
    if project.view not in {view["id"] for view in views}:
        project = replace(project, view=_make_view(ls, project.id))
    # The person who sorts or filters the table in the data manager changes what the stream serves.
    serve_by(ls, project.id, BY_SCORE if any(tasks.listed(ls, project.id, page=1)) else WHILE_EMPTY)
    return project.view


def _delete(ls: LabelStudio, project: int) -> None:
    try:
        with ls.errors():
            ls.sdk.projects.delete(id=project)
    except LabelStudioRefused as error:
        if error.status != 404:
            raise
