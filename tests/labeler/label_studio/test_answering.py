"""Answers from Attune's own labelling page, stored by a real Label Studio as the expert who gave them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest

from attune.labeler.label_studio import answering, door, members, queue_tasks
from attune.labeler.label_studio.answering import Given
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.label_studio.labeling_config import write_result
from attune.labeler.label_studio.projects import Project
from attune.labeler.label_studio.queue_tasks import NewTask
from attune.labeler.label_studio.task_address import Address
from attune.models.errors import LabelStudioRefused
from tests.support.fake_label_studio import FakeLabelStudio
from tests.support.services import Services

pytestmark = pytest.mark.services
ANA, BO, PASSWORD = "ana@answers.example", "bo@answers.example", "answers-answers"


@pytest.fixture
def tasks(ls: LabelStudio, project: Project) -> list[Address]:
    """Three questions in the queue of Ana, who is its only member."""
    for email in (ANA, BO):
        door.open_login(ls, email, PASSWORD)
    members.set_members(ls, {project.id: [ANA]})
    made = [NewTask(f"poster-{number}", f"http://127.0.0.1:1/{number}.jpg", number / 10) for number in range(3)]
    return queue_tasks.add(ls, project.id, made, version="order-1")


def given(task: Address, value: str, **other: object) -> Given:
    return Given(str(uuid4()), task.task, task.key, value, 1.25, **other)  # type: ignore[arg-type]


def annotations(ls: LabelStudio, task: Address) -> list[dict[str, object]]:
    """Skips too, which the list of annotations leaves out; the author as an id."""
    found: list[dict[str, object]] = ls.request("GET", f"/api/tasks/{task.task}/")["annotations"]
    return [one | {"completed_by": one["completed_by"]["id"]} for one in found]  # type: ignore[index]


def user(ls: LabelStudio, email: str) -> int:
    with ExpertSession.login(ls.address, email, PASSWORD) as session:
        return int(session._ask("GET", "/api/current-user/whoami")["id"])


def test_an_answer_is_an_annotation_of_the_expert(ls: LabelStudio, tasks: list[Address]) -> None:
    kept = answering.send(ls, ANA, [given(tasks[0], "yes"), given(tasks[1], "skip")])
    assert [one.refused for one in kept] == ["", ""]
    ana = user(ls, ANA)
    for one, task, choices in zip(kept, tasks, (["yes"], []), strict=False):
        (stored,) = annotations(ls, task)
        assert stored["id"] == one.annotation["id"]
        assert stored["completed_by"] == one.annotation["completed_by"] == ana
        assert one.annotation["updated_by"] in {ana, None}
        assert [said["value"]["choices"] for said in stored["result"]] == [choices] * bool(choices)  # type: ignore[attr-defined]
        assert stored["was_cancelled"] is (not choices)
        assert one.data["asset_id"] == task.asset_id


def test_the_times_are_those_that_a_sync_reads_later(ls: LabelStudio, tasks: list[Address]) -> None:
    from attune.labeler.answers.annotation_values import moment

    (kept,) = answering.send(ls, ANA, [given(tasks[0], "yes")])
    (stored,) = annotations(ls, tasks[0])
    for name in ("created_at", "updated_at"):
        assert moment(kept.annotation[name]) == moment(stored[name])


def test_to_send_an_answer_again_changes_nothing(ls: LabelStudio, tasks: list[Address]) -> None:
    one = given(tasks[0], "no")
    first, again = (answering.send(ls, ANA, [one])[0] for _ in range(2))
    assert first.annotation == again.annotation
    assert len(annotations(ls, tasks[0])) == 1


def test_answers_of_two_windows_at_the_same_moment_are_one_annotation(ls: LabelStudio, tasks: list[Address]) -> None:
    for task in tasks:
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda _, one=task: answering.send(ls, ANA, [given(one, "yes")]), range(6)))
    assert [len(annotations(ls, task)) for task in tasks] == [1, 1, 1]


def submit(session: ExpertSession, task: Address, value: str, **more: object) -> dict[str, object]:
    """What Label Studio replies to its own page, which goes on to the next image where that is a new annotation."""
    body = {"result": write_result(value), "was_cancelled": value == "skip", "lead_time": 1.0, "draft_id": 0} | more
    reply = session._session.post(f"{session.address}/api/tasks/{task.task}/annotations", json=body)
    assert reply.status_code == 201, reply.text
    told: dict[str, object] = reply.json()
    return told


def test_a_second_answer_in_label_studios_own_page_corrects_the_first_and_the_page_goes_on(
    ls: LabelStudio, tasks: list[Address]
) -> None:
    """The page was opened before the answer on Attune's page. Refused, it would show no reason and stay for good."""
    with ExpertSession.login(ls.address, ANA, PASSWORD) as session:
        (first,) = answering.send(ls, ANA, [given(tasks[0], "yes")])
        told = submit(session, tasks[0], "neither")
        assert (told["id"], told["was_cancelled"]) == (first.annotation["id"], False)
        assert told["result"] == write_result("neither")
        assert told["lead_time"] == given(tasks[0], "yes").lead_seconds + 1.0, "all looks"
        assert told["completed_by"] == user(ls, ANA)
        assert said(ls, tasks[0]) == "neither"
        skipped = submit(session, tasks[0], "skip")
        assert (skipped["id"], skipped["was_cancelled"]) == (told["id"], True), "the page says that it was skipped"
        assert [one["was_cancelled"] for one in annotations(ls, tasks[0])] == [True]
    late = given(tasks[0], "yes", age=3600.0)
    assert [one.refused for one in answering.send(ls, ANA, [late])] == [answering.SUPERSEDED]


