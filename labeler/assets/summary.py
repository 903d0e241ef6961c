"""What `assets add` did, as numbers, as a table, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from attune.models.errors import UnreadableItem
from attune.models.files.paths import printable
from attune.models.images.pixel_values import BACKGROUND


@dataclass
class Summary:
    """Counts of one `assets add`; ``refused`` are item, reason and message of each image that was not taken.

    ``vectors_unclear`` maps ids of a vector file to the images that each could mean.
    """

    added: int = 0
    already_there: int = 0
    updated: int = 0
    restored: int = 0
    titles_kept: list[str] = field(default_factory=list)  # ids: an owner gave the title, a table has another
    twins: int = 0
    passed_over: int = 0
    not_in_manifest: int = 0
    repeated: int = 0
    notes: Counter[str] = field(default_factory=Counter)
    noted: dict[str, str] = field(default_factory=dict)  # note -> an image or file that it is about
    blank: list[str] = field(default_factory=list)  # one colour once what is transparent lies on the background
    one_colour: list[str] = field(default_factory=list)  # one colour, and nothing transparent
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    vectors_imported: int = 0
    vectors_copied: int = 0
    vectors_without_image: int = 0
    vectors_unclear: dict[str, list[str]] = field(default_factory=dict)
    vectors_left_out: list[tuple[str, str]] = field(default_factory=list)
    embedded: int = 0
    without_vector: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    encoder: str | None = None
    pool: int = 0

    @property
    def succeeded(self) -> bool:
        """Whether anything was added, or was there before."""
        return bool(self.added or self.already_there or self.restored)

    def note(self, notes: Iterable[str], name: str) -> None:
        """Count what is odd about one image that was taken, or one file that was passed over."""
        for note in notes:
            self.notes[note] += 1
            self.noted.setdefault(note, printable(name))

    def refuse(self, item: str, error: UnreadableItem) -> None:
        """Count one image that was not taken."""
        self.refused.append((printable(item), error.reason, printable(error)))

    def to_dict(self) -> dict[str, Any]:
        """The summary as JSON."""
        return {
            "added": self.added,
            "already_there": self.already_there,
            "updated": self.updated,
            "restored": self.restored,
            "titles_kept": self.titles_kept,
            "same_content_under_another_id": self.twins,
            "passed_over": self.passed_over,
            "not_in_manifest": self.not_in_manifest,
            "repeated_rows": self.repeated,
            "notes": dict(self.notes),
            "one_flat_colour": {"transparent": self.blank, "opaque": self.one_colour},
            "refused": dict(Counter(reason for _, reason, _ in self.refused)),
            "refusals": [
                {"item": item, "reason": reason, "message": message} for item, reason, message in self.refused
            ],
            "vectors": {
                "imported": self.vectors_imported,
                "copied": self.vectors_copied,
                "embedded": self.embedded,
                "without_image": self.vectors_without_image,
                "ambiguous": [{"id": id_, "images": images} for id_, images in self.vectors_unclear.items()],
                "left_out": [{"id": id_, "reason": reason} for id_, reason in self.vectors_left_out],
                "missing": self.without_vector,
            },
            "jobs": self.jobs,
            "encoder": self.encoder,
            "pool": self.pool,
        }

    def rows(self) -> list[tuple[str, int, str]]:
        """What happened, how often, and an example or a word on it: the rows of the table."""
        rows = [
            ("added", self.added, ""),
            ("already there", self.already_there, ""),
            ("title or columns updated", self.updated, "from the asset table"),
            ("restored", self.restored, "removed before"),
            ("title kept as given on the page Duplicates", len(self.titles_kept), _some(self.titles_kept)),
            ("same image under another id", self.twins, "kept; it uses the other image's vector"),
            ("not images, skipped", self.passed_over, ""),
            ("not in the asset table, skipped", self.not_in_manifest, ""),
            ("rows that repeat another row of the asset table", self.repeated, ""),
            *((note, count, self.noted.get(note, "")) for note, count in sorted(self.notes.items())),
            (f"one flat colour: transparent, shown on {BACKGROUND}", len(self.blank), _some(self.blank)),
            ("one flat colour", len(self.one_colour), _some(self.one_colour)),
        ]
        reasons = Counter(reason for _, reason, _ in self.refused)
        for reason, count in reasons.most_common():
            rows.append(
                (f"refused: {reason}", count, next(message for _, why, message in self.refused if why == reason))
            )
        bad = f"{self.vectors_left_out[0][0]} {self.vectors_left_out[0][1]}" if self.vectors_left_out else ""
        unclear = next((f"{id_}: {' or '.join(images[:3])}" for id_, images in self.vectors_unclear.items()), "")
        missing = _some(self.without_vector)
        rows += [
            ("vectors imported", self.vectors_imported, ""),
            ("vectors copied from the same image", self.vectors_copied, ""),
            ("vectors without an image, skipped", self.vectors_without_image, ""),
            ("vectors that fit several images, skipped", len(self.vectors_unclear), unclear),
            ("vectors that cannot be used, skipped", len(self.vectors_left_out), bad),
            ("embedded", self.embedded, ""),
            ("without a vector: no questions possible", len(self.without_vector), missing),
        ]
        return [row for row in rows if row[1] or row[0] == "added"] + [("images in the pool", self.pool, "")]


def _some(ids: list[str]) -> str:
    return ", ".join(ids[:3]) + (", …" if len(ids) > 3 else "")
