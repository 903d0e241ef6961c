"""Backups of a whole workspace: taken while Attune runs, checked by digests, restored into an empty folder."""
