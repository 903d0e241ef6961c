"""Opening a person's login in Label Studio, and ending all that it opens: sessions, tokens, memberships, locks."""

from attune_sessions import end_of
from attune_who import administrator_address

SHORTEST_PASSWORD = 8


def open_login(email, password):
    """Give ``email`` a login with this password, made where there is none; (the user, whether it was made).

    Whatever an older password opened ends. Raises ValueError for a password that is too short.
    """
    from django.db import transaction
    from organizations.models import Organization, OrganizationMember
    from users.models import User

    if len(password) < SHORTEST_PASSWORD:
        raise ValueError(f"The password has {len(password)} characters. At least {SHORTEST_PASSWORD} are necessary.")
    with transaction.atomic():
        user = find(email)
        is_new = user is None
        if is_new:
            user = User.objects.create_user(email=email, password=password, username=email.partition("@")[0])
        else:
            end_credentials(user)
        organization = Organization.objects.order_by("pk").first()
        organization.add_user(user)
        OrganizationMember.objects.filter(user=user, organization=organization).update(deleted_at=None)
        user.set_password(password)
        user.is_active, user.active_organization = True, organization
        if user.email.casefold() == administrator_address():
            user.is_superuser = user.is_staff = True  # one of before Attune may have been made by hand
        user.save(update_fields=["password", "is_active", "active_organization", "is_superuser", "is_staff"])
    return user, is_new


def end_all(email):
    """End the access of everyone whose address differs from ``email`` in case at most; (the users, what ended)."""
    from collections import Counter

    from django.db import transaction

    ended = Counter()
    with transaction.atomic():
        users = everybody(email)
        for user in users:
            ended.update(end_access(user))
    return users, dict(ended)


def erase(email, alias):
    """End the access of everyone with this address, and put ``alias`` in the place of who they were; how many.

    The rows stay, so that answers keep an author, who is nobody. Several get an address each, as addresses differ.
    """
    from django.db import transaction

    with transaction.atomic():
        users = everybody(email)
        for number, user in enumerate(users):
            end_access(user)
            user.email = user.username = alias if number == 0 else f"{number}-{alias}"
            user.first_name = user.last_name = user.phone = ""
            if user.avatar:
                user.avatar.delete(save=False)
            user.save(update_fields=["email", "username", "first_name", "last_name", "phone", "avatar"])
    return len(users)


def end_access(user):
    """End all that ``user`` may do, for good: what ended, as counts by name.

    The answers stay, and so does the place in the organisation, without which Label Studio would call their author
    "Deleted User"; it opens nothing to who has no queue and no login.
    """
    from django.db import transaction
    from projects.models import ProjectMember

    with transaction.atomic():
        ended = {"login": int(user.is_active), **end_credentials(user)}
        ended["queues"] = ProjectMember.objects.filter(user=user).delete()[0]
        ended["locks"] = user.task_locks.all().delete()[0]
        user.set_unusable_password()
        user.is_active = False
        user.save(update_fields=["password", "is_active"])
    return ended


def end_credentials(user):
    """End the sessions and tokens of ``user``; how many of each.

    The legacy token, which Label Studio makes for everyone unasked, is replaced by one unknown and not counted.
    """
    from django.utils.timezone import now
    from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

    tokens = list(OutstandingToken.objects.filter(user=user, blacklistedtoken__isnull=True))
    for token in tokens:
        BlacklistedToken.objects.get_or_create(token=token)
    live = [token for token in tokens if token.expires_at > now()]
    ended = {"sessions": end_of(user), "tokens": len(live)}
    user.reset_token()
    return ended


def find(email):
    """The user with this address, whatever its case, or None; of several the one spelt so, else the oldest."""
    users = everybody(email)
    return next((user for user in users if user.email == email.strip()), users[0] if users else None)


def everybody(email):
    """All users with this address, whatever its case, oldest first. SQLite compares the case of a to z alone."""
    from users.models import User

    normalised = email.strip().casefold()
    same = [pk for pk, one in User.objects.values_list("pk", "email") if one.casefold() == normalised]
    return list(User.objects.filter(pk__in=same).order_by("pk"))
