"""`attune probes`, `pull` and `score`: what they print, and the one sentence and exit code of each refusal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from attune.labeler.cli.main import main
from attune.labeler.people import tokens
from attune.labeler.records.schema import Run
from attune.labeler.records.session import writing
from attune.labeler.settings import Settings
from attune.models.files.atomic import write_json
from tests.labeler.catalog import worlds
from tests.support import published

Attune = Callable[..., tuple[int, str, str]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return worlds.filled(tmp_path / "workspace")


@pytest.fixture
def attune(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Attune:
    """Run the command in the workspace; exit code, stdout and stderr."""
    monkeypatch.setenv("ATTUNE_WORKSPACE", str(settings.workspace))
    monkeypatch.setenv("ATTUNE_WEB_PORT", "9")  # nobody serves there
    monkeypatch.setenv("ATTUNE_REDIS_PORT", "9")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["attune", *arguments])
        code = 0
        try:
            main()
        except SystemExit as done:
            code = int(done.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def as_json(done: tuple[int, str, str]) -> Any:
    code, out, err = done
    assert code == 0, err
    return json.loads(out)


def test_candidates_become_versions_and_the_list_follows(attune: Attune, settings: Settings) -> None:
    worlds.add_assets(settings, 9)
    before = as_json(attune("probes", "list", "serious", "--json"))
    assert [(row["version"], row["state"]) for row in before["versions"]] == [
        (3, "candidate"),
        (2, "candidate"),
        (1, "candidate"),
    ]
    moved = as_json(attune("probes", "promote", "serious", "2", "--reason", "first one", "--json"))
    assert (moved["version"], moved["alias"], moved["before"], moved["scores"]["assets"]) == (2, "champion", None, 9)
    as_json(attune("probes", "promote", "serious", "latest", "--reason", "better", "--json", "--no-wait"))
    code, out, _ = attune("probes", "list", "serious")
    assert code == 0
    assert "champion" in out
    assert "0.800 [0.700, 0.900]" in out
    after = as_json(attune("probes", "list", "serious", "--candidates", "0", "--json"))
    assert after["aliases"] == {"champion": 3}
    assert [(row["version"], row["state"], row["aliases"]) for row in after["versions"]] == [
        (3, "published", ["champion"]),
        (2, "published", []),
    ]
    overview = as_json(attune("probes", "list", "--json"))["probes"]
    assert [(row["attribute"], row["aliases"], row["newest"]) for row in overview] == [
        ("romance", {}, 1),
        ("serious", {"champion": 3}, 3),
    ]


def test_rollback_retire_and_history_tell_what_happened(attune: Attune) -> None:
    for version in ("1", "2"):
        attune("probes", "promote", "serious", version, "--reason", f"try {version}")
    code, out, err = attune("probes", "retire", "serious", "2", "--reason", "bad")
    assert (code, out) == (7, "")
    assert "serious version 2 is champion now" in err
    assert "promoted" not in err
    assert "is 1 again" not in out
    assert attune("probes", "rollback", "serious", "--reason", "worse")[1] == "serious: champion is 1 again.\n"
    assert attune("probes", "retire", "serious", "2", "--reason", "bad")[1] == "serious: version 2 is retired.\n"
    lines = as_json(attune("probes", "history", "serious", "--json"))["history"]
    assert [(line["action"], line["version"], line["before"], line["reason"]) for line in lines] == [
        ("promote", 1, None, "try 1"),
        ("promote", 2, 1, "try 2"),
        ("rollback", 1, 2, "worse"),
        ("retire", 2, None, "bad"),
    ]
    today = lines[0]["at"][:10]
    assert as_json(attune("probes", "history", "serious", "--on", today, "--json"))["version"] == 1
    assert as_json(attune("probes", "history", "serious", "--on", lines[1]["at"], "--json"))["version"] == 2
    assert as_json(attune("probes", "history", "serious", "--on", "2020-01-01", "--json"))["version"] is None


def test_promoting_the_champion_again_says_that_nothing_moved(attune: Attune) -> None:
    attune("probes", "promote", "serious", "1", "--reason", "first", "--no-wait")
    _, told, hints = attune("probes", "promote", "serious", "2", "--reason", "better", "--no-wait")
    assert told == "serious@champion is version 2 (was 1).\n"
    assert "rollback serious" in hints
    _, told, hints = attune("probes", "promote", "serious", "2", "--reason", "still good", "--no-wait")
    assert told == "serious@champion is version 2 already. Your reason is in the history; nothing else was changed.\n"
    assert "rollback" not in hints


def test_gates_are_set_shown_and_stop_a_promotion(attune: Attune) -> None:
    before = as_json(attune("probes", "gates", "serious", "--json"))["gates"]
    assert {one["name"]: one["bound"] for one in before}["audit_lower_bound"] == 0.5
    assert not any(one["enforced"] for one in before)
    arguments = ("--set", "audit_lower_bound=0.65", "--set", "calibration=0.2", "--enforce", "audit_lower_bound")
    held = {one["name"]: one for one in as_json(attune("probes", "gates", "serious", *arguments, "--json"))["gates"]}
    assert (held["audit_lower_bound"]["bound"], held["audit_lower_bound"]["enforced"]) == (0.65, True)
    assert (held["calibration"]["bound"], held["calibration"]["enforced"]) == (0.2, False)
    code, _, err = attune("probes", "promote", "serious", "1", "--reason", "r")
    assert (code, "audit_lower_bound: 0.500, bound 0.65" in err) == (6, True)
    assert attune("probes", "promote", "serious", "1", "--reason", "all the same", "--override")[0] == 0
    assert "all the same (overridden: audit_lower_bound)" in " ".join(attune("probes", "history", "serious")[1].split())
    assert "enforced" in attune("probes", "gates", "serious")[1]
    attune("probes", "gates", "serious", "--no-enforce", "audit_lower_bound")
    assert attune("probes", "promote", "serious", "1", "--reason", "again")[0] == 0


def test_compare_puts_two_versions_side_by_side(attune: Attune) -> None:
    found = as_json(attune("probes", "compare", "serious", "1", "latest", "--json"))
    first, second = found["versions"]
    assert (first["version"], second["version"]) == (1, 3)
    assert (first["metrics"]["average_precision"]["value"], second["answers"]) == (0.6, 30)
    assert found["difference"]["value"] is None
    assert found["difference"]["reason"]
    assert "unknown" in attune("probes", "compare", "serious", "1", "3")[2]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("promote", "seriuos", "1", "--reason", "r"), 8, "Did you mean 'serious'?"),
        (("promote", "serious", "7", "--reason", "r"), 7, "Its runs are 1 to 3"),
        (("promote", "serious", "1"), 2, "Missing option '--reason'"),
        (("promote", "serious", "1", "--reason", " "), 3, "reason: it is empty"),
        (("promote", "serious", "1", "--reason", "r", "--alias", "5"), 3, "alias: '5' is not allowed"),
        (("rollback", "serious", "--reason", "r"), 7, "has no champion"),
        (("retire", "serious", "1", "--reason", "r"), 7, "attune probes promote serious 1 --reason R"),
        (("history", "serious", "--on", "soon"), 3, "'soon' is not a date"),
        (("compare", "serious", "1", "x"), 7, "'x' is not a version"),
        (("gates", "serious", "--set", "audit_lower=0.6"), 3, "Did you mean audit_lower_bound?"),
        (("gates", "serious", "--set", "calibration"), 3, "audit_lower_bound=0.6"),
        (("gates", "serious", "--set", "calibration=2"), 3, "number from 0 to 1"),
        (("gates", "serious", "--enforce", "encoder", "--no-enforce", "encoder"), 3, "both name encoder"),
        (("gates", "seriuos"), 8, "Did you mean 'serious'?"),
    ],
)
def test_each_refusal_is_one_sentence_with_its_exit_code(
    attune: Attune, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done, out, err = attune("probes", *arguments)
    assert (done, out) == (code, "")
    assert said in err


@pytest.fixture
def served(settings: Settings) -> Iterator[str]:
    """The web app of the workspace on a free port."""
    with published.served(settings) as address:
        yield address


def test_pull_over_http_with_a_token_and_then_without_the_line(
    attune: Attune, settings: Settings, served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attune("probes", "promote", "serious", "2", "--reason", "r")
    monkeypatch.setenv("ATTUNE_WORKSPACE", str(tmp_path / "elsewhere"))
    code, _, err = attune("pull", "serious", "--to", str(tmp_path / "p"), "--url", served)
    assert (code, "ATTUNE_TOKEN" in err) == (7, True)
    monkeypatch.setenv("ATTUNE_TOKEN", tokens.issue(settings, "nightly"))
    monkeypatch.setenv("ATTUNE_URL", served)
    done = as_json(attune("pull", "serious@champion", "--to", str(tmp_path / "p"), "--json"))
    assert (done["version"], done["bytes"] > 0) == (2, True)
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == sorted([*done["files"], "manifest.json"])
    assert as_json(attune("pull", "serious@2", "--to", str(tmp_path / "q"), "--json"))["version"] == 2
    monkeypatch.setenv("ATTUNE_URL", "http://127.0.0.1:9")
    code, _, err = attune("pull", "serious@2", "--to", str(tmp_path / "r"))
    assert (code, "is unavailable" in err) == (7, True)
    monkeypatch.delenv("ATTUNE_URL")
    assert as_json(attune("pull", "serious", "--to", str(tmp_path / "r"), "--offline", "--json"))["bytes"] == 0
    code, _, err = attune("pull", "romance", "--to", str(tmp_path / "s"), "--offline")
    assert (code, "not in the cache" in err) == (7, True)
    code, _, err = attune("pull", "romance", "--to", str(tmp_path / "s"))
    assert (code, "--url http://HOST:8700" in err) == (2, True)


def test_on_its_own_machine_pull_finds_the_web_app_or_else_the_catalog(
    attune: Attune, served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attune("probes", "promote", "serious", "2", "--reason", "r")
    monkeypatch.setenv("ATTUNE_WEB_PORT", served.rsplit(":", 1)[1])
    assert "reading" not in attune("pull", "serious", "--to", str(tmp_path / "a"))[2]
    monkeypatch.setenv("ATTUNE_WEB_PORT", "9")
    code, out, err = attune("pull", "serious", "--to", str(tmp_path / "b"))
    assert (code, "Reading " in err) == (0, True)
    assert "serious version 2 is in" in out


def test_score_writes_feature_values_of_its_own_encoders_vectors(
    attune: Attune, settings: Settings, tmp_path: Path
) -> None:
    attune("probes", "promote", "romance", "1", "--reason", "r")
    x = np.eye(worlds.DIMENSION, dtype=np.float32)
    np.savez(tmp_path / "v.npz", ids=[f"i{n}" for n in range(len(x))], vectors=x)
    write_json(tmp_path / "f.json", worlds.FINGERPRINT.to_dict())
    arguments = ("score", "romance", "--vectors", str(tmp_path / "v.npz"), "--to", str(tmp_path / "s.parquet"))
    code, out, err = attune(*arguments)
    assert (code, out) == (5, "")
    assert "external" in err
    assert worlds.FINGERPRINT.digest[:12] in err
    assert "--assume-fingerprint" in err
    done = as_json(attune(*arguments, "--fingerprint", str(tmp_path / "f.json"), "--json"))
    assert (done["assets"], done["rows"], done["version"], done["assumed"]) == (8, 24, 1, False)
    assert as_json(attune(*arguments, "--assume-fingerprint", "--json"))["assumed"]
    assert pq.read_table(tmp_path / "s.parquet").num_rows == 24
    code, _, err = attune(
        "score", "romance", "--vectors", str(tmp_path / "no.npz"), "--to", str(tmp_path / "s.parquet")
    )
    assert (code, "cannot be read" in err) == (3, True)


def test_promote_takes_a_draft_on_purpose(attune: Attune, settings: Settings) -> None:
    worlds.add_assets(settings, 9)
    with writing(settings) as session:
        session.query(Run).filter_by(number=3).update({"labels": {"classes": {"not serious": 40}}})
    promote = ("probes", "promote", "serious", "latest", "--reason", "from phrases")
    code, out, err = attune(*promote, "--override")
    assert (code, out, "--draft" in err, "Traceback" in err) == (6, "", True, False)
    code, _, err = attune(*promote, "--draft")
    assert code == 0
    assert "answers_per_class is 0.000" in err
    assert "Gate not applicable: not_worse_than_champion" in err
    assert "draft" in attune("probes", "list", "serious")[1]
    row = as_json(attune("probes", "list", "serious", "--json"))["versions"][0]
    assert (row["version"], row["state"], row["draft"]) == (3, "published", True)
    gates = as_json(attune("probes", "history", "serious", "--json"))["history"][0]["gates"]
    assert {one["name"]: one["outcome"] for one in gates}["not_worse_than_champion"] == "not applicable"
    pulled = as_json(attune("pull", "serious", "--to", str(settings.workspace / "probe"), "--json"))
    assert pulled["draft"] is True
    assert json.loads((settings.workspace / "probe" / "manifest.json").read_text())["draft"] is True
