"""Those who use a stack at once: experts in Label Studio and on the labelling page, an owner's browser, a pipeline."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from time import monotonic
from uuid import uuid4

import requests
from sqlalchemy import select

from attune.labeler.catalog.promote import Move, promote
from attune.labeler.label_studio.expert_session import ExpertSession
from attune.labeler.label_studio.task_address import KEY
from attune.labeler.records.schema import Asset, Task
from attune.labeler.records.session import reading
from attune.models.catalog.pull_probe import pull
from attune.models.errors import AttuneError
from benchmarks.load.orders import Orders
from benchmarks.load.seen import Seen
from benchmarks.load.stage import OWNER, PASSWORD, Stage, truth
from tests.resilience.page_answerer import TOKEN, Page

FAILURES = (AttuneError, requests.RequestException, OSError, ValueError)
EMPTY_SECONDS, AGAIN_SECONDS = 1.0, 2.0
LAST_ORDERS_SECONDS = 60.0
SPREAD = 0.5  # of the logarithm of a look's seconds
PAGES = ("/", "/attributes/{}", "/attributes/{}/live", "/attributes/{}/answers", "/attributes/{}/versions", "/assets",
         "/explore")  # fmt: skip


class Member(threading.Thread):
    """One of the crowd, who does the same again until told to stop."""

    def __init__(self, stage: Stage, seen: Seen, look: float, seed: int) -> None:
        super().__init__(daemon=True)
        self.stage, self.seen, self.look = stage, seen, look
        self.chance, self.stopping = Random(seed), threading.Event()

    def run(self) -> None:
        """Go on, whatever fails."""
        while not self.stopping.is_set():
            try:
                self.once()
            except FAILURES as error:
                self.seen.tell_error(type(self).__name__, error)
                self.again()
                self.stopping.wait(AGAIN_SECONDS)

    def pause(self) -> None:
        """Look at what is on the screen: ``look`` seconds in the median, and none where it is 0."""
        if self.look:
            self.stopping.wait(self.look * self.chance.lognormvariate(0, SPREAD))

    def once(self) -> None:
        """Do it once."""
        raise NotImplementedError

    def again(self) -> None:
        """Log in again with the next one."""


class InLabelStudio(Member):
    """An expert who answers one queue in Label Studio."""

    def __init__(self, stage: Stage, seen: Seen, look: float, seed: int, orders: Orders) -> None:
        super().__init__(stage, seen, look, seed)
        self.orders = orders
        self.email, self.question, self.project = stage.queues[seed]
        self.session: ExpertSession | None = None

    def once(self) -> None:
        """One question."""
        if self.session is None:
            self.session = ExpertSession.login(self.stage.settings.label_studio_address, self.email, PASSWORD)
        with self.seen.clocked("Label Studio: next question"):
            task = self.session.next_task(self.project)
        self.seen.tell_asked(task is not None)
        if task is None:
            self.stopping.wait(EMPTY_SECONDS)
            return
        self.pause()
        began, value = monotonic(), truth(self.question, str(task["data"]["asset_id"]))
        self.session.answer(task["id"], value, once=uuid4())
        self.seen.tell("Label Studio: answer", began)
        self.orders.add(str(task["data"][KEY]), self.project, began)

    def again(self) -> None:
        """Close the session."""
        if self.session is not None:
            self.session.close()
        self.session = None


class OnThePage(InLabelStudio):
    """An expert who answers one queue on the console's labelling page."""

    page: Page | None = None

    def once(self) -> None:
        """One question."""
        if self.page is None:
            self.page = Page(self.stage.settings, self.email, self.question)
        with self.seen.clocked("labelling page: next question"):
            key = self.page.next()
        self.seen.tell_asked(key is not None)
        if key is None:
            self.stopping.wait(EMPTY_SECONDS)
            return
        with reading(self.stage.settings) as session:
            of_task = select(Asset.asset_id).join(Task, Task.asset_pk == Asset.id).where(Task.key == key)
            asset = session.scalars(of_task).one()
        self.pause()
        began = monotonic()
        self.page.send(str(uuid4()), key, truth(self.question, asset), True)
        self.seen.tell("labelling page: answer", began)
        self.orders.add(key, self.project, began)

    def again(self) -> None:
        """Close the page."""
        if self.page is not None:
            self.page.close()
        self.page = None


class Owner(Member):
    """An owner who opens one page of the console after another."""

    browser: requests.Session | None = None

    def once(self) -> None:
        """One page."""
        if self.browser is None:
            self.browser = self._entered()
        page = self.chance.choice(PAGES).format(self.chance.choice(self.stage.questions))
        with self.seen.clocked("console: page"):
            reply = self.browser.get(self.stage.settings.web_address + page, timeout=60)
        reply.raise_for_status()
        self.pause()

    def _entered(self) -> requests.Session:
        browser, login = requests.Session(), f"{self.stage.settings.web_address}/login"
        match = re.search(TOKEN, browser.get(login, timeout=60).text)
        form = {"csrf_token": match[1] if match else "", "email": OWNER, "password": PASSWORD}
        browser.post(login, data=form, timeout=60).raise_for_status()
        return browser

    def again(self) -> None:
        """Close the browser."""
        if self.browser is not None:
            self.browser.close()
        self.browser = None


class Pipeline(Member):
    """A pipeline that pulls a probe into an empty folder; it publishes one first where there is none."""

    published = False

    def once(self) -> None:
        """One pull."""
        name = self.stage.questions[0]
        if not self.published:
            promote(self.stage.settings, Move(name, "latest", "to be pulled", "load", override=True, draft=True))
            self.published = True
        with tempfile.TemporaryDirectory() as folder, self.seen.clocked("pull"):
            pull(f"{name}@champion", f"{folder}/probe", self.stage.settings.web_address, self.stage.token, folder)
        self.pause()


@contextmanager
def crowd(stage: Stage, seen: Seen, look: float, beside: float = 3.0) -> Iterator[Orders]:
    """Let everybody work until the block ends: one expert in four answers on the labelling page, after ``look`` seconds
    in the median each; the owner and the pipeline do something every ``beside`` seconds.
    """
    orders = Orders(stage.settings, seen)
    experts = [
        (OnThePage if number % 4 == 3 else InLabelStudio)(stage, seen, look, number, orders)
        for number in range(len(stage.queues))
    ]
    everybody = [*experts, Owner(stage, seen, beside, 1), Pipeline(stage, seen, beside, 2)]
    for one in (orders, *everybody):
        one.start()
    try:
        yield orders
    finally:
        for member in everybody:
            member.stopping.set()
        for member in everybody:
            member.join(90)
        until = monotonic() + LAST_ORDERS_SECONDS
        while orders.left() and monotonic() < until:
            orders.stopping.wait(0.5)
        orders.stopping.set()
