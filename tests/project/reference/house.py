"""docs/images/house.svg: the rooms of the code on three floors, drawn from the folders, 700 pixels wide."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).parents[3]
WAYS_IN = ("web", "views", "cli", "demo")  # rooms of labeler that show what the others decide
WIDTH, MARGIN, CHIP, GAP = 700, 16, 28, 8
LETTER = 8.6  # pixels that a letter of a room's name takes, at most
STYLE = """
  text { font: 14px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1c2330 }
  .head { font-weight: 600 } .soft { fill: #566072; font-size: 13px }
  .floor { fill: #f5f6f9; stroke: #b8c0cc } .room { fill: #ffffff; stroke: #8a94a6 }
  .out { fill: #e6eef9; stroke: #7f9cc4 }
  .door { stroke: #37506f; stroke-width: 2; fill: none; marker-end: url(#tip) } .asks { stroke-dasharray: 5 4 }
"""
TIP = """<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 8 4 0 8z" fill="#37506f"/></marker></defs>"""
LEGEND = "Solid: imports, downwards only. Dashed: asks by name (HTTP, Redis), imports nothing."
ASKS = "asks"


def picture() -> str:
    """The SVG."""
    whole = WIDTH - 2 * MARGIN
    half = (whole - 60) // 2
    right = WIDTH - MARGIN - half
    outside = [
        *(_out(MARGIN + 102 * place, 92, name) for place, name in enumerate(("Browser", "Terminal", "Pipeline"))),
        _out(right, half, "Label Studio"),
    ]
    top, labeler = 76, [name for name in rooms("labeler") if name not in WAYS_IN]
    ways, low = _floor(MARGIN, top, half, "labeler: ways in", "what people and pipelines see", WAYS_IN)
    work, end = _floor(right, top, half, "workers", "jobs, runs, sync", rooms("workers"))
    low = max(low, end)
    about = "questions, answers, queues, people, catalog"
    middle, ground = _floor(MARGIN, low + 44, whole, "labeler: the people's side", about, labeler)
    about = "arrays in, arrays out; knows nothing above it"
    base, bottom = _floor(MARGIN, ground + 44, whole, "models: the science", about, rooms("models"))
    left_door, right_door, aside = MARGIN + half // 2, right + half // 2, top + 40
    doors = [
        _door(left_door, 48, left_door, top - 2, "HTTP, commands", ASKS),
        _door(right_door, top, right_door, 50, "answers, tasks", ASKS),
        _door(MARGIN + half, aside, right - 2, aside, kind=ASKS),
        f'<text class="soft" x="{MARGIN + half + 30}" y="{aside - 8}" text-anchor="middle">jobs</text>',
        _door(left_door, low, left_door, low + 42, "imports"),
        _door(right_door, low, right_door, low + 42, "imports"),
        _door(WIDTH // 2, ground, WIDTH // 2, ground + 42, "imports"),
    ]
    height = bottom + 40
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return f"""<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">
<title>The house: rooms of labeler, workers and models, and the doors between them</title>
<style>{STYLE}</style>
{TIP}
<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>
{chr(10).join([*outside, ways, work, middle, base, *doors])}
<text class="soft" x="{MARGIN}" y="{height - 14}">{escape(LEGEND)}</text>
</svg>
"""


def rooms(package: str) -> list[str]:
    """The folders of a package, by name."""
    return sorted(path.parent.name for path in (ROOT / package).glob("*/__init__.py"))


def _floor(x: int, y: int, width: int, head: str, about: str, names: Sequence[str]) -> tuple[str, int]:
    """A floor with its rooms, and where it ends."""
    chips, left, at = [], x + 12, y + 52
    for name in names:
        wide = round(len(name) * LETTER) + 18
        if left + wide > x + width - 12:
            left, at = x + 12, at + CHIP + GAP
        chips.append(
            f'<rect class="room" x="{left}" y="{at}" width="{wide}" height="{CHIP}" rx="6"/>'
            f'<text x="{left + wide / 2}" y="{at + 19}" text-anchor="middle">{escape(name)}</text>'
        )
        left += wide + GAP
    end = at + CHIP + 12
    heads = (
        f'<rect class="floor" x="{x}" y="{y}" width="{width}" height="{end - y}" rx="10"/>'
        f'<text class="head" x="{x + 12}" y="{y + 22}">{escape(head)}</text>'
        f'<text class="soft" x="{x + 12}" y="{y + 41}">{escape(about)}</text>'
    )
    return heads + "\n" + "\n".join(chips), end


def _out(x: int, width: int, name: str) -> str:
    return (
        f'<rect class="out" x="{x}" y="12" width="{width}" height="34" rx="17"/>'
        f'<text x="{x + width / 2}" y="34" text-anchor="middle">{escape(name)}</text>'
    )


def _door(x: int, y: int, to_x: int, to_y: int, word: str = "", kind: str = "") -> str:
    line = f'<path class="door {kind}" d="M{x} {y} L{to_x} {to_y}"/>'
    return line + (f'<text class="soft" x="{x + 8}" y="{(y + to_y) // 2 + 4}">{escape(word)}</text>' if word else "")
