"""The bill of materials is compared with the locks. `make sbom`, which CI calls, writes a whole one and compares it."""

from __future__ import annotations

from tests.project import sbom


def test_a_package_that_is_not_there_or_another_is_named() -> None:
    lock = "flask==3.0.0 \\\n    --hash=sha256:0\ncolorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:0\n"
    assert sbom.pinned_here(lock) == {"flask": "3.0.0"}
    assert sbom.missing({"flask": "3.0.0", "rq": "2.0"}, {"flask": "3.1.0", "rq": "2.0"}) == ["flask 3.0.0"]
