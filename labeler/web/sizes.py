"""How large what people send may be: the pages, the server and docker/Caddyfile go by these."""

from __future__ import annotations

FORM_BYTES = 1_000_000  # of a form without a file, and of what stands around a file
IMAGE_BYTES = 8_000_000  # of an image to search by
LABELS_BYTES = 4_000_000  # some ten thousand rows of labels; what is larger goes in by the command
PIECE_BYTES = 4_194_304  # of a file that comes in pieces: `web.static/upload.js` cuts them
BODY_BYTES = IMAGE_BYTES + FORM_BYTES  # of any request; more is refused before it is read


def megabytes(size: int) -> str:
    """Bytes in words: ``8 MB``."""
    return f"{size / 1_000_000:g} MB"
