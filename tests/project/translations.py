"""Bring the catalogs of the labelling pages up to the code, and compile them. `make translations` calls it.

    python -m tests.project.translations            every language that is there
    python -m tests.project.translations fr         begin another one, by its code

It names what has no translation yet. A sentence that changed counts as new: nobody is shown an old translation of it.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from attune.labeler.views import check_words
from attune.labeler.web.languages import TRANSLATIONS

ROOT = Path(__file__).resolve().parents[2]
HOUSE = ROOT / "labeler"
PLACE = TRANSLATIONS.resolve()
HEAD = """# Made by `make translations` from the code. A translator writes the lines of msgstr.
msgid ""
msgstr ""
"Language: {code}\\n"
"Plural-Forms: {plural_forms}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""
CHECKS = "models/measured"  # what questions that check a measured feature say
BEGUN = datetime(2026, 11, 28, tzinfo=UTC)  # in what is compiled, so that a run without changes changes nothing
METHODS = [
    ("web/templates/**.html", "jinja2"),
    ("web/**.py", "python"),
    ("labelling/**.py", "python"),
    ("views/**.py", "python"),
]
Words = str | tuple[str, ...]  # one sentence, or its form for each count
KEYWORDS = {**DEFAULT_KEYWORDS, "forms": (1, 2)}


def template() -> Catalog:
    """What the code says, in English, with the files that say it: the pages, and questions that Attune itself asks."""
    made = Catalog()
    found = extract_from_dir(HOUSE, METHODS, keywords=KEYWORDS)
    for name, _, words, comments, context in sorted(found, key=lambda one: (one[0], one[1])):
        made.add(words, locations=[(f"labeler/{name}", 0)], auto_comments=comments, context=context)
    for said in check_words.sentences():
        made.add(said, locations=[(CHECKS, 0)])
    return made


def source(code: str) -> Path:
    """The file that a translator writes."""
    return PLACE / code / "LC_MESSAGES" / "messages.po"


def read(code: str) -> Catalog:
    """The catalog of a language, as its translator left it."""
    with source(code).open("rb") as opened:
        return read_po(opened, locale=code)


def compiled(catalog: Catalog) -> bytes:
    """What gettext reads."""
    catalog.creation_date, made = BEGUN, io.BytesIO()
    write_mo(made, catalog)
    return made.getvalue()


def missing(catalog: Catalog) -> list[str]:
    """The English sentences that ``catalog`` does not say, or not in each form."""
    return [str(one.id) for one in _sentences(catalog) if one.fuzzy or not _is_whole(one)]


def mistakes(catalog: Catalog) -> list[str]:
    """Translations whose named places differ from the English ones."""
    return [f"{one.id}: {error}" for one, errors in catalog.check() if _is_whole(one) for error in errors]


def sentences(catalog: Catalog) -> dict[Words, Words]:
    """English -> the translation, each a text or a form for each count."""
    return {_plain(one.id): _plain(one.string) for one in _sentences(catalog)}


def _plain(words: str | list[str] | tuple[str, ...] | None) -> Words:
    return words if isinstance(words, str) else tuple(words or ())


def _sentences(catalog: Catalog) -> Iterator[Message]:
    return (one for one in catalog if one.id)


def _is_whole(one: Message) -> bool:
    return all(one.string) if isinstance(one.string, (list, tuple)) else bool(one.string)


def update(code: str) -> Catalog:
    """Write the catalog of ``code`` anew, with all that the code says, and compile it."""
    place = source(code)
    old, catalog = sentences(read(code)) if place.exists() else {}, Catalog(locale=code)
    for one in _sentences(template()):
        catalog.add(one.id, old.get(_plain(one.id), ""), one.locations, context=one.context)
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as opened:
        opened.write(HEAD.format(code=code, plural_forms=catalog.plural_forms).encode())
        write_po(opened, catalog, width=116, include_lineno=False, omit_header=True)
    place.with_suffix(".mo").write_bytes(compiled(read(code)))
    return catalog


def main() -> None:
    """Update every language, and say what each one lacks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("language", nargs="?", help="begin this language, such as fr or pt_BR")
    begun = parser.parse_args().language
    codes = sorted({path.name for path in PLACE.iterdir() if path.is_dir()} | ({begun} if begun else set()))
    total = 0
    for code in codes:
        catalog = update(code)
        lacking = [*missing(catalog), *mistakes(catalog)]
        total += len(lacking)
        print(f"{source(code).relative_to(ROOT)}: {len(catalog)} sentences, {len(lacking)} to translate or correct")
        for one in lacking:
            print(f"  {one}")
    sys.exit(1 if total else 0)


if __name__ == "__main__":
    main()