def test_an_answer_in_label_studios_own_page_corrects_a_skip(ls: LabelStudio, tasks: list[Address]) -> None:
    (skipped,) = answering.send(ls, ANA, [given(tasks[0], "skip")])
    name = {"unique_id": str(uuid4())}  # of the page's hold on the task, which its other window has, too
    with ExpertSession.login(ls.address, ANA, PASSWORD) as session:
        assert submit(session, tasks[0], "romance", **name)["id"] == skipped.annotation["id"]
        (stored,) = annotations(ls, tasks[0])
        assert stored["was_cancelled"] is False
        first = submit(session, tasks[1], "skip", **name)
        assert submit(session, tasks[1], "neither", **name)["id"] == first["id"]
    assert [said(ls, task) for task in tasks[:2]] == ["romance", "neither"]


def test_what_was_begun_in_label_studio_does_not_stand_before_the_answer(ls: LabelStudio, tasks: list[Address]) -> None:
    """Its page keeps a choice after some seconds, and would show it for ever where the answer is meant."""
    with ExpertSession.login(ls.address, ANA, PASSWORD) as session:
        for task in tasks:
            session.draft(task.task, "neither")
        answering.send(ls, ANA, [given(tasks[0], "yes"), given(tasks[1], "yes")])
        session.draft(tasks[1].task, "neither")
        session.answer(tasks[1].task, "neither")
        begun = [len(session._ask("GET", f"/api/tasks/{task.task}/")["drafts"]) for task in tasks]
    assert begun == [0, 0, 1]


AT_ONCE = """
import threading
import attune_one_answer, attune_urls
from attune_corrections import ask
from django.db import connections
from tasks.models import Annotation
from tasks.serializers import AnnotationSerializer
from users.models import User
saves, second, go, told = threading.Event(), threading.Event(), threading.Event(), []
class Lock:
    lock = threading.RLock()
    def __enter__(self):
        if saves.is_set():
            second.set()
        self.lock.acquire()
    def __exit__(self, *_):
        self.lock.release()
attune_one_answer.LOCKS = [Lock()]
save = AnnotationSerializer.save
def held(self, **more):
    if saves.is_set():
        second.set()
    else:
        saves.set()
        assert go.wait(30)
    return save(self, **more)
AnnotationSerializer.save = held
def answer(lead_time):
    told.append(ask(User.objects.get(email={email!r}), "post", {task}, {{"result": [], "lead_time": lead_time}}))
    connections.close_all()
both = [threading.Thread(target=answer, args=(one,)) for one in (1.0, 2.0)]
both[0].start()
assert saves.wait(30)
both[1].start()
assert second.wait(30)
go.set()
for one in both:
    one.join()
print(json.dumps([told, Annotation.objects.filter(task={task}).count()]))
"""


def test_two_windows_of_label_studios_own_at_the_same_moment_are_one_annotation(
    ls: LabelStudio, tasks: list[Address], services: Services
) -> None:
    """The second comes while the first is being saved: it waits, and finds an annotation."""
    code = AT_ONCE.format(task=tasks[0].task, email=ANA)
    assert services.inside.run(code, apart=True) == [[201, 201], 1]


