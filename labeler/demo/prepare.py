"""Put the sample catalogue, its attributes and its people into a workspace; doing it twice changes nothing."""

from __future__ import annotations

from attune.labeler.assets.add import Request, add
from attune.labeler.attributes import attributes
from attune.labeler.attributes.attributes import Definition
from attune.labeler.demo.known_password import DOMAIN, NEWCOMER, OWNER, PASSWORD, SIMULATED
from attune.labeler.jobs.jobs import Report
from attune.labeler.people import experts, users
from attune.labeler.records.session import reading, writing
from attune.labeler.sample import ATTRIBUTES, ENCODER_CONFIG, ENCODER_RESIZE_MODE, ENCODER_WEIGHTS, SampleAttribute
from attune.labeler.sample.catalogue import Catalogue
from attune.labeler.settings import Settings
from attune.models.errors import AlreadyThere

IMAGES = 1600
SEED = 7


def encoder_settings() -> dict[str, str]:
    """The sample encoder, as a workspace keeps it."""
    return {
        "encoder": str(ENCODER_CONFIG),
        "pretrained": str(ENCODER_WEIGHTS),
        "resize_mode": ENCODER_RESIZE_MODE,
    }


def catalogue(settings: Settings, report: Report, images: int = IMAGES) -> Catalogue:
    """Draw the catalogue into the workspace, once."""
    folder = settings.workspace / "sample-catalogue"
    if (folder / "ground_truth.csv").is_file():
        return Catalogue.read(folder)
    from attune.labeler.sample import write_catalogue

    return write_catalogue(folder, images, SEED, report)


def assets(settings: Settings, sample_pool: Catalogue, report: Report) -> None:
    """Add and embed the catalogue's images."""
    add(settings, Request([str(sample_pool.folder)], manifest=sample_pool.manifest), embedding_bar=report)


def attribute(settings: Settings, sample: SampleAttribute) -> None:
    """Make one of the sample's attributes."""
    classes = {} if len(sample.classes) == 2 else {name: list(texts) for name, texts in sample.prompts.items()}
    two = len(sample.classes) == 2
    definition = Definition(
        name=sample.name,
        question=sample.question,
        classes=sample.classes,
        definition=sample.definition,
        in_scope=sample.in_scope,
        out_of_scope=sample.out_of_scope,
        positive=sample.positive if two else (),
        negative=sample.negative if two else (),
        class_prompts=classes,
    )
    with reading(settings) as session:
        there = {existing.name for existing in attributes.every(session)}
    if sample.name not in there:
        with writing(settings) as session:
            attributes.create(session, definition, settings)


def old_classes(settings: Settings) -> str:
    """What to know where this workspace has other classes than today's demo; empty where it has the same."""
    with reading(settings) as session:
        there = {existing.name: tuple(existing.classes) for existing in attributes.every(session)}
    old = [sample for sample in ATTRIBUTES if there.get(sample.name, sample.classes) != sample.classes]
    return "\n".join(
        f"This demo workspace was made by an older Attune: {sample.name} has the classes "
        f"{', '.join(there[sample.name])}. The pages of documentation and the pictures have "
        f"{', '.join(sample.classes)}. Everything works as before. For today's demo, use a new folder: "
        "`attune demo --workspace ./look-around`"
        for sample in old
    )


def expert(settings: Settings, name: str, attribute_names: list[str]) -> None:
    """Make an expert of the demo with a queue for each attribute named."""
    email = name if "@" in name else f"{name}@{DOMAIN}"
    # Owners read the names: "4 queued for you" would be told to someone else.
    experts.add(settings, email, attribute_names, "Newcomer" if email == NEWCOMER else None, PASSWORD)


def owner(settings: Settings) -> None:
    """Make the demo's model owner."""
    try:
        users.create(settings, OWNER, "owner", PASSWORD)
    except AlreadyThere:
        return


def samples() -> dict[str, SampleAttribute]:
    """The sample's attributes by name."""
    return {sample.name: sample for sample in ATTRIBUTES}


__all__ = [
    "DOMAIN",
    "NEWCOMER",
    "OWNER",
    "PASSWORD",
    "SIMULATED",
    "assets",
    "attribute",
    "catalogue",
    "encoder_settings",
    "expert",
    "old_classes",
    "owner",
    "samples",
]
