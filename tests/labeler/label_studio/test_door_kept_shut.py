"""What an expert, a leaver or anybody with an old token has tried on Label Studio, and what comes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode

import pytest
import requests

from attune.labeler.label_studio import accounts, client, door, local, projects
from attune.labeler.label_studio.client import LabelStudio
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.label_studio.logins import submit
from attune.labeler.label_studio.projects import Project
from attune.labeler.label_studio.queue_tasks import NewTask, add
from attune.models.errors import LabelStudioRefused
from tests.labeler.label_studio.crowd import MINE, OTHERS, Holding, ask, holding, tokens
from tests.support.services import PASSWORD, Receiver, Services

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]
LEAVER = "gone@example.org"


@pytest.fixture(scope="module")
def ls(services: Services) -> Iterator[LabelStudio]:
    with LabelStudio(services.settings.label_studio_address, services.token) as made:
        yield made


@pytest.fixture(scope="module")
def mine(services: Services, ls: LabelStudio) -> Iterator[Holding]:
    made = holding(ls, MINE, f"http://127.0.0.1:{services.settings.web_port}/hook")
    yield made
    made.session.close()


@pytest.fixture(scope="module")
def others(services: Services, ls: LabelStudio) -> Iterator[Holding]:
    made = holding(ls, OTHERS, f"http://127.0.0.1:{services.settings.web_port}/hook")
    yield made
    made.session.close()


def status(one: Holding | None, ls: LabelStudio, method: str, path: str, body: object = None, **more: object) -> int:
    session = None if one is None else one.session._session
    return ask(ls.address, session, method, path, body, **more).status_code


def test_a_kept_invitation_lets_nobody_in(ls: LabelStudio) -> None:
    link = ls.request("GET", "/api/invite")["invite_url"]
    with requests.Session() as session:
        with pytest.raises(LabelStudioRefused, match="has no form"):
            submit(session, ls.address + link, {"email": "back@example.org", "password": PASSWORD})
        session.cookies.set("csrftoken", "a" * 32)
        forged = {"email": "back@example.org", "password": PASSWORD, "csrfmiddlewaretoken": "a" * 32}
        reply = session.post(ls.address + link, data=forged, headers={"Referer": ls.address}, allow_redirects=False)
    assert reply.status_code == 403
    assert accounts.find_user(ls, "back@example.org") is None


def test_an_expert_reads_neither_the_webhooks_secret_nor_the_invitation(ls: LabelStudio, mine: Holding) -> None:
    for path in ("/api/webhooks/", f"/api/webhooks/{mine.ids['webhook']}/", "/api/invite", "/api/webhooks"):
        reply = ask(ls.address, mine.session._session, "GET", path)
        assert reply.status_code == 403, path
        assert "the-secret" not in reply.text
        assert "token=" not in reply.text


def test_an_expert_switches_no_tokens_off(ls: LabelStudio, mine: Holding) -> None:
    off = {"api_tokens_enabled": False, "legacy_api_tokens_enabled": False}
    assert status(mine, ls, "POST", "/api/jwt/settings", off) == 403
    assert ls.me()["email"]


def test_an_expert_makes_no_storage_and_no_import(ls: LabelStudio, mine: Holding) -> None:
    storage = {"project": mine.ids["project"], "bucket": "any", "aws_access_key_id": "", "aws_secret_access_key": ""}
    assert status(mine, ls, "POST", "/api/storages/s3", storage) == 403
    wanted = {"url": f"{ls.address}/health"}
    assert status(mine, ls, "POST", f"/api/projects/{mine.ids['project']}/import", wanted) == 403


def test_behind_tls_the_browsers_origin_is_known(services: Services) -> None:
    public = replace(services.settings, label_studio_public_url="https://label.example.org:444/studio")
    assert local.environment(public)["CSRF_TRUSTED_ORIGINS"] == "https://label.example.org:444"
    assert "CSRF_TRUSTED_ORIGINS" not in local.environment(services.settings)


def test_label_studio_sees_few_of_the_operators_variables(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "GOOGLE_APPLICATION_CREDENTIALS", "AZURE_BLOB_ACCOUNT_KEY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "the-operators")
    for name in ("LABEL_STUDIO_DEBUG", "POSTGRE_PASSWORD", "SECRET_KEY", "OPENAI_API_KEY", "REDIS_URL"):
        monkeypatch.setenv(name, "the-operators")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    made = local.environment(services.settings)
    assert "the-operators" not in made.values()
    assert made["LC_ALL"] == "C.UTF-8"
    assert "PATH" in made


def test_even_the_administrator_makes_label_studio_call_nobody(
    ls: LabelStudio, mine: Holding, services: Services, receiver: Receiver
) -> None:
    """The console's own server runs at the allowed address, and another one beside it at a port that is not."""
    before = len(ls.request("GET", "/api/tasks", query={"project": mine.ids["project"]})["tasks"])
    redis = f"http://127.0.0.1:{services.settings.redis_port}/"
    for url in (f"{ls.address}/api/version", redis, "http://169.254.169.254/latest/meta-data/", "http://localhost:9/x"):
        with pytest.raises(LabelStudioRefused):
            ls.request("POST", f"/api/projects/{mine.ids['project']}/import", {"url": url})
    after = ls.request("GET", "/api/tasks", query={"project": mine.ids["project"]})["tasks"]
    assert len(after) == before
    refused = services.inside.run(
        f"""
import socket, urllib.request, attune_calls
attune_calls.limit()
def tried(what):
    try:
        what()
    except PermissionError:
        return "refused"
    except OSError as error:
        return type(error).__name__
    return "done"
print(json.dumps([
    tried(lambda: socket.create_connection(("127.0.0.1", {services.settings.redis_port}), 2)),
    tried(lambda: socket.getaddrinfo("example.org", 80)),
    tried(lambda: socket.socket(socket.AF_UNIX).connect("/tmp/none.sock")),
    tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 53))),
    tried(lambda: socket.create_connection(("127.0.0.1", {services.settings.web_port}), 2)),
]))
""",
        apart=True,
    )
    assert refused == ["refused", "refused", "refused", "refused", "done"]


