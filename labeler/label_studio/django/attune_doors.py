"""The doors of Label Studio that stand open to others than Attune's administrator, as plain data: a row a route.

A route that has no row is shut (403) for everyone but the administrator, and so is every method that its row does not
name: what a new release adds stays shut until someone opens it here. Routes are written as Django's resolver gives
them (``ResolverMatch.route``); `attune_guard` enforces the table and `attune_checks` holds the checks that it names.
"""

from dataclasses import dataclass, field

ANYONE = "anyone"  # also someone who has not logged in
EXPERT = "expert"  # an active person with a session of their own; who has none is sent to log in


@dataclass(frozen=True)
class Door:
    """One route: its methods, who may come, what is checked, and why it is open.

    ``path`` checks values in the address, ``query`` and ``body`` name all that may be in them: what is not named there
    never reaches the view. ``answer`` means that the guard answers by itself, and the view is never asked.
    """

    route: str
    methods: tuple
    who: str
    why: str
    path: dict = field(default_factory=dict)
    query: dict = field(default_factory=dict)
    body: dict = field(default_factory=dict)
    answer: str = ""
    whole: bool = False  # the view gets the request as it came


def _files(route, why):
    return Door(route, ("GET",), ANYONE, why, whole=True)


_ANSWER = {
    "result": "result",
    "lead_time": "number",
    "was_cancelled": "flag",
    "draft_id": "own_draft_or_none",
    "project": "own_project_dropped",
    "task": "task_of_the_path",
    "completed_by": "oneself_dropped",
    "ground_truth": "no",
}
_DRAFT = {
    "result": "result",
    "lead_time": "number",
    "was_postponed": "flag",
    "project": "own_project_dropped",
    "task": "task_of_the_path",
    "user": "oneself_dropped",
}

