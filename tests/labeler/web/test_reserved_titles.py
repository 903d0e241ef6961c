"""An attack: an expert answers all images of one title, reads all that experts can read, and learns nothing of whether
the title is reserved for audits.

Two workspaces are equal up to the attack, but that the title is reserved in one alone: there its answers train no
probe.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count, zip_longest
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import numpy as np
import pytest
from sqlalchemy import func, select, update

from attune.labeler import settings as reader
from attune.labeler.answers import ingest
from attune.labeler.assets.active_encoder import activate
from attune.labeler.jobs import learn_lease
from attune.labeler.label_studio import grid_project
from attune.labeler.labelling import take_chosen
from attune.labeler.maps import layouts
from attune.labeler.people.viewer import LEFT_ALONE, TOLD_EVERY
from attune.labeler.records.schema import Annotation, Asset, Attribute, Expert, Grid, LabelError, Queue, Run
from attune.labeler.records.session import engine, reading, writing
from attune.labeler.scope import groups
from attune.labeler.scope.groups import Groups
from attune.labeler.settings import Settings, secrets
from attune.labeler.spaces.spaces import FINAL
from attune.labeler.web.app import create_app
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.evaluation import audit_titles
from attune.models.evaluation.audit_design import reserved_mask
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import describe_clusters, make_clusters, make_map
from attune.workers.rounds import (
    gallery_scores,
    label_errors,
    learning_round,
    pages_of_images,
    scope_groups,
    slow_figures,
)
from attune.workers.rounds.snapshot import take_snapshot
from tests.labeler.web.conftest import TOKEN, Actor
from tests.labeler.web.routes import EXPERT, ROUTES
from tests.support import factories, mapped
from tests.support.page_desk import Stored

pytestmark = pytest.mark.slow
NAMES = [f"work-{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
EACH, SIZE = 24, 8
WHOLE = timedelta(days=2)
NAMESPACE = UUID("0d8d4f2e-5a53-4a0a-9b7e-6d5f7f5f2c11")
CLASSES = ["tender", "other"]
# What two readings differ by in any case: times, what a form or an address is signed with, and ids of what was sent.
CHANGES = re.compile(
    r'datetime="[^"]*"|title="\d[^"]*"|\d+ (?:second|min|minute|hour|h|day)s? ago|just now|yesterday|in a moment'
    r'|[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{32}\b|\b[0-9a-f]{16}\b|name="csrf_token"[^>]*|data-csrf="[^"]*"'
    r'|attune:[0-9a-f]{12}:|/media/[^"\s]*'
)
# What the probe of the next twenty answers may change: its figures, and which answers it suspects.
FIGURES = re.compile(r"\d\.\d\d|<svg.*?</svg>|<tr>.*?</tr>|<a[^>]*>Suspected label errors[^<]*</a>", re.DOTALL)


@dataclass(frozen=True)
class World:
    """A workspace before the attack, and its titles; ``placed`` names the map of its images."""

    folder: Path
    redis_url: str
    titles: list[str]
    placed: str


def learn(settings: Settings) -> Run:
    """A round, with what comes after the queues are in order; which images come next is left as it is."""
    seen = take_snapshot(settings, "tender")
    held = learn_lease.acquire_lease(settings, seen.attribute.id)
    assert held is not None
    learned = learning_round.learn(settings, seen, None, held)
    held.release(seen.attribute.answers_counter)
    gallery_scores.leave(settings, seen, learned.run)
    scope_groups.leave(settings, seen, learned.run)
    pages_of_images.record_advice(settings, seen, learned.run, learned.probe, None)
    slow_figures.record_forecast(settings, seen, learned.run, None)
    label_errors.record(settings, seen, learned.run, None)
    describe_clusters.run(settings)
    with reading(settings) as session:
        return session.scalars(select(Run).where(Run.number == learned.run)).one()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> World:
    """Two experts with answers on two of three titles, audits among them, and one run."""
    settings = factories.workspace(tmp_path_factory.mktemp("attack") / "base", redis_url=redis_url)
    assets = factories.add_assets(settings, len(NAMES) * EACH)
    with writing(settings) as session:
        for number, asset in enumerate(assets):
            session.get_one(Asset, asset.id).title_id = NAMES[number // EACH]
    attribute = factories.add_attribute(settings, "tender", question="Is it tender?", classes=CLASSES)
    ana, bo = (factories.add_expert(settings, f"{name}@desk.example", name.title()) for name in ("ana", "bo"))
    queues = [factories.add_queue(settings, attribute, one) for one in (ana, bo)]
    factories.add_user(settings, ana.email, "expert", ana)
    made = Fingerprint("external", "vectors", "external:0", SIZE)
    rng = np.random.default_rng(8)
    x = rng.normal(scale=0.15, size=(len(assets), SIZE))
    x[:, 0] += np.where(np.arange(len(assets)) % 3 == 0, 1.0, -1.0)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    VectorStore(settings.vectors).append(made, [one.asset_id for one in assets], x.astype(np.float32))
    with writing(settings) as session:
        activate(session, made)
        row = session.get_one(Attribute, attribute.id)
        row.settings = {"seed": 3, "reserved_share": 0.3, "strategy": "attune"}
        row.revision = 1
        session.add(Grid(attribute_id=attribute.id, expert_id=ana.id, project=71, view=1, created_at=now()))
    at = now() - WHOLE
    reserved = reserved_mask(np.array(NAMES), 3, 0.3)
    for number, asset in enumerate(assets):
        title, place = divmod(number, EACH)
        if title % 3 and place < 8:
            said = CLASSES[0] if (number % 3 == 0) != (place == 5) else CLASSES[1]
            purpose = "audit" if reserved[title] else "borderline"
            factories.add_answer(settings, queues[place % 2], asset, said, purpose, at)
            if place == 3:
                factories.add_answer(settings, queues[0], asset, CLASSES[place % 2], purpose, at)
    for asset in assets[2 * EACH - 4 : 2 * EACH]:
        factories.add_task(settings, queues[0], asset, purpose="borderline")
    make_clusters.run(settings, k=3)
    with pytest.MonkeyPatch.context() as patch:
        mapped.quick(patch)
        make_map.run(settings)
    run = learn(settings)
    # Of these few titles the line cuts through no group: one stands in the place of those that the round found.
    group = [assets[title * EACH + place].id for title in (13, 16, 19, 22) for place in (20, 21)]
    groups.save(settings, attribute.id, Groups(run.number, 1, max(0, run.answers - run.chosen) // TOLD_EVERY, [group]))
    secrets.load(settings.secrets)  # the same in each copy
    with reading(settings) as session:
        placed = layouts.latest(session, FINAL)
    assert placed is not None
    assert placed.file
    engine(settings.records_url).dispose()
    return World(settings.workspace, redis_url, NAMES[::3], placed.file)


@dataclass
class Attack:
    """One copy of the world, where ``title`` is reserved or not, and Ana's browser in it."""

    settings: Settings
    ana: Actor
    title: str
    placed: str

    def choose(self, value: str) -> None:
        """Answer all images of the title by the bar in Explore."""
        page = self.ana.get(f"/explore?for=tender&title={self.title}").text
        names = re.findall(r'data-choose value="([^"]+)"', page)
        assert len(names) == EACH
        found = TOKEN.search(self.ana.get("/account").text)
        assert found
        row = {"once": uuid5(NAMESPACE, "once"), "key": uuid5(NAMESPACE, "batch"), "value": value, "images": names}
        body = {"revision": 1, "answers": [row | {"once": str(row["once"]), "key": str(row["key"])}]}
        headers = {"X-CSRFToken": found.group(1), "Accept": "application/json"}
        told = self.ana.client.post("/attributes/tender/chosen/answers", json=body, headers=headers)
        assert told.json is not None
        assert told.json["answers"][str(row["once"])] == {"state": "stored", "stored": EACH, "left": {}}

    def to_the_next_twenty(self) -> int:
        """How many answers to what was asked it takes until a run is shown to experts again."""
        with reading(self.settings) as session:
            asked = session.scalars(select(Run.answers - Run.chosen).order_by(Run.number)).first() or 0
        return TOLD_EVERY - asked % TOLD_EVERY

    def answer(self, many: int) -> None:
        """Answer ``many`` images that are asked, of other titles."""
        with reading(self.settings) as session:
            queue = session.scalars(select(Queue).order_by(Queue.id)).first()
            free = Asset.id.not_in(select(Annotation.asset_pk))
            rows = select(Asset).where(free, Asset.title_id.in_(NAMES[1::3]))
            assets = session.scalars(rows.order_by(Asset.id).limit(many)).all()
        assert queue is not None
        for asset in assets:
            factories.add_answer(self.settings, queue, asset, CLASSES[asset.id % 2], "borderline", now() - WHOLE)

    def age(self) -> None:
        """A day goes by, after which experts may read what others said, and what of theirs is suspected."""
        with writing(self.settings) as session:
            early = now() - 2 * LEFT_ALONE
            session.execute(update(Annotation).values(answered_at=early, updated_at=early, received_at=early))

    def addresses(self) -> Iterator[str]:
        """All that an expert may open with GET, each image and answer by its own address."""
        rules = self.ana.client.application.url_map
        mine = select(Annotation.id, Asset.asset_id).join(Asset, Asset.id == Annotation.asset_pk)
        with reading(self.settings) as session:
            own = select(Expert.id).where(Expert.email == "ana@desk.example").scalar_subquery()
            rows = session.execute(mine.where(Annotation.expert_id == own, Asset.title_id == self.title)).all()
        values: dict[str, Any] = {"name": "tender", "annotation": rows[0][0] if rows else 1, "image": 1, "comment": 1}
        values |= {"job": "none", "notice": 1, "filename": "theme.css"}
        values |= {"run": 1, "number": 1, "digest": self.placed}
        for rule in rules.iter_rules():
            who = ROUTES[rule.endpoint]
            if EXPERT in who and "GET" in (rule.methods or ()) and "static" not in rule.endpoint:
                chosen = {key: values[key] for key in rule.arguments}
                yield rules.bind("localhost").build(rule.endpoint, chosen, method="GET")
        yield from (f"/attributes/tender/answers?page={page}" for page in range(1, 6))
        yield from (f"/attributes/tender/results?page={page}&title={self.title}" for page in (1, 2))
        yield from (f"/attributes/tender/results/image?id={name}" for _, name in rows[:4])
        yield from (f"/attributes/tender/answers/{key}" for key, _ in rows[:4])
        yield from (f"/explore/clusters/1/{number}" for number in (2, 3))
        yield f"/explore?for=tender&title={self.title}"
        yield from (f"/explore/send?pick={name}" for _, name in rows[:2])
        yield f"/api/v1/search?title={self.title}"

    def read(self) -> dict[str, str]:
        """Address -> what is there, without what differs at each reading."""
        found = {}
        for address in self.addresses():
            reply = self.ana.get(address)
            text = reply.data.decode(errors="replace")  # places on the map are no text
            found[address] = f"{reply.status_code} {reply.location or ''} {CHANGES.sub('~', text)}"
        return found


