"""Objects by text prompts: guessed from the vectors, kept as a version, and no insight before people checked it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select

from attune.labeler.assets import active_encoder
from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.briefs.brief import brief
from attune.labeler.cli.main import attune
from attune.labeler.insights import (
    arms,
    audited,
    companions,
    features,
    goes_with,
    imported,
    insights,
    questions,
    removing,
)
from attune.labeler.insights.companions import HOLDING, Wanted
from attune.labeler.insights.insights import Told
from attune.labeler.insights.words import words
from attune.labeler.measured import checks, measure_objects, objects, values
from attune.labeler.measured.checked import checked
from attune.labeler.members import title_traits
from attune.labeler.people import viewer as viewers
from attune.labeler.people.viewer import Viewer
from attune.labeler.performance import imports
from attune.labeler.records.schema import Asset, Encoder, ImportedFeature, InsightRun
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views.features import feature_page, features_page, likeliest_images
from attune.labeler.views.insights import insights_page
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import AlreadyThere, DataError, EncoderError, EncoderMismatch, UnknownFeature
from attune.models.files.atomic import write_bytes
from attune.models.measured.measured_values import MeasuredValues
from attune.models.measured.objects import check_of, phrased
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import measure, run_insights
from tests.labeler.catalog import worlds
from tests.labeler.insights.asking import answered, asked, drawn
from tests.support import factories

IMAGES, ASKED, EFFECT = 800, 220, 0.4
WORDS = {"a dog": 0, "a puppy": 1, "a cat": 2}  # the axis that each phrase's vector is


def say(settings: Settings, fingerprint: Fingerprint = worlds.FINGERPRINT) -> None:
    """Put the phrases' vectors where the text tower would have left them."""
    for text, axis in WORDS.items():
        vector = np.eye(worlds.DIMENSION, dtype="<f4")[axis]
        write_bytes(active_encoder._place(settings, fingerprint, text), vector.tobytes())


def truth(x: np.ndarray) -> dict[str, str]:
    """Which images show a dog: those whose vector says so, with errors."""
    noisy = x[:, 0] + np.random.default_rng(2).normal(0, 0.2, len(x))
    return {f"a{one}": "yes" if dog else "no" for one, dog in enumerate(noisy > np.quantile(noisy, 0.8))}


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[str, str]]:
    """A pool with vectors and random performance, in which images of dogs are taken more often; nothing is measured."""
    folder = tmp_path_factory.mktemp("objects")
    made = worlds.make(folder / "workspace")
    dogs = truth(worlds.add_assets(made, IMAGES))
    say(made)
    rng = np.random.default_rng(4)
    lines = ["asset_id,title_id,canvas,impressions,takes"]
    for number, dog in enumerate(dogs.values()):
        rate = 0.05 * np.exp(EFFECT * (dog == "yes") + rng.normal(0, 0.05))
        lines.append(f"a{number},t{number // 2},home,20000,{rng.binomial(20000, rate)}")
    (folder / "takes.csv").write_text("\n".join([*lines, ""]))
    imports.add(made, str(folder / "takes.csv"), arm="explore")
    return made, dogs


