"""What the demo prints when everything is up: where to click, whom to be, what to try in another terminal."""

from __future__ import annotations

import os
import sys

from attune.labeler.demo import story
from attune.labeler.demo.prepare import NEWCOMER, OWNER, PASSWORD
from attune.labeler.people import experts
from attune.labeler.records.schema import Expert
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings

MINUTES = "3 to 10"  # the first on two cores of its own, the second where others use them, too


def beginning() -> str:
    """What is said before the first step."""
    return (
        f"The demo takes {story.STEPS} steps and about {MINUTES} minutes, installation apart. Ctrl-C stops it. The "
        "same command continues it.\n"
        f"Step 1 of {story.STEPS}: Starting Redis, Label Studio, the console and the workers …"
    )


def console(settings: Settings) -> str:
    """Where to look while the rest is prepared; the owner's login must be there."""
    return f"""
The console is up, and you can watch it fill:

  Console   {settings.web_address}
  Owner     {OWNER}   password {PASSWORD}   (works now)
  Expert    {NEWCOMER}     password {PASSWORD}   (works after step 5)
"""


def text(settings: Settings, finished: str, version: int, waiting: str) -> str:
    """The page for a newcomer. ``finished`` is the labelled attribute, ``waiting`` the one to try."""
    with reading(settings) as session:
        newcomer = session.query(Expert).filter_by(email=NEWCOMER).one()
    link = experts.links(settings, newcomer.id)[waiting]
    here = os.path.relpath(settings.workspace)
    prefix = "" if here == "workspace" else f"ATTUNE_WORKSPACE={here} "
    prefix += os.path.relpath(os.path.join(os.path.dirname(sys.executable), "attune"))
    return f"""
Attune is up.

  Console        {settings.web_address}
  Label Studio   {settings.label_studio_browser_address}

  Log in as the new expert  {NEWCOMER}     password {PASSWORD}   (both places)
  or as the owner           {OWNER}   password {PASSWORD}   (console)

1. Open the console as the new expert, choose "{waiting}" and press "Start labelling"
   (or open {link}).
   Press 1, 2 or 3: one key answers an image and shows the next. After each answer Attune trains the probe and
   reorders the queue. The number of answers grows on {settings.web_address}/attributes/{waiting}
   (the learning curve appears after 10 audit answers: see the command `audit` below).

2. "{finished}" has answers of three simulated experts and an audit. Version {version} is published.
   In another terminal:
   {prefix} pull {finished}@champion --to ./probe
   {prefix} probes list {finished}
   {prefix} audit {waiting} --size 30       (requests audit answers for your probe, too)

3. As the owner, open {settings.web_address}/insights: three answers to "which artwork is taken more often?".
   The performance behind them is simulated. One is a trap: look at the figure that is struck through.
   {prefix} brief t0004 --to brief.pdf      (what the next artwork of a title should have)

4. As the owner, open {settings.web_address}/explore/clusters and {settings.web_address}/explore/map: groups of
   similar posters, and a map of all of them. Attune makes them while you look around; it takes a minute or two.

The images are drawings made by this program. The encoder works only for such drawings.
Everything is in {settings.workspace}. Ctrl-C stops the demo, `make demo` continues it.
"""
