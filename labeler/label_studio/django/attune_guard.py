"""The guard in front of every view of Label Studio: enforces the table of doors, and lets nothing else through.

It works in ``process_view``, when Django has found the view that will run, and not on paths: an odd spelling of an
address cannot make it judge one view and run another. Who asks is settled once (`attune_who`) and handed to the view,
and of an expert's request the view gets only what the table names, read and written again.
"""

import json
import os

import attune_calls
import attune_connections
import attune_pages
from attune_checks import CHECKS, DROPPED, Asker, Refused
from attune_doors import ANYONE, by_route
from attune_who import identify, is_administrator
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.utils.html import escape

SHUT = "Only Attune's admin can do this in Label Studio. Open your questions from Attune's console."
LOG_IN = "Log in first."
# Colours of the console (labeler/web/static/theme.css), whose files this program does not serve.
STYLE = (
    ":root{color-scheme:light dark}body{font:1.1rem/1.6 Inter,system-ui,sans-serif;color:#1d1a17;background:#fbf9f5}"
    "main{max-width:34rem;margin:15vh auto;padding:0 1.2rem}h1{font:500 2.2rem/1.2 Newsreader,Georgia,serif}"
    "a{display:inline-block;margin-top:.6rem;padding:.55rem 1.1rem;border-radius:.5rem;background:#ad3a1e;color:#fff;"
    "text-decoration:none}@media (prefers-color-scheme:dark){body{color:#f3efe8;background:#1d1a17}}"
)
# What an expert gets of a task; a column that a new release adds stays empty until it is named here (a list stays a list:
# Label Studio's page stops at a null in its place). None of them tells which tasks came together, as created_at,
# updated_at and inner_id do: those of one import are questions of one kind.
COLUMNS = frozenset(
    "id data project is_labeled overlap allow_skip annotations drafts predictions annotators annotations_results "
    "annotations_ids total_annotations cancelled_annotations avg_lead_time completed_at draft_exists unique_lock_id queue "
    "comment_count unresolved_comment_count comment_authors last_comment_updated_at".split()
)


class Guard:
    """Django middleware; the last one, so that it judges the user whom the others have identified."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.doors = by_route()
        attune_calls.limit()

    def __call__(self, request):
        response = self.get_response(request)
        response.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
        if response.headers.get("Content-Type", "").startswith(("text/html", "application/json")):
            response.headers.setdefault("Cache-Control", "no-store")  # images' addresses and answers, on a shared machine
        return response

    def process_view(self, request, view, args, kwargs):
        """Nothing where the view may run, else the answer in its place."""
        try:
            return self._judge(request, kwargs)
        except Refused as refused:
            return refusal(request, str(refused), refused.status, getattr(refused, "SHOWN", None))

    def process_template_response(self, request, response):
        """Take out of an expert's answer what another person wrote."""
        user = getattr(request, "_attune_expert", None)
        if user is not None and hasattr(response, "data"):
            only_own(response.data, user.pk)
        return response

    def _judge(self, request, kwargs):
        request._attune_expert = None
        method = "GET" if request.method == "HEAD" else request.method
        door = self.doors.get(request.resolver_match.route)
        open_here = door is not None and method in door.methods
        if open_here and door.who == ANYONE and not door.answer:
            if not door.whole:
                self._rewrite(request, door, Asker(None), method)
            return None
        if open_here and door.answer == "none":
            return JsonResponse({}, status=404)
        user = identify(request)
        if is_administrator(user):
            attune_connections.keep(request)
            return None
        if not open_here:
            raise Refused(SHUT)
        if not user.is_authenticated:
            if door.answer == "console" or door.whole:
                return redirect_to_login(request.get_full_path())
            raise Refused(LOG_IN, 401)
        if door.answer:
            return ANSWERS[door.answer](user)
        request._attune_expert = user
        asker = Asker(user)
        for name, check in door.path.items():
            CHECKS[check](asker, kwargs[name])
        if door.route in attune_pages.PAGES:
            attune_pages.opened(request, kwargs["pk"])
        if "result" in door.body and method in {"POST", "PATCH"}:
            attune_pages.check(request, asker.task)
        if not door.whole:
            self._rewrite(request, door, asker, method)
        return None

    def _rewrite(self, request, door, asker, method):
        """Give the view the query and the body that were checked, and nothing else."""
        query = _checked(asker, door.query, _single(request.GET))
        sent = method in {"POST", "PATCH", "PUT"}
        body = json.dumps(_checked(asker, door.body, _body(request))).encode() if sent else b""
        request.encoding = "utf-8"  # before the query is put in: setting it forgets the old one
        new_query = QueryDict(mutable=True)
        new_query.update({name: str(value) for name, value in query.items()})
        request.META["QUERY_STRING"] = new_query.urlencode()
        new_query._mutable = False
        request.GET = new_query
        request._body = body
        request.META["CONTENT_LENGTH"] = str(len(body))
        request.META["CONTENT_TYPE"] = "application/json" if sent else ""
        request.content_type, request.content_params = request.META["CONTENT_TYPE"], {}


