"""How much of the encoder's speed the embed job keeps: a real ViT-B-32 over a folder, beside its bare forward pass.

    python -m benchmarks.encode --images FOLDER --n 512 --rounds 10 --json OUT
    python -m benchmarks.encode --accelerator --json OUT        # about 3 minutes on a machine with a graphics card

The checkpoint is written here with random weights: speed does not depend on their values. The job reads, checks,
decodes, resizes, runs the model and writes the store; the bare pass gets the same images as a tensor that is on the
device already. Both run in this process with the same batch and precision, by turns. Each round gives two ratios: of
images per second, which suffers from whatever else the machine does, and of processor time per image, which hardly
does (of no use with a card). The vectors of the job are compared with those of Pillow and open_clip's own transform.

`--accelerator` takes 3,072 drawn JPEG files of 500 x 750 through ViT-B-32 and ViT-L-14, 256 at a time. It has not run
on a card yet.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from attune.labeler import settings as reader
from attune.labeler.assets.active_encoder import loaded_encoder
from attune.labeler.cli.shell import table
from attune.labeler.records.schema import Asset
from attune.labeler.records.session import migrate, writing
from attune.labeler.settings import Settings
from attune.models.clock import now
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.encoders.staged_images import decodes_jpeg
from attune.models.errors import UnreadableItem
from attune.models.files.atomic import digest_bytes, write_bytes, write_json
from attune.models.images.decode import IMAGE_SUFFIXES, decode, inspect
from attune.models.vectors.products import FloatArray
from attune.models.vectors.vector_store import VectorStore
from attune.workers.jobs import embed
from benchmarks.machine import machine

T = TypeVar("T")
DRAWINGS = 256
PHOTOS = Path("../shared/photos/images")


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, help="a folder of images; drawings unless given or in ../shared")
    parser.add_argument("--n", type=int, default=512, help="images in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--model", default="ViT-B-32", help="an architecture of open_clip")
    parser.add_argument("--drawn", action="store_true", help="drawings of 500 x 750, whatever is in ../shared")
    parser.add_argument("--accelerator", action="store_true", help="the run for a machine with a graphics card")
    parser.add_argument("--json", type=Path, help="file for the result")
    asked = parser.parse_args(arguments)
    runs = [(model, 3072, 5, 256) for model in ("ViT-B-32", "ViT-L-14")]
    if not asked.accelerator:
        runs = [(asked.model, asked.n, asked.rounds, asked.batch)]
    results = []
    for model, n, rounds, batch in runs:
        source, contents = _contents(asked.images, n, asked.drawn or asked.accelerator)
        with tempfile.TemporaryDirectory() as folder:
            results.append(measure(Path(folder), model, source, contents, rounds, batch))
        _show(results[-1])
    result = results[0] if len(results) == 1 else {"runs": results}
    if asked.json:
        write_json(asked.json, result)
    return result


def measure(
    folder: Path, model: str, source: str, contents: Sequence[bytes], rounds: int, batch: int
) -> dict[str, Any]:
    """Images per second of the job and of the bare pass, by turns, and the ratio of each round."""
    import torch

    settings = _workspace(folder, model, batch)
    _record(settings, folder, contents)
    encoder = loaded_encoder(settings)
    prepared = [encoder.prepare(decode(content, "image")) for content in contents]
    tensors = torch.stack(prepared).to(encoder.device)
    encoder.encode_normalised(tensors[:batch])  # the first pass of a process also chooses its kernels
    job: list[Spent] = []
    bare: list[Spent] = []
    for turn in range(rounds):
        for kind in ("job", "bare") if turn % 2 == 0 else ("bare", "job"):
            if kind == "job":
                job.append(_job(settings, turn, len(contents)))
            else:
                spent, expected = _spent(lambda: encoder.encode_normalised(tensors))
                bare.append(spent)
    return {
        "model": model,
        "device": str(encoder.device),
        "jpeg_on_device": decodes_jpeg(encoder.device),
        "least_cosine": round(_least_cosine(settings, encoder.fingerprint, expected), 5),
        "images": source,
        "median_pixels": int(np.median([_pixels(content) for content in contents])),
        "n": len(contents),
        "rounds": rounds,
        "batch": batch,
        "threads": torch.get_num_threads(),
        "precision": str(encoder.half or torch.float32).removeprefix("torch."),
        "job_images_per_second": [round(len(contents) / spent.seconds, 2) for spent in job],
        "bare_images_per_second": [round(len(contents) / spent.seconds, 2) for spent in bare],
        "ratios": [round(b.seconds / a.seconds, 3) for a, b in zip(job, bare, strict=True)],
        "processor_ratios": [round(b.processor / a.processor, 3) for a, b in zip(job, bare, strict=True)],
        "machine": machine(),
    }


def _least_cosine(settings: Settings, fingerprint: Fingerprint, expected: FloatArray) -> float:
    """The least cosine of a stored vector to that of open_clip's own transform of the same image."""
    stored = VectorStore(settings.vectors).read(fingerprint)
    row = {id_: place for place, id_ in enumerate(stored.ids.tolist())}
    found = np.concatenate(stored.blocks).astype(np.float32)
    order = [row[f"{number}.img"] for number in range(len(expected))]
    return float((found[order] * expected).sum(axis=1).min())


