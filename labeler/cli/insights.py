"""`attune insights`: ask which artwork works, answer, and publish or retire the answers."""

from __future__ import annotations

from typing import Any

import click

from attune.labeler.cli.insights_goes_with import goes_with_commands
from attune.labeler.cli.insights_simulated import simulated_commands
from attune.labeler.cli.insights_tested import tested_commands
from attune.labeler.cli.shell import Group, Shell, key_value_lines, table, who
from attune.labeler.cli.shell import command as attune_command
from attune.labeler.insights import audited, companions, features, insights, powering, publishing, questions
from attune.labeler.insights.amounts import change, often
from attune.labeler.insights.beside_words import lines_of
from attune.labeler.insights.companions import DEPENDS, HOLDING
from attune.labeler.insights.insights import Told
from attune.labeler.insights.known import Known
from attune.labeler.insights.told import as_json
from attune.labeler.insights.what_to_do import what_to_do
from attune.labeler.insights.words import compared, words
from attune.labeler.jobs import jobs
from attune.labeler.records.session import reading
from attune.models.errors import DataError
from attune.models.text import plural

KIND = "insights"


@click.group(cls=Group)
def command() -> None:
    """Ask which artwork works, answer, and publish or retire the answers."""


@attune_command(command, "ask", example="attune insights ask --feature faces --contrast 1:3+")
@click.option("--feature", required=True, help="A measured or imported feature, or an attribute.")
@click.option("--contrast", default="", help="Two classes, FIRST:SECOND. Not needed for two classes or numbers.")
@click.option("--canvas", default="", help="One canvas alone. Default: all together.")
@click.option("--depends-on", multiple=True, metavar="NAME[=FIRST:SECOND]",
              help="Whether the effect depends on this feature. Repeatable.")  # fmt: skip
@click.option("--holding", multiple=True, metavar="NAME[=FIRST:SECOND]",
              help="A second figure, of images that are alike in this feature. Repeatable.")  # fmt: skip
def ask(
    shell: Shell, feature: str, contrast: str, canvas: str, depends_on: tuple[str, ...], holding: tuple[str, ...]
) -> None:
    """Register a question before it is answered. It never changes after that.

    Register it before anyone has looked, and all titles answer it. After a run has compared the feature, its answer is
    shown but not published: confirm it with new performance.
    """
    known = features.known(shell.settings)
    asked = _known(known, feature)
    wanted = [_wanted(known, way, one) for way, given in ((DEPENDS, depends_on), (HOLDING, holding)) for one in given]
    for other in wanted:  # all of it, before anything is frozen
        companions.contrast_beside(asked, other)
    done = questions.ask(shell.settings, asked, contrast, canvas, who())
    row = done.row
    beside = [companions.ask(shell.settings, row, asked, one, who()) for one in wanted]
    value = {
        "question": row.id, "feature": row.feature, "contrast": row.contrast, "canvas": row.canvas or None,
        "titles": row.titles, "exploratory": row.seen, "asked_by": row.asked_by, "asked_at": row.asked_at,
        "digest": row.digest, "again": done.again,
        "beside": [one.as_json() for one in beside],
    }  # fmt: skip
    which = "All titles answer it" if row.titles == questions.ALL else "The confirmation half of the titles answers it"
    if row.seen:
        which = "Figures of it could be seen before, so its answer is not published: confirm it with new performance"
    begin = "was registered before, and never changes" if done.again else "is registered, and never changes"
    shell.result(value, f"Question {row.id} {begin}: {compared(row)}. {which}.")
    for one in beside:
        what = "whether it depends on" if one.row.way == DEPENDS else "what it is with the same"
        seen = ". Figures of both could be seen before: confirm it with new performance" if one.row.seen else ""
        shell.hint(f"Asked, too: {what} {one.row.feature}, {one.row.contrast}{seen}.")
    if audited.is_draft(shell.settings, asked):
        shell.hint(audited.why_draft(shell.settings, asked))
    answer = next((one.row.id for one in insights.listed(shell.settings) if one.question.id == row.id), None)
    if answer is not None:
        shell.hint(f"Its answer is insight {answer}: `attune insights show {answer}`")
    else:
        shell.hint("Its answer gets a number of its own. To see it, answer, then list: `attune insights list`")
        shell.hint("To answer it: `attune insights run`")


