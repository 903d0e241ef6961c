"""Links, anchors and names of files in the Markdown pages lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs import pages
from tests.docs.pages import ROOT, name_of

PAGES = pages.pages()
# A path in backticks that begins with a folder of the repository.
NAMED = re.compile(
    r"(?<![\w/.~-])((?:attune|benchmarks|docker|docs|examples|labeler|models|tests|workers)/[\w./-]*\w/?)"
)
HISTORY = {"CHANGELOG.md", "docs/decisions/0009-the-house.md"}  # what was called so then
ELSEWHERE = re.compile(r"NNNN|docs/decisions/\d{4}$")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_and_anchor_leads_somewhere(page: Path) -> None:
    broken = []
    for target in pages.links(page):
        if re.match(r"[a-z][a-z+.-]*:|//", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        other = (page.parent / path).resolve() if path else page
        missing = not other.exists() or not other.is_relative_to(ROOT)
        if missing or (anchor and other.suffix == ".md" and anchor not in pages.anchors(other)):
            broken.append(target)
    assert broken == [], f"{name_of(page)} has links that lead nowhere"


@pytest.mark.parametrize("page", [page for page in PAGES if name_of(page) not in HISTORY], ids=name_of)
def test_every_file_of_the_repository_that_a_page_names_is_there(page: Path) -> None:
    text = pages.prose(page)
    named = {name for span in re.findall(r"`([^`\n]+)`", text) for name in NAMED.findall(span)}
    named |= {name for name in NAMED.findall(text) if name.endswith(".py")}
    missing = sorted(name for name in named if not _is_there(name) and not ELSEWHERE.search(name))
    assert missing == [], f"{name_of(page)} names files that do not exist"


def _is_there(name: str) -> bool:
    return (ROOT / name).exists() or (ROOT / f"{name}.py").exists()


def test_documents_that_code_names_are_there() -> None:
    missing = set()
    for folder in ("labeler", "models", "workers", "examples", "tests", "benchmarks", "docker"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".md", ".html", ".sh", ".yml", ".css"} and path.is_file():
                for name in re.findall(
                    r"(?<![\w/.-])docs/[\w/-]+\.(?:md|svg|jpg|png)", path.read_text(encoding="utf-8")
                ):
                    if not (ROOT / name).exists():
                        missing.add(f"{name_of(path)}: {name}")
    assert sorted(missing) == []


def test_every_page_of_the_docs_is_reached_from_their_index() -> None:
    seen, waiting = set(), [ROOT / "docs" / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        for target in pages.links(page):
            other = (page.parent / target.partition("#")[0]).resolve()
            waiting += sorted(other.glob("*.md")) if other.is_dir() else [other] if other.suffix == ".md" else []
    alone = [name_of(page) for page in PAGES if (ROOT / "docs") in page.parents and page not in seen]
    assert alone == []
