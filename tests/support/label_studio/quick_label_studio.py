"""The settings of our own Label Studio, for tests, which log in some hundred times."""

# In this order, as in ours: it asks for some of these settings while it is itself being read.
# ruff: noqa: I001
from core.settings.base import *  # noqa: F403
from attune_label_studio import *  # noqa: F403

PASSWORD_HASHERS = ["quick_hashes.Quick"]
