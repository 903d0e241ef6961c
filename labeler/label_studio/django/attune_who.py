"""Who asks: the administrator whom Attune works as, an expert with a session, or nobody; and by which credential.

A token opens something only where it is the administrator's. Whoever shows any other gets nothing at all, whatever
session comes with it: what was judged here is what the view will use.
"""

import os

from attune_checks import Refused

SCHEMES = ("token", "bearer")


def administrator_address():
    """The address of Attune's administrator, from the environment that Label Studio itself makes the user by."""
    return os.environ.get("LABEL_STUDIO_USERNAME", "").strip().casefold()


def is_administrator(user):
    """Whether ``user`` is the one whom Attune works as."""
    wanted = administrator_address()
    return bool(
        wanted
        and user is not None
        and user.is_authenticated
        and user.is_active
        and user.is_superuser
        and user.email.casefold() == wanted
    )


def identify(request):
    """The user that the view will see, who may be nobody; the request is made to say nothing else.

    Raises Refused for a token that is not accepted (401), or not the administrator's (403).
    """
    user = request.user
    scheme = request.META.get("HTTP_AUTHORIZATION", "").strip().split(" ", 1)[0].lower()
    if scheme in SCHEMES:
        user = _by_token(request, scheme)
        if not is_administrator(user):
            raise Refused("Only the administrator's token opens anything here. People log in with their password.")
    elif scheme:
        # A proxy's own password, say. No view of Label Studio reads it, and none of a later release shall.
        del request.META["HTTP_AUTHORIZATION"]
    if not (user.is_authenticated and user.is_active):
        from django.contrib.auth.models import AnonymousUser

        user = AnonymousUser()
    request.user = user
    # The REST framework takes this one and asks no credential again.
    request._force_auth_user = user if user.is_authenticated else None
    request._force_auth_token = None
    if not user.is_authenticated:
        request.META.pop("HTTP_AUTHORIZATION", None)
    return user


def _by_token(request, scheme):
    if scheme == "bearer":
        if not getattr(request, "is_jwt", False):
            raise Refused("This token is not accepted.", 401)
        return request.user  # set by Label Studio's own middleware, which has read the token
    from jwt_auth.auth import TokenAuthenticationPhaseout
    from rest_framework.exceptions import AuthenticationFailed

    try:
        found = TokenAuthenticationPhaseout().authenticate(request)
    except AuthenticationFailed as error:
        raise Refused(str(error.detail), 401) from None
    if found is None:
        raise Refused("This token is not accepted.", 401)
    return found[0]
