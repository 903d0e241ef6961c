"""Labels out and in by the console and the API: who may, what a preview promises, and what it then does."""

from __future__ import annotations

import io
import os
import re
import time

import pytest
from flask import Flask
from sqlalchemy import select

from attune.labeler.exchange import uploads
from attune.labeler.jobs import jobs
from attune.labeler.people import tokens
from attune.labeler.records.schema import Annotation, Attribute, Expert, Job
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.web.pages import exchange
from attune.models.errors import DataError
from tests.labeler.web.conftest import TOKEN, Actor
from tests.support import factories

PAGE = "/attributes/romance/labels"


def upload(actor: Actor, content: bytes, **fields: str) -> str:
    token = TOKEN.search(actor.get(PAGE).text)
    assert token is not None
    data = {"csrf_token": token.group(1), "file": (io.BytesIO(content), "old labels.csv"), **fields}
    reply = actor.client.post(f"{PAGE}/preview", data=data, content_type="multipart/form-data")
    assert reply.status_code in {200, 413, 422}
    return reply.text


def confirm(actor: Actor, preview: str, **fields: str) -> str:
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', preview)) | fields
    reply = actor.client.post(f"{PAGE}/import", data=form, follow_redirects=True)
    return " ".join(reply.text.split())


@pytest.fixture
def asset(settings: Settings, romance: Attribute, ana: Expert) -> str:
    (made,) = factories.add_assets(settings, 1)
    return made.asset_id


def answers(settings: Settings) -> list[str]:
    with reading(settings) as session:
        return list(session.scalars(select(Annotation.value).where(Annotation.deleted_at.is_(None))))


def test_an_upload_is_shown_before_it_comes_in(owner: Actor, settings: Settings, asset: str) -> None:
    content = f"asset_id,expert,class\n{asset},ana@example.org,romance\nnone,ana@example.org,romance\n".encode()
    preview = upload(owner, content)
    assert "Import 1 answer" in preview
    assert "unknown asset" in preview
    assert "line 3" in preview
    assert "just now" not in preview, "the file has no time"
    assert answers(settings) == []
    done = confirm(owner, preview)
    assert "1 answer imported" in done
    assert "1 row skipped" in done
    assert answers(settings) == ["romance"]
    assert "the upload does not exist any more" in confirm(owner, preview)  # the button pressed twice


def test_columns_and_experts_named_in_the_form_hold_for_the_import_too(
    owner: Actor, settings: Settings, asset: str
) -> None:
    content = f"image;says\n{asset};neither\n".encode()
    preview = upload(
        owner, content, asset_column="image", class_column="says", default_expert="eve@example.org",
        create_experts="yes",
    )  # fmt: skip
    assert "eve@example.org" in preview
    confirm(owner, preview)
    assert answers(settings) == ["neither"]


def test_a_file_that_cannot_be_read_is_told_on_the_form(owner: Actor, settings: Settings, asset: str) -> None:
    assert "&#39;expert&#39;" in upload(owner, b"asset_id,class\nimg,romance\n")
    assert "UTF-8" in upload(owner, b"\xfa\xff,")
    assert not list((settings.workspace / "imports").glob("*"))


def test_a_long_file_is_a_workers_who_brings_in_what_was_confirmed(
    owner: Actor, settings: Settings, asset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "AT_ONCE", 1)
    monkeypatch.setattr(jobs, "workers_alive", lambda *_: True)
    content = f"asset_id,says\n{asset},romance\nnone,romance\n".encode()
    preview = upload(owner, content, class_column="says", default_expert="ana@example.org")
    assert "The import is running" in confirm(owner, preview)
    assert answers(settings) == []
    with reading(settings) as session:
        job = session.scalars(select(Job).where(Job.kind == "import")).one()
    done = jobs.run_here(settings, "import", **job.arguments)
    assert (done["new"], done["left_out"], done["reasons"]) == (1, 1, {"unknown asset": 1})
    assert answers(settings) == ["romance"]


def test_what_a_token_imports_waits_for_no_worker_as_the_token_may_be_revoked_meanwhile(
    app: Flask, settings: Settings, asset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "AT_ONCE", 1)
    monkeypatch.setattr(jobs, "workers_alive", lambda *_: True)
    machine = Actor(app)
    machine.client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {tokens.issue(settings, 'nightly', 'owner')}"
    content = f"asset_id,expert,class\n{asset},ana@example.org,romance\nnone,ana@example.org,romance\n".encode()
    assert "1 answer imported" in confirm(machine, upload(machine, content))
    assert answers(settings) == ["romance"]
    with reading(settings) as session:
        assert not session.scalars(select(Job).where(Job.kind == "import")).all()


def test_an_upload_belongs_to_who_sent_it_and_is_forgotten(settings: Settings) -> None:
    ticket = uploads.keep(settings, 1, b"rows")
    assert uploads.fetch(settings, 1, ticket) == b"rows"
    for person, asked in ((2, ticket), (1, "../../records.sqlite"), (1, "0" * 32)):
        with pytest.raises(DataError, match="the upload does not exist any more"):
            uploads.fetch(settings, person, asked)
    (path,) = (settings.workspace / "imports").glob("*")
    assert path.stat().st_mode & 0o777 == 0o600
    os.utime(path, (time.time() - 2 * 86_400,) * 2)
    uploads.keep(settings, 1, b"others")
    with pytest.raises(DataError):
        uploads.fetch(settings, 1, ticket)


def test_the_files_are_downloads_that_no_cache_keeps(owner: Actor, settings: Settings, asset: str) -> None:
    confirm(owner, upload(owner, f"asset_id,expert,class\n{asset},ana@example.org,romance\n".encode()))
    reply = owner.get(f"{PAGE}/file?format=csv")
    assert reply.headers["Content-Disposition"] == 'attachment; filename="romance.csv"'
    assert reply.headers["Cache-Control"] == "private, no-store"
    assert b"ana@example.org,romance,import" in reply.data
    assert owner.get(f"{PAGE}/file?format=parquet&agreed=1").data.startswith(b"PAR1")
    assert owner.get(f"{PAGE}/file?format=xlsx").status_code == 422
    assert owner.get("/attributes/nothing/labels").status_code == 404


def test_the_api_gives_the_same_bytes_to_managers_and_nothing_to_machines(
    owner: Actor, pipeline: Actor, expert: Actor, asset: str
) -> None:
    for query in ("", "?format=json", "?format=csv&agreed=true"):
        reply = owner.get(f"/api/v1/labels/romance{query}")
        assert (reply.status_code, reply.headers["Attune-Rows"]) == (200, "0")
        page = query.replace("agreed=true", "agreed=1")
        assert reply.data == owner.get(f"{PAGE}/file{page}").data
    assert {actor.get("/api/v1/labels/romance").status_code for actor in (pipeline, expert)} == {403}
    assert owner.get("/api/v1/labels/romance?agreed=perhaps").json["error"] == "DataError"


def test_a_file_of_more_lines_than_the_page_takes_is_sent_to_the_command(
    owner: Actor, settings: Settings, asset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "MOST_LINES", 2)
    content = f"asset_id,expert,class\n{asset},ana@example.org,romance\n".encode()
    refused = upload(owner, content + b"x\n")
    assert "3 lines" in refused
    assert "attune labels import" in refused
    assert 'name="ticket"' not in refused
    assert 'name="ticket"' in upload(owner, content)