def test_a_second_answer_corrects_the_first_in_the_experts_own_name(ls: LabelStudio, tasks: list[Address]) -> None:
    answering.send(ls, ANA, [given(tasks[0], "no")])
    corrected = replace(given(tasks[0], "yes"), lead_seconds=0.5)
    (kept,) = answering.send(ls, ANA, [corrected])
    (stored,) = annotations(ls, tasks[0])
    assert stored["lead_time"] == given(tasks[0], "no").lead_seconds + 0.5, "all looks, as Label Studio's page adds up"
    assert answering.send(ls, ANA, [corrected])[0].annotation == kept.annotation, "once"
    assert stored["result"][0]["value"]["choices"] == ["yes"]  # type: ignore[index]
    assert stored["updated_by"] == stored["completed_by"] == kept.annotation["updated_by"] == user(ls, ANA)


def test_the_looks_of_an_answer_that_was_corrected_before_it_was_sent_are_all_kept_once(
    ls: LabelStudio, tasks: list[Address]
) -> None:
    first = replace(given(tasks[0], "no", is_first=True), lead_seconds=3.0)
    answering.send(ls, ANA, [first])
    on_its_way = replace(first, value="yes", more_seconds=2.0)
    assert answering.send(ls, ANA, [on_its_way])[0].annotation["lead_time"] == 5.0, "not 3 + 5"
    other = replace(given(tasks[1], "no", is_first=True), lead_seconds=3.0, more_seconds=1.0)
    assert answering.send(ls, ANA, [other])[0].annotation["lead_time"] == 4.0


def test_a_tab_that_showed_an_answered_image_as_open_does_not_correct_it(ls: LabelStudio, tasks: list[Address]) -> None:
    first = given(tasks[0], "no", is_first=True)
    answering.send(ls, ANA, [first])
    other = given(tasks[0], "yes", is_first=True)
    assert [one.refused for one in answering.send(ls, ANA, [other])] == [answering.ANSWERED]
    assert answering.send(ls, ANA, [replace(first, value="unsure")])[0].refused == "", "its own tab corrects it"
    (stored,) = annotations(ls, tasks[0])
    assert stored["result"][0]["value"]["choices"] == ["unsure"]  # type: ignore[index]
    assert answering.send(ls, ANA, [replace(other, is_first=False)])[0].refused == "", "and who has seen it"


def test_an_answer_given_in_label_studio_itself_is_corrected_too(ls: LabelStudio, tasks: list[Address]) -> None:
    with ExpertSession.login(ls.address, ANA, PASSWORD) as session:
        first = session.answer(tasks[0].task, "neither")
    (kept,) = answering.send(ls, ANA, [given(tasks[0], "yes")])
    assert kept.annotation["id"] == first


def test_another_key_at_that_id_stores_nothing(ls: LabelStudio, tasks: list[Address]) -> None:
    """Label Studio gives freed ids away: the id alone would put the answer on another image."""
    wrong = Given(str(uuid4()), tasks[0].task, tasks[1].key, "yes", 1.0)
    right = given(tasks[2], "yes")
    assert [one.refused for one in answering.send(ls, ANA, [wrong, right])] == [answering.OTHER, ""]
    assert not annotations(ls, tasks[0])
    assert not annotations(ls, tasks[1])


def test_nobody_answers_in_a_queue_that_is_not_theirs(ls: LabelStudio, tasks: list[Address]) -> None:
    assert [one.refused for one in answering.send(ls, BO, [given(tasks[0], "yes")])] == [answering.OUTSIDE]
    door.end_access(ls, ANA)
    assert [one.refused for one in answering.send(ls, ANA, [given(tasks[0], "yes")])] == [answering.OUTSIDE]
    assert not annotations(ls, tasks[0])


def test_a_task_that_is_gone_is_named(ls: LabelStudio, tasks: list[Address]) -> None:
    ls.sdk.tasks.delete(id=str(tasks[0].task))
    assert [one.refused for one in answering.send(ls, ANA, [given(tasks[0], "yes")])] == [answering.GONE]


def test_no_expert_comes_to_the_address(ls: LabelStudio, tasks: list[Address]) -> None:
    with ExpertSession.login(ls.address, ANA, PASSWORD) as session:
        body = {"email": BO, "answers": []}
        with pytest.raises(LabelStudioRefused) as refused:
            session._ask("POST", answering.ANSWERS, body)
    assert refused.value.status == 403


