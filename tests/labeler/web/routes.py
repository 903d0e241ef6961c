"""The console's routes and who may enter each, kept by hand: a route that is not here is shut, and a test says so.

    python -m tests.labeler.web.routes        the table as Markdown

`labeler/web/access.py` decides; this is what it is held against, so that a change there has to be made twice.
"""

from __future__ import annotations

NOBODY, LEAVER, EXPERT, OWNER, ADMIN = "nobody", "leaver", "expert", "owner", "admin"
PIPELINE, OWNER_TOKEN = "pipeline's token", "owner's token"
# The leaver's cookie is of before the leave. An admin's token does what an owner's does, and what is an admin's alone.
CALLERS = (NOBODY, LEAVER, EXPERT, OWNER, ADMIN, PIPELINE, OWNER_TOKEN)

EVERYBODY = CALLERS
PROOF: tuple[str, ...] = ()  # its own proof opens it, whoever asks: a password, a link, a signature, a secret
PEOPLE = (EXPERT, OWNER, ADMIN, OWNER_TOKEN)
MANAGERS = (OWNER, ADMIN, OWNER_TOKEN)
ADMINS = (ADMIN,)
LOGINS = (OWNER, ADMIN)  # what waits for a worker is asked for by a login, which may be looked at again
READERS = (EXPERT, OWNER, ADMIN, PIPELINE, OWNER_TOKEN)
CONSUMERS = (OWNER, ADMIN, PIPELINE, OWNER_TOKEN)

GROUPS: dict[tuple[str, ...], tuple[str, ...]] = {
    EVERYBODY: ("health.alive", "health.ready", "login.page", "static", "bootstrap.static"),
    PROOF: ("login.enter", "webhook.label_studio", "media.image", "welcome.page", "welcome.enter"),
    PEOPLE: (
        "home.page",
        "login.leave",
        "account.page",
        "account.change",
        "account.end_others",
        "account.label_studio",
        "account.language",
        "notices.page",
        "notices.read",
        "notices.read_all",
        "notices.mail",
        "api.notices",
        "attribute.page",
        "attribute.live",
        "results.page",
        "results.image",
        "attribute.answers",
        "attribute.disputed_page",
        "correct.page",
        "correct.change",
        "threads.page",
        "threads.write",
        "threads.delete",
        "label.page",
        "label.next_",
        "label.start",
        "label.choose",
        "label.answers",
        "grid.page",
        "grid.next_",
        "grid.more",
        "grid.answers",
        "chosen.answers",
        "scope.page",
        "scope.decide",
        "scope.undo",
        "label_errors.page",
        "label_errors.confirm",
        "label_errors.correct",
        "grid.start",
        "grid.wait",
        "explore.page",
        "explore.image",
        "explore.sending_page",
        "explore.send",
        "clusters.page",
        "clusters.cluster",
        "beside.page",
        "spaces.page",
        "map.page",
        "map.positions",
        "map.colours",
        "map.images",
        "map.found",
        "duplicates.page",
        "api.search",
        "api.similar",
    ),
    READERS: ("api.description",),
    CONSUMERS: (
        "metrics.page",
        "api.probes",
        "api.manifest",
        "api.features",
        "api.file",
        "api.history",
        "api.space_manifest",
        "api.space_file",
        "api.recommended",
        "api.members",
        "api.title_forecast",
        "api.list_insights",
        "api.one_insight",
        "api.insights_file",
    ),
    MANAGERS: (
        "api.drift",
        "api.labels",
        "api.scope_decisions",
        "api.questions",
        "api.image",
        "api.list_spaces",
        "api.list_clusterings",
        "api.list_duplicates",
        "api.clustering",
        "api.cluster",
        "assets.page",
        "jobs.page",
        "jobs.again",
        "notices.send_again",
        "label_errors.ask",
        "measuring.ask",
        "measuring.learn",
        "measuring.line",
        "attribute.versions",
        "attribute.manage",
        "queues.stop",
        "queues.start",
        "queues.ask",
        "results.save",
        "results.remove",
        "exchange.page",
        "exchange.download",
        "exchange.preview",
        "exchange.confirm",
        "clusters.make",
        "clusters.name",
        "clusters.describe",
        "spaces.compute",
        "spaces.learn",
        "spaces.use",
        "map.make",
        "duplicates.look",
        "duplicates.confirm",
        "duplicates.decide",
        "duplicates.stay",
        "duplicates.undo",
        "recommend.page",
        "members.page",
        "members.use",
        "insights.page",
        "insights.run",
        "insights.register",
        "insights.one",
        "insights.publish",
        "insights.retire",
        "insights.test",
        "insights.arms",
        "titles.page",
        "titles.brief",
        "recommend.show",
        "attribute_form.new",
        "attribute_form.create",
        "attribute_form.edit",
        "attribute_form.revise",
        "scope.write",
        "question.pictures",
        "revisions.page",
        "threads.look",
        "threads.revise",
        "review.page",
        "review.gates",
        "review.set_gates",
        "versions.page",
        "versions.history",
        "moves.promote_page",
        "moves.promote_version",
        "moves.progress",
        "moves.rollback_page",
        "moves.rollback",
        "moves.retire_page",
        "moves.retire",
        "people.page",
        "people.new",
        "people.add",
        "people.person",
        "people.widen",
        "people.link",
        "people.label_studio",
        "people.shut_page",
        "people.shut",
        "people.open_",
        "people.leave",
        "people.remove",
        "people.answers",
        "people.end_again",
    ),
    LOGINS: (
        "uploads.begin",
        "uploads.received",
        "uploads.piece",
        "uploads.finish",
        "uploads.drop",
        "uploads.page",
    ),
    ADMINS: ("people.role", "tokens.page", "tokens.make", "tokens.revoke"),
}
ROUTES: dict[str, tuple[str, ...]] = {name: who for who, names in GROUPS.items() for name in names}


def markdown() -> str:
    """The table: a row for each route, a column for each caller."""
    rows = [f"| {' | '.join(('route', *CALLERS))} |", "|---" * (len(CALLERS) + 1) + "|"]
    for name, who in ROUTES.items():
        marks = ["by its own proof" if who == PROOF else "enters" if one in who else "" for one in CALLERS]
        rows.append(f"| `{name}` | {' | '.join(marks)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(markdown())
