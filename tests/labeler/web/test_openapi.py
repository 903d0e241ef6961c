"""The API against its own description: whatever is sent, no 5xx, and no answer that the description does not know."""

from __future__ import annotations

import re
from copy import deepcopy
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from attune.labeler.people import tokens
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import learned, space_moves
from attune.labeler.web.api import describe
from attune.labeler.web.api import search as searching_api
from attune.labeler.web.app import create_app
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.files.atomic import digest_bytes
from attune.models.similarity.space_files import LearnedSpace
from attune.models.similarity.space_manifest import SpaceFacts
from attune.workers.jobs import describe_clusters, make_clusters
from tests.labeler.catalog import worlds
from tests.labeler.web.conftest import Actor
from tests.support import factories, published

if TYPE_CHECKING:
    from schemathesis import APIOperation, Case, GenerationMode

EXAMPLES = 12  # of each operation and mode for who may enter; who may not is turned away before a request is read
# What is really there, so that not every made-up request ends at 404.
REAL = {
    "name": ["serious", "romance", "nothing"],
    "ref": ["champion", "3", "1", "challenger"],
    "file": ["probe.safetensors", "probe.onnx", "card.md", "manifest.json", "other.bin"],
    "space": ["taste", "nothing"],
    "asset_id": ["a0", "gone"],
    "asset": ["a0", "a1", "gone"],
    "run": ["1", "7"],
    "number": ["1", "2", "99"],
}
FEW = 5  # of those that wait for a worker, and for who may not enter
# These need one of several parameters, which a description cannot say: 422 is fine for a request that fits it.
FORECAST = "GET /api/v1/titles/{title}/forecast"
EITHER = frozenset({"GET /api/v1/search", "GET /api/v1/similar", "POST /api/v1/recommend", FORECAST})
# Nor can it say which parameters exclude one another: agreed labels are no JSON of Label Studio.
APART = frozenset({"GET /api/v1/labels/{name}"})
# These need an image of the pool, groups of members or insights, and a session a proof against forgery:
# test_similar.py, test_members.py and test_insights.py ask for real ones.
FROM_THE_POOL = frozenset(
    {
        "GET /api/v1/similar",
        "POST /api/v1/recommend",
        "GET /api/v1/insights/{insight}",
        "GET /api/v1/insights/goes-with",
        "GET /api/v1/members/{ref}",
        "GET /api/v1/titles/{title}/brief",
        FORECAST,
    }
)
MAY_ENTER = ("owner", "pipeline")
# A request that fits its description may still ask for what is gone or lies outside.
FINE = ["2xx", "3xx", 401, 403, 404, 409, 410, 416]
KEPT = settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Flask:
    """A console with a champion of two attributes, one of them retired in an older version."""
    made = published.workspace(tmp_path_factory.mktemp("described") / "workspace", redis_url=redis_url)
    factories.add_user(made, "olga@example.org", "owner")
    make_clusters.run(made, k=3)
    describe_clusters.run(made, clustering=1)
    _draw(made, "a0")
    _learn_space(made)
    return create_app(made)


def _learn_space(settings: Settings) -> None:
    """Three versions of a space of no use, the third champion and the first challenger."""
    for number in (1, 2, 3):
        space = LearnedSpace(np.zeros(4), np.eye(4), np.eye(4) * number, np.array([0.2, 0]))

        def facts(version: int, at: str) -> SpaceFacts:
            return SpaceFacts(
                Fingerprint("test", "tower", "0" * 64, 4).to_dict(),
                "genre",
                ("a", "b"),
                30,
                0,
                {},
                name="taste",
                version=version,
                created_at=at,
            )

        learned.register(settings, space, facts, "taste", str(number), "olga")
    for version, alias in (("3", "champion"), ("1", "challenger")):
        space_moves.promote(settings, "taste", version, "a test", "olga", alias)


def _draw(settings: Settings, asset_id: str) -> None:
    """Give one asset an image; of the others there is none."""
    content = factories.picture(0)
    path = settings.workspace / f"{asset_id}.png"
    path.write_bytes(content)
    with writing(settings) as session:
        session.execute(
            update(Asset).where(Asset.asset_id == asset_id).values(uri=str(path), digest=digest_bytes(content))
        )


