"""A brief as PDF: A4, with its pictures, each line on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from PIL import Image

from attune.labeler.briefs.as_html import Caption, Captions
from attune.labeler.briefs.brief import Brief
from attune.labeler.briefs.line import Line
from attune.labeler.briefs.order import ORDER, TESTS
from attune.labeler.briefs.tastes import Taste
from attune.labeler.insights.amounts import unbroken
from attune.labeler.insights.words import EXAMPLES, GRADES
from attune.models.text import number

FONTS = Path(__file__).parent / "fonts"  # Latin, Greek and Cyrillic; other scripts are for the HTML file
FONT = "DejaVu"
INK, SOFT, GOOD, WARN, LINE = (29, 27, 24), (95, 90, 83), (29, 107, 67), (138, 90, 0), (217, 212, 203)
MARGIN, WIDTH, BOTTOM = 16, 178, 18  # millimetres of A4
PICTURE, LARGEST, SMALL, GAP = 26, 38, 17, 4
LEADING = 0.46  # millimetres of a line for each point of its size
CAPTION, OWN_CAPTION = 6, 7  # points
UNDER = 28  # millimetres below its own picture, for how it did
COLUMN_HEIGHT = 48  # with heads, pictures, captions and how many more there are
TALL = 1.31  # a picture's place, as often as it is wide
COLUMNS, MOST = 3, 3  # of pictures in a column
HEADING_HEIGHT = 60  # with the beginning of what follows
COLOURS = {"A": GOOD, "B": GOOD, "C": WARN, "D": SOFT}
Images = Sequence[Caption]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    words: str
    size: float
    colour: tuple[int, int, int] = INK
    bold: bool = False
    label: str = ""  # in bold, at the beginning of its first line


def as_pdf(brief: Brief, pictures: Mapping[str, bytes]) -> bytes:
    """The file; ``pictures`` are JPEGs by asset id."""
    page, captions = _Page(brief.name, pictures), Captions(brief)
    page.set_creation_date(brief.made_at)
    page.add_page()
    page.said(brief.name, 20, bold=True)
    page.said(
        f"Brief for new artwork · title {brief.title_id} · made {brief.made_at:%Y-%m-%d} · taken: clicked or played",
        8.5,
        SOFT,
        before=1.5,
    )
    if brief.made_up:
        which = "the figures of the lines that say so" if brief.mixed else "these figures"
        warning = f"Simulated performance. Nobody measured {which}. They show what a brief looks like."
        page.said(warning, 9.5, WARN, bold=True, before=2)
    page.said(brief.summary, 12, before=3)
    page.heading("Its images now")
    page.row(captions.now(), WIDTH, _own_width(len(brief.images)))
    page.said(brief.own.basis, 8.5, SOFT)
    page.heading("What works, and whether it has it")
    if len(brief.lines) > 1:
        page.said(ORDER, 8.5, SOFT)
    for place, line in enumerate(brief.lines, 1):
        _line(page, line, place, captions)
    if not brief.lines:
        page.said("No insight is sure enough yet.", 10)
    if any(line.worked or line.avoid for line in brief.lines):
        page.said(EXAMPLES, 8.5, SOFT, before=2)
    if any(line.to_do.test is not None for line in brief.lines):
        page.said(TESTS, 8.5, SOFT, before=1)
    _tastes(page, brief, captions)
    page.heading("What the grades mean")
    for grade, said in GRADES.items():
        page.said(f"{grade}  {said}", 9, before=1)
    return bytes(page.output())


def _own_width(images: int) -> float:
    """Millimetres of each of the title's own images: a row of few is as wide as the page, within reason."""
    return min(max((WIDTH + GAP / 2) / max(images, 1) - GAP / 2, PICTURE), LARGEST)


