"""The pages of insights and the API: what owners read, what pipelines get, and what no expert ever does."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from flask import Flask
from sqlalchemy import select, update

from attune.labeler.assets.active_encoder import activate
from attune.labeler.insights import goes_with_kept, imported, insights, publishing
from attune.labeler.insights.words import EXAMPLES, words
from attune.labeler.jobs import jobs
from attune.labeler.measured import objects
from attune.labeler.people import tokens
from attune.labeler.performance import imports
from attune.labeler.records.schema import Asset, GoesWithRun, InsightQuestion, InsightVersion, Job, User
from attune.labeler.records.session import reading, writing
from attune.labeler.settings import Settings
from attune.labeler.views.insight_bars import canvas_line, shrunk_bar
from attune.models.clock import now
from attune.models.measured.objects import ObjectHead, Phrased
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import learn_goes_with, run_insights
from tests.labeler.catalog import worlds
from tests.labeler.web.conftest import Actor
from tests.support import factories, performed


def owner_id(settings: Settings) -> int:
    with reading(settings) as session:
        return session.scalars(select(User.id).where(User.email == "olga@example.org")).one()


@pytest.fixture
def answered(settings: Settings, tmp_path: Path) -> Settings:
    """A workspace with images, and one answered question about them."""
    assets = [(one.asset_id, one.title_id) for one in factories.add_assets(settings, 320, per_title=4)]
    performed.bring(settings, performed.files(tmp_path, assets, 0.4, ("home", "tv row")))
    run_insights.run(settings)
    return settings


def test_the_list_says_a_sentence_with_both_sides_and_the_wrong_figure_struck_through(
    answered: Settings, owner: Actor
) -> None:
    page = owner.get("/insights").text
    one = insights.listed(answered)[0]
    said = re.sub(r"\s+", " ", page)
    assert "Within a title, images with “smiles” are taken" in said
    assert "Grade A" in said
    assert "Probably between" in said
    assert "of titles it goes the other way, so test before" in said or "No title is known to go the other way" in said
    assert page.count("<figure") >= 2
    assert "/media/" in page
    evidence = owner.get(f"/insights/{one.row.id}").text
    for heading in ("More titles that show it", "On each canvas", "Two halves of the titles", "Confirm it with a test"):
        assert heading in evidence
    assert re.search(r"<del>.*all|<del>", evidence)
    assert '<a class="shown" href="/titles?title=' in evidence, "a picture leads to its title"
    (listed, *_) = re.findall(r'<circle class="value"[^>]*>', page)
    assert listed in evidence, "one scale for the list and the page"
    assert "As counted, looked at again and again" in evidence
    figures = evidence[evidence.index("On each canvas") : evidence.index("Two halves of the titles")]
    assert "For ideas only, not to publish" in figures
    assert all(part["exploratory"] for part in one.figures["canvases"])
    lucky = {"canvas": "tv row", "estimate": 0.5, "se": 0.2, "ci": [0.1, 0.9], "titles": 40}
    line = canvas_line(lucky | {"shrunk": {"estimate": 0.1, "se": 0.05}}, 1.0)
    assert line.bar is not None
    assert line.bar.said == "+11 %, between 0.2 % and 22 % more often"

    def told(**figures: object) -> str:
        with writing(answered) as session:
            row = session.get_one(InsightVersion, one.newest.id)
            row.figures = row.figures | figures
        return owner.get(f"/insights/{one.row.id}").text

    agree = told(share_other_way=0.0, examples=one.figures["examples"] | {"other": one.figures["examples"]["same"]})
    assert "Titles where it seems to go the other way" in agree
    assert "none is known to go the other way. That it seems so in these may be chance." in agree
    assert "The titles that answer it are too few" not in agree
    assert "The titles that answer it are too few" in told(tau=9.0)
    unsure = told(q=0.9)
    assert "Possible differences" in unsure
    assert unsure.count(shrunk_bar(one.figures, 1.0, enough=False).said.replace(" %", "\xa0%")) >= 3, "always the same"


def test_an_owner_asks_whether_it_depends_on_another_feature(settings: Settings, owner: Actor, tmp_path: Path) -> None:
    assets = [(one.asset_id, one.title_id) for one in factories.add_assets(settings, 320, per_title=4)]
    performed.bring(settings, performed.files(tmp_path, assets, 0.4))
    rows = ["asset_id,value", *(f"{name},{number % 2}" for number, (name, _) in enumerate(assets)), ""]
    (tmp_path / "dark.csv").write_text("\n".join(rows))
    imported.add(settings, str(tmp_path / "dark.csv"), "dark", "olga")
    wanted = {"feature": "smiles", "way": "depends", "other": "dark", "other_first": "1", "other_second": "0"}
    assert owner.send("/insights/questions", form="/insights", **wanted).status_code == 302
    assert owner.send("/insights/questions", form="/insights", **(wanted | {"way": "holding"})).status_code == 302
    assert owner.send("/insights/questions", form="/insights", **(wanted | {"other": "light"})).status_code == 422
    for sides in ({"other_second": ""}, {"other_second": "1"}, {"first": "1", "second": "gone"}):
        assert owner.send("/insights/questions", form="/insights", **(wanted | sides)).status_code == 422, sides
    run_insights.run(settings)
    number = next(one.row.id for one in insights.listed(settings) if one.question.feature == "smiles")
    page = owner.get(f"/insights/{number}").text
    assert "Does it depend on dark?" in page
    assert "No measurable difference between images with “dark” and images without “dark”." in page
    assert "And with the same dark?" in page
    assert page.count("the file is right about smiles") == 2, "not beside what dark says, too"
    told = owner.get(f"/api/v1/insights/{number}").json
    assert [len(told["depends"]), len(told["holding"])] == [1, 1]
    assert told["depends"][0]["high"]["ci"][0] > 0


def test_an_owner_runs_registers_publishes_and_retires(answered: Settings, owner: Actor, tmp_path: Path) -> None:
    number = insights.listed(answered)[0].row.id
    where = f"/insights/{number}"
    assert owner.send(f"{where}/publish", form=where, reason=" ").status_code == 422
    assert owner.send(f"{where}/publish", form=where, reason="<b>sure</b>", version="2").status_code == 422
    assert owner.send(f"{where}/publish", form=where, reason="<b>sure</b>", version="1").status_code == 302
    page = owner.get(where).text
    assert "&lt;b&gt;sure" in page
    assert "Published version 1" in page
    sent = owner.send("/insights/questions", form="/insights", feature="smiles", canvas="tv row")
    assert sent.status_code == 302
    assert "Only the half" not in owner.get("/insights").text
    with reading(answered) as session:
        row = session.scalars(select(InsightQuestion).where(InsightQuestion.canvas == "tv row")).first()
    assert row is not None
    assert row.titles == "confirmation"
    assert row.asked_by == "olga@example.org"
    assert owner.send("/insights/questions", form="/insights", feature="gone").status_code == 422
    (tmp_path / "tone.csv").write_text("asset_id,value\na,dark\nb,medium\nc,light\n")
    imported.add(answered, str(tmp_path / "tone.csv"), "tone", "olga")
    for chosen in ({}, {"first": "dark", "second": "1"}):  # as the form comes, and without script
        refused = owner.send("/insights/questions", form="/insights", feature="tone", canvas="home", **chosen)
        assert refused.status_code == 422
        form = re.search(r'id="h-ask".*?</form>', refused.text, re.S)
        assert form
        assert "different ones of dark" in form[0], "it stands at the form"
        assert '<option value="tone" selected>' in form[0], "and what was chosen stays"
        assert 'value="home"' in form[0]
        assert "--contrast" not in refused.text, "a page has no command line"
    for _ in range(2):
        assert owner.send("/insights").status_code == 302
    with reading(answered) as session:
        (job,) = session.scalars(select(Job).where(Job.kind == "insights"))
    assert job.arguments["asked_by"] == owner_id(answered)
    assert "Waiting for a worker" in owner.get("/insights").text
    refused = owner.send("/insights/questions", form="/insights", feature="gone").text
    assert "There is no feature" in refused
    assert "data-waiting" not in refused, "its address has no page to fetch again"
    assert "refresh" not in refused
    assert owner.send(f"{where}/retire", form=where, reason="the layout changed").status_code == 302
    page = owner.get(where).text
    assert "the layout changed" in page
    assert "Do not use it" in page
    assert "Plan the test" not in page
    assert "Retire forever" not in page
    listed = owner.get("/insights").text
    assert re.search(r"Retired .* by olga@example.org: the layout changed", listed[listed.index('id="h-retired"') :])


def test_an_owner_reads_a_titles_page_takes_its_brief_and_plans_a_test(answered: Settings, owner: Actor) -> None:
    one = insights.listed(answered)[0]
    title = one.figures["examples"]["same"][0]["title_id"]
    page = re.sub(r"\s+", " ", owner.get(f"/titles?title={title}").text)
    assert re.search("Other films, with(out)? “smiles”: taken less often", page)
    assert "avoid" not in page
    assert words(one).unchecked
    assert words(one).unchecked in page
    assert f'href="/insights/{one.row.id}"' in page
    assert "/media/" in page
    nowhere = owner.get("/titles?title=nowhere")
    assert nowhere.status_code == 404
    assert "No title of the pool has" in nowhere.text
    assert "attune assets list" not in nowhere.text  # who reads a page has no command line
    with writing(answered) as session:
        for image in session.scalars(select(Asset).where(Asset.title_id == title)):
            image.columns = {"title": "Balcony of Dunmere"}
    assert owner.get("/titles?title=of+dunmere").headers["Location"].endswith(f"/titles?title={title}")
    with writing(answered) as session:
        session.scalars(select(Asset).where(Asset.title_id != title)).first().columns = {"title": "Cat of Dunmere"}
    several = owner.get("/titles?title=dunmere").text
    assert "Which title?" in several
    assert "Balcony of Dunmere" in several
    assert "Cat of Dunmere" in several
    sent = owner.get(f"/titles/brief?title={title}&to=html")
    assert sent.headers["Content-Disposition"] == f'attachment; filename="brief-{title}.html"'
    assert words(one).unchecked in sent.text
    assert owner.get(f"/titles/brief?title={title}&to=docx").status_code == 422
    where = f"/api/v1/titles/{title}/brief"
    told = owner.get(where).get_json()
    (line,) = [row for row in told["lines"] if row["insight"] == one.row.id]
    assert (told["name"], line["grade"]) == ("Balcony of Dunmere", "A")
    assert "with “smiles”" in line["covers"]
    assert set(line["has"]) <= set(told["images"])
    assert owner.get(f"{where}?to=html").text == sent.text
    assert owner.get(f"{where}?to=pdf").data.startswith(b"%PDF")
    assert owner.get(f"{where}?to=docx").status_code == 422
    for nowhere in ("nowhere", "no/where", "no%2Fwhere"):  # an id may have slashes
        gone = owner.get(f"/api/v1/titles/{nowhere}/brief")
        assert (gone.status_code, nowhere.replace("%2F", "/") in gone.text) == (404, True)
    plan = owner.get(f"/insights/{one.row.id}/test").text
    assert "Do not stop earlier because it looks good" in plan
    rows = list(csv.DictReader(io.StringIO(owner.get(f"/insights/{one.row.id}/arms.csv").text)))
    assert len({row["title_id"] for row in rows}) * 2 == len(rows) > 60
    assert EXAMPLES in page
    assert EXAMPLES in sent.text
    assert f"{int(rows[0]['impressions']):,}".replace(",", "") in re.sub(r"[^0-9]", "", plan)


def test_what_goes_with_takes_has_pictures_a_plain_sentence_and_no_verdict(
    settings: Settings, tmp_path: Path, owner: Actor
) -> None:
    where, address = "/insights/goes-with", "/api/v1/insights/goes-with"
    assert "Nothing to learn from yet" in owner.get(where).text
    assets = [(one.asset_id, one.title_id) for one in factories.add_assets(settings, 320, per_title=4)]
    performed.bring(settings, performed.files(tmp_path, assets, 0.4))
    noise = {name: str(number % 7) for number, (name, _) in enumerate(assets)}
    lines = ["asset_id,value", *(f"{name},{value}.5" for name, value in noise.items()), ""]
    (tmp_path / "noise.csv").write_text("\n".join(lines))
    imported.add(settings, str(tmp_path / "noise.csv"), "noise", "olga")
    assert owner.get(address).status_code == 404
    for _ in range(2):
        assert owner.send(where, form=where).status_code == 302
    with reading(settings) as session:
        (job,) = session.scalars(select(Job).where(Job.kind == "goes_with"))
    steps: list[tuple[int, int]] = []
    learn_goes_with.run(settings, lambda done, total: steps.append((done, total)), **job.arguments)
    assert steps[-1] == (11, 11)
    assert "Stale" not in owner.get(where).text
    told = owner.get(address).get_json()
    first, second = told["features"]
    assert (told["grade"], told["stale"], first["feature"], second["feature"]) == ("D", False, "smiles", "noise")
    assert first["sides"][0]["side"] == "1"
    has = dict(line.split(",") for line in (tmp_path / "smiles.csv").read_text().splitlines())
    assert {has[name] for name in first["examples"]} == {"1"}
    page = re.sub(r"\s+", " ", owner.get(where).text)
    assert "Images with “smiles” go with" in page
    assert "noise adds nothing measurable beside the other features." in page
    assert "2 features were looked at" in page
    assert "Both methods agree" in page
    assert page.index("Both methods agree") < page.index("How this was learned") < page.index("Gradient boosting")
    assert page.count("<figure") == 4
    assert page.count("/media/") >= 4
    assert "better" not in page[page.index("<main") :]
    assert job.arguments["asked_by"] == owner_id(settings)
    with reading(settings) as session:
        row = goes_with_kept.last(session)
    assert row
    assert goes_with_kept.moved(settings, row) == []
    row.figures = row.figures | {"method": 1}
    imported.add(settings, str(tmp_path / "noise.csv"), "another", "olga")
    assert goes_with_kept.moved(settings, row) == ["new features", "Attune's method"]
    imports.remove(settings, 1, "another file", "olga")
    assert "Stale: the performance" in owner.get(where).text
    assert owner.get(address).get_json()["stale"]


def test_a_feature_says_what_it_means_and_a_stale_insight_what_to_press(
    answered: Settings, owner: Actor, tmp_path: Path
) -> None:
    one = insights.listed(answered)[0]
    number, where = one.row.id, "/insights/features/smiles"
    publishing.publish(answered, number, "seen", "olga")
    title = one.figures["examples"]["same"][0]["title_id"]
    assert "Nothing says what smiles means" in owner.get(f"/insights/{number}").text
    assert owner.send(f"{where}/means", form=where, means="<i>Somebody</i> smiles.").status_code == 302
    for page in (f"/insights/{number}", f"/titles?title={title}", "/insights/features", where):
        assert "&lt;i&gt;Somebody&lt;/i&gt; smiles." in owner.get(page).text, page
    assert "Somebody" in owner.get(f"/titles/brief?title={title}&to=html").text
    assert "right only if every value of the file is" in owner.get(where).text
    told = {row["feature"]: row for row in owner.get("/api/v1/insights/features").get_json()["features"]}
    assert told["smiles"]["means"] == "<i>Somebody</i> smiles."
    assert told["smiles"]["said"] == "Not checked by people yet."

    (tmp_path / "more.csv").write_text("asset_id,value\nelsewhere,1\nelsewhere-2,0\n")
    imported.add(answered, str(tmp_path / "more.csv"), "smiles", "olga")
    page = re.sub(r"\s+", " ", owner.get(f"/insights/{number}").text)
    assert "Stale: smiles has another version" in page
    assert "The figures and the grade describe what was there before" in page
    assert page.count("Answer again") == 2  # the sentence and the button
    assert "smiles." in page, "a new version keeps what it means"
    assert "Publish version" not in page
    for place, kind in (("/insights", "panel insight stale"), (f"/titles?title={title}", "brief-line stale")):
        told = owner.get(place).text
        card = told[told.index(f'class="{kind}"') :]
        assert "grade-a open" in card, "no green beside what is out of date"
        assert "Published, but out of date" in card
        assert "Have it answered again before you use it" in card
    assert "out of date" in page, "what is published and stale does not stand as published alone"


def test_beside_what_goes_with_takes_an_insight_says_its_grade_and_what_is_wrong_with_it(
    answered: Settings, owner: Actor, tmp_path: Path
) -> None:
    share = {"mean": 0.1, "low": 0.05, "high": 0.15}
    one = {"feature": "smiles", "boosting": share, "linear": share, "sides": [share | {"side": "1"}], "examples": []}
    figures = {"features": [one], "explains": {"boosting": share, "linear": share}, "uncorrected": [], "left_out": []}
    figures |= {"titles": 80, "all_titles": 80, "images": 320, "values": {}, "performance": [], "simulated": False}
    with writing(answered) as session:
        session.add(GoesWithRun(seed=0, figures=figures, made_by="olga", made_at=now()))

    def card() -> str:
        page = owner.get("/insights/goes-with").text
        return page[page.index('<li class="panel insight goes"') : page.index("“Without the feature”")]

    first, found = card(), insights.listed(answered)[0]
    assert first.index(words(found).sentence.replace(" %", "\xa0%")) < first.index("Grade D"), (
        "what counts stands first"
    )
    assert f"Grade {found.newest.grade}" in first
    assert "stale" not in first
    assert "simulated" not in first
    with writing(answered) as session:
        row = session.get_one(InsightVersion, found.newest.id)
        row.figures = row.figures | {"simulated": True}
    (tmp_path / "more.csv").write_text("asset_id,value\nelsewhere,1\nelsewhere-2,0\n")
    imported.add(answered, str(tmp_path / "more.csv"), "smiles", "olga")
    assert "stale" in card()
    assert "simulated" in card()


def test_an_empty_workspace_says_what_to_bring(owner: Actor) -> None:
    assert "attune performance add" in owner.get("/insights").text
    assert owner.get("/insights/1").status_code == 404
    refused = owner.send("/insights/questions", form="/insights", feature="gone")
    assert (refused.status_code, "There is no feature" in refused.text) == (422, True), "also where no form is shown"


def test_pipelines_get_what_is_published_and_experts_nothing(
    answered: Settings, app: Flask, owner: Actor, expert: Actor
) -> None:
    number = insights.listed(answered)[0].row.id
    pipeline = Actor(app)
    pipeline.client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {tokens.issue(answered, 'nightly', 'pipeline')}"
    assert pipeline.get("/api/v1/insights").get_json()["insights"] == []
    assert pipeline.get(f"/api/v1/insights/{number}").status_code == 404
    publishing.publish(answered, number, "seen", "olga")
    (one,) = pipeline.get("/api/v1/insights?grade=A&q=0.05").get_json()["insights"]
    assert (one["id"], one["state"], one["canvas"], one["grade"]) == (number, "published", None, "A")
    whole = pipeline.get(f"/api/v1/insights/{number}").get_json()
    assert [part["canvas"] for part in whole["canvases"]] == ["home", "tv row"]
    assert whole["examples"]["same"]
    table = pq.read_table(io.BytesIO(pipeline.get("/api/v1/insights.parquet").data))
    assert table["estimate"].to_pylist() == [one["estimate"]]
    assert table["low"].to_pylist() == [one["ci"][0]]
    ends = [table[name].to_pylist() for name in ("any_time_low", "any_time_high")]
    assert ends == [[end] for end in one["any_time"]["ci"]]
    assert owner.get("/api/v1/insights?grade=D").get_json()["insights"] == []
    assert owner.get("/api/v1/insights?q=much").status_code == 422
    for path in ("/insights", f"/insights/{number}", "/api/v1/insights", "/api/v1/insights.parquet"):
        assert expert.get(path).status_code == 403
    assert "Insights" not in expert.get("/").text


def test_an_owner_who_still_answers_gets_no_class_of_the_image_from_the_api(answered: Settings, owner: Actor) -> None:
    """The pages hide it, too: an image that waits for the own answer is not told with what a probe says of it."""
    one = insights.listed(answered)[0]
    where, gone = f"/api/v1/insights/{one.row.id}", "/api/v1/insights/goes-with"
    pair, *others = one.figures["examples"]["same"]
    first, second = (pair[side]["asset_id"] for side in ("first", "second"))
    added = {"boosting": {}, "linear": {}, "sides": [], "examples": [first, second]}
    figures = {"features": [{"feature": name, **added} for name in ("smiles", "gone")], "values": {}, "performance": []}
    olga = factories.add_expert(answered, "olga@example.org")
    queue = factories.add_queue(answered, factories.add_attribute(answered), olga)
    with writing(answered) as session:
        session.add(GoesWithRun(seed=0, figures=figures, made_by="olga", made_at=now()))
        session.scalars(select(User).where(User.email == olga.email)).one().expert_id = olga.id
        asset = session.scalars(select(Asset).where(Asset.asset_id == first)).one()
    factories.add_task(answered, queue, asset)
    assert owner.get(where).get_json()["examples"]["same"] == [pair, *others], "nobody is asked about smiles"
    with writing(answered) as session:
        session.execute(update(InsightQuestion).values(feature="romance"))  # gone: nobody knows who was asked
    assert owner.get(where).get_json()["examples"]["same"] == others
    told = {row["feature"]: row["examples"] for row in owner.get(gone).get_json()["features"]}
    assert told == {"smiles": [first, second], "gone": [second]}


def test_pipelines_get_the_published_version_and_owners_both(
    answered: Settings, owner: Actor, pipeline: Actor, tmp_path: Path
) -> None:
    number = insights.listed(answered)[0].row.id
    publishing.publish(answered, number, "seen", "olga")
    published = pipeline.get(f"/api/v1/insights/{number}").get_json()
    with reading(answered) as session:
        assets = [(row.asset_id, row.title_id or "") for row in session.execute(select(Asset.asset_id, Asset.title_id))]
    folder = tmp_path / "second"
    folder.mkdir()
    imports.add(answered, performed.files(folder, assets, -0.4, ("home",), seed=5).performance, arm="explore")
    run_insights.run(answered)
    (one,) = pipeline.get("/api/v1/insights").get_json()["insights"]
    whole = pipeline.get(f"/api/v1/insights/{number}").get_json()
    table = pq.read_table(io.BytesIO(pipeline.get("/api/v1/insights.parquet").data)).to_pylist()
    for told in (one, whole, table[0]):
        for name in ("estimate", "q", "grade", "sentence", "version", "state", "digest"):
            assert told[name] == published[name]
        assert told["stale"]
    mine = owner.get(f"/api/v1/insights/{number}").get_json()
    assert (mine["version"], mine["published"]["version"], mine["published_version"]) == (2, 1, 1)
    assert mine["estimate"] != mine["published"]["estimate"] == published["estimate"]
    assert "Published is version 1" in owner.get(f"/insights/{number}").text


def test_an_owner_names_an_object_and_a_worker_guesses_it(
    settings: Settings, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, sent = "/insights/features", []
    monkeypatch.setattr(jobs, "enqueue", lambda _, kind, **arguments: sent.append((kind, arguments)))
    assert "no insight uses it" in owner.get(where).text
    owner.send(where, phrase="a <b>dog</b>")
    assert "The pool is empty" in owner.get(where).text
    x = np.eye(worlds.DIMENSION, dtype=np.float32)[np.arange(100) % worlds.DIMENSION]
    names = [one.asset_id for one in factories.add_assets(settings, 100)]
    VectorStore(settings.vectors).append(worlds.FINGERPRINT, names, x)
    with writing(settings) as session:
        activate(session, worlds.FINGERPRINT)
    owner.send(where, phrase="a <b>dog</b>")
    assert "a &lt;b&gt;dog&lt;/b&gt;" in owner.get(where).text
    for wrong in ("", "Dog=a dog", "faces=a face", "x" * 101):
        owner.send(where, phrase=wrong)
    assert sent == [("measure", {"objects": ["a <b>dog</b>"]})], "what cannot be guessed is said at once"
    one = objects.made(settings, Phrased("dog", ("a dog",)), worlds.FINGERPRINT, ObjectHead(x[0], 0.0))
    one.values.append(names, ["x"] * 100, x[:, :1])
    objects.keep(settings, one)
    owner.send(where, phrase="dog=the dog")
    assert "It replaces dog from “a dog”" in owner.get(where).text
    assert re.search(r'class="button primary" name="size" value="120"', owner.get(f"{where}/dog").text)
