"""Endpoint by role: every cell of the table is tried, and a route without a row fails."""

from __future__ import annotations

import pytest
from flask import Flask

from attune.labeler.people import tokens
from attune.labeler.web.app import create_app
from tests.labeler.web.conftest import Actor
from tests.support import factories

LOGIN, OK, NO, GONE = "login", 200, 403, 404
# method and path -> what anybody, expert, owner, admin and pipeline get. "login" is a redirect to the login page.
TABLE: dict[tuple[str, str], tuple[object, ...]] = {
    ("GET", "/healthz"): (OK, OK, OK, OK, OK),
    ("GET", "/readyz"): (OK, OK, OK, OK, OK),
    ("GET", "/metrics"): (LOGIN, NO, OK, OK, OK),
    ("GET", "/static/theme.css"): (OK, OK, OK, OK, OK),
    ("GET", "/bootstrap/static/css/bootstrap.min.css"): (OK, OK, OK, OK, OK),
    ("GET", "/login"): (OK, 302, 302, 302, OK),
    ("GET", "/login/single"): (404, 404, 404, 404, 404),  # no provider is set
    ("GET", "/login/single/back"): (404, 404, 404, 404, 404),
    ("POST", "/login"): (400, 400, 400, 400, 400),  # no proof against forgery was sent
    ("POST", "/webhooks/label-studio"): (NO, NO, NO, NO, NO),  # opened by its secret alone
    ("POST", "/webhooks/label-studio/queue-1-1"): (NO, NO, NO, NO, NO),
    ("GET", "/media/forged/a.jpg"): (NO, NO, NO, NO, NO),  # opened by its signature alone
    ("GET", "/"): (LOGIN, OK, OK, OK, NO),
    ("POST", "/logout"): (LOGIN, 400, 400, 400, NO),
    ("GET", "/notices"): (LOGIN, OK, OK, OK, NO),
    ("POST", "/notices/read"): (LOGIN, 400, 400, 400, NO),
    ("POST", "/notices/7/read"): (LOGIN, 400, 400, 400, NO),
    ("GET", "/api/v1/notices"): (401, OK, OK, OK, NO),
    ("GET", "/account"): (LOGIN, OK, OK, OK, NO),
    ("POST", "/account"): (LOGIN, 400, 400, 400, NO),
    ("POST", "/account/sessions"): (LOGIN, 400, 400, 400, NO),
    ("POST", "/account/label-studio"): (LOGIN, 400, 400, 400, NO),
    ("POST", "/account/language"): (LOGIN, 400, 400, 400, NO),
    ("GET", "/attributes/romance"): (LOGIN, OK, OK, OK, NO),
    ("GET", "/attributes/romance/live"): (LOGIN, OK, OK, OK, NO),
    ("GET", "/attributes/romance/versions"): (LOGIN, NO, OK, OK, NO),
    ("GET", "/attributes/romance/manage"): (LOGIN, NO, OK, OK, NO),
    ("GET", "/attributes/romance/results"): (LOGIN, OK, OK, OK, NO),
    ("GET", "/attributes/romance/results/image?id=7"): (LOGIN, GONE, GONE, GONE, NO),
    ("POST", "/attributes/romance/results/views"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/attributes/romance/results/views/remove"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/attributes/romance/answers"): (LOGIN, OK, OK, OK, NO),
    ("GET", "/attributes/romance/contested"): (LOGIN, OK, OK, OK, NO),
    ("GET", "/attributes/romance/contested/7"): (LOGIN, GONE, GONE, GONE, NO),
    ("POST", "/attributes/romance/contested/7"): (LOGIN, 400, 400, 400, NO),
    ("POST", "/attributes/romance/contested/7/comments/1/delete"): (LOGIN, 400, 400, 400, NO),
    ("GET", "/attributes/romance/contested/7/revision"): (LOGIN, NO, GONE, GONE, NO),
    ("POST", "/attributes/romance/contested/7/revision"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/attributes/romance/errors"): (LOGIN, OK, OK, OK, NO),
    ("POST", "/attributes/romance/errors/1/confirm"): (LOGIN, 400, 400, 400, NO),
    ("POST", "/attributes/romance/errors/1/correct"): (LOGIN, 400, 400, 400, NO),
    ("POST", "/attributes/romance/errors/1/ask"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/attributes/romance/audit"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/attributes/romance/learn"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/attributes/romance/threshold"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/attributes/romance/answers/7"): (LOGIN, GONE, GONE, GONE, NO),
    ("POST", "/attributes/romance/answers/7"): (LOGIN, 400, 400, 400, NO),
    ("GET", "/attributes/romance/labels"): (LOGIN, NO, OK, OK, NO),
    ("GET", "/attributes/romance/labels/file"): (LOGIN, NO, OK, OK, NO),
    ("POST", "/attributes/romance/labels/preview"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/attributes/romance/labels/import"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/people"): (LOGIN, NO, OK, OK, NO),
    ("GET", "/new-attribute"): (LOGIN, NO, OK, OK, NO),
    ("POST", "/new-attribute"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/new-attribute/nearest"): (LOGIN, NO, OK, OK, NO),
    ("GET", "/attributes/romance/edit"): (LOGIN, NO, OK, OK, NO),
    ("POST", "/attributes/romance/edit"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/attributes/romance/revisions"): (LOGIN, NO, OK, OK, NO),
    ("GET", "/people/new"): (LOGIN, NO, OK, OK, NO),
    ("POST", "/people/new"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/people/person?email=expert@example.org"): (LOGIN, NO, OK, OK, NO),
    ("GET", "/people/leave?email=expert@example.org"): (LOGIN, NO, OK, OK, NO),
    ("POST", "/people/leave"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/people/attributes"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/people/link"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/people/label-studio"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/people/shut?email=expert@example.org"): (LOGIN, NO, OK, OK, NO),
    ("POST", "/people/shut"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/people/open"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/people/end-again"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/people/answers"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/people/erase?email=expert@example.org"): (LOGIN, NO, NO, OK, NO),
    ("POST", "/people/erase"): (LOGIN, NO, NO, 400, NO),
    ("POST", "/people/role"): (LOGIN, NO, NO, 400, NO),
    ("GET", "/tokens"): (LOGIN, NO, NO, OK, NO),
    ("POST", "/tokens"): (LOGIN, NO, NO, 400, NO),
    ("POST", "/tokens/revoke"): (LOGIN, NO, NO, 400, NO),
    ("GET", "/welcome/forged"): (NO, NO, NO, NO, NO),  # opened by the link's own text alone
    ("POST", "/welcome/forged"): (400, 400, 400, 400, 400),
    ("GET", "/attributes/romance/label"): (LOGIN, NO, NO, NO, NO),  # nobody there has a queue
    ("GET", "/attributes/romance/label/next"): (LOGIN, NO, NO, NO, NO),
    ("GET", "/attributes/romance/label/start"): (LOGIN, NO, NO, NO, NO),
    ("POST", "/attributes/romance/label/way"): (LOGIN, 400, 400, 400, NO),
    ("POST", "/attributes/romance/label/answers"): (LOGIN, 400, 400, 400, NO),
    ("POST", "/attributes/romance/pages"): (LOGIN, 400, 400, 400, NO),
    ("GET", "/attributes/romance/pages"): (LOGIN, NO, NO, NO, NO),  # nobody there has a queue
    ("GET", "/attributes/romance/pages/next"): (LOGIN, NO, NO, NO, NO),
    ("GET", "/attributes/romance/pages/label-studio"): (LOGIN, NO, NO, NO, NO),
    ("POST", "/attributes/romance/pages/more"): (LOGIN, 400, 400, 400, NO),
    ("POST", "/attributes/romance/pages/answers"): (LOGIN, 400, 400, 400, NO),
    ("POST", "/attributes/romance/chosen/answers"): (LOGIN, 400, 400, 400, NO),
    ("GET", "/attributes/romance/scope"): (LOGIN, NO, OK, OK, NO),  # no queue for this expert
    ("POST", "/attributes/romance/scope"): (LOGIN, 400, 400, 400, NO),
    ("POST", "/attributes/romance/scope/1/undo"): (LOGIN, 400, 400, 400, NO),
    ("POST", "/attributes/romance/scope/write"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/explore"): (LOGIN, OK, OK, OK, NO),
    ("POST", "/explore/image"): (LOGIN, 400, 400, 400, NO),
    ("GET", "/explore/send"): (LOGIN, OK, OK, OK, NO),
    ("POST", "/explore/send"): (LOGIN, 400, 400, 400, NO),
    ("GET", "/explore/clusters"): (LOGIN, OK, OK, OK, NO),
    ("POST", "/explore/clusters"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/explore/clusters/1/1"): (LOGIN, GONE, GONE, GONE, NO),  # there are no clusters there
    ("POST", "/explore/clusters/1/1"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/explore/clusters/1/1/describe"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/explore/beside"): (LOGIN, OK, OK, OK, NO),
    ("GET", "/api/v1/spaces"): (401, NO, OK, OK, NO),
    ("GET", "/api/v1/duplicates"): (401, NO, OK, OK, NO),
    ("GET", "/api/v1/clusters"): (401, NO, OK, OK, NO),
    ("GET", "/api/v1/clusters/1"): (401, NO, GONE, GONE, NO),
    ("GET", "/api/v1/clusters/1/1"): (401, NO, GONE, GONE, NO),
    ("GET", "/explore/spaces"): (LOGIN, OK, OK, OK, NO),
    ("POST", "/explore/spaces"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/explore/spaces/taste"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/explore/spaces/taste/use"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/explore/map"): (LOGIN, OK, OK, OK, NO),
    ("POST", "/explore/map"): (LOGIN, NO, 400, 400, NO),
    **{
        ("GET", f"/explore/map/{'0' * 64}/{part}"): (LOGIN, 422, 422, 422, NO)  # there is no such map
        for part in ("positions", "colours", "images", "search")
    },
    ("GET", "/explore/duplicates"): (LOGIN, OK, OK, OK, NO),
    ("POST", "/explore/duplicates"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/explore/duplicates/confirm"): (LOGIN, NO, 422, 422, NO),  # nothing was chosen
    ("POST", "/explore/duplicates/confirm"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/explore/duplicates/stay"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/explore/duplicates/undo"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/explore/recommend"): (LOGIN, NO, OK, OK, NO),
    ("POST", "/explore/recommend"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/attributes/romance/results/again"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/insights"): (LOGIN, NO, OK, OK, NO),
    ("POST", "/insights"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/insights/questions"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/insights/features"): (LOGIN, NO, OK, OK, NO),
    ("POST", "/insights/features"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/insights/features/faces"): (LOGIN, NO, GONE, GONE, NO),  # nothing is measured there
    ("POST", "/insights/features/faces/audit"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/insights/features/faces/means"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/insights/performance"): (LOGIN, NO, OK, OK, NO),
    ("POST", "/insights/performance/1/remove"): (LOGIN, NO, 400, 400, NO),
    ("GET", f"/insights/performance/uploads/{'0' * 32}"): (LOGIN, NO, GONE, GONE, NO),
    ("POST", f"/insights/performance/uploads/{'0' * 32}"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/insights/goes-with"): (LOGIN, NO, OK, OK, NO),
    ("POST", "/insights/goes-with"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/api/v1/insights/goes-with"): (401, NO, GONE, GONE, NO),  # nothing was learned there
    ("GET", "/insights/1"): (LOGIN, NO, GONE, GONE, NO),  # there are no insights there
    ("POST", "/insights/1/publish"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/insights/1/retire"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/insights/1/test"): (LOGIN, NO, GONE, GONE, NO),
    ("GET", "/insights/1/arms.csv"): (LOGIN, NO, GONE, GONE, NO),
    ("GET", "/titles?title=t1"): (LOGIN, NO, GONE, GONE, NO),  # no image of such a title is there
    ("GET", "/titles/brief?title=t1"): (LOGIN, NO, GONE, GONE, NO),
    ("GET", "/members"): (LOGIN, NO, OK, OK, NO),
    ("POST", "/members"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/api/v1/members/1"): (401, NO, GONE, GONE, GONE),
    ("GET", "/api/v1/titles/1/forecast"): (401, NO, GONE, GONE, GONE),
    ("GET", "/api/v1/titles/1/brief"): (401, NO, GONE, GONE, NO),
    ("GET", "/api/v1/insights"): (401, NO, OK, OK, OK),
    ("GET", "/api/v1/insights/1"): (401, NO, GONE, GONE, GONE),
    ("GET", "/api/v1/insights/features"): (401, NO, OK, OK, NO),
    ("GET", "/api/v1/insights.parquet"): (401, NO, OK, OK, OK),
    ("GET", "/api/v1/similar"): (401, 409, 409, 409, NO),  # the pool has no vectors there
    ("POST", "/api/v1/recommend"): (401, NO, 400, 400, 422),
    ("GET", "/api/v1/spaces/taste/champion"): (401, NO, GONE, GONE, GONE),
    ("GET", "/api/v1/spaces/taste/champion/files/card.md"): (401, NO, GONE, GONE, GONE),
    ("GET", "/api/v1/search"): (401, OK, OK, OK, NO),
    ("GET", "/assets"): (LOGIN, NO, OK, OK, NO),
    ("POST", "/assets/uploads"): (LOGIN, NO, 400, 400, NO),
    ("GET", f"/assets/uploads/{'0' * 32}"): (LOGIN, NO, GONE, GONE, NO),
    ("GET", f"/assets/uploads/{'0' * 32}/received"): (LOGIN, NO, GONE, GONE, NO),
    ("PUT", f"/assets/uploads/{'0' * 32}/0"): (LOGIN, NO, 400, 400, NO),
    ("POST", f"/assets/uploads/{'0' * 32}/finish"): (LOGIN, NO, 400, 400, NO),
    ("POST", f"/assets/uploads/{'0' * 32}/drop"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/jobs"): (LOGIN, NO, OK, OK, NO),
    ("POST", "/jobs/again"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/notices/mail"): (LOGIN, 400, 400, 400, NO),
    ("POST", "/notices/1/send"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/attributes/romance/queues/stop"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/attributes/romance/queues/start"): (LOGIN, NO, 400, 400, NO),
    ("POST", "/attributes/romance/queues/ask"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/attributes/romance/review"): (LOGIN, NO, GONE, GONE, NO),  # no run yet
    ("GET", "/attributes/romance/gates"): (LOGIN, NO, OK, OK, NO),
    ("POST", "/attributes/romance/gates"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/attributes/romance/promote"): (LOGIN, NO, GONE, GONE, NO),
    ("POST", "/attributes/romance/promote"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/attributes/romance/rollback"): (LOGIN, NO, OK, OK, NO),
    ("POST", "/attributes/romance/rollback"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/attributes/romance/versions/1"): (LOGIN, NO, GONE, GONE, NO),
    ("GET", "/attributes/romance/versions/1/retire"): (LOGIN, NO, GONE, GONE, NO),
    ("POST", "/attributes/romance/versions/1/retire"): (LOGIN, NO, 400, 400, NO),
    ("GET", "/attributes/romance/moves/publish-1"): (LOGIN, NO, GONE, GONE, NO),
    ("GET", "/attributes/romance/history"): (LOGIN, NO, OK, OK, NO),
    ("GET", "/api/v1/probes/romance/history"): (401, NO, OK, OK, OK),
    ("GET", "/api/v1/probes"): (401, NO, OK, OK, OK),
    ("GET", "/api/v1/probes/romance/champion"): (401, NO, GONE, GONE, GONE),
    ("GET", "/api/v1/probes/romance/1/files/card.md"): (401, NO, GONE, GONE, GONE),
    ("GET", "/api/v1/features/romance/1"): (401, NO, GONE, GONE, GONE),  # the model's answer of each image
    ("GET", "/api/v1/drift/romance"): (401, NO, OK, OK, NO),
    ("GET", "/api/v1/labels/romance"): (401, NO, OK, OK, NO),
    ("GET", "/api/v1/scope/romance"): (401, NO, OK, OK, NO),
    ("GET", "/api/v1/attributes"): (401, NO, OK, OK, NO),
    ("GET", "/api/v1/image"): (401, NO, GONE, GONE, NO),
    ("GET", "/api/v1/openapi.json"): (401, OK, OK, OK, OK),
    ("GET", "/no-such-page"): (LOGIN, GONE, GONE, GONE, GONE),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Flask:
    """One console for the whole table: no cell changes anything."""
    settings = factories.workspace(tmp_path_factory.mktemp("table"), redis_url=redis_url)
    factories.add_attribute(settings)
    return create_app(settings)


@pytest.fixture(scope="module")
def actors(house: Flask) -> list[Actor]:
    """Anybody, expert, owner, admin, pipeline."""
    settings = house.extensions["attune"].settings
    ana = factories.add_expert(settings)
    people = {"expert": ana, "owner": None, "admin": None}
    for role, expert in people.items():
        factories.add_user(settings, f"{role}@example.org", role, expert)
    pipeline = Actor(house)
    pipeline.client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {tokens.issue(settings, 'nightly')}"
    return [Actor(house), *(Actor(house, f"{role}@example.org") for role in people), pipeline]


@pytest.mark.parametrize("cell", TABLE, ids=" ".join)
def test_every_role_meets_the_door_it_should(cell: tuple[str, str], actors: list[Actor]) -> None:
    method, path = cell
    met = []
    for actor in actors:
        reply = actor.client.open(path, method=method, buffered=True)
        to_login = reply.status_code == 302 and reply.location.startswith("/login")
        met.append(LOGIN if to_login else reply.status_code)
    assert tuple(met) == TABLE[cell]


def test_every_route_has_a_row(app: Flask) -> None:
    tried = app.url_map.bind("localhost")
    paths = [(method, path.partition("?")[0]) for method, path in TABLE if path != "/no-such-page"]
    known = {(method, tried.match(path, method)[0]) for method, path in paths}
    there = {
        (method, rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert there - known == set()


def test_an_endpoint_without_a_rule_is_shut_to_everybody(app: Flask, anybody: Actor, admin: Actor) -> None:
    app._got_first_request = False  # a page that somebody adds and forgets to put into the table of access
    app.add_url_rule("/new-page", "new.page", lambda: "secret")
    assert anybody.get("/new-page").status_code == 302
    assert admin.get("/new-page").status_code == 403


def test_machines_are_told_and_not_redirected(anybody: Actor) -> None:
    reply = anybody.get("/attributes/romance/live", headers={"Accept": "application/json"})
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")
    assert "Authorization: Bearer" in reply.json["message"]