def _known(known: dict[str, Known], name: str) -> Known:
    """The feature. Raises DataError where there is none."""
    if name not in known:
        listed = ", ".join(known) or "none yet"
        raise DataError(
            f"There is no feature {name[:80]!r}. The features are: {listed}. To import one: "
            "`attune features import FILE --name NAME`"
        )
    return known[name]


def _wanted(known: dict[str, Known], way: str, text: str) -> companions.Wanted:
    name, _, contrast = text.partition("=")
    return companions.Wanted(way, _known(known, name), contrast)


@attune_command(command, "run", example="attune insights run")
@click.option("--q", type=click.FloatRange(0.001, 0.5), default=0.1, show_default=True,
              help="Largest q that is sure: of such answers, this share may be false. At most 0.1 counts.")  # fmt: skip
@click.option("--no-wait", is_flag=True, help="Do not wait for the worker.")
def run(shell: Shell, q: float, no_wait: bool) -> None:
    """Find questions on one half of the titles, and answer all that are registered.

    The same inputs give the same figures: nothing is drawn at random.
    """
    with shell.progress("insights") as report:
        done = jobs.ask(shell.settings, KIND, report, wait=not no_wait, q=q, who=who())
    if "job" in done:
        shell.result(done, f"Job {done['job']} is at work. To see the answers: `attune insights list`")
        return
    found = [one for one in insights.listed(shell.settings) if one.row.state != insights.RETIRED]
    with reading(shell.settings) as session:
        last = insights.last_run(session)
    assert last is not None
    value = {
        "insights": [as_json(one) for one in found], "seed": last.seed, "digests": last.inputs, "run": last.id,
        "q": last.q, "found": len(last.found),
    }  # fmt: skip
    shell.result(value, _table(found))
    _hints(shell, found, last.q)


@attune_command(command, "list", example="attune insights list --grade A")
@click.option("--canvas", default="", help="Of one canvas alone.")
@click.option("--grade", type=click.Choice(tuple("ABCD")), help="Of one grade.")
@click.option("--q", type=click.FloatRange(0, 1), help="With a q of at most this.")
def list_(shell: Shell, canvas: str, grade: str | None, q: float | None) -> None:
    """List the insights: the surest first, those without enough data after them, retired ones last."""
    found = insights.listed(shell.settings, canvas, grade or "", q)
    shell.result({"insights": [as_json(one) for one in found]}, _table(found))
    _say_simulated(shell, found)
    if not found:
        shell.hint("There is no such insight. To answer questions: `attune insights run`")


@attune_command(command, "show", example="attune insights show 3")
@click.argument("number", metavar="ID", type=click.IntRange(min=1))
def show(shell: Shell, number: int) -> None:
    """Show insight ID: the sentence, the figures behind it, and what became of it."""
    one = insights.find(shell.settings, number)
    with reading(shell.settings) as session:
        events = insights.history(session, number)
    value = as_json(one, whole=True) | {
        "history": [{"at": row.at, "who": row.who, "action": row.action, "version": row.version, "reason": row.reason}
                    for row in events]
    }  # fmt: skip
    said, figures = words(one), one.figures
    lines: dict[str, Any] = {
        "insight": f"{number}, version {one.newest.version}, {one.row.state}",
        "says": said.sentence, "what to do": what_to_do(one).text,
    }  # fmt: skip
    if figures["estimate"] is not None:
        lines |= {
            "interval": said.interval, "grade": f"{one.newest.grade}. {said.reason}",
            "q": f"{figures['q']:.3f}", "raw figure": change(figures["estimate"]), "rests on": said.basis,
        }  # fmt: skip
        if said.other_way:
            lines["titles"] = said.other_way
        if said.caution or said.unchecked:
            lines["errors"] = said.caution or f"{said.unchecked}."
        lines |= lines_of(one)
        if figures["naive"] is not None:
            lines["all films mixed"] = f"{change(figures['naive'])} (wrong: popular titles have other images)"
    else:
        lines["not enough"] = figures["why"]
    lines |= {f"{row.action}ed" if row.action == "publish" else f"{row.action}d": f"by {row.who}: {row.reason}"
              for row in events}  # fmt: skip
    shell.result(value, key_value_lines(lines))
    _say_simulated(shell, [one])
    if one.published is not None:
        shell.hint(f"Published is version {one.published.version}. Pipelines get that one.")
    if one.moved:
        shell.hint(f"It is stale: {', '.join(one.moved)}. Answer again: `attune insights run`")


