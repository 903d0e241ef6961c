"""From the files of an upload to a folder of images: zips unpacked within limits, every name made safe.

Sizes are counted as bytes come out, never as an archive tells them. Format: APPNOTE.TXT 6.3.10 (PKWARE).
"""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from attune.labeler.assets.upload_names import Places, is_hidden, safe_path
from attune.labeler.assets.uploads import MOST_FILES, Part
from attune.labeler.jobs.jobs import Report
from attune.models.errors import DataError
from attune.models.files.paths import printable
from attune.models.files.permissions import private_opener
from attune.models.images.decode import MAX_BYTES

ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".jar", ".cab", ".iso"})
TABLES = frozenset({".csv", ".tsv", ".jsonl", ".parquet"})
MOST_UNPACKED = 8 * 10**9  # bytes that all zips of one upload may become
MOST_RATIO, RATIO_FROM = 100, 64 * 10**6  # bytes out for one in, once a zip has become more than RATIO_FROM bytes
DIRECTORY_BYTES = 8 * 10**6  # of a zip's list of files, which is read as a whole
SIZE_OF_DIRECTORY = 5  # in the record that `zipfile` makes of an archive's end
STEP = 2**20
DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, EOFError, ValueError)  # bz2 raises OSError


@dataclass
class Unpacked:
    """``folder`` holds the files; ``refused`` are item, reason and message; ``passed_over`` hidden files."""

    folder: Path
    tables: list[str] = field(default_factory=list)  # paths below the folder
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    passed_over: int = 0
    files: int = 0
    written: int = 0

    def refuse(self, item: str, reason: str, message: str) -> None:
        """Leave out one file, or one archive as a whole."""
        self.refused.append((printable(item), reason, printable(message)))


def unpack(parts: Iterable[Part], folder: Path, report: Report) -> Unpacked:
    """Lay the files of an upload out below ``folder``, which is made anew. Hidden files are passed over.

    Raises DataError where there is more than one table: it would not be clear which one tells of the images.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    done, places, all_parts = Unpacked(folder), Places(), list(parts)
    for number, part in enumerate(all_parts):
        suffix = PurePosixPath(part.name).suffix.lower()
        if is_hidden(part.name):
            done.passed_over += 1
        elif suffix == ".zip":
            _Zip(part, done, places).unpack()
        elif suffix in ARCHIVES:
            done.refuse(part.name, "not a zip", f"{part.name} is an archive that Attune does not open. Send a zip.")
        else:
            _lay(part.path, done, places.free(safe_path(part.name)))
        report(number + 1, len(all_parts))
    if len(done.tables) > 1:
        raise DataError(
            f"The upload has {len(done.tables)} tables: {', '.join(done.tables[:3])}. Attune takes one asset table "
            "with an upload. Nothing was added. Leave the others out and send the files again."
        )
    return done


def _lay(source: Path, done: Unpacked, place: str) -> None:
    target = _target(done, place)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a disk without hard links
        shutil.copyfile(source, target, follow_symlinks=False)
    _count(done, place)


def _target(done: Unpacked, place: str) -> Path:
    target = done.folder / place
    for above in reversed(target.relative_to(done.folder).parents[:-1]):  # `parents=True` would go by the umask
        (done.folder / above).mkdir(mode=0o700, exist_ok=True)
    return target


def _count(done: Unpacked, place: str) -> None:
    done.files += 1
    if PurePosixPath(place).suffix.lower() in TABLES:
        done.tables.append(place)


class _TooMuch(Exception):
    """An archive became larger than a limit; the reason and the message."""


class _Zip:
    """One zip of an upload, whose files go into a folder of its name."""

    def __init__(self, part: Part, done: Unpacked, places: Places) -> None:
        self.part, self.done, self.places = part, done, places
        self.out = 0  # bytes that it became so far
        self.root = safe_path(part.name)[: -len(".zip")].rstrip(". ") or "zip"

    def unpack(self) -> None:
        """Unpack what can be; the rest is refused by name."""
        name = self.part.name
        try:
            with open(self.part.path, "rb") as file:
                end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
                if end is not None and end[SIZE_OF_DIRECTORY] > DIRECTORY_BYTES:
                    raise _TooMuch("too many files", f"{name} has too many files. Make several zips of it.")
                with zipfile.ZipFile(file) as archive:
                    for member in archive.infolist():
                        self._take(archive, member)
        except _TooMuch as error:
            self.done.refuse(name, *error.args)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError):
            self.done.refuse(
                name, "damaged zip", f"{name} is damaged or not a zip, so it cannot be opened. Make the zip again."
            )

    def _take(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        name, shown = member.filename, f"{member.filename} in {self.part.name}"
        kind = stat.S_IFMT(member.external_attr >> 16)
        if member.is_dir():
            return
        if is_hidden(name):
            self.done.passed_over += 1
        elif kind not in {0, stat.S_IFREG}:
            self._refuse(member, "a link", f"{shown} is a link or a device, not a file. Put the file itself in.")
        elif member.flag_bits & 0x1:
            self._refuse(member, "encrypted", f"{shown} is encrypted. Make a zip without a password.")
        elif PurePosixPath(name).suffix.lower() in ARCHIVES:
            self._refuse(
                member,
                "an archive in a zip",
                f"{shown} is an archive in a zip, which Attune does not open. Send it alone.",
            )
        elif self.done.files >= MOST_FILES:
            raise _TooMuch(
                "too many files",
                f"The upload has more than {MOST_FILES:,} files. The rest of {self.part.name} was left out: send it "
                "in another zip.",
            )
        else:
            self._write(archive, member, shown)

    def _refuse(self, member: zipfile.ZipInfo, reason: str, message: str) -> None:
        self.done.refuse(member.filename, reason, message)

    def _write(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, shown: str) -> None:
        place = self.places.free(safe_path(f"{self.root}/{safe_path(member.filename)}"))
        target = _target(self.done, place)
        size = 0
        try:
            with archive.open(member) as source, open(target, "xb", opener=private_opener) as file:
                while chunk := source.read(STEP):
                    size += len(chunk)
                    self._measure(len(chunk))
                    if size > MAX_BYTES:
                        break
                    file.write(chunk)
        except _TooMuch:
            target.unlink(missing_ok=True)
            raise
        except (*DAMAGE, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's error, and not the archive's
            target.unlink(missing_ok=True)
            self._refuse(
                member, "damaged in the zip", f"{shown} is damaged and cannot be unpacked. Make the zip again."
            )
            return
        if size > MAX_BYTES:
            target.unlink()
            self._refuse(member, "too large", f"{shown} is larger than {MAX_BYTES // 2**20} MB. Make it smaller.")
        else:
            _count(self.done, place)

    def _measure(self, size: int) -> None:
        """Count bytes that came out. Raises _TooMuch."""
        self.out += size
        self.done.written += size
        name = self.part.name
        if self.out > RATIO_FROM and self.out > MOST_RATIO * max(1, self.part.size):
            raise _TooMuch(
                "unpacks to too much",
                f"{name} becomes more than {MOST_RATIO} times as large when it is unpacked, which images never do. "
                "Attune stopped there.",
            )
        if self.done.written > MOST_UNPACKED:
            raise _TooMuch(
                "unpacks to too much",
                f"The zips become larger than {MOST_UNPACKED // 10**9} GB, the most for one upload. Attune stopped in "
                f"{name}. Send the rest in another upload.",
            )