def test_a_label_studio_without_our_modules_is_named() -> None:
    class Plain(FakeLabelStudio):
        address = "http://label-studio.example"

        def request(self, *_: object, **__: object) -> None:
            raise LabelStudioRefused("Not found.", 404)

    with pytest.raises(LabelStudioRefused, match="modules"):
        answering.send(Plain(), ANA, [])  # type: ignore[arg-type]


def said(ls: LabelStudio, task: Address) -> object:
    (stored,) = annotations(ls, task)
    return stored["result"][0]["value"]["choices"][0]  # type: ignore[index]


def test_an_old_answer_that_comes_late_does_not_take_a_newer_ones_place(ls: LabelStudio, tasks: list[Address]) -> None:
    """Given on a laptop without a connection a day ago; the same image was answered at a desk since."""
    answering.send(ls, ANA, [given(tasks[0], "yes")])
    late = given(tasks[0], "no", age=86_400.0)
    other = given(tasks[1], "no", age=86_400.0)
    assert [one.refused for one in answering.send(ls, ANA, [late, other])] == [answering.SUPERSEDED, ""]
    assert said(ls, tasks[0]) == "yes"
    assert said(ls, tasks[1]) == "no"


def test_ones_own_correction_counts_however_late_the_answer_before_it_was_stored(
    ls: LabelStudio, tasks: list[Address]
) -> None:
    first = given(tasks[0], "no", age=30.0)
    answering.send(ls, ANA, [first])
    corrected = replace(first, value="yes", age=20.0)  # given while the first was on its way
    assert [one.refused for one in answering.send(ls, ANA, [corrected])] == [""]
    assert said(ls, tasks[0]) == "yes"


def test_ones_own_old_correction_does_not_take_a_newer_ones_place(ls: LabelStudio, tasks: list[Address]) -> None:
    first = given(tasks[0], "no", age=90_000.0)
    answering.send(ls, ANA, [first])
    answering.send(ls, ANA, [given(tasks[0], "neither")])
    corrected = replace(first, value="yes", age=86_400.0)
    assert [one.refused for one in answering.send(ls, ANA, [corrected])] == [answering.SUPERSEDED]
    assert [one.refused for one in answering.send(ls, ANA, [replace(corrected, age=60.0)])] == [answering.SUPERSEDED]
    assert said(ls, tasks[0]) == "neither"


def test_a_first_answer_does_not_take_the_place_of_another(ls: LabelStudio, tasks: list[Address]) -> None:
    first = given(tasks[0], "no", is_first=True)
    second = given(tasks[0], "yes", is_first=True)
    assert [one.refused for one in answering.send(ls, ANA, [first, second])] == ["", answering.ANSWERED]
    again = replace(first, value="neither")  # corrected before the page knew that it is stored
    assert [one.refused for one in answering.send(ls, ANA, [again])] == [""]
    assert said(ls, tasks[0]) == "neither"


DIES_BETWEEN = """
import attune_urls
from tasks.models import Annotation, Task
def dies(*_):
    raise KeyboardInterrupt
Annotation.update_task = dies
task = Task.objects.get(pk={task})
left = []
new = Annotation(task=task, project=task.project, result=[])
for act in (new.save, task.annotations.get().delete):
    try:
        act()
    except KeyboardInterrupt:
        left.append(Annotation.objects.filter(task=task).count())
print(json.dumps(left))
"""


def test_label_studio_holds_no_half_an_answer(ls: LabelStudio, tasks: list[Address], services: Services) -> None:
    """It would commit an annotation before its task's time and numbers: a kill in between leaves both, or neither."""
    answering.send(ls, ANA, [given(tasks[0], "yes")])
    assert services.inside.run(DIES_BETWEEN.format(task=tasks[0].task), apart=True) == [1, 1]


BROUGHT_BACK = """
import attune_urls
from django.http import Http404
from tasks.models import Annotation
correction = Annotation.objects.get(task={task})
Annotation.objects.get(task={task}).delete()
correction.result = []
try:
    correction.save()
except Http404:
    pass
print(json.dumps(Annotation.objects.filter(task={task}).count()))
"""


def test_a_correction_on_its_way_does_not_bring_a_deleted_answer_back(
    ls: LabelStudio, tasks: list[Address], services: Services
) -> None:
    """It had read the answer before that was deleted. Django adds what it cannot change."""
    answering.send(ls, ANA, [given(tasks[0], "yes")])
    assert services.inside.run(BROUGHT_BACK.format(task=tasks[0].task), apart=True) == 0
