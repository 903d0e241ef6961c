"""What an attacker tries: forged forms, tokens that ended, paths that climb, bodies too large, addresses made up."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from itsdangerous import URLSafeSerializer
from werkzeug.routing import IntegerConverter, Rule

from attune.labeler import settings as reader
from attune.labeler.assets.media import media_url
from attune.labeler.label_studio.webhooks import SECRET_HEADER
from attune.labeler.people import tokens
from attune.labeler.settings import Settings, secrets
from attune.labeler.web import access
from attune.labeler.web.app import create_app
from attune.labeler.web.webhook import MOST_BYTES
from attune.models.clock import now
from tests.labeler.web.conftest import Actor
from tests.support import factories, published

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
BY_OWN_PROOF = {"webhook.label_studio"}  # a secret header, which no other site's form can send


def addresses(app: Flask, methods: set[str]) -> list[tuple[str, str, str]]:
    """Method, address and endpoint of every route that takes one of ``methods``, whatever page it belongs to."""
    found = []
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & methods):
            found.append((method, filled(app, rule), rule.endpoint))
    return found


def filled(app: Flask, rule: Rule) -> str:
    values = {
        name: 1 if isinstance(converter, IntegerConverter) else "romance"
        for name, converter in rule._converters.items()
    }
    with app.test_request_context():
        return app.url_map.bind("localhost").build(rule.endpoint, values, method=next(iter(rule.methods or {"GET"})))


def test_every_form_asks_for_proof_that_it_is_ours(
    app: Flask, settings: Settings, admin: Actor, romance: object
) -> None:
    tried = [one for one in addresses(app, UNSAFE) if one[2] not in BY_OWN_PROOF]
    assert len(tried) >= 3
    for method, address, endpoint in tried:
        who = Actor(app) if access.is_open(endpoint) else admin
        for body in (
            {"data": {"csrf_token": "made up"}},
            {"json": {"a": 1}},
            {"data": b"", "content_type": "text/plain"},
        ):
            reply = who.client.open(address, method=method, buffered=True, **body)
            assert reply.status_code == 400, (method, address, reply.status_code)
            assert "came from another site" in reply.text


def test_a_proof_of_one_session_is_none_in_another(app: Flask, owner: Actor, settings: Settings) -> None:
    factories.add_user(settings, "otto@example.org", "owner")
    other = Actor(app, "otto@example.org")
    from tests.labeler.web.conftest import TOKEN

    found = TOKEN.search(other.get("/account").text)
    assert found
    fields = {"old": factories.PASSWORD, "new": "another good long one", "again": "another good long one"}
    assert owner.client.post("/account", data={**fields, "csrf_token": found.group(1)}).status_code == 400


def test_a_revoked_token_is_refused_everywhere_and_stays_so(app: Flask, settings: Settings, romance: object) -> None:
    shown = {"Authorization": f"Bearer {tokens.issue(settings, 'nightly', 'admin')}"}
    client = app.test_client()
    assert client.get("/", headers=shown).status_code == 200
    tokens.revoke(settings, "nightly")
    fresh = tokens.issue(settings, "nightly", "admin")  # the same name again gives the old text no new life
    for method, address, endpoint in addresses(app, UNSAFE | {"GET"}):
        if not access.is_open(endpoint):
            reply = client.open(address, method=method, headers=shown, buffered=True)
            assert reply.status_code == 401, (method, address)
    assert client.get("/", headers={"Authorization": f"Bearer {fresh}"}).status_code == 200


CLIMBING = [
    "../../../../secrets.json",
    "..%2f..%2f..%2f..%2fsecrets.json",
    "%2e%2e/%2e%2e/%2e%2e/%2e%2e/secrets.json",
    "%252e%252e%252fsecrets.json",
    "..%5c..%5csecrets.json",
    "..%c0%af..%c0%afsecrets.json",
    "....//....//secrets.json",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    "card.md%00.json",
    "card.md%0d%0aSet-Cookie:%20a=b",
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[tuple[Settings, str, int, str]]:
    """A console behind a real server: settings, host, port, and a pipeline's token."""
    made = published.workspace(tmp_path_factory.mktemp("doors") / "workspace", redis_url=redis_url)
    with published.served(made) as address:
        parts = urlsplit(address)
        yield made, str(parts.hostname), int(parts.port or 0), tokens.issue(made, "nightly")


@pytest.mark.parametrize("climb", CLIMBING)
@pytest.mark.parametrize(
    "pattern",
    ["/api/v1/probes/serious/3/files/{}", "/api/v1/probes/{}/3", "/api/v1/probes/serious/{}", "/api/v1/features/{}/3"],
)
def test_no_name_leads_out_of_the_catalog(served: tuple[Settings, str, int, str], pattern: str, climb: str) -> None:
    settings, host, port, token = served
    line = http.client.HTTPConnection(host, port, timeout=30)  # sends the path as it stands
    line.request("GET", pattern.format(climb), headers={"Authorization": f"Bearer {token}"})
    reply = line.getresponse()
    content = reply.read().decode()
    line.close()
    # A path with slashes fits no address at all; the rest is no name that the catalog knows.
    assert reply.status in {308, 400, 404}
    assert secrets.load(settings.secrets).session_key not in content
    assert "root:" not in content
    assert reply.headers["Set-Cookie"] is None


