"""What a page or a notice says of a failure: a sentence, an id to look for, what to do; never what a program raised."""

from __future__ import annotations

import re

# Class names of exceptions before their text, Python's and SQLAlchemy's own marks, and statements of SQL.
_PROGRAM = re.compile(
    r"\b[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Warning|Timeout)\b\s*[:(]"
    r"|Traceback \(most recent|\[SQL:|\[parameters:|sqlalche\.me|\[Errno "
    r"|\b(?:SELECT|DELETE)\b.+\bFROM\b|\bINSERT\s+INTO\b|\bUPDATE\b.+\bSET\b"
    r"|\b(?:UNIQUE|FOREIGN KEY|NOT NULL|CHECK) constraint failed\b|\bno such (?:table|column)\b|\bdatabase is locked\b",
    re.DOTALL,
)


def is_program_text(text: str) -> bool:
    """Whether ``text`` holds what a program raised: an exception with its message, a traceback, or SQL."""
    return bool(_PROGRAM.search(text))


def of_job(job_id: str) -> str:
    """What is said of a job that stopped on something no one foresaw."""
    return (
        f"The job stopped because of an unexpected error. Start it again. If it stops again, run `attune doctor`. The "
        f"worker's log has the details under {job_id}."
    )


def shown(job_id: str, error: str) -> str:
    """The error of a job as people may read it; the records of earlier releases hold what programs raised."""
    return of_job(job_id) if is_program_text(error) else error


def of_request(request_id: str) -> str:
    """What is said of a page that could not be made."""
    return (
        "An unexpected error in the console. Try again. If it happens again, send the number "
        f"{request_id} to an admin. The console's log has the details under this number."
    )