def _single(query):
    """A query as a mapping; Refused where a name stands in it twice, as views differ in which one counts."""
    for name, values in query.lists():
        if len(values) != 1:
            raise Refused(f"{name[:40]!r} appears more than once in the URL.", 400)
    return query.dict()


def _checked(asker, rules, values):
    """What of ``values`` is named, each value checked; a name with "!" must be there."""
    cleaned = {}
    for name, check in rules.items():
        needed, check = check.endswith("!"), check.removesuffix("!")
        if name not in values:
            if needed:
                raise Refused(f"The request names no {name}.")
            continue
        value = CHECKS[check](asker, values[name])
        if value is not DROPPED:
            cleaned[name] = value
    return cleaned


def _body(request):
    if not request.body:
        return {}
    try:
        parsed = json.loads(request.body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refused("The answer is not JSON.", 400) from None
    if not isinstance(parsed, dict):
        raise Refused("The answer is not a JSON object.", 400)
    return parsed


def _no_constant(name):
    raise ValueError(name)


def only_own(data, user):
    """Take annotations and drafts of others than ``user`` out of a task, or of every task of a list, and all columns
    but `COLUMNS`.

    A prediction holds the place in the queue, a time which import the task came with: an expert answers without knowing
    why an image is asked.
    """
    rows = data.get("tasks") if isinstance(data, dict) else None
    for row in rows if isinstance(rows, list) else [data]:
        if isinstance(row, dict):
            if isinstance(row.get("predictions"), list):
                row["predictions"] = []
            if "data" in row:
                row.update({name: [] if isinstance(row[name], list) else None for name in row.keys() - COLUMNS})
            for name, author in (("annotations", "completed_by"), ("drafts", "user")):
                if isinstance(row.get(name), list):
                    row[name] = [item for item in row[name] if _author(item, author) in {None, user}]


def _author(row, name):
    author = row.get(name) if isinstance(row, dict) else None
    author = author.get("id") if isinstance(author, dict) else author
    return author if isinstance(author, int) else None


def refusal(request, text, status, context=None):
    """The answer to who is not let in: a sentence, as JSON or as a small page. A header says that the guard gave it.
    ``context`` is how Label Studio's page is to show it, where that has a say.
    """
    headers = {"X-Attune-Door": "shut"}
    if "text/html" not in request.META.get("HTTP_ACCEPT", ""):
        body = {"detail": text} | ({"display_context": context} if context else {})
        return JsonResponse(body, status=status, headers=headers)
    console = os.environ.get("ATTUNE_CONSOLE_ADDRESS", "")
    link = f'<p><a href="{escape(console)}">Open Attune</a></p>' if console else ""
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Not open</title><style>{STYLE}</style><main><h1>Not open</h1><p>{escape(text)}</p>{link}</main></html>"
    )
    return HttpResponse(page, status=status, headers=headers)


def _console(user):
    address = os.environ.get("ATTUNE_CONSOLE_ADDRESS", "")
    if address:
        return HttpResponseRedirect(address)
    return HttpResponse("You are logged in. Open your questions from Attune's console.", content_type="text/plain")


def _oneself(user):
    made = {"id": user.pk, "first_name": user.first_name, "last_name": user.last_name, "email": user.email}
    return JsonResponse([made | {"username": user.username, "initials": user.get_initials()}], safe=False)


ANSWERS = {
    "console": _console,
    "oneself": _oneself,
    "empty_list": lambda user: JsonResponse([], safe=False),
    "empty_page": lambda user: JsonResponse({"count": 0, "next": None, "previous": None, "results": []}),
}
