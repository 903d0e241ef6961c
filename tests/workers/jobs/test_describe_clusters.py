"""What clusters are said to have in common: by experts, columns, champions and words, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from attune.labeler.attributes import attributes
from attune.labeler.jobs import jobs
from attune.labeler.records.schema import Asset, Clustering, Description, Job, Run
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.spaces import clusterings, descriptions, members
from attune.labeler.spaces.description_words import figures, in_order, sentence
from attune.labeler.spaces.descriptions import Basis
from attune.models.clock import now
from attune.models.descriptions.phrases import vocabulary
from attune.models.errors import UnknownClustering
from attune.workers.jobs import describe_clusters, make_clusters
from attune.workers.runtime import due_descriptions
from tests.labeler.catalog import judged, worlds
from tests.support import factories, mapped

K = 6


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Clusters of 600 images with audits, answers, genres at random, and a champion that knows the truth."""
    settings = judged.filled(tmp_path_factory.mktemp("described") / "workspace", audits=140)
    make_clusters.run(settings, k=K)
    champion(settings, 4)
    return settings


@pytest.fixture
def house(template: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The same, where a text tower reads the first phrase of the vocabulary as what the most serious cluster shares."""
    direction = middle_of(template, most_serious(template))

    def read(_: Settings, texts: Sequence[str]) -> np.ndarray:
        rows = np.zeros((len(texts), worlds.DIMENSION), dtype=np.float32)
        rows[:, 1:] = np.random.default_rng(2).normal(size=(len(texts), worlds.DIMENSION - 1)) / 20
        rows[0] = direction / np.linalg.norm(direction)
        return rows

    monkeypatch.setattr(describe_clusters, "prompt_vectors", read)
    return template


def champion(settings: Settings, number: int) -> None:
    with reading(settings) as session:
        serious = attributes.find(session, "serious")
        run = session.scalars(select(Run).where(Run.attribute_id == serious.id, Run.number == number)).one()
    factories.publish(settings, run)


def said(settings: Settings) -> list[Description]:
    with reading(settings) as session:
        return in_order(descriptions.of_clustering(session, 1))


def vectors() -> np.ndarray:
    """The vectors of the pool, by the number in an asset's id."""
    x = np.random.default_rng([judged.ASSETS, 0]).normal(size=(judged.ASSETS, worlds.DIMENSION))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def middle_of(settings: Settings, number: int) -> np.ndarray:
    """The mean vector of a cluster."""
    with reading(settings) as session:
        saved = clusterings.find(session, 1)
        names = dict(session.execute(select(Asset.id, Asset.asset_id)).all())
    keys = members.load(settings, saved.row.file).of(saved.cluster(number).place).tolist()
    return vectors()[[int(names[key][1:]) for key in keys]].mean(axis=0)


def most_serious(settings: Settings) -> int:
    """The number of the cluster with the largest share of images that are truly serious."""
    with reading(settings) as session:
        saved = clusterings.find(session, 1)
        names = dict(session.execute(select(Asset.id, Asset.asset_id)).all())
    x = vectors()
    held = members.load(settings, saved.row.file)
    share = [
        np.mean([x[int(names[key][1:]), 0] > 0.25 for key in held.of(one.place).tolist()]) for one in saved.clusters
    ]
    return saved.clusters[int(np.argmax(share))].number


def test_a_cluster_is_described_by_experts_its_champion_and_words(house: Settings) -> None:
    steps: list[tuple[int, int]] = []
    done = describe_clusters.run(house, lambda *step: steps.append(step), clustering=1)
    assert steps[-1] == (steps[-1][1], steps[-1][1])
    assert done["no_phrases"] == ""
    rows = [one for one in said(house) if one.number == most_serious(house)]
    assert next(one.value for one in rows if one.kind == "phrase") == vocabulary()[0]
    (audit,) = [one for one in rows if (one.kind, one.value) == ("audit", "serious")]
    assert audit.lo < audit.share < audit.hi
    assert audit.q is not None
    assert audit.q <= 0.1
    assert audit.share > audit.rest
    assert "Experts say “serious” (serious) for" in sentence(audit)
    assert "False discovery rate" in figures(audit)
    assert not [one for one in rows if (one.kind, one.value) == ("answers", "serious")], "said once"
    (probe,) = [one for one in rows if (one.kind, one.value) == ("probe", "serious")]
    assert (probe.p, probe.q, probe.lo) == (None, None, None)
    assert "not tested" in figures(probe)


def test_one_false_discovery_rate_covers_all_that_was_tested(house: Settings) -> None:
    describe_clusters.run(house, clustering=1)
    with reading(house) as session:
        row = session.get_one(Clustering, 1)
        kept = list(session.scalars(select(Description).where(Description.q.is_not(None))))
    basis = Basis.of(row)
    assert basis.tests > K * 4  # two and three classes, genres, twice where there are audits
    assert basis.images == judged.ASSETS
    # Benjamini and Hochberg: a p-value of rank r of all tests has q of at least p times tests over the rank.
    ranked = sorted(kept, key=lambda one: one.p)
    for one in ranked:
        at_most = sum(other.p <= one.p for other in ranked)
        assert one.q <= one.p * basis.tests / max(at_most, 1) + 1e-9
        assert one.q >= one.p


def test_a_columns_value_that_fills_a_cluster_is_told_and_ids_are_not(house: Settings) -> None:
    with reading(house) as session:
        saved = clusterings.find(session, 1)
    mine = set(members.load(house, saved.row.file).of(saved.cluster(2).place).tolist())
    with writing(house) as session:
        for asset in session.scalars(select(Asset)):
            palette = ["blue", "cold"] if asset.id in mine else ["red"]
            asset.columns = asset.columns | {
                "palette": palette, "mood": ", ".join(palette), "size": "1,5 m" if asset.id in mine else "2,5 m",
                "file": asset.asset_id, "tags": ["all"] if asset.id in mine or asset.id % 2 else ["all", "night"],
            }  # fmt: skip
    describe_clusters.run(house, clustering=1)
    columns = {(one.number, one.name, one.value) for one in said(house) if one.kind == "column"}
    assert {(2, "palette", "blue"), (2, "palette", "cold")} <= columns
    assert {(2, "mood", "blue"), (2, "mood", "cold"), (2, "size", "1,5 m")} <= columns, "as the taste space reads cells"
    assert "file" not in {name for _, name, _ in columns}
    (rarer,) = [one for one in said(house) if (one.number, one.name, one.value) == (2, "tags", "night")]
    assert sentence(rarer).startswith("The column tags is “night” for 0 % of these images, and for")
    assert sentence(rarer).endswith(": more than 10 times rarer.")
    assert (2, "palette", "red") not in columns, "it follows from what is more frequent"
    mine_said = [one for one in said(house) if one.number == 2 and one.kind != "phrase"]
    at = [one.share < one.rest for one in mine_said]
    assert at == sorted(at), "what is rarer comes last"


def test_a_job_that_is_killed_or_done_twice_leaves_whole_descriptions(
    house: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe_clusters.run(house, clustering=1)
    before = [(one.number, one.kind, one.value, one.q) for one in said(house)]

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(describe_clusters, "prompt_vectors", killed)
        with pytest.raises(KeyboardInterrupt):
            describe_clusters.run(house, clustering=1)
    assert [(one.number, one.kind, one.value, one.q) for one in said(house)] == before
    describe_clusters.run(house, clustering=1)
    assert [(one.number, one.kind, one.value, one.q) for one in said(house)] == before


def test_descriptions_are_asked_for_again_when_a_champion_moves(
    house: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []
    monkeypatch.setattr(jobs, "enqueue", lambda _, kind, **arguments: asked.append({"kind": kind} | arguments))
    describe_clusters.run(house, clustering=1)
    assert due_descriptions.ask(house) == 0
    champion(house, 1)
    assert due_descriptions.ask(house) == 1
    assert asked == [{"kind": "describe", "clustering": 1}]
    describe_clusters.run(house, clustering=1)
    assert due_descriptions.ask(house) == 0
    with writing(house) as session:
        attributes.find(session, "romance").answers_counter += 30
    assert due_descriptions.ask(house) == 1


def test_a_clustering_that_always_fails_lets_the_others_be_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = factories.workspace(tmp_path / "two")
    mapped.add(settings, 24)
    make_clusters.run(settings, k=2)
    make_clusters.run(settings, k=2, within="1:1")
    start, asked = now(), []
    monkeypatch.setattr(jobs, "hand_over", lambda *_: None)
    for minutes in range(0, 26 * 60, 11):
        at = start + timedelta(minutes=minutes)
        for module in (due_descriptions, jobs, descriptions):
            monkeypatch.setattr(module, "now", lambda at=at: at)
        if due_descriptions.ask(settings):
            with writing(settings) as session:
                job = session.scalars(select(Job).where(Job.state == "queued")).one()
                asked.append(job.arguments["clustering"])
                if job.arguments["clustering"] == 1:
                    job.state = "failed"
                else:
                    job.state, session.get_one(Clustering, 2).described_at = "done", at
    assert asked[:3] == [1, 2, 1], "both have their turn"
    assert asked.count(2) == 1
    assert 5 <= asked.count(1) <= 9, "one that fails rests ever longer, and is tried again in the end"
    assert asked[-1] == 1


def test_without_a_text_tower_there_are_no_words_and_it_says_why(template: Settings) -> None:
    done = describe_clusters.run(template, clustering=1)
    assert "encoder is not on this machine" in done["no_phrases"]
    assert not [one for one in said(template) if one.kind == "phrase"]
    with pytest.raises(UnknownClustering):
        describe_clusters.run(template, clustering=9)


def test_a_space_without_text_has_no_words(house: Settings, tmp_path: Path) -> None:
    with writing(house) as session:
        session.get_one(Clustering, 1).space_digest = "another version of the space"
    assert "no text" in describe_clusters.run(house, clustering=1)["no_phrases"]