def test_a_guess_is_no_insight_before_people_have_checked_it(
    pool: tuple[Settings, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, dogs = pool
    measure.run(settings, objects=["a dog", "a cat"])
    known = features.known(settings)
    assert (known["dog"].classes, known["dog"].kind, known["dog"].unchecked) == (("yes", "no"), "measured", True)
    assert "Draft: nobody has checked it." in [row.said for row in features_page(settings) if row.one.name == "dog"]
    row = questions.ask(settings, known["dog"], who="olga").row
    companions.ask(settings, row, known["dog"], Wanted(HOLDING, known["cat"]))
    run_insights.run(settings)
    (draft,) = insights.listed(settings)
    assert draft.figures["estimate"] is None
    assert draft.figures["uncorrected"] is None, "not even struck through"
    assert "nobody has checked it" in words(draft).basis
    with reading(settings) as session:
        (run,) = session.scalars(select(InsightRun))
    assert not {"dog", "cat"} & {*run.looked, *run.values}, "nobody has looked, and discovery asked nothing"
    assert not (known.keys() - audited.drafts(settings, known)) & {"dog", "cat"}

    name = asked(settings, check_of(phrased(["a dog"])[0]))
    ids = drawn(settings, name, ASKED)
    yes = sum(value == "yes" for value in (said(settings)[id_] for id_ in ids))
    assert 0.25 < yes / len(ids) < 0.6, "each class has its share, though one in ten says yes"
    answered(settings, name, ids[:59], dogs)
    run_insights.run(settings)
    few = insights.find(settings, draft.row.id)
    assert few.figures["estimate"] is None
    assert "people have checked 59 of 60 images" in words(few).basis
    page = feature_page(settings, "dog")
    assert page.draft
    with pytest.MonkeyPatch.context() as large_pool:
        large_pool.setattr(MeasuredValues, "read", lambda *_, **__: pytest.fail("the list read a values file"))
        drafts = insights_page(settings, Viewer("owner", "olga", 1)).drafts
    assert drafts == {"dog", "cat"}, "no form offers it as finished"
    assert page.said.startswith("A draft until 60 images are checked. People agree on")
    answered(settings, name, ids[59:], dogs)
    run_insights.run(settings)
    one = insights.find(settings, draft.row.id)
    assert one.newest.grade == "A"
    assert not one.seen, "it was asked before anybody could look"
    assert one.figures["corrected"]["audits"] == ASKED
    low, high = one.figures["corrected"]["ci"]
    assert low < EFFECT < high
    assert one.figures["uncorrected"]["estimate"] < 0.85 * EFFECT, "one in ten says yes, and twice as many show it"
    (held,) = one.figures[HOLDING]
    assert "cat is a draft" in held["why"]
    assert not feature_page(settings, "dog").draft
    told = checked(settings, "dog")
    assert told is not None
    assert (told.found.n, told.as_json()["draft"]) == (ASKED, False)

    said_of_single_images(settings, one, set(ids), dogs)
    with writing(settings) as session:
        attributes.find(session, name).classes = ["dog", "no"]
    known = features.known(settings)
    assert feature_page(settings, "dog").draft
    assert "dog" not in known.keys() - audited.drafts(settings, known), "one function says what a draft is"
    assert f"The classes of {name} were changed" in audited.why_draft(settings, known["dog"])
    with writing(settings) as session:
        attributes.find(session, name).classes = ["yes", "no"]

    viewer, (ids, chances) = Viewer("owner", "olga", 1), values_of(settings, "dog")
    first, second, *_ = (one.asset_id for one in likeliest_images(settings, viewer, "dog"))
    assert first == ids[int(np.argmax(chances))]
    monkeypatch.setattr(viewers, "waiting", lambda _: select(Asset.id).where(Asset.asset_id == first))
    assert likeliest_images(settings, viewer, "dog")[0].asset_id == second, "what waits for an answer of hers is hidden"

    measure.run(settings, objects=["hound=a dog"])
    known = features.known(settings)
    assert known["hound"].values == known["dog"].values != known["cat"].values
    assert questions.ask(settings, known["hound"], who="olga").again, "it is the question about the same words"
    assert likeliest_images(settings, viewer, "hound")[0].asset_id == second, "its name does not show what is asked"


def said_of_single_images(settings: Settings, one: Told, seen: set[str], dogs: dict[str, str]) -> None:
    """Of a single image only what people said of it: most images with a dog are guessed to be without."""
    pairs = [*one.figures["examples"]["same"], *one.figures["examples"]["other"]]
    assert pairs
    shown = [(pair["first"]["asset_id"], pair["second"]["asset_id"]) for pair in pairs]
    planned = [(arm.first, arm.second) for arm in arms.plan_test(settings, one).arms]
    for first, second in [*shown, *planned]:
        assert {first, second} <= seen
        assert (dogs[first], dogs[second]) == ("yes", "no")
    titles = {f"t{number}": (f"a{2 * number}", f"a{2 * number + 1}") for number in range(IMAGES // 2)}
    whole = next(title for title, images in titles.items() if seen.issuperset(images))
    (line,) = brief(settings, whole).lines
    assert sorted(line.has) == [name for name in titles[whole] if dogs[name] == "yes"]
    half = next(title for title, images in titles.items() if len(seen.intersection(images)) == 1)
    assert brief(settings, half).lines[0].covers == "Nobody knows yet which images of this title have it."
    with pytest.MonkeyPatch.context() as nobody:
        nobody.setattr(audited, "answers", lambda _, __, ids: np.full(len(ids), "", dtype=object))
        with pytest.raises(DataError, match="Of no title have people seen"):
            arms.plan_test(settings, one)


def test_what_reads_features_image_by_image_takes_no_guess(pool: tuple[Settings, dict[str, str]]) -> None:
    settings, _ = pool
    measure.run(settings, objects=["a cat"])
    assert "cat" in features.known(settings)
    assert not [name for name in title_traits.titles(settings, ["t0", "t1"]).features if name.startswith("cat")]
    with pytest.raises(DataError, match="no feature yet"):  # there are guesses, and nothing else
        goes_with.goes_with(settings)


def said(settings: Settings) -> dict[str, str | None]:
    """What is said of each image."""
    one = values.measured(settings, "dog")
    return dict(zip(one.ids, one.classes, strict=True))


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Forty images with vectors."""
    monkeypatch.setattr(measure_objects, "LEAST", 40)
    made = worlds.make(tmp_path / "workspace")
    worlds.add_assets(made, 40)
    say(made)
    return made


def test_images_that_come_later_are_judged_as_those_before(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure_objects, "BATCH", 16)

    def killed(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure.run(settings, killed, objects=["a dog"])
    assert not objects.listed(settings), "it counts once all images are measured"
    (done,) = measure.run(settings, objects=["a dog"])["objects"]
    assert (done["measured"], done["images"], done["version"]) == (24, 40, 1), "it goes on where it was"
    before = dict(zip(*values_of(settings, "dog"), strict=True))
    with pytest.raises(KeyboardInterrupt):
        measure.run(settings, killed, objects=["dog=a puppy"])
    assert dict(zip(*values_of(settings, "dog"), strict=True)) == before, "unfinished, it is not in use"
    digest = features.known(settings)["dog"].digest
    assert measure.run(settings, objects=["dog=a dog"])["objects"][0]["measured"] == 0
    assert features.known(settings)["dog"].digest == digest
    worlds.add_assets(settings, 30, first=40)

    def lacks(*_: object) -> None:
        raise EncoderError("The weights of the faces' detector are missing.")

    monkeypatch.setattr(measure, "values_of", lacks)
    with pytest.raises(EncoderError, match="faces"):
        measure.run(settings)
    (again,) = measure_objects.measure_again(settings)
    assert (again.measured, again.images, again.version) == (0, 70, 1), "they were measured first"
    after = dict(zip(*values_of(settings, "dog"), strict=True))
    assert {id_: after[id_] for id_ in before} == before
    values.forget(settings, ["a0", "a1"])
    every = [path.parent for path in objects.folder(settings).glob("dog/*/version.json")]
    assert len(every) == 2, "with the one that is not finished"
    for one in every:
        assert not {"a0", "a1"} & set(MeasuredValues(one.parent, one.name, ("dog",)).known())


def values_of(settings: Settings, name: str) -> tuple[tuple[str, ...], list[float]]:
    one = values.measured(settings, name)
    return one.ids, one.values.tolist()


def test_the_commands_say_that_it_is_a_draft(settings: Settings) -> None:
    def said(*arguments: str) -> str:
        done = CliRunner().invoke(attune, ["features", *arguments, "--workspace", str(settings.workspace)])
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())

    told = said("measure", "--object", "a dog")
    assert "dog version 1, from the words “a dog”: 40 images measured, 40 in all" in told
    assert "`attune features audit dog --size 120`" in told
    assert "Draft: nobody has checked it. Ask experts: `attune features audit dog --size 120`" in said("show", "dog")
    listed = json.loads(said("list", "--json"))["features"]
    assert [(one["feature"], one["draft"]) for one in listed] == [("dog", True)]
    assert checks.check_of(settings, "dog").question == "Does this image show a dog?"


def test_other_words_or_another_encoder_make_the_next_version(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    first = measure_objects.measure(settings, phrased(["a dog"]))[0]
    both = measure_objects.measure(settings, phrased(["dog=a puppy", "dog=a dog"]))[0]
    same = measure_objects.measure(settings, phrased(["dog=a dog", "dog=a puppy"]))[0]
    assert [one.version for one in (first, both, same)] == [1, 2, 2]
    assert features.known(settings)["dog"].version == 2
    with pytest.raises(DataError, match="--name dog-imported"):  # else its check would go on
        imported.add(settings, "dogs.csv", "dog")
    with writing(settings) as session, pytest.raises(AlreadyThere, match="An object by words is called 'dog'"):
        attributes.create(session, Definition("dog", "A dog?", ("yes", "no")), settings)
    checks._question(settings, check_of(objects.listed(settings)[0].phrased))
    with pytest.raises(DataError, match="People are asked about dog as"):
        measure_objects.measure(settings, phrased(["dog=a cat"]))
    other = replace(worlds.FINGERPRINT, weights="cd" * 32)
    with writing(settings) as session:
        (row,) = session.scalars(select(Encoder))
        row.digest, row.fingerprint = other.digest, other.to_dict()
    (left,) = measure_objects.measure_again(settings)
    assert left.problem, "no image has a vector of it yet, and the values from before stand"
    assert features.known(settings)["dog"].version == 2
    x = np.random.default_rng(5).permutation(np.tile(np.eye(worlds.DIMENSION, dtype=np.float32), (5, 1)))
    VectorStore(settings.vectors).append(other, [f"a{one}" for one in range(40)], x)
    say(settings, other)
    with monkeypatch.context() as now_:
        now_.setattr(measure_objects, "active_fingerprint", lambda _: worlds.FINGERPRINT)
        assert "encoder was changed while" in measure_objects.measure_again(settings)[0].problem
    (again,) = measure_objects.measure_again(settings)
    assert (again.version, again.images, again.problem) == (3, 40, "")


@pytest.mark.parametrize("name", ["/proc/x.csv", "../objects", "..", "cat/.."])
def test_a_path_is_nobodys_name(settings: Settings, name: str) -> None:
    with pytest.raises(UnknownFeature, match="There is no feature"):
        removing.remove(settings, name, "not needed", "ana")


def test_an_object_is_removed_unless_people_check_it_and_comes_back_as_the_next_version(settings: Settings) -> None:
    measure.run(settings, objects=["a dog", "a cat"])
    checks._question(settings, check_of(phrased(["a dog"])[0]))
    with pytest.raises(DataError, match="Experts check dog by the question check-dog"):
        removing.remove(settings, "dog", "wrong words", "olga")
    assert removing.remove(settings, "cat", "wrong words", "olga").version == 1
    assert [one.name for one in objects.listed(settings)] == ["dog"]
    assert "cat" not in features.known(settings)
    assert [one.name for one in measure_objects.measure_again(settings)] == ["dog"], "later images are not judged"
    (again,) = measure.run(settings, objects=["a cat"])["objects"]
    assert (again["version"], again["measured"]) == (2, 40)
    assert removing.remove(settings, "cat", "again", "olga").version == 2
    assert objects.find(settings, "cat") is None
    with pytest.raises(DataError, match="attune attribute show serious"):
        removing.remove(settings, "serious", "wrong", "olga")
    with reading(settings) as session:
        serious = attributes.find(session, "serious")
    factories.publish(settings, factories.add_run(settings, serious, 1))
    with pytest.raises(DataError, match="attune probes retire serious 1 "):
        removing.remove(settings, "serious", "wrong", "olga")


def test_words_need_a_text_tower_images_and_a_name_of_their_own(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    with monkeypatch.context() as few:
        few.setattr(measure_objects, "LEAST", 41)
        with pytest.raises(DataError, match="The pool has 40 images with a vector"):
            measure.run(settings, objects=["a dog"])
    with writing(settings) as session:
        session.add(ImportedFeature(name="cat", version=1, classes=["yes", "no"], rows=1, faults=[], file="x",
                                    source="x", added_by="", added_at=now()))  # fmt: skip
    for given, words_ in (
        ("serious=a dog", "a question"), ("cat=a cat", "an imported feature"), ("faces=a face", "measured feature"),
        ("brightness-bands=light", "measured feature"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=words_):
            measure.run(settings, objects=["a dog", given])
    assert not objects.listed(settings), "all of them are looked at before the first is kept"
    external = Fingerprint("external", "vectors", "external:0", worlds.DIMENSION)
    with writing(settings) as session:
        session.execute(delete(Encoder))
        session.add(Encoder(digest=external.digest, fingerprint=external.to_dict(), active=True, added_at=now()))
    VectorStore(settings.vectors).append(external, ["a0"], np.eye(worlds.DIMENSION, dtype=np.float32)[:1])
    with pytest.raises(EncoderMismatch, match="supplied vectors"):
        measure.run(settings, objects=["a dog"])