def test_the_webhook_is_called(ls: LabelStudio, mine: Holding, receiver: Receiver) -> None:
    answer = mine.session.answer(mine.ids["open_task"], "neither")
    assert [action for action, _, _ in receiver.got] == ["ANNOTATION_CREATED"]
    mine.session.delete(answer)  # others answer it, too, and a person has one answer to an image


@pytest.mark.parametrize("way", ["end", "new password"])
def test_old_sessions_and_tokens_end_and_stay_ended(services: Services, ls: LabelStudio, way: str) -> None:
    gone = holding(ls, LEAVER, f"http://127.0.0.1:{services.settings.web_port}/hook")
    kept = tokens(services, LEAVER)
    path = f"/api/tasks/{gone.ids['task']}/"
    assert status(gone, ls, "GET", path) == 200
    if way == "end":
        told = door.end_access(ls, LEAVER)
        assert told.still_open == ()
        assert {"the login", "1 session", "1 token", "membership of 1 queue"} <= set(told.ended)
        assert door.end_access(ls, LEAVER) == door.Ended((), ()), "what ended before is not counted again"
        assert status(gone, ls, "GET", path) == 401
        with pytest.raises(LabelStudioRefused, match="refused the login"):
            ExpertSession.login(ls.address, LEAVER, PASSWORD)
        assert accounts.find_user(ls, LEAVER) == gone.ids["user"], "the answers keep their author"
    assert door.open_login(ls, LEAVER, "another-long-password") == gone.ids["user"]
    assert status(gone, ls, "GET", path) == 401
    for header in (f"Token {kept['legacy']}", f"Bearer {kept['access']}"):
        assert status(None, ls, "GET", path, headers={"Authorization": header}) in {401, 403}
    assert status(None, ls, "POST", "/api/token/refresh/", {"refresh": kept["refresh"]}) in {401, 403}
    alive = services.inside.run(
        f"""
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt.exceptions import TokenError
from jwt_auth.models import LSAPIToken
def works(token):
    try:
        LSAPIToken(token).check_blacklist()
    except TokenError:
        return False
    return True
print(json.dumps([Token.objects.filter(key={kept["legacy"]!r}).exists(), works({kept["refresh"]!r})]))
""",
    )
    assert alive == [False, False]
    with ExpertSession.login(ls.address, LEAVER, "another-long-password") as back:
        wanted = 403 if way == "end" else 200  # the queue's membership comes back with the queue, by Attune
        assert ask(ls.address, back._session, "GET", path).status_code == wanted