def _line(page: _Page, line: Line, place: int, captions: Captions) -> None:
    stale = f"  ·  stale: {', '.join(line.one.moved)}" if line.one.moved else ""
    means = f"{line.one.question.feature}: {line.one.means}" if line.one.means else ""
    texts = (means, line.words.interval, line.words.caution)
    head = f"Grade {line.grade}  ·  insight {line.one.row.id}, {line.state}{stale}"
    unchecked = [Text(f"{line.words.unchecked}.", 8.5, WARN, True)] if line.words.unchecked else []
    page.entry([
        Text(head, 8.5, SOFT if line.words.unchecked or line.one.moved else COLOURS[line.grade], True), *unchecked,
        Text(f"{place}. {line.words.sentence}", 11, INK, True),
        Text(line.why_here, 9, INK),
        Text(line.covers, 10, WARN if line.missing else INK, line.missing),
        *([Text(line.here, 9, WARN, True)] if line.here else []),
        Text(line.to_do.said, 9, INK, label="What to do:  "),
        Text(" ".join(text for text in texts if text), 8, SOFT),
    ], [
        (f"This title: images {line.use}", captions.named(line.has)),
        (line.more_often, captions.taken(line.worked)),
        (_less_often(line), captions.taken(line.avoid)),
    ])  # fmt: skip


def _less_often(line: Line) -> str:
    """The heading, shorter where the text above says in how many titles it goes the other way."""
    return line.less_often_bare if "goes the other way" in line.to_do.said else line.less_often


def _tastes(page: _Page, brief: Brief, captions: Captions) -> None:
    page.heading("For whom")
    if brief.tastes.forecast:
        page.said(brief.tastes.forecast, 10)
    page.said(brief.tastes.why or f"Grade {brief.tastes.grade}. {brief.tastes.reason}", 9, SOFT)
    for taste in brief.tastes.groups:
        _taste(page, taste, captions)


def _taste(page: _Page, taste: Taste, captions: Captions) -> None:
    texts = [
        Text(f"Group {taste.group}, about {number(taste.members)} members", 11, INK, True),
        Text(taste.covers, 10, WARN if taste.missing else INK, True),
        Text(taste.said, 8.5, SOFT),
    ]
    others = ("Other titles that it takes more often", captions.elsewhere(taste.elsewhere))
    shown = [("This title", captions.named(taste.liked)), others]
    page.entry([one for one in texts if one.words], [one for one in shown if one[1]])


