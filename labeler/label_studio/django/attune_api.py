"""What Attune asks of Label Studio beyond its own API: the door, who is a member of which queue, and logins.

The guard lets only the administrator come here.
"""

import json

import attune_people
from attune_doors import DOORS, fingerprint
from attune_who import administrator_address
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

VERSION = 1  # of these addresses


@require_http_methods(["GET"])
def door(request):
    """That the guard is here: the version of these addresses, how many doors stand open, and the table's fingerprint."""
    return JsonResponse({"attune": VERSION, "doors": len(DOORS), "fingerprint": fingerprint()})


@csrf_exempt
@require_http_methods(["GET", "POST"])
def members(request):
    """Who may see what: project's id -> addresses of its members, and whose logins are open but the administrator's.

    A POST sets the members of the projects that it names, and of no other.
    """
    if request.method == "POST":
        requested = _read(request)
        if requested is None or not all(key.isdigit() and _addresses(value) for key, value in requested.items()):
            return _wrong("expected an object of project ids, each with a list of addresses")
        missing = _set({int(key): value for key, value in requested.items()})
        return JsonResponse({"members": _held(), "missing": missing})
    return JsonResponse({"members": _held(), "logins": _open_logins()})


@csrf_exempt
@require_http_methods(["POST"])
def logins(request):
    """Open the login of an address with a new password, or end all access where the password is null.

    With ``erased_as``, an address that is nobody's, the person is erased, too: that address takes the place.
    """
    requested = _read(request) or {}
    email, password, alias = (requested.get(name) for name in ("email", "password", "erased_as"))
    if not isinstance(email, str) or not isinstance(password, str | None) or not isinstance(alias, str | None):
        return _wrong("expected an email, and a password or null")
    email = email.strip().casefold()
    if email == administrator_address():
        return _wrong("this is the administrator's own address, as which Attune works")
    if password is None:  # whatever the address looks like: it must end in any case
        users, ended = attune_people.end_all(email)
        if alias:
            return JsonResponse({"ended": ended, "erased": attune_people.erase(email, alias)})
        return JsonResponse({"id": users[0].pk if users else None, "ended": ended})
    try:
        validate_email(email)
        user, created = attune_people.open_login(email, password)
    except ValidationError as error:
        return _wrong(f"{email[:80]!r}: {error.messages[0]}")
    except ValueError as error:
        return _wrong(str(error))
    return JsonResponse({"id": user.pk, "made": created})


def _held():
    from projects.models import ProjectMember

    current_members = {}
    rows = ProjectMember.objects.filter(enabled=True).order_by("project_id", "user__email")
    for project, address in rows.values_list("project_id", "user__email"):
        current_members.setdefault(str(project), []).append(address.lower())
    return current_members


def _open_logins():
    from users.models import User

    found = {one.casefold() for one in User.objects.filter(is_active=True).values_list("email", flat=True)}
    return sorted(found - {administrator_address()})


def _set(requested):
    """Make the members of each project those of the addresses; the projects and addresses that do not exist."""
    from django.db import transaction
    from projects.models import Project, ProjectMember
    from users.models import User

    missing = []
    for project, addresses in requested.items():
        if not Project.objects.filter(pk=project).exists():
            missing.append(project)
            continue
        users = {address: User.objects.filter(email__iexact=address).first() for address in addresses}
        missing += [address for address, user in users.items() if user is None]
        with transaction.atomic():
            rows = ProjectMember.objects.filter(project_id=project)
            rows.exclude(user__in=[user for user in users.values() if user]).delete()
            for user in filter(None, users.values()):
                if not rows.filter(user=user, enabled=True).exists():
                    rows.filter(user=user).delete()
                    ProjectMember.objects.create(user=user, project_id=project)
    return missing


def _addresses(value):
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _read(request):
    try:
        found = json.loads(request.body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _wrong(text):
    return JsonResponse({"detail": text}, status=400)
