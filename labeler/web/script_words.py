"""What the scripts of the labelling pages say, in the language of the request: the page carries it as data.

Sentences stand whole, as each language puts its words in another order; a script fills in what is named in brackets.
"""

from __future__ import annotations

from flask_babel import get_locale, get_translations
from flask_babel import gettext as _

Word = str | dict[str, str]
MOST = 200  # numbers up to this show every form that a language has for whole ones


def forms(singular: str, plural: str) -> dict[str, str]:
    """Each plural category of the language (CLDR: one, few, many, other) -> the sentence for such a count.

    ``other`` is always there, also where the language has it for fractions alone.
    """
    locale, translations = get_locale(), get_translations()
    rule = locale.plural_form if locale else lambda count: "one" if count == 1 else "other"
    counts = {"other": MOST} | {rule(count): count for count in range(MOST, -1, -1)}
    return {category: translations.ungettext(singular, plural, count) for category, count in counts.items()}


def single_images() -> dict[str, Word]:
    """The words of the page that shows one image after the other."""
    return outbox() | {
        "left": forms("%(count)s image left in your queue", "%(count)s images left in your queue"),
        "image": _("The image to answer about"),
        "image_whole": _("The image in its full size"),
        "gone": _("The question was taken out of your queue meanwhile."),
        "your_answer_keys": _("Your answer: %(answer)s. Press a key to change it, or → to go on."),
        "your_answer_taps": _("Your answer: %(answer)s. Tap it to keep it, or tap another."),
        "broken": _(
            "This image cannot be shown. Skip it, or press Back. An owner can check the file with `attune doctor`."
        ),
        "storing": _("Storing your answers"),
        "storing_text": _("The next images come after that."),
        "empty": _("Your queue is empty"),
        "empty_text": _("Attune is choosing the next images. They appear here by themselves."),
    }


def pages() -> dict[str, Word]:
    """The words of the page that shows many images at once."""
    return outbox() | _image_grid() | {
        "ready": forms("%(count)s image ready", "%(count)s images ready"),
        "gone": _("This page is no longer open: the question changed, or the page was older than a week."),
        "skipped": _("You skipped this page. To answer it, tick its images, then press Save page."),
        "answered_page": _("You have answered this page. Change it, then press Save page."),
        "rest_none": _("An image without a tick gets no answer."),
        "rest_class": _("An image without a tick is “%(class_name)s”."),
        "unsure": _("unsure"),
        "show_more": forms("Show %(count)s more", "Show %(count)s more"),
        "submit": _("Submit page"),
        "save": _("Save page"),
        "loading": _("Loading your next page"),
        "queued": _("Waiting for a worker"),
        "queued_text": _("It chooses the images for your page. They appear here by themselves."),
        "running": _("Choosing images for your page"),
        "running_text": _("They appear here by themselves."),
        "exhausted": _("No more images"),
        "exhausted_text": _(
            "Every image was asked about, or waits in a queue. Images that are added later appear here by themselves."
        ),
        "failed": _("No page of images"),
    }  # fmt: skip


def _image_grid() -> dict[str, Word]:
    return {
        "unsure_about": _("Unsure about image %(number)s"),
        "enlarge": _("Enlarge image %(number)s"),
        "enlarged": _("Image %(number)s, enlarged"),
        "lost_image": _("This image cannot be shown. It gets no answer."),
        "lost_image_answered": _("This image cannot be shown. Your answer stays."),
        "cell_ticked": _("Image %(number)s of %(all)s: ticked"),
        "cell_unsure": _("Image %(number)s of %(all)s: unsure"),
        "cell_none": _("Image %(number)s of %(all)s: no tick"),
        "cell_broken": _("Image %(number)s of %(all)s: cannot be shown"),
    }


def outbox() -> dict[str, Word]:
    """What every page says that keeps answers in the browser until they are stored."""
    return _trouble() | {
        "today": forms("%(count)s today", "%(count)s today"),
        "not_stored": forms(
            "%(count)s answer was not stored: %(reason)s", "%(count)s answers were not stored: %(reason)s"
        ),
        "revised": forms(
            "The question has changed, so %(count)s answer given to the old question was not stored. "
            "The page loads the new question.",
            "The question has changed, so %(count)s answers given to the old question were not stored. "
            "The page loads the new question.",
        ),
        "twice": forms(
            "You answered %(count)s image twice, in two tabs or browsers. One of the two answers is stored. Load this "
            "page again to see it or change it.",
            "You answered %(count)s images twice, in two tabs or browsers. One of the two answers to each is stored. "
            "Load this page again to see them or change them.",
        ),
        "lost": forms(
            "%(count)s answer could not be stored. %(reason)s The others are stored.",
            "%(count)s answers could not be stored. %(reason)s The others are stored.",
        ),
        "loose": forms(
            "%(count)s answer waits in this page only: the browser's storage is full, or not allowed. "
            "Keep this page open until it is sent.",
            "%(count)s answers wait in this page only: the browser's storage is full, or not allowed. "
            "Keep this page open until they are sent.",
        ),
        "kept": forms(
            "%(count)s answer is kept in this browser and will be sent. You can go on.",
            "%(count)s answers are kept in this browser and will be sent. You can go on.",
        ),
    }


def _trouble() -> dict[str, Word]:
    return {
        "tries_again": _("This page tries again."),
        "no_connection": _("No connection."),
        "paused": _("Paused by an owner"),
        "paused_text": _(
            "You need not do anything. Your answers are kept, and you can go back to correct them. New images appear "
            "here when an owner starts your queue again."
        ),
        "logged_out": _("You were logged out."),
        "log_in_again": _("Log in again"),
        "not_understood": _("The request was not understood. Load the page again."),
        "closed": _("This queue is closed."),
        "question_gone": _("This question does not exist any more. Its owner has removed or renamed it."),
        "not_known": _("The server does not know this page at the moment."),
        "no_storing": _("Answers cannot be stored at the moment."),
        "unexpected": _(
            "An unexpected error in the console. If it happens again, send the number %(request)s to an admin."
        ),
        "no_reply": _("The server does not answer."),
    }
