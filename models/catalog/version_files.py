"""A version's files, made from a probe's bytes and the facts about it; the same facts give the same bytes."""

from __future__ import annotations

from dataclasses import replace

from attune.models.catalog import model_card, onnx_file, probe_files
from attune.models.catalog.manifest import FileEntry, Manifest
from attune.models.catalog.probe_files import read_probe
from attune.models.errors import BadProbeFile
from attune.models.files.atomic import digest_bytes


def make_version(facts: Manifest, probe: bytes) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest with its ``files``, and the content of each: safetensors, ONNX (checked against numpy) and card.

    ``facts`` is the manifest without files. Raises BadProbeFile where the probe and the facts do not fit together.
    """
    weights = read_probe(probe)
    if weights.classes != len(facts.classes):
        raise BadProbeFile(
            f"The probe of {facts.attribute} version {facts.version} has {weights.classes} classes, but the "
            f"attribute has {len(facts.classes)}: {', '.join(facts.classes)}. Train it with the current "
            f"classes: `attune learn {facts.attribute}`"
        )
    _check_dimension(facts, weights.dimension)
    onnx = onnx_file.onnx_bytes(weights, facts.classes, facts.encoder_digest)
    onnx_file.check_onnx(onnx, weights)
    contents = {
        probe_files.FILE_NAME: probe,
        onnx_file.FILE_NAME: onnx,
        model_card.FILE_NAME: model_card.card_bytes(facts),
    }
    files = {name: FileEntry(digest_bytes(content), len(content)) for name, content in contents.items()}
    return replace(facts, files=files), contents


def _check_dimension(facts: Manifest, dimension: int) -> None:
    stated = facts.encoder.get("dimension")
    if stated is not None and int(stated) != dimension:
        raise BadProbeFile(
            f"The probe of {facts.attribute} version {facts.version} expects {dimension} numbers per vector, "
            f"but its encoder makes {stated}. Train it with the active encoder: `attune learn {facts.attribute}`"
        )