class _Page(FPDF):
    """The pages, with the few things that a brief puts on them."""

    def __init__(self, title: str, pictures: Mapping[str, bytes]) -> None:
        super().__init__(format="A4", unit="mm")
        self.add_font(FONT, "", FONTS / "DejaVuSans.ttf")
        self.add_font(FONT, "B", FONTS / "DejaVuSans-Bold.ttf")
        self.set_margins(MARGIN, MARGIN)
        self.set_auto_page_break(True, BOTTOM)
        self.c_margin = 0  # texts begin where pictures and lines do
        self.set_title(f"Brief: {title}")
        self.set_lang("en")
        self.pictures = pictures

    def footer(self) -> None:
        """The page's number."""
        self.set_y(-13)
        self.set_font(FONT, "", 8)
        self.set_text_color(*SOFT)
        self.cell(0, 5, f"Attune · page {self.page_no()} of {{nb}}", align="R")

    def said(
        self, text: str, size: float, colour: tuple[int, int, int] = INK, bold: bool = False, before: float = 0,
        width: float = 0,
    ) -> None:  # fmt: skip
        """A paragraph from the left edge of where the pen is."""
        self.set_xy(self.get_x(), self.get_y() + before)
        self.set_font(FONT, "B" if bold else "", size)
        self.set_text_color(*colour)
        left = self.get_x()
        self.multi_cell(width, size * LEADING, unbroken(text), align="L", new_x=XPos.LEFT, new_y=YPos.NEXT)
        self.set_x(left)

    def room(self, height: float) -> None:
        """A new page where less than ``height`` millimetres are left on this one."""
        if self.get_y() + height > self.h - BOTTOM:
            self.add_page()

    def heading(self, text: str) -> None:
        """A heading, never alone at the end of a page."""
        self.room(HEADING_HEIGHT)
        self.said(text, 14, bold=True, before=7)
        self.set_y(self.get_y() + 2)

    def entry(self, texts: Sequence[Text], columns: Sequence[tuple[str, Images]]) -> None:
        """Paragraphs and images that stay on one page, below a thin line."""
        self.room(5 + sum(self._height(one) + 0.8 for one in texts) + (COLUMN_HEIGHT if columns else 0))
        self.set_draw_color(*LINE)
        self.line(MARGIN, self.get_y() + 2, MARGIN + WIDTH, self.get_y() + 2)
        self.set_y(self.get_y() + 4.2)
        for one in texts:
            rest = self._labelled(one) if one.label else one.words
            if rest:
                self.said(rest, one.size, one.colour, one.bold, before=0 if one.label else 0.8)
        if columns:
            self.columns(columns)

    def _labelled(self, text: Text) -> str:
        """The label with what fits beside it on its line; gives what is left of the text."""
        self.set_xy(self.get_x(), self.get_y() + 0.8)
        left, height = self.get_x(), text.size * LEADING
        self.set_text_color(*text.colour)
        self.set_font(FONT, "B", text.size)
        self.cell(self.get_string_width(text.label), height, text.label)
        self.set_font(FONT, "", text.size)
        words, room = text.words.split(" "), MARGIN + WIDTH - self.get_x()
        count = 1
        while count < len(words) and self.get_string_width(unbroken(" ".join(words[: count + 1]))) <= room:
            count += 1
        if words[count : count + 1] == ["%"]:  # stays with its number
            count -= 1
        self.cell(0, height, unbroken(" ".join(words[:count])))
        self.set_xy(left, self.get_y() + height)
        return " ".join(words[count:])

    def _height(self, text: Text, width: float = WIDTH) -> float:
        self.set_font(FONT, "B" if text.bold else "", text.size)
        measured = self.multi_cell(
            width, text.size * LEADING, unbroken(f"{text.label}{text.words}"), align="L", dry_run=True, output="HEIGHT"
        )
        # Its label is drawn in bold, which is wider: a word may go over to another line.
        more = text.size * LEADING if text.label else 0.0
        return float(measured) + more  # type: ignore[arg-type]

    def columns(self, parts: Sequence[tuple[str, Images]]) -> None:
        """Groups of images beside each other, each under its heading."""
        top, lowest, width = self.get_y() + 2, self.get_y() + 2, WIDTH / COLUMNS
        below = max(self._height(Text(head, 8, SOFT, True), width - GAP) for head, _ in parts)
        for place, (head, images) in enumerate(parts):
            self.set_xy(MARGIN + place * width, top)
            self.said(head, 8, SOFT, bold=True, width=width - GAP)
            self.set_xy(MARGIN + place * width, top + below + 1)  # heads have one to three lines
            self.row(images[:MOST], width - GAP, SMALL)
            if len(images) > MOST:
                self.said(f"and {len(images) - MOST} more", 7, SOFT, width=width - GAP)
            lowest = max(lowest, self.get_y())
        self.set_xy(MARGIN, lowest + 1)

    def row(self, images: Images, room: float, width: float = PICTURE) -> None:
        """Images in rows of ``room`` millimetres, each with its id and what is said of it."""
        left, height = self.get_x(), width * TALL
        if not images:
            self.said("None.", 8, SOFT, width=room)
            return
        each = max(1, int((room + GAP / 2) // (width + GAP / 2)))
        for start in range(0, len(images), each):
            if width >= PICTURE:
                self.room(height + UNDER)
                self.set_x(left)
            top, lowest = self.get_y(), self.get_y()
            for place, one in enumerate(images[start : start + each]):
                self.set_xy(left + place * (width + GAP / 2), top)
                self._image(one.asset_id, width, height)
                size = OWN_CAPTION if width >= PICTURE else CAPTION
                if one.film:
                    self.said(one.film, size, INK, True, width=width)
                self.said("\n".join(one.under), size, SOFT, width=width)
                lowest = max(lowest, self.get_y())
            self.set_xy(left, lowest + 1.5)

    def _image(self, name: str, width: float, height: float) -> None:
        """One picture inside its place, and the pen below it."""
        left, top = self.get_x(), self.get_y()
        content = self.pictures.get(name)
        if content is None:
            self.set_fill_color(244, 241, 236)
            self.rect(left, top, width, height, style="F")
            self.set_xy(left + 1, top + 1.5)
            self.said("The image is not here", CAPTION, SOFT, width=width - 2)
        else:
            wide, high = Image.open(BytesIO(content)).size
            scale = min(width / wide, height / high)
            self.image(BytesIO(content), left + (width - wide * scale) / 2, top + (height - high * scale) / 2,
                       wide * scale, high * scale, alt_text=name)  # fmt: skip
        self.set_xy(left, top + height + 0.8)
