"""What a learning round advises: the keys of ``runs.advice``."""

from __future__ import annotations

BESIDE = "beside_probe"  # each expert beside the probe