@pytest.fixture
def begin(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bool], Attack]:
    """A copy of the world where a title is reserved, or is not, whatever the hash says."""

    def made(title: str, is_reserved: bool) -> Attack:
        folder = tmp_path / f"{title}-{is_reserved}"
        shutil.copytree(world.folder, folder)
        settings, numbers = reader.build({}, workspace=folder, redis_url=world.redis_url), count(800)

        def mask(titles: Any, seed: int, share: float) -> Any:
            return np.where(np.asarray(titles) == title, is_reserved, reserved_mask(titles, seed, share))

        with reading(settings) as session:
            store = Stored(settings, session.scalars(select(Expert).where(Expert.email == "ana@desk.example")).one())
        monkeypatch.setattr(audit_titles, "reserved_mask", mask)
        monkeypatch.setattr(take_chosen, "label_studio", lambda _: store)
        monkeypatch.setattr(ingest, "ask_to_learn", lambda *_: None)
        monkeypatch.setattr(grid_project, "add", lambda *_: next(numbers))
        return Attack(settings, Actor(create_app(settings), "ana@desk.example"), title, world.placed)

    return made


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """The lines that two readings do not share, with their address."""
    assert one.keys() == other.keys()
    pairs = ((at, zip_longest(one[at].splitlines(), other[at].splitlines(), fillvalue="")) for at in one)
    return [f"{at}\n  {mine}\n  {theirs}" for at, lines in pairs for mine, theirs in lines if mine != theirs]


