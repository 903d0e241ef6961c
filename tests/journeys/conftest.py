"""Everything up, as `attune up` starts it, on a small sample catalogue; started once for all journeys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from attune.labeler import settings as reader
from attune.labeler.demo import prepare
from attune.labeler.jobs import jobs
from attune.labeler.sample import catalogue
from attune.labeler.sample.catalogue import Catalogue
from attune.labeler.services import Stack, free_ports
from attune.labeler.settings import Settings
from tests.support import quick_studio

IMAGES = 200
LONG_SIDE = 240  # pixels of an image: half of the demo's, and more than twice what its encoder looks at
ATTRIBUTE = "serious-expression"


@dataclass(frozen=True)
class House:
    """A running Attune and what is in it."""

    settings: Settings
    stack: Stack
    drawn: Catalogue


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    workspace = tmp_path_factory.mktemp("house")
    reader.keep_settings(workspace, **prepare.encoder_settings())
    settings = free_ports(reader.build(workspace=workspace))
    with quick_studio.stacks(), Stack(settings) as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(catalogue, "LONG_SIDE", LONG_SIDE)
            drawn = prepare.catalogue(settings, jobs.quiet, IMAGES)
        prepare.assets(settings, drawn, jobs.quiet)
        prepare.owner(settings)
        prepare.attribute(settings, prepare.samples()[ATTRIBUTE])
        for name in prepare.SIMULATED:
            prepare.expert(settings, name, [ATTRIBUTE])
        jobs.ask(settings, "learn", attribute=ATTRIBUTE, size=30)
        yield House(settings, stack, drawn)
