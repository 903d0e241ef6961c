"""Work out the locks: every version that is installed, with the digests of all its files. `make lock` calls it.

    python -m tests.project.locks               keep the versions of today; take in what pyproject.toml added or dropped
    python -m tests.project.locks --upgrade NAME ...    raise these packages, and what they need
    python -m tests.project.locks --upgrade all         raise everything

Two locks of ours, so that each version is named once: what Attune runs on, and what tests add. Label Studio, whose
needs clash with ours, has a third. The digests are of every file of a version, so that each lock serves Linux and
macOS, x86-64 and ARM, Python 3.11 and 3.12.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from attune.labeler.label_studio.environment_folder import LOCK as LABEL_STUDIO
from attune.labeler.label_studio.environment_folder import VERSION

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "requirements.lock"
TESTS = ROOT / "requirements-test.lock"
COMPILE = ("pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes")
PLAIN = ("--no-annotate", "--no-header")
# True wherever a lock serves: `environments` of pyproject.toml, written out by uv behind every package.
ALWAYS = "python_full_version < '3.13'"
EVERYWHERE = "(sys_platform == 'darwin' or sys_platform == 'linux')"
HEADS = {
    OURS: "What Attune runs on.",
    TESTS: "What tests, lint and the locks themselves need beyond requirements.lock.",
    LABEL_STUDIO: "Label Studio, in an environment of its own.",
}
HOW = "Made by `make lock`, never by hand; each file is refused unless its digest is listed."


def entries(text: str) -> dict[str, str]:
    """Package -> its lines in a lock: name, version, where it is needed, digests."""
    blocks = re.finditer(r"^([a-z0-9-]+)==.*(?:\n    .*)*", text, re.MULTILINE)
    return {block.group(1): block.group(0) for block in blocks}


def versions(text: str) -> dict[str, str]:
    """Package -> version."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", text, re.MULTILINE))


def plain(text: str) -> str:
    """A lock without the conditions that always hold."""
    text = (
        text.replace(f" ; {ALWAYS} and {EVERYWHERE}", "")
        .replace(f"{ALWAYS} and ", "")
        .replace(f" and {EVERYWHERE}", "")
    )
    return text.replace(f" ; {EVERYWHERE}", "")


def compiled(sources: list[str], kept: str, upgrade: list[str]) -> str:
    """What uv works out for ``sources``, with the versions of the lock ``kept`` but for the packages to raise."""
    raised = ["--upgrade"] if upgrade == ["all"] else [word for name in upgrade for word in ("--upgrade-package", name)]
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.lock"
        made.write_text(kept)
        command = [sys.executable, "-m", "uv", *COMPILE, *PLAIN, *raised, *sources, "--output-file", str(made)]
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            raise SystemExit("The locks stay as they are: uv found no set of versions that fits, see above.")
        return plain(made.read_text())


def read(path: Path) -> str:
    """The lock at ``path``, empty where there is none."""
    return path.read_text() if path.exists() else ""


def write(path: Path, blocks: dict[str, str]) -> None:
    """The lock at ``path``, one package a block, sorted."""
    lines = [f"# {HEADS[path]}", f"# {HOW}", *(blocks[name] for name in sorted(blocks))]
    path.write_text("\n".join(lines) + "\n")
    print(f"{path.relative_to(ROOT)}: {len(blocks)} packages")


def make(upgrade: list[str]) -> None:
    """All three locks anew."""
    kept = read(OURS) + read(TESTS)
    everything = compiled(["pyproject.toml", "--extra", "test"], kept, upgrade)
    extras = [word for extra in ("server", "postgres", "remote", "traces") for word in ("--extra", extra)]
    run_on = compiled(["pyproject.toml", *extras], everything, [])
    whole, ours = entries(everything), entries(run_on)
    differing = [name for name, version in versions(run_on).items() if versions(everything).get(name) != version]
    if differing:
        raise SystemExit(f"Tests would run on other versions than Attune: {', '.join(differing)}. Nothing is written.")
    with tempfile.NamedTemporaryFile("w", suffix=".in") as wanted:
        wanted.write(f"label-studio=={VERSION}\n")
        wanted.flush()
        theirs = entries(compiled([wanted.name], read(LABEL_STUDIO), upgrade))
    write(OURS, ours)
    write(TESTS, {name: block for name, block in whole.items() if name not in ours})
    write(LABEL_STUDIO, theirs)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upgrade", nargs="+", default=[], metavar="NAME", help="packages to raise, or all")
    make(parser.parse_args().upgrade)


if __name__ == "__main__":
    main()
