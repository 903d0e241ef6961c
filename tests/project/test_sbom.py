"""The bill of materials names what is installed, with the versions that the locks pin."""

from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from tests.project import sbom
from tests.project.locks import OURS, TESTS


def test_every_pinned_package_is_in_it(tmp_path: Path) -> None:
    sbom.write(tmp_path / "sbom.json")
    bill = sbom.listed((tmp_path / "sbom.json").read_text())
    pinned = sbom.pinned_here(OURS.read_text() + TESTS.read_text())
    # A developer's environment may lag behind the locks. CI's is made of them, and `make sbom` takes no excuse there.
    installed = {canonicalize_name(one.name): one.version for one in distributions()}
    there = {name: version for name, version in pinned.items() if installed.get(canonicalize_name(name)) == version}
    assert len(there) > 150
    assert sbom.missing(there, bill) == []


def test_a_package_that_is_not_there_or_another_is_named() -> None:
    lock = "flask==3.0.0 \\\n    --hash=sha256:0\ncolorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:0\n"
    assert sbom.pinned_here(lock) == {"flask": "3.0.0"}
    assert sbom.missing({"flask": "3.0.0", "rq": "2.0"}, {"flask": "3.1.0", "rq": "2.0"}) == ["flask 3.0.0"]