@pytest.mark.parametrize(
    "line",
    [
        "X-Request-ID: abcdefgh\r\n\tSet-Cookie: a=b",
        "X-Request-ID: abcdefgh%0d%0aSet-Cookie: a=b",
        "Host: evil.example",
    ],
)
def test_a_header_puts_no_header_into_the_answer(served: tuple[Settings, str, int, str], line: str) -> None:
    _, host, port, _ = served
    with socket.create_connection((host, port), timeout=30) as opened:
        name = "" if line.startswith("Host") else "Host: localhost\r\n"
        opened.sendall(
            f"GET /people?next=%0d%0aSet-Cookie:a=b HTTP/1.1\r\n{name}{line}\r\nConnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: opened.recv(65536), b"")).decode()
    head = answer.partition("\r\n\r\n")[0]
    assert "a=b" not in [part.partition("=")[2] for part in head.splitlines() if part.startswith("Set-Cookie: a")]
    assert "\nSet-Cookie: a=b" not in head
    assert "evil.example" not in head


@pytest.mark.parametrize("path", ["/login", "/webhooks/label-studio", "/api/v1/probes", "/account"])
def test_a_body_too_large_is_refused_before_it_is_read(served: tuple[Settings, str, int, str], path: str) -> None:
    settings, host, port, token = served
    line = http.client.HTTPConnection(host, port, timeout=60)
    shown = {SECRET_HEADER: secrets.load(settings.secrets).hint_secret, "Authorization": f"Bearer {token}"}
    line.putrequest("POST", path)
    for name, value in {**shown, "Content-Length": str(10**12), "Content-Type": "application/json"}.items():
        line.putheader(name, value)
    line.endheaders()
    assert line.getresponse().status == 413
    line.close()


def test_a_webhook_beyond_its_size_is_refused(app: Flask, settings: Settings) -> None:
    shown = {SECRET_HEADER: secrets.load(settings.secrets).hint_secret}
    body = b'{"action": "' + b"x" * MOST_BYTES + b'"}'
    reply = app.test_client().post("/webhooks/label-studio", data=body, headers=shown)
    assert (reply.status_code, reply.json["error"]) == (413, "Request Entity Too Large")


def test_a_signature_opens_its_own_image_alone(app: Flask, settings: Settings, tmp_path: Path) -> None:
    first, second = factories.add_assets(settings, 2, images=True)
    ours = app.extensions["attune"].secrets
    paths = [urlsplit(media_url(settings, ours, one.asset_id, now())[0]).path for one in (first, second)]
    (_, _, one, _), (_, _, two, name_two) = (path.split("/") for path in paths)
    client = Actor(app)
    images = [client.get(path).data for path in paths]
    assert images[0] != images[1]
    assert client.get(f"/media/{one}/{name_two}").data == images[0], "the name is for people alone"
    payloads = [token.rpartition(".")[0] for token in (one, two)]
    marks = [token.rpartition(".")[2] for token in (one, two)]
    assert client.get(f"/media/{payloads[1]}.{marks[0]}/{name_two}").status_code == 403
    until = int((now() + timedelta(days=1)).timestamp())
    elsewhere = secrets.load(reader.build({}, workspace=tmp_path / "other").secrets)
    for key, salt in (
        (elsewhere.media_key, "attune.media"),
        (ours.session_key, "attune.media"),
        (ours.media_key, "attune.other"),
        (ours.media_key, "itsdangerous"),
    ):
        forged = URLSafeSerializer(key, salt=salt).dumps([second.asset_id, until])
        assert client.get(f"/media/{forged}/{name_two}").status_code == 403
    for odd in (
        [second.asset_id],
        [second.asset_id, "soon"],
        {"asset": second.asset_id},
        None,
        [second.asset_id, 10**30],
    ):
        signed = URLSafeSerializer(ours.media_key, salt="attune.media").dumps(odd)
        assert client.get(f"/media/{signed}/{name_two}").status_code in {403, 410}


def guesses(app: Flask, count: int, **headers: str) -> list[int]:
    """The statuses that ``count`` wrong passwords meet, each for another login."""
    actor = Actor(app)
    actor.client.environ_base["REMOTE_ADDR"] = "10.0.0.9"  # the proxy, or a visitor who comes directly
    actor.client.environ_base.update({f"HTTP_{name.upper()}": value for name, value in headers.items()})
    return [actor.send("/login", email=f"p{n}@example.org", password="a guess").status_code for n in range(count)]


def test_without_a_proxy_nobody_can_make_up_an_address(settings: Settings) -> None:
    app = create_app(settings)
    assert guesses(app, 30, x_forwarded_for="198.51.100.1").count(401) == 30
    assert guesses(app, 1, x_forwarded_for="198.51.100.2") == [429]


def test_behind_a_proxy_each_visitor_counts_alone(settings: Settings) -> None:
    app = create_app(reader.build({}, workspace=settings.workspace, redis_url=settings.redis_url, proxies=1))
    assert guesses(app, 31, x_forwarded_for="198.51.100.1")[-1] == 429
    assert guesses(app, 1, x_forwarded_for="198.51.100.2") == [401], "another visitor is not held up"
    # What a visitor sends along stands before what the proxy adds, and is not believed.
    assert guesses(app, 1, x_forwarded_for="198.51.100.77, 198.51.100.1") == [429]


def test_behind_a_proxy_with_tls_the_answer_says_to_stay_there(settings: Settings) -> None:
    app = create_app(reader.build({}, workspace=settings.workspace, redis_url=settings.redis_url, proxies=1))
    reply = app.test_client().get("/login", headers={"X-Forwarded-Proto": "https"})
    assert "max-age" in reply.headers["Strict-Transport-Security"]
    plain = create_app(settings).test_client().get("/login", headers={"X-Forwarded-Proto": "https"})
    assert "Strict-Transport-Security" not in plain.headers
