"""Experts' logins in Label Studio. Its user API makes users that cannot log in, so Attune's own addresses there do it.

A Label Studio that runs elsewhere without them takes people by its invitation, whose link is renewed at once.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import requests

from attune.labeler.label_studio import door
from attune.labeler.label_studio.accounts import find_user
from attune.labeler.label_studio.client import ANSWER_SECONDS, CONNECT_SECONDS, LabelStudio
from attune.models.errors import AlreadyThere, LabelStudioRefused, LabelStudioUnreachable

OUT = (
    "The login of {email} at {address} was removed from Label Studio's organisation. This Label Studio runs "
    "without Attune's modules, so Attune cannot enable the login. On its computer run `label-studio shell`, "
    "and in it `from organizations.models import OrganizationMember` and "
    "`OrganizationMember.objects.filter(user__email='{email}').update(deleted_at=None)`; then `label-studio "
    "reset_password --username {email}`. Or start it with the modules (see docs/explanation/security.md) and add the "
    "person again."
)
LIMITS = (CONNECT_SECONDS, ANSWER_SECONDS)
_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_PROBLEM = re.compile(r'class="[^"]*(?:error|field_errors)[^"]*"[^>]*>\s*(?:<[^>]+>\s*)*([^<]+)', re.IGNORECASE)


def ensure_user(ls: LabelStudio, email: str, password: str) -> int:
    """The id of the user ``email``, who is made with ``password`` where there is none; an existing password stays.

    Raises SettingsError for a password under 8 characters, AlreadyThere where Label Studio runs without Attune's
    modules and someone took the login out of its organisation, LabelStudioRefused with the page's own reason.
    """
    user = find_user(ls, email)
    if user is not None:
        return user
    door.check(email, password)
    if door.is_guarded(ls):
        return door.open_login(ls, email, password)
    _sign_up(ls, email, password)
    user = find_user(ls, email)
    if user is None:
        raise LabelStudioRefused(
            f"Label Studio accepted the invitation of {email} but lists no such user. Check Label Studio's page "
            "People, then run the command again."
        )
    return user


def _sign_up(ls: LabelStudio, email: str, password: str) -> None:
    invite = urlsplit(ls.request("GET", "/api/invite")["invite_url"])
    # The invitation names the host as Label Studio sees itself; we keep to the address that we reach it by.
    link = f"{ls.address}{invite.path}?{invite.query}"
    with requests.Session() as session:
        accept(ls, session, link, email, password)


def accept(ls: LabelStudio, session: requests.Session, link: str, email: str, password: str) -> None:
    """Sign ``email`` up by the invitation ``link``, which is renewed at once.

    Raises AlreadyThere where the address has a login that is out of the organisation, LabelStudioRefused with the
    page's own reason, LabelStudioUnreachable.
    """
    reply = submit(session, link, {"email": email, "password": password, "allow_newsletters": "false"})
    if reply.status_code != 302:
        problem = _PROBLEM.search(reply.text)
        reason = problem.group(1).strip() if problem else "no reason given"
        if "already exists" in reason:
            raise AlreadyThere(OUT.format(address=ls.address, email=email))
        raise LabelStudioRefused(
            f"Label Studio did not add the user {email}: {reason}. Check the email address and the password.",
            reply.status_code,
        )
    ls.request("POST", "/api/invite/reset-token")  # a link that was used lets no one else in


def submit(session: requests.Session, page: str, fields: dict[str, str]) -> requests.Response:
    """Fill in one of Label Studio's own pages, which hold a CSRF token; a redirect is its way to say yes.

    Raises LabelStudioUnreachable, or LabelStudioRefused where the page has no form.
    """
    try:
        form = session.get(page, timeout=LIMITS)
        token = _CSRF.search(form.text)
        if token is None:
            raise LabelStudioRefused(
                f"{urlsplit(page).path} of Label Studio has no form (status {form.status_code}). Check that its "
                "release is 1.23: `attune doctor`",
                form.status_code,
            )
        sent = {**fields, "csrfmiddlewaretoken": token.group(1)}
        return session.post(page, data=sent, headers={"Referer": page}, allow_redirects=False, timeout=LIMITS)
    except (requests.ConnectionError, requests.Timeout) as error:
        host = urlsplit(page).netloc
        raise LabelStudioUnreachable(
            f"Label Studio does not answer at {host}. To test each service: `attune doctor`"
        ) from error
