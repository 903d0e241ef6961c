"""Who may enter which endpoint. An endpoint without a row is shut; a test finds any that was forgotten."""

from __future__ import annotations

EXPERTS = frozenset({"expert", "owner", "admin"})
MANAGERS = frozenset({"owner", "admin"})
ADMINS = frozenset({"admin"})
READERS = frozenset({"expert", "owner", "admin", "pipeline"})
CONSUMERS = frozenset({"owner", "admin", "pipeline"})
ROLES = ("expert", "owner", "admin", "pipeline")

# Open to all: they tell nothing, or prove the right to enter in a way of their own (secret header, signed address).
OPEN = frozenset(
    {
        "health.alive",
        "health.ready",
        "login.page",
        "login.enter",
        "single.begin",
        "single.back",
        "static",
        "bootstrap.static",
        "webhook.label_studio",
        "media.image",
        "welcome.page",
        "welcome.enter",
    }
)

RULES: dict[str, frozenset[str]] = {
    "login.leave": EXPERTS,
    "notices.page": EXPERTS,
    "notices.read": EXPERTS,
    "notices.read_all": EXPERTS,
    "notices.mail": EXPERTS,
    "notices.send_again": MANAGERS,
    "api.notices": EXPERTS,
    "account.page": EXPERTS,
    "account.change": EXPERTS,
    "account.end_others": EXPERTS,
    "account.label_studio": EXPERTS,
    "account.language": EXPERTS,
    "home.page": EXPERTS,
    "attribute.page": EXPERTS,
    "attribute.live": EXPERTS,
    "attribute.versions": MANAGERS,
    "attribute.manage": MANAGERS,
    "queues.stop": MANAGERS,
    "queues.start": MANAGERS,
    "queues.ask": MANAGERS,  # a login link is made for experts alone
    "results.page": EXPERTS,
    "results.image": EXPERTS,
    "results.save": MANAGERS,
    "results.again": MANAGERS,
    "results.remove": MANAGERS,
    "attribute.answers": EXPERTS,
    "attribute.disputed_page": EXPERTS,
    "correct.page": EXPERTS,
    "correct.change": EXPERTS,
    "threads.page": EXPERTS,  # of these each image by `answers.threads.may_open`
    "threads.write": EXPERTS,
    "threads.delete": EXPERTS,
    "threads.look": MANAGERS,
    "threads.revise": MANAGERS,
    "measuring.ask": MANAGERS,
    "measuring.learn": MANAGERS,
    "measuring.line": MANAGERS,
    "exchange.page": MANAGERS,
    "exchange.download": MANAGERS,
    "exchange.preview": MANAGERS,
    "exchange.confirm": MANAGERS,
    "api.drift": MANAGERS,
    "api.questions": MANAGERS,
    "api.image": MANAGERS,
    # What probes and experts say of clusters is no expert's to read before answering.
    "api.list_spaces": MANAGERS,
    "api.list_clusterings": MANAGERS,
    "api.list_duplicates": MANAGERS,  # to decide about them is theirs, too
    "api.clustering": MANAGERS,
    "api.cluster": MANAGERS,
    # What a model says of each image, the probe to work it out with, and how far its measuring is, which a manifest
    # tells, are no expert's to read before answering.
    "metrics.page": CONSUMERS,
    "api.probes": CONSUMERS,
    "api.manifest": CONSUMERS,
    "api.features": CONSUMERS,
    "api.file": CONSUMERS,
    "api.space_manifest": CONSUMERS,
    "api.space_file": CONSUMERS,
    "api.history": CONSUMERS,  # the console's own history is for those who manage
    "api.scope_decisions": MANAGERS,  # every decision names a person, too
    "api.labels": MANAGERS,  # every row names a person, which a pipeline has no need of
    "label.page": EXPERTS,
    "label.next_": EXPERTS,
    "label.start": EXPERTS,
    "label.choose": EXPERTS,
    "label.answers": EXPERTS,
    "grid.page": EXPERTS,
    "grid.next_": EXPERTS,
    "grid.more": EXPERTS,
    "grid.answers": EXPERTS,
    # Nothing that an expert reads moves with them until the next twenty asked answers (`people.visible_runs`): those
    # figures are of all that is learned by then, the chosen ones among it.
    "chosen.answers": EXPERTS,
    "scope.page": EXPERTS,  # with an own queue, or as those who manage
    "scope.decide": EXPERTS,
    "scope.undo": EXPERTS,
    "scope.write": MANAGERS,
    "label_errors.page": EXPERTS,  # an expert's own answers alone
    "label_errors.confirm": EXPERTS,
    "label_errors.correct": EXPERTS,
    "label_errors.ask": MANAGERS,
    "grid.start": EXPERTS,
    "grid.wait": EXPERTS,
    "explore.page": EXPERTS,
    "explore.image": EXPERTS,
    "explore.sending_page": EXPERTS,
    "explore.send": EXPERTS,
    "clusters.page": EXPERTS,
    "clusters.make": MANAGERS,
    "clusters.cluster": EXPERTS,
    "clusters.name": MANAGERS,
    "clusters.describe": MANAGERS,
    "beside.page": EXPERTS,
    "spaces.page": EXPERTS,
    "spaces.compute": MANAGERS,
    "spaces.learn": MANAGERS,
    "spaces.use": MANAGERS,
    "map.page": EXPERTS,
    "map.make": MANAGERS,
    "map.positions": EXPERTS,
    "map.colours": EXPERTS,  # of what a probe says and of columns the view itself refuses experts
    "map.images": EXPERTS,
    "map.found": EXPERTS,
    "duplicates.page": EXPERTS,  # an expert reads no count of answers there
    "duplicates.look": MANAGERS,
    "duplicates.confirm": MANAGERS,
    "duplicates.decide": MANAGERS,
    "duplicates.stay": MANAGERS,
    "duplicates.undo": MANAGERS,
    "recommend.page": MANAGERS,  # by a space that is learned from columns, which may hold labels
    "recommend.show": MANAGERS,
    # What performs is told by what models say of images: no expert's to read while they label.
    "insights.page": MANAGERS,
    "insights.run": MANAGERS,
    "insights.register": MANAGERS,
    "insights.one": MANAGERS,
    "insights.publish": MANAGERS,
    "insights.retire": MANAGERS,
    "features.page": MANAGERS,
    "features.one": MANAGERS,
    "features.guess": MANAGERS,
    "features.audit": MANAGERS,
    "features.means": MANAGERS,
    "performance.page": MANAGERS,
    "performance.file": MANAGERS,  # with a login, as uploads
    "performance.add": MANAGERS,
    "performance.remove": MANAGERS,
    "insights.test": MANAGERS,
    "insights.arms": MANAGERS,
    "titles.page": MANAGERS,
    "titles.brief": MANAGERS,
    "members.page": MANAGERS,
    "members.use": MANAGERS,
    "api.members": CONSUMERS,  # pipelines: what was promoted
    "api.title_forecast": CONSUMERS,
    "api.list_insights": CONSUMERS,
    "api.one_insight": CONSUMERS,
    "api.insights_file": CONSUMERS,
    "api.list_features": MANAGERS,
    "goes_with.page": MANAGERS,
    "goes_with.learn": MANAGERS,
    "api.what_goes_with": MANAGERS,  # nobody stands for it
    "api.title_brief": MANAGERS,  # as the page: what is only proposed is in it, too
    "api.search": EXPERTS,
    "api.similar": EXPERTS,
    "api.recommended": CONSUMERS,
    "attribute_form.new": MANAGERS,
    "attribute_form.create": MANAGERS,
    "attribute_form.edit": MANAGERS,
    "attribute_form.revise": MANAGERS,
    "question.pictures": MANAGERS,
    "revisions.page": MANAGERS,
    # An owner changes experts alone; whose login it is, the pages themselves look at.
    "people.page": MANAGERS,
    "people.new": MANAGERS,
    "people.add": MANAGERS,
    "people.person": MANAGERS,
    "people.widen": MANAGERS,
    "people.link": MANAGERS,
    "people.label_studio": MANAGERS,
    "people.shut_page": MANAGERS,
    "people.shut": MANAGERS,
    "people.open_": MANAGERS,
    "people.leave": MANAGERS,
    "people.remove": MANAGERS,
    "people.end_again": MANAGERS,
    "people.answers": MANAGERS,
    "people.erase_page": ADMINS,
    "people.erase": ADMINS,
    "people.role": ADMINS,
    "tokens.page": ADMINS,
    "tokens.make": ADMINS,
    "tokens.revoke": ADMINS,
    "assets.page": MANAGERS,
    "uploads.begin": MANAGERS,  # with a login: the page itself turns tokens away
    "uploads.received": MANAGERS,
    "uploads.piece": MANAGERS,
    "uploads.finish": MANAGERS,
    "uploads.drop": MANAGERS,
    "uploads.page": MANAGERS,
    "jobs.page": MANAGERS,
    "jobs.again": MANAGERS,
}

# Whole blueprints with one rule.
BLUEPRINTS: dict[str, frozenset[str]] = {
    "api": READERS,
    "openapi": READERS,
    "review": MANAGERS,
    "moves": MANAGERS,
    "versions": MANAGERS,
}


def is_open(endpoint: str | None) -> bool:
    """Whether anyone may enter."""
    return endpoint in OPEN


def allowed(endpoint: str | None, role: str) -> bool:
    """Whether ``role`` may enter ``endpoint``; None, an address that leads nowhere, is open to all: they see 404."""
    if endpoint is None or endpoint in OPEN:
        return True
    rule = RULES.get(endpoint) or BLUEPRINTS.get(endpoint.partition(".")[0])
    return rule is not None and role in rule


def whom_to_ask(endpoint: str | None, role: str) -> str:
    """Who may do what ``role`` may not, for the page that turns someone away; never the one who is turned away."""
    words = {"owner": "an owner", "admin": "an admin"}
    may = [said for one, said in words.items() if one != role and allowed(endpoint, one)]
    where = " The page People lists them." if role in MANAGERS else ""
    return f"Ask {' or '.join(may)}.{where}" if may else "No role has access."
