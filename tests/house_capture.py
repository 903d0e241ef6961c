"""What must stay equal while modules move: probes, manifests, API, commands, routes, jobs, settings, tables, old files.

    cd ROOT && .venv/bin/python -m tests.house_capture FOLDER
    cd ROOT && .venv/bin/python /another/tree/tests/house_capture.py FOLDER   (where ROOT has no such tool)

Writes one JSON file a part into FOLDER; ``diff -r BEFORE AFTER`` names every difference. A part that holds wording has
a second file ``*-wordless.json`` without it: words may get better, the rest must not move. A part that cannot be
captured fails, so that nothing is equal because it is missing.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import sqlite3
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

ROOT = Path.cwd()
# Where a module of before is after the move: package -> old name -> new name. The first that is there is taken.
MOVED = {
    "models": {"learner": "probes.learner", "probe_files": "catalog.probe_files", "onnx_file": "catalog.onnx_file"}
    | {"manifest": "catalog.manifest", "versions": "catalog.version_files", "labels": "labels.labels"}
    | {"pool": "vectors.pool", "priors": "probes.priors"},
    "labeler": {"jobs": "jobs.jobs"},
}
WORDS = {"help", "short_help", "epilog", "description", "summary", "about", "deprecated"}
CLASSES = {2: ("yes", "no"), 3: ("romance", "friendship", "neither")}
N, DIM = 400, 24


def get(package: str, module: str, name: str) -> Any:
    """``name`` of ``module``, wherever this tree has it. Raises LookupError, also where it is of another tree."""
    places = (MOVED[package].get(module, module), module)
    for full in (f"{root}{package}.{place}" for root in ("attune.", "") for place in places):
        try:
            found = importlib.import_module(full)
        except ModuleNotFoundError as error:
            if error.name and f"{full}.".startswith(f"{error.name}."):
                continue
            raise
        if hasattr(found, name):
            if not Path(str(found.__file__)).resolve().is_relative_to(ROOT):
                raise LookupError(f"{full} is from {found.__file__}, not from {ROOT}")
            return getattr(found, name)
    raise LookupError(f"No module of this tree has {package}.{module}:{name}; tell MOVED where it went.")


def digest(content: bytes) -> str:
    """The sha256 of ``content``."""
    return hashlib.sha256(content).hexdigest()


def unit(rows: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """``rows`` (n, d) brought to unit length."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


# -- probes and versions -------------------------------------------------------------------------------------------
def cases() -> Iterator[tuple[str, dict[str, Any], npt.NDArray[np.intp]]]:
    """Name, the learner's arguments, and the rows that have answers."""
    labels, pool = get("models", "labels", "Labels"), get("models", "pool", "Pool")
    prompts, settings = get("models", "priors", "Prompts"), get("models", "learner", "LearnerSettings")
    for name, k, answers, phrases, given in (
        ("two-classes", 2, 60, True, {}),
        ("three-classes", 3, 90, True, {}),
        ("answers-alone", 2, 40, False, {"strength": 1.0, "strategy": "margin"}),
        ("phrases-alone", 3, 0, True, {}),
        ("one-class-answered", 2, 12, True, {"audit_share": 0.3}),
    ):
        rng = np.random.default_rng([7, k, answers])
        truth = rng.choice(k, size=N, p=[0.25, *[0.75 / (k - 1)] * (k - 1)])
        centres = unit(rng.standard_normal((k, DIM)))
        x = unit(centres[truth] + 1.2 * unit(rng.standard_normal((N, DIM)))).astype(np.float16)
        ids, titles = np.array([f"a{i:04d}" for i in range(N)]), np.array([f"t{i // 2:04d}" for i in range(N)])
        rows = np.sort(rng.permutation(N)[:answers])
        rows = rows[truth[rows] == 0] if name == "one-class-answered" else rows
        shares = np.eye(k)[truth[rows]].reshape(-1, k) * 0.9 + 0.1 / k
        known = labels(tuple(ids[rows].tolist()), tuple(titles[rows].tolist()), shares, rng.uniform(0.3, 1, len(rows)))
        said = {"classes": {c: centres[[i]] for i, c in enumerate(CLASSES[k])}, "relatives": rng.normal(size=(2, DIM))}
        said["examples"] = {CLASSES[k][0]: x[truth == 0][:2].astype(np.float32)}
        arguments = {"pool": pool(ids, titles, (x[:150], x[150:])), "labels": known, "classes": CLASSES[k], "seed": 11}
        arguments |= {"prompts": prompts(**said) if phrases else None, "settings": settings(**given)}
        yield name, arguments, rows