def test_logging_out_ends_a_copied_cookie(ls: LabelStudio, mine: Holding) -> None:
    with ExpertSession.login(ls.address, MINE, PASSWORD) as first, requests.Session() as copy:
        copy.cookies.update(first._session.cookies)
        path = f"/api/tasks/{mine.ids['task']}/"
        assert ask(ls.address, copy, "GET", path).status_code == 200
        ask(ls.address, first._session, "GET", "/logout")
        assert ask(ls.address, copy, "GET", path).status_code == 401


def test_no_credential_beside_a_session_changes_who_asks(
    services: Services, ls: LabelStudio, mine: Holding, others: Holding
) -> None:
    assert others.ids["user"] != mine.ids["user"]
    kept = tokens(services, OTHERS)
    path = f"/api/tasks/{mine.ids['task']}/"
    for headers, wanted in [
        ({"Authorization": "Token " + "f" * 40}, 401),
        ({"Authorization": "Token"}, 401),
        ({"Authorization": "Bearer nonsense"}, 401),
        ({"X-Api-Key": "f" * 40}, 401),
        ({"Authorization": f"Token {kept['legacy']}"}, 403),
        ({"X-Api-Key": kept["legacy"]}, 403),
        ({"Authorization": f"Bearer {kept['access']}"}, 403),
        ({"Authorization": "Basic YTpi"}, 200),  # a proxy's: read by nobody
    ]:
        assert status(mine, ls, "GET", path, headers=headers) == wanted, headers
    administrator = {"Authorization": f"Token {services.token}"}
    reply = ask(ls.address, mine.session._session, "GET", "/api/current-user/whoami", headers=administrator)
    assert reply.json()["email"] == services.settings.label_studio_email
    assert status(mine, ls, "GET", "/api/current-user/whoami") == 200


@pytest.mark.filterwarnings("ignore:The `parse_obj` method")  # of the SDK, which exchanges the token
def test_the_administrators_personal_token_works_and_nobody_elses(
    services: Services, ls: LabelStudio, mine: Holding
) -> None:
    assert mine.ids["user"]
    own = tokens(services, services.settings.label_studio_email)["refresh"]
    with LabelStudio(ls.address, own) as by_personal_token:
        assert by_personal_token.me()["email"] == services.settings.label_studio_email
    with pytest.raises(LabelStudioRefused, match="Only the admin's token"):
        LabelStudio(ls.address, tokens(services, MINE)["refresh"]).me()
    for spelling in ("Bearer {}", "Bearer\t{}", "bearer  {}"):
        header = {"Authorization": spelling.format(tokens(services, MINE)["access"])}
        assert status(None, ls, "GET", f"/api/projects/{mine.ids['project']}/", headers=header) in {401, 403}, spelling


@pytest.mark.parametrize(
    "path",
    [
        "//api/webhooks/",
        "/api//webhooks/",
        "/api/webhooks/?format=json",
        "/api/%77ebhooks/",
        "/API/webhooks/",
        "/api/webhooks/%2e%2e/webhooks/",
        "/static/../api/webhooks/",
        "/health/../api/webhooks/",
        "/api/webhooks/health/",
        "/admin/",
        "/admin/login/",
        "/django-rq/",
        "/docs/api/schema/json/",
        "/people/",
    ],
)
def test_no_spelling_of_an_address_opens_what_is_shut(ls: LabelStudio, mine: Holding, path: str) -> None:
    made = requests.Request("GET", ls.address, cookies=mine.session._session.cookies.get_dict()).prepare()
    made.url = ls.address + path  # as it stands: the library would tidy it up
    with requests.Session() as session:
        reply = session.send(made, allow_redirects=False, timeout=30)
    assert reply.status_code in {400, 403, 404} or reply.text == '{"status": "UP"}', reply.text[:300]
    assert "the-secret" not in reply.text


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_no_header_changes_the_method(ls: LabelStudio, mine: Holding, header: str) -> None:
    path = f"/api/projects/{mine.ids['project']}/"
    assert status(mine, ls, "GET", path, headers={header: "DELETE"}) == 200
    assert status(mine, ls, "POST", path + "?_method=DELETE", {"_method": "DELETE"}, headers={header: "DELETE"}) == 403
    assert status(mine, ls, "GET", path) == 200


