"""`attune encoder`: the encoders there are, whether the workspace's works here, and a change to another one."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attune.labeler.assets.active_encoder import OF_THE_POOL, active_fingerprint
from attune.labeler.cli import workspace_check
from attune.labeler.cli.progress_bars import bars
from attune.labeler.cli.shell import Group, Shell, key_value_lines, stop, table
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.jobs import jobs
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings, variable
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.errors import AttuneError, DataError, consequence

if TYPE_CHECKING:
    from attune.models.encoders.encoders import OpenClipEncoder
    from attune.models.encoders.speed import Speed

PRETRAINED = click.option("--pretrained", help="Weights: a tag, a checkpoint file, or a folder of a hub's cache.")
RESIZE_MODE = click.option(
    "--resize-mode", help="How images are resized: squash, longest or shortest. Default: the current mode."
)
NO_WAIT = click.option("--no-wait", is_flag=True, help="Return at once. The workers embed the images.")


@click.group(cls=Group)
def command() -> None:
    """List encoders, test one on this computer, and change the pool's encoder."""


@attune_command(command, "list", workspace="optional", example="attune encoder list ViT-B --here")
@click.argument("text", required=False, default="")
@click.option("--here", is_flag=True, help="Only encoders with weights on this computer.")
def list_(shell: Shell, text: str, here: bool) -> None:
    """List encoders. With TEXT, list only those with TEXT in the model or the tag.

    The workspace's encoder comes first, then those on this computer.
    """
    from attune.models.encoders.available import UNKNOWN, list_weights

    own = _own(shell)
    listed_weights = [weights_row for weights_row in list_weights(text) if weights_row.here or not here]
    rows: list[dict[str, Any]] = [
        {
            "model": weights_row.model,
            "pretrained": weights_row.pretrained,
            "here": weights_row.here,
            "dimension": weights_row.dimension,
            "pixels": weights_row.pixels,
            "bytes": weights_row.bytes,
            "licence": weights_row.licence,
            "repository": weights_row.repository,
        }
        for weights_row in listed_weights
    ]
    columns = ("", "model", "pretrained", "dimension", "pixels", "on this computer", "licence")
    cells = [
        ("own", own["model"], own["pretrained"], own["dimension"], own["pixels"], _size(own["bytes"]), own["licence"]),
        *(
            ("", r["model"], r["pretrained"], r["dimension"], r["pixels"], _size(r["bytes"]), r["licence"])
            for r in rows
        ),
    ]
    shell.result({"workspace": own, "encoders": rows}, table(columns, cells))
    if not shell.json:
        shell.hint(
            f"{len(rows)} encoders of open_clip, {sum(r['here'] for r in rows)} of them on this computer. The "
            f"others are downloaded at first use. If no licence is shown ({UNKNOWN}), read the model's card at "
            "https://huggingface.co before you use the encoder."
        )


def _own(shell: Shell) -> dict[str, Any]:
    """The workspace's encoder as the list shows it; what is not on this machine is not asked of any network."""
    from attune.models.encoders.available import licence_beside
    from attune.models.encoders.open_clip_table import config_of
    from attune.models.encoders.weights import locate_cached

    settings = shell.settings
    own: dict[str, Any] = {"model": settings.encoder, "pretrained": settings.pretrained}
    own |= {"here": False, "dimension": None, "pixels": None, "bytes": None, "licence": None}
    try:
        checkpoint = locate_cached(settings.encoder, settings.pretrained)
        if checkpoint is not None:
            config = checkpoint.config or config_of(checkpoint.name)
            own |= {"here": True, "bytes": checkpoint.path.stat().st_size, "licence": licence_beside(checkpoint.path)}
        else:
            config = config_of(settings.encoder.replace("/", "-"))
        own |= {"dimension": config["embed_dim"], "pixels": config["vision_cfg"].get("image_size")}
    except (AttuneError, KeyError) as error:
        own["problem"] = str(error) if isinstance(error, AttuneError) else "open_clip does not have this model"
    active = _active(shell)
    return own | {"resize_mode": settings.resize_mode, "pool": active.to_dict() if active else None}


def _active(shell: Shell) -> Fingerprint | None:
    """The fingerprint that the pool is of, where there is a workspace."""
    if not workspace_check.is_there(shell.settings):
        return None
    workspace_check.open_records(shell.settings, make=False)
    with reading(shell.settings) as session:
        return active_fingerprint(session)


def _size(count: int | None) -> str:
    return "no" if count is None else f"{count / 1e6:,.0f} MB"


