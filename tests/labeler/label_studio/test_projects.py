"""Projects, people and the connection, on a real Label Studio."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attune.labeler.label_studio import LabelStudio, accounts, local, logins, projects, queue_tasks, webhooks
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.label_studio.local import reset_password
from attune.labeler.label_studio.projects import Project
from attune.labeler.label_studio.queue_tasks import NewTask
from attune.labeler.settings import Settings
from attune.models.errors import DataError, LabelStudioRefused, LabelStudioUnreachable, ServiceDown, SettingsError
from tests.support.services import EMAIL, PASSWORD, Receiver, Services

pytestmark = [pytest.mark.services, pytest.mark.slow]


def test_a_title_too_long_or_short_is_made_to_fit(ls: LabelStudio) -> None:
    for title in ("x", "a very long attribute name · a.very.long.address@example.org"):
        made = projects.create(ls, title, "Q?", ["a", "b"], "", "http://127.0.0.1:1/", "s")
        assert made.view
        assert made.webhook
        projects.delete(ls, made)


def test_a_project_that_cannot_have_its_webhook_is_not_left_behind(ls: LabelStudio) -> None:
    before = ls.request("GET", "/api/projects", query={"page_size": 1})["count"]
    with pytest.raises(LabelStudioRefused, match="valid URL"):
        projects.create(ls, "no hook", "Q?", ["a", "b"], "", "http://web:8700/hook", "s")
    assert ls.request("GET", "/api/projects", query={"page_size": 1})["count"] == before


def test_classes_are_checked_before_anything_is_made(ls: LabelStudio, project: Project) -> None:
    with pytest.raises(DataError, match="'skip' cannot be a class"):
        projects.create(ls, "bad", "Q?", ["a", "skip"], "", "http://127.0.0.1:1/", "s")
    with pytest.raises(DataError, match="a class twice"):
        projects.update(ls, project, "Q?", ["a", "a"], "")


def test_answers_reach_the_webhook_with_the_secret(
    ls: LabelStudio, project: Project, receiver: Receiver, expert: ExpertSession
) -> None:
    (task,) = [
        one.task for one in queue_tasks.add(ls, project.id, [NewTask("a", "http://127.0.0.1:1/a.jpg", 0.1)], "run-1")
    ]
    annotation = expert.answer(task, "romance", lead_time=2.5)
    expert.edit(annotation, "neither")
    expert.draft(task, "romance")
    expert.delete(annotation)
    assert [(action, secret) for action, secret, _ in receiver.got] == [
        ("ANNOTATION_CREATED", "the-secret"),
        ("ANNOTATION_UPDATED", "the-secret"),
        ("ANNOTATIONS_DELETED", "the-secret"),
    ]
    assert [body for _, _, body in receiver.got] == [{"action": action} for action, _, _ in receiver.got], (
        "no answer and no image's address leaves Label Studio"
    )


def test_a_hook_or_view_that_people_broke_is_mended(
    ls: LabelStudio, project: Project, receiver: Receiver, expert: ExpertSession
) -> None:
    assert projects.repair(ls, project, receiver.url, "the-secret") == project
    ls.request("PATCH", f"/api/webhooks/{project.webhook}/", {"url": receiver.url})  # this empties its actions
    ls.request("DELETE", f"/api/dm/views/{project.view}/")
    mended = projects.repair(ls, project, receiver.url, "another-secret")
    assert mended.view != project.view
    (task,) = [
        one.task for one in queue_tasks.add(ls, project.id, [NewTask("a", "http://127.0.0.1:1/a.jpg", 0.1)], "run-1")
    ]
    expert.answer(task, "romance")
    assert [secret for _, secret, _ in receiver.got] == ["another-secret"]


def test_a_webhook_that_sends_answers_along_is_mended(
    ls: LabelStudio, project: Project, receiver: Receiver, expert: ExpertSession
) -> None:
    """As all were made before webhooks were only hints."""
    with ls.errors():
        ls.sdk.webhooks.delete(id=project.webhook)
        old = ls.sdk.webhooks.create(
            url=receiver.url, project=project.id, send_payload=True, send_for_all_actions=False, is_active=True,
            actions=list(webhooks.ACTIONS), headers={webhooks.SECRET_HEADER: "the-secret"},
        )  # fmt: skip
    before = replace(project, webhook=old.id)
    assert not webhooks.calls(ls, before.id, before.webhook, receiver.url, "the-secret")
    mended = projects.repair(ls, before, receiver.url, "the-secret")
    assert webhooks.calls(ls, mended.id, mended.webhook, receiver.url, "the-secret")
    (task,) = [
        one.task for one in queue_tasks.add(ls, project.id, [NewTask("a", "http://127.0.0.1:1/a.jpg", 0.1)], "run-1")
    ]
    expert.answer(task, "romance")
    assert [body for _, _, body in receiver.got] == [{"action": "ANNOTATION_CREATED"}]


def test_a_table_that_somebody_sorted_serves_the_queues_order_again(
    ls: LabelStudio, project: Project, receiver: Receiver, expert: ExpertSession
) -> None:
    new = [NewTask(f"asset-{n}", "http://127.0.0.1:1/x.jpg", -n) for n in range(3)]
    ids = [one.task for one in queue_tasks.add(ls, project.id, new, "run-1")]
    sorted_by_hand = {**projects.VIEW, "ordering": ["tasks:id"]}
    ls.request("PATCH", f"/api/dm/views/{project.view}/", {"project": project.id, "data": sorted_by_hand})
    assert projects.repair(ls, project, receiver.url, "the-secret") == project
    task = expert.next_task(project.id)
    assert task is not None
    assert task["id"] == ids[2]


def test_the_question_and_classes_can_change(ls: LabelStudio, project: Project) -> None:
    projects.update(ls, project, "In love?", ["yes", "no"], "<p>new</p>")
    found = ls.request("GET", f"/api/projects/{project.id}/")
    assert "In love?" in found["label_config"]
    assert found["expert_instruction"] == "<p>new</p>"


def test_the_link_names_the_view_and_the_address_of_browsers(live: Settings) -> None:
    public = replace(live, label_studio_public_url="https://labels.example.org")
    assert projects.labelling_url(public, 7, 9) == "https://labels.example.org/projects/7/data?tab=9&labeling=1"


def test_a_person_is_made_once_whatever_the_case_of_the_address(ls: LabelStudio, live: Settings) -> None:
    made = logins.ensure_user(ls, "Berta@example.org", PASSWORD)
    assert logins.ensure_user(ls, "berta@EXAMPLE.org", "another-password") == made
    ExpertSession.login(live.label_studio_address, "berta@example.org", PASSWORD).close()


@pytest.mark.parametrize(
    ("email", "password", "error", "words"),
    [
        ("nobody", PASSWORD, LabelStudioRefused, "Enter a valid email address"),
        ("carl@example.org", "short", SettingsError, "5 characters.*at least 8"),
    ],
)
def test_a_person_who_cannot_be_made_is_told_why(
    ls: LabelStudio, email: str, password: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        logins.ensure_user(ls, email, password)


def test_a_wrong_password_is_told(expert: ExpertSession, live: Settings) -> None:
    with pytest.raises(LabelStudioRefused, match=f"refused the login of {EMAIL}"):
        ExpertSession.login(live.label_studio_address, EMAIL, "wrong-password")


def test_a_password_is_changed_where_label_studio_is_ours(ls: LabelStudio, services: Services) -> None:
    email = "forgetful@example.org"
    logins.ensure_user(ls, email, PASSWORD)
    reset_password(services.settings, email, "another-password")
    ExpertSession.login(services.settings.label_studio_address, email, "another-password").close()


def test_a_password_is_not_changed_elsewhere_nor_for_a_stranger(
    live: Settings, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="label-studio reset_password"):
        reset_password(live, EMAIL, PASSWORD)
    # What the script says is asked where Label Studio is loaded already; the test above starts it.
    code = "import attune_logins; print(json.dumps(attune_logins.change('nobody@example.org', 'another-password')))"
    said = services.inside.run(code)
    monkeypatch.setattr(local, "_change", lambda *_: said)
    with pytest.raises(ServiceDown, match=r"nobody@example\.org was not changed: .*not found"):
        reset_password(services.settings, "nobody@example.org", PASSWORD)


def test_errors_say_what_to_do_and_never_the_token(live: Settings) -> None:
    wrong = "f" * 40
    with pytest.raises(LabelStudioRefused, match="ATTUNE_LABEL_STUDIO_TOKEN") as refused:
        LabelStudio(live.label_studio_address, wrong).me()
    assert refused.value.status == 401
    with pytest.raises(LabelStudioUnreachable, match=r"does not answer at http://127\.0\.0\.1:9") as unreachable:
        LabelStudio("http://127.0.0.1:9", wrong).version()
    with pytest.raises(LabelStudioUnreachable, match="attune up"):
        accounts.find_user(LabelStudio("http://127.0.0.1:9", wrong), EMAIL)
    assert wrong not in str(refused.value) + str(unreachable.value)


def test_an_unknown_path_is_told_without_the_whole_page_of_html(ls: LabelStudio) -> None:
    with pytest.raises(LabelStudioRefused) as caught:
        ls.request("GET", "/api/nothing-of-that-name")
    assert "<" not in str(caught.value)
    assert caught.value.status == 404