def test_nobody_answers_as_somebody_else(ls: LabelStudio, mine: Holding, others: Holding) -> None:
    path, answer = f"/api/tasks/{mine.ids['task']}/annotations/", {"result": [], "lead_time": 1.0}
    for field in ({"completed_by": others.ids["user"]}, {"task": others.ids["task"]}, {"ground_truth": True}):
        assert status(mine, ls, "POST", path, answer | field) == 403, field
    assert status(mine, ls, "POST", path, answer | {"project": others.ids["project"]}) == 403
    assert status(mine, ls, "POST", path, answer | {"draft_id": others.ids["draft"]}) == 403
    theirs = f"/api/annotations/{others.ids['annotation']}/"
    for method in ("GET", "PATCH", "DELETE"):
        assert status(mine, ls, method, theirs, answer) == 403
    own = f"/api/annotations/{mine.ids['annotation']}/"
    for field in ({"completed_by": others.ids["user"]}, {"task": others.ids["task"]}, {"ground_truth": True}):
        assert status(mine, ls, "PATCH", own, answer | field) == 403, field
    silent = {"updated_by": others.ids["user"], "last_created_by": others.ids["user"], "import_id": 1}
    reply = ask(ls.address, mine.session._session, "PATCH", own, answer | silent | {"parent_annotation": 1})
    assert reply.status_code == 200
    kept = ls.request("GET", own)
    assert (kept["completed_by"], kept["updated_by"]) == (mine.ids["user"], mine.ids["user"])
    assert (kept["parent_annotation"], kept["import_id"]) == (None, None)


@pytest.mark.parametrize(
    ("kind", "encode"),
    [
        ("application/json; charset=utf-16", lambda text: text.encode("utf-16")),
        ("application/json; charset=utf-7", lambda text: text.encode("utf-7")),
        ("application/x-www-form-urlencoded", lambda text: urlencode(json.loads(text)).encode()),
        ("text/plain", lambda text: text.encode()),
    ],
)
def test_a_body_in_another_coat_says_nothing_else(
    ls: LabelStudio, mine: Holding, others: Holding, kind: str, encode: object
) -> None:
    wish = json.dumps({"result": [], "lead_time": 1.0, "completed_by": others.ids["user"]})
    session = mine.session._session
    path = f"{ls.address}/api/tasks/{mine.ids['task']}/annotations/"
    reply = session.post(path, data=encode(wish), headers={"Content-Type": kind}, timeout=60)  # type: ignore[operator]
    assert reply.status_code in {400, 403}, reply.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_no_other_page_answers_with_ones_session(ls: LabelStudio, mine: Holding, headers: dict[str, str]) -> None:
    path = f"/api/tasks/{mine.ids['task']}/annotations/"
    before = ls.request("GET", f"/api/tasks/{mine.ids['task']}/")["annotations"]
    assert status(mine, ls, "POST", path, {"result": []}, headers=headers) == 403
    assert ls.request("GET", f"/api/tasks/{mine.ids['task']}/")["annotations"] == before
    draft = f"/api/tasks/{mine.ids['task']}/drafts"
    own = {"Origin": ls.address, "Sec-Fetch-Site": "same-origin"}
    assert status(mine, ls, "POST", draft, {"result": []}, headers=own) == 201


PART = {"from_name": "label", "to_name": "image", "type": "choices", "value": {"choices": ["romance"]}}


def nested(levels: int) -> list[object]:
    """Lists in lists."""
    made: list[object] = []
    for _ in range(levels):
        made = [made]
    return made


