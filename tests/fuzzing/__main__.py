"""Fuzz one reader, guided by the coverage of its code.

    python -m tests.fuzzing --seconds 60 TARGET

Needs atheris (pip install atheris), which has wheels for Linux only and is in no lock. Ends with 0 where nothing was
found, and with 77 at the first finding, whose bytes are in ``crash-…`` of the current folder: give it a test.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

LONGEST_BYTES, LONGEST_SECONDS, MOST_MIB = 4096, 25, 4096

READERS = ["attune.models.catalog", "attune.models.files", "attune.models.images"]
with atheris.instrument_imports(include=READERS):
    from attune.models.catalog import manifest, probe_files  # noqa: F401 - imported here, they tell of their branches
    from attune.models.files import tables  # noqa: F401
    from attune.models.images import decode  # noqa: F401

from attune.labeler.web import webhook  # noqa: E402 - after the readers: to follow all that it needs takes a minute
from tests.fuzzing.targets import TARGETS  # noqa: E402


def main() -> None:
    """Read the command line, and hand over to libFuzzer, which ends the process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    wanted = parser.parse_args()
    target = TARGETS[wanted.target]
    atheris.instrument_func(webhook._project)
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(target.seeds()):
            Path(corpus, str(number)).write_bytes(seed)
        limits = [f"-max_len={LONGEST_BYTES}", f"-timeout={LONGEST_SECONDS}", f"-rss_limit_mb={MOST_MIB}"]
        times = [f"-max_total_time={wanted.seconds}", "-print_final_stats=1", "-verbosity=0"]
        atheris.Setup([sys.argv[0], *limits, *times, corpus], target.once)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
