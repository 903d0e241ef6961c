"""Who asks: the administrator whom Attune works as, an expert with a session, or no one; and by which credential.

A token opens something only where it is the administrator's. Whoever shows any other gets nothing at all, whatever
session comes with it: what was judged here is what the view will use.
"""

import os
from urllib.parse import urlsplit

from attune_checks import Refused

SCHEMES = ("token", "bearer")
ACTIVITY = ["activity_at"]
SAFE = ("GET", "HEAD", "OPTIONS")
ELSEWHERE = "This request came from another page than Label Studio's own. Answer on the labelling page."


def administrator_address():
    """The address of Attune's administrator, from the environment that Label Studio itself makes the user by."""
    return os.environ.get("LABEL_STUDIO_USERNAME", "").strip().casefold()


def is_administrator(user):
    """Whether ``user`` is the one whom Attune works as."""
    administrator = administrator_address()
    return bool(
        administrator
        and user is not None
        and user.is_authenticated
        and user.is_active
        and user.is_superuser
        and user.email.casefold() == administrator
    )


def identify(request):
    """The user that the view will see, who may be no one; the request is made to say nothing else.

    Raises Refused for a token that is not accepted (401), or not the administrator's (403), and for what the page of
    another place had a browser send.
    """
    user = request.user
    _refuse_other_pages(request)
    scheme = next(iter(request.META.get("HTTP_AUTHORIZATION", "").split()), "").lower()
    # Label Studio has read a token already, maybe from a header in a spelling that we do not know.
    if scheme in SCHEMES or getattr(request, "is_jwt", False):
        user = by_token(request)
        if not is_administrator(user):
            raise Refused("Only the admin's token works here. People log in with their password.")
    elif scheme:
        # A proxy's own password, say. No view of Label Studio reads it, and none of a later release shall.
        del request.META["HTTP_AUTHORIZATION"]
    if not (user.is_authenticated and user.is_active):
        from django.contrib.auth.models import AnonymousUser

        user = AnonymousUser()
    if not is_administrator(user):
        save_activity_alone(user)
    request.user = user
    # The REST framework takes this one and asks no credential again.
    request._force_auth_user = user if user.is_authenticated else None
    request._force_auth_token = None
    if not user.is_authenticated:
        request.META.pop("HTTP_AUTHORIZATION", None)
    return user


def save_activity_alone(user):
    """Let no view write a person's whole row: it was read when the request came, and a password or an end of access that
    was set since would be undone (``AnnotationsListAPI.perform_create`` saves every column with each answer).
    """
    if not user.is_authenticated:
        return
    save = user.__class__.save

    def save_activity(*_, update_fields=None, **__):
        fields = ACTIVITY if update_fields is None else [one for one in update_fields if one in ACTIVITY]
        if fields:
            save(user, update_fields=fields)

    user.save = save_activity


def _refuse_other_pages(request):
    """Raise Refused where a browser says that another origin's page sends this: the session's cookie goes along with it
    from every port of this host. Label Studio as shipped asks for no proof against forgery (`core.middleware`).
    """
    if request.method in SAFE:
        return
    origin = request.META.get("HTTP_ORIGIN")
    if origin is None:
        if request.META.get("HTTP_SEC_FETCH_SITE", "none") not in {"none", "same-origin"}:
            raise Refused(ELSEWHERE)
        return  # no browser: those name an origin with whatever changes something
    from django.conf import settings

    # Behind a proxy with TLS the scheme that arrives here is another one than the browser's.
    allowed_origins = (settings.HOSTNAME, *settings.CSRF_TRUSTED_ORIGINS)
    own = {request.get_host(), *(_place(allowed_origin) for allowed_origin in allowed_origins)}
    if not _place(origin) or _place(origin) not in own:
        raise Refused(ELSEWHERE)


def _place(address):
    """Host and port of an address, in lower case, without the port that its scheme means anyway."""
    try:
        parts = urlsplit(address or "")
        port = parts.port
    except ValueError:
        return ""
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    return host if port in {None, {"http": 80, "https": 443}.get(parts.scheme)} else f"{host}:{port}"


def by_token(request):
    """The user of the token that comes with ``request``. Raises Refused where none does, or it is not accepted."""
    scheme = next(iter(request.META.get("HTTP_AUTHORIZATION", "").split()), "").lower()
    if getattr(request, "is_jwt", False):
        return request.user  # set by Label Studio's own middleware, which has read the token
    if scheme == "bearer":
        raise Refused("This token is not accepted.", 401)
    from jwt_auth.auth import TokenAuthenticationPhaseout
    from rest_framework.exceptions import AuthenticationFailed

    try:
        result = TokenAuthenticationPhaseout().authenticate(request)
    except AuthenticationFailed as error:
        raise Refused(str(error.detail), 401) from None
    if result is None:
        raise Refused("This token is not accepted.", 401)
    return result[0]
