"""A benchmark that was killed goes on where it was."""

from __future__ import annotations

from pathlib import Path

from benchmarks.insights.record import Record


def test_a_line_that_a_kill_cut_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    record = Record(path)
    record.put("a", {"told": []})
    record.put("b", {"told": []})
    whole = path.read_text()
    for cut in (whole[:-9], whole[:-1]):
        path.write_text(cut)
        again = Record(path)
        assert (again.get("a") is None, again.get("b")) == (False, None)
        again.put("b", {"told": []})
        assert path.read_text() == whole
