"""The page of file formats: columns and keys, from the schemas that write them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import fields

import pyarrow as pa
import pyarrow.parquet as pq

from attune.labeler.assets import asset_table
from attune.labeler.exchange import export_tables, import_files
from attune.models.catalog import manifest
from attune.models.catalog.feature_values import SCHEMA
from attune.models.encoders.fingerprint import Fingerprint
from attune.models.vectors.vector_shards import METADATA
from attune.models.vectors.vector_writer import schema_of
from tests.project.reference.markdown import code, table

INTRODUCTION = """# File formats

Columns and keys of the files that Attune reads and writes. [Probe format](probe-format.md) says what the numbers of
a probe mean and shows how to read one without Attune.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, _images(), _vectors(), _labels(), _probe(), _values()])


def _images() -> str:
    return f"""## Asset table

The file that `attune assets add --manifest FILE` reads. {asset_table.HOW}
Attune keeps the further columns: the review page groups by them, and Explore filters by them.
"""


def _vectors() -> str:
    fingerprint = Fingerprint("open_clip", "MODEL", "0" * 64, 512)
    rows = [[code(one.name), "list of float16, d entries" if "list" in str(one.type) else str(one.type)]
            for one in schema_of(fingerprint)]  # fmt: skip
    return f"""## Vectors

What `attune embed` and `attune vectors export` write, as Parquet or Arrow. `attune assets add --vectors` and `attune
score --vectors`
also read `.npz` with the arrays `ids` (text) and `vectors` (float32, n × d).

{table(["column", "type"], rows)}
The schema's metadata key `{METADATA.decode()}` is a JSON object that identifies the encoder. Its keys:
{", ".join(code(key) for key in fingerprint.to_dict())}.
"""


def _labels() -> str:
    answers = _columns(export_tables.columns_of(("CLASS",), agreed=False))
    agreed = _columns(export_tables.columns_of(("CLASS",), agreed=True))
    classes = ", ".join(code(name) for name in import_files.CLASS_NAMES)
    return f"""## Exported answers

What `attune labels export NAME --to FILE` writes as CSV, Parquet or JSON: one row for each expert's newest answer on
an image.

{table(["column", "type"], answers)}
## Exported labels

With `--agreed`: one row for each image, with the class that the experts agree on, and a share for each class.

{table(["column", "type"], agreed)}
## Imported answers

`attune labels import NAME FILE` reads CSV, TSV, Parquet, JSON lines, Attune's JSON export and Label Studio's JSON. A
table has the columns
`asset_id`, `expert` and one of {classes}. `answered_at` is optional. Options name other columns.
"""


def _columns(names: Sequence[str]) -> list[list[str]]:
    schema: pa.Schema = pq.read_schema(io.BytesIO(export_tables.write_parquet([], names)))
    return [[code(one.name), str(one.type)] for one in schema]


def _probe() -> str:
    rows = [[code(one.name), code(str(one.type))] for one in fields(manifest.Manifest)]
    files = ", ".join(code(name) for name in manifest.FILES)
    return f"""## Version of a probe

A folder `probes/NAME/VERSION/` of the catalog with `{manifest.FILE_NAME}` and {files}.
`{manifest.FILE_NAME}` has format version {manifest.FORMAT_VERSION} and these keys ([their
meaning](probe-format.md#manifestjson)):

{table(["key", "type in the code"], rows)}"""


def _values() -> str:
    rows = [[code(one.name), str(one.type), "yes" if one.nullable else "no"] for one in SCHEMA]
    return f"""## Feature values

Parquet, `features/NAME/VERSION/part-*.parquet` of the catalog, and what `attune score` writes
([their meaning](probe-format.md#feature-values)):

{table(["column", "type", "can be null"], rows)}"""