@attune_command(command, "publish", example='attune insights publish 3 --reason "confirmed in the autumn test"')
@click.argument("number", metavar="ID", type=click.IntRange(min=1))
@click.option("--reason", required=True, help="Why, for the history.")
@click.option("--version", type=click.IntRange(min=1), help="The version that you read. Default: the newest.")
def publish(shell: Shell, number: int, reason: str, version: int | None) -> None:
    """Publish the newest version of insight ID."""
    read = version or insights.find(shell.settings, number).newest.version
    one = publishing.publish(shell.settings, number, reason, who(), read)
    shell.result(as_json(one), f"Insight {number} version {one.newest.version} is published. {words(one).sentence}")


@attune_command(command, "retire", example='attune insights retire 3 --reason "the new layout changed it"')
@click.argument("number", metavar="ID", type=click.IntRange(min=1))
@click.option("--reason", required=True, help="Why, for the history.")
def retire(shell: Shell, number: int, reason: str) -> None:
    """Retire insight ID forever. Its versions and its history stay."""
    one = publishing.retire(shell.settings, number, reason, who())
    shell.result(as_json(one), f"Insight {number} is retired.")


@attune_command(command, "power", example="attune insights power 3 --titles 200")
@click.argument("number", metavar="ID", type=click.IntRange(min=1))
@click.option("--titles", type=click.IntRange(min=2), help="Titles in the test. Default: as many as the insight has.")
@click.option("--power", type=click.FloatRange(0.5, 0.99), default=0.8, show_default=True,
              help="The chance that the test finds it, if it is true.")  # fmt: skip
def power(shell: Shell, number: int, titles: int | None, power: float) -> None:
    """How many impressions does a random test need to confirm insight ID?

    For two images of each title, shown equally often.
    """
    plan = powering.plan(insights.find(shell.settings, number), titles, power)
    value = {
        "insight": number, "effect": plan.effect, "rate": plan.rate, "tau": plan.tau, "power": power,
        "titles": plan.needed.titles, "impressions": plan.needed.impressions,
    }  # fmt: skip
    shell.result(
        value,
        f"To confirm “{often(plan.effect)}” with {power:.0%} certainty: {plan.needed.impressions:,} impressions on "
        f"{plural(plan.needed.titles, 'title')}, two images of each, shown at random.",
    )
    if titles and plan.needed.titles > titles:
        shell.hint(f"With {plural(titles, 'title')} no number of impressions is enough: the titles differ too much.")


for built in (*tested_commands.commands.values(), *simulated_commands.commands.values(),
              *goes_with_commands.commands.values()):  # fmt: skip
    command.add_command(built)


def _table(found: list[Told]) -> Any:
    cells = [
        (one.row.id, words(one).sentence, one.newest.grade, _q(one), one.figures.get("titles", ""),
         "stale" if one.moved else one.row.state)
        for one in found
    ]  # fmt: skip
    return table(("insight", "what it says", "grade", "q", "titles", "state"), cells)


def _q(one: Told) -> str:
    return "" if one.figures["estimate"] is None else f"{one.figures['q']:.3f}"


def _say_simulated(shell: Shell, found: list[Told]) -> None:
    if any(one.figures.get("simulated") for one in found):
        shell.hint("The performance is simulated: nobody measured it.")


def _hints(shell: Shell, found: list[Told], q: float) -> None:
    _say_simulated(shell, found)
    sure = [one for one in found if one.enough]
    level = min(q, insights.LARGEST_Q)
    shell.hint(f"{plural(len(sure), 'insight')} of {plural(len(found), 'question')} with q up to {level:g}.")
    if q > level:
        shell.hint(f"Nothing above a q of {level:g} has a sentence or is published, so --q {q:g} counts as {level:g}.")
    ratio = next((one.figures["ratio"] for one in found if one.figures.get("ratio")), None)
    if ratio and ratio["flagged"]:
        more = "" if ratio["believed"] else " That is more than chance, so no row counts as random: the grade is C."
        shell.hint(
            f"{ratio['flagged']:,} of {ratio['tested']:,} random tests did not show their images in the planned ratio. "
            f"They were left out.{more}"
        )