@pytest.mark.parametrize("work", ["annotations/", "drafts"])
@pytest.mark.parametrize(
    "odd",
    [
        {"lead_time": 1e308},
        {"lead_time": -1.0},
        {"result": [1]},
        {"result": [{"id": "\\ud800", "type": "choices"}]},
        {"result": [{"id": "\0", "type": "choices"}]},
        {"result": [{"value": 10**400}]},
        {"result": [{"value": nested(500)}]},
        {"result": [{"value": nested(20)}]},
        {"result": [{}] * 1000},
        {"result": [{"id": "x" * 100_000}]},
        {"result": [PART | {"from_name": ["label"]}]},
        {"result": [PART | {"to_name": {"a": 1}}]},
        {"result": [PART | {"type": ["choices"]}]},
        {"result": [PART | {"value": ["yes"]}]},
        {"result": [PART | {"value": {"choices": "yes"}}]},
        {"result": [PART | {"from_name": "zzz"}]},
        {"result": [PART, PART | {"to_name": "zzz"}]},
        {"result": [PART | {"type": "textarea"}]},
        {"result": [PART | {"value": {"choices": ["zzz"]}}]},
        {"result": [{"value": {"choices": ["romance"]}}]},
        {"result": [PART | {"value": {"choices": [{"a": 1}]}}]},
        {"result": [{"type": "choices", "from_name": "label", "to_name": "image"}]},
    ],
)
def test_an_answer_that_breaks_every_list_is_not_taken(
    ls: LabelStudio, mine: Holding, odd: dict[str, object], work: str
) -> None:
    """Of those that were stored, each kept Attune from reading anything more of that expert's."""
    path = f"{ls.address}/api/tasks/{mine.ids['task']}/{work}"
    text = json.dumps({"result": [], "lead_time": 1.0} | odd).replace("\\\\", "\\")
    headers = {"Content-Type": "application/json"}
    assert mine.session._session.post(path, data=text, headers=headers, timeout=60).status_code in {400, 413}
    assert ls.request("GET", f"/api/tasks/{mine.ids['task']}/")["id"] == mine.ids["task"]
    told = ls.request("GET", "/api/tasks", query={"project": mine.ids["project"], "fields": "all"})
    assert told["total"] == 5


def test_no_answer_of_an_expert_keeps_the_question_from_changing(ls: LabelStudio, mine: Holding) -> None:
    """One answer of an odd control was enough: Label Studio then refused each new question, and the others' with it."""
    path = f"/api/tasks/{mine.ids['open_task']}/annotations/"
    assert status(mine, ls, "POST", path, {"result": [PART | {"from_name": "zzz"}], "lead_time": 1.0}) == 400
    own = f"/api/annotations/{mine.ids['annotation']}/"
    assert status(mine, ls, "PATCH", own, {"result": [PART | {"to_name": "zzz"}]}) == 400
    draft = f"/api/drafts/{mine.ids['draft']}/"
    assert status(mine, ls, "PATCH", draft, {"result": [PART | {"from_name": "zzz"}]}) == 400
    project = Project(mine.ids["project"], mine.ids["view"], mine.ids["webhook"])
    projects.update(ls, project, "Tender?", ["love", "neither"], "")
    stale = {"result": [PART], "lead_time": 1.0}
    assert status(mine, ls, "POST", path, stale) == 400, "a page of before asks for a class that is gone"
    projects.update(ls, project, "Romantic?", ["romance", "neither"], "")


@pytest.mark.parametrize("work", ["annotations/", "drafts"])
def test_an_answer_begun_before_its_task_was_made_is_about_another_image(
    ls: LabelStudio, mine: Holding, work: str
) -> None:
    """The task's id was another's when the page was opened, say before a copy of the database was put back."""
    (new,) = add(ls, mine.ids["project"], [NewTask(f"new-{work}", "http://127.0.0.1/new.png", 0.9)])
    path, answer = f"/api/tasks/{new.task}/{work}", {"result": [PART]}
    refused = ask(ls.address, mine.session._session, "POST", path, answer | {"lead_time": 3600.0})
    assert (refused.status_code, "Reload the page" in refused.text) == (403, True)
    assert client.refused(403, refused.json()).stale, "a program knows it from a refusal of who may not answer"
    made = ls.request("GET", f"/api/tasks/{new.task}/")
    assert (made["annotations"], made["drafts"]) == ([], [])
    assert status(mine, ls, "POST", path, answer | {"lead_time": 5.0}) == 201, "a page that was opened at once"
    ls.request("DELETE", f"/api/tasks/{new.task}/")


