"""What is fuzzed: each reader with the bytes that it takes, the errors that it may raise, and seeds to begin from."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from flask import Flask
from PIL import Image

from attune.labeler.web import webhook
from attune.models.catalog import manifest, probe_files
from attune.models.errors import AttuneError
from attune.models.files.tables import read_table
from attune.models.images import decode

NAMES = ("asset_id", "title", "value")
TABLE = pa.table({"asset_id": ["a", "b"], "title": ["x", None], "value": [1.5, -2.0]})
MOST_ROWS, MOST_PIXELS = 10_000, 1_000_000
APP = Flask("fuzzing")


@dataclass(frozen=True)
class Target:
    """``read`` takes any bytes, and raises nothing but an AttuneError: a small help page for whoever sent them."""

    read: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]

    def once(self, content: bytes) -> None:
        """Try it. Whatever it raises is a finding."""
        try:
            self.read(content)
        except AttuneError:
            return


def _webhook(content: bytes) -> object:
    with APP.test_request_context("/webhooks/label-studio", method="POST", data=content):
        return webhook._project()


def _image(content: bytes) -> object:
    decode.inspect(content, "a.png", MOST_PIXELS)
    return decode.decode(content, "a.png", MOST_PIXELS)


def _table(content: bytes) -> object:
    return read_table(content, NAMES, MOST_ROWS)


def _probe_seeds() -> list[bytes]:
    return [probe_files.probe_bytes(np.ones((k, 4)), np.zeros(k), np.ones((k, 2))) for k in (1, 3)]


def _manifest_seeds() -> list[bytes]:
    content = {
        "format": 1, "attribute": "romance", "revision": 1, "question": "?", "definition": "", "classes": ["a", "b"],
        "version": 1, "encoder": {"library": "open_clip", "model": "m", "weights_sha256": "0" * 64, "dimension": 4},
        "thresholds": {"a": 0.5}, "metrics": {}, "labels": {}, "data_digest": "d" * 64, "code_version": "1",
        "files": {"probe.safetensors": {"sha256": "0" * 64, "bytes": 7}}, "created_at": "2026-01-01T00:00:00+00:00",
        "draft": False,
    }  # fmt: skip
    return [json.dumps(content).encode(), b"{}"]


def _csv_seeds() -> list[bytes]:
    made = io.BytesIO()
    pa_csv.write_csv(TABLE, made)
    plain = made.getvalue()
    lines = b'{"asset_id": "a", "value": 1}\n{"asset_id": "b"}\n'
    return [plain, plain.replace(b",", b";"), plain.replace(b",", b"\t"), plain.decode().encode("utf-16"), lines]


def _parquet_seeds() -> list[bytes]:
    made = io.BytesIO()
    pq.write_table(TABLE, made)
    return [made.getvalue()]


def _arrow_seeds() -> list[bytes]:
    seeds = []
    for writer in (pa.ipc.new_file, pa.ipc.new_stream):
        made = io.BytesIO()
        with writer(made, TABLE.schema) as opened:
            opened.write_table(TABLE)
        seeds.append(made.getvalue())
    return seeds


def _image_seeds() -> list[bytes]:
    seeds = []
    for kind in ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"):
        made = io.BytesIO()
        Image.linear_gradient("L").resize((9, 7)).convert("RGB").save(made, kind)
        seeds.append(made.getvalue())
    return seeds


def _webhook_seeds() -> list[bytes]:
    return [b'{"action": "ANNOTATION_CREATED", "project": {"id": 7}}', b'{"project": 7}', b"[]"]


TARGETS = {
    "probe": Target(probe_files.read_probe, _probe_seeds),
    "manifest": Target(manifest.read_manifest, _manifest_seeds),
    "csv": Target(_table, _csv_seeds),
    "parquet": Target(_table, _parquet_seeds),
    "arrow": Target(_table, _arrow_seeds),
    "webhook": Target(_webhook, _webhook_seeds),
    "image": Target(_image, _image_seeds),
}
