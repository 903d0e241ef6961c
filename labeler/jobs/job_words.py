"""What each kind of job is called, what it does when all goes well, and what to do when it does not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """``one`` and ``many`` of a kind, the word before what it is about, and what was ``expected`` of it."""

    one: str
    many: str
    about: str
    expected: str

    def title(self, times: int, subject: str) -> str:
        """As "14 learning runs of romance"; the number only where there are several."""
        what = self.one[:1].upper() + self.one[1:] if times == 1 else f"{times:,} {self.many}".replace(",", " ")
        return f"{what} {self.about} {subject}" if subject else what


KINDS = {
    "learn": Words(
        "learning run", "learning runs", "of",
        "The probe learns from the newest answers, and the queues get a new order.",
    ),
    "sync": Words(
        "reading of answers from Label Studio", "readings of answers from Label Studio", "to",
        "The answers in Label Studio come into Attune.",
    ),
    "publish": Words("promotion", "promotions", "of", "The version is published, and pipelines can pull it."),
    "score": Words("scoring of the pool", "scorings of the pool", "for", "Each image gets its feature values."),
    "embed": Words(
        "reading of new images", "readings of new images", "of",
        "Attune looks at each new image once, so that it can search it and ask about it.",
    ),
    "upload": Words("upload of images", "uploads of images", "of", "The images that were sent come into the pool."),
    "reread": Words(
        "second reading of images", "second readings of images", "of", "Older images are read by the newest rules."
    ),
    "drift": Words(
        "look for drift", "looks for drift", "in",
        "The scores of new images are compared with the scores at the publication.",
    ),
    "import": Words("import of answers", "imports of answers", "to", "The answers of the file are stored."),
    "notify": Words("delivery of notices", "deliveries of notices", "to", "Notices go out by email and webhook."),
    "explore": Words("search", "searches", "for", "The nearest images of the pool are found."),
    "encoder": Words(
        "change of the encoder", "changes of the encoder", "to", "The new encoder reads every image once."
    ),
    "join": Words(
        "new access to Label Studio", "new accesses to Label Studio", "for",
        "The person gets a login and queues in Label Studio.",
    ),
    "leave": Words(
        "end of access to Label Studio", "ends of access to Label Studio", "for",
        "The person cannot open Label Studio any more.",
    ),
    "erase": Words(
        "erasure of a person's data", "erasures of a person's data", "of",
        "Nothing names the person any more. The answers stay, as those of an expert who left.",
    ),
    "configure": Words(
        "change of a question in Label Studio", "changes of a question in Label Studio", "for",
        "Label Studio shows the question as it is today.",
    ),
    "grid": Words(
        "new set of pages of images", "new sets of pages of images", "for",
        "The expert gets pages of images to answer at once.",
    ),
    "map": Words("map of the pool", "maps of the pool", "of", "Each image has its place on the map."),
    "layers": Words(
        "reading of the images for further spaces", "readings of the images for further spaces", "for",
        "Each image can be compared by its layers or colours, too.",
    ),
    "describe": Words(
        "description of clusters", "descriptions of clusters", "of",
        "Each cluster's page says what its images have in common.",
    ),
    "learn_taste": Words(
        "learning of a taste space", "learnings of a taste space", "of",
        "A new version of the space is there, with its quality.",
    ),
    "fine_tune": Words(
        "fine-tuning of the image tower", "fine-tunings of the image tower", "of",
        "A new version of the taste space is there, if training the network helped.",
    ),
    "similar": Words(
        "preparation of Similar", "preparations of Similar", "of",
        "Similar answers at once, in each space that is in use.",
    ),
    "review": Words(
        "measuring of a version", "measurings of versions", "of", "Review shows the version's quality as it is now."
    ),
    "duplicates": Words(
        "search for duplicates", "searches for duplicates", "of",
        "Duplicates in Explore shows images that are nearly the same, and outliers.",
    ),
    "measure": Words(
        "measuring of the images", "measurings of the images", "of",
        "Each image has its colours, light, composition and faces, or the object that was named, as features.",
    ),
    "insights": Words(
        "run of insights", "runs of insights", "of", "Each question is answered, and the page Insights shows how sure."
    ),
    "goes_with": Words(
        "learning of what goes with takes", "learnings of what goes with takes", "of",
        "The page What goes with takes shows which features predict takes of other titles.",
    ),
    "performance": Words(
        "import of performance", "imports of performance", "of",
        "The rows of the file can answer questions in Insights.",
    ),
    "members": Words(
        "grouping of members", "groupings of members", "of",
        "The page Members shows what each group watches, and which artwork resonates with it.",
    ),
    "clusters": Words("new clustering", "new clusterings", "of", "Similar images form clusters in Explore."),
}  # fmt: skip
BY_ITSELF = {
    "join": "Attune tries again by itself every minute.",
    "leave": "Attune tries again by itself every minute, until it is done.",
    "erase": "Attune tries again by itself every minute, until it is done.",
    "configure": "Attune tries again by itself every minute.",
    "learn": "Attune starts a new one by itself while answers wait.",
    "sync": "Attune starts a new one by itself every half minute or so.",
    "notify": "Attune starts a new one by itself.",
    "similar": "Attune starts a new one by itself while images wait for it.",
    "describe": "Attune starts a new one when a champion moves, or answers or performance come.",
}
SINCE = "It went well since then, so you need not do anything."


def words(kind: str) -> Words:
    """The words of ``kind``, also of one that an older release had."""
    return KINDS.get(kind) or Words(f"job {kind}", f"jobs {kind}", "for", "The job comes to its end.")


def next_step(kind: str, refused: str, recovered: bool) -> str:
    """What to do about a job of ``kind`` that failed; ``refused`` says why it cannot be tried again, if so."""
    if recovered:
        return SINCE
    if refused:
        return refused
    own = BY_ITSELF.get(kind, "")
    return f"{own} You can also try now." if own else "Try again. If it fails again, run `attune doctor`."
