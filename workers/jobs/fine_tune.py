"""The job `fine_tune`: train the encoder's image tower towards a column, and keep it as a version of a taste space.

It learns on most titles, stops by titles that were held back in the pool, and is measured on others beside what costs
far less: the projection of the encoder's own vectors. A version is kept only where training gained on the titles held
back. A job that is killed goes on after its last epoch.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict, replace
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from attune.labeler.jobs.jobs import Report, quiet
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings
from attune.labeler.spaces import learned
from attune.models.catalog.manifest import check_name
from attune.models.files.atomic import digest_json, write_bytes
from attune.models.similarity.neighbour_lists import costs
from attune.models.similarity.neighbour_measures import measure_lists
from attune.models.similarity.network_state import State, read_state, state_bytes
from attune.models.similarity.network_tower import tower_bytes, tuned_fingerprint
from attune.models.similarity.network_training import MAP, Network, NetworkSettings, train
from attune.models.similarity.space_manifest import SpaceFacts
from attune.models.similarity.space_measures import compare
from attune.models.similarity.space_version import TOWER_NAME
from attune.models.similarity.taste_learning import batch_loss, learn_space
from attune.models.similarity.taste_tuning import Tuned, gain
from attune.models.vectors.pool import unit_length
from attune.workers.jobs import fine_tune_sets
from attune.workers.jobs.fine_tune_sets import Sets
from attune.workers.jobs.learn_taste import Choices, digest_of, dimension

if TYPE_CHECKING:
    from attune.models.encoders.encoders import OpenClipEncoder

READ, TRAINED, WHOLE = 200, 900, 1000  # of the progress bar
KEPT_SECONDS = 7 * 86_400  # the state of a job that nobody asked for again


def run(
    settings: Settings,
    report: Report = quiet,
    column: str = "genre",
    space: str = learned.TASTE,
    blocks: int = 2,
    epochs: int = NetworkSettings.epochs,
    who: str = "",
    **choices: Any,
) -> dict[str, Any]:
    """Train the last ``blocks`` of the tower, 0 for all, towards the values of ``column``; ``choices`` as `Choices`.

    Returns ``{"space", "version", "images", "labels", "measures", "left_out", "epochs", "best_epoch", "gains"}``;
    version 0 where no epoch gained on the titles held back: then nothing is kept. Raises EmptyPool, DataError for no
    such column, NotEnoughLabels, EncoderError where the images are not here, and what loading an encoder raises.
    """
    check_name(space)
    chosen, how = Choices(**choices), NetworkSettings(blocks=blocks or None, epochs=epochs)
    report(0, WHOLE)
    rows, encoder = fine_tune_sets.labelled(settings, column, chosen.seed)
    told = {"column": column, "encoder": encoder.fingerprint.digest, "rows": digest_of(rows), "network": asdict(how)}
    data = digest_json(asdict(chosen) | told)
    with reading(settings) as session:
        before = learned.made_of(session, space, data)
    if before is not None:
        return _result(learned.load(before)[1].facts, [])
    sets, left_out = fine_tune_sets.read(
        settings, encoder, rows, chosen.seed, lambda done, total: report(READ * done // max(total, 1), WHOLE)
    )
    tuned = chosen.settings(sets.learned_from)
    network, state = _trained(settings, encoder, sets, tuned, how, chosen, data, report)
    facts = SpaceFacts(
        {}, column, rows.names, int((sets.taught | sets.watched).sum()), chosen.seed, tuned.facts()["settings"],
        tuple(tuned.tried), name=space, data_digest=data, code_version=package_version("attune"),
        network=_about(network, encoder, sets, how, state),
    )  # fmt: skip
    if state.best_epoch:
        facts = _kept(settings, network, encoder, sets, tuned, chosen, facts, who)
    _state_file(settings, data).unlink(missing_ok=True)
    report(WHOLE, WHOLE)
    return _result(facts, left_out)


def _trained(
    settings: Settings,
    encoder: OpenClipEncoder,
    sets: Sets,
    tuned: Tuned,
    how: NetworkSettings,
    chosen: Choices,
    data: str,
    report: Report,
) -> tuple[Network, State]:
    """The network at its best epoch; its state is on disk after each one."""
    taught, watched = sets.rows.where(sets.taught), sets.rows.where(sets.watched)
    made = learn_space(taught.x, taught.labels, tuned.settings, chosen.seed)
    network = Network.of(encoder, made, how.blocks)
    raw = measure_lists(unit_length(watched.x), watched.titles, watched.labels)
    images, path = sets.pictures(sets.watched), _state_file(settings, data)
    inner, steps = batch_loss(tuned.settings), len(taught.ids) // how.batch_of(len(taught.ids))
    state = read_state(str(path)) if path.is_file() else None
    done = state.epoch * steps if state else 0

    def loss(z: Any, labels: npt.NDArray[np.float32], rng: np.random.Generator) -> Any:
        nonlocal done
        done += 1
        report(READ + (TRAINED - READ) * done // (steps * how.epochs), WHOLE)
        return inner(z, labels, rng)

    def score(one: Network) -> float:
        vectors = one.space.vectors(one.vectors(images, how.at_once))
        hubs = costs(vectors, watched.titles, one.space.hub_weight)
        return gain(measure_lists(vectors, watched.titles, watched.labels, hubs), raw)

    def keep(one: State) -> None:
        write_bytes(path, state_bytes(one))

    _forget(path.parent)
    return train(network, sets.pictures(sets.taught), loss, score, how, chosen.seed, state, keep)


def _kept(
    settings: Settings,
    network: Network,
    encoder: OpenClipEncoder,
    sets: Sets,
    tuned: Tuned,
    chosen: Choices,
    facts: SpaceFacts,
    who: str,
) -> SpaceFacts:
    """Measure the network beside the projection, and keep it as the next version."""
    rows, held = sets.learned_from, sets.rows.where(sets.tested)
    projection = learn_space(rows.x, rows.labels, tuned.settings, chosen.seed)
    seen = network.vectors(sets.pictures(sets.tested), NetworkSettings.at_once)
    pairs = (rows.x, rows.labels), (held.x, held.labels)
    plain = chosen.plain(rows, tuned.settings.components)
    measures = compare(projection, *pairs, held.titles, chosen.seed, plain, (network.space, seen))
    content = tower_bytes({name: tensor for name, tensor in network.weights().items() if name != MAP})
    facts = replace(
        facts, encoder=tuned_fingerprint(encoder.fingerprint, content).to_dict(), measures=measures,
        intrinsic_dimension=dimension(network.space, seen),
    )  # fmt: skip

    def numbered(number: int, at: str) -> SpaceFacts:
        return replace(facts, version=number, created_at=at)

    row = learned.register(settings, network.space, numbered, facts.name, facts.data_digest, who, content)
    return learned.load(row)[1].facts


def _about(
    network: Network, encoder: OpenClipEncoder, sets: Sets, how: NetworkSettings, state: State
) -> dict[str, Any]:
    """What a manifest says of the training."""
    images = int(sets.taught.sum())
    sizes = {name: one.numel() for name, one in network.encoder.model.visual.named_parameters()}
    return {
        "base": encoder.fingerprint.to_dict(), "file": TOWER_NAME, "blocks": how.blocks or "all",
        "trained": sum(sizes[name] for name in network.names), "weights": sum(sizes.values()),
        "images": images, "watched": int(sets.watched.sum()), "batch": how.batch_of(images), "rate": how.rate,
        "epochs": state.epoch, "best_epoch": state.best_epoch, "gains": [round(one, 5) for one in state.scores],
        "device": f"{encoder.device.type}, {str(encoder.half or 'float32').removeprefix('torch.')}",
    }  # fmt: skip


def _result(facts: SpaceFacts, left_out: list[dict[str, str]]) -> dict[str, Any]:
    network = facts.network or {}
    return {
        "space": facts.name, "version": facts.version, "images": facts.rows, "labels": list(facts.labels),
        "measures": facts.measures or {}, "left_out": left_out,
    } | {name: network[name] for name in ("epochs", "best_epoch", "gains")}  # fmt: skip


def _state_file(settings: Settings, data: str) -> Path:
    return settings.workspace / "cache" / "fine-tune" / f"{data}.safetensors"


def _forget(folder: Path) -> None:
    """Delete states of jobs that nobody asked for again."""
    for path in folder.glob("*.safetensors"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - KEPT_SECONDS:
                path.unlink()
