"""The read API of pipelines and its OpenAPI description, which is made of the routes themselves.

Each module of routes is one part of the description, by its name.
"""

from attune.labeler.web.api import (
    briefs,
    catalog,
    clusters,
    duplicates,
    features,
    insights,
    labels,
    learned_spaces,
    members,
    pool,
    recommend,
    scope,
    search,
    similar,
)
from attune.labeler.web.api.description import describe
from attune.labeler.web.api.routes import blueprint

__all__ = [
    "blueprint",
    "briefs",
    "catalog",
    "clusters",
    "describe",
    "duplicates",
    "features",
    "insights",
    "labels",
    "learned_spaces",
    "members",
    "pool",
    "recommend",
    "scope",
    "search",
    "similar",
]
