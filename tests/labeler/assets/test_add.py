"""`assets add` takes what can be taken, names what cannot, and can be run again at any time."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import select

from attune.labeler.assets import add as adding
from attune.labeler.assets.active_encoder import active_fingerprint, prompt_vectors
from attune.labeler.assets.add import Request, add
from attune.labeler.assets.proposed import VectorNames
from attune.labeler.assets.remove import remove
from attune.labeler.assets.summary import Summary
from attune.labeler.records.schema import Asset, Encoder
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.models.errors import DataError, EncoderMismatch, UnreadableItem, WeightsUnavailable
from attune.models.vectors.vector_store import VectorStore
from tests.labeler.assets.conftest import write_vectors
from tests.support import images, web
from tests.support.factories import picture

pytestmark = pytest.mark.torch


def put_in(settings: Settings, *paths: object, **options: object) -> Summary:
    return add(settings, Request([str(path) for path in paths], **options))  # type: ignore[arg-type]


def held(settings: Settings) -> dict[str, Asset]:
    with reading(settings) as session:
        return {asset.asset_id: asset for asset in session.scalars(select(Asset).where(Asset.removed_at.is_(None)))}


def vectors(settings: Settings) -> dict[str, np.ndarray]:
    with reading(settings) as session:
        active = active_fingerprint(session)
    assert active is not None
    read = VectorStore(settings.vectors).read(active)
    return dict(zip(read.ids.tolist(), np.concatenate(read.blocks), strict=True))


def test_a_folder_is_taken_with_its_folders_and_embedded(settings: Settings, folder: Path) -> None:
    (folder / "notes.txt").write_text("not an image, and says so")
    (folder / ".DS_Store").write_bytes(b"hidden")
    (folder / "no suffix").write_bytes(picture(77))
    summary = put_in(settings, folder)
    assert (summary.added, summary.embedded, summary.passed_over, summary.refused) == (7, 7, 1, [])
    assert set(held(settings)) == {"a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg", "no suffix"}
    asset = held(settings)["e.jpg"]
    assert (asset.title_id, asset.width, asset.height) == ("e.jpg", 240, 320)
    assert asset.uri == str(folder / "one" / "e.jpg")
    assert set(vectors(settings)) == set(held(settings))


def test_again_nothing_changes_and_what_is_new_is_added(settings: Settings, folder: Path) -> None:
    put_in(settings, folder)
    before = vectors(settings)
    again = put_in(settings, folder)
    assert (again.added, again.already_there, again.embedded) == (0, 6, 0)
    (folder / "new.jpg").write_bytes(picture(99))
    more = put_in(settings, folder / "new.jpg", folder)
    assert (more.added, more.already_there, more.embedded, more.pool) == (1, 6, 1, 7)
    assert all(np.array_equal(vectors(settings)[id_], vector) for id_, vector in before.items())


def test_odd_images_are_taken_and_broken_ones_refused_one_by_one(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name, content in images.GOOD.items():
        (folder / name).write_bytes(content)
    for name, (content, _) in images.BAD.items():
        (folder / name).write_bytes(content)
    summary = put_in(settings, folder)
    assert summary.added == summary.embedded == len(images.GOOD)
    assert {item: reason for item, reason, _ in summary.refused} == {
        name: reason for name, (_, reason) in images.BAD.items()
    }
    assert summary.notes == {"animated: its first frame counts": 1, "PNG content under the name .jpg": 1}
    examples = {what: example for what, _, example in summary.rows()}
    assert examples["PNG content under the name .jpg"].endswith(".jpg")
    assert "été 夏 ☀.webp" in held(settings)


def test_a_name_that_is_no_text_is_refused_and_the_rest_goes_on(settings: Settings, folder: Path) -> None:
    with open(os.fsencode(folder) + b"/caf\xe9.jpg", "wb") as file:
        file.write(picture(50))
    summary = put_in(settings, folder)
    assert summary.added == 6
    [(_, reason, message)] = summary.refused
    assert reason == "bad name"
    assert "caf\\udce9.jpg is a name that is not UTF-8 text" in message


def test_files_of_one_name_get_their_paths_as_ids_whatever_the_order(settings: Settings, folder: Path) -> None:
    (folder / "one" / "x.jpg").write_bytes(picture(20))
    (folder / "two" / "x.jpg").write_bytes(picture(21))
    put_in(settings, folder)
    assert {"one/x.jpg", "two/x.jpg"} <= set(held(settings))
    (folder / "x.jpg").write_bytes(picture(22))
    assert put_in(settings, folder).added == 1
    assert put_in(settings, folder / "one").already_there == 2, "a file keeps the id it once got"
    assert set(held(settings)) >= {"x.jpg", "one/x.jpg", "two/x.jpg"}


def test_the_same_image_under_another_id_is_kept_and_not_computed_again(settings: Settings, folder: Path) -> None:
    (folder / "copy.jpg").write_bytes(picture(0))
    first = put_in(settings, folder)
    assert (first.added, first.twins, first.embedded, first.vectors_copied) == (7, 1, 6, 1)
    (folder / "later.jpg").write_bytes(picture(0))
    later = put_in(settings, folder)
    assert (later.added, later.twins, later.embedded, later.vectors_copied) == (1, 1, 0, 1)
    found = vectors(settings)
    assert np.array_equal(found["a.jpg"], found["copy.jpg"])
    assert np.array_equal(found["a.jpg"], found["later.jpg"])


def test_other_content_under_a_known_id_is_refused_with_the_next_step(settings: Settings, folder: Path) -> None:
    put_in(settings, folder)
    (folder / "a.jpg").write_bytes(picture(40))
    summary = put_in(settings, folder)
    assert (summary.added, summary.already_there) == (0, 5)
    [(item, reason, message)] = summary.refused
    assert (item, reason) == ("a.jpg", "other content under a known id")
    assert "another image than a.jpg" in message
    assert "--manifest" in message
    assert vectors(settings).keys() == held(settings).keys()


def test_a_file_that_moved_is_found_again(settings: Settings, folder: Path) -> None:
    put_in(settings, folder)
    (folder / "a.jpg").rename(folder / "two" / "a.jpg")
    assert put_in(settings, folder).already_there == 6
    assert held(settings)["a.jpg"].uri == str(folder / "two" / "a.jpg")


def test_a_removed_asset_stays_out_until_it_is_asked_back(settings: Settings, folder: Path) -> None:
    put_in(settings, folder)
    remove(settings, ["a.jpg"])
    summary = put_in(settings, folder)
    assert [reason for _, reason, _ in summary.refused] == ["removed before"]
    assert "a.jpg" not in held(settings)
    assert "a.jpg" not in vectors(settings)
    back = put_in(settings, folder, restore=True)
    assert (back.restored, back.embedded, back.pool) == (1, 1, 6)


def test_nothing_at_a_path_is_said_and_the_other_paths_go_on(settings: Settings, folder: Path) -> None:
    summary = put_in(settings, folder / "nowhere", folder / "a.jpg")
    assert summary.added == 1
    assert [reason for _, reason, _ in summary.refused] == ["missing"]


# -- manifests ---------------------------------------------------------------------------------------------------------
def test_a_manifest_gives_ids_titles_and_columns_and_decides_what_is_taken(settings: Settings, folder: Path) -> None:
    manifest = folder / "list.csv"
    manifest.write_text("asset_id,filename,title_id,country\nA1,a.jpg,film,FR\nA2,b.jpg,film,\nA3,one/e.jpg,,SE\n")
    summary = put_in(settings, folder, manifest=manifest)
    assert (summary.added, summary.not_in_manifest) == (3, 3)
    found = held(settings)
    assert {id_: (asset.title_id, asset.columns) for id_, asset in found.items()} == {
        "A1": ("film", {"country": "FR"}),
        "A2": ("film", {"country": ""}),
        "A3": ("A3", {"country": "SE"}),
    }
    manifest.write_text("asset_id,filename,title_id,country\nA1,a.jpg,other film,DE\n")
    again = put_in(settings, folder, manifest=manifest)
    assert (again.already_there, again.updated) == (1, 1)
    assert (held(settings)["A1"].title_id, held(settings)["A1"].columns) == ("other film", {"country": "DE"})


def test_images_are_read_from_a_server_that_is_listed(settings: Settings, tmp_path: Path) -> None:
    settings = replace(settings, image_sources="file, http", private_hosts="127.0.0.1")
    place = tmp_path / "served" / "catalogue"
    (place / "deep").mkdir(parents=True)
    (place / "other").mkdir()
    for number in range(3):
        (place / f"deep/{number}.jpg").write_bytes(picture(number))
    (place / "cut.jpg").write_bytes(picture(1)[:500])
    with web.folder(tmp_path / "served") as address:
        summary = put_in(settings, f"{address}/catalogue")
        assert (summary.added, summary.embedded) == (3, 3)
        assert [item for item, _, _ in summary.refused] == ["cut.jpg"]
        assert held(settings)["1.jpg"].uri == f"{address}/catalogue/deep/1.jpg"
        (place / "deep/x.jpg").write_bytes(picture(20))
        (place / "other/x.jpg").write_bytes(picture(21))
        assert put_in(settings, f"{address}/catalogue/").added == 2
        assert {"deep/x.jpg", "other/x.jpg"} <= set(held(settings))
        manifest = tmp_path / "list.csv"
        manifest.write_text(f"asset_id,uri\nm2,{address}/catalogue/deep/2.jpg\nm9,{address}/catalogue/9.jpg\n")
        listed = put_in(settings, manifest=manifest)
    assert (listed.added, listed.vectors_copied) == (1, 1)
    assert [reason for _, reason, _ in listed.refused] == ["missing"]


# -- vectors -----------------------------------------------------------------------------------------------------------
def test_ready_made_vectors_are_matched_by_id_name_or_stem(settings: Settings, folder: Path, tmp_path: Path) -> None:
    matrix = write_vectors(tmp_path / "v.npz", ["a.jpg", "b", "A3", "nobody's"])
    manifest = folder / "list.csv"
    manifest.write_text("asset_id,filename\na,a.jpg\nbee,b.jpg\nA3,c.jpg\nlonely,d.jpg\n")
    summary = put_in(settings, folder, manifest=manifest, vectors=tmp_path / "v.npz")
    assert (summary.added, summary.vectors_imported, summary.vectors_without_image) == (4, 3, 1)
    assert summary.without_vector == ["lonely"]
    found = vectors(settings)
    for row, id_ in enumerate(["a", "bee", "A3"]):
        np.testing.assert_allclose(found[id_], matrix[row], atol=1e-3)
    with reading(settings) as session:
        encoder = session.scalars(select(Encoder)).one()
    assert encoder.active
    assert encoder.fingerprint["weights"].startswith("external:")
    assert prompt_vectors(settings, ["a serious face"]) is None


def test_vectors_of_another_encoder_are_refused_before_anything_is_added(
    settings: Settings, folder: Path, tmp_path: Path
) -> None:
    write_vectors(tmp_path / "v.npz", ["a", "b"])
    put_in(settings, folder / "a.jpg", vectors=tmp_path / "v.npz")
    write_vectors(tmp_path / "w.npz", ["b", "c"], seed=1)
    with pytest.raises(EncoderMismatch) as error:
        put_in(settings, folder / "b.jpg", vectors=tmp_path / "w.npz")
    for words in ("The pool's encoder is external vectors", "differs in weights", "--fingerprint", "--workspace"):
        assert words in str(error.value)
    assert set(held(settings)) == {"a.jpg"}
    kept = str(error.value).split("--fingerprint ")[1].split(". If not")[0]
    summary = put_in(settings, folder / "b.jpg", vectors=tmp_path / "w.npz", fingerprint=Path(kept))
    assert (summary.added, summary.vectors_imported) == (1, 1)


def test_a_fingerprint_may_be_given_with_the_vectors(settings: Settings, folder: Path, tmp_path: Path) -> None:
    write_vectors(tmp_path / "v.npz", ["a", "b"])
    said = {"library": "open_clip", "model": "ViT-B-32", "weights": "ab" * 32, "dimension": 8}
    (tmp_path / "f.json").write_text(json.dumps(said))
    put_in(settings, folder / "a.jpg", vectors=tmp_path / "v.npz", fingerprint=tmp_path / "f.json")
    with reading(settings) as session:
        active = active_fingerprint(session)
    assert active is not None
    assert (active.model, active.weights) == ("ViT-B-32", "ab" * 32)
    with pytest.raises(EncoderMismatch, match="Set ATTUNE_ENCODER"):
        put_in(settings, folder)


def test_vectors_that_fit_no_image_stop_the_command(settings: Settings, folder: Path, tmp_path: Path) -> None:
    write_vectors(tmp_path / "v.npz", ["x1", "x2"])
    with pytest.raises(DataError, match=r"None of the 2 vectors belongs to one of the 6 images.*'x1', 'x2'.*'a.jpg'"):
        put_in(settings, folder, vectors=tmp_path / "v.npz")
    assert held(settings) == {}


def test_an_image_embedded_later_needs_the_encoder_of_the_pool(
    settings: Settings, folder: Path, tmp_path: Path
) -> None:
    put_in(settings, folder / "a.jpg")
    write_vectors(tmp_path / "v.npz", ["b"])
    with pytest.raises(EncoderMismatch, match="The pool's encoder is open_clip attune-sample"):
        put_in(settings, folder / "b.jpg", vectors=tmp_path / "v.npz")


def test_without_weights_nothing_is_added_and_the_ways_out_are_named(folder: Path, tmp_path: Path) -> None:
    from tests.support.factories import workspace

    bare = workspace(tmp_path / "bare", pretrained=str(tmp_path / "none.pt"))
    with pytest.raises(WeightsUnavailable, match="--vectors FILE"):
        put_in(bare, folder)
    assert held(bare) == {}


def test_prompts_are_vectors_of_the_pools_space_and_kept(settings: Settings, folder: Path) -> None:
    put_in(settings, folder / "a.jpg")
    made = prompt_vectors(settings, ["two people", "a face", "two people"])
    assert made is not None
    assert made.shape == (3, len(next(iter(vectors(settings).values()))))
    assert np.array_equal(made[0], made[2])
    assert len(list((settings.workspace / "cache" / "prompts").rglob("*.f32"))) == 2
    again = prompt_vectors(settings, ["a face"])
    assert again is not None
    assert np.array_equal(again[0], made[1])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("name,title\na.jpg,x\n", "has no column uri or filename \\(found: name, title"),
        ("", "has no column uri or filename \\(found: nothing"),
        ("filename\ncaf\xe9.jpg\n", "is not UTF-8 text"),
    ],
)
def test_a_manifest_that_is_none_is_refused_as_a_whole(
    settings: Settings, folder: Path, content: str, words: str
) -> None:
    path = folder / "list.csv"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(UnreadableItem, match=words):
        put_in(settings, folder, manifest=path)


# -- ids and tables ----------------------------------------------------------------------------------------------------
def test_numbers_of_a_parquet_manifest_become_ids(settings: Settings, folder: Path, tmp_path: Path) -> None:
    files = ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "one/e.jpg", "two/f.jpg"]
    columns = {"asset_id": [0.0, 7.0, 1e15, None, 2.0**60, 7.5], "filename": files, "title_id": [0, 1, None, 1, 2, 2]}
    pq.write_table(pa.table(columns), tmp_path / "m.parquet")
    write_vectors(tmp_path / "v.npz", ["a.jpg", "b", "1000000000000000", "d", "7.5"])
    summary = put_in(settings, folder, manifest=tmp_path / "m.parquet", vectors=tmp_path / "v.npz")
    titles = {"0": "0", "7": "1", "1000000000000000": "1000000000000000", "d.jpg": "1", "7.5": "2"}
    assert {id_: asset.title_id for id_, asset in held(settings).items()} == titles
    [(item, reason, message)] = summary.refused
    assert (item, reason) == ("row 5", "bad id")
    assert "lost its last digits" in message
    assert (summary.vectors_imported, summary.without_vector) == (5, [])


def test_rows_that_cannot_be_read_are_named_by_line(settings: Settings, folder: Path, tmp_path: Path) -> None:
    manifest = folder / "list.csv"
    note = "x" * 140_000
    rows = ["asset_id,filename,note", f'A,a.jpg,"{note}"', "B,b.jpg", 'C,c.jpg,"hm', "D,d.jpg,x,y", "E,one/e.jpg,x"]
    manifest.write_text("\n".join([*rows, "E,one/e.jpg,x", "E,one/e.jpg,other"]))
    write_vectors(tmp_path / "v.npz", ["A", "C", "E"])
    summary = put_in(settings, folder, manifest=manifest, vectors=tmp_path / "v.npz")
    assert set(held(settings)) == {"A", "C", "E"}
    assert held(settings)["A"].columns == {"note": note}
    assert [(item, reason) for item, reason, _ in summary.refused] == [
        ("line 3", "too few fields"),
        ("line 5", "too many fields"),
        ("line 8", "named twice"),
    ]
    assert (summary.repeated, summary.vectors_imported) == (1, 3)


def test_a_manifest_without_ids_gives_those_of_folders(settings: Settings, folder: Path, tmp_path: Path) -> None:
    for number, title in enumerate(["t1", "t2"]):
        (folder / title).mkdir()
        (folder / title / "poster.jpg").write_bytes(picture(30 + number))
    manifest = tmp_path / "m.jsonl"
    rows = [{"filename": name, "title_id": name[:2]} for name in ("t1/poster.jpg", "t2/poster.jpg", "a.jpg")]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows) + "oops\n")
    write_vectors(tmp_path / "v.npz", ["t1/poster.jpg", "t2/poster", "a"])
    summary = put_in(settings, folder, manifest=manifest, vectors=tmp_path / "v.npz")
    assert set(held(settings)) == {"t1/poster.jpg", "t2/poster.jpg", "a.jpg"}
    assert (summary.vectors_imported, [item for item, _, _ in summary.refused]) == (3, ["line 4"])
    assert held(settings)["t2/poster.jpg"].title_id == "t2"
    again = put_in(settings, folder, manifest=manifest, vectors=tmp_path / "v.npz")
    assert (again.added, again.already_there) == (0, 3)


def test_a_shared_stem_never_gives_another_images_vector(settings: Settings, tmp_path: Path) -> None:
    for number, name in enumerate(["one/a.jpg", "one/b.jpg", "two/a.png", "two/c.jpg"]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(picture(number))
    matrix = write_vectors(tmp_path / "v.npz", ["a", "b", "c.jpg", "d"])
    assert put_in(settings, tmp_path / "one", vectors=tmp_path / "v.npz").vectors_imported == 2
    summary = put_in(settings, tmp_path / "two", vectors=tmp_path / "v.npz")
    assert (summary.added, summary.vectors_imported, summary.without_vector) == (2, 1, ["a.png"])
    assert summary.vectors_unclear == {"a": ["a.jpg", "a.png"]}
    assert summary.to_dict()["vectors"]["ambiguous"] == [{"id": "a", "images": ["a.jpg", "a.png"]}]
    found = vectors(settings)
    assert set(found) == {"a.jpg", "b.jpg", "c.jpg"}
    np.testing.assert_allclose(found["a.jpg"], matrix[0], atol=1e-3)
    again = put_in(settings, tmp_path / "two" / "a.png", vectors=tmp_path / "v.npz")
    assert (again.vectors_imported, set(again.vectors_unclear)) == (0, {"a"})


def test_a_shared_name_is_the_image_that_has_it_as_its_id(settings: Settings, tmp_path: Path) -> None:
    for number, name in enumerate(["t1/poster.jpg", "t2/poster.jpg"]):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(picture(number))
    matrix = write_vectors(tmp_path / "v.npz", ["poster.jpg", "t2"])
    put_in(settings, tmp_path / "t1", vectors=tmp_path / "v.npz")
    summary = put_in(settings, tmp_path / "t2", vectors=tmp_path / "v.npz")
    assert (summary.added, summary.without_vector) == (1, ["t2/poster.jpg"])
    assert set(vectors(settings)) == {"poster.jpg"}
    np.testing.assert_allclose(vectors(settings)["poster.jpg"], matrix[0], atol=1e-3)


def test_a_stem_that_is_a_whole_name_is_that_images(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "a").write_bytes(picture(1))
    (folder / "a.jpg").write_bytes(picture(2))
    (folder / "cafe\u0301.jpg").write_bytes(picture(3))
    matrix = write_vectors(tmp_path / "v.npz", ["a", "caf\u00e9"])
    summary = put_in(settings, folder, vectors=tmp_path / "v.npz")
    assert (summary.vectors_imported, summary.without_vector) == (2, ["a.jpg"])
    np.testing.assert_allclose(vectors(settings)["a"], matrix[0], atol=1e-3)
    assert remove(settings, ["cafe\u0301.jpg"]).removed == ["caf\u00e9.jpg"]


def test_where_every_vector_is_unclear_nothing_is_added(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "a.png").write_bytes(picture(1))
    (folder / "a.jpg").write_bytes(picture(2))
    write_vectors(tmp_path / "v.npz", ["a"])
    with pytest.raises(DataError, match=r"'a' fits a\.jpg and a\.png"):
        put_in(settings, folder, vectors=tmp_path / "v.npz")
    assert held(settings) == {}


IMAGES = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["", ".png", ".jpg"])), unique=True, max_size=6
)


@given(images=IMAGES, keys=st.lists(st.sampled_from(["a", "b", "a.png", "a.jpg", "b.png"]), unique=True))
def test_a_row_is_of_one_image_that_no_other_could_be(images: list[tuple[str, str]], keys: list[str]) -> None:
    names = [stem + suffix for stem, suffix in images]
    found = VectorNames(keys, [(name, name) for name in names])
    rows = {name: row for name in names if (row := found.row(name, name)) is not None}
    assert len(set(rows.values())) == len(rows)
    for name, row in rows.items():
        others = [other for other in names if other != name and keys[row] in (other, other.partition(".")[0])]
        assert keys[row] == name or not others


def test_a_row_7_0_is_the_image_7s() -> None:
    found = VectorNames(["7.0", "8.0", "8", "9.0"], [(name, f"{name}.png") for name in ("7", "8", "9.0")])
    assert [found.row(name, f"{name}.png") for name in ("7", "8", "9.0", "9")] == [0, 2, 3, None]


@pytest.mark.slow
def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed_in_a_transaction(settings: Settings, folder: Path) -> None:
    register = adding.register

    def registered(*arguments: Any) -> None:
        if register(*arguments):
            die()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adding, "register", registered)
        put_in(settings, folder)


def killed_after_some_are_recorded(settings: Settings, folder: Path) -> None:
    add(settings, Request([str(folder)]), lambda done, _: die() if done >= 120 else None)


def killed_after_some_are_embedded(settings: Settings, folder: Path) -> None:
    add(settings, Request([str(folder)]), embedding_bar=lambda done, _: die() if done >= 64 else None)


def test_killed_at_any_instant_it_goes_on_where_it_was(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(200):
        (folder / f"{number}.png").write_bytes(picture(number, (48, 48)))
    monkeypatch.setattr(adding, "CHUNK", 40)
    for killed, recorded in (
        (killed_in_a_transaction, 0),
        (killed_after_some_are_recorded, 120),
        (killed_after_some_are_embedded, 200),
    ):
        # A copy of this process: a command would import all of Attune each time.
        command = multiprocessing.get_context("fork").Process(target=killed, args=(settings, folder))
        command.start()
        command.join()
        assert command.exitcode == -signal.SIGKILL
        assert len(held(settings)) == recorded
    assert 0 < len(vectors(settings)) < 200
    summary = put_in(settings, folder)
    assert summary.added + summary.already_there == 200
    assert sorted(vectors(settings)) == sorted(held(settings))
    assert len(held(settings)) == 200


def test_what_becomes_one_colour_is_named(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "logos"
    folder.mkdir()
    shape = Image.new("L", (120, 120))
    shape.paste(255, (30, 30, 80, 90))
    for name, light in (("white.png", 255), ("nearly white.png", 250), ("dark.png", 20)):
        logo = Image.new("LA", shape.size, light)
        logo.putalpha(shape)
        logo.save(folder / name)
    Image.new("RGB", (40, 40), "red").save(folder / "red.png")
    palette = Image.new("P", (40, 40), 1)
    palette.putpalette([0, 0, 0, 255, 255, 255])
    palette.paste(0, (5, 5, 20, 20))
    palette.save(folder / "palette.gif", transparency=0)
    summary = put_in(settings, folder)
    assert sorted(summary.blank) == ["nearly white.png", "palette.gif", "white.png"]
    assert summary.one_colour == ["red.png"]
    assert summary.to_dict()["one_flat_colour"] == {"transparent": summary.blank, "opaque": ["red.png"]}
    [row] = [row for row in summary.rows() if "transparent" in row[0]]
    assert row[1] == 3
    assert "white.png" in row[2]
