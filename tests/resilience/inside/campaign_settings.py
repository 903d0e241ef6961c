"""Settings of the campaign's Label Studio: ours, and before all else the middleware that makes its weather."""

# In this order, as in ours.
# ruff: noqa: I001
from core.settings.base import *  # noqa: F403
from attune_label_studio import *  # noqa: F403
from attune_label_studio import MIDDLEWARE

MIDDLEWARE = ["campaign_weather.Weather", *MIDDLEWARE]