def ask(arguments: dict[str, Any], probe: Any, rows: npt.NDArray[np.intp]) -> list[Any]:
    """The next ten questions, reasons apart; the one place that knows how this tree's learner is asked for them."""
    told = [arguments[name] for name in ("settings", "seed")]
    found = get("models", "learner", "plan")(
        arguments["pool"], probe, arguments["labels"], rows, 10, *told, prompts=arguments["prompts"]
    )
    return [[item.asset_id, item.purpose, float(item.utility).hex(), item.inclusion] for item in found]


def probes() -> dict[str, Any]:
    """Bytes of fitted probes, the questions that follow, and the versions made of them (``code_version`` fixed)."""
    found = {}
    for name, arguments, rows in cases():
        probe = get("models", "learner", "fit")(**arguments)
        content = get("models", "probe_files", "probe_bytes")(probe.weight_, probe.bias_, probe.calibration_)
        facts = get("models", "manifest", "read_manifest")(json.dumps(stated(arguments["classes"])).encode())
        made, files = get("models", "versions", "make_version")(facts, content)
        without = {file: entry for file, entry in made.files.items() if file != "card.md"}  # the card is wording
        found[name] = {
            "probe": digest(content),
            "narrowed": float(probe.narrowed_).hex(),
            "lowered": digest(np.asarray(probe.lowered_, dtype=np.float32).tobytes()),
            "probabilities": digest(np.asarray(probe.predict_proba(arguments["pool"].rows(range(N)))).tobytes()),
            "asked": ask(arguments, probe, rows),
            "manifest": made.digest,
            "manifest apart from the card": replace(made, files=without).digest,
            "files": {file: digest(value) for file, value in sorted(files.items())},
        }
    return found


def stated(classes: tuple[str, ...]) -> dict[str, Any]:
    """Fixed facts of a version, as the object of ``manifest.json``."""
    metric = {"name": "average_precision", "value": 0.61, "lo": 0.5, "hi": 0.7, "n": 40, "method": "title bootstrap"}
    return {
        "format_version": 1,
        "attribute": "romance",
        "revision": 2,
        "question": "Romance, friendship or neither?",
        "definition": "Two people in love – seen, not told.",
        "classes": list(classes),
        "version": 7,
        "encoder": {"library": "open_clip", "name": "tiny", "weights": "ab" * 32, "dimension": DIM},
        "thresholds": dict.fromkeys(classes, 0.5),
        "metrics": {"average_precision": metric},
        "labels": {"counts": dict.fromkeys(classes, 20), "experts": 3},
        "data_digest": "d" * 64,
        "files": {},
        "created_at": "2026-03-01T12:00:00.000005Z",
        "code_version": "fixed",
    }


def old_files() -> dict[str, Any]:
    """Each version that an earlier release wrote: its digests as read now, and what it says of fixed vectors."""
    found = {}
    for path in sorted((ROOT / "tests").glob("**/probe-v*/*/manifest.json")):
        manifest = get("models", "manifest", "read_manifest")(path.read_bytes())
        probe = get("models", "probe_files", "read_probe")((path.parent / "probe.safetensors").read_bytes())
        x = unit(np.random.default_rng(5).standard_normal((64, int(manifest.encoder["dimension"]))))
        onnx = get("models", "onnx_file", "run_onnx")((path.parent / "probe.onnx").read_bytes(), x)[1]
        found[f"{path.parent.parent.name}/{path.parent.name}"] = {
            "manifest": manifest.digest,
            "encoder": manifest.encoder_digest,
            "scores": digest(np.asarray(probe.probabilities(x), dtype=np.float64).tobytes()),
            "onnx scores": digest(np.asarray(onnx, dtype=np.float64).tobytes()),
        }
    return found


