"""The workspaces that the pages' tests look at, for what counts answers."""

from tests.labeler.views.conftest import settings, studio

__all__ = ["settings", "studio"]