@attune_command(command, "check", workspace="optional", example="attune encoder check")
@click.argument("name", required=False)
@PRETRAINED
@RESIZE_MODE
def check(shell: Shell, name: str | None, pretrained: str | None, resize_mode: str | None) -> None:
    """Load the workspace's encoder, or NAME, and show its size, speed on this computer and fingerprint.

    If the encoder cannot be loaded, the command says so within 10 seconds, also without a network. Its exit code is
    then 5.
    """
    from attune.labeler.assets.chosen_encoder import choose_encoder
    from attune.models.encoders.weights import locate

    try:
        settings = choose_encoder(shell.settings, name, pretrained, resize_mode)
        pool_options = {name: getattr(settings, name) for name in OF_THE_POOL}
        checkpoint = locate(settings.encoder, settings.pretrained)
        from attune.models.encoders.encoders import OpenClipEncoder
        from attune.models.encoders.speed import measure

        began = time.perf_counter()
        encoder = OpenClipEncoder.from_checkpoint(
            checkpoint, settings.resize_mode, settings.device, settings.embed_batch
        )
        seconds = time.perf_counter() - began
    except AttuneError as error:
        if shell.json:
            shell.result({"loadable": False, "message": str(error)})
        return stop(f"attune: {error}", consequence(type(error)).exit_code)
    active = _active(shell)
    value = {**pool_options, "loadable": True, **_facts(checkpoint.path, encoder, seconds, measure(encoder), active)}
    shell.result(value, key_value_lines(_in_words(settings, value, active)))


def _facts(
    weights: Path, encoder: OpenClipEncoder, seconds: float, speed: Speed, active: Fingerprint | None
) -> dict[str, Any]:
    """What is known of an encoder that loaded in ``seconds``; ``active`` is the pool's."""
    from attune.models.encoders.available import licence_beside

    fingerprint = encoder.fingerprint
    return {
        "weights": str(weights),
        "bytes": weights.stat().st_size,
        "parameters": sum(parameter.numel() for parameter in encoder.model.parameters()),
        "licence": licence_beside(weights),
        "dimension": encoder.dimension,
        "load_seconds": round(seconds, 2),
        "speed": {
            "images_per_second": round(speed.per_second, 1),
            "images": speed.images,
            "seconds": round(speed.seconds, 2),
            "batch": speed.batch,
            "device": speed.device,
        },
        "fingerprint": fingerprint.to_dict(),
        "digest": fingerprint.digest,
        "of_the_pool": None if active is None else active == fingerprint,
    }


def _in_words(settings: Settings, value: dict[str, Any], active: Fingerprint | None) -> dict[str, str]:
    from attune.models.encoders.available import UNKNOWN

    speed = value["speed"]
    pool = {None: "no vectors yet", True: "of this encoder", False: f"of another encoder: {active}"}
    return {
        "encoder": f"{settings.encoder}, {settings.pretrained}, {settings.resize_mode}",
        "loads": f"yes, in {value['load_seconds']:.1f} s, on {speed['device']}",
        "weights": f"{value['weights']}, {value['bytes'] / 1e6:,.1f} MB, {value['parameters']:,} parameters",
        "licence": value["licence"] or UNKNOWN,
        "dimension": str(value["dimension"]),
        "speed": (
            f"{speed['images_per_second']:,.0f} images per second (n = {speed['images']}, {speed['seconds']:.1f} s, "
            f"batches of {speed['batch']}, without reading files)"
        ),
        "fingerprint": value["digest"],
        "pool": pool[value["of_the_pool"]],
    }


def use(shell: Shell, name: str | None, pretrained: str | None, resize_mode: str | None, no_wait: bool) -> None:
    """Change the pool to the encoder ``name``, or say which one it is of."""
    if name is None:
        active = _active(shell)
        value: dict[str, Any] = {"active": active.to_dict() if active else None}
        value |= {option: str(getattr(shell.settings, option)) for option in OF_THE_POOL}
        return shell.result(
            value, f"The pool's encoder is {active}." if active else "The pool is empty. It has no encoder yet."
        )
    if set_outside := [variable(option) for option in OF_THE_POOL if os.environ.get(variable(option))]:
        raise DataError(
            f"{', '.join(set_outside)} is set in the environment and overrides this command. Unset it, restart "
            "`attune up`, and run this command again."
        )
    from attune.models.encoders.choice import choose
    from attune.models.encoders.encoders import check_resize_mode
    from attune.models.encoders.weights import locate

    model, weights = choose(name, pretrained)
    check_resize_mode(resize_mode or shell.settings.resize_mode)
    locate(model, weights)  # within seconds, before anything is asked of the workers
    changes = {"encoder": model, "pretrained": weights, "resize_mode": resize_mode or shell.settings.resize_mode}
    with bars() as start:
        done = jobs.ask(shell.settings, "encoder", start("Embedding"), wait=not no_wait, **changes)
    shell.result(
        done, f"The pool's encoder is now {done['encoder']}." if "encoder" in done else f"Started as job {done['job']}."
    )
    for item in done.get("left_out", []):
        shell.hint(f"Skipped: {item['message']}")


@attune_command(command, "use", example="attune encoder use ViT-L-14 --pretrained laion2b_s32b_b82k")
@click.argument("name")
@PRETRAINED
@RESIZE_MODE
@NO_WAIT
def use_(shell: Shell, **options: Any) -> None:
    """Embed the pool with the encoder NAME and retrain every probe.

    NAME is a model of open_clip, a JSON config, a checkpoint file, or a folder of a hub's cache. Until the last image
    is embedded, Attune uses the old encoder. If the command stops, run it again to continue. Answers and champions do
    not change.
    """
    use(shell, **options)