def _workspace(folder: Path, model: str, batch: int) -> Settings:
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    state = open_clip.create_model(model).state_dict()
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, folder / "weights.safetensors")
    settings = reader.build(
        {},
        workspace=folder / "workspace",
        encoder=model,
        pretrained=str(folder / "weights.safetensors"),
        embed_batch=batch,
        redis_port=1,
    )
    migrate(settings)
    return settings


def _contents(images: Path | None, n: int, drawn: bool) -> tuple[str, list[bytes]]:
    """The bytes of ``n`` distinct images: of the folder, else of ../shared, else drawn."""
    place = images or (PHOTOS if PHOTOS.is_dir() and not drawn else None)
    if place is None:
        shapes = [_drawing(number) for number in range(min(n, DRAWINGS))]
        # A comment makes another file of the same picture: drawing thousands would take longer than all else.
        return "drawings of 500 x 750", [_commented(shapes[number % DRAWINGS], number) for number in range(n)]
    found: dict[str, bytes] = {}
    for path in sorted(place.rglob("*")):
        if path.suffix.lower() in IMAGE_SUFFIXES and len(found) < n:
            content = path.read_bytes()
            try:
                found[inspect(content, path.name).digest] = content
            except UnreadableItem:
                continue
    return f"{len(found)} files of {place.name if images else 'the shared photographs'}", list(found.values())


def _drawing(number: int) -> bytes:
    coarse = np.random.default_rng(number).integers(0, 256, (30, 20, 3), dtype=np.uint8)
    out = BytesIO()
    Image.fromarray(coarse).resize((500, 750), Image.Resampling.BICUBIC).save(out, "JPEG", quality=90)
    return out.getvalue()


def _commented(content: bytes, number: int) -> bytes:
    comment = str(number).encode()
    return content[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + content[2:]


def _pixels(content: bytes) -> int:
    info = inspect(content, "image", whole=False)
    return info.width * info.height


def _record(settings: Settings, folder: Path, contents: Sequence[bytes]) -> None:
    with writing(settings) as session:
        for number, content in enumerate(contents):
            path = folder / "images" / f"{number}.img"
            write_bytes(path, content)
            facts = {"asset_id": path.name, "title_id": path.name, "digest": digest_bytes(content)}
            session.add(Asset(**facts, uri=str(path), width=1, height=1, columns={}, added_at=now()))


@dataclass(frozen=True)
class Spent:
    """Seconds on the clock, and seconds of all processors together."""

    seconds: float
    processor: float


def _spent(work: Callable[[], T]) -> tuple[Spent, T]:
    clock, processor = time.perf_counter(), time.process_time()
    done = work()
    return Spent(time.perf_counter() - clock, time.process_time() - processor), done


def _job(settings: Settings, turn: int, expected: int) -> Spent:
    """What the whole job takes for all assets into an empty store; the encoder is loaded already."""
    if settings.vectors.exists():
        settings.vectors.rename(settings.workspace / f"vectors-{turn}")
    spent, result = _spent(lambda: embed.run(settings))
    if result["embedded"] != expected:
        raise RuntimeError(f"the job embedded {result['embedded']} of {expected} images: {result['left_out'][:3]}")
    return spent


def _show(result: dict[str, Any]) -> None:
    names = ("job_images_per_second", "bare_images_per_second", "ratios", "processor_ratios")
    rounds = zip(*(result[name] for name in names), strict=True)
    rows = [(number, *values) for number, values in enumerate(rounds, start=1)]
    middle = [statistics.median(column) for column in list(zip(*rows, strict=True))[1:]]
    title = "{model}, {precision}, {n} images ({images}), batch {batch}, {device}, {threads} threads".format(**result)
    columns = ("round", "job, images/s", "bare forward pass, images/s", "ratio", "ratio of processor time")
    table(columns, [*rows, ("median", *middle)], title).print()
    print("The least cosine of a stored vector to that of open_clip's own transform: {least_cosine}".format(**result))
    if result["device"] == "cpu":
        print("No graphics card here: JPEG files were decoded by Pillow, as all others.")


if __name__ == "__main__":
    main()