def test_a_page_opened_before_the_question_changed_answers_nothing_until_it_is_loaded_again(
    ls: LabelStudio, mine: Holding, others: Holding
) -> None:
    """The page keeps its question for every image that follows: a yes would be stored as a yes to the new one."""
    project = Project(mine.ids["project"], mine.ids["view"], mine.ids["webhook"])
    page = f"/projects/{project.id}/data"
    path, own = f"/api/tasks/{mine.ids['open_task']}/annotations/", f"/api/annotations/{mine.ids['annotation']}/"
    asked = [("POST", path), ("PATCH", own), ("POST", f"/api/tasks/{mine.ids['open_task']}/drafts")]
    answer = {"result": [PART], "lead_time": 1.0}
    assert status(mine, ls, "GET", page) == 200
    projects.update(ls, project, "Not romantic?", ["neither", "romance"], "")
    for method, where in asked:
        refused = ask(ls.address, mine.session._session, method, where, answer)
        assert (refused.status_code, "Reload the page" in refused.text) == (403, True), where
    theirs = f"/api/annotations/{others.ids['annotation']}/"
    assert status(others, ls, "PATCH", theirs, answer) == 200, "another project's page is as it was"
    assert status(mine, ls, "GET", page) == 200
    for method, where in asked:
        assert status(mine, ls, method, where, answer) in {200, 201}, where
    projects.update(ls, project, "Romantic?", ["romance", "neither"], "")
    assert status(mine, ls, "GET", page) == 200


def test_no_browser_keeps_what_an_expert_saw(ls: LabelStudio, mine: Holding) -> None:
    for path in (f"/projects/{mine.ids['project']}/data", f"/api/tasks/{mine.ids['task']}/"):
        reply = mine.session._session.get(ls.address + path, timeout=60)
        assert reply.status_code == 200
        assert "no-store" in reply.headers["Cache-Control"]


def test_an_answer_on_its_way_does_not_undo_the_end_of_access(services: Services, ls: LabelStudio) -> None:
    email = "on-the-way@example.org"
    user = door.open_login(ls, email, PASSWORD)
    saved = services.inside.run(
        f"""
import attune_people
import attune_who
from django.test import RequestFactory
from users.models import User
request = RequestFactory().get("/")
request.user = User.objects.get(pk={user})
who = attune_who.identify(request)
attune_people.end_all({email!r})
who.save()
print(json.dumps(User.objects.get(pk={user}).is_active))
""",
    )
    assert saved is False
    with pytest.raises(LabelStudioRefused):
        ExpertSession.login(ls.address, email, PASSWORD)


def test_the_next_image_is_ones_own(ls: LabelStudio, mine: Holding, others: Holding) -> None:
    def asked(project: int, body: dict[str, object], action: str = "next_task") -> requests.Response:
        path = f"/api/dm/actions?id={action}&project={project}"
        return ask(ls.address, mine.session._session, "POST", path, body)

    own, foreign = mine.ids["project"], others.ids["project"]
    assert asked(foreign, {}).status_code == 403
    assert asked(own, {"project": str(foreign)}).status_code == 403
    assert asked(own, {}, "delete_tasks").status_code == 403
    chosen = {"all": False, "included": [others.ids["task"]]}
    assert asked(own, {"project": str(own), "selectedItems": chosen}).status_code == 404
    twice = f"/api/dm/actions?id=next_task&project={own}&project={foreign}"
    assert status(mine, ls, "POST", twice, {}) == 400
    served = asked(own, {"project": str(own), "view": others.ids["view"], "ordering": ["-tasks:id"]}).json()
    assert served["project"] == own
    assert served["predictions"] == []


def test_lists_hold_ones_own_alone(ls: LabelStudio, mine: Holding, others: Holding) -> None:
    own = mine.ids["project"]
    assert status(mine, ls, "GET", f"/api/tasks?project={own}&view={others.ids['view']}") == 403
    assert status(mine, ls, "GET", f"/api/tasks?view={mine.ids['view']}") == 403
    listed = ask(ls.address, mine.session._session, "GET", f"/api/tasks?project={own}&page_size=50&fields=all").json()
    assert {row["project"] for row in listed["tasks"]} == {own}
    found = ask(ls.address, mine.session._session, "GET", "/api/users?project=1").json()
    assert [one["email"] for one in found] == [MINE]
    assert status(mine, ls, "GET", "/api/projects") == 403