@pytest.fixture(scope="module")
def visitors(console: Flask) -> dict[str, dict[str, Any]]:
    """What each shows: an owner's session, a pipeline's token, nothing, and a token that is none."""
    olga = Actor(console, "olga@example.org")
    cookie = olga.client.get_cookie("attune_session")
    assert cookie
    token = tokens.issue(console.extensions["attune"].settings, "nightly")
    return {
        "owner": {"cookies": {"attune_session": cookie.value}},
        "pipeline": {"headers": {"Authorization": f"Bearer {token}"}},
        "nobody": {},
        "a stranger": {"headers": {"Authorization": "Bearer attune_stranger"}},
    }


# schemathesis does not close an answer that streams a file, as a server does.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.slow
def test_whatever_is_sent_the_answer_is_described(
    console: Flask, visitors: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request is made up once, which takes longer than an answer, and sent by every visitor."""
    import schemathesis  # here, as all processes collect this test and one runs it
    from schemathesis.checks import load_all_checks
    from schemathesis.config import SchemathesisConfig

    load_all_checks()
    config = SchemathesisConfig.from_dict({"checks": {"positive_data_acceptance": {"expected-statuses": FINE}}})
    monkeypatch.setattr(searching_api, "SEARCH_SECONDS", 0.0)  # no worker is here who could find anything
    told = deepcopy(describe())
    del told["security"]  # who may enter is what the visitors try out; here it would only make up odd headers
    schema = schemathesis.openapi.from_dict(told, config=config)
    schema.app = console
    for found in schema.get_all_operations():
        operation = found.ok()
        label = operation.label
        modes = [mode for mode in schemathesis.GenerationMode if can_be(operation, mode)]
        statuses: dict[str, set[int]] = {who: set() for who in visitors}
        for mode in modes:
            attacked(operation, mode, visitors, statuses)
        for who, met in statuses.items():
            if who in MAY_ENTER:
                shut = who == "pipeline" and met <= {403, 405}
                made_up = label in FROM_THE_POOL and met & {400, 404, 422}
                assert shut or made_up or met & {200, 201, 202, 204}, f"{label} never went well for {who}: {met}"
            else:
                assert met <= {401, 405}, f"{label} for {who}"


def attacked(
    operation: APIOperation, mode: GenerationMode, visitors: dict[str, dict[str, Any]], met: dict[str, set[int]]
) -> None:
    """Send made-up requests and add their statuses to ``met``; each answer is checked against the description."""
    from schemathesis.checks import CHECKS

    excluded = CHECKS.get_by_names(["positive_data_acceptance"]) if operation.label in EITHER | APART else []
    numbers = count(1)

    @settings(KEPT, max_examples=FEW if operation.label in EITHER else EXAMPLES)
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def attack(case: Case, data: st.DataObject) -> None:
        if mode.is_positive:
            for name in sorted(set(case.path_parameters) & set(REAL)):
                if data.draw(st.integers(0, 3)) < 3:
                    case.path_parameters[name] = data.draw(st.sampled_from(REAL[name]))
            if "asset_id" in case.query and data.draw(st.booleans()):
                case.query["asset_id"] = data.draw(st.sampled_from(REAL["asset_id"]))
        if case.path_parameters.get("file") == "manifest.json":
            case.headers.pop("Range", None)  # a piece of JSON is none, and schemathesis reads it as such
        for who in visitors if next(numbers) <= FEW else MAY_ENTER:
            response = case.call_and_validate(**deepcopy(visitors[who]), excluded_checks=excluded)
            met[who].add(response.status_code)

    attack()


def can_be(operation: APIOperation, mode: GenerationMode) -> bool:
    """Whether such a request exists: one that takes nothing cannot break its description."""
    takes = operation.path_parameters or operation.query or operation.body or operation.headers
    return mode.is_positive or bool(takes)


def test_every_address_of_the_api_is_described_with_its_methods(console: Flask) -> None:
    reply = console.test_client().get(
        "/api/v1/openapi.json",
        headers={"Authorization": f"Bearer {tokens.issue(console.extensions['attune'].settings, 'reader')}"},
    )
    told = {(path, method.upper()) for path, methods in reply.json["paths"].items() for method in methods}
    there = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in console.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert told == there
    from openapi_spec_validator import validate

    validate(reply.json)
    assert worlds.CLASSES.keys() <= set(REAL["name"])