@dataclass(frozen=True)
class Told:
    """What Ana reads at once, a day later and after a few more answers, and what she reads after the next twenty; the
    run after the attack, and how many suspects it found.
    """

    before: list[dict[str, str]]
    after: dict[str, str]
    run: Run
    suspects: int


def attacked(attack: Attack) -> Told:
    attack.choose("tender")
    run = learn(attack.settings)
    seen = [attack.read()]
    attack.age()
    seen.append(attack.read())
    with reading(attack.settings) as session:
        suspects = session.scalar(select(func.count()).select_from(LabelError)) or 0
    attack.answer(attack.to_the_next_twenty() - 1)
    learn(attack.settings)
    seen.append(attack.read())
    with writing(attack.settings) as session:
        session.execute(update(Queue).values(way="single"))  # or the way that teaches more may be another
    attack.answer(1)
    learn(attack.settings)
    return Told(seen, attack.read(), run, suspects)


@pytest.mark.parametrize("number", range(2))
def test_nothing_that_an_expert_reads_tells_whether_the_title_is_reserved(
    world: World, begin: Callable[[str, bool], Attack], number: int
) -> None:
    """But that twenty answers to what was asked bring a figure of the newest probe, whatever else it learned from."""
    title = world.titles[3 * number]
    free, kept = (attacked(begin(title, reserved)) for reserved in (False, True))
    trained = [one.run.labels["trained_on"] for one in (free, kept)]
    assert trained[0] == trained[1] + EACH, "or the two would be equal anyhow"
    assert free.suspects > kept.suspects, "some of them are suspected where they are learned from"
    last = free.before[-1]
    assert 'name="shown"' in last["/attributes/tender/scope"], "there is a group to decide about"
    there = ("/explore/clusters/1/1", *(f"/explore/map/{world.placed}/{part}" for part in ("positions", "colours")))
    assert [last[at][:3] for at in there] == ["200"] * 3, "the clusters and the map are read, too"
    for one, other in zip(free.before, kept.before, strict=True):
        assert differences(one, other) == []
    assert free.after["/attributes/tender/results"] != last["/attributes/tender/results"], "a run that they are shown"
    assert differences(but_the_quality(free.after), but_the_quality(kept.after)) == []


def but_the_quality(read: dict[str, str]) -> dict[str, str]:
    """What is read without a probe's figures, and without what follows the newest probe with each twenty.

    Groups to decide about do so as the order of the queues does all the time.
    """
    left = {at: text for at, text in read.items() if "/errors" not in at and "/scope" not in at}
    return {at: FIGURES.sub("~", text) for at, text in left.items()}
