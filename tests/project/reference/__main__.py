"""Write every page of docs/ that is made from the code."""

from __future__ import annotations

import sys

from tests.project.reference import DOCS, PAGES, text_of


def main() -> None:
    """Write the pages, and name those that changed."""
    for name in PAGES:
        path, text = DOCS / name, text_of(name)
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{'same   ' if text == old else 'written'} docs/{name}\n")


if __name__ == "__main__":
    main()