# -- what people and programs call ---------------------------------------------------------------------------------
def commands() -> Any:
    """Every command with its options, types, defaults and help."""
    script = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]["attune"]
    group: click.Group = importlib.import_module(script.partition(":")[0]).attune
    return group.to_info_dict(click.Context(group, info_name="attune"))


def jobs() -> Any:
    """The kinds of jobs with their queues, in the order in which workers empty them."""
    return {name: get("labeler", "jobs", name) for name in ("QUEUES", "QUICK")} | {
        "KINDS": {kind: queue for kind, (_, queue) in get("labeler", "jobs", "KINDS").items()}
    }


def settings_table() -> Any:
    """Every setting with its variable, default and type."""
    variable = get("labeler", "settings", "variable")
    return {
        item.name: {"variable": variable(item.name), "default": item.default, "type": str(item.type)}
        | {key: item.metadata[key] for key in ("about", "secret")}
        for item in fields(get("labeler", "settings", "Settings"))
    }


def in_order(sql: str) -> list[str]:
    """The lines of a definition, constraints last and sorted: SQLite's copies of a table have them in any order."""
    lines = [line.strip().removesuffix(",") for line in sql.splitlines()]
    return sorted(lines, key=lambda line: line * line.startswith("CONSTRAINT"))


def served(workspace: Path) -> dict[str, Any]:
    """Of a fresh workspace: the tables, the console's routes, and the API's own description."""
    settings = get("labeler", "settings", "build")({}, workspace=workspace)
    get("labeler", "records.session", "migrate")(settings)
    with sqlite3.connect(workspace / "records.sqlite") as records:
        rows = records.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
        head = records.execute("SELECT version_num FROM alembic_version").fetchall()
    app = get("labeler", "web.app", "create_app")(settings)
    rules = sorted((str(rule), sorted(rule.methods or ()), rule.endpoint) for rule in app.url_map.iter_rules())
    (described,) = {endpoint for rule, _, endpoint in rules if rule.endswith("/openapi.json")}
    with app.test_request_context():
        document = app.make_response(app.view_functions[described]()).get_json()
    tables = {"head": head, "tables": {f"{kind} {name}": in_order(sql or "") for kind, name, sql in rows}}
    return {"tables": tables, "routes": [rule[:2] for rule in rules], "openapi": document}


def plain(value: Any) -> Any:
    """``value`` as JSON holds it; what a program names by its address in memory, by its type."""
    if isinstance(value, Mapping):
        return {str(key): plain(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [plain(held) for held in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return f"<{type(value).__name__}>" if " at 0x" in repr(value) else str(value)


def wordless(value: Any) -> Any:
    """``value`` without texts that only people read."""
    if isinstance(value, dict):
        return {k: wordless(held) for k, held in value.items() if not (k in WORDS and isinstance(held, str | None))}
    return [wordless(held) for held in value] if isinstance(value, list) else value


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Write what must stay equal into FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {"probes": probes(), "old-files": old_files(), "commands": commands(), "jobs": jobs()}
    found["settings"] = settings_table()
    with tempfile.TemporaryDirectory() as workspace:
        found |= served(Path(workspace) / "w")
    found |= {f"{name}-wordless": wordless(plain(found[name])) for name in ("commands", "settings", "openapi")}
    for name, value in sorted(found.items()):
        content = json.dumps(plain(value), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        (folder / f"{name}.json").write_text(content, encoding="utf-8")
        click.echo(f"{digest(content.encode())[:16]}  {name}")


if __name__ == "__main__":
    if not __package__:
        sys.path[0] = str(ROOT)  # else this file's neighbours, tests/models and the like, would be found first
    main()
