"""The clusters of the pool: saved clusterings, one cluster, its name and note, and new ones."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from attune.labeler.explore.clusters import KIND, MOST
from attune.labeler.jobs import jobs
from attune.labeler.records.session import reading
from attune.labeler.spaces import clusterings, descriptions, spaces
from attune.labeler.views import explore_clusters
from attune.labeler.views.cluster import cluster_page
from attune.labeler.views.explore import CLUSTER
from attune.labeler.views.explore_jobs import progress
from attune.labeler.web import auth
from attune.models.errors import DataError

blueprint = Blueprint("clusters", __name__, url_prefix="/explore/clusters")


@blueprint.get("")
def page() -> ResponseReturnValue:
    """The pool in parts that look alike: the newest clustering, or the one of ``?run=``."""
    arguments = request.args
    found = explore_clusters.clusters_page(
        auth.settings(), auth.viewer(), arguments.get("page", 1, int), arguments.get("run", None, int)
    )
    return render_template("explore_clusters.html", found=found, most=MOST)


@blueprint.post("")
def make() -> ResponseReturnValue:
    """Ask for new clusters, unless a job is at it."""
    settings, form = auth.settings(), request.form
    k = form.get("k", 0, int) if form.get("k", "").strip() else 0
    if form.get("k", "").strip() and not 2 <= k <= MOST:
        raise DataError(f"Clusters: got {form['k'][:20]!r}. Enter a number from 2 to {MOST}, or leave the field empty.")
    space, within = form.get("space", spaces.FINAL), form.get("within", "")
    with reading(settings) as session:
        if spaces.fingerprint_of(session, spaces.check_name(space)) is None:
            raise DataError(f"The space {space} has no vectors yet. The page Spaces has a button for it.")
        clusterings.scope_of(session, within)
        waits = progress(session, (KIND,)).waits
    if not waits:
        jobs.enqueue(settings, KIND, k=k, space=space, within=within, who=auth.viewer().name)
    if within:
        run, number = clusterings.parse_within(within)
        return redirect(url_for("clusters.cluster", run=run, number=number))
    return redirect(url_for("clusters.page"))


@blueprint.get("/<int:run>/<int:number>")
def cluster(run: int, number: int) -> ResponseReturnValue:
    """One cluster: core, edge and at random, large."""
    found = cluster_page(auth.settings(), auth.viewer(), run, number)
    return render_template("cluster.html", found=found, one=found.one, row=found.saved.row, kind=CLUSTER, most=MOST)


@blueprint.post("/<int:run>/<int:number>")
def name(run: int, number: int) -> ResponseReturnValue:
    """Name a cluster, and note what people saw in it."""
    settings, form = auth.settings(), request.form
    clusterings.take_note(settings, run, number, form.get("note", ""))
    clusterings.rename(settings, run, number, form.get("name", ""))
    flash("Saved. The name and the note stay when the clusters are made again.", "success")
    return redirect(url_for("clusters.cluster", run=run, number=number))


@blueprint.post("/<int:run>/<int:number>/describe")
def describe(run: int, number: int) -> ResponseReturnValue:
    """Ask for new descriptions of all clusters of a clustering, unless a job is at it."""
    settings = auth.settings()
    with reading(settings) as session:
        clusterings.find(session, run).cluster(number)
        waits = progress(session, (descriptions.KIND,)).waits
    if not waits:
        jobs.enqueue(settings, descriptions.KIND, clustering=run)
    return redirect(url_for("clusters.cluster", run=run, number=number, _anchor="h-described"))
