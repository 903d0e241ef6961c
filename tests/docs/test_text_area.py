"""The script of the page on measuring runs as it is written, but for the reader of text, which Attune cannot hold."""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "measure-images.md"


def test_the_script_reads_every_kind_of_image_and_goes_on_after_a_broken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.jpg", "b.PNG", "c.jpeg"):
        Image.new("RGB", (20, 10)).save(tmp_path / name)
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    (tmp_path / "notes.txt").write_text("no image")
    box = [[0, 0], [10, 0], [10, 10], [0, 10]]
    reader = ModuleType("rapidocr_onnxruntime")
    reader.RapidOCR = lambda: lambda image: ([(box, "letters", 0.9)], 0.1)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, reader.__name__, reader)
    monkeypatch.setattr(sys, "argv", ["text_area.py", str(tmp_path), str(tmp_path / "areas.csv")])
    (script,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(script, "text_area.py", "exec"), {})
    with (tmp_path / "areas.csv").open(newline="") as file:
        rows = {row["asset_id"]: float(row["value"]) for row in csv.DictReader(file)}
    assert rows == {"a": 0.5, "b": 0.5, "c": 0.5}