def test_why_an_image_is_asked_is_not_shown(ls: LabelStudio, mine: Holding) -> None:
    guess = {"task": mine.ids["task"], "score": 0.37190526, "result": [], "model_version": "run-77"}
    ls.request("POST", "/api/predictions/", guess)
    own = mine.ids["project"]
    for path in (f"/api/tasks?project={own}&page_size=50", f"/api/tasks/{mine.ids['task']}/?project={own}"):
        shown = ask(ls.address, mine.session._session, "GET", path)
        assert shown.status_code == 200
        assert "0.3719" not in shown.text
        assert "run-77" not in shown.text


def test_what_another_wrote_on_ones_image_is_not_shown(ls: LabelStudio, mine: Holding, others: Holding) -> None:
    task = mine.ids["task"]
    wish = {"result": [], "lead_time": 1.0, "completed_by": others.ids["user"]}
    made = ls.request("POST", f"/api/tasks/{task}/annotations/", wish)
    shown = ask(ls.address, mine.session._session, "GET", f"/api/tasks/{task}/").json()
    assert made["id"] not in [one["id"] for one in shown["annotations"]]
    assert mine.ids["annotation"] in [one["id"] for one in shown["annotations"]]
    assert shown["predictions"] == []
    assert status(mine, ls, "PATCH", f"/api/annotations/{made['id']}/", {"result": []}) == 403


def test_people_are_sent_to_the_console(services: Services, ls: LabelStudio, mine: Holding) -> None:
    for path in ("/", "/projects/"):
        reply = ask(ls.address, mine.session._session, "GET", path)
        assert (reply.status_code, reply.headers["Location"]) == (302, services.settings.web_address)
    refused = ask(ls.address, mine.session._session, "GET", "/people/", headers={"Accept": "text/html"})
    assert "Only Attune&#x27;s admin" in refused.text
    assert services.settings.web_address in refused.text


def test_the_administrators_own_login_cannot_be_ended(services: Services, ls: LabelStudio) -> None:
    with pytest.raises(LabelStudioRefused, match="administrator's own address"):
        door.end_access(ls, services.settings.label_studio_email)
    assert door.is_guarded(ls)
    assert door.end_access(ls, "never@example.org") == door.Ended((), ())


def test_whatever_address_attune_takes_can_be_ended(services: Services, ls: LabelStudio) -> None:
    """By old_sessions alone nobody would see that addresses which Django refuses, or in another case, stay open."""
    for email in ("mo@intern", "mö@studio.example"):
        assert door.end_access(ls, email) == door.Ended((), ())
    emails = ["Twin@example.org", "twin@Example.org", "MÖ@studio.example"]
    services.inside.run(
        f"""
from users.models import User
for number, email in enumerate({emails!r}):
    User.objects.bulk_create([User(email=email, username=f"twin-{{number}}", is_active=True)])
print(json.dumps(None))
""",
    )
    assert door.end_access(ls, "twin@example.org").ended == ("2 logins",)
    assert door.end_access(ls, "mö@studio.example").ended == ("the login",)
    assert door.erase_person(ls, "twin@example.org", "left-1@erased.invalid") == ()
    code = """
from users.models import User
print(json.dumps(sorted(User.objects.filter(email__endswith="left-1@erased.invalid").values_list("email", "username"))))
"""
    assert services.inside.run(code) == [["1-left-1@erased.invalid"] * 2, ["left-1@erased.invalid"] * 2]
    assert "twin@example.org" not in {one.casefold() for one in accounts.addresses(ls).values()}


def test_the_body_of_an_answer_does_not_wait_until_its_head_is_confirmed(services: Services) -> None:
    assert services.inside.run(
        """
from django.core.servers.basehttp import WSGIRequestHandler
print(json.dumps(WSGIRequestHandler.disable_nagle_algorithm))
"""
    )
