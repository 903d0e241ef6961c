"""An S3-compatible server on this machine; whatever it is made of is loaded by the first test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

KEYS = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
VARIABLES = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def served(bucket: str) -> Iterator[str]:
    """The address of a server on a free port, with a bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    boto3.client("s3", endpoint_url=address, **KEYS).create_bucket(Bucket=bucket)
    yield address
    server.stop()


def use(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Send what is stored from now on to the server at ``address``, and not to that of a test before."""
    from s3fs import S3FileSystem

    for name, value in (VARIABLES | {"AWS_ENDPOINT_URL": address}).items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()
