"""A page of images in Label Studio that is answered at once: a tick on every image of one class.

The images are the choices themselves: they wrap into a grid, each may be clicked or pressed by its key, and the
browser shows them as plain images, so their addresses need no permission from another origin.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from attune.labeler.label_studio import projects, tasks
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.projects import Project
from attune.labeler.label_studio.task_address import KEY, Address
from attune.models.errors import LabelStudioRefused, UnknownAnnotationShape

CONTROL, OBJECT = "ticked", "page"
UNSURE, LEFT = "unsure", "left"  # the controls for doubts, and for images that could not be shown
WIDTH, HEIGHT = 168, 176  # pixels of one image: five in a row, and sixteen on a large screen
# Beside the keys that Label Studio's page takes for itself.
CONFIG = (
    f'<View><Header value="$head"/><Text name="{OBJECT}" value="$about"/>'
    f'<Choices name="{CONTROL}" toName="{OBJECT}" choice="multiple" value="$images" layout="inline"/>'
    # Pages of before doubts have none in their data: Label Studio then shows none.
    f'<Choices name="{UNSURE}" toName="{OBJECT}" choice="multiple" value="$doubts" layout="inline"/>'
    f'<Choices name="{LEFT}" toName="{OBJECT}" choice="multiple" value="$left" layout="inline"/></View>'
)


@dataclass(frozen=True)
class Ticks:
    """What an answer says of a page's images, by their keys; the others have no tick.

    ``left`` are those that could not be shown: nothing is said of them.
    """

    ticked: frozenset[int]
    unsure: frozenset[int] = frozenset()
    left: frozenset[int] = frozenset()


def create(
    ls: LabelStudio, title: str, instruction_html: str, webhook_url: str, webhook_secret: str, mark: str = ""
) -> Project:
    """Make an empty project for pages, served in the order they were made. Nothing is left where a step fails."""
    with ls.errors():
        project = ls.sdk.projects.create(
            title=projects.clipped(title),
            description=mark,
            label_config=CONFIG,
            sampling="Sequential sampling",
            maximum_annotations=1,
            show_collab_predictions=False,
            enable_empty_annotation=True,  # a page without a tick is an answer: none of these
            skip_queue="IGNORE_SKIPPED",
            expert_instruction=instruction_html,
            show_instruction=bool(instruction_html),
        )
    return projects.furnish(ls, int(project.id or 0), webhook_url, webhook_secret)


def page_data(question: str, ticked: str, unticked: str | None, images: Sequence[tuple[int, str]]) -> dict[str, Any]:
    """The data of a page's task: ``images`` are (key, signed address) in the order shown."""
    rest = f"Images without a tick count as “{unticked}”." if unticked else "Images without a tick get no answer."
    return {
        "head": f"Tick every image that is “{ticked}”",
        "about": f"{question} {rest} If there is none, submit without a tick. If you cannot decide, skip the page.",
        "ticked": ticked,
        "unticked": unticked,
        "images": [{"value": choice(key), "html": _picture(address)} for key, address in images],
        "doubts": [
            {"value": choice(key), "html": f"unsure about image {number}"}
            for number, (key, _) in enumerate(images, start=1)
        ],
        "left": [],  # its own page shows every image
    }


def choice(key: int) -> str:
    """What stands for an image in an answer."""
    return f"image-{key}"


def keys_of(data: Mapping[str, Any]) -> list[int]:
    """The images' keys of a page, from its task's data. Raises UnknownAnnotationShape where it is no page of ours."""
    try:
        return [int(str(one["value"]).removeprefix("image-")) for one in data["images"]]
    except (KeyError, TypeError, ValueError) as error:
        raise UnknownAnnotationShape(
            "A task of a page has no list of images. Expected `images` with a value each. Was the task made by "
            "hand in Label Studio?"
        ) from error


def _picture(address: str) -> str:
    style = f"width:{WIDTH}px;height:{HEIGHT}px;object-fit:contain;background:#0001;border-radius:6px;display:block"
    return f'<img src="{escape(address, quote=True)}" alt="" style="{style}">'


def read_ticks(annotation: Mapping[str, Any], keys: Sequence[int]) -> Ticks | None:
    """What an answer says of the images ``keys`` of its page; None for a page that was skipped.

    A doubt goes before a tick on the same image. Raises UnknownAnnotationShape where the answer holds anything else
    than choices of images of the page.
    """
    if annotation.get("was_cancelled"):
        return None
    result = annotation.get("result") or []
    keys_by_choice = {choice(key): key for key in keys}
    try:
        chosen = {
            control: frozenset(
                keys_by_choice[name]
                for item in result
                if item["from_name"] == control
                for name in item["value"]["choices"]
            )
            for control in (CONTROL, UNSURE, LEFT)
        }
    except (KeyError, TypeError) as error:
        raise UnknownAnnotationShape(
            f"Annotation {annotation.get('id')} contains {str(result)[:200]}. Expected ticks on the images of "
            "its page. Was the project or the answer edited by hand in Label Studio?"
        ) from error
    unsure = chosen[UNSURE] - chosen[LEFT]
    return Ticks(chosen[CONTROL] - unsure - chosen[LEFT], unsure, chosen[LEFT])


def write_ticks(
    ticked: Collection[int], unsure: Collection[int] = (), left: Collection[int] = ()
) -> list[dict[str, Any]]:
    """The result list that a page makes for images by their keys; an empty one where none is ticked, unsure or left."""
    return [
        {
            "from_name": control,
            "to_name": OBJECT,
            "type": "choices",
            "value": {"choices": [choice(key) for key in keys]},
        }
        for control, keys in ((CONTROL, ticked), (UNSURE, unsure), (LEFT, left))
        if keys
    ]


def configure(ls: LabelStudio, project: int) -> None:
    """Give a project made by an older version of Attune the controls of today. Raises LabelStudioRefused."""
    ls.request("PATCH", f"/api/projects/{project}/", {"label_config": CONFIG})


def add(ls: LabelStudio, project: int, data: Mapping[str, Any], key: str) -> int:
    """Put a page known by ``key`` into the project; its task's id."""
    request = [{"data": {**data, KEY: key}}]
    with ls.errors():
        reply = ls.sdk.projects.import_tasks(id=project, request=request, return_task_ids=True)
    ids = list(reply.task_ids or ())
    if len(ids) != 1:
        raise LabelStudioRefused(
            f"Label Studio made {len(ids)} tasks of one page in project {project} (expected: 1). To read all tasks "
            "again: `attune sync --all`"
        )
    return int(ids[0])


def renew(ls: LabelStudio, project: int, pages: Mapping[Address, Mapping[str, Any]]) -> list[int]:
    """Give pages their data again, as their images' addresses ran out; the ids of those that are still there.

    An id that was given to another page is left alone.
    """
    task_ids = [one.task for one in pages]
    rows = {row["id"]: row["data"] for row in tasks.listed(ls, project, ids=task_ids, page=1000)} if pages else {}
    there = [one for one in pages if one.task in rows and one.is_at(rows[one.task])]
    for one in there:
        ls.request("PATCH", f"/api/tasks/{one.task}/", {"data": {**pages[one], KEY: one.key}})
    return [one.task for one in there]
