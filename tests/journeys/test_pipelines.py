"""Pipelines without Attune: the blocks of docs/how-to/pull-in-a-pipeline.md, in empty environments, over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pytest

from attune.labeler.people import tokens
from attune.labeler.settings import Settings
from attune.models.catalog.catalog import Catalog
from attune.models.catalog.manifest import parse_reference
from attune.models.catalog.probe_files import FILE_NAME, read_probe
from tests.labeler.catalog import worlds
from tests.support import environments, published

pytestmark = pytest.mark.slow
DOCS = Path(__file__).parents[2] / "docs"
PIPELINES = "how-to/pull-in-a-pipeline.md"
ABSENT = """
import importlib.util
assert not [name for name in ("attune", "models", "labeler", "workers", "torch") if importlib.util.find_spec(name)]
"""


@dataclass(frozen=True)
class House:
    """A served console, and a pipeline's token for it."""

    settings: Settings
    address: str
    token: str

    def run(self, packages: tuple[str, ...], code: str, folder: Path) -> object:
        """What ``code`` leaves in ``result``, in an environment of ``packages`` alone."""
        whole = f"{ABSENT}\n{code}\nimport json\nprint(json.dumps(result))"
        python = environments.python_with(*packages)
        return json.loads(environments.run(python, whole, folder, ATTUNE_URL=self.address, ATTUNE_TOKEN=self.token))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = published.workspace(tmp_path_factory.mktemp("pipelines") / "workspace")
    with published.served(settings) as address:
        yield House(settings, address, tokens.issue(settings, "nightly"))


def blocks(page: str, heading: str | None = None) -> list[str]:
    """The Python of a page of docs/, of one of its sections if ``heading`` is given."""
    text = (DOCS / page).read_text(encoding="utf-8")
    if heading:
        text = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def block(page: str, heading: str | None = None) -> str:
    (only,) = blocks(page, heading)
    return only


def embeddings() -> np.ndarray:
    x = np.random.default_rng(5).normal(size=(200, worlds.DIMENSION)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def expected(settings: Settings, name: str, x: np.ndarray) -> np.ndarray:
    """What Attune itself says of ``x``."""
    catalog = Catalog(settings.catalog_address)
    manifest = catalog.manifest(name, catalog.resolve(parse_reference(name)))
    return read_probe(catalog.read(manifest, FILE_NAME)).probabilities(x)


@pytest.mark.parametrize("name", ["romance", "serious"])
@pytest.mark.parametrize("way", ["numpy", "onnx"])
def test_an_empty_environment_pulls_checks_and_scores(house: House, tmp_path: Path, name: str, way: str) -> None:
    x = embeddings()
    pull = block(PIPELINES, "Pull over HTTP").replace("romance", name)
    packages, score = {
        "numpy": (("numpy", "safetensors"), block("reference/probe-format.md")),
        "onnx": (("numpy", "onnxruntime"), block(PIPELINES, "Score with an ONNX runtime")),
    }[way]
    given = f"import numpy as np\nx = np.array({x.tolist()}, dtype=np.float32)\n"
    told = house.run(packages, f"{pull}\n{given}{score}\nresult = p.tolist()", tmp_path)
    assert np.abs(np.array(told) - expected(house.settings, name, x)).max() < 1e-5
    folder = tmp_path / name
    assert {file.name for file in folder.iterdir()} == {"probe.safetensors", "probe.onnx", "card.md", "manifest.json"}


def test_a_file_altered_on_the_way_stops_the_pipeline(house: House, tmp_path: Path) -> None:
    pull = block(PIPELINES, "Pull over HTTP")
    altered = pull.replace("content = get(", "content = b'?' + get(")
    assert altered != pull
    code = f"try:\n    exec({altered!r})\nexcept SystemExit as error:\n    result = str(error)"
    assert "was altered on the way" in str(house.run(("numpy", "safetensors"), code, tmp_path))


@pytest.mark.parametrize("engine", ["duckdb", "pandas"])
def test_an_empty_environment_reads_the_feature_values(house: House, tmp_path: Path, engine: str) -> None:
    get = block(PIPELINES, "Pull over HTTP").split("manifest =")[0]
    fetch, by_duckdb, by_pandas = blocks(PIPELINES, "Feature values")
    packages, code = {
        "duckdb": (("duckdb",), f"{by_duckdb}\nresult = likely"),
        "pandas": (
            ("pandas", "pyarrow"),
            f"{by_pandas}\nresult = [[i, *map(float, row)] for i, row in zip(wide.index, wide.to_numpy())]",
        ),
    }[engine]
    told = house.run(packages, f"{get}\n{fetch}\n{code}", tmp_path)
    assert isinstance(told, list)
    files = f"{house.settings.catalog_address}/features/romance/*/part-*.parquet"
    if engine == "duckdb":
        assert len(told) == published.ASSETS // 2, "two images a title"
        best = duckdb.execute("select max(probability) from read_parquet(?) where class = 'romance'", [files])
        assert told[0][1] == pytest.approx(best.fetchone()[0])  # type: ignore[index]
    else:
        assert len(told) == published.ASSETS
        assert np.allclose(np.array([row[1:] for row in told]).sum(axis=1), 1, atol=1e-5)


def test_duckdb_reads_the_catalogs_own_files_with_nothing_else(house: House, tmp_path: Path) -> None:
    files = f"{house.settings.catalog_address}/features/*/*/part-*.parquet"
    code = f"""
import duckdb
query = "select attribute, count(*), count(distinct asset_id) from read_parquet(?) group by 1 order by 1"
result = duckdb.execute(query, [{files!r}]).fetchall()
"""
    told = house.run(("duckdb",), code, tmp_path)
    assert told == [
        ["romance", 3 * published.ASSETS, published.ASSETS],
        ["serious", published.ASSETS, published.ASSETS],
    ]
