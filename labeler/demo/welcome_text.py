"""What the demo prints when everything is up: where to click, whom to be, what to try in another terminal."""

from __future__ import annotations

import os
import sys

from attune.labeler.demo.prepare import NEWCOMER, OWNER, PASSWORD
from attune.labeler.people import experts
from attune.labeler.records.schema import Expert
from attune.labeler.records.session import reading
from attune.labeler.settings import Settings


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

  Log in as the newcomer  {NEWCOMER}     password {PASSWORD}   (both places)
  or as the model owner   {OWNER}   password {PASSWORD}   (console)

1. Open the console as the newcomer, choose "{waiting}" and press "Start labelling"
   (or go straight to {link}).
   Esc closes the instructions; press 1, 2 or 3 and Ctrl+Enter. After each answer a probe is trained and the queue is
   put in a new order. Watch the count move on {settings.web_address}/attributes/{waiting}
   (and the curve, once ten answers to questions of the audit are in: see the last command below).

2. "{finished}" was labelled by three simulated experts, measured by an audit batch and published as version
   {version}. In another terminal:
   {prefix} pull {finished}@champion --to ./probe
   {prefix} probes list {finished}
   {prefix} audit {waiting} --size 30       (asks for questions that measure your own probe, too)

The images are drawings made by this program, and the encoder knows nothing but such drawings.
Everything is in {settings.workspace}; Ctrl-C stops it, `make demo` goes on with it.
"""