DOORS = (
    # What anyone may see: the files of the pages, and the way in and out.
    _files(r"^static/fonts/roboto/roboto.css$", "a font of the pages"),
    _files(r"^static/(?P<path>.*)$", "files of the pages"),
    _files(r"^react-app/(?P<path>.*)$", "files of the pages"),
    _files(r"^label-studio-frontend/(?P<path>.*)$", "files of the labelling page"),
    _files(r"^dm/(?P<path>.*)$", "files of the labelling page"),
    _files(r"^favicon\.ico$", "the icon of the pages"),
    _files(r"^sw\.js$", "a script that every page loads"),
    _files(r"^sw-fallback\.js$", "a script that every page loads"),
    Door("^user/login/", ("GET", "POST"), ANYONE, "the way in", whole=True),
    Door("^logout/?$", ("GET",), ANYONE, "the way out", whole=True),
    Door("health/", ("GET",), ANYONE, "whether it runs: asked by the supervisor and by Docker", whole=True),
    Door("version/", ("GET",), ANYONE, "its release: asked by the pages and by `attune doctor`", whole=True),
    Door("api/version/", ("GET",), ANYONE, "the same, should the pattern above ever get its anchor", whole=True),
    Door("heidi-tips/", ("GET",), ANYONE, "asked by the login page; the view would call the outside", answer="none"),
    Door("^$", ("GET",), ANYONE, "the first page after the login sends people to Attune", answer="console"),
    Door("^projects/", ("GET",), ANYONE, "the list of projects sends people to Attune", answer="console"),
    Door(
        "^api/token/refresh/",
        ("POST",),
        ANYONE,
        "the administrator's personal token is exchanged here, without a login",
        body={"refresh": "token_of_the_administrator!"},
    ),
    # The labelling page of one's own projects.
    Door(
        "^projects/<int:pk>/data/",
        ("GET",),
        EXPERT,
        "the labelling page that the console links to",
        path={"pk": "own_project"},
        whole=True,
    ),
    Door(
        "^projects/<int:pk>/",
        ("GET",),
        EXPERT,
        "the same page by a shorter address",
        path={"pk": "own_project"},
        whole=True,
    ),
    Door("^api/projects/<int:pk>/", ("GET",), EXPERT, "the question", path={"pk": "own_project"}),
    Door(
        "^api/projects/<int:pk>/label-stream-history/",
        ("GET",),
        EXPERT,
        "the way back to one's last images",
        path={"pk": "own_project"},
    ),
    Door(
        "^api/dm/project/",
        ("GET",),
        EXPERT,
        "the question and how many are left",
        query={"project": "own_project!", "include": "words", "interaction": "words"},
    ),
    Door("^api/dm/columns/", ("GET",), EXPERT, "the columns of the list", query={"project": "own_project!"}),
    Door("^api/dm/views/$", ("GET",), EXPERT, "the order that the page asks by", query={"project": "own_project!"}),
    Door(
        "^api/dm/actions/",
        ("POST",),
        EXPERT,
        "the next image; no other action",
        query={"id": "next_task!", "project": "own_project!"},
        body={
            "project": "own_project",
            "ordering": "ordering",
            "selectedItems": "selected",
            "filters": "no_filters",
        },
    ),
    Door(
        "^api/tasks/",
        ("GET",),
        EXPERT,
        "the list of one's own images",
        query={"project": "own_project!", "view": "own_view", "page": "count", "page_size": "count"},
    ),
    Door(
        "^api/tasks/<int:pk>/",
        ("GET",),
        EXPERT,
        "an image of one's own, to look at it or correct it",
        path={"pk": "own_task"},
        query={"project": "own_project_dropped", "interaction": "words"},
    ),
    Door(
        "^api/tasks/<int:pk>/annotations/",
        ("POST",),
        EXPERT,
        "to answer or to skip",
        path={"pk": "own_task"},
        query={"project": "own_project_dropped"},
        body={**_ANSWER, "lead_time": "time_on_the_task", "unique_id": "uuid"},
    ),
    Door(
        "^api/annotations/<int:pk>/",
        ("GET", "PATCH", "DELETE"),
        EXPERT,
        "to correct an answer of one's own, or take it back",
        path={"pk": "own_annotation"},
        query={"project": "own_project_dropped"},
        body=_ANSWER,
    ),
    Door(
        "^api/annotations/<int:pk>/convert-to-draft",
        ("POST",),
        EXPERT,
        "to take an answer of one's own back and go on with it",
        path={"pk": "own_annotation"},
        query={"project": "own_project_dropped"},
    ),
    Door(
        "^api/tasks/<int:pk>/drafts",
        ("POST",),
        EXPERT,
        "to keep what is begun",
        path={"pk": "own_task"},
        query={"project": "own_project_dropped"},
        body={**_DRAFT, "lead_time": "time_on_the_task"},
    ),
    Door(
        "^api/tasks/<int:pk>/annotations/<int:annotation_id>/drafts",
        ("POST",),
        EXPERT,
        "to keep a correction that is begun",
        path={"pk": "own_task", "annotation_id": "own_annotation"},
        query={"project": "own_project_dropped"},
        body=_DRAFT,
    ),
    Door(
        "^api/drafts/<int:pk>/",
        ("GET", "PATCH", "DELETE"),
        EXPERT,
        "to go on with what one has begun oneself",
        path={"pk": "own_draft"},
        query={"project": "own_project_dropped"},
        body=_DRAFT,
    ),
    Door("^api/current-user/whoami", ("GET",), EXPERT, "who one is"),
    Door("^api/current-user/hotkeys/", ("GET",), EXPERT, "one's own keys"),
    # Asked by the page for things that Attune does not use, or that are not the expert's to see.
    Door("^api/users/$", ("GET",), EXPERT, "asked by the page: oneself and nobody else", answer="oneself"),
    Door("^api/ml/", ("GET",), EXPERT, "asked by the page: Attune attaches no model", answer="empty_list"),
    Door("^api/label_links/$", ("GET",), EXPERT, "asked by the page: Attune makes none", answer="empty_page"),
)


def by_route():
    """Route -> its door."""
    return {door.route: door for door in DOORS}


def fingerprint():
    """What tells one table from another: the first half of a digest of its rows."""
    import hashlib

    return hashlib.sha256(repr(DOORS).encode()).hexdigest()[:32]
