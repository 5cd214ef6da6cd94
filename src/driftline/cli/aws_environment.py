"""The variables by which AWS clients find driftline, and leave the user's own configuration alone."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from driftline.core.errors import InputError
from driftline.storage.aws_server import AwsServer
from driftline.storage.layout import Layout

UNWANTED = frozenset(
    {
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_USE_FIPS_ENDPOINT",
        "AWS_USE_DUALSTACK_ENDPOINT",
        *(f"AWS_ENDPOINT_URL_{name}" for name in ("S3", "SAGEMAKER", "SAGEMAKER_RUNTIME", "CLOUDWATCH")),
        *(f"AWS_ENDPOINT_URL_{name}" for name in ("CLOUDWATCH_LOGS", "STS", "IAM", "KMS")),
    }
)
"""What would lead AWS clients elsewhere."""
_ANY_KEY = {"AWS_ACCESS_KEY_ID": "driftline", "AWS_SECRET_ACCESS_KEY": "driftline"}
_LOCAL = ("127.0.0.1", "localhost")


def environment(data: Path, server: AwsServer, token: str | None) -> dict[str, str]:
    """The variables for a server on this machine; ``token`` names whose access key is used."""
    folder = Layout(data).aws.absolute()
    found = _basic(server.url, server.region) | _credentials(data, server, token)
    if server.s3_endpoint:
        found["AWS_ENDPOINT_URL_S3"] = server.s3_endpoint
    else:
        # Files of ours, which are empty: the user's own are not read.
        for name, file in (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")):
            (folder / file).touch()
            found[name] = str(folder / file)
    direct = ",".join(dict.fromkeys((*_LOCAL, urlsplit(server.url).hostname or "", *_direct())))
    for name, value in (("HTTPS_PROXY", server.proxy), ("NO_PROXY", direct)):
        found[name] = found[name.lower()] = value
    return found | {"AWS_CA_BUNDLE": str(folder / "ca-bundle.pem")}


def remote_environment(url: str) -> dict[str, str]:
    """The variables for a server elsewhere, whose keys and region are given by hand where it wants them."""
    region = os.environ.get("AWS_DEFAULT_REGION", "us-east-1")
    keys = {name: os.environ.get(name, value) for name, value in _ANY_KEY.items()}
    return _basic(url.rstrip("/"), region) | keys


def _basic(url: str, region: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _credentials(data: Path, server: AwsServer, token: str | None) -> dict[str, str]:
    """A token's access key; any where none is asked for, but the user's own where S3 is elsewhere and asks for them."""
    if token is not None:
        from driftline.service import Service
        from driftline.service.access_keys import AccessKeys
        from driftline.storage.database import database_of_environment

        with Service(data, database=database_of_environment()) as service:
            key = AccessKeys(service.store, service.layout).of(token)
        return {"AWS_ACCESS_KEY_ID": key.id, "AWS_SECRET_ACCESS_KEY": key.secret}
    if server.access:
        hint = "name a token with --token NAME; driftline token create makes one"
        raise InputError("the server checks signatures, so its clients need an access key", hint=hint)
    return {} if server.s3_endpoint else dict(_ANY_KEY)


def _direct() -> list[str]:
    """Hosts that the user's programs reach without a proxy already; names of AWS must come to ours."""
    given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = [host.strip() for host in given.split(",")]
    return [host for host in hosts if host and host != "*" and "amazonaws.com" not in host]
