"""Lets the strategies' tests use the worlds of the learner's tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
