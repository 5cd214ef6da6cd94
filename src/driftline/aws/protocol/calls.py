"""Which operation of which service a request asks for, and in which protocol."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from driftline.aws.protocol.models import SIGNING_NAMES, TARGETS, VERSIONS

Protocol = Literal["json", "query"]
_SCOPE = re.compile(rb"Credential=[^/,\s]*/\d{8}/([a-z0-9-]*)/([a-z0-9-]*)/aws4_request")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]{0,127}")


class Call(NamedTuple):
    """An operation that a request names. It may be one that its service does not have."""

    service: str
    operation: str
    protocol: Protocol


def scope_of(authorization: bytes) -> tuple[str, str] | None:
    """The region and the service that a signature is made for; None for what is no such signature.

    >>> scope_of(b"AWS4-HMAC-SHA256 Credential=AK/20261122/us-east-1/sagemaker/aws4_request, SignedHeaders=host")
    ('us-east-1', 'sagemaker')
    """
    found = _SCOPE.search(authorization[:1000])
    return None if found is None else (found[1].decode(), found[2].decode())


def of_target(target: str) -> Call | None:
    """The call of an ``X-Amz-Target`` header; None for a service that is not one of ours.

    >>> of_target("SageMaker.CreateModel")
    Call(service='sagemaker', operation='CreateModel', protocol='json')
    """
    prefix, _, name = target.rpartition(".")
    service = TARGETS.get(prefix)
    return None if service is None or not _WORD.fullmatch(name) else Call(service, name, "json")


def of_form(fields: dict[str, str], signed_for: str) -> Call | None:
    """The call of a form, by the service that it is signed for, or by its version; None where neither tells.

    >>> of_form({"Action": "ListMetrics", "Version": "2010-08-01"}, "")
    Call(service='cloudwatch', operation='ListMetrics', protocol='query')
    """
    service = SIGNING_NAMES.get(signed_for) or VERSIONS.get(fields.get("Version", ""))
    name = fields.get("Action", "")
    return None if service is None or not _WORD.fullmatch(name) else Call(service, name, "query")
