"""The names under which uploaded files are kept: a browser or a zip may send any text as a file's name."""

from __future__ import annotations

import re
import unicodedata

from attune.labeler.assets.proposed import MAX_ID

LONGEST_PART = 160  # bytes: of the 255 that file systems allow, with room for what tells two names apart
DEEPEST = 6  # folders above a file; of a longer path the last ones are kept
FORBIDDEN = re.compile(r'[<>:"|?*]')  # by Windows, where a workspace may be copied to
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
EDGES = re.compile(r"^[\s.]+|[\s.]+$")  # hidden by Unix, or cut off by Windows
DRIVE = re.compile(r"[A-Za-z]:(?=/|$)")


def safe_path(name: str) -> str:
    """``name`` as a path below a folder, with ``/`` between its parts: never absolute, never above that folder.

    In one Unicode form (NFC), without invisible characters, and with no part that Windows refuses. Of a name of which
    nothing is left it makes ``image``.
    """
    text = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode()).replace("\\", "/")
    parts = [_part(part) for part in DRIVE.sub("", text, count=1).split("/") if part.strip() not in {"", ".", ".."}]
    parts = [part for part in parts if part][-DEEPEST - 1 :] or ["image"]
    while len(parts) > 1 and len("/".join(parts)) > MAX_ID:
        parts.pop(0)
    return "/".join(parts)


def is_hidden(name: str) -> bool:
    """Whether a file is one that computers put beside images: it or its folder begins with a dot, or is macOS's."""
    parts = name.replace("\\", "/").split("/")
    return "__MACOSX" in parts or any(part.startswith(".") and part not in {".", ".."} for part in parts)


class Places:
    """Keeps the paths of one folder apart, also on disks that do not tell ``A.jpg`` from ``a.jpg``."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._next: dict[str, int] = {}

    def free(self, path: str) -> str:
        """``path``, or the like with a number where a file or a folder has that name; the place is taken from now."""
        *folders, name = path.split("/")
        above = ""
        for folder in folders:
            above += folder
            while _key(above) in self._files:
                above += " (folder)"
            above += "/"
            self._folders.add(_key(above[:-1]))
        stem, dot, suffix = name.rpartition(".")
        chosen, wanted = name, _key(above + name)
        while self._taken(above + chosen):
            number = self._next[wanted] = self._next.get(wanted, 1) + 1
            chosen = f"{stem} ({number}).{suffix}" if dot and stem else f"{name} ({number})"
        self._files.add(_key(above + chosen))
        return above + chosen

    def _taken(self, path: str) -> bool:
        return _key(path) in self._files or _key(path) in self._folders


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", path.casefold())


def _part(part: str) -> str:
    seen = "".join(sign for sign in part if not unicodedata.category(sign).startswith("C"))
    tidy = _trimmed(unicodedata.normalize("NFC", FORBIDDEN.sub("_", seen)))
    stem, dot, suffix = tidy.rpartition(".")
    if RESERVED.fullmatch(tidy.partition(".")[0].rstrip()):
        tidy = f"_{tidy}"
        stem = f"_{stem}" if dot else stem
    if len(tidy.encode()) <= LONGEST_PART:
        return tidy
    ending = f".{suffix}" if dot and len(suffix.encode()) <= 10 else ""
    head = (stem if ending else tidy).encode()[: LONGEST_PART - len(ending.encode())].decode(errors="ignore")
    return _trimmed(head) + ending


def _trimmed(part: str) -> str:
    return EDGES.sub("", part)
